"""Blocks and areas filtered in known ways, for ``fit_filtering.py``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from forensix.detectors.splicing import _filter_features as traces
from forensix.detectors.splicing._filter_model import KINDS
from forensix.errors import ForgeryError
from forensix.forgery.encode import jpeg_round
from forensix.forgery.shapes import draw_region
from forensix.forgery.traces import OPERATIONS

QUALITIES = ((0, 0), (95, 98), (88, 94), (80, 87), (70, 79))
MOST_BLOCKS = 60  # of one part in one encoding
PART = 576  # pixels, of the parts that are filtered as a whole
SIDE = 768  # of whole pictures
PICTURE_QUALITIES = (0, 95, 85, 75)
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


def field_of(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features of the inner blocks and which of them have enough detail."""
    blocks = traces.block_planes(traces.cell_planes(np.ascontiguousarray(rgb[..., 1])))[1:-1, 1:-1]
    return traces.block_features(blocks), traces.judged(blocks)  # the part's edges were filtered otherwise


def samples_of(part: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, int]]:
    """Inputs of blocks, their kind, for every change of a part.

    A changed block is seen among blocks of the unchanged part, and, as nothing unusual,
    among its own kind.
    """
    changed = [(KINDS.index(kind), way(part, rng)) for kind, ways in FILTERS.items() for way in ways]
    for low, high in QUALITIES:
        quality = int(rng.integers(low, high + 1)) if high else 0
        saved = [
            (kind, field_of(jpeg_round(rgb, quality=quality) if quality else rgb)) for kind, rgb in changed
        ]
        features, told = saved[0][1]
        if np.count_nonzero(told) < traces.LEAST_BLOCKS:
            continue
        among = traces.surroundings(features[told])
        for kind, (features, told) in saved:
            taken = features[told][rng.permutation(np.count_nonzero(told))[:MOST_BLOCKS]]
            if len(taken) >= MOST_BLOCKS // 2:
                yield traces.compared(taken, among), kind
                own = traces.surroundings(features[told])
                yield traces.compared(taken[: MOST_BLOCKS // 2], own), 0


def part_samples(rgb: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of blocks of two parts of a photo, and their kinds (numbers)."""
    inputs = [np.zeros((0, 4 * traces.FEATURES), np.float32)]
    kinds = [np.zeros(0, int)]
    for part in parts_of(rgb, PART, 1, rng):
        for got, kind in samples_of(part, rng):
            inputs.append(got)
            kinds.append(np.full(len(got), kind))
    return np.concatenate(inputs), np.concatenate(kinds)


def pictures(
    rgb: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray | None, int]]:
    """Versions of a photo; of those filtered in a shape of 2 to 20 %, its mask and the filter's number."""
    rows, cols = (min(SIDE, size) // 16 * 16 for size in rgb.shape[:2])
    top, left = ((size - wanted) // 32 * 16 for size, wanted in zip(rgb.shape, (rows, cols), strict=False))
    part = np.ascontiguousarray(rgb[top : top + rows, left : left + cols])
    half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)[:SIDE, :SIDE]
    for picture in (part, np.ascontiguousarray(half)):
        for quality in PICTURE_QUALITIES:
            yield saved(picture, quality), None, 0
    for kind in KINDS[1:]:
        whole = FILTERS[kind][0](part, rng)
        yield saved(whole, int(rng.choice(PICTURE_QUALITIES))), None, 0
        for quality in PICTURE_QUALITIES:
            area = float(np.exp(rng.uniform(np.log(0.02), np.log(0.2))))
            try:
                mask = draw_region(part, rng=rng, area=area).full(rows, cols)
            except ForgeryError:  # the middle of the photo is flat
                break
            yield saved(np.where(mask[..., None], whole, part), quality), mask, KINDS.index(kind)


def saved(rgb: np.ndarray, quality: int) -> np.ndarray:
    return np.asarray(jpeg_round(rgb, quality=quality)) if quality else rgb


def cell_shares(mask: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """How much of each cell the mask covers; zeros without one."""
    if mask is None:
        return np.zeros(shape, np.float32)
    whole = mask[: shape[0] * traces.CELL, : shape[1] * traces.CELL].astype(np.float32)
    return np.asarray(cv2.resize(whole, shape[::-1], interpolation=cv2.INTER_AREA))


def picture_samples(
    planes: np.ndarray, shares: np.ndarray, kind: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of blocks well inside and well outside the mask, as they look in the whole picture."""
    blocks = traces.block_planes(planes)
    features, told = traces.block_features(blocks), traces.judged(blocks)
    if np.count_nonzero(told) < traces.LEAST_BLOCKS:
        return np.zeros((0, 4 * traces.FEATURES), np.float32), np.zeros(0, int)
    inputs = traces.compared(features, traces.surroundings(features[told]))
    corners = np.stack([shares[:-1, :-1], shares[1:, :-1], shares[:-1, 1:], shares[1:, 1:]])
    inside, outside = told & (corners.min(axis=0) > 0.9), told & (corners.max(axis=0) < 0.02)
    chosen = [rng.permutation(np.flatnonzero(where))[:40] for where in (inside, outside)]
    labels = np.concatenate([np.full(len(chosen[0]), kind), np.zeros(len(chosen[1]), int)])
    return inputs.reshape(-1, inputs.shape[-1])[np.concatenate(chosen)], labels
