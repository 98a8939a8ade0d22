"""How often the method `resampling` finds a scaled or turned part, and how often it cries wolf.

    python benchmarks/resampling.py PHOTO... [--size 1000] [--paste 256] [--seed 0]

From every photo a central crop is taken. Counted are: alarms on the untouched photo; alarms
on the crop resized as a whole; and how many pasted squares, resampled from the same crop, are
found, as PNG and as JPEG. The resized crops also go to the method `resized`.
"""

from __future__ import annotations

import argparse
import io
from collections import defaultdict

import cv2
import numpy as np
from PIL import Image

import forensix
from forensix.detectors.splicing import resampling, resized
from forensix.errors import ForensixError

WHOLE = ((0.45, cv2.INTER_AREA), (0.7, cv2.INTER_AREA), (0.7, cv2.INTER_CUBIC), (0.85, cv2.INTER_CUBIC),
         (1.15, cv2.INTER_LINEAR), (1.15, cv2.INTER_CUBIC), (1.5, cv2.INTER_LINEAR), (1.5, cv2.INTER_CUBIC))  # fmt: skip
PARTS = ((0.85, 0), (1.1, 0), (1.2, 0), (1.4, 0), (1.7, 0), (1.0, 3), (1.0, 20), (1.2, 10))
ENCODINGS = {"PNG": None, "JPEG 98": 98, "JPEG 95": 95, "JPEG 90": 90}


def encoded(picture: np.ndarray, quality: int | None) -> bytes:
    buffer = io.BytesIO()
    options = (
        {"format": "PNG", "compress_level": 1} if quality is None else {"format": "JPEG", "quality": quality}
    )
    Image.fromarray(picture).save(buffer, **options)
    return buffer.getvalue()


def alarmed(method, data: bytes) -> bool:
    finding = method.detect(forensix.open(data))
    return finding.decided


def pasted(crop: np.ndarray, side: int, factor: float, angle: float, rng: np.random.Generator) -> np.ndarray:
    rows, cols = crop.shape[:2]
    matrix = cv2.getRotationMatrix2D((cols / 2, rows / 2), angle, factor)
    moved = cv2.warpAffine(
        crop, matrix, (cols, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    top, left = rng.integers(0, rows - side), rng.integers(0, cols - side)
    result = crop.copy()
    result[top : top + side, left : left + side] = moved[top : top + side, left : left + side]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--size", type=int, default=1000, help="side of the crop, pixels")
    parser.add_argument("--paste", type=int, default=256, help="side of the pasted square, pixels")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    counts: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for photo in args.photos:
        try:
            evidence = forensix.open(photo)
            counts["untouched photo: alarms", "as it is"].append(resampling.detect(evidence).decided)
        except ForensixError as error:
            print(f"left out: {photo}: {error}")
            continue
        side = min(args.size, evidence.height, evidence.width)
        top, left = (evidence.height - side) // 2, (evidence.width - side) // 2
        crop = np.ascontiguousarray(evidence.rgb[top : top + side, left : left + side])
        for factor, how in WHOLE:
            larger = cv2.resize(crop, None, fx=factor, fy=factor, interpolation=how)
            if min(larger.shape[:2]) >= resampling.WINDOW:
                for name, quality in (("PNG", None), ("JPEG 92", 92)):
                    data = encoded(larger, quality)
                    counts["resized as a whole: local alarms", name].append(alarmed(resampling, data))
                    counts[f"resized x{factor}: said so", name].append(alarmed(resized, data))
        if side <= args.paste:
            continue
        for factor, angle in PARTS:
            forged = pasted(crop, args.paste, factor, angle, rng)
            for name, quality in ENCODINGS.items():
                found = alarmed(resampling, encoded(forged, quality))
                counts[f"part x{factor}, {angle} degrees: found", name].append(found)
    for (what, name), hits in sorted(counts.items()):
        print(f"{what:40s} {name:10s} {sum(hits):4d} of {len(hits):4d}  {np.mean(hits):.3f}")


if __name__ == "__main__":
    main()
