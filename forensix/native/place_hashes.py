"""Places with equal hashes of their features: the first guesses of a search for likenesses.

References
----------
.. [1] Gionis, A., Indyk, P. and Motwani, R. (1999). Similarity search in high dimensions via
   hashing. VLDB, 518-529.
"""

from __future__ import annotations

import numpy as np
from numba import float64, int32, int64, njit, void
from numba.types import Array, uint8, uint64

from forensix.errors import ParameterError
from forensix.native.patch_match import DIMENSIONS


def hash_keys(features: np.ndarray, offsets: np.ndarray, shift: int, factors: np.ndarray) -> np.ndarray:
    """Hashes of rows of features: their quantized values times large random numbers, summed.

    Parameters
    ----------
    features : (n, 12) uint8
    offsets : (12,) uint64
        Added to each feature before it is quantized.
    shift : int
        By how many bits the sums are shifted right, 0 to 8: that quantizes them.
    factors : (12,) uint64
        0 for a feature that does not count.

    Returns
    -------
    (n,) uint64
        The sums modulo 2 ** 64: the low bits are as random as the factors' are.

    Raises
    ------
    ParameterError
        For arrays of other shapes or types.
    """
    if features.ndim != 2 or features.shape[1] != DIMENSIONS or features.dtype != np.uint8:
        raise ParameterError(
            f"features must be (n, {DIMENSIONS}) uint8, got {features.shape}, {features.dtype}"
        )
    for name, array in (("offsets", offsets), ("factors", factors)):
        if array.shape != (DIMENSIONS,) or array.dtype != np.uint64:
            raise ParameterError(f"{name} must be ({DIMENSIONS},) uint64, got {array.shape}, {array.dtype}")
    if not 0 <= shift <= 8:
        raise ParameterError(f"shift must be 0 to 8, got {shift}")
    keys = np.empty(len(features), np.uint64)
    _hash(
        np.ascontiguousarray(features),
        np.ascontiguousarray(offsets),
        shift,
        np.ascontiguousarray(factors),
        keys,
    )
    return keys


@njit(
    void(
        Array(uint8, 2, "C", readonly=True),
        Array(uint64, 1, "C", readonly=True),
        uint64,
        Array(uint64, 1, "C", readonly=True),
        Array(uint64, 1, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _hash(features, offsets, shift, factors, keys):
    for i in range(len(keys)):
        key = uint64(0)
        for k in range(DIMENSIONS):
            key += ((uint64(features[i, k]) + offsets[k]) >> shift) * factors[k]
        keys[i] = key


def take_nearer(
    features: np.ndarray,
    targets: np.ndarray,
    others: np.ndarray,
    best: np.ndarray,
    least: np.ndarray,
    *,
    width: int,
    stride: int,
    nearest: float,
    zoom: float = 1.0,
) -> None:
    """Take, in place, other targets for those that they are more alike to than the best so far.

    Parameters
    ----------
    features : (rows, cols, 12) uint8
        Of every place of a field, which stands for one pixel in `stride` by `stride` of an image.
    targets : (n, 12) uint8
        Of the pixels of an image `width` pixels wide, row by row.
    others : (rows * cols,) int64
        Index of the target that each place is to be compared with.
    best : (rows * cols,) int64
        Index of its best target; changed.
    least : (rows * cols,) int32
        Squared difference of the features of the two; changed.
    nearest : float
        Targets closer than this many pixels of the first image are not taken.
    zoom : float
        How many target pixels one pixel of the image has become in each direction.

    Raises
    ------
    ParameterError
        For arrays of other shapes or types, or indices outside of the targets.
    """
    places = features.shape[0] * features.shape[1]
    for name, array, kind in (
        ("others", others, np.int64),
        ("best", best, np.int64),
        ("least", least, np.int32),
    ):
        if array.shape != (places,) or array.dtype != kind or not array.flags.c_contiguous:
            raise ParameterError(
                f"{name} must be {(places,)} {np.dtype(kind)}, got {array.shape}, {array.dtype}"
            )
    for name, array in (("features", features), ("targets", targets)):
        if array.shape[-1] != DIMENSIONS or array.dtype != np.uint8:
            raise ParameterError(
                f"{name} must be (..., {DIMENSIONS}) uint8, got {array.shape}, {array.dtype}"
            )
    if places and not 0 <= others.min() <= others.max() < len(targets):
        raise ParameterError(f"others must be 0 to {len(targets) - 1}")
    _take(
        np.ascontiguousarray(features),
        np.ascontiguousarray(targets),
        others,
        best,
        least,
        width,
        stride,
        1 / zoom,
        nearest * nearest,
    )


@njit(
    void(
        Array(uint8, 3, "C", readonly=True),
        Array(uint8, 2, "C", readonly=True),
        Array(int64, 1, "C", readonly=True),
        Array(int64, 1, "C"),
        Array(int32, 1, "C"),
        int64,
        int64,
        float64,
        float64,
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _take(features, targets, others, best, least, width, stride, back, near):
    i = 0
    for row in range(features.shape[0]):
        for col in range(features.shape[1]):
            other = others[i]
            down = (other // width + 0.5) * back - 0.5 - stride * row
            across = (other % width + 0.5) * back - 0.5 - stride * col
            if down * down + across * across >= near:
                total = int32(0)
                for k in range(DIMENSIONS):
                    miss = int32(features[row, col, k]) - int32(targets[other, k])
                    total += int32(miss * miss)
                if total < least[i]:
                    best[i], least[i] = other, total
            i += 1
