"""Feathered and hard-cut pastes between photos, with untouched twins, for ``fit_edge_blur.py``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from forensix.errors import ForgeryError
from forensix.forgery.shapes import SHAPES, draw_region

SIGMAS = (0, 1, 2, 4)
# Side of the part of a photo that is pasted into, and how far the result is reduced: as much as the
# method reduces photos of that kind.
PARTS = ((512, 1), (512, 1), (768, 1), (1024, 2), (1536, 3))
AREAS = (0.02, 0.2)
QUALITIES = (95, 90, 90, 80)


@dataclass(frozen=True, eq=False)
class Sample:
    """pixels (rows, cols, 3) uint8 RGB; quality 0: not JPEG; sigma -1 and no shape: untouched."""

    pixels: np.ndarray
    quality: int
    sigma: int
    shape: np.ndarray | None
    reduction: int


def seeded(*words: object) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(repr(words).encode()).digest()[:8], "big"))


def part_of(photo: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """The more detailed of two squares drawn at random."""
    drawn = []
    for _ in range(2):
        top, left = (int(rng.integers(0, max(length - side, 0) + 1)) for length in photo.shape[:2])
        part = photo[top : top + side, left : left + side]
        grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
        cells = [grey[i : i + 64, j : j + 64] for i in range(0, side, 128) for j in range(0, side, 128)]
        drawn.append((float(np.median([cv2.Laplacian(c, cv2.CV_32F).std() for c in cells if c.size])), part))
    return max(drawn, key=lambda pair: pair[0])[1].copy()


def scene(host: np.ndarray, donor: np.ndarray, rng: np.random.Generator) -> Iterator[Sample]:
    """One place pasted into with every ramp, lossless and as JPEG, and the same untouched."""
    side, reduction = PARTS[int(rng.integers(len(PARTS)))]
    side = min(side, *host.shape[:2], *donor.shape[:2])
    base = part_of(host, side, rng)
    if rng.random() < 0.3:
        scale = float(rng.uniform(0.6, 1.5))
        if scale * min(donor.shape[:2]) > side:
            donor = cv2.resize(donor, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    source = part_of(donor, side, rng)
    area = float(np.exp(rng.uniform(*np.log(AREAS))))
    try:
        region = draw_region(source, rng=rng, shape=str(rng.choice(SHAPES, p=(0.45, 0.4, 0.15))), area=area)
    except ForgeryError:
        return
    rows, cols = region.mask.shape
    top, left = (int(rng.integers(2, max(side - length - 2, 2) + 1)) for length in (rows, cols))
    shape = np.zeros((side, side), np.uint8)
    shape[top : top + rows, left : left + cols] = region.mask[: side - top, : side - left]
    pasted = np.roll(source, (top - region.top, left - region.left), (0, 1)).astype(np.float32)
    inside = shape > 0
    pasted += float(rng.choice((0, 0.5, 0.9))) * (base[inside].mean(axis=0) - pasted[inside].mean(axis=0))
    pasted = np.clip(pasted, 0, 255)
    for quality in (0, int(rng.choice(QUALITIES))):
        yield finished(base, quality, -1, None, reduction)
        for sigma in SIGMAS:
            cover = shape.astype(np.float32)
            cover = (cv2.GaussianBlur(cover, (0, 0), sigma) if sigma else cover)[..., None]
            yield finished(
                np.rint(cover * pasted + (1 - cover) * base).astype(np.uint8),
                quality,
                sigma,
                shape,
                reduction,
            )


def finished(
    pixels: np.ndarray, quality: int, sigma: int, shape: np.ndarray | None, reduction: int
) -> Sample:
    if quality:
        wanted = [cv2.IMWRITE_JPEG_QUALITY, quality]
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels[..., ::-1], wanted)[1], cv2.IMREAD_COLOR)[..., ::-1]
    if reduction > 1:
        size = (pixels.shape[1] // reduction, pixels.shape[0] // reduction)
        pixels = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
        shape = None if shape is None else cv2.resize(shape, size, interpolation=cv2.INTER_NEAREST)
    return Sample(np.ascontiguousarray(pixels), quality, sigma, shape, reduction)


def from_seam(shape: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Distance of each place to the seam, pixels: (n,)."""
    inner, outer = (cv2.distanceTransform(side, cv2.DIST_L2, 5) for side in (shape, 1 - shape))
    away = np.maximum(inner, outer) - 0.5
    row, col = across[..., :2].reshape(-1, 2).astype(int).T
    return away[row, col]
