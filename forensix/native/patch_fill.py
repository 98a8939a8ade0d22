"""The two inner loops of exemplar-based filling: matching patches, and voting with them."""

from __future__ import annotations

import numpy as np
from numba import njit

from forensix.errors import ParameterError


def match_sweep(
    image: np.ndarray,
    targets: np.ndarray,
    usable: np.ndarray,
    field: np.ndarray,
    cost: np.ndarray,
    *,
    radius: int,
    seed: int,
    backwards: bool,
    apart: int = 0,
) -> None:
    """One PatchMatch sweep: propagation and random search, in scan order or against it.

    Changes `field` and `cost` where a better match is found.

    Parameters
    ----------
    image : (rows, cols, 3) float32
        The picture with its present filling.
    targets : (count, 2) int32
        Rows and columns of the patch centres to match, in scan order, each at
        least `radius` from every edge.
    usable : (rows, cols) bool
        Where a source patch may be centred: inside the picture by `radius`, and
        nowhere touching the hole.
    field : (rows, cols, 2) int32
        Centre of the present best match of each target; usable everywhere that
        a target is.
    cost : (rows, cols) float32
        Its sum of squared differences; infinity for "not computed yet".
    radius : int
        Half the side of a patch: 3 means 7 x 7.
    seed : int
        Of the random search. Every sweep needs its own.
    backwards : bool
        Visit the targets last to first, and propagate from below and right.
    apart : int
        How far a match must be from its target at least, in rows or in columns; for
        targets that are usable themselves.

    Raises
    ------
    ParameterError
        If an array has another type or shape than the above.

    References
    ----------
    Barnes, Shechtman, Finkelstein, Goldman, "PatchMatch: a randomized correspondence
    algorithm for structural image editing", ACM TOG 28(3), 2009.
    https://doi.org/10.1145/1531326.1531330
    """
    _check(image, targets, field, cost)
    if usable.dtype != np.bool_ or usable.shape != image.shape[:2]:
        raise ParameterError("usable must be a bool array of the size of the picture")
    _sweep(image, targets, usable, field, cost, radius, np.uint64(seed), backwards, apart)


def vote(
    image: np.ndarray,
    hole: np.ndarray,
    targets: np.ndarray,
    field: np.ndarray,
    cost: np.ndarray,
    *,
    radius: int,
    spread: float,
) -> None:
    """Replace the hole by what its patches' matches say, nearest matches first.

    Every patch over a pixel proposes the colour at the same place of its match,
    weighted by ``exp(-cost / spread)`` after the best of them is taken off, so that
    weights cannot all vanish. Changes `image` inside `hole` only.

    Parameters
    ----------
    image, targets, field, cost, radius : as in :func:`match_sweep`
    hole : (rows, cols) bool
    spread : float
        Of the weights, in units of cost; a small one copies, a large one averages.

    References
    ----------
    Wexler, Shechtman, Irani, "Space-time completion of video", IEEE TPAMI 29(3), 2007.
    https://doi.org/10.1109/TPAMI.2007.60
    """
    _check(image, targets, field, cost)
    if hole.dtype != np.bool_ or hole.shape != image.shape[:2]:
        raise ParameterError("hole must be a bool array of the size of the picture")
    if not spread > 0:
        raise ParameterError(f"spread must be positive, got {spread}")
    _vote(image, image.copy(), hole, targets, field, cost, radius, np.float32(1.0 / spread))


def _check(image: np.ndarray, targets: np.ndarray, field: np.ndarray, cost: np.ndarray) -> None:
    rows, cols = image.shape[:2]
    if image.dtype != np.float32 or image.shape != (rows, cols, 3):
        raise ParameterError(f"image must be (rows, cols, 3) float32, got {image.shape} {image.dtype}")
    if targets.dtype != np.int32 or targets.ndim != 2 or targets.shape[1] != 2:
        raise ParameterError("targets must be (count, 2) int32")
    if field.dtype != np.int32 or field.shape != (rows, cols, 2):
        raise ParameterError("field must be (rows, cols, 2) int32")
    if cost.dtype != np.float32 or cost.shape != (rows, cols):
        raise ParameterError("cost must be (rows, cols) float32")


