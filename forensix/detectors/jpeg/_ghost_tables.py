"""What a coefficient says about an earlier quantization: lookup tables per level."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

# Larger levels are left to the smaller ones, of which there are more.
LARGEST_LEVEL = 48
# Share of coefficients that a model of either history may get wrong (clipping, other
# decoders, retouching); bounds what one coefficient can say at log(0.02), 3.9 nats.
OUTLIERS = 0.02
# A coefficient and a step are used only when the two histories differ by this much
# (expected log-likelihood ratio, nats): below, the assumed shape of the coefficients'
# distribution matters more than the history.
LEAST_INFORMATION = 0.1
# This part of the expected evidence is given away in favour of the other hypothesis,
# because no image follows the model exactly.
TOLERANCE = 0.25


def requantization_error(coefficients: np.ndarray, table: np.ndarray) -> np.ndarray:
    """(rows, cols) float32: squared difference that requantizing makes, summed per block.

    coefficients : (rows, cols, 8, 8) float32, grey levels
    table : (8, 8) steps
    """
    steps = table.astype(np.float32)
    left = coefficients / steps
    left -= np.rint(left)
    left *= steps
    flat = left.reshape(*left.shape[:2], 64)
    error: np.ndarray = np.einsum("rck,rck->rc", flat, flat)
    return error


class Sizes(NamedTuple):
    """How large the coefficients of each frequency are, before any quantization.

    The probability that a size exceeds x is ``survival(x / scale, shape)``.

    scale : (64,) float64, grey levels
    shape : (64,) float64, one of SHAPES
    """

    scale: np.ndarray
    shape: np.ndarray


# 0 is the exponential law (Laplacian coefficients); above 0 tails are lighter, as in an even
# texture; below 0 heavier, as in a mixture of flat and busy blocks.
SHAPES = (-0.6, -0.25, 0.0, 0.2, 0.6)
# Candidates for the scale, in steps of the present quantization.
RELATIVE_SCALES = np.geomspace(0.15, 60, 48)


def survival(ratio: np.ndarray, shape: np.ndarray | float) -> np.ndarray:
    """Probability of exceeding `ratio` scales: exp(-r - shape r^2), or Pareto's below 0."""
    heavy = np.minimum(shape, -1e-9)
    light = np.maximum(shape, 0)
    exceeds: np.ndarray = np.exp(
        np.where(shape < 0, np.log1p(-heavy * ratio) / heavy, -ratio * (1 + light * ratio))
    )
    return exceeds


@cache
def _shares() -> np.ndarray:
    """(shapes * scales, LARGEST_LEVEL + 1): log share of each level from 1, and of larger ones."""
    edges = np.append(np.arange(LARGEST_LEVEL + 1) + 0.5, np.inf)
    rows = []
    for shape in SHAPES:
        above = survival(edges[None, :-1] / RELATIVE_SCALES[:, None], shape)
        above = np.pad(above, ((0, 0), (0, 1)))
        rows.append(-np.diff(above, axis=1) / above[:, :1])
    shares: np.ndarray = np.log(np.maximum(np.concatenate(rows), 1e-30))
    return shares


def level_counts(levels: np.ndarray) -> np.ndarray:
    """(frequencies, LARGEST_LEVEL + 1) int: blocks at each size of level from 1, and larger.

    levels : (blocks, frequencies) int16
    """
    wide = LARGEST_LEVEL + 2
    rows = np.minimum(np.abs(levels), LARGEST_LEVEL + 1) + wide * np.arange(levels.shape[1])
    return np.bincount(rows.ravel(), minlength=wide * levels.shape[1]).reshape(-1, wide)[:, 1:]


