"""Averages over pixel windows, for values known per 8 x 8 cell."""

from __future__ import annotations

import numpy as np

from forensix.signal.block_dct import SIDE


def box_average(blocks: np.ndarray, window: int) -> np.ndarray:
    """Mean over a square of `window` pixels around each block's centre.

    blocks : (rows, cols), one value per 8 x 8 block; neighbours count by the part of
    them that the square covers, and outside the picture nothing counts.
    """
    from scipy import ndimage

    reach = max(0.0, (window - SIDE) / (2 * SIDE))
    weights = np.ones(2 * int(np.ceil(reach)) + 1)
    if reach > int(reach):
        weights[[0, -1]] = reach - int(reach)
    total, covered = blocks.astype(np.float64), np.ones(blocks.shape)
    for axis in (0, 1):
        total = ndimage.correlate1d(total, weights, axis=axis, mode="constant")
        covered = ndimage.correlate1d(covered, weights, axis=axis, mode="constant")
    mean: np.ndarray = total / covered
    return mean
