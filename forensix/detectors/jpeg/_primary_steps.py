"""With what steps were the coefficients of a JPEG quantized before the last time?

The histogram of one frequency is compared, for every candidate first step, with what
a smooth density would give after two quantizations; the step with the best likelihood
is the estimate. The density is a mixture of zero-mean Gaussians of many scales, fitted
to the histogram itself: it can take any smooth, falling shape, and cannot imitate a comb.

References
----------
T. Bianchi, A. Piva, "Image Forgery Localization via Block-Grained Analysis of JPEG
Artifacts", IEEE TIFS 7(3), 2012, doi 10.1109/TIFS.2012.2187516.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.evidence.jpeg_quality import ijg_table

Noise = tuple[tuple[float, float], ...]

LARGEST_STEP = 100  # first steps looked for: 2 to this
LEVELS = 80  # absolute quantized values 0 to LEVELS - 1 are used
SHARES = (0.1, 0.3, 0.6, 0.9, 1.0)  # of coefficients quantized twice, tried when screening
SCALES = np.geomspace(0.1, 80, 28)  # of the Gaussians, in units of the last step
LEAST_SCALE = 4  # index of the first that gives other levels than 0 often enough
FEWEST_COEFFICIENTS = 40  # beyond 1.5 times a first step, for that step to be told
PROMISING_TABLES, PROMISING_STEPS = 8, 5
QUALITIES = range(100, 0, -1)  # of two qualities with the same steps the higher is named

# libjpeg rounds the decoded samples, which moves coefficients; as (weight, standard
# deviation) pairs, after measurements on 140,000 blocks. In clean blocks the rounding errors
# of the samples are independent; where the picture is smooth, samples round alike; and what
# clipping at black or white does to a coefficient has no limit.
CLEAN_NOISE = ((0.95, 0.30), (0.04, 0.9), (0.01, 2.0))
SMOOTH_NOISE = ((0.50, 0.35), (0.40, 0.9), (0.10, 2.0))
CLIPPED_NOISE = ((0.20, 0.4), (0.30, 1.0), (0.30, 2.2), (0.20, 5.0))
NOISE_REACH = 24  # in halves


@dataclass(frozen=True)
class PrimarySteps:
    """What is known of the first quantization.

    steps : (frequencies,) int
        Estimated first step; 0 where none can be told.
    gains : (frequencies,) float
        Log-likelihood gain, in nats, of that step over one quantization only.
    quality : int or None
        The libjpeg quality whose luma table explains the steps; None when no table
        explains them nearly as well as steps chosen one by one.
    """

    steps: np.ndarray
    gains: np.ndarray
    quality: int | None

    @property
    def known(self) -> bool:
        return bool(np.any(self.steps > 0))


def noise_distribution(noise: Noise) -> np.ndarray:
    """P(noise <= i / 2) for i from -reach to reach."""
    from scipy.special import ndtr

    points = np.arange(-NOISE_REACH, NOISE_REACH + 1) / 2
    total: np.ndarray = np.sum([weight * ndtr(points / sigma) for weight, sigma in noise], axis=0)
    return total


def gaussian_levels(scales: np.ndarray, levels: int) -> np.ndarray:
    """P(|level| = n) of Gaussians quantized once; scales in units of the step.

    Returns (scales, levels) float64.
    """
    from scipy.special import erf

    edges = np.concatenate([[0.0], np.arange(levels) + 0.5])
    return np.diff(erf(edges / (np.sqrt(2) * scales[:, None])), axis=1)


def twice_quantized_levels(
    scales: np.ndarray, first: np.ndarray, second: np.ndarray, levels: int, *, noises: tuple[Noise, ...]
) -> np.ndarray:
    """P(|level| = n) of Gaussians quantized with a first, then with a second step.

    scales : (k,) in units of the second step; first, second : (cases,)
    Returns (noises, cases, k, levels) float64.
    """
    from scipy.special import erf

    from forensix.native.quantized_twice import quantized_twice

    moved = [noise_distribution(noise) for noise in noises]
    result = np.empty((len(noises), len(first), scales.size, levels))
    row = np.arange(scales.size)
    for step in np.unique(second):
        cases = np.flatnonzero(second == step)
        reach = (2 * levels + 1) * step + int(first[cases].max()) + 2 * NOISE_REACH
        cumulative = erf(np.arange(reach) / (2 * np.sqrt(2) * step * scales[:, None]))
        for case in cases:
            both = np.full(scales.size, first[case]), np.full(scales.size, step)
            for nth, noise in enumerate(moved):
                result[nth, case] = quantized_twice(cumulative, row, *both, noise, bins=levels)
    return result


def fit_mixture(counts: np.ndarray, shapes: np.ndarray, *, rounds: int) -> np.ndarray:
    """Weights of the shapes that explain each histogram best.

    counts : (cases, levels); shapes : (cases or 1, k, levels) probabilities
    Returns (cases, k) float64, rows that sum to 1; expectation maximisation from
    equal weights.
    """
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-300)
    weights = np.full((len(counts), shapes.shape[1]), 1 / shapes.shape[1])
    turned = np.swapaxes(shapes, 1, 2)
    for _ in range(rounds):
        fitted = np.matmul(weights[:, None], shapes)[:, 0]
        weights *= np.matmul((share / np.maximum(fitted, 1e-300))[:, None], turned)[:, 0]
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
    return weights


def spiked(shapes: np.ndarray) -> np.ndarray:
    """(k, levels) shapes with one more in front that has only level 0."""
    spike = np.zeros((1, shapes.shape[1]))
    spike[0, 0] = 1
    return np.vstack([spike, shapes])


def screening_gains(counts: np.ndarray, last_steps: np.ndarray) -> np.ndarray:
    """Log-likelihood gain of every first step over one quantization, density held fixed.

    counts : (frequencies, LEVELS), last_steps : (frequencies,)
    Returns (frequencies, LARGEST_STEP + 1) float64, nats, -inf where a step cannot be
    told; quick and rough, to choose the steps worth a proper fit. Level 0 is left out:
    it depends on the density most.
    """
    from forensix.native.quantized_twice import quantized_twice

    frequencies, levels = counts.shape
    weights = fit_mixture(counts, spiked(gaussian_levels(SCALES, levels))[None], rounds=60)
    cumulative = mixture_distribution(weights, last_steps, levels)
    row, first = (part.ravel() for part in np.indices((frequencies, LARGEST_STEP + 1)))
    noise = noise_distribution(CLEAN_NOISE)
    mass = quantized_twice(cumulative, row, first, last_steps[row], noise, bins=levels)
    mass = mass.reshape(frequencies, LARGEST_STEP + 1, levels)[:, :, 1:] + 1e-9
    once = mass[:, :1] / mass[:, :1].sum(axis=2, keepdims=True)
    gains = np.full((frequencies, LARGEST_STEP + 1), -np.inf)
    for share in SHARES:
        mixed = share * mass + (1 - share) * mass[:, :1]
        mixed /= mixed.sum(axis=2, keepdims=True)
        gains = np.maximum(gains, (counts[:, None, 1:] * np.log(mixed / once)).sum(axis=2))
    beyond = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    lowest = np.ceil(1.5 * np.arange(LARGEST_STEP + 1) / last_steps[:, None]).astype(int)
    few = np.take_along_axis(beyond, np.minimum(lowest, levels - 1), axis=1) < FEWEST_COEFFICIENTS
    gains[few | (lowest >= levels)] = -np.inf
    gains[:, :2] = -np.inf
    return gains


def mixture_distribution(weights: np.ndarray, last_steps: np.ndarray, levels: int) -> np.ndarray:
    """P(|u| <= i / 2) of each frequency's mixture of a spike at 0 and the Gaussians of SCALES."""
    from scipy.special import erf

    reach = (2 * levels + 1) * int(last_steps.max()) + LARGEST_STEP + 2 * NOISE_REACH
    points = np.arange(min(reach, 2400)) / 2
    cumulative = np.empty((len(weights), points.size))
    for f, step in enumerate(last_steps):
        below = erf(points / (np.sqrt(2) * step * SCALES[:, None]))
        cumulative[f] = weights[f, 0] + weights[f, 1:] @ below
    return cumulative


