"""Measure the method grid-peaks: made generators against the photos they were made from.

    python benchmarks/grid_peaks.py --real MANIFEST.csv... [--most 40] [--size 640]

Photos are measured as they are, resized, compressed and enlarged; each is rebuilt by two made generators, whose
pictures are measured as PNG and as JPEG. Prints a table in Markdown: AUC against all photos, and
how many are above the threshold. Flat pictures, of which the method says nothing, count as height 0.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parent))
import origin_data as data

from forensix.detectors.synthetic import grid_peaks
from forensix.evidence import Evidence
from forensix.forgery.generators import UPSAMPLINGS, generate


def height(image: np.ndarray) -> float:
    found = grid_peaks.detect(Evidence.of_array(np.ascontiguousarray(image)))
    return float(found.measurements.get("height", 0.0))


def variants(image: np.ndarray, rng: np.random.Generator, number: int) -> list[tuple[bool, str, np.ndarray]]:
    """(made, what it is, picture): a photo in six forms, two made pictures in three."""
    factor, how = float(rng.uniform(0.4, 0.95)), data.INTERPOLATIONS[number % 4]
    small = data.resized(image, factor, how)
    out = [
        (False, "as it is", image),
        (False, "JPEG 75-95", data.jpeg(image, int(rng.integers(75, 96)))),
        (False, "resized", small),
        (False, "resized, JPEG 80", data.jpeg(small, 80)),
        (False, "enlarged 1.05-1.95", data.resized(image, float(rng.uniform(1.05, 1.95)), 1 + number % 2)),
        (False, "enlarged 2", data.resized(image, 2.0, 1 + number % 2)),
    ]
    if min(image.shape[:2]) < 256:
        return out
    for turn in range(2):
        upsampling, stages = UPSAMPLINGS[(number + turn) % 4], 1 + number % 3
        made = generate(image[:512, :512], rng=rng, upsampling=upsampling, stages=stages, model=number).image
        out += [
            (True, "PNG", made),
            (True, "JPEG 95", data.jpeg(made, 95)),
            (True, "JPEG 85", data.jpeg(made, 85)),
        ]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", nargs="+", type=Path, required=True)
    parser.add_argument("--most", type=int, default=40, help="photos of one manifest, spread over it")
    parser.add_argument("--size", type=int, default=640, help="largest crop of a photo")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    heights: dict[tuple[bool, str], list[float]] = {}
    for number, source in enumerate(data.sources(args.real, synthetic=False, most=args.most)):
        image, rng = data.pixels(source), np.random.default_rng([args.seed, number])
        if image is None or image.ndim != 3:
            continue
        for made, name, picture in variants(data.crop(image, rng, args.size), rng, number):
            heights.setdefault((made, name), []).append(height(picture))
    # Enlarging doubles too: what it leaves is no mistake to be counted against the made generators.
    counted = [v for (made, name), v in heights.items() if not made and not name.startswith("enlarged")]
    photos = np.concatenate([np.array(found) for found in counted])
    print("| pictures | number | AUC against all photos | above the threshold |\n|---|---|---|---|")
    for (made, name), found in heights.items():
        truth = np.r_[np.zeros(len(photos)), np.ones(len(found))]
        area = f"{roc_auc_score(truth, np.r_[photos, found]):.3f}" if made else "--"
        alarms = np.mean(np.array(found) > grid_peaks.DECISION)
        print(f"| {'made' if made else 'photos'}, {name} | {len(found)} | {area} | {alarms:.3f} |")


if __name__ == "__main__":
    main()
