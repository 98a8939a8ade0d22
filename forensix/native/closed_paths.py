"""The best closed path about a centre, by dynamic programming in polar coordinates."""

from __future__ import annotations

import numpy as np
from numba import njit, void
from numba.types import Array, float32, float64, int16

from forensix.errors import ParameterError
from forensix.native.bilinear import bilinear

REACH = 2  # radii that a path may move from one direction to the next


def closed_paths(
    field: np.ndarray, centres: np.ndarray, radii: np.ndarray, *, turns: int, bend: float, outside: float
) -> tuple[np.ndarray, np.ndarray]:
    """Follow, about each centre, the closed path along which a field is highest.

    A path has one radius for each of `turns` directions and moves by at most two radii between
    neighbouring ones, at a cost. It is followed twice around, and the middle of that is kept, so
    that it closes or nearly so.

    Parameters
    ----------
    field : (rows, cols) float32, finite
    centres : (n, 2) float32
        Row and column, cells.
    radii : (k,) float32
        Rising, cells.
    bend : float
        Taken off for each radius that the path moves.
    outside : float
        What the field counts where the path leaves it.

    Returns
    -------
    paths : (n, turns) int16
        Which radius, by direction: the first to the right, the next ones downwards.
    sums : (n, turns) float32
        The field along the path.

    Raises
    ------
    ParameterError
        On shapes that do not fit, or a field that is not finite.
    """
    field, centres, radii = (np.ascontiguousarray(a, np.float32) for a in (field, centres, radii))
    if field.ndim != 2 or field.size == 0 or not np.isfinite(field).all():
        raise ParameterError(f"field must be 2-D, finite and not empty, got {field.shape}")
    if centres.ndim != 2 or centres.shape[1] != 2 or radii.ndim != 1 or not radii.size or turns < 1:
        raise ParameterError("centres are (n, 2), and there is at least one radius and one direction")
    if not (np.isfinite(centres).all() and np.isfinite(radii).all()):
        raise ParameterError("centres and radii must be finite")
    paths = np.empty((len(centres), turns), np.int16)
    along = np.empty((len(centres), turns), np.float32)
    _loop(field, centres, radii, float(bend), float(outside), paths, along)
    return paths, along


@njit(cache=True, nogil=True, error_model="numpy")
def _value(field: np.ndarray, row: np.float32, col: np.float32, outside: float) -> np.float32:
    """Bilinear; `outside` beyond the field."""
    rows, cols = field.shape
    if row < 0 or col < 0 or row > rows - 1 or col > cols - 1:
        return np.float32(outside)
    return bilinear(field, row, col)


@njit(cache=True, nogil=True, error_model="numpy")
def _step(
    before: np.ndarray, values: np.ndarray, once: float, twice: float, total: np.ndarray, moves: np.ndarray
) -> None:
    """One direction further: of the five radii that a path may come from the best. No branches: it runs in lanes."""
    for k in range(total.size):
        best, move = before[k + 2], np.int8(0)
        reached = before[k + 1] - once
        best, move = (reached, np.int8(-1)) if reached > best else (best, move)
        reached = before[k + 3] - once
        best, move = (reached, np.int8(1)) if reached > best else (best, move)
        reached = before[k] - twice
        best, move = (reached, np.int8(-2)) if reached > best else (best, move)
        reached = before[k + 4] - twice
        best, move = (reached, np.int8(2)) if reached > best else (best, move)
        total[k] = best + values[k]
        moves[k] = move


@njit(
    void(
        Array(float32, 2, "C", readonly=True),
        Array(float32, 2, "C", readonly=True),
        Array(float32, 1, "C", readonly=True),
        float64,
        float64,
        int16[:, ::1],
        float32[:, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _loop(
    field: np.ndarray,
    centres: np.ndarray,
    radii: np.ndarray,
    bend: float,
    outside: float,
    paths: np.ndarray,
    along: np.ndarray,
) -> None:
    turns, count = paths.shape[1], radii.size
    once, twice = np.float32(bend), np.float32(2 * bend)
    polar = np.empty((turns, count), np.float32)
    moves = np.empty((2 * turns, count), np.int8)
    # Two more on both sides, which no path comes from.
    before = np.empty(count + 2 * REACH, np.float32)
    total = np.empty(count, np.float32)
    for centre in range(centres.shape[0]):
        for turn in range(turns):
            down, right = (
                np.float32(np.sin(2 * np.pi * turn / turns)),
                np.float32(np.cos(2 * np.pi * turn / turns)),
            )
            for k in range(count):
                row, col = centres[centre, 0] + radii[k] * down, centres[centre, 1] + radii[k] * right
                polar[turn, k] = _value(field, row, col, outside)
        for k in range(count + 2 * REACH):
            before[k] = np.float32(-np.inf) if k < REACH or k >= count + REACH else np.float32(0)
        for step in range(2 * turns):
            _step(before, polar[step % turns], once, twice, total, moves[step])
            for k in range(count):
                before[k + REACH] = total[k]
        at = 0
        for k in range(1, count):
            at = k if total[k] > total[at] else at
        for step in range(2 * turns - 1, -1, -1):
            if turns // 2 <= step < turns // 2 + turns:
                paths[centre, step % turns] = at
                along[centre, step % turns] = polar[step % turns, at]
            at += moves[step, at]
