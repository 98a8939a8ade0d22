"""How alike the places of untouched photos are by chance: the tails that the copy-move decision rests on.

    python benchmarks/copy_move_keypoint_tails.py PHOTO_OR_FOLDER... [--features surf] [--crop 700] [--quality 80] [--every N]

The pictures must be untouched, or at least without copies. Every pair of alike places that the keypoints find in
them is measured; of each measurement the quantiles 0.7 and 0.99 give the straight line that
``forensix.detectors.copy_move._likeness`` holds. "alarms" is how many pictures the tails as
they stand call forged. With --crop a part of that side is cut from the middle, and with
--quality it is saved as a grey JPEG first, as pictures from elsewhere often were.
"""

from __future__ import annotations

import argparse
import io
import math
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import forensix
from forensix.detectors.copy_move import _likeness, _pairs, keypoints
from forensix.errors import ForensixError


def pictures(paths: list[Path]) -> list[Path]:
    """The files, and those of folders, without symbolic names for one file counted twice."""
    files: dict[Path, None] = {}
    for path in paths:
        inside = sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else [path]
        files |= dict.fromkeys(part.resolve() for part in inside)
    return list(files)


def luma_of(path: Path, *, crop: int | None, quality: int | None) -> np.ndarray:
    luma = forensix.open(path).luma
    if crop:
        top, left = (max(0, (size - crop) // 2) for size in luma.shape)
        luma = luma[top : top + crop, left : left + crop]
    if quality:
        stream = io.BytesIO()
        Image.fromarray(np.clip(np.rint(luma), 0, 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
        with Image.open(stream) as saved:
            luma = np.asarray(saved, np.float32)
    return _pairs.reduced(luma, _pairs.grid_cell(*luma.shape))


def tail_of(values: np.ndarray) -> _likeness.Tail:
    """The line through the logarithms of the chances 0.3 and 0.01."""
    middle, far = np.quantile(values, [0.7, 0.99])
    slope = (2 + math.log10(0.3)) / max(far - middle, 1e-6)
    return _likeness.Tail(start=float(middle + math.log10(0.3) / slope), slope=float(slope))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--features", choices=list(keypoints.FEATURES), default="surf")
    parser.add_argument("--crop", type=int)
    parser.add_argument("--quality", type=int)
    parser.add_argument("--every", type=int, default=1, help="only every so manieth picture")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    measured: list[dict[str, float | None]] = []
    seen, alarms = 0, []
    for path in pictures(args.photos)[:: args.every]:
        try:
            luma = luma_of(path, crop=args.crop, quality=args.quality)
        except (ForensixError, OSError) as error:
            print(f"{path}: {error}")
            continue
        pairs, _ = keypoints.find_pairs(luma, features=args.features)
        seen += 1
        measured += [_likeness.values(pair.region) for pair in pairs]
        if pairs and pairs[0].is_copy:
            alarms.append((path.name, round(_pairs.score_of(pairs[0].log10_alarms), 3)))
    print(f"{seen} pictures, {len(measured)} pairs of alike places, alarms: {alarms or 'none'}")
    for name in keypoints.FEATURES[args.features][1].each:
        values = np.array([row[name] for row in measured if row[name] is not None], float)
        tail = tail_of(values) if len(values) > 20 else None
        stands = keypoints.FEATURES[args.features][1].each[name]
        print(f"{name:12s}{len(values):6d}  {'too few' if tail is None else tail}   now {stands}")


if __name__ == "__main__":
    main()
