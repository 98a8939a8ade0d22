"""What a coefficient says about an earlier quantization: lookup tables per level."""

from __future__ import annotations

import numpy as np

# Share of coefficients that a model of the history may get wrong (clipping, other
# decoders, retouching); bounds what one coefficient can say at log(0.02).
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


def laplacian_scales(levels: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """(64,) float64: scale of a Laplacian through the levels other than 0, grey levels.

    The mean size of the levels other than 0 determines it: they follow a geometric
    law. Level 0 is left out, since flat blocks would make every scale look small.
    """
    count = np.count_nonzero(levels, axis=0)
    total = np.abs(levels).sum(axis=0, dtype=np.int64)
    mean = (total + 2.6) / (count + 2.0)  # two pseudo-counts, for frequencies hardly seen
    ratio = np.clip(1 - 1 / np.maximum(mean, 1.02), 0.02, 0.98)
    scales: np.ndarray = -lattice / np.log(ratio)
    return scales


def _mass_below(edge: np.ndarray, step: np.ndarray, scale: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Probability that the size of a requantized, noisy coefficient is below `edge`.

    Sizes are exponential with `scale`, snapped to multiples of `step`, then blurred
    by Gaussian noise; only the three multiples nearest to the edge are blurred.
    """
    from scipy.special import ndtr

    nearest = np.rint(edge / step)
    total = 1 - np.exp(-np.maximum(nearest - 1.5, 0) * step / scale)
    for shift in (-1, 0, 1):
        multiple = nearest + shift
        inner = np.exp(-np.maximum(multiple - 0.5, 0) * step / scale)
        outer = np.exp(-np.maximum(multiple + 0.5, 0) * step / scale)
        total += (inner - outer) * ndtr((edge - step * multiple) / noise)
    return total


def likelihood_table(
    lattice: np.ndarray, steps: np.ndarray, *, scales: np.ndarray, noise: np.ndarray, largest: int
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
    scales : (64,)
        From :func:`laplacian_scales`.
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
    scale, blur = scales[:, None, None], noise[:, None, None]
    edges = _mass_below((np.arange(largest + 1)[None, :, None] + 0.5) * now, step, scale, blur)
    before = np.maximum(np.diff(edges, axis=1), 0) / np.maximum(1 - edges[:, :1], 1e-12)
    never = np.exp(-(level - 1) * now / scale) * -np.expm1(-now / scale)
    ratios = np.log((1 - OUTLIERS) * before / np.maximum(never, 1e-300) + OUTLIERS)
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
