"""How curves of a few numbers (gamma, gain, contrast) thin and heap the grey levels, and where cells show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forensix.detectors.splicing._level_cells import LEVELS, STRAY

LEAST_LOWER = 1.5  # pixels on the lesser side of a level, for it to be judged
ONE_SIDED = 3.0  # times that side that the mean of both may be
MOST_HEAPED = 4.0
THINNED, HEAPED = 0.1, 1.6  # times what the neighbours let expect: levels that a pattern is told by


@dataclass(frozen=True)
class Pattern:
    """What a curve makes of even levels.

    name : "gamma", "gain" or "contrast"
    value : the exponent, or the factor (from 0, or from 127.5)
    """

    name: str
    value: float

    def curve(self) -> np.ndarray:
        """(256,) int, the level that each becomes."""
        levels = np.arange(LEVELS)
        if self.name == "gamma":
            values: np.ndarray = 255 * (levels / 255) ** self.value
        elif self.name == "gain":
            values = levels * self.value
        else:
            values = (levels - 127.5) * self.value + 127.5
        return np.clip(np.floor(values + 0.5), 0, 255).astype(np.intp)


@lru_cache(maxsize=1)
def patterns() -> tuple[tuple[Pattern, ...], np.ndarray]:
    """All that are tried, and (patterns, 256) float32: how many times as often as its neighbours
    let expect each level occurs after it; 1 at the ends."""
    exponents = [
        Pattern("gamma", float(e)) for e in np.round(np.arange(0.5, 2.01, 0.02), 2) if abs(e - 1) > 0.05
    ]
    factors = [float(f) for f in np.round(np.arange(0.7, 1.41, 0.02), 2) if abs(f - 1) > 0.03]
    tried = (*exponents, *(Pattern(name, f) for name in ("gain", "contrast") for f in factors))
    ratios = np.ones((len(tried), LEVELS), np.float32)
    for row, pattern in zip(ratios, tried, strict=True):
        counts = np.bincount(pattern.curve(), minlength=LEVELS).astype(np.float32)
        around = neighbours(counts)
        row[3:-3] = np.where(around > 0, counts / np.maximum(around, 1e-6), 1)[3:-3]
    return tried, np.clip(ratios, STRAY, MOST_HEAPED)


def neighbours(counts: np.ndarray) -> np.ndarray:
    """Mean of the two levels on either side, 0 at the ends; (..., 256) float32."""
    counts = counts.astype(np.float32)
    mean = np.zeros_like(counts)
    mean[..., 2:-2] = (counts[..., :-4] + counts[..., 1:-3] + counts[..., 3:-1] + counts[..., 4:]) / 4
    return mean


def judged(counts: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Levels with pixels enough on both sides, and not on one side mostly; bool, like `counts`.

    around : as from ``neighbours``
    """
    pairs = counts[..., 1:] + counts[..., :-1]
    known = np.zeros(counts.shape, bool)
    lesser = np.minimum(pairs[..., :-3], pairs[..., 3:]) / 2
    known[..., 2:-2] = (lesser >= LEAST_LOWER) & (ONE_SIDED * lesser >= around[..., 2:-2])
    return known


@dataclass(frozen=True, eq=False)
class EvenLevels:
    """What a channel's cells have at levels that can be judged, and what even levels would have.

    seen, expected : (rows * cols, 256) float32, pixels; 0 where not judged
    """

    seen: np.ndarray
    expected: np.ndarray

    def ratios(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Over given cells, seen by expected and expected; (256,) float32 each.

        cells : (rows, cols) bool
        """
        weights = cells.ravel().astype(np.float32)
        expected = weights @ self.expected
        return (weights @ self.seen) / np.maximum(expected, 1), expected


def even_levels(counts: np.ndarray) -> EvenLevels:
    """counts : (rows, cols, 256) uint16"""
    seen = counts.reshape(-1, LEVELS).astype(np.float32)
    expected = neighbours(seen)
    known = judged(seen, expected)
    seen *= known
    expected *= known
    return EvenLevels(seen, expected)


def pattern_odds(channels: Sequence[EvenLevels]) -> np.ndarray:
    """Of each pattern in each cell, the log-likelihood ratio against even levels.

    Returns (rows * cols, patterns) float32, nats. Counts are Poisson, of what the neighbours let
    expect or of the pattern's multiple of that.
    """
    ratios = patterns()[1]
    logs, less = np.ascontiguousarray(np.log(ratios).T), np.ascontiguousarray((1 - ratios).T)
    total = np.zeros((len(channels[0].seen), len(ratios)), np.float32)
    for channel in channels:
        total += channel.seen @ logs
        total += channel.expected @ less
    return total
