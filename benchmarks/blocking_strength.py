"""What a map of blocking strength tells beside the methods for grids: why there is no such method.

    python benchmarks/blocking_strength.py PHOTO... [--size 768] [--per-cell 1] [--seed 0]

The strength of the steps across the lines of a grid, above those beside them, bounded and
averaged over windows of 40 pixels (in the spirit of Li, Yuan and Yu 2009, doi
10.1016/j.sigpro.2009.03.025, and of Iakovidou et al. 2018, doi 10.1016/j.jvcir.2018.05.011), on
the file's own grid and on the best other one, is compared as a map with those of two methods.
The forgeries are those of ``jpeg_nonaligned.py``, saved as JPEG, and parts of a JPEG put into a
picture that was never compressed, or was at another quality, saved as PNG. "Either way" takes
for every picture the better of the map and its negative, which nobody could know.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator

import cv2
import numpy as np
from jpeg_nonaligned import AREA, bases, cases, measured, pixel_auc

import forensix
from forensix.forgery import splice
from forensix.forgery.encode import encode, jpeg_round

LARGEST_STEP = 4.0  # grey levels
WINDOW = 40
PNG_QUALITIES = (60, 75, 85, 92)
METHODS = ("jpeg-grid", "jpeg-nonaligned-quantization")


def blocking(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean excess of the steps across the lines of the grid at (0, 0), and of the best other lines."""
    own, other = np.zeros(luma.shape, np.float32), np.zeros(luma.shape, np.float32)
    for turned in (False, True):
        image = np.ascontiguousarray(luma.T if turned else luma, np.float32)
        step = np.pad(np.abs(np.diff(image, axis=1)), ((0, 0), (1, 0)))
        beside = sum(np.roll(step, by, 1) for by in (-2, -1, 1, 2)) / 4
        excess = np.clip(step - beside, -LARGEST_STEP, LARGEST_STEP)
        lines = []
        for phase in range(8):
            kept = np.zeros_like(excess)
            kept[:, phase::8] = excess[:, phase::8]
            strength = 8 * cv2.blur(kept, (WINDOW, WINDOW))
            lines.append(strength.T if turned else strength)
        own += lines[0]
        other += np.max(lines[1:], axis=0)
    return own, other


def eight_bits(values: np.ndarray) -> np.ndarray:
    low, high = np.quantile(values, [0.001, 0.999])
    return np.clip((values - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)


def lossless(pictures: list[np.ndarray], seed: int) -> Iterator[tuple[str, bytes, bytes, np.ndarray]]:
    for nth, host in enumerate(pictures):
        donor = pictures[(nth + 1) % len(pictures)]
        for quality in PNG_QUALITIES:
            for kind, ground in (("raw", host), ("JPEG 85", jpeg_round(host, quality=85))):
                rng = np.random.default_rng([seed, nth, quality])
                edit = splice(
                    ground, jpeg_round(donor, quality=quality), rng=rng, area=AREA, tone=0.0, grid="off"
                )
                yield f"PNG, part in {kind}", encode(edit.image), encode(ground), edit.mask


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument("--per-cell", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    pictures = bases(args.photos, args.size)
    made = [
        (f"JPEG, {case[0]}", *case[3:])
        for case in cases(pictures, ["host", "donor"], every=False, per_cell=args.per_cell, seed=args.seed)
    ]
    seen: dict[str, list[list[float]]] = defaultdict(list)
    for kind, forged, twin, mask in [*made, *lossless(pictures, args.seed)]:
        own, other = (eight_bits(values) for values in blocking(forensix.open(forged).luma))
        weaker, foreign = pixel_auc(255 - own, mask), pixel_auc(other, mask)
        methods = [measured(name, forged, twin, mask)[0] for name in METHODS]
        seen[kind].append([weaker, max(weaker, 1 - weaker), foreign, *methods])
    print(f"| forgeries | own grid weaker | either way | other lines stronger | {' | '.join(METHODS)} | of |")
    print("|---|---|---|---|" + "---|" * (len(METHODS) + 1))
    for kind, rows in seen.items():
        print(
            f"| {kind} | "
            + " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))
            + f" | {len(rows)} |"
        )


if __name__ == "__main__":
    main()
