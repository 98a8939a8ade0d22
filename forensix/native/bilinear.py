"""A picture between its pixels."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def bilinear(plane: np.ndarray, row: np.float32, col: np.float32) -> np.float32:
    """The value of a (rows, cols) float32 plane at a place within it: 0 to rows - 1, 0 to cols - 1."""
    top, left = int(row), int(col)
    low, right = min(top + 1, plane.shape[0] - 1), min(left + 1, plane.shape[1] - 1)
    down, over = row - np.float32(top), col - np.float32(left)
    upper = plane[top, left] + (plane[top, right] - plane[top, left]) * over
    lower = plane[low, left] + (plane[low, right] - plane[low, left]) * over
    return upper + (lower - upper) * down
