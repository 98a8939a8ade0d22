"""For every pixel, the most alike pixel elsewhere in the image, by search among neighbours' finds.

References
----------
.. [1] Barnes, C., Shechtman, E., Finkelstein, A. and Goldman, D. B. (2009). PatchMatch: a
   randomized correspondence algorithm for structural image editing. ACM TOG 28(3).
   DOI 10.1145/1531326.1531330
.. [2] Cozzolino, D., Poggi, G. and Verdoliva, L. (2015). Efficient dense-field copy-move forgery
   detection. IEEE TIFS 10(11), 2284-2297. DOI 10.1109/TIFS.2015.2455334 (first-order prediction)
.. [3] Rong, G. and Tan, T.-S. (2006). Jump flooding in GPU. ACM I3D. DOI 10.1145/1111411.1111431
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import boolean, cuda, float64, int32, int64, njit, void
from numba.types import Array, uint8

from forensix.errors import ParameterError
from forensix.native import device

DIMENSIONS = 12
# Steps up to this many pixels carry on trends as well.
SHORT = 3


def improve_matches(
    features: np.ndarray,
    matches: np.ndarray,
    differences: np.ndarray,
    *,
    steps: Sequence[int],
    stride: int = 1,
    nearest: float,
    seed: int = 0,
    targets: np.ndarray | None = None,
    zoom: float = 1.0,
    active: np.ndarray | None = None,
) -> None:
    """Improve, in place, which pixel each pixel is matched with.

    Every step is a sweep over one colour of a checkerboard and then over the other, so
    that pixels are independent of each other within it and the outcome does not depend on
    who runs it. A pixel tries what its neighbours at the distance of the step foretell, by
    keeping their shift and, for short steps, by carrying on their trend [2]_; in steps of 1
    also two random places near its best. Long steps carry a find across the image [3]_.

    Parameters
    ----------
    features : (rows, cols, 12) uint8
    matches : (rows / stride, cols / stride, 2) int32, rounded up
        Row and column of the match of pixel ``(stride * i, stride * j)``, inside the image; changed.
    differences : (rows / stride, cols / stride) int32
        Squared differences of the features of the two, or 2 ** 31 - 1 for a match that does not
        count yet; changed.
    steps : odd positive int
        In pixels of the field of matches.
    stride : int
        One row and one column in so many is matched, with any pixel.
    nearest : float
        Matches closer than this many pixels are never taken.
    seed : int
        Which random places are tried.
    targets : (target rows, target cols, 12) uint8, optional
        Features of a resized version of the image, which matches then lie in; of the image itself by default.
    zoom : float
        How many of its pixels one pixel of the image has become in each direction.
    active : (rows / stride, cols / stride) bool, rounded up, optional
        Only these are improved; all by default.

    Raises
    ------
    ParameterError
        For arrays of other shapes or types, or not C-contiguous, and for even steps.
    """
    targets = features if targets is None else targets
    _check(features, matches, differences, steps, stride)
    _check_targets(targets, zoom)
    active = np.ones(differences.shape, bool) if active is None else np.ascontiguousarray(active)
    if active.shape != differences.shape or active.dtype != bool:
        raise ParameterError(f"active must be {differences.shape} bool, got {active.shape}, {active.dtype}")
    run = _cuda if device.on_cuda() else _cpu
    near = int(np.ceil(nearest * nearest))
    run(features, targets, matches, differences, active, stride, float(zoom), tuple(steps), near, seed)


def _check_targets(targets: np.ndarray, zoom: float) -> None:
    if targets.ndim != 3 or targets.shape[2] != DIMENSIONS or targets.dtype != np.uint8:
        raise ParameterError(
            f"targets must be (rows, cols, {DIMENSIONS}) uint8, got {targets.shape}, {targets.dtype}"
        )
    if not targets.flags.c_contiguous:
        raise ParameterError("targets must be C-contiguous")
    if not 0.1 <= zoom <= 10:
        raise ParameterError(f"zoom must be 0.1 to 10, got {zoom}")


def _check(
    features: np.ndarray, matches: np.ndarray, differences: np.ndarray, steps: Sequence[int], stride: int
) -> None:
    shape = features.shape
    if stride < 1:
        raise ParameterError(f"stride must be positive, got {stride}")
    if features.ndim != 3 or shape[2] != DIMENSIONS or features.dtype != np.uint8:
        raise ParameterError(
            f"features must be (rows, cols, {DIMENSIONS}) uint8, got {shape}, {features.dtype}"
        )
    field = (-(-shape[0] // stride), -(-shape[1] // stride))
    if matches.shape != (*field, 2) or matches.dtype != np.int32:
        raise ParameterError(f"matches must be {(*field, 2)} int32, got {matches.shape}, {matches.dtype}")
    if differences.shape != field or differences.dtype != np.int32:
        raise ParameterError(
            f"differences must be {field} int32, got {differences.shape}, {differences.dtype}"
        )
    if not all(part.flags.c_contiguous for part in (features, matches, differences)):
        raise ParameterError("features, matches and differences must be C-contiguous")
    if any(step < 1 or step % 2 == 0 for step in steps):
        raise ParameterError(f"steps must be odd and positive, got {tuple(steps)}")


@njit(cache=True, nogil=True, error_model="numpy")
def _difference(features, targets, row, col, other_row, other_col):
    """Squared difference of the features of a pixel and of a target."""
    total = int32(0)
    for k in range(DIMENSIONS):
        miss = int32(int32(features[row, col, k]) - int32(targets[other_row, other_col, k]))
        total = int32(total + int32(miss * miss))
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _draw(state):
    """The next of a sequence of pseudo-random numbers, 0 to 2 ** 31 - 1."""
    return (state * 1103515245 + 12345) & 0x7FFFFFFF


@njit(cache=True, nogil=True, error_model="numpy")
def _improve(features, targets, matches, differences, stride, zoom, back, row, col, step, near, state):
    """One pixel's part of a sweep: the maths of both twins."""
    least = differences[row, col]
    if least == 0:
        return
    rows, cols = differences.shape
    tall, wide = targets.shape[0], targets.shape[1]
    here_row, here_col = stride * row, stride * col
    best_row, best_col = matches[row, col, 0], matches[row, col, 1]
    for trial in range(4 if step > SHORT else 8 if step > 1 else 10):
        if trial < 8:
            side = trial % 4
            down = step * (1 - side) if side % 2 == 0 else 0
            across = step * (2 - side) if side % 2 == 1 else 0
            at_row, at_col = row + down, col + across
            if at_row < 0 or at_row >= rows or at_col < 0 or at_col >= cols:
                continue
            new_row, new_col = matches[at_row, at_col, 0], matches[at_row, at_col, 1]
            if trial < 4:
                new_row -= math.floor(zoom * stride * down + 0.5)
                new_col -= math.floor(zoom * stride * across + 0.5)
            else:
                far_row, far_col = row + 3 * down, col + 3 * across
                if far_row < 0 or far_row >= rows or far_col < 0 or far_col >= cols:
                    continue
                new_row = (3 * new_row - matches[far_row, far_col, 0]) >> 1
                new_col = (3 * new_col - matches[far_row, far_col, 1]) >> 1
        else:
            reach = 2 if trial == 8 else 40
            state = _draw(state)
            new_row = best_row + (((state >> 11) * (2 * reach + 1)) >> 20) - reach
            state = _draw(state)
            new_col = best_col + (((state >> 11) * (2 * reach + 1)) >> 20) - reach
        if new_row < 0 or new_row >= tall or new_col < 0 or new_col >= wide:
            continue
        if new_row == best_row and new_col == best_col:
            continue
        far_down = (new_row + 0.5) * back - 0.5 - here_row
        far_across = (new_col + 0.5) * back - 0.5 - here_col
        if far_down * far_down + far_across * far_across < near:
            continue
        miss = _difference(features, targets, here_row, here_col, new_row, new_col)
        if miss < least:
            best_row, best_col, least = new_row, new_col, miss
    matches[row, col, 0], matches[row, col, 1] = best_row, best_col
    differences[row, col] = least


