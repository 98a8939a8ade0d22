"""Where every part of an image finds its likeness: one match a pixel, from features that turn with it.

References
----------
.. [1] Cozzolino, D., Poggi, G. and Verdoliva, L. (2015). Efficient dense-field copy-move forgery
   detection. IEEE TIFS 10(11), 2284-2297. DOI 10.1109/TIFS.2015.2455334
.. [2] Ryu, S.-J. et al. (2013). Rotation invariant localization of duplicated image regions based
   on Zernike moments. IEEE TIFS 8(8), 1355-1370. DOI 10.1109/TIFS.2013.2272377
.. [3] Gionis, A., Indyk, P. and Motwani, R. (1999). Similarity search in high dimensions via
   hashing. VLDB, 518-529 (quantized features as hash keys)
"""

from __future__ import annotations

import math

import numpy as np

from forensix.errors import ParameterError

ORDER = 5
DIAMETER = 12
FEATURES = 12
# Grey levels enter as the square root of a moment's size: noise and texture weigh alike
# in faint and in strong parts.
SCALE = 8.0
HASHES = 4
HASH_DIMENSIONS = 5
HASH_STEP = 8
# Sweeps over the field: the distances from which pixels learn of each other's matches.
STEPS = (27, 9, 3, 1, 9, 3, 1)


def zernike_filters(diameter: int = DIAMETER, order: int = ORDER) -> list[tuple[int, int, np.ndarray]]:
    """Degree, repetition and complex filter of every Zernike moment up to an order [2]_.

    The filters are averages over 5 x 5 points a pixel, brought to unit norm, and those of no
    repetition but the first to zero sum.
    """
    radius, points = diameter / 2, 5
    reach = math.ceil(radius)
    pixels = np.arange(-reach, reach + 1)
    steps = (pixels[:, None] + (np.arange(points) - (points - 1) / 2) / points).ravel() / radius
    rho = np.hypot(steps[:, None], steps)
    angle = np.arctan2(steps[:, None], steps)
    disc = (rho <= 1).reshape(len(pixels), points, len(pixels), points).mean(axis=(1, 3))
    filters = []
    for degree in range(order + 1):
        for repetition in range(degree % 2, degree + 1, 2):
            values = np.where(
                rho <= 1, _radial(degree, repetition, rho) * np.exp(-1j * repetition * angle), 0
            )
            cells = values.reshape(len(pixels), points, len(pixels), points).mean(axis=(1, 3))
            if degree > 0:
                cells = cells - disc * cells.sum() / disc.sum()
            filters.append((degree, repetition, cells / np.sqrt((np.abs(cells) ** 2).sum())))
    return filters


def _radial(degree: int, repetition: int, rho: np.ndarray) -> np.ndarray:
    total = np.zeros_like(rho)
    for k in range((degree - repetition) // 2 + 1):
        above, below = (degree + repetition) // 2 - k, (degree - repetition) // 2 - k
        factor = math.factorial(degree - k) / (
            math.factorial(k) * math.factorial(above) * math.factorial(below)
        )
        total += (-1) ** k * factor * rho ** (degree - 2 * k)
    return total


def zernike_features(luma: np.ndarray) -> np.ndarray:
    """Sizes of the Zernike moments of the disc of 12 pixels around every pixel.

    They stay the same when the image is turned or mirrored [2]_. All but the first, a
    coarse grey level, are the square root of the size in eighths.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255

    Returns
    -------
    (rows, cols, 12) uint8
    """
    import cv2

    if luma.ndim != 2:
        raise ParameterError(f"luma must be 2-D, got shape {luma.shape}")
    features = np.empty((*luma.shape, FEATURES), np.uint8)
    centred = np.ascontiguousarray(luma, np.float32) - np.float32(128)
    for number, (degree, repetition, taps) in enumerate(zernike_filters()):
        size = _filtered(centred, taps.real)
        if repetition:
            size = cv2.magnitude(size, _filtered(centred, taps.imag))
        if degree == 0:
            size = size / np.float32(DIAMETER) + np.float32(128)
        else:
            size = np.sqrt(np.abs(size)) * np.float32(SCALE)
        features[..., number] = np.clip(np.rint(size), 0, 255)
    return features


def _filtered(image: np.ndarray, taps: np.ndarray) -> np.ndarray:
    import cv2

    kernel = np.ascontiguousarray(taps, np.float32)
    return np.asarray(cv2.filter2D(image, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT))


def likeness_field(
    features: np.ndarray, *, stride: int = 3, nearest: float = 24.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The most alike pixel, at some distance, of every `stride`-th pixel.

    First pixels with equal quantized features are compared [3]_, then neighbours learn from
    each other, see :func:`forensix.native.patch_match.improve_matches`.

    Parameters
    ----------
    features : (rows, cols, 12) uint8
    stride : int
        One row and one column in so many is matched, with any pixel.
    nearest : float
        Least distance of a match, pixels.

    Returns
    -------
    matches : (rows / stride, cols / stride, 2) int32, rounded up
        Row and column of each pixel's match.
    differences : (rows / stride, cols / stride) int32
        Squared difference of their features.
    """
    from forensix.native.patch_match import improve_matches

    matches, differences = _first_matches(features, stride=stride, nearest=nearest, seed=seed)
    improve_matches(features, matches, differences, steps=STEPS, stride=stride, nearest=nearest, seed=seed)
    return matches, differences


def _first_matches(
    features: np.ndarray, *, stride: int, nearest: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's most alike one among those next to it when sorted by quantized features."""
    rows, cols = features.shape[:2]
    rng = np.random.default_rng(seed)
    flat = features.reshape(-1, FEATURES)
    here = (np.arange(0, rows, stride)[:, None] * cols + np.arange(0, cols, stride)).ravel()
    mine = flat[here].astype(np.int16)
    best = rng.integers(rows * cols, size=len(here))
    least = np.full(len(here), np.iinfo(np.int32).max, np.int32)
    for _ in range(HASHES):
        order, place = _hash_order(flat, rng)
        for gap in (1, -1):
            other = order[np.clip(place[here] + gap, 0, len(order) - 1)]
            miss = flat[other].astype(np.int16) - mine
            difference = np.einsum("ij,ij->i", miss, miss, dtype=np.int32)
            down, across = other // cols - here // cols, other % cols - here % cols
            better = (difference < least) & (down * down + across * across >= nearest * nearest)
            best[better], least[better] = other[better], difference[better]
    shape = (-(-rows // stride), -(-cols // stride))
    matches = np.stack([best // cols, best % cols], axis=1).astype(np.int32).reshape(*shape, 2)
    return matches, least.reshape(shape)


def _hash_order(flat: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in the order of some of their features, quantized, and the place of each in that order."""
    key = np.zeros(len(flat), np.uint64)
    for dimension in rng.permutation(FEATURES)[:HASH_DIMENSIONS]:
        cell = ((np.arange(256) + rng.integers(HASH_STEP)) // HASH_STEP).astype(np.uint64)
        key = (key << np.uint64(6)) | cell[flat[:, dimension]]
    bits = np.uint64(max(len(flat) - 1, 1)).item().bit_length()
    entry = (key << np.uint64(bits)) | np.arange(len(flat), dtype=np.uint64)
    entry.sort()
    order = (entry & np.uint64((1 << bits) - 1)).astype(np.int32)
    place = np.empty_like(order)
    place[order] = np.arange(len(order), dtype=np.int32)
    return order, place
