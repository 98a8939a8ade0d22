"""How a coefficient is spread over its bins when it was quantized once, or twice."""

from __future__ import annotations

import numpy as np
from numba import njit, void
from numba.types import Array, float64, int64

from forensix.errors import ParameterError


def quantized_twice(
    cumulative: np.ndarray,
    row: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    noise: np.ndarray,
    *,
    bins: int,
) -> np.ndarray:
    """Probability of every absolute quantized value, for many pairs of steps at once.

    A coefficient u, symmetric about 0, is quantized with the first step, decoded to
    pixels and back (which adds noise), and quantized with the second step.

    Parameters
    ----------
    cumulative : (densities, points) float64
        ``cumulative[d, i]`` is P(|u| <= i / 2) under density d; the last point is
        taken for everything beyond.
    row, first, second : (cases,) int
        Density, first step (0: never quantized before) and second step of each case.
    noise : (2 * reach + 1,) float64
        ``noise[reach + i]`` is P(noise <= i / 2); 0 before, 1 beyond.
    bins : int
        Number of absolute values 0 to bins - 1.

    Returns
    -------
    (cases, bins) float64
        P(|quantized| = n). What falls beyond the last bin is not counted.

    Raises
    ------
    ParameterError
        On shapes that do not fit or steps that are not positive.
    """
    row, first, second = (np.ascontiguousarray(values, np.int64) for values in (row, first, second))
    if not (row.ndim == 1 and row.shape == first.shape == second.shape):
        raise ParameterError("row, first and second must be vectors of one length")
    if cumulative.ndim != 2 or noise.ndim != 1 or noise.size % 2 == 0 or bins < 1:
        raise ParameterError("cumulative is 2-D, noise has an odd length, and there is at least one bin")
    if row.size and (row.min() < 0 or row.max() >= len(cumulative) or first.min() < 0 or second.min() < 1):
        raise ParameterError("a case names a density that is not there, or a step that is not positive")
    mass = np.empty((row.size, bins), np.float64)
    cases = np.stack([row, first, second], axis=1)
    _loop(np.ascontiguousarray(cumulative, np.float64), cases, np.ascontiguousarray(noise, np.float64), mass)
    return mass


@njit(cache=True, nogil=True, error_model="numpy")
def _at(values: np.ndarray, index: int) -> float:
    """A distribution function at `index`: 0 before the first point, the last beyond."""
    if index < 0:
        return 0.0
    return float(values[min(index, values.size - 1)])


@njit(cache=True, nogil=True, error_model="numpy")
def _spread(cumulative: np.ndarray, first: int, second: int, noise: np.ndarray, mass: np.ndarray) -> None:
    """One case. All edges of bins and cells are multiples of 1/2, so nothing is interpolated."""
    bins = mass.size
    if first == 0:
        mass[0] = _at(cumulative, second)
        for n in range(1, bins):
            mass[n] = _at(cumulative, (2 * n + 1) * second) - _at(cumulative, (2 * n - 1) * second)
        return
    for n in range(bins):
        mass[n] = 0.0
    reach = noise.size // 2
    k = 0
    while 2 * k * first - reach <= (2 * bins - 1) * second and (2 * k - 1) * first < cumulative.size:
        below = _at(cumulative, (2 * k - 1) * first) if k > 0 else 0.0
        cell = _at(cumulative, (2 * k + 1) * first) - below
        peak = 2 * k * first
        lowest = (peak - reach + second) // (2 * second)
        highest = (peak + reach + second) // (2 * second)
        for n in range(lowest, highest + 1):
            if abs(n) < bins:
                upper = _at(noise, (2 * n + 1) * second - peak + reach)
                mass[abs(n)] += cell * (upper - _at(noise, (2 * n - 1) * second - peak + reach))
        k += 1


@njit(
    void(
        Array(float64, 2, "C", readonly=True),
        Array(int64, 2, "C", readonly=True),
        Array(float64, 1, "C", readonly=True),
        float64[:, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _loop(cumulative: np.ndarray, cases: np.ndarray, noise: np.ndarray, mass: np.ndarray) -> None:
    for case in range(len(cases)):
        row, first, second = cases[case]
        _spread(cumulative[row], first, second, noise, mass[case])
