"""Were all blocks of a JPEG quantized before, on the same grid, and with which steps?

What the coefficients of a frequency were before any quantization is estimated from the
picture itself, cut four pixels off the grid: there the blocks straddle those of the
file, and traces of quantization average out (calibration, Pevny & Fridrich 2008). From
this density follows the histogram that one quantization would give, or two with a
candidate first step. A smooth correction is allowed to each of them, since the
calibration is not perfect; the comb that a first quantization leaves is not smooth.
What is judged is by how much a candidate explains the histogram of the file better.

References
----------
T. Pevny, J. Fridrich, "Detection of Double-Compression in JPEG Images for Applications
in Steganography", IEEE TIFS 3(2), 2008, doi 10.1109/TIFS.2008.922456 (calibration,
primary steps from histograms). F. Galvan, G. Puglisi, A. R. Bruna, S. Battiato, "First
Quantization Matrix Estimation From Double Compressed JPEG Images", IEEE TIFS 9(8), 2014,
doi 10.1109/TIFS.2014.2307581 (first steps from double compressed histograms).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# (vertical, horizontal), the first AC frequencies in zig-zag order.
FREQUENCIES = ((0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0), (4, 0), (3, 1), (2, 2))
LARGEST_STEP = 48
LARGEST_LEVEL = 60
FEWEST_LEVELS = 6  # three are spent on the smooth correction
FEWEST_COUNTS = 10  # per level, for the level to be used
FINENESS = 4  # bins per unit of a coefficient
NOISE = 0.4  # standard deviation of a coefficient decoded to 8-bit pixels and transformed back
NEGLIGIBLE = 0.05  # expected count below which a level is treated as if it had this many
FISHER_STEPS = 6


@dataclass(frozen=True)
class StepGains:
    """How much better each first step explains the histogram of one frequency than none.

    frequency : (vertical, horizontal)
    step : the step in the file
    gains : (LARGEST_STEP + 1,) float64
        Fall of the deviance, in units of its dispersion, against one quantization;
        0 for steps that cannot be told from it (0, 1 and the divisors of `step`), and
        for those that explain less than half of what one quantization leaves
        unexplained: cameras do not quantize exactly as the standard has it, and in
        a large picture that, too, is significant.
    levels, count : how many levels were compared, and how many coefficients had them
    """

    frequency: tuple[int, int]
    step: int
    gains: np.ndarray
    levels: int
    count: int

    @property
    def best(self) -> int:
        return int(np.argmax(self.gains))


def step_gains(levels: np.ndarray, steps: np.ndarray, calibration: np.ndarray) -> list[StepGains]:
    """Compare the histograms of the low frequencies with all candidate first steps.

    Parameters
    ----------
    levels : (blocks, 64) int16
        Quantized coefficients of the file, row order.
    steps : (64,) int
        The steps in the file.
    calibration : (blocks, 64) float32
        Coefficients of the decoded picture on a grid four pixels down and right.

    Returns
    -------
    list of StepGains
        Of the frequencies that have at least six levels to compare.
    """
    found = []
    for vertical, horizontal in FREQUENCIES:
        place = 8 * vertical + horizontal
        step = int(steps[place])
        counts = np.bincount(np.minimum(np.abs(levels[:, place].astype(np.int32)), LARGEST_LEVEL + 1))
        top = _levels_used(counts)
        if top < FEWEST_LEVELS:
            continue
        candidates = telling_steps(step)
        if candidates.size == 0:
            continue
        expected = expected_histograms(calibration[:, place], step, np.append(1, candidates), top)
        observed = counts[1 : top + 1].astype(np.float64)
        deviance = smooth_deviance(observed, expected[:, 1:])
        # The dispersion is that of the better explanation: of what is left unexplained either way.
        freedom = max(top - 3, 1)
        dispersion = np.maximum(np.minimum(deviance[1:], deviance[0]) / freedom, 1.0)
        gained = (deviance[0] - deviance[1:]) / dispersion
        gains = np.zeros(LARGEST_STEP + 1)
        gains[candidates] = np.where((gained < 0) | (deviance[1:] < deviance[0] / 2), gained, 0)
        found.append(StepGains((vertical, horizontal), step, gains, top, int(observed.sum())))
    return found


def telling_steps(step: int) -> np.ndarray:
    """First steps that leave a trace under a given last step: all but its divisors."""
    candidates = np.arange(2, LARGEST_STEP + 1)
    telling: np.ndarray = candidates[step % candidates != 0]
    return telling


def _levels_used(counts: np.ndarray) -> int:
    """The largest level below which every stretch of histogram is well filled."""
    filled = np.flatnonzero(counts[: LARGEST_LEVEL + 1] >= FEWEST_COUNTS)
    return int(filled[-1]) if filled.size else 0


def expected_histograms(coefficients: np.ndarray, step: int, first: np.ndarray, top: int) -> np.ndarray:
    """Histograms of |level| after quantization with each first step and then with `step`.

    Parameters
    ----------
    coefficients : (n,) float
        A sample of the coefficients before any quantization.
    step : int
        Last step.
    first : (candidates,) int
        First steps; 1 stands for no first quantization.
    top : int
        Largest level wanted.

    Returns
    -------
    (candidates, top + 1) float64
    """
    from scipy.special import ndtr

    cumulative = _cumulative(coefficients, int((top + 2) * step + LARGEST_STEP))
    histograms = np.empty((len(first), top + 1))
    edges = (np.arange(top + 2) - 0.5) * step
    once = np.diff(_mass_below(cumulative, np.maximum(edges, 0)))
    numbers = [np.arange(int((top + 1.5) * step / q) + 2) if q > 1 else np.zeros(0, int) for q in first]
    row = np.repeat(np.arange(len(first)), [len(n) for n in numbers])
    number = np.concatenate(numbers)
    q = np.asarray(first)[row]
    value = number * q
    mass = _mass_below(cumulative, (number + 0.5) * q) - _mass_below(
        cumulative, np.maximum((number - 0.5) * q, 0)
    )
    level = np.floor(value / step + 0.5).astype(int)
    down = ndtr(((level - 0.5) * step - value) / NOISE)
    up = ndtr((value - (level + 0.5) * step) / NOISE)
    spread = np.zeros((len(first), top + 4))
    for shift, share in ((-1, down), (0, 1 - down - up), (1, up)):
        # A level below 0 is level 1 with the other sign.
        inside = np.abs(level + shift) <= top + 3
        np.add.at(spread, (row[inside], np.abs(level + shift)[inside]), (mass * share)[inside])
    histograms[:] = spread[:, : top + 1]
    histograms[np.asarray(first) == 1] = once
    return histograms


def _cumulative(coefficients: np.ndarray, reach: int) -> np.ndarray:
    """Smoothed cumulative count of |coefficient|: [i] is the mass below i / FINENESS."""
    size = reach * FINENESS
    bins = np.minimum(np.abs(coefficients) * FINENESS, size - 1).astype(np.int64)
    counts = np.bincount(bins, minlength=size).astype(np.float64)
    window = np.hanning(4 * FINENESS + 1)[1:-1]
    half = len(window) // 2
    mirrored = np.concatenate([counts[half - 1 :: -1], counts, np.zeros(half)])
    return np.concatenate([[0.0], np.cumsum(np.convolve(mirrored, window / window.sum(), mode="valid"))])


def _mass_below(cumulative: np.ndarray, values: np.ndarray) -> np.ndarray:
    mass: np.ndarray = np.interp(values * FINENESS, np.arange(len(cumulative)), cumulative)
    return mass


def smooth_deviance(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Deviance of counts from each model, after the best smooth correction of the model.

    The correction multiplies a model by the exponential of a parabola (a Poisson
    regression with the model as offset, by Fisher scoring).

    Parameters
    ----------
    observed : (levels,) float64
    expected : (models, levels) float64
        Up to a factor.

    Returns
    -------
    (models,) float64
    """
    scaled = expected * (observed.sum() / np.maximum(expected.sum(axis=1, keepdims=True), 1e-12))
    offset = np.log(np.maximum(scaled, NEGLIGIBLE))
    x = np.linspace(-1, 1, len(observed))
    design = np.stack([np.ones_like(x), x, x * x], axis=1)
    products = (design[:, :, None] * design[:, None, :]).reshape(len(x), 9)
    weights = np.zeros((len(expected), 3))
    for _ in range(FISHER_STEPS):
        mean = np.exp(np.clip(offset + weights @ design.T, -20, 20))
        information = (mean @ products).reshape(-1, 3, 3) + 1e-6 * np.eye(3)
        change = np.linalg.solve(information, ((observed - mean) @ design)[:, :, None])[:, :, 0]
        weights += np.clip(change, -1, 1)
    mean = np.exp(np.clip(offset + weights @ design.T, -20, 20))
    logs = np.where(observed > 0, observed * np.log(np.maximum(observed, 1e-12) / mean), 0)
    deviance: np.ndarray = 2 * (logs - (observed - mean)).sum(axis=1)
    return deviance
