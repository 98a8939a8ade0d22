"""The noise residual of a photo, cleaned of what all cameras of a kind have in common."""

from __future__ import annotations

import numpy as np

from forensix.errors import ParameterError
from forensix.native.wavelet_noise import REACH, local_wiener, wavelet_noise

FULL_WEIGHT, NO_WEIGHT = 243.0, 252.0  # grey levels: from here on, a pixel is less and less to be trusted
AROUND = 17  # pixels, side of the window in which the noise is taken as equally strong
FLOOR = 0.3  # of the mean variance, added so that the smoothest areas do not decide alone
LATTICES = ((0, 0), (0, 1), (1, 0), (1, 1))  # of a colour filter array with a period of two pixels


def weighted_light(luma: np.ndarray) -> np.ndarray:
    """How strongly the sensor's pattern can show in each pixel.

    The pattern multiplies the light, so that dark pixels say little; saturated pixels
    have lost it.

    Parameters
    ----------
    luma : (rows, cols) real
        0-255.

    Returns
    -------
    (rows, cols) float32
        The luma, falling to 0 between FULL_WEIGHT and NO_WEIGHT.
    """
    luma = np.asarray(luma, np.float32)
    trust = np.clip((NO_WEIGHT - luma) / (NO_WEIGHT - FULL_WEIGHT), 0, 1)
    return luma * trust


def sensor_noise(luma: np.ndarray, *, sigma: float = 5.0) -> np.ndarray:
    """The wavelet noise residual with zero mean in every row and column of the four lattices.

    Parameters
    ----------
    luma : (rows, cols) real
        0-255.
    sigma : float
        As in :func:`~forensix.native.wavelet_noise.wavelet_noise`.

    Returns
    -------
    (rows, cols) float32
    """
    return zero_mean(wavelet_noise(luma, sigma=sigma))


def zero_mean(noise: np.ndarray) -> np.ndarray:
    """Noise without the mean of each column, then of each row, on the four lattices of a 2 x 2 period.

    That takes away what reading out lines, demosaicking and most frames leave behind,
    which every camera of a kind shares.

    Parameters
    ----------
    noise : (rows, cols) real

    Returns
    -------
    (rows, cols) float32

    References
    ----------
    M. Chen, J. Fridrich, M. Goljan, J. Lukas, "Determining image origin and integrity using
    sensor noise", IEEE TIFS 3(1), 2008, doi 10.1109/TIFS.2007.916285.
    """
    if noise.ndim != 2:
        raise ParameterError(f"noise must be 2-D, got shape {noise.shape}")
    cleaned = np.array(noise, np.float32)
    for row, col in LATTICES:
        lattice = cleaned[row::2, col::2]
        if lattice.size:
            lattice -= lattice.mean(axis=0, dtype=np.float64).astype(np.float32)
            lattice -= lattice.mean(axis=1, dtype=np.float64).astype(np.float32)[:, None]
    return cleaned


def evened(noise: np.ndarray) -> np.ndarray:
    """Noise over its local variance: where a scene left its texture in it, it counts for less.

    What maximises the signal-to-noise ratio of a sum over pixels of unequal noise is to
    weight each with one over its variance.

    Parameters
    ----------
    noise : (rows, cols) real

    Returns
    -------
    (rows, cols) float32
        ``noise / (v + FLOOR * mean(v))``, with v the mean square in windows of AROUND
        pixels a side; all 0 where `noise` is.
    """
    import cv2

    noise = np.ascontiguousarray(noise, np.float32)
    local = cv2.boxFilter(noise * noise, -1, (AROUND, AROUND), borderType=cv2.BORDER_REFLECT)
    mean = float(local.mean(dtype=np.float64))
    if not mean > 0:
        return np.zeros(noise.shape, np.float32)
    local += np.float32(FLOOR * mean)
    weighted: np.ndarray = noise / local
    return weighted


def without_periods(noise: np.ndarray) -> np.ndarray:
    """Noise whose spectrum has been flattened where it stands out: a Wiener filter in the DFT.

    Parameters
    ----------
    noise : (rows, cols) real

    Returns
    -------
    (rows, cols) float32
        Every frequency keeps the part of its amplitude that is white noise of the
        variance of `noise`. Windows of frequencies close over the torus.

    References
    ----------
    M. Chen et al., IEEE TIFS 3(1), 2008, doi 10.1109/TIFS.2007.916285 (section III).
    """
    from scipy import fft

    if noise.ndim != 2 or noise.size == 0:
        raise ParameterError(f"noise must be 2-D and not empty, got shape {noise.shape}")
    rows, cols = noise.shape
    variance = float(np.var(noise, dtype=np.float64))
    if not variance > 0:
        return np.zeros(noise.shape, np.float32)
    spectrum = fft.rfft2(np.asarray(noise, np.float32))
    magnitude = np.abs(spectrum) / np.float32(np.sqrt(rows * cols))
    kept = local_wiener(_closed(magnitude, cols), variance=variance)[REACH:-REACH, REACH:-REACH]
    spectrum *= np.divide(kept, magnitude, out=np.zeros_like(magnitude), where=magnitude > 0)
    flat: np.ndarray = fft.irfft2(spectrum, s=(rows, cols))
    return flat


def linear_share(noise: np.ndarray) -> float:
    """Share of the energy of noise that its rows and columns have in common (0 to 1)."""
    before = float(np.mean(np.square(noise, dtype=np.float64)))
    if before == 0:
        return 0.0
    return float(np.clip(1 - np.mean(np.square(zero_mean(noise), dtype=np.float64)) / before, 0, 1))


def _closed(half: np.ndarray, cols: int) -> np.ndarray:
    """Half a spectrum of a real image with REACH frequencies more on each side, as on the torus."""
    rows = half.shape[0]
    row = np.arange(-REACH, rows + REACH) % rows
    col = np.arange(-REACH, half.shape[1] + REACH) % cols
    mirrored = col >= half.shape[1]
    closed = half[row[:, None], np.where(mirrored, cols - col, col)[None, :]]
    closed[:, mirrored] = half[(-row % rows)[:, None], (cols - col[mirrored])[None, :]]
    return np.ascontiguousarray(closed)