def refined_gains(
    counts: np.ndarray, last_steps: np.ndarray, row: np.ndarray, first: np.ndarray
) -> np.ndarray:
    """Log-likelihood gain of (frequency, first step) pairs, with the density fitted anew.

    The null hypothesis is a mixture of Gaussians quantized once; the alternative adds
    the same Gaussians quantized twice, so a part of the picture may be of either kind.

    row, first : (pairs,) index of the frequency, first step
    Returns (pairs,) float64, nats.
    """
    scales = SCALES[LEAST_SCALE::2]
    levels = counts.shape[1]
    single = without_zeros(gaussian_levels(scales, levels))
    double = without_zeros(
        twice_quantized_levels(scales, first, last_steps[row], levels, noises=(CLEAN_NOISE,))[0]
    )
    shapes = np.concatenate([np.broadcast_to(single, (row.size, *single.shape)), double], axis=1)
    seen = counts[row, 1:]
    fitted = np.matmul(fit_mixture(seen, shapes, rounds=40)[:, None], shapes)[:, 0]
    expected = (fit_mixture(counts[:, 1:], single[None], rounds=40) @ single)[row]
    gains: np.ndarray = (seen * np.log(np.maximum(fitted, 1e-12) / np.maximum(expected, 1e-12))).sum(axis=1)
    return gains


