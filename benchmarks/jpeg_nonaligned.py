"""How well parts of another grid past are found and outlined in JPEGs saved twice, off the grid.

    python benchmarks/jpeg_nonaligned.py PHOTO... [--detector NAME ...] [--size 1024] [--per-cell 2]
        [--case host|donor] [--all-pairs] [--seed 0]

Each photo is halved, which removes traces of its own compression (photos below 1.5 megapixels
are taken as they are and should be lossless), and cropped. Two kinds of forgeries are made of
the crops:

host   the picture is saved at QF1, gets a part of another picture that was never compressed, is
       cropped off the 8 x 8 grid and saved at QF2: all but the part has another grid beneath;
donor  the part comes out of a JPEG of QF1 and is put off the grid into a picture that was never
       compressed, which is saved at QF2: only the part has another grid beneath.

Each has a twin, which goes the same way without the part. Printed are, per pair of qualities
and as means: pixel AUC of the map as a scan writes it (8 bits), F1 of the map above 0.5, how
many forgeries score above 0.5, and how many twins.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import cv2
import numpy as np

import forensix
from forensix.errors import ForensixError
from forensix.forgery import splice
from forensix.forgery.encode import encode, jpeg_round
from forensix.fusion.maps import grey_map

QUALITIES = (50, 60, 70, 80, 90, 95, 98)
AREA = 0.08


def bases(paths: list[str], size: int) -> list[np.ndarray]:
    """Pictures without traces of compression, (rows, cols, 3) uint8, at most `size` a side."""
    found = []
    for path in paths:
        try:
            evidence = forensix.open(path)
        except ForensixError as error:
            print(f"left out: {path}: {error}", file=sys.stderr)
            continue
        rgb = np.array(evidence.rgb)
        if evidence.width * evidence.height >= 1_500_000:
            rgb = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        elif evidence.format == "jpeg":
            print(f"left out: {path}: a JPEG too small to be halved", file=sys.stderr)
            continue
        top, left = (max(0, n - size) // 2 for n in rgb.shape[:2])
        found.append(np.ascontiguousarray(rgb[top : top + size, left : left + size]))
    return found


def forgery(
    kind: str, host: np.ndarray, donor: np.ndarray, first: int, last: int, rng: np.random.Generator
) -> tuple[bytes, bytes, np.ndarray]:
    """The forged file, its twin, and the mask, (rows, cols) bool."""
    shape = ("object", "smooth")[int(rng.integers(2))]
    options = {"rng": rng, "shape": shape, "area": AREA, "tone": 0.0}
    down, right = 0, 0
    if kind == "host":
        host = jpeg_round(host, quality=first)
        edit = splice(host, donor, **options)
        down, right = divmod(int(rng.integers(1, 64)), 8)
    else:
        edit = splice(host, jpeg_round(donor, quality=first), grid="off", **options)
    files = [
        encode(np.ascontiguousarray(picture[down:, right:]), file_format="jpeg", quality=last)
        for picture in (edit.image, host)
    ]
    return files[0], files[1], edit.mask[down:, right:]


def cases(
    pictures: list[np.ndarray], kinds: list[str], *, every: bool, per_cell: int, seed: int
) -> Iterator[tuple[str, int, int, bytes, bytes, np.ndarray]]:
    """Kind, QF1, QF2, forged file, twin, mask; every picture in turn is host."""
    number = 0
    for kind, first, last in product(kinds, QUALITIES, QUALITIES):
        if first >= last and not every:
            continue
        for _ in range(per_cell):
            number += 1
            rng = np.random.default_rng([seed, number])
            host = pictures[number % len(pictures)]
            donor = pictures[(number + 1 + number // len(pictures)) % len(pictures)]
            donor = pictures[(number + 1) % len(pictures)] if donor is host else donor
            try:
                yield kind, first, last, *forgery(kind, host, donor, first, last, rng)
            except ForensixError as error:
                print(f"no forgery of {kind} {first} {last}: {error}", file=sys.stderr)


def pixel_auc(values: np.ndarray, mask: np.ndarray) -> float:
    """Area under the ROC curve of 8-bit values for the pixels of a mask."""
    inside = np.bincount(values[mask], minlength=256).astype(float)
    outside = np.bincount(values[~mask], minlength=256).astype(float)
    below = np.cumsum(outside) - outside / 2
    return float((inside * below).sum() / (inside.sum() * outside.sum()))


def f1(found: np.ndarray, mask: np.ndarray) -> float:
    return float(2 * np.count_nonzero(found & mask) / (np.count_nonzero(found) + np.count_nonzero(mask)))


def measured(name: str, forged: bytes, twin: bytes, mask: np.ndarray) -> tuple[float, float, bool, bool]:
    """Pixel AUC, F1, whether the forgery was called, whether the twin was."""
    finding, other = (forensix.scan(data, detectors=[name]).findings[0] for data in (forged, twin))
    alarm = other.decided
    if finding.heatmap is None:
        return 0.5, 0.0, False, alarm
    grey = grey_map(finding.heatmap, *mask.shape)
    called = finding.decided
    return pixel_auc(grey, mask), f1(grey > 127, mask), called, alarm


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--detector", action="append", default=None)
    parser.add_argument("--case", action="append", choices=("host", "donor"), default=None)
    parser.add_argument("--size", type=int, default=1024, help="largest side of the crops, pixels")
    parser.add_argument("--per-cell", type=int, default=2)
    parser.add_argument("--all-pairs", action="store_true", help="QF2 at or below QF1, too")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    pictures = bases(args.photos, args.size)
    names = args.detector or ["jpeg-nonaligned-quantization"]
    found: dict[tuple[str, str, int, int], list[tuple[float, float, bool, bool]]] = defaultdict(list)
    made = cases(
        pictures, args.case or ["host", "donor"], every=args.all_pairs, per_cell=args.per_cell, seed=args.seed
    )
    for kind, first, last, forged, twin, mask in made:
        for name in names:
            found[name, kind, first, last].append(measured(name, forged, twin, mask))
    print("| method | case | QF1 | QF2 | pixel AUC | F1 | called | twins called | of |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (name, kind, first, last), results in found.items():
        row(name, kind, str(first), str(last), results)
    for name, kind in product(names, ("host", "donor")):
        for words, below in (("QF2 > QF1", True), ("QF2 <= QF1", False)):
            rows = [
                r for k, v in found.items() if k[:2] == (name, kind) and (k[2] < k[3]) == below for r in v
            ]
            if rows:
                row(name, kind, "mean", words, rows)


def row(name: str, kind: str, first: str, last: str, results: list[tuple[float, float, bool, bool]]) -> None:
    auc, score, called, alarms = np.array(results, float).T
    print(
        f"| {name} | {kind} | {first} | {last} | {auc.mean():.3f} | {score.mean():.3f} "
        f"| {called.sum():.0f} | {alarms.sum():.0f} | {len(results)} |"
    )


if __name__ == "__main__":
    main()
