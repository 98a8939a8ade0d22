"""How far a copy may be turned, scaled, mirrored or compressed: pixel F1 of every cell, as a table.

    forensix forge copy-move-robustness -r PHOTOS --scale dev -o SET
    python benchmarks/copy_move_robustness.py SET [--detector NAME]... [--preset thorough] [--jobs 2]
                                              [--every N] [--json KEPT]

SET is a folder as the first command makes it. Each forgery belongs to the cell that its
recipe's varied parameters and encoding name. The map of each detector, above 0.5, is its mask;
"any" takes all detectors' masks together. By default every copy-move path of the preset is
measured; the finding that sums them up is not. Cells share their photos, so that most untouched
twins are the same to the last bit: one of each is examined, for false alarms. With --json the rows
are kept, and an interrupted run goes on where it stopped. At scale "dev" some 200 pictures of 0.4
Mpx are examined, at about a second each for every path.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import forensix
from forensix import detectors
from forensix.errors import NotApplicable

USUAL = {
    "area": "0.03",
    "blend": "feather",
    "copies": "1",
    "gain": "1",
    "bias": "0",
    "shear": "0",
    "noise": "0",
}


def cell_of(notes: str) -> str:
    """What distinguishes one forgery: its encoding and the parameters that are not the usual ones."""
    chain, *rest = (part.strip() for part in notes.split(";"))
    named = dict(part.split("=", 1) for part in rest if "=" in part)
    told = [chain.removeprefix("edit, ")]
    for name, value in named.items():
        plain = name in {"shape", "feather", "interpolation"} or value == USUAL.get(name)
        neutral = (name, value) in {("mirror", "False"), ("rotation", "0"), ("scale", "1")}
        if not plain and not neutral:
            told.append(f"{name} {value}")
    return ", ".join(told)


def f1(found: np.ndarray, truth: np.ndarray) -> float:
    total = np.count_nonzero(found) + np.count_nonzero(truth)
    return 2 * np.count_nonzero(found & truth) / total if total else 1.0


def judged(path: Path, mask: Path | None, names: list[str], preset: str) -> dict[str, list[float]]:
    """Of each detector, and of all together: decided or not, F1 of its mask, and the share of the mask."""
    evidence = forensix.open(path)
    together = np.zeros((evidence.height, evidence.width), bool)
    truth = np.zeros_like(together)
    if mask is not None:
        with Image.open(mask) as drawn:
            truth = np.asarray(drawn.convert("L")) > 127
    out, any_decided = {}, False
    for name in names:
        decided, found = one_detector(evidence, name, preset)
        together |= found
        any_decided |= decided
        out[name] = [float(decided), f1(found, truth), float(found.mean())]
    out["any"] = [float(any_decided), f1(together, truth), float(together.mean())]
    return out


def one_detector(evidence: forensix.Evidence, name: str, preset: str) -> tuple[bool, np.ndarray]:
    nothing = np.zeros((evidence.height, evidence.width), bool)
    try:
        finding = detectors.load(name).detect(evidence, preset=preset)
    except NotApplicable:
        return False, nothing
    if finding.score is None or finding.score <= 0.5:
        return False, nothing
    if finding.heatmap is None:
        return True, nothing
    return True, finding.heatmap.full_size(*nothing.shape) > 0.5


def rows_of(folder: Path, every: int) -> list[dict[str, str]]:
    """Forgeries, and one of every kind of twin that is the same to the last bit."""
    with open(folder / "manifest.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    pairs = [rows[i : i + 2] for i in range(0, len(rows), 2 * every)]
    chosen, seen = [], set()
    for row in (row for pair in pairs for row in pair):
        content = hashlib.sha256((folder / row["image"]).read_bytes()).hexdigest()
        if row["label"] == "tampered" or content not in seen:
            chosen.append(row)
        seen.add(content)
    return chosen


def paths_of(preset: str) -> list[str]:
    """The copy-move methods that look at the picture themselves, in their own order."""
    known = [(name, detectors.method(name)) for name in detectors.in_preset(preset)]
    return [name for name, method in known if method.kind == "copy-move" and "findings" not in method.takes]


def print_table(kept: dict[str, dict], names: list[str]) -> None:
    names = [*names, "any"]
    cells = defaultdict(list)
    for row in kept.values():
        cells[row["cell"] if row["tampered"] else "untouched twins"].append(row["judged"])
    short = [name.removeprefix("copy-move-") for name in names]
    print("| cell | n | " + " | ".join(f"{name} found | F1" for name in short) + " |")
    print("|---|---|" + "---|---|" * len(names))
    for cell, rows in cells.items():
        means = [np.mean([row[name] for row in rows], axis=0) for name in names]
        untouched = cell == "untouched twins"
        shown = " | ".join(f"{m[0]:.2f} | " + ("-" if untouched else f"{m[1]:.2f}") for m in means)
        print(f"| {cell} | {len(rows)} | {shown} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--detector", action="append", default=[])
    parser.add_argument("--preset", choices=("standard", "thorough"), default="standard")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="only every so manieth forgery and its twin")
    parser.add_argument("--json", type=Path, help="keep the rows here, and go on from them")
    args = parser.parse_args()
    names = args.detector or paths_of(args.preset)
    kept = json.loads(args.json.read_text()) if args.json and args.json.exists() else {}
    left = [row for row in rows_of(args.folder, args.every) if row["image"] not in kept]
    with ProcessPoolExecutor(
        args.jobs, get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        begun = {}
        for row in left:
            mask = args.folder / row["mask"] if row["mask"] else None
            begun[pool.submit(judged, args.folder / row["image"], mask, names, args.preset)] = row
        for done in as_completed(begun):
            row = begun[done]
            kept[row["image"]] = {
                "cell": cell_of(row["notes"]),
                "tampered": row["label"] == "tampered",
                "judged": done.result(),
            }
            if args.json:
                args.json.write_text(json.dumps(kept))
    print_table(dict(sorted(kept.items())), names)


if __name__ == "__main__":
    main()
