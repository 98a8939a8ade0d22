"""What a filled hole differs in from a photograph, averaged over cells of 4 x 4 pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit, void
from numba.types import Array, float32, uint8

from forensix.errors import ParameterError

CELL = 4
PLANES = (
    "mixed",  # |second difference along rows of the second difference along columns|
    "laplacian",
    "mixed_zero",  # share of pixels where it vanishes
    "mixed_small",  # ... where it is 2 or less
    "laplacian_zero",
    "along",  # |change of the Laplacian along the isophote|
    "across",  # ... and across it
    "red_green",  # |difference of the mixed differences of two channels|
    "green_blue",
    "channel_sum",  # |sum of the mixed differences of the channels|
    "coarse",  # |second differences at a distance of 2 pixels|, along rows and columns
    "gradient",
    "neighbours",  # |sum of the mixed differences of two neighbours|
    "mean",
    "clipped",  # share of samples below `darkest` or above `brightest`
)
_MARGIN = 3


def fill_traces(
    rgb: np.ndarray, *, darkest: Sequence[int] = (3, 3, 3), brightest: Sequence[int] = (252, 252, 252)
) -> np.ndarray:
    """Averages of local differences of several kinds.

    The mixed difference is that of Immerkaer's noise estimate, ``[1 -2 1]`` along rows
    and along columns; the Laplacian has four neighbours; its change along the isophote
    is ``|Lx gy - Ly gx| / |g|`` with central differences. The picture is continued
    beyond its edges by the pixels at the edge.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
    darkest, brightest : three int
        The least and the largest value of each channel that is not clipped.

    Returns
    -------
    (rows // 4, cols // 4, 15) float32
        One plane for each name in ``PLANES``, averaged over the 16 pixels of a cell and
        over the channels (grey levels, or shares from 0 to 1).

    Raises
    ------
    ParameterError
        If `rgb` is of another type or smaller than a cell.

    References
    ----------
    H. Li, W. Luo, J. Huang, "Localization of diffusion-based inpainting in digital images",
    IEEE TIFS 12(12), 2017. https://doi.org/10.1109/TIFS.2017.2730822
    J. Immerkaer, "Fast noise variance estimation", CVIU 64(2), 1996.
    https://doi.org/10.1006/cviu.1996.0060
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or min(rgb.shape[:2]) < CELL:
        raise ParameterError(
            f"rgb must be (rows, cols, 3) uint8 and at least 4 x 4, got {rgb.shape} {rgb.dtype}"
        )
    rows, cols = rgb.shape[0] // CELL, rgb.shape[1] // CELL
    planes = np.empty((rows, cols, len(PLANES)), np.float32)
    limits = np.array([darkest, brightest], np.float32)
    if limits.shape != (2, 3):
        raise ParameterError("darkest and brightest have one value for each of three channels")
    band = np.empty((CELL + 2 * _MARGIN, rgb.shape[1] + 2 * _MARGIN, 3), np.uint8)
    for row in range(rows):
        wanted = np.arange(row * CELL - _MARGIN, (row + 1) * CELL + _MARGIN)
        band[:, _MARGIN:-_MARGIN] = rgb[np.clip(wanted, 0, rgb.shape[0] - 1)]
        band[:, :_MARGIN] = band[:, _MARGIN : _MARGIN + 1]
        band[:, -_MARGIN:] = band[:, -_MARGIN - 1 : -_MARGIN]
        _band(band, limits, planes[row])
    return planes


@njit(cache=True, nogil=True, error_model="numpy")
def _differences(pixels: np.ndarray, mixed: np.ndarray, laplacian: np.ndarray) -> None:
    """Mixed difference and Laplacian of all pixels but those of the outer two rows and columns."""
    for i in range(laplacian.shape[0]):
        above, here, below = pixels[i + 1], pixels[i + 2], pixels[i + 3]
        for j in range(laplacian.shape[1]):
            edges = above[j + 2] + below[j + 2] + here[j + 1] + here[j + 3]
            corners = above[j + 1] + above[j + 3] + below[j + 1] + below[j + 3]
            laplacian[i, j] = edges - np.float32(4) * here[j + 2]
            mixed[i, j] = np.float32(4) * here[j + 2] - np.float32(2) * edges + corners


@njit(cache=True, nogil=True, error_model="numpy")
def _collect(
    pixels: np.ndarray, mixed: np.ndarray, laplacian: np.ndarray, low: float, high: float, sums: np.ndarray
) -> None:
    """Add one channel's share of all planes but those that compare channels, per column."""
    half, one, two, none = np.float32(0.5), np.float32(1), np.float32(2), np.float32(0)
    for i in range(CELL):
        for j in range(sums.shape[1]):
            here = pixels[i + 3, j + 3]
            m, lap = mixed[i + 1, j + 1], laplacian[i + 1, j + 1]
            gx = half * (pixels[i + 3, j + 4] - pixels[i + 3, j + 2])
            gy = half * (pixels[i + 4, j + 3] - pixels[i + 2, j + 3])
            lx = half * (laplacian[i + 1, j + 2] - laplacian[i + 1, j])
            ly = half * (laplacian[i + 2, j + 1] - laplacian[i, j + 1])
            slope = np.sqrt(gx * gx + gy * gy) + np.float32(1e-3)
            level = pixels[i + 3, j + 1] - two * here + pixels[i + 3, j + 5]
            upright = pixels[i + 1, j + 3] - two * here + pixels[i + 5, j + 3]
            sums[0, j] += abs(m)
            sums[1, j] += abs(lap)
            sums[2, j] += one if m == none else none
            sums[3, j] += one if abs(m) <= two else none
            sums[4, j] += one if lap == none else none
            sums[5, j] += abs(lx * gy - ly * gx) / slope
            sums[6, j] += abs(lx * gx + ly * gy) / slope
            sums[10, j] += abs(level) + abs(upright)
            sums[11, j] += slope
            sums[12, j] += abs(m + mixed[i + 1, j]) + abs(m + mixed[i, j + 1])
            sums[13, j] += here
            sums[14, j] += one if here < low or here > high else none


@njit(cache=True, nogil=True, error_model="numpy")
def _compare(mixed: np.ndarray, sums: np.ndarray) -> None:
    """Add the planes that compare channels, per column."""
    for i in range(1, CELL + 1):
        for j in range(sums.shape[1]):
            red, green, blue = mixed[0, i, j + 1], mixed[1, i, j + 1], mixed[2, i, j + 1]
            sums[7, j] += abs(red - green)
            sums[8, j] += abs(green - blue)
            sums[9, j] += abs(red + green + blue)


@njit(
    void(Array(uint8, 3, "C", readonly=True), float32[:, ::1], float32[:, ::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _band(band: np.ndarray, limits: np.ndarray, means: np.ndarray) -> None:
    wide = band.shape[1]
    pixels = np.empty((band.shape[0], wide), np.float32)
    mixed = np.empty((3, CELL + 2, wide - 4), np.float32)
    laplacian = np.empty((CELL + 2, wide - 4), np.float32)
    sums = np.zeros((means.shape[1], wide - 6), np.float32)
    for channel in range(3):
        for i in range(band.shape[0]):
            for j in range(wide):
                pixels[i, j] = band[i, j, channel]
        _differences(pixels, mixed[channel], laplacian)
        _collect(pixels, mixed[channel], laplacian, limits[0, channel], limits[1, channel], sums)
    _compare(mixed, sums)
    for cell in range(means.shape[0]):
        for plane in range(means.shape[1]):
            total = np.float32(0)
            for j in range(cell * CELL, (cell + 1) * CELL):
                total += sums[plane, j]
            means[cell, plane] = total / np.float32(3 * CELL * CELL)
