"""Which of two alike regions is the copy: fit the weights of the traces, and count errors.

    forensix forge copy-move PHOTOS -o SET --mask-marks copy
    python benchmarks/copy_move_direction.py measure SET... --out TRACES.jsonl
    python benchmarks/copy_move_direction.py fit TRACES.jsonl --model MODEL.json
    python benchmarks/copy_move_direction.py report TRACES.jsonl [--model MODEL.json]

The first command measures the traces of every pair that copy-move-blocks or, where that finds none,
copy-move-keypoints calls a copy, and of which the mask says which side was pasted; it goes on where
it was interrupted. Fit on some cameras and report on others.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import forensix
from forensix.detectors.copy_move import _direction, _pairs, blocks, keypoints
from forensix.signal.affine import scale_of
from forensix.signal.copied_region import sides
from forensix.signal.copy_direction import NAMES, direction_evidence
from forensix.signal.full_outline import at_full_size

# As far as the pairs kept out of the fit support it.
LARGEST = 0.94


def pairs_of(evidence: forensix.Evidence, grid: np.ndarray, cell: int) -> list[_pairs.Pair]:
    found = blocks.find_pairs(evidence.luma, grid=grid, cell=cell)
    copies = [pair for pair in found if pair.is_copy]
    return copies or [pair for pair in keypoints.find_pairs(grid)[0] if pair.is_copy]


def measured(path: Path, mask: Path) -> list[dict]:
    """Traces of the picture's copies; "second" is True when the target is the pasted side."""
    evidence = forensix.open(path)
    grid, cell = _pairs.working_grid(evidence)
    with Image.open(mask) as opened:
        pasted = np.asarray(opened.convert("L")) > 127
    small = pasted[::cell, ::cell][: grid.shape[0], : grid.shape[1]]
    rows = []
    for pair in pairs_of(evidence, grid, cell):
        shares = [float(small[side].mean()) for side in sides(pair.region, grid.shape)]
        if abs(shares[1] - shares[0]) > 0.6:
            region = at_full_size(evidence.luma, pair.region, cell) if cell > 1 else pair.region
            rows.append(
                {
                    "traces": direction_evidence(evidence.luma, region),
                    "second": shares[1] > shares[0],
                    "scale": scale_of(pair.region.transform),
                    "moved_only": bool(np.abs(pair.region.transform[:, :2] - np.eye(2)).max() < 0.002),
                }
            )
    return rows


def measure(folders: list[Path], out: Path) -> None:
    known = set()
    if out.exists():
        known = {json.loads(line)["image"] for line in out.read_text().split("\n") if line}
    with open(out, "a") as handle:
        for folder in folders:
            with open(folder / "manifest.csv", newline="") as listed:
                rows = [row for row in csv.DictReader(listed) if row["label"] == "tampered"]
            for row in rows:
                name = str(folder / row["image"])
                if name not in known:
                    found = measured(folder / row["image"], folder / row["mask"])
                    handle.write(json.dumps({"image": name, "notes": row["notes"], "pairs": found}) + "\n")
                    handle.flush()


def loaded(paths: list[Path]) -> list[dict]:
    lines = [line for path in paths for line in path.read_text().split("\n") if line]
    return [pair | {"notes": row["notes"]} for row in map(json.loads, lines) for pair in row["pairs"]]


def fit(pairs: list[dict], penalty: float = 0.5) -> dict:
    """Weights of the squashed traces: a logistic regression without a constant, ridge penalised."""
    values = np.array([[pair["traces"][name] for name in NAMES] for pair in pairs])
    # Three times the usual size: what is stronger than that says no more.
    scales = np.array(
        [3 * np.abs(column[column != 0]).mean() if column.any() else 1.0 for column in values.T]
    )
    traces = np.tanh(values / scales) * np.where([pair["second"] for pair in pairs], 1, -1)[:, None]
    weights = np.zeros(len(NAMES))
    for _ in range(50):
        chance = 1 / (1 + np.exp(traces @ weights))
        slope = traces.T @ chance - penalty * weights
        curve = (traces * (chance * (1 - chance))[:, None]).T @ traces + penalty * np.eye(len(NAMES))
        weights += np.linalg.solve(curve, slope)
    return {
        "scales": {name: round(float(scale), 4) for name, scale in zip(NAMES, scales, strict=True)},
        "weights": {name: round(float(weight), 4) for name, weight in zip(NAMES, weights, strict=True)},
        "largest_logit": round(math.log(LARGEST / (1 - LARGEST)), 4),
    }


def report(pairs: list[dict]) -> None:
    chance = np.array([_direction.weighed(pair["traces"]).second for pair in pairs])
    right = np.where([pair["second"] for pair in pairs], chance, 1 - chance)
    moved = np.array([pair["moved_only"] for pair in pairs])
    for name, chosen in (("all", moved | True), ("moved only", moved), ("turned or scaled", ~moved)):
        told = right[chosen]
        if not len(told):
            continue
        print(f"{name}: {len(told)} pairs, likelier side right {np.mean(told > 0.5):.3f}")
        for least in (0.6, 0.7, 0.8, 0.9, 0.95):
            named = np.maximum(told, 1 - told) >= least
            wrong = int((told[named] < 0.5).sum())
            print(f"  probability >= {least:.2f}: {named.sum():4d} named, {wrong} wrongly")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    collect = commands.add_parser("measure")
    collect.add_argument("folders", type=Path, nargs="+")
    collect.add_argument("--out", type=Path, required=True)
    for name in ("fit", "report"):
        command = commands.add_parser(name)
        command.add_argument("traces", type=Path, nargs="+")
        command.add_argument("--model", type=Path, required=name == "fit")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.command == "measure":
        measure(args.folders, args.out)
    elif args.command == "fit":
        args.model.write_text(json.dumps(fit(loaded(args.traces)), indent=1) + "\n")
    else:
        if args.model:
            model = json.loads(args.model.read_text())
            _direction._model = lambda: model
        report(loaded(args.traces))


if __name__ == "__main__":
    main()