def fitted_sizes(seen: np.ndarray, lattice: np.ndarray) -> Sizes:
    """The law of the coefficients' sizes that makes the levels other than 0 most likely.

    Level 0 is left out, since flat blocks would make every scale look small. An earlier
    quantization hardly matters: no law of the family has its gaps.

    seen : (64, LARGEST_LEVEL + 1) from :func:`level_counts`; lattice : (64,)
    """
    # A few counts that halve from level to level, for frequencies that are hardly ever seen.
    prior = 4 * 0.5 ** np.arange(1, LARGEST_LEVEL + 2)
    best = ((seen + prior) @ _shares().T).argmax(axis=1)
    shape, scale = np.divmod(best, len(RELATIVE_SCALES))
    return Sizes(RELATIVE_SCALES[scale] * lattice, np.array(SHAPES)[shape])


def _mass_below(edge: np.ndarray, step: np.ndarray, sizes: Sizes, noise: np.ndarray) -> np.ndarray:
    """Probability that the size of a requantized, noisy coefficient is below `edge`.

    Sizes are snapped to multiples of `step`, then blurred by Gaussian noise; only the
    three multiples nearest to the edge are blurred.
    """
    from scipy.special import ndtr

    nearest = np.rint(edge / step)
    borders = [
        survival(np.maximum(nearest + by, 0) * step / sizes.scale, sizes.shape)
        for by in (-1.5, -0.5, 0.5, 1.5)
    ]
    total = 1 - borders[0]
    for shift, inner, outer in zip((-1, 0, 1), borders, borders[1:], strict=False):
        total += (inner - outer) * ndtr((edge - step * (nearest + shift)) / noise)
    return total


def likelihood_table(
    lattice: np.ndarray, steps: np.ndarray, *, sizes: Sizes, noise: np.ndarray, largest: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-likelihood ratio "quantized before with this step" against "never before".

    Both hypotheses are conditioned on a level other than 0, and a level that noise
    around 0 alone could make says nothing either.

    Parameters
    ----------
    lattice : (64,)
        The step the coefficients lie on now.
    steps : (hypotheses, 64)
        Steps of the earlier quantization.
    sizes : from :func:`fitted_sizes`
    noise : (64,)
        Standard deviation of what rounding to pixels added in between, grey levels.
    largest : int
        Levels above are not used.

    Returns
    -------
    ratios : (64, largest + 2, hypotheses) float32, nats
        The last row is 0, and stands for all larger levels.
    expected_before, expected_never : (64, hypotheses) float32, nats, 0 or more
        Mean of the ratio (with the sign in its favour) under either hypothesis.
    """
    level = np.arange(1, largest + 1)[None, :, None]
    now = lattice[:, None, None].astype(np.float64)
    step = steps.T[:, None, :].astype(np.float64)
    law = Sizes(sizes.scale[:, None, None], sizes.shape[:, None, None])
    blur = noise[:, None, None]
    borders = (np.arange(largest + 1)[None, :, None] + 0.5) * now
    edges = _mass_below(borders, step, law, blur)
    before = np.maximum(np.diff(edges, axis=1), 0) / np.maximum(1 - edges[:, :1], 1e-12)
    above = survival(borders / law.scale, law.shape)
    never = -np.diff(above, axis=1) / np.maximum(above[:, :1], 1e-300)
    # Each history with a share of the other mixed in.
    mixed = (1 - OUTLIERS) * before + OUTLIERS * never, (1 - OUTLIERS) * never + OUTLIERS * before
    ratios = np.log(np.maximum(mixed[0], 1e-30) / np.maximum(mixed[1], 1e-30))
    ratios *= (level - 0.5) * now > 3 * blur
    expected_before = (before * ratios).sum(axis=1)
    expected_never = -(never * ratios).sum(axis=1)
    tells = np.minimum(expected_before, expected_never) >= LEAST_INFORMATION
    ratios = np.pad(ratios * tells[:, None], ((0, 0), (1, 1), (0, 0)))
    return (
        ratios.astype(np.float32),
        (expected_before * tells).astype(np.float32),
        (expected_never * tells).astype(np.float32),
    )
