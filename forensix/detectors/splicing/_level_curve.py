"""Which curve emptied levels of a whole picture: an exponent (gamma) or a straight stretch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensix.detectors.splicing._level_cells import LEVELS, expected_counts

LEAST_EXPECTED = 30.0  # pixels, at a level that counts as empty
STILL_EMPTY = 0.02  # of the pixels expected
LEAST_EMPTY = 3  # levels in one channel, from which on the picture counts as stretched
LEAST_MATCH = 0.75  # of the levels empty by either, that are so by both; programs round halves differently
EXPONENTS = np.round(np.arange(0.30, 3.005, 0.01), 2)
STRAIGHT = range(0, 101, 1)  # levels cut off at either end by a straight stretch
HIGH = 112  # least frequency of what the paper calls high, of 128


@dataclass(frozen=True)
class LevelCurve:
    """What is known of a change of the levels of the whole picture.

    empty : how many levels of each channel are empty between filled ones
    judged : how many could be, of each channel
    exponent : of a power of the levels (gamma) that leaves just these empty; None where none does
    ends : lowest and highest level of a straight stretch to 0-255 that does; None where none does
    match : share of the levels empty by either that are so by both the picture and the curve
    high_frequencies : of each channel, the mean magnitude of the histogram's highest
        frequencies (112 to 128 cycles in 256 levels) of that at frequency 0
    """

    empty: tuple[int, ...]
    judged: tuple[int, ...]
    exponent: float | None
    ends: tuple[int, int] | None
    match: float
    high_frequencies: tuple[float, ...]

    @property
    def stretched(self) -> bool:
        return max(self.empty) >= LEAST_EMPTY


def level_curve(whole: Sequence[np.ndarray], fresh: Sequence[np.ndarray]) -> LevelCurve:
    """Empty levels of a picture's channels and the curve that explains them.

    Parameters
    ----------
    whole : of (256,) int each
        How often each level occurs.
    fresh : of (256,) int each
        The same without pixels like their left neighbours, from which is told what to expect.

    References
    ----------
    M. C. Stamm, K. J. R. Liu, "Forensic detection of image manipulation using statistical intrinsic
    fingerprints", IEEE TIFS 5(3), 2010. https://doi.org/10.1109/TIFS.2010.2053202
    """
    empties, knowns = [], []
    for counts, active in zip(whole, fresh, strict=True):
        expected = expected_counts(active)
        known = expected >= LEAST_EXPECTED
        empties.append(known & (counts <= STILL_EMPTY * expected))
        knowns.append(known)
    exponent, ends, match = _explained(np.array(empties), np.array(knowns))
    return LevelCurve(
        tuple(int(np.count_nonzero(empty)) for empty in empties),
        tuple(int(np.count_nonzero(known)) for known in knowns),
        exponent, ends, match,
        tuple(high_frequencies(counts) for counts in whole),
    )  # fmt: skip


def _explained(empty: np.ndarray, known: np.ndarray) -> tuple[float | None, tuple[int, int] | None, float]:
    if empty.sum(axis=1).max(initial=0) < LEAST_EMPTY:
        return None, None, 0.0
    levels = np.arange(LEVELS)
    powers = 255 * (levels / 255) ** EXPONENTS[:, None]
    cuts = np.array([(low, 255 - high) for low in STRAIGHT for high in STRAIGHT if low + high])
    stretches = (levels - cuts[:, :1]) * 255 / (cuts[:, 1:] - cuts[:, :1])
    power, by_power = _best(powers, empty, known)
    stretch, by_stretch = _best(stretches, empty, known)
    if max(by_power, by_stretch) < LEAST_MATCH:
        return None, None, max(by_power, by_stretch)
    # A straight line has two numbers to choose, so it must win clearly.
    if by_power >= by_stretch - 0.02:
        return float(EXPONENTS[power]), None, by_power
    return None, (int(cuts[stretch, 0]), int(cuts[stretch, 1])), by_stretch


def _best(curves: np.ndarray, empty: np.ndarray, known: np.ndarray) -> tuple[int, float]:
    """The curve, rounded either way at halves or cut, whose empty levels are most like those seen."""
    matches = []
    for rounded in (np.floor(curves + 0.5), np.rint(curves), np.floor(curves)):
        reached = np.clip(rounded, 0, 255).astype(np.intp)
        missing = np.ones((len(curves), LEVELS), bool)
        missing[np.arange(len(curves))[:, None], reached] = False
        both = (missing.astype(np.float32) @ empty.astype(np.float32).T).sum(axis=1)
        either = (missing.astype(np.float32) @ (known & ~empty).astype(np.float32).T).sum(
            axis=1
        ) + empty.sum()
        matches.append(both / either)
    match = np.max(matches, axis=0)
    # Neighbouring numbers often leave the same levels empty: the middle one of the best.
    best = np.flatnonzero(match >= match.max() - 1e-6)
    return int(best[len(best) // 2]), float(match.max())


def high_frequencies(counts: np.ndarray) -> float:
    """Mean magnitude of a histogram's highest frequencies, of that at frequency 0.

    What is clipped at either end has peaks of its own, so both ends are faded out.
    """
    fade = np.ones(LEVELS)
    fade[:16] = np.sin(np.pi * np.arange(16) / 32) ** 2
    fade[-16:] = fade[15::-1]
    spectrum = np.abs(np.fft.rfft(counts * fade))
    return float(spectrum[HIGH:].mean() / spectrum[0]) if spectrum[0] > 0 else 0.0
