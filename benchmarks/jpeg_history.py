"""Splices in JPEGs saved twice: which pairs of qualities do the JPEG methods see through?

    python benchmarks/jpeg_history.py PHOTO... [--grid kept|moved|both] [--per-cell 4]
        [--qualities 50,60,70,75,80,85,90,95,98] [--methods jpeg-double-quantization]
        [--second higher,equal,lower,much-lower] [--half 0|1] [--size 1024] [--page OUT.md]

The pictures are those of the standard set ``double-jpeg``: a photo is saved at the first
quality, a part of another photo that was never saved is put in, and all is saved at the
second quality, on the same grid ("kept") or after a crop by 3 rows and 5 columns ("moved").
The twin takes the same way without the splice. Nothing is written to disk but the page.

A camera's photos are JPEGs already. Reduced to half their size by averages of 2 x 2 pixels
they keep no comb of the camera's tables (blocks of 4 x 4 pixels remain, and no 8 x 8 block
sees one alone), so that the first quality of a cell is the first that can show. Lossless
photos, such as film scans, are used at full size.

Per cell and method, and for "all", the largest of the maps: pixel AUC (blocks of which a method
says nothing count as least suspicious, a method that says nothing at all as .5), pixel F1 of
what is marked at the methods' own decision, how many forgeries and how many twins are decided on.
Pictures are the same in every cell. ``--half`` takes every second camera by a hash of its folder and
name, so that choices can be made on one half and figures reported on the other.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from accuracy.formulas import area_under_curve
from PIL import Image

import forensix
from forensix import detectors
from forensix.errors import ForensixError, NotApplicable
from forensix.forgery.making import make
from forensix.forgery.photo import PhotoShelf
from forensix.forgery.planning import plan_set
from forensix.forgery.recipe import Recipe

HALVED = "resize:0.5:box, "
LIMITS = {"higher": (1, 99), "equal": (0, 0), "lower": (-15, -1), "much-lower": (-99, -16)}
TITLES = {"lower": "lower by 1 to 15", "much-lower": "lower by more"}


@dataclass(frozen=True)
class Case:
    """One spliced picture and its twin.

    cell : first quality, second quality, "kept" or "moved"
    """

    cell: tuple[int, int, str]
    turn: int
    forged: bytes
    twin: bytes
    mask: np.ndarray


@dataclass(frozen=True)
class Answer:
    """What a method says of a picture: score (None: cannot tell), map and marked pixels."""

    score: float | None
    suspicion: np.ndarray | None
    marked: np.ndarray


def in_half(photo: Path, half: int | None) -> bool:
    name = f"{photo.parent.name}/{photo.name}"
    return half is None or int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 2 == half


def recipes(photos: Sequence[Path], options: argparse.Namespace) -> list[Recipe]:
    """Of the cells asked for, the first `per_cell` photos each."""
    chosen = []
    for recipe in plan_set("double-jpeg", [str(p) for p in photos], scale="full"):
        cell = recipe.cell
        moved = "moved" if cell["GRID"] else "kept"
        if recipe.index >= options.per_cell or options.grid not in (moved, "both"):
            continue
        wanted = any(_within(cell["SECOND"] - cell["FIRST"], name) for name in options.second)
        if wanted and {cell["FIRST"], cell["SECOND"]} <= set(options.qualities):
            chosen.append(replace(recipe, size=(options.size, options.size), spares=()))
    return chosen


def _within(difference: int, name: str) -> bool:
    least, most = LIMITS[name]
    return least <= difference <= most


def unhalved(recipe: Recipe) -> Recipe:
    """Lossless photos at the size the others have after halving."""
    rows, cols = recipe.size
    changes = {}
    if Path(recipe.host).suffix.lower() == ".png":
        changes = {"chain": recipe.chain.replace(HALVED, ""), "size": (rows // 2, cols // 2)}
    return replace(recipe, **changes)


def cases(planned: Sequence[Recipe]) -> Iterator[Case]:
    shelf = PhotoShelf()
    for recipe in planned:
        try:
            made = make(unhalved(recipe), shelf.read)
        except ForensixError as error:
            print(f"{recipe.host}: {error}", file=sys.stderr)
            continue
        files = {role: data for role, (_, data) in made.files.items()}
        mask = np.asarray(Image.open(io.BytesIO(files["mask"]))) > 0
        cell = (recipe.cell["FIRST"], recipe.cell["SECOND"], "moved" if recipe.cell["GRID"] else "kept")
        yield Case(cell, recipe.index, files["forged"], files["twin"], mask)


def answer(method: str, data: bytes, shape: tuple[int, int]) -> Answer:
    nothing = np.zeros(shape, bool)
    try:
        finding = detectors.load(method).detect(forensix.open(data), preset="standard")
    except NotApplicable:
        return Answer(None, None, nothing)
    if finding.heatmap is None:
        return Answer(finding.score, None, nothing)
    suspicion = np.nan_to_num(finding.heatmap.full_size(*shape), nan=0.0)
    return Answer(finding.score, suspicion, suspicion > 0.5 if finding.decided else nothing)


def together(answers: Sequence[Answer]) -> Answer:
    """The largest of the maps and of the scores, and everything that is marked."""
    scores = [a.score for a in answers if a.score is not None]
    maps = [a.suspicion for a in answers if a.suspicion is not None]
    marked = np.any([a.marked for a in answers], axis=0)
    return Answer(max(scores, default=None), np.max(maps, axis=0) if maps else None, marked)


def figures(found: Answer, twin: Answer, mask: np.ndarray) -> tuple[float, float, bool, bool]:
    """Pixel AUC, pixel F1, forgery decided on, twin decided on."""
    total = np.count_nonzero(found.marked) + np.count_nonzero(mask)
    f1 = 2 * np.count_nonzero(found.marked & mask) / total if total else 0.0
    area = 0.5
    if found.suspicion is not None:
        # Every second pixel each way is enough.
        area = area_under_curve(found.suspicion[::2, ::2].ravel(), mask[::2, ::2].ravel())
    return area, f1, (found.score or 0) > 0.5, (twin.score or 0) > 0.5


def measure(job: tuple[Sequence[Recipe], Sequence[str]]) -> tuple[dict, float, float]:
    """Figures by (method, cell); CPU seconds of the methods; megapixels they were given."""
    planned, methods = job
    got, seconds, pixels = defaultdict(list), 0.0, 0.0
    for case in cases(planned):
        began = time.process_time()
        answers = [[answer(m, data, case.mask.shape) for m in methods] for data in (case.forged, case.twin)]
        seconds += time.process_time() - began
        pixels += 2e-6 * case.mask.size
        for nth, name in enumerate(methods):
            got[name, case.cell].append(figures(answers[0][nth], answers[1][nth], case.mask))
        if len(methods) > 1:
            got["all", case.cell].append(figures(together(answers[0]), together(answers[1]), case.mask))
    return dict(got), seconds, pixels


def page(got: dict) -> str:
    lines = []
    names = list(dict.fromkeys(name for name, _ in got))
    for name in names:
        for grid in sorted({cell[2] for _, cell in got}):
            cells = {c[:2]: np.mean(v, axis=0) for (n, c), v in got.items() if n == name and c[2] == grid}
            seconds = sorted({second for _, second in cells})
            lines += ["", f"### {name}, grid {grid}", ""]
            lines += _summary(cells, len(next(iter(got.values()))))
            for nth, title in enumerate(
                ("pixel AUC", "pixel F1", "forgeries decided on", "twins decided on")
            ):
                lines += ["", f"{title}; first quality down, second across", ""]
                lines += [f"| | {' | '.join(map(str, seconds))} |", "|---" * (len(seconds) + 1) + "|"]
                for first in sorted({first for first, _ in cells}):
                    row = [f"{cells[first, s][nth]:.2f}" if (first, s) in cells else "" for s in seconds]
                    lines.append(f"| **{first}** | {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def _summary(cells: dict, number: int) -> list[str]:
    lines = [
        "| second quality | cells | pictures | pixel AUC | pixel F1 | decided on | twins decided on |",
        "|---" * 7 + "|",
    ]
    for name in LIMITS:
        title = TITLES.get(name, name)
        chosen = [v for (first, second), v in cells.items() if _within(second - first, name)]
        if chosen:
            area, f1, found, alarms = np.mean(chosen, axis=0)
            lines.append(
                f"| {title} | {len(chosen)} | {len(chosen) * number} | {area:.3f} | {f1:.3f} | {found:.2f} | {alarms:.3f} |"
            )
    return lines


def main() -> None:
    numbers = lambda text: [int(word) for word in text.split(",")]  # noqa: E731
    words = lambda text: text.split(",")  # noqa: E731
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--grid", choices=["kept", "moved", "both"], default="kept")
    parser.add_argument("--qualities", type=numbers, default=[50, 60, 70, 75, 80, 85, 90, 95, 98])
    parser.add_argument("--methods", type=words, default=["jpeg-double-quantization"])
    parser.add_argument("--per-cell", type=int, default=4, help="photos; 40 at most")
    parser.add_argument("--second", type=words, default=list(LIMITS), help="qualities, against the first")
    parser.add_argument("--half", type=int, choices=[0, 1])
    parser.add_argument("--size", type=int, default=1024, help="largest crop of a photo, before it is halved")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--page", type=Path, help="write the tables there too")
    options = parser.parse_args()
    planned = recipes([p for p in options.photos if in_half(p, options.half)], options)
    # Recipes of one photo together: it is decoded once.
    planned.sort(key=lambda recipe: recipe.index)
    jobs = [(planned[n :: options.jobs], options.methods) for n in range(options.jobs)]
    with ProcessPoolExecutor(options.jobs) as pool:
        results = list(pool.map(measure, jobs)) if options.jobs > 1 else [measure(jobs[0])]
    got = defaultdict(list)
    for part, _, _ in results:
        for key, values in part.items():
            got[key] += values
    tables = page({key: got[key] for key in sorted(got)})
    seconds, pixels = (sum(result[n] for result in results) for n in (1, 2))
    tables += f"\n{seconds / pixels:.2f} CPU s per megapixel, pictures of {pixels / 2 / max(len(planned), 1):.2f} Mpx.\n"
    print(tables)
    if options.page:
        options.page.write_text(tables, "utf-8")


if __name__ == "__main__":
    main()
