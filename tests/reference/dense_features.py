"""Dense features one pixel at a time, from the definitions, with SciPy's polynomials, sampling and DCT."""

import numpy as np
from scipy import fft, ndimage
from scipy.special import eval_jacobi

RADIUS = 6


def window(luma, row, col):
    padded = np.pad(luma.astype(float) - 128, RADIUS + 1, mode="symmetric")
    return padded[row : row + 15, col : col + 15]


def quantized(moments):
    level, *others = moments
    sizes = [level.real + 128] + [8 * np.sqrt(abs(moment)) for moment in others]
    return np.clip(np.rint(sizes), 0, 255)


def normalised(taps, disc, *, first):
    """Zero sum but for the first, unit norm; the first as a plain average."""
    if first:
        return taps / taps.sum()
    taps = taps - disc * (taps.sum() / disc.sum())
    return taps / np.linalg.norm(taps)


def zernike(luma, row, col):
    """Zernike moments of the disc, each pixel as the average over 5 x 5 points."""
    grid = (np.arange(75) - 37) / 5 / RADIUS
    y, x = np.meshgrid(grid, grid, indexing="ij")
    rho, theta = np.hypot(x, y), np.arctan2(y, x)
    shrink = lambda values: values.reshape(15, 5, 15, 5).mean(axis=(1, 3))  # noqa: E731
    inside = rho <= 1
    moments = []
    for n in range(6):
        for m in range(n % 2, n + 1, 2):
            k = (n - m) // 2
            radial = (-1) ** k * rho**m * eval_jacobi(k, m, 0, 1 - 2 * rho**2)
            taps = shrink(np.where(inside, radial * np.exp(-1j * m * theta), 0))
            taps = normalised(taps, shrink(inside.astype(float)), first=n == 0)
            moments.append((taps * window(luma, row, col)).sum())
    return quantized(moments)


def polar(luma, row, col):
    """Polar cosine transform: the window is resampled to polar coordinates and summed there."""
    rho = (np.arange(26) + 0.5) / 26
    theta = 2 * np.pi * np.arange(32) / 32
    at = [
        7 + RADIUS * np.outer(rho, np.sin(theta)),
        7 + RADIUS * np.outer(rho, np.cos(theta)),
    ]

    def sampled(image):
        return ndimage.map_coordinates(image, at, order=1)

    units = np.eye(225).reshape(225, 15, 15)
    responses = np.array([sampled(unit) for unit in units])
    disc = (responses * rho[:, None]).sum(axis=(1, 2))
    moments = []
    for n in range(3):
        for m in range(4):
            values = rho[:, None] * np.cos(np.pi * n * rho[:, None] ** 2) * np.exp(-1j * m * theta)
            taps = normalised((responses * values).sum(axis=(1, 2)), disc, first=n == m == 0)
            moments.append((taps * window(luma, row, col).ravel()).sum())
    return quantized(moments)


def dct(luma, row, col):
    """Low frequencies of the block of 12 x 12, in zigzag order."""
    block = fft.dctn(window(luma, row, col)[1:13, 1:13], norm="ortho")
    order = [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0), (4, 0), (3, 1)]
    values = np.array([block[at] for at in order])
    out = np.sign(values) * 4 * np.sqrt(np.abs(values)) + 128
    out[0] = values[0] / 12 + 128
    return np.clip(np.rint(out), 0, 255)