@njit(cache=True, nogil=True, error_model="numpy")
def _first_state(row, col, sweep, seed):
    """Where a pixel's own sequence of pseudo-random numbers begins in one sweep."""
    mixed = (row * 73856093 + col * 19349663 + sweep * 83492791 + seed * 49979687) & 0x7FFFFFFF
    return _draw(mixed ^ (mixed >> 15))


@njit(
    void(
        Array(uint8, 3, "C", readonly=True),
        Array(uint8, 3, "C", readonly=True),
        Array(int32, 3, "C"),
        Array(int32, 2, "C"),
        Array(boolean, 2, "C", readonly=True),
        int64,
        float64,
        int64,
        int64,
        int64,
        int64,
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _cpu_sweep(features, targets, matches, differences, active, stride, zoom, step, sweep, near, seed):
    rows, cols = differences.shape
    back = 1 / zoom
    for row in range(rows):
        for col in range((row + sweep) % 2, cols, 2):
            if active[row, col]:
                state = _first_state(row, col, sweep, seed)
                _improve(
                    features, targets, matches, differences, stride, zoom, back, row, col, step, near, state
                )


def _cpu(features, targets, matches, differences, active, stride, zoom, steps, near, seed) -> None:
    for sweep, step in enumerate(np.repeat(steps, 2)):
        _cpu_sweep(
            features, targets, matches, differences, active, stride, zoom, int(step), sweep, near, seed
        )


def _cuda_grid(
    features, targets, matches, differences, active, stride, zoom, step, sweep, near, seed
) -> None:
    row, half = cuda.grid(2)
    col = 2 * half + (row + sweep) % 2
    if row < differences.shape[0] and col < differences.shape[1] and active[row, col]:
        state = _first_state(row, col, sweep, seed)
        back = 1 / zoom
        _improve(features, targets, matches, differences, stride, zoom, back, row, col, step, near, state)


def _cuda(features, targets, matches, differences, active, stride, zoom, steps, near, seed) -> None:
    grid = cuda.jit(_cuda_grid)
    threads = (8, 32)
    blocks = (-(-differences.shape[0] // threads[0]), -(-((differences.shape[1] + 1) // 2) // threads[1]))
    held = tuple(cuda.to_device(array) for array in (features, targets, matches, differences, active))
    for sweep, step in enumerate(np.repeat(steps, 2)):
        grid[blocks, threads](*held, stride, zoom, int(step), sweep, near, seed)
    held[2].copy_to_host(matches)
    held[3].copy_to_host(differences)
