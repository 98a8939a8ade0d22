"""Oracles for the whole-file JPEG history, written from the definitions; slow, and free of forensix."""

import numpy as np
from scipy import optimize
from scipy.fft import dctn


def window_coefficients(pixels, vertical, horizontal):
    """DCT coefficient of the 8 x 8 window that begins at each pixel; nan where it would leave the picture."""
    out = np.full(pixels.shape, np.nan)
    for row in range(pixels.shape[0] - 7):
        for col in range(pixels.shape[1] - 7):
            block = pixels[row : row + 8, col : col + 8]
            out[row, col] = dctn(block, norm="ortho")[vertical, horizontal]
    return out


def power_at_steps(values, steps):
    """|sum exp(2 pi i v / step)|**2 / n of each step."""
    return np.array([abs(np.exp(2j * np.pi * values / step).sum()) ** 2 / len(values) for step in steps])


def twice_quantized(values, first, last, noise, top, rng):
    """Shares of |level| 0 to top of values quantized with a first step, disturbed, and quantized again."""
    if first > 1:
        values = first * np.rint(values / first) + rng.normal(0, noise, values.shape)
    levels = np.abs(np.rint(values / last)).astype(int)
    return np.bincount(levels, minlength=top + 1)[: top + 1] / len(values)


def poisson_deviance(observed, expected):
    """Least deviance of counts from expected * exp(parabola), by a general minimizer."""
    x = np.linspace(-1, 1, len(observed))
    design = np.stack([np.ones_like(x), x, x * x], axis=1)
    offset = np.log(expected * observed.sum() / expected.sum())

    def deviance(weights):
        mean = np.exp(offset + design @ weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(observed > 0, observed * np.log(observed / mean), 0)
        return 2 * (logs - (observed - mean)).sum()

    return optimize.minimize(deviance, np.zeros(3), method="BFGS").fun


def lattice_log_density(value, step, noise, strays):
    """log of the density near a multiple of a step, relative to a flat one."""
    multiples = step * np.arange(-2000 // step, 2000 // step + 1)
    density = step * np.exp(-0.5 * ((value - multiples) / noise) ** 2).sum() / (np.sqrt(2 * np.pi) * noise)
    return np.log((1 - strays) * density + strays)
