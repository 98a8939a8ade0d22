"""Fit the perceptron of the method `filtering` to blocks of given photos, filtered in known ways.

    python benchmarks/fit_filtering.py PHOTO... --output MODEL.npz [--side 384] [--parts 2]

From each photo square parts are taken, as they are and made smaller. Each is left as it is,
sharpened, covered with noise, brightened, or filtered: median 3 x 3 and 5 x 5, Gaussian,
bilateral, and denoised (non-local means or wavelets by turns), with parameters drawn anew;
then kept as it is and saved as JPEG of qualities from 70 to 97. Blocks of 64 x 64 pixels
of all that, with their kind, are what the perceptron learns.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from sklearn.neural_network import MLPClassifier

import forensix
from forensix.detectors.splicing import _filter_features as traces
from forensix.detectors.splicing._filter_model import KINDS
from forensix.errors import ForensixError
from forensix.forgery.encode import jpeg_round
from forensix.forgery.traces import OPERATIONS

QUALITIES = ((95, 98), (88, 94), (80, 87), (70, 79))
MOST_BLOCKS = 14  # of one part in one encoding
UNITS, PENALTY, ROUNDS = 64, 0.3, 30
SCALES = (0.4, 0.9)

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def applied(name: str, **ranges: tuple[float, float]) -> Change:
    """An operation of the forgery maker with parameters drawn from ranges."""

    def change(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        drawn = {key: float(rng.uniform(*each)) for key, each in ranges.items()}
        return OPERATIONS[name].apply(rgb, rng, **drawn)

    return change


def denoised(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.5:
        strength = float(rng.uniform(3, 10))
        return np.asarray(cv2.fastNlMeansDenoisingColored(rgb, None, strength, strength, 5, 11))
    from skimage.restoration import denoise_wavelet

    sigma = float(rng.uniform(2, 8)) / 255
    return (
        np.rint(255 * denoise_wavelet(rgb / 255.0, sigma=sigma, channel_axis=-1))
        .clip(0, 255)
        .astype(np.uint8)
    )


UNFILTERED: tuple[Change, ...] = (
    lambda rgb, rng: rgb,
    lambda rgb, rng: rgb,
    applied("sharpen", sigma=(0.6, 1.5), amount=(0.3, 1.5)),
    applied("noise", sigma=(1.0, 4.0)),
    applied("gamma", exponent=(0.7, 1.4)),
)
FILTERS: dict[str, tuple[Change, ...]] = {
    "none": UNFILTERED,
    "median 3": (lambda rgb, rng: np.asarray(cv2.medianBlur(rgb, 3)),),
    "median 5": (lambda rgb, rng: np.asarray(cv2.medianBlur(rgb, 5)),),
    "Gaussian": (applied("gaussian", sigma=(0.5, 1.8)),),
    "bilateral": (applied("bilateral", sigma=(1.0, 3.0), levels=(12, 50)),),
    "denoised": (denoised,),
}


def seeded(*words: object) -> np.random.Generator:
    return np.random.default_rng(int(hashlib.sha256("/".join(map(str, words)).encode()).hexdigest()[:12], 16))


def parts_of(rgb: np.ndarray, side: int, count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Square parts on the 16 x 16 grid by turns as they are and made smaller."""
    for turn in range(2 * count):
        scale = float(rng.uniform(*SCALES)) if turn % 2 else 1.0
        wanted = min(int(side / scale), *(size // 16 * 16 for size in rgb.shape[:2]))
        top, left = (16 * int(rng.integers((size - wanted) // 16 + 1)) for size in rgb.shape[:2])
        part = np.ascontiguousarray(rgb[top : top + wanted, left : left + wanted])
        if scale < 1:
            part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        yield part


def encodings(rgb: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[int, np.ndarray]]:
    """Quality (0: lossless) and the picture after it."""
    yield 0, rgb
    for low, high in QUALITIES:
        quality = int(rng.integers(low, high + 1))
        yield quality, np.asarray(jpeg_round(rgb, quality=quality))


def blocks_of(rgb: np.ndarray, rng: np.random.Generator, most: int) -> np.ndarray:
    """Planes of some blocks that have enough detail; (count, planes)."""
    blocks = traces.block_planes(traces.cell_planes(np.ascontiguousarray(rgb[..., 1])))
    found = blocks[1:-1, 1:-1][traces.judged(blocks[1:-1, 1:-1])]  # the part's edges were filtered otherwise
    return found[rng.permutation(len(found))[:most]]


def collected(photos: Sequence[Path], side: int, parts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Planes of blocks, their kinds (numbers), and the qualities they were saved at."""
    planes, kinds, qualities = [], [], []
    for path in photos:
        try:
            rgb = forensix.open(path).rgb
        except ForensixError as error:
            print(f"left out: {path}: {error}")
            continue
        rng = seeded(path.name)
        for part in parts_of(rgb, side, parts, rng):
            for kind, ways in FILTERS.items():
                for change in ways:
                    for quality, saved in encodings(change(part, rng), rng):
                        got = blocks_of(saved, rng, MOST_BLOCKS)
                        planes.append(got)
                        kinds.append(np.full(len(got), KINDS.index(kind)))
                        qualities.append(np.full(len(got), quality))
    return np.concatenate(planes), np.concatenate(kinds), np.concatenate(qualities)


def fitted(features: np.ndarray, kinds: np.ndarray) -> dict[str, np.ndarray]:
    """The numbers of the perceptron, by name."""
    centre, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    model = MLPClassifier(
        (UNITS,), alpha=PENALTY, max_iter=ROUNDS, random_state=0, batch_size=256, learning_rate_init=2e-3, tol=0
    )  # fmt: skip
    model.fit((features - centre) / scale, kinds)
    numbers = {
        "centre": centre, "scale": scale, "hidden": model.coefs_[0], "hidden_bias": model.intercepts_[0],
        "output": model.coefs_[1], "output_bias": model.intercepts_[1],
    }  # fmt: skip
    return {name: np.asarray(array, np.float32) for name, array in numbers.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--side", type=int, default=384, help="of the parts, pixels")
    parser.add_argument("--parts", type=int, default=2, help="of a photo, as they are; as many made smaller")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    planes, kinds, _ = collected(options.photos, options.side, options.parts)
    numbers = fitted(traces.block_features(planes), kinds)
    np.savez(options.output, **numbers)
    print(
        f"{len(kinds)} blocks, {np.bincount(kinds).tolist()} of {', '.join(KINDS)}; {options.output} written"
    )


if __name__ == "__main__":
    main()
