"""Circular cross-correlation and the peak-to-correlation energy on the torus."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from forensix.errors import ParameterError

REACH = 5  # the peak's neighbourhood is 11 x 11
GRID = 8  # pixels, side of JPEG's blocks
LEAST_SIDE = 2 * (2 * REACH + 1)  # pixels


@dataclass(frozen=True)
class Peak:
    """A place of a correlation surface.

    pce : signed peak-to-correlation energy
    row, col : the shift
    """

    pce: float
    row: int
    col: int


def cross_correlation(pattern: np.ndarray, fingerprint: np.ndarray) -> np.ndarray:
    """Correlate a pattern with a fingerprint of its size or larger, at every shift on the torus.

    Parameters
    ----------
    pattern : (rows, cols) real
        Filled up with zeros to the size of the fingerprint.
    fingerprint : (Rows, Cols) real

    Returns
    -------
    (Rows, Cols) float32
        At ``[r, c]``, the sum of ``pattern[i, j] * fingerprint[i + r, j + c]``, indices
        modulo the size.

    Raises
    ------
    ParameterError
        When the pattern is larger than the fingerprint, or that is under 22 pixels a side.
    """
    from scipy import fft

    if pattern.ndim != 2 or fingerprint.ndim != 2 or np.greater(pattern.shape, fingerprint.shape).any():
        raise ParameterError(f"a pattern of {pattern.shape} does not fit into {fingerprint.shape}")
    if min(fingerprint.shape) < LEAST_SIDE:
        raise ParameterError(
            f"a fingerprint has at least {LEAST_SIDE} pixels a side, got {fingerprint.shape}"
        )
    size = fingerprint.shape
    spectrum = fft.rfft2(np.asarray(fingerprint, np.float32))
    spectrum *= np.conj(fft.rfft2(np.asarray(pattern, np.float32), s=size))
    surface: np.ndarray = fft.irfft2(spectrum, s=size)
    return surface


def excess_energy(pattern: np.ndarray, fingerprint: np.ndarray, peak: Peak) -> float:
    """How many times the variance of the correlation at a shift is that at an average one.

    Where the strongest parts of a pattern lie over the strongest of a fingerprint, chance
    makes higher peaks: a few textured photos leave their edges in a fingerprint.

    Parameters
    ----------
    pattern, fingerprint : as for :func:`cross_correlation`
    peak : a shift at which the pattern lies inside the fingerprint
    """
    rows, cols = pattern.shape
    under = fingerprint[peak.row : peak.row + rows, peak.col : peak.col + cols]
    both = float(np.einsum("ij,ij,ij,ij->", pattern, pattern, under, under, dtype=np.float64))
    apart = float(
        np.sum(np.square(pattern, dtype=np.float64)) * np.mean(np.square(fingerprint, dtype=np.float64))
    )
    return both / apart if apart > 0 else 1.0


class Surface:
    """Peaks of one correlation surface, each judged against all that is not near it."""

    def __init__(self, values: np.ndarray) -> None:
        if values.ndim != 2 or min(values.shape) < LEAST_SIDE:
            raise ParameterError(f"a surface has at least {LEAST_SIDE} shifts a side, got {values.shape}")
        self.values = values
        self.energy = float(np.sum(np.square(values, dtype=np.float64)))

    def at(self, row: int, col: int) -> Peak:
        """The signed peak-to-correlation energy of one shift.

        The square of the value over the mean square outside the 11 x 11 shifts around
        it (which wrap around), with the sign of the value; 0 where all is 0.
        """
        rows, cols = self.values.shape
        near = self.values[np.ix_((row + _AROUND) % rows, (col + _AROUND) % cols)]
        outside = self.energy - float(np.sum(np.square(near, dtype=np.float64)))
        mean = outside / (self.values.size - near.size)
        value = float(self.values[row % rows, col % cols])
        # What rounding leaves of an empty surface is not noise to compare with.
        pce = (
            value * abs(value) / mean
            if mean > 1e-12 * value**2
            else math.copysign(1e12, value) * (value != 0)
        )
        return Peak(pce, row % rows, col % cols)

    def chance(self, peak: Peak, trials: int, *, excess: float = 1.0) -> float:
        """log10 of how many of so many shifts would by chance be as high as a peak.

        What JPEG left in both pictures correlates most at multiples of its 8 x 8 blocks, so
        a peak is also held against the shifts that lie to it as block lies to block.

        excess : how many times the variance at this shift is that at others, by the energy
            of what lies over each other there, see :func:`excess_energy`
        """
        alike = self.values[peak.row % GRID :: GRID, peak.col % GRID :: GRID]
        square = float(self.values[peak.row, peak.col]) ** 2
        others = (float(np.sum(np.square(alike, dtype=np.float64))) - square) / max(1, alike.size - 1)
        ratio = square / others if others > 1e-12 * square else abs(peak.pce)
        least = min(abs(peak.pce), ratio) / max(excess, 1.0)
        return log10_chance(math.copysign(least, peak.pce), trials)

    def highest(self, rows: int, cols: int, *, besides: Peak | None = None) -> Peak:
        """The highest peak among the first rows x cols shifts, outside the neighbourhood of another."""
        values = self.values[:rows, :cols]
        if besides is not None:
            values = values.copy()
            near = np.ix_(
                (besides.row + _AROUND) % self.values.shape[0], (besides.col + _AROUND) % self.values.shape[1]
            )
            inside = np.zeros(self.values.shape, bool)
            inside[near] = True
            values[inside[:rows, :cols]] = -np.inf
        row, col = np.unravel_index(int(np.argmax(values)), values.shape)
        return self.at(int(row), int(col))


_AROUND = np.arange(-REACH, REACH + 1)


def log10_chance(pce: float, trials: int) -> float:
    """log10 of how many of so many shifts of pure noise would reach a peak-to-correlation energy.

    Each value of the surface is taken as Gaussian; at most 0 for one trial.
    """
    if pce <= 0:
        return math.log10(trials)
    z = math.sqrt(pce)
    tail = (
        math.log10(math.erfc(z / math.sqrt(2)) / 2)
        if z < 35
        else -(z**2) / 2 / math.log(10) - math.log10(z * 2.5)
    )
    return math.log10(trials) + tail