@njit(cache=True, nogil=True, error_model="numpy")
def _difference(
    image: np.ndarray, row: int, col: int, other_row: int, other_col: int, radius: int, limit: float
) -> np.float32:
    """Sum of squared differences of two patches, given up once above `limit`."""
    total = np.float32(0.0)
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            for k in range(3):
                step = image[row + i, col + j, k] - image[other_row + i, other_col + j, k]
                total += step * step
        if total >= limit:
            return total
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep(
    image: np.ndarray,
    targets: np.ndarray,
    usable: np.ndarray,
    field: np.ndarray,
    cost: np.ndarray,
    radius: int,
    seed: int,
    backwards: bool,
    apart: int,
) -> None:
    rows, cols = usable.shape
    count = targets.shape[0]
    step = -1 if backwards else 1
    state = seed * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
    for index in range(count):
        row, col = targets[count - 1 - index if backwards else index]
        best = cost[row, col]
        if best == np.inf:
            best = _difference(image, row, col, field[row, col, 0], field[row, col, 1], radius, np.inf)
        # Propagation: the neighbour visited before, moved along by one pixel.
        for axis in range(2):
            from_row = row - step if axis == 0 else row
            from_col = col - step if axis == 1 else col
            if from_row < 0 or from_row >= rows or from_col < 0 or from_col >= cols:
                continue
            to_row = field[from_row, from_col, 0] + (row - from_row)
            to_col = field[from_row, from_col, 1] + (col - from_col)
            if (
                0 <= to_row < rows
                and 0 <= to_col < cols
                and usable[to_row, to_col]
                and max(abs(to_row - row), abs(to_col - col)) >= apart
            ):
                found = _difference(image, row, col, to_row, to_col, radius, best)
                if found < best:
                    best = found
                    field[row, col, 0] = to_row
                    field[row, col, 1] = to_col
        # Random search around the best match, in windows that halve.
        reach = max(rows, cols)
        while reach >= 1:
            # xorshift64: a random stream that no other code can disturb.
            state ^= state << np.uint64(13)
            state ^= state >> np.uint64(7)
            state ^= state << np.uint64(17)
            width = np.uint64(2 * reach + 1)
            to_row = field[row, col, 0] + np.int64((state >> np.uint64(33)) % width) - reach
            to_col = field[row, col, 1] + np.int64((state & np.uint64(0x7FFFFFFF)) % width) - reach
            if (
                0 <= to_row < rows
                and 0 <= to_col < cols
                and usable[to_row, to_col]
                and max(abs(to_row - row), abs(to_col - col)) >= apart
            ):
                found = _difference(image, row, col, to_row, to_col, radius, best)
                if found < best:
                    best = found
                    field[row, col, 0] = to_row
                    field[row, col, 1] = to_col
            reach //= 2
        cost[row, col] = best


@njit(cache=True, nogil=True, error_model="numpy")
def _vote(
    image: np.ndarray,
    before: np.ndarray,
    hole: np.ndarray,
    targets: np.ndarray,
    field: np.ndarray,
    cost: np.ndarray,
    radius: int,
    rate: float,
) -> None:
    rows, cols = hole.shape
    # Patches centred near an edge are no targets: they have no match and no vote.
    has_vote = np.zeros((rows, cols), np.bool_)
    for index in range(targets.shape[0]):
        has_vote[targets[index, 0], targets[index, 1]] = True
    for row in range(rows):
        for col in range(cols):
            if not hole[row, col]:
                continue
            least = np.float32(np.inf)
            for i in range(max(0, row - radius), min(rows, row + radius + 1)):
                for j in range(max(0, col - radius), min(cols, col + radius + 1)):
                    if has_vote[i, j]:
                        least = min(least, cost[i, j])
            weight_sum = np.float32(0.0)
            red = green = blue = np.float32(0.0)
            for i in range(max(0, row - radius), min(rows, row + radius + 1)):
                for j in range(max(0, col - radius), min(cols, col + radius + 1)):
                    if has_vote[i, j]:
                        weight = np.exp((least - cost[i, j]) * rate)
                        from_row = field[i, j, 0] + row - i
                        from_col = field[i, j, 1] + col - j
                        red += weight * before[from_row, from_col, 0]
                        green += weight * before[from_row, from_col, 1]
                        blue += weight * before[from_row, from_col, 2]
                        weight_sum += weight
            if weight_sum > 0:
                image[row, col, 0] = red / weight_sum
                image[row, col, 1] = green / weight_sum
                image[row, col, 2] = blue / weight_sum
