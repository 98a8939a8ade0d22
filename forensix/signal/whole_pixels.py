"""Copies that were moved by whole pixels, not resampled: what an editor's paste does unless it is told otherwise."""

from __future__ import annotations

import numpy as np

from forensix.signal.affine import apply

# How far a linear part may be from a turn by a multiple of 90 degrees, mirrored or not, to be tried as one.
NEAR = 0.25
# Whole shifts around the given one that are tried, pixels in each direction.
REACH = 2
LIMIT = 2_000


def snapped(image: np.ndarray, transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The whole-pixel transformation next to the given one, where the image agrees with it no worse.

    A copy that was pasted without turning or scaling agrees with itself at whole shifts, to
    the last bit before it is compressed; a fitted transformation only comes near that.

    Parameters
    ----------
    image : (rows, cols) float32
    transform : (2, 3) float64
    points : (n, 2), (row, col) of the source; rounded to pixels, at most 2000 are looked at

    Returns
    -------
    (2, 3) float64
        A turn by a multiple of 90 degrees, perhaps mirrored, and a whole shift; or the given one.
    """
    linear = np.rint(transform[:, :2])
    if np.abs(linear @ linear.T - np.eye(2)).max() > 0 or np.abs(linear - transform[:, :2]).max() > NEAR:
        return transform
    start = np.unique(np.rint(points[:: max(1, len(points) // LIMIT)]).astype(np.int64), axis=0)
    shift = np.rint(np.median(apply(transform, start.astype(np.float64)) - start @ linear.T, axis=0))
    around = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1].reshape(2, -1).T
    shape = np.array(image.shape)
    moved = (start @ linear.T + shift).astype(np.int64)
    usable = ((start >= 0) & (start < shape)).all(axis=1)
    usable &= ((moved >= REACH) & (moved < shape - REACH)).all(axis=1)
    start, moved = start[usable], moved[usable]
    if len(start) < 16:
        return transform
    here = image[start[:, 0], start[:, 1]]
    # Through one flat index: the same pixels of every shift at once.
    flat = moved[:, 0] * shape[1] + moved[:, 1] + (around @ np.array([shape[1], 1]))[:, None]
    misses = _spread(here - image.ravel()[flat])
    best = int(np.argmin(misses))
    if misses[best] > _spread(here - _seen(image, apply(transform, start.astype(np.float64)))):
        return transform
    return np.c_[linear, shift + around[best]]


def _spread(miss: np.ndarray) -> np.ndarray:
    """How far the differences along the last axis are from being one offset: their mean distance from the middle one."""
    middle = miss.shape[-1] // 2
    return np.asarray(np.abs(miss - np.partition(miss, middle)[..., middle, None]).mean(axis=-1))


def _seen(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Grey values at points between pixels, bicubic."""
    import cv2

    # cv2.remap wants maps less than 32768 long; there are at most 2 * LIMIT points.
    row, col = points.astype(np.float32).T[:, None]
    return np.asarray(cv2.remap(image, col, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)[0])
