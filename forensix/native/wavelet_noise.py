"""What a wavelet denoiser takes out of a picture: the noise a sensor left in it."""

from __future__ import annotations

import numpy as np
from numba import njit, void
from numba.types import Array, float32, float64

from forensix.errors import ParameterError

LEVELS = 4
TAPS = 8
REACH = 4  # of the widest window, 9 x 9

# Daubechies' orthogonal filter with four vanishing moments ("db4"), low pass.
LOW = np.array(
    [
        0.23037781330885523, 0.7148465705525415, 0.6308807679295904, -0.02798376941698385,
        -0.18703481171888114, 0.030841381835986965, 0.032883011666982945, -0.010597401784997278,
    ],
    np.float32,
)  # fmt: skip
HIGH = (LOW[::-1] * np.array([1, -1] * 4, np.float32)).astype(np.float32)


def wavelet_noise(image: np.ndarray, *, sigma: float = 5.0) -> np.ndarray:
    """The noise of standard deviation `sigma` that local Wiener filters find in a picture.

    The picture is decomposed with db4 wavelets over four levels (half-sample symmetric
    borders). A detail coefficient c becomes ``c * sigma^2 / (v + sigma^2)``, its noise,
    where v is the least of the variances in windows of 3, 5, 7 and 9 coefficients a side
    around it, above sigma^2; the approximation becomes 0. What is put together again is
    the picture less its denoised self.

    Parameters
    ----------
    image : (rows, cols) real
        In grey levels, 0-255.
    sigma : float
        Standard deviation of the noise, in grey levels.

    Returns
    -------
    (rows, cols) float32
        In grey levels.

    Raises
    ------
    ParameterError
        When `image` is not 2-D, is empty, or `sigma` is not positive.

    References
    ----------
    M. K. Mihcak, I. Kozintsev, K. Ramchandran, "Spatially adaptive statistical modeling
    of wavelet image coefficients and its application to denoising", ICASSP 1999,
    doi 10.1109/ICASSP.1999.757535. J. Lukas, J. Fridrich, M. Goljan, "Digital camera
    identification from sensor pattern noise", IEEE TIFS 1(2), 2006,
    doi 10.1109/TIFS.2006.873602 (appendix A).
    """
    if image.ndim != 2 or image.size == 0:
        raise ParameterError(f"image must be 2-D and not empty, got shape {image.shape}")
    if not sigma > 0:
        raise ParameterError(f"sigma must be positive, got {sigma}")
    return _noise(np.ascontiguousarray(image, np.float32), float(sigma) ** 2, LEVELS)


