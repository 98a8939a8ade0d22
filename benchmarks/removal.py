"""Holes of known size in given photos: how well the removal methods find them.

    python benchmarks/removal.py PHOTO... [--sizes 16,32,64,128] [--fills telea,exemplar]
        [--qualities 0,98,90] [--methods inpainting-diffusion] [--half 0|1] [--page OUT.md]

From the middle of each photo a part of at most 1024 x 768 pixels is taken. One hole, round or
free-form by turns, is put where the picture is not even, filled, and the part is saved as PNG
(quality 0) or JPEG. The twin is the same part without the hole through the same encoding.
Reported are, for each fill, size and quality: how often the method decides, the mean pixel F1
of what it marks (0 where it decides nothing), and the area under the ROC curve of its scores
against the twins'; and how many twins it decides on. Nothing is drawn that the names of the
photos do not determine. ``--half`` takes every second photo by a hash of its name, so that
thresholds can be chosen on one half and figures reported on the other.
"""

from __future__ import annotations

import argparse
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from accuracy.formulas import area_between
from PIL import Image

import forensix
from forensix import detectors
from forensix.errors import ForensixError, NotApplicable
from forensix.forgery import fill
from forensix.forgery.shapes import smooth_outline

DIFFUSION = ("telea", "navier-stokes", "biharmonic")
COPYING = ("exemplar", "shift-map")
EVEN = 3.0  # grey levels of deviation below which a place is not used


def seed_of(*words: object) -> int:
    return int(hashlib.sha256("/".join(map(str, words)).encode()).hexdigest()[:8], 16)


def middle(path: Path) -> np.ndarray:
    rgb = forensix.open(path).rgb
    rows, cols = (768, 1024) if rgb.shape[1] >= rgb.shape[0] else (1024, 768)
    top, left = max(0, rgb.shape[0] - rows) // 2, max(0, rgb.shape[1] - cols) // 2
    return np.ascontiguousarray(rgb[top : top + rows, left : left + cols])


def middles(photos: Sequence[Path], half: int | None) -> Iterator[tuple[Path, np.ndarray]]:
    """The photos of a half (of all for None) that can be read, each with its middle."""
    for path in photos:
        if half is not None and seed_of(path.name) % 2 != half:
            continue
        try:
            yield path, middle(path)
        except ForensixError as error:
            print(f"{path}: {error}")


def draw_hole(rgb: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray | None:
    """A hole of the area of a disc `size` pixels across, as a mask; None where there is no place."""
    if rng.random() < 0.5:
        at = np.arange(size) - (size - 1) / 2
        shape = at[:, None] ** 2 + at**2 <= size**2 / 4
    else:
        shape = smooth_outline(np.pi / 4 * size**2, rng)
    grey = rgb.mean(axis=2)
    room = [side - length - 8 for side, length in zip(grey.shape, shape.shape, strict=True)]
    if min(room) < 1:
        return None
    for _ in range(40):
        top, left = (4 + int(rng.integers(n)) for n in room)
        window = np.s_[top : top + shape.shape[0], left : left + shape.shape[1]]
        if grey[window][shape].std() >= EVEN:
            hole = np.zeros(grey.shape, bool)
            hole[window] = shape
            return hole
    return None


def encoded(rgb: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    options = {"quality": quality} if quality else {"compress_level": 1}
    Image.fromarray(rgb).save(buffer, "JPEG" if quality else "PNG", **options)
    return buffer.getvalue()


def answer(method: str, data: bytes, shape: tuple[int, int]) -> tuple[float | None, np.ndarray]:
    """Score (None: cannot tell or does not apply) and marked pixels."""
    try:
        finding = detectors.load(method).detect(forensix.open(data), preset="standard")
    except NotApplicable:
        return None, np.zeros(shape, bool)
    if finding.heatmap is None or finding.score is None or finding.score <= 0.5:
        return finding.score, np.zeros(shape, bool)
    return finding.score, finding.heatmap.full_size(*shape) > 0.5


def f1(found: np.ndarray, truth: np.ndarray) -> float:
    total = np.count_nonzero(found) + np.count_nonzero(truth)
    return 2 * np.count_nonzero(found & truth) / total if total else 0.0


def measure(options: argparse.Namespace) -> tuple[dict, dict]:
    cells, twins = defaultdict(list), defaultdict(list)
    for path, rgb in middles(options.photos, options.half):
        for quality in options.qualities:
            for method in options.methods:
                twins[method, quality].append(answer(method, encoded(rgb, quality), rgb.shape[:2])[0])
        for size in options.sizes:
            for name in options.fills:
                rng = np.random.default_rng(seed_of(path.name, size, name))
                hole = draw_hole(rgb, size, rng)
                if hole is None:
                    continue
                filled = fill(rgb, hole, method=name, rng=rng)
                for quality in options.qualities:
                    for method in options.methods:
                        score, found = answer(method, encoded(filled, quality), hole.shape)
                        cells[method, quality, name, size].append((score, f1(found, hole)))
    return cells, twins


def page(cells: dict, twins: dict) -> str:
    lines = [
        "| method | saved as | fill | hole | n | decided | F1 | AUC |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (method, quality, name, size), got in sorted(cells.items()):
        scores = [0.5 if score is None else score for score, _ in got]
        calm = [0.5 if score is None else score for score in twins[method, quality]]
        lines.append(
            f"| {method} | {f'JPEG {quality}' if quality else 'PNG'} | {name} | {size} | {len(got)} | "
            f"{np.mean([s > 0.5 for s in scores]):.2f} | {np.mean([f for _, f in got]):.3f} | "
            f"{area_between(scores, calm):.3f} |"
        )
    lines += ["", "| method | saved as | twins | decided on | could tell |", "|---|---|---|---|---|"]
    for (method, quality), got in sorted(twins.items()):
        told = [score for score in got if score is not None]
        lines.append(
            f"| {method} | {f'JPEG {quality}' if quality else 'PNG'} | {len(got)} | "
            f"{sum(score > 0.5 for score in told)} | {len(told)} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    numbers = lambda text: [int(word) for word in text.split(",")]  # noqa: E731
    words = lambda text: text.split(",")  # noqa: E731
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--sizes", type=numbers, default=[16, 32, 64, 128])
    parser.add_argument("--fills", type=words, default=[*DIFFUSION, *COPYING, "frequency-selective"])
    parser.add_argument("--qualities", type=numbers, default=[0], help="0 is PNG")
    parser.add_argument("--methods", type=words, default=["inpainting-diffusion", "exemplar-fill"])
    parser.add_argument("--half", type=int, choices=[0, 1])
    parser.add_argument("--page", type=Path, help="write the tables there too")
    options = parser.parse_args()
    tables = page(*measure(options))
    print(tables)
    if options.page:
        options.page.write_text(tables, "utf-8")


if __name__ == "__main__":
    main()
