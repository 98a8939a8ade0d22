"""Windows in which a pattern should show and does not, counted against chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDES = (4, 6, 8, 12, 16, 24, 32)  # cells, of the windows looked at
OVERLAP = 10.0  # windows that tell independently, for each that fits beside the others
LEVELS = (3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0)  # standard deviations a window may have to be able to reach
NEARLY = 1.5  # standard deviations below the worst window that still belong to it


@dataclass(frozen=True)
class Windows:
    """All windows of one size; arrays are (rows, cols), by the first cell.

    side : cells
    strength : by how many standard deviations the pattern falls short of what the
        predictor expects; what is found is taken as 0 where it is less, since a pattern
        cannot be more than missing
    utmost : the strength there would be if nothing at all were found
    """

    side: int
    strength: np.ndarray
    utmost: np.ndarray


def window_sums(values: np.ndarray, side: int) -> np.ndarray:
    """(rows - side + 1, cols - side + 1): sums over all windows of side x side cells."""
    whole = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    whole[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    return whole[side:, side:] - whole[:-side, side:] - whole[side:, :-side] + whole[:-side, :-side]


@dataclass(frozen=True)
class Verdict:
    """What the windows say together.

    false_alarms : log10 of how many windows as bad as the worst chance would give in a
        photo that is whole; None where no window could ever tell
    decided : (rows, cols) bool, the cells of windows that chance hardly gives
    tested : how many independent windows could have told
    able : standard deviations a window must be able to reach to be one of those
    """

    false_alarms: float | None
    decided: np.ndarray
    tested: float
    able: float


def verdict(windows: list[Windows], shape: tuple[int, int], *, decision: float) -> Verdict:
    """Decide by the number of false alarms, over the windows that could have told.

    A window in which even nothing at all would not be significant cannot raise a false
    alarm, so that it is not counted (Tarone's correction).

    Parameters
    ----------
    decision : log10 of the number of false alarms from which on to decide

    References
    ----------
    R. E. Tarone, "A modified Bonferroni method for discrete data", Biometrics 46(2), 1990,
    doi 10.2307/2531456.
    """
    from scipy.special import log_ndtr

    decided = np.zeros(shape, bool)
    able, tested = LEVELS[-1], 0.0
    for able in LEVELS:
        tested = sum(OVERLAP / w.side**2 * float(np.count_nonzero(w.utmost >= able)) for w in windows)
        if np.log10(max(tested, 1)) + log_ndtr(-able) / np.log(10) <= decision:
            break
    if tested == 0:
        return Verdict(None, decided, 0.0, able)
    spots = [(w, np.where(w.utmost >= able, w.strength, -np.inf)) for w in windows]
    worst = max(float(strength.max()) for _, strength in spots)
    trials = np.log10(max(tested, 1))
    false_alarms = float(min(trials, trials + log_ndtr(-worst) / np.log(10)))
    if false_alarms > decision:
        return Verdict(false_alarms, decided, tested, able)
    found = [
        (float(strength[row, col]), w.side, int(row), int(col))
        for w, strength in spots
        for row, col in zip(*np.nonzero(strength > worst - NEARLY), strict=True)
        if trials + log_ndtr(-strength[row, col]) / np.log(10) <= decision
    ]
    for _, side, row, col in sorted(found, reverse=True):
        window = decided[row : row + side, col : col + side]
        if window.mean() < 0.25:
            window[:] = True
    return Verdict(false_alarms, decided, tested, able)
