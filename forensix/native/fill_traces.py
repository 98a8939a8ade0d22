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


# Each loop below writes one row and reads few: compilers then work on several columns at once, which
# they do not dare to where one loop writes to all the planes.


@njit(cache=True, nogil=True, error_model="numpy")
def _differences(pixels: np.ndarray, mixed: np.ndarray, laplacian: np.ndarray) -> None:
    """Mixed difference and Laplacian of all pixels but those of the outer two rows and columns."""
    two, cols = np.float32(2), laplacian.shape[1]
    bent = np.empty(cols + 2, np.float32)
    for i in range(laplacian.shape[0]):
        above, here, below = pixels[i + 1, 1:], pixels[i + 2, 1:], pixels[i + 3, 1:]
        for j in range(cols + 2):
            bent[j] = above[j] - two * here[j] + below[j]
        row, middle, right, here_right, here_middle = mixed[i], bent[1:], bent[2:], here[2:], here[1:]
        for j in range(cols):
            row[j] = two * middle[j] - bent[j] - right[j]
        row = laplacian[i]
        for j in range(cols):
            row[j] = middle[j] + here[j] + here_right[j] - two * here_middle[j]


@njit(cache=True, nogil=True, error_model="numpy")
def _add_size(values: np.ndarray, total: np.ndarray) -> None:
    for j in range(len(total)):
        total[j] += abs(values[j])


@njit(cache=True, nogil=True, error_model="numpy")
def _add_size_of_sum(one: np.ndarray, other: np.ndarray, total: np.ndarray) -> None:
    for j in range(len(total)):
        total[j] += abs(one[j] + other[j])


@njit(cache=True, nogil=True, error_model="numpy")
def _add_share(values: np.ndarray, most: float, total: np.ndarray) -> None:
    """Count what is no larger than `most`."""
    one, none = np.float32(1), np.float32(0)
    for j in range(len(total)):
        total[j] += one if abs(values[j]) <= most else none


@njit(cache=True, nogil=True, error_model="numpy")
def _add_bend(before: np.ndarray, here: np.ndarray, after: np.ndarray, total: np.ndarray) -> None:
    two = np.float32(2)
    for j in range(len(total)):
        total[j] += abs(before[j] - two * here[j] + after[j])


@njit(cache=True, nogil=True, error_model="numpy")
def _half_difference(before: np.ndarray, after: np.ndarray, out: np.ndarray) -> None:
    half = np.float32(0.5)
    for j in range(len(out)):
        out[j] = half * (after[j] - before[j])


@njit(cache=True, nogil=True, error_model="numpy")
def _add_changes(
    slopes: np.ndarray, changes: np.ndarray, along: np.ndarray, across: np.ndarray, steepness: np.ndarray
) -> None:
    """The Laplacian's change along and across the isophotes; `slopes` and `changes` are (2, cols): right, down."""
    gx, gy, lx, ly, size = slopes[0], slopes[1], changes[0], changes[1], slopes[2]
    for j in range(len(along)):
        size[j] = np.sqrt(gx[j] * gx[j] + gy[j] * gy[j]) + np.float32(1e-3)
    for j in range(len(along)):
        along[j] += abs(lx[j] * gy[j] - ly[j] * gx[j]) / size[j]
    for j in range(len(along)):
        across[j] += abs(lx[j] * gx[j] + ly[j] * gy[j]) / size[j]
    for j in range(len(along)):
        steepness[j] += size[j]


@njit(cache=True, nogil=True, error_model="numpy")
def _collect(
    pixels: np.ndarray, mixed: np.ndarray, laplacian: np.ndarray, low: float, high: float, sums: np.ndarray
) -> None:
    """Add one channel's share of all planes but those that compare channels, per column."""
    one, two, none = np.float32(1), np.float32(2), np.float32(0)
    slopes = np.empty((3, sums.shape[1]), np.float32)
    changes = np.empty((2, sums.shape[1]), np.float32)
    for i in range(CELL):
        here, m, lap = pixels[i + 3, 3:], mixed[i + 1, 1:], laplacian[i + 1, 1:]
        _half_difference(pixels[i + 3, 2:], pixels[i + 3, 4:], slopes[0])
        _half_difference(pixels[i + 2, 3:], pixels[i + 4, 3:], slopes[1])
        _half_difference(laplacian[i + 1], laplacian[i + 1, 2:], changes[0])
        _half_difference(laplacian[i, 1:], laplacian[i + 2, 1:], changes[1])
        _add_changes(slopes, changes, sums[5], sums[6], sums[11])
        _add_size(m, sums[0])
        _add_size(lap, sums[1])
        _add_share(m, none, sums[2])
        _add_share(m, two, sums[3])
        _add_share(lap, none, sums[4])
        _add_bend(pixels[i + 3, 1:], here, pixels[i + 3, 5:], sums[10])
        _add_bend(pixels[i + 1, 3:], here, pixels[i + 5, 3:], sums[10])
        _add_size_of_sum(m, mixed[i + 1], sums[12])
        _add_size_of_sum(m, mixed[i, 1:], sums[12])
        mean, clipped = sums[13], sums[14]
        for j in range(len(mean)):
            mean[j] += here[j]
        for j in range(len(clipped)):
            clipped[j] += one if here[j] < low or here[j] > high else none


@njit(cache=True, nogil=True, error_model="numpy")
def _compare(mixed: np.ndarray, sums: np.ndarray) -> None:
    """Add the planes that compare channels, per column."""
    first, second, total = sums[7], sums[8], sums[9]
    for i in range(1, CELL + 1):
        red, green, blue = mixed[0, i, 1:], mixed[1, i, 1:], mixed[2, i, 1:]
        for j in range(len(first)):
            first[j] += abs(red[j] - green[j])
        for j in range(len(second)):
            second[j] += abs(green[j] - blue[j])
        for j in range(len(total)):
            total[j] += abs(red[j] + green[j] + blue[j])


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
