"""How well `edge-blur` tells feathered and hard-cut pastes from their untouched twins, and how often it errs.

    python benchmarks/edge_blur.py --photos PHOTO... --untouched PHOTO... [--model MODEL.npz]

Pastes between the photos as in ``fit_edge_blur.py``; take photos that the numbers were not fitted to. The
untouched photos are judged as they are.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from fit_edge_blur import scenes
from seam_samples import SIGMAS

import forensix
from forensix.detectors.splicing._seam_model import unpacked
from forensix.detectors.splicing.edge_blur import seams


def area_under_curve(forged: np.ndarray, calm: np.ndarray) -> float:
    return float((forged[:, None] > calm).mean() + 0.5 * (forged[:, None] == calm).mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", nargs="*", type=Path, default=[])
    parser.add_argument("--untouched", nargs="*", type=Path, default=[])
    parser.add_argument("--scenes", type=int, default=3, help="pasted places a photo")
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    model = unpacked(dict(np.load(options.model))) if options.model else None

    def judged(pixels: np.ndarray) -> float:
        found = seams(pixels, model=model).found
        return found[0][1] if found else -10.0

    table = np.array([
        (sample.quality, sample.sigma, judged(sample.pixels))
        for _, sample in (scenes(options.photos, options.scenes) if options.photos else ())
    ]).reshape(-1, 3)  # fmt: skip
    print("| encoding | sigma | pictures | AUC | decided | twins decided |\n|---|---|---|---|---|---|")
    for name, kind in (
        ("PNG", table[:, 0] == 0),
        ("JPEG 90", table[:, 0] == 90),
        ("JPEG 80-95", table[:, 0] > 0),
    ):
        calm = table[kind & (table[:, 1] < 0), 2]
        for sigma in SIGMAS:
            forged = table[kind & (table[:, 1] == sigma), 2]
            if len(forged) and len(calm):
                print(f"| {name} | {sigma} | {len(forged)} | {area_under_curve(forged, calm):.3f} | "
                      f"{(forged > 0).mean():.1%} | {(calm > 0).mean():.1%} |")  # fmt: skip
    reached, started = [], time.process_time()
    for path in options.untouched:
        reached.append(judged(forensix.open(path).rgb))
        if reached[-1] > 0:
            print(f"decided on: {path} ({reached[-1]:.2f})")
    if reached:
        print(f"{len(reached)} untouched: {np.mean(np.array(reached) > 0):.1%} decided on, 99 % quantile "
              f"{np.quantile(reached, 0.99):.2f}; {(time.process_time() - started) / len(reached):.2f} CPU s each")  # fmt: skip


if __name__ == "__main__":
    main()
