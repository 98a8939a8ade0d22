"""Where every part of an image finds its likeness: one match a pixel, from features that turn with it.

References
----------
.. [1] Cozzolino, D., Poggi, G. and Verdoliva, L. (2015). Efficient dense-field copy-move forgery
   detection. IEEE TIFS 10(11), 2284-2297. DOI 10.1109/TIFS.2015.2455334
.. [2] Gionis, A., Indyk, P. and Motwani, R. (1999). Similarity search in high dimensions via
   hashing. VLDB, 518-529 (quantized features as hash keys)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from forensix.signal.dense_features import FEATURES
from forensix.signal.field_regions import fitting_error, shifts

# How many features each hash looks at, and how many of their bits it leaves out: few and coarse
# ones stay equal in spite of compression, many and fine ones tell smooth places apart.
HASHES = ((4, 3), (6, 3), (9, 3), (12, 1))
# In a resized version nothing stays equal to the last: coarse ones only.
ZOOMED_HASHES = ((4, 3), (4, 3), (5, 3), (6, 3))

# Sweeps over the field: the distances from which pixels learn of each other's matches.
STEPS = (27, 9, 3, 1)
# A second time only around what is nearly linear by then: elsewhere there is nothing to carry on. Half
# the side of the window, cells; the largest mean squared distance from a plane, pixels squared;
# and how far around it is looked, cells.
AGAIN = (9, 3, 1)
LINEAR = (2, 2.0)
AROUND = 9


def likeness_field(
    features: np.ndarray,
    *,
    stride: int = 3,
    nearest: float = 24.0,
    seed: int = 0,
    targets: np.ndarray | None = None,
    zoom: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """The most alike pixel, at some distance, of every `stride`-th pixel.

    First pixels with equal quantized features are compared [2]_, then neighbours learn from
    each other, see :func:`forensix.native.patch_match.improve_matches`.

    Parameters
    ----------
    features : (rows, cols, 12) uint8
    stride : int
        One row and one column in so many is matched, with any pixel.
    nearest : float
        Least distance of a match, pixels.
    targets : (target rows, target cols, 12) uint8, optional
        Features of a resized version of the image, to find copies of another size in; of the image itself
        by default.
    zoom : float
        How many of its pixels one pixel of the image has become in each direction.

    Returns
    -------
    matches : (rows / stride, cols / stride, 2) int32, rounded up
        Row and column of each pixel's match, among the targets.
    differences : (rows / stride, cols / stride) int32
        Squared difference of their features.
    """
    from forensix.native.patch_match import improve_matches

    targets = features if targets is None else targets
    matches, differences = _first_matches(
        features, targets, zoom=zoom, stride=stride, nearest=nearest, seed=seed
    )
    options: dict[str, Any] = {"stride": stride, "nearest": nearest, "targets": targets, "zoom": zoom}
    improve_matches(features, matches, differences, steps=STEPS, seed=seed, **options)
    active = _near_linear((matches + 0.5) / zoom - 0.5, stride=stride, nearest=nearest)
    improve_matches(features, matches, differences, steps=AGAIN, seed=seed + 1, active=active, **options)
    return matches, differences


def _near_linear(matches: np.ndarray, *, stride: int, nearest: float) -> np.ndarray:
    """Cells of the field around those where it is nearly an affine map; bool."""
    import cv2

    radius, error = LINEAR
    shift = shifts(matches, stride=stride)
    linear = fitting_error(shift, radius=radius) < error
    linear &= np.hypot(shift[..., 0], shift[..., 1]) >= nearest
    window = np.ones((2 * AROUND + 1, 2 * AROUND + 1), np.uint8)
    return np.asarray(cv2.dilate(linear.astype(np.uint8), window) > 0)


def _first_matches(
    features: np.ndarray, targets: np.ndarray, *, zoom: float, stride: int, nearest: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's most alike target among those next to it when sorted by quantized features."""
    from forensix.native.place_hashes import hash_keys, take_nearer

    tall, wide = targets.shape[:2]
    rng = np.random.default_rng(seed)
    mine = np.ascontiguousarray(features[::stride, ::stride])
    shape = mine.shape[:2]
    # Where each pixel itself is among the targets: ties are broken by place.
    at_row, at_col = (
        np.minimum((zoom * stride * np.arange(count)).astype(np.int64), size - 1)
        for count, size in zip(shape, (tall, wide), strict=True)
    )
    own = (at_row[:, None] * wide + at_col).ravel().astype(np.uint64)
    itself = targets is features
    everywhere = np.arange(tall * wide, dtype=np.uint64)
    flat = targets.reshape(-1, FEATURES)
    best = rng.integers(tall * wide, size=own.size)
    least = np.full(own.size, np.iinfo(np.int32).max, np.int32)
    bits = np.uint64((tall * wide).bit_length())
    low = np.uint64((1 << int(bits)) - 1)
    for dimensions, shift in HASHES if itself else ZOOMED_HASHES:
        factors = np.zeros(FEATURES, np.uint64)
        chosen = rng.permutation(FEATURES)[:dimensions]
        factors[chosen] = rng.integers(1 << 62, size=dimensions, dtype=np.uint64)
        offsets = rng.integers(1 << shift, size=FEATURES, dtype=np.uint64)
        entry = (hash_keys(flat, offsets, shift, factors) << bits) | everywhere
        entry.sort()
        mark = (hash_keys(mine.reshape(-1, FEATURES), offsets, shift, factors) << bits) | own
        order = np.argsort(mark)
        place = np.empty(len(mark), np.int64)
        place[order] = np.searchsorted(entry, mark[order])
        for gap in (1, -1) if itself else (0, -1):
            other = (entry[np.clip(place + gap, 0, len(entry) - 1)] & low).astype(np.int64)
            take_nearer(mine, flat, other, best, least, width=wide, stride=stride, nearest=nearest, zoom=zoom)
    matches = np.stack([best // wide, best % wide], axis=1).astype(np.int32).reshape(*shape, 2)
    return matches, least.reshape(shape)
