"""How far a copy may be turned, scaled, mirrored or compressed: pixel F1 of every cell, as a table.

    forensix forge copy-move-robustness -r PHOTOS --scale dev -o SET
    python benchmarks/copy_move_robustness.py SET [--detector NAME]... [--every N] [--json KEPT]

SET is a folder as the first command makes it. Each forgery belongs to the cell that its
recipe's varied parameters and encoding name; its untouched twin counts for false alarms. The
map of each detector, above 0.5, is its mask. "either" takes both detectors' masks together.
With --json the rows are kept, and an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image

import forensix
from forensix import detectors

USUAL = {"area": "0.03", "blend": "feather", "copies": "1", "gain": "1", "bias": "0", "shear": "0"}


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


def judged(path: Path, truth: np.ndarray | None, names: list[str]) -> dict[str, list[float]]:
    """Of each detector, and of all together: decided or not, F1 of its mask, and the share of the mask."""
    evidence = forensix.open(path)
    together = np.zeros((evidence.height, evidence.width), bool)
    truth = np.zeros_like(together) if truth is None else truth
    out, any_decided = {}, False
    for name in names:
        finding = detectors.load(name).detect(evidence)
        decided = finding.score is not None and finding.score > 0.5
        mask = np.zeros_like(together)
        if decided and finding.heatmap is not None:
            mask = finding.heatmap.full_size(*together.shape) > 0.5
        together |= mask
        any_decided |= decided
        out[name] = [float(decided), f1(mask, truth), float(mask.mean())]
    out["either"] = [float(any_decided), f1(together, truth), float(together.mean())]
    return out


def rows_of(folder: Path, every: int) -> list[dict[str, str]]:
    with open(folder / "manifest.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    pairs = [rows[i : i + 2] for i in range(0, len(rows), 2 * every)]
    return [row for pair in pairs for row in pair]


def print_table(kept: dict[str, dict], names: list[str]) -> None:
    names = [*names, "either"]
    cells = defaultdict(list)
    for row in kept.values():
        cells[row["cell"] if row["tampered"] else "untouched twins"].append(row["judged"])
    print(f"{'cell':38s}{'n':>4s}" + "".join(f"{name:>28s}" for name in names))
    print(f"{'':38s}{'':>4s}" + f"{'found':>18s}{'F1':>10s}" * len(names))
    for cell, rows in cells.items():
        means = [np.mean([row[name] for row in rows], axis=0) for name in names]
        untouched = cell == "untouched twins"
        shown = "".join(f"{m[0]:18.2f}" + (f"{'-':>10s}" if untouched else f"{m[1]:10.3f}") for m in means)
        print(f"{cell[:37]:38s}{len(rows):4d}{shown}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--detector", action="append", default=[])
    parser.add_argument("--every", type=int, default=1, help="only every so manieth forgery and its twin")
    parser.add_argument("--json", type=Path, help="keep the rows here, and go on from them")
    args = parser.parse_args()
    names = args.detector or ["copy-move-keypoints", "copy-move-dense"]
    kept = json.loads(args.json.read_text()) if args.json and args.json.exists() else {}
    for row in rows_of(args.folder, args.every):
        if row["image"] in kept:
            continue
        truth = None
        if row["mask"]:
            with Image.open(args.folder / row["mask"]) as mask:
                truth = np.asarray(mask.convert("L")) > 127
        kept[row["image"]] = {
            "cell": cell_of(row["notes"]),
            "tampered": row["label"] == "tampered",
            "judged": judged(args.folder / row["image"], truth, names),
        }
        if args.json:
            args.json.write_text(json.dumps(kept))
    print_table(kept, names)


if __name__ == "__main__":
    main()