def _noise(image: np.ndarray, variance: float, levels: int) -> np.ndarray:
    rows, cols = image.shape
    half = (4, (rows + TAPS - 1) // 2, (cols + TAPS - 1) // 2)
    bands = np.empty(half, np.float32)
    _split(image, bands, LOW, HIGH)
    if levels > 1:
        bands[0] = _noise(bands[0], variance, levels - 1)
    else:
        bands[0] = 0
    for detail in bands[1:]:
        _keep_noise(detail, variance, detail.copy())
    whole = np.empty((2 * half[1] - TAPS + 2, 2 * half[2] - TAPS + 2), np.float32)
    _join(bands, whole, LOW, HIGH)
    return np.ascontiguousarray(whole[:rows, :cols])


def local_wiener(values: np.ndarray, *, variance: float) -> np.ndarray:
    """The part of values that is noise of the given variance, by local Wiener filters.

    Parameters
    ----------
    values : (rows, cols) real
    variance : float
        Of the noise; positive.

    Returns
    -------
    (rows, cols) float32
        ``values * variance / max(variance, m)``, where m is the least mean square in
        windows of 3, 5, 7 and 9 a side (half-sample symmetric borders).

    Raises
    ------
    ParameterError
        When `values` is not 2-D, is empty, or `variance` is not positive.
    """
    if values.ndim != 2 or values.size == 0 or not variance > 0:
        raise ParameterError(
            f"values must be 2-D and not empty and variance positive, got shape {values.shape}, {variance}"
        )
    source = np.ascontiguousarray(values, np.float32)
    noise = np.empty(source.shape, np.float32)
    _keep_noise(noise, float(variance), source)
    return noise


@njit(cache=True, nogil=True, error_model="numpy")
def _mirrored(index, size):
    """The index inside 0 to size - 1 that half-sample symmetric continuation takes."""
    index %= 2 * size
    return index if index < size else 2 * size - 1 - index


@njit(cache=True, nogil=True, error_model="numpy")
def _noise_part(three, five, seven, nine, variance):
    """The algorithm: how much of a coefficient is noise, from the sums of squares around it."""
    mean = min(three / float32(9), five / float32(25), seven / float32(49), nine / float32(81))
    return variance / max(variance, mean)


@njit(
    void(Array(float32, 2, "C", readonly=True), float32[:, :, ::1], float32[::1], float32[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _split(image, bands, low, high):
    """One level of decomposition: approximation, then details across, down and both."""
    rows, cols = image.shape
    down, across = bands.shape[1:]
    lines = np.zeros((2, cols), np.float32)
    even = np.zeros((2, across + 3), np.float32)
    odd = np.zeros((2, across + 3), np.float32)
    for i in range(down):
        lines[:] = 0
        for k in range(TAPS):
            line = image[_mirrored(2 * i + k - 6, rows)]
            g, h = low[k], high[k]
            for c in range(cols):
                lines[0, c] += g * line[c]
                lines[1, c] += h * line[c]
        for b in range(2):
            for p in range(across + 3):
                even[b, p] = lines[b, _mirrored(2 * p - 6, cols)]
                odd[b, p] = lines[b, _mirrored(2 * p - 5, cols)]
            smooth, rough = bands[2 * b, i], bands[2 * b + 1, i]
            smooth[:] = 0
            rough[:] = 0
            for q in range(4):
                g0, g1, h0, h1 = low[2 * q], low[2 * q + 1], high[2 * q], high[2 * q + 1]
                for c in range(across):
                    smooth[c] += g0 * even[b, c + q] + g1 * odd[b, c + q]
                    rough[c] += h0 * even[b, c + q] + h1 * odd[b, c + q]


@njit(
    void(float32[:, :, ::1], float32[:, ::1], float32[::1], float32[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _join(bands, image, low, high):
    """The inverse of _split: two rows of the image at a time."""
    across = bands.shape[2]
    lines = np.zeros((2, across), np.float32)
    for r in range(image.shape[0]):
        lines[:] = 0
        for q in range(4):
            g, h = low[2 * q + r % 2], high[2 * q + r % 2]
            i = r // 2 + 3 - q
            for b in range(2):
                smooth, rough = bands[b, i], bands[2 + b, i]
                for c in range(across):
                    lines[b, c] += g * smooth[c] + h * rough[c]
        out = image[r]
        for p in range(image.shape[1] // 2):
            even = float32(0)
            odd = float32(0)
            for q in range(4):
                smooth, rough = lines[0, p + 3 - q], lines[1, p + 3 - q]
                even += low[2 * q] * smooth + high[2 * q] * rough
                odd += low[2 * q + 1] * smooth + high[2 * q + 1] * rough
            out[2 * p] = even
            out[2 * p + 1] = odd


@njit(
    void(float32[:, ::1], float64, Array(float32, 2, "C", readonly=True)),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _keep_noise(noise, variance, values):
    rows, cols = values.shape
    wide = cols + 2 * REACH
    sums = np.zeros((4, wide), np.float32)
    level = float32(variance)
    for r in range(rows):
        total = np.zeros(cols, np.float32)
        for w in range(4):
            inner = sums[w, REACH : REACH + cols]
            above, below = values[_mirrored(r - w - 1, rows)], values[_mirrored(r + w + 1, rows)]
            if w == 0:
                middle = values[r]
                for c in range(cols):
                    total[c] = middle[c] * middle[c]
            for c in range(cols):
                total[c] += above[c] * above[c] + below[c] * below[c]
                inner[c] = total[c]
            for c in range(REACH):
                sums[w, c] = inner[_mirrored(c - REACH, cols)]
                sums[w, REACH + cols + c] = inner[_mirrored(cols + c, cols)]
        s3, s5, s7, s9 = sums[0], sums[1], sums[2], sums[3]
        line, out = values[r], noise[r]
        for c in range(cols):
            three = s3[c + 3] + s3[c + 4] + s3[c + 5]
            five = s5[c + 2] + s5[c + 3] + s5[c + 4] + s5[c + 5] + s5[c + 6]
            seven = s7[c + 1] + s7[c + 2] + s7[c + 3] + s7[c + 4] + s7[c + 5] + s7[c + 6] + s7[c + 7]
            nine = s9[c] + s9[c + 1] + s9[c + 2] + s9[c + 3] + s9[c + 4]
            nine += s9[c + 5] + s9[c + 6] + s9[c + 7] + s9[c + 8]
            out[c] = line[c] * _noise_part(three, five, seven, nine, level)
