"""The tails of the dense and the block copy-move path: how alike the pairs are that untouched photos offer.

    python benchmarks/copy_move_dense_tails.py offer PHOTO... [--path blocks] --out OFFERED.jsonl
    python benchmarks/copy_move_dense_tails.py fit OFFERED.jsonl...

The first command collects the pairs of alike places that a path (dense, or blocks) finds in photos known to
be untouched, and goes on where it was interrupted. A PHOTO may be @FILE, a list of paths, or a
manifest.csv, whose rows labelled authentic are taken. The second prints the tails in the form
forensix/detectors/copy_move/_likeness.py holds them in: each measurement's tail runs through the
quantiles 0.7 and 0.99 of all pairs; the sum's, through the photos that offer the largest sums.
Keep part of the cameras out, and count false alarms on those.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from pathlib import Path

import cv2
import numpy as np

import forensix
from forensix.detectors.copy_move import _likeness, _pairs, blocks, dense
from forensix.detectors.copy_move._likeness import Tail, Tails
from forensix.errors import ForensixError

NAMES = tuple(_likeness.DENSE.each)


def photos(given: list[str]) -> list[Path]:
    found: list[Path] = []
    for name in given:
        if name.startswith("@"):
            found += [Path(line) for line in Path(name[1:]).read_text().split("\n") if line]
        elif name.endswith(".csv"):
            with open(name, newline="") as handle:
                rows = [row for row in csv.DictReader(handle) if row["label"] == "authentic"]
            found += [Path(name).parent / row["image"] for row in rows]
        else:
            found.append(Path(name))
    return found


def dense_pairs(evidence: forensix.Evidence) -> tuple[list[_pairs.Pair], int]:
    return dense.weighed_pairs(dense.grid_of(evidence)[0])


def block_pairs(evidence: forensix.Evidence) -> tuple[list[_pairs.Pair], int]:
    grid, cell = _pairs.working_grid(evidence)
    pairs, tests, _ = blocks.weighed_pairs(evidence.luma, grid=grid, cell=cell)
    return pairs, tests


PATHS = {"dense": (dense_pairs, _likeness.DENSE), "blocks": (block_pairs, _likeness.BLOCKS)}


def offered(path: Path, way: str) -> dict[str, object]:
    """What one photo offers: the number of tests and every pair's values."""
    find, tails = PATHS[way]
    try:
        pairs, tests = find(forensix.open(path))
    except ForensixError as error:
        return {"image": str(path), "error": str(error)}
    return {
        "image": str(path),
        "tests": tests,
        "pairs": [
            {
                "values": _likeness.values(pair.region),
                "contradicted": _likeness.contradicted(pair.region, tails),
                "log10": pair.log10_alarms,
                "area": pair.region.area,
                "corners": pair.region.agreement.corners,
                "box": [int(part) for part in pair.region.box],
            }
            for pair in pairs
        ],
    }


def offer(paths: list[Path], out: Path, way: str) -> None:
    known = set()
    if out.exists():
        known = {json.loads(line)["image"] for line in out.read_text().split("\n") if line}
    with open(out, "a") as handle:
        for path in paths:
            if str(path) not in known:
                handle.write(json.dumps(offered(path, way)) + "\n")
                handle.flush()


def tail(values: np.ndarray) -> Tail:
    """Straight, on a logarithmic axis, through the quantiles 0.7 and 0.99."""
    usual, rare = np.quantile(values, [0.7, 0.99])
    slope = (2 + math.log10(0.3)) / max(float(rare - usual), 1e-6)
    return Tail(start=float(usual) + math.log10(0.3) / slope, slope=slope)


def fit(rows: list[dict]) -> Tails:
    # Pairs with something against them decide nothing, however alike: they are no part of the tails.
    pairs = [pair for row in rows for pair in row["pairs"] if not pair["contradicted"]]
    each = {}
    for name in NAMES:
        values = [pair["values"][name] for pair in pairs if pair["values"][name] is not None]
        each[name] = tail(np.array(values))
    slope, start = 0.5, 0.0
    for _ in range(20):
        sums = np.sort([largest(row, each, slope=slope) for row in rows])[::-1]
        # The k-th largest of n photos' sums is exceeded in about k of n: a straight line through the tenth
        # of the photos that have the largest.
        rates = np.log10((np.arange(len(sums)) + 1) / len(sums))
        far = (sums > 0) & (np.arange(len(sums)) < len(sums) / 10)
        falls, rate = np.polyfit(sums[far], rates[far], 1)
        slope, start = -float(falls), -float(rate / falls)
    return Tails(each, sum_start=start, sum_slope=slope)


def largest(row: dict, each: dict[str, Tail], *, slope: float) -> float:
    """The largest sum of surprises a photo offers, less what its number of tests costs."""
    cost = math.log10(max(row["tests"], 1)) / slope
    sums = (summed(pair["values"], each) for pair in row["pairs"] if not pair["contradicted"])
    return max(sums, default=0.0) - cost if row["pairs"] else 0.0


def summed(values: dict[str, float | None], each: dict[str, Tail]) -> float:
    known = ((values[name], tail) for name, tail in each.items())
    return sum(_likeness.UNKNOWN_GROUND if value is None else tail.surprise(value) for value, tail in known)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    collect = commands.add_parser("offer")
    collect.add_argument("photos", nargs="+")
    collect.add_argument("--path", choices=PATHS, default="dense")
    collect.add_argument("--out", type=Path, required=True)
    fitted = commands.add_parser("fit")
    fitted.add_argument("offered", type=Path, nargs="+")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.command == "offer":
        offer(photos(args.photos), args.out, args.path)
        return
    rows = [json.loads(line) for path in args.offered for line in path.read_text().split("\n") if line]
    rows = [row for row in rows if "error" not in row]
    tails = fit(rows)
    print(f"{len(rows)} photos, {sum(bool(row['pairs']) for row in rows)} offer pairs")
    for name, one in tails.each.items():
        print(f'    "{name}": Tail(start={one.start:.2f}, slope={one.slope:.2f}),')
    print(f"    sum_start={tails.sum_start:.2f}, sum_slope={tails.sum_slope:.2f}")


if __name__ == "__main__":
    main()