def without_zeros(shapes: np.ndarray) -> np.ndarray:
    """(..., levels - 1) the distribution of the levels other than 0.

    How many levels are 0 depends on how the blocks were chosen and on the encoder, and
    hardly on the history.
    """
    others = shapes[..., 1:] + 1e-9
    result: np.ndarray = others / others.sum(axis=-1, keepdims=True)
    return result


def estimate_primary_steps(
    counts: np.ndarray, last_steps: np.ndarray, frequencies: np.ndarray, *, least_gain: float = 20.0
) -> PrimarySteps:
    """Estimate the first quantization step of every frequency.

    Parameters
    ----------
    counts : (frequencies, LEVELS) int
        How often the absolute levels 0, 1, 2, ... of each frequency occur.
    last_steps : (frequencies,) int
        The steps in the file.
    frequencies : (frequencies, 2) int
        Vertical and horizontal frequency of each row, to compare with libjpeg's tables.
    least_gain : float
        Nats; below, a frequency's step counts as unknown.

    Returns
    -------
    PrimarySteps
    """
    rough = screening_gains(counts, last_steps)
    index = np.arange(len(last_steps))
    tables = np.stack([ijg_table(q)[frequencies[:, 0], frequencies[:, 1]] for q in QUALITIES])
    usable = np.where(tables <= LARGEST_STEP, tables, 0)
    joint = np.clip(rough[index, usable], -50, None)
    joint = np.where(np.isfinite(rough[index, usable]), joint, 0).sum(axis=1)
    wanted = np.zeros(rough.shape, bool)
    for best in np.argsort(-joint, kind="stable")[:PROMISING_TABLES]:
        wanted[index, usable[best]] = True
    for f in index:
        wanted[f, np.argsort(-rough[f], kind="stable")[:PROMISING_STEPS]] = True
    row, first = np.nonzero(wanted & np.isfinite(rough))
    gains = np.zeros(rough.shape)
    if row.size:
        gains[row, first] = refined_gains(counts, last_steps, row, first)
    alone = gains.max(axis=1)
    total = gains[index, usable].sum(axis=1)
    best = int(np.argmax(total))
    if total[best] > 2 * least_gain and total[best] > 0.8 * alone[alone > least_gain].sum():
        return PrimarySteps(usable[best], gains[index, usable[best]], QUALITIES[best])
    steps = np.where(alone > least_gain, gains.argmax(axis=1), 0)
    return PrimarySteps(steps, np.where(steps > 0, alone, 0.0), None)
