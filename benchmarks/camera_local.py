"""Squares pasted into photos of known cameras: how well the missing sensor pattern shows them.

    python -m benchmarks.camera_local MANIFEST --store DIR [--sides 64 128 256] [--quality 90] [--keep TEXT]

MANIFEST is a CSV with the columns image (a path relative to it) and device (the name of its
camera in the store). Every photo that is not enrolled gets one square of each side, cut from
the photo of another device that follows in the list, at random places, and is saved as a JPEG
file again; its untouched twin is saved the same way. Prints one row for each side: pixel F1
of the decision, whether it was an alarm, how much of the squares lay where the method says
that it can judge; and the alarms on the twins.
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image

from forensix.detectors.camera import prnu
from forensix.detectors.camera.store import CameraStore
from forensix.evidence import open_evidence


def saved(pixels: np.ndarray, quality: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return out.getvalue()


def pasted(photo: np.ndarray, donor: np.ndarray, side: int, generator) -> tuple[np.ndarray, np.ndarray]:
    """The photo with a square of the donor, and where it lies."""

    def place(shape):
        top, left = (int(generator.integers(0, size - side + 1)) for size in shape[:2])
        return np.s_[top : top + side, left : left + side]

    changed, mask = photo.copy(), np.zeros(photo.shape[:2], bool)
    here = place(photo.shape)
    changed[here] = donor[place(donor.shape)]
    mask[here] = True
    return changed, mask


def judged(content: bytes, camera, shape: tuple[int, int]) -> tuple[float, np.ndarray, np.ndarray]:
    """Score (0 where there is none), decided and judged pixels."""
    finding = prnu.detect(open_evidence(content), camera=camera)
    if finding.heatmap is None:
        return 0.0, np.zeros(shape, bool), np.zeros(shape, bool)
    values = finding.heatmap.full_size(*shape)
    return finding.score or 0.0, np.nan_to_num(values) > 0.5, np.isfinite(values)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--store", required=True)
    parser.add_argument("--sides", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--quality", type=int, default=90)
    parser.add_argument("--seed", type=int, default=0, help="of the places")
    parser.add_argument("--keep", default="", help="take only images with this in their path")
    parser.add_argument("--donors", default="", help="cut from images with this in their path")
    asked = parser.parse_args()
    store, generator = CameraStore(asked.store), np.random.default_rng(asked.seed)
    cameras = {name: store.load(name) for name in store.names()}
    enrolled = {photo["sha256"] for camera in cameras.values() for photo in camera.photos}
    ready = {name: camera.for_matching() for name, camera in cameras.items()}
    with asked.manifest.open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["device"] in cameras]
    photos = [row for row in rows if asked.keep in row["image"]]
    results: dict[int, list[tuple[float, float, float]]] = {side: [] for side in (0, *asked.sides)}
    for number, row in enumerate(photos):
        photo = open_evidence(asked.manifest.parent / row["image"])
        if photo.sha256 in enrolled:
            continue
        others = [
            other for other in rows if other["device"] != row["device"] and asked.donors in other["image"]
        ]
        donor = open_evidence(asked.manifest.parent / others[number % len(others)]["image"]).rgb
        for side, found in results.items():
            changed, mask = pasted(photo.rgb, donor, side, generator) if side else (photo.rgb, None)
            score, decided, able = judged(
                saved(changed, asked.quality), ready[row["device"]], photo.rgb.shape[:2]
            )
            if mask is None:
                mask = np.ones(decided.shape, bool)
            both = np.count_nonzero(decided & mask)
            f1 = 2 * both / (np.count_nonzero(decided) + np.count_nonzero(mask))
            found.append((f1, float(score > 0.5), float(able[mask].mean())))
            print(
                row["image"],
                side,
                f"F1 {f1:.3f} score {score:.3f} judged {able[mask].mean():.2f}",
                flush=True,
            )
    print("\n| side | photos | pixel F1 | alarms | share judged |\n|---|---|---|---|---|")
    for side, found in results.items():
        f1s, alarms, able = np.mean(found, axis=0)
        name = f"{side} px" if side else "untouched"
        print(f"| {name} | {len(found)} | {f'{f1s:.3f}' if side else '-'} | {alarms:.3f} | {able:.2f} |")


if __name__ == "__main__":
    main()
