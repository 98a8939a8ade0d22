"""Power spectra of small windows of a picture, taken at its own resolution.

A picture is never resized for this: resizing would change the very frequencies that are
looked at. What differs between pictures, the number of windows, is averaged away; the
frequency scale, cycles per pixel, is the same for all.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from forensix.errors import ParameterError

SIDE = 128
NYQUIST = 0.5  # cycles per pixel


def window_corners(rows: int, cols: int, *, side: int = SIDE, most: int = 48) -> tuple[tuple[int, int], ...]:
    """Corners (top, left) of at most `most` windows, spread evenly over a picture.

    Windows do not overlap. Corners are not multiples of 8 in general: the block grid of
    a JPEG is met at different phases.

    Raises
    ------
    ParameterError
        When the picture is smaller than one window.
    """
    if min(rows, cols) < side:
        raise ParameterError(f"a window of {side} x {side} does not fit into {rows} x {cols} pixels")
    down, across = rows // side, cols // side
    if down * across > most:
        shrink = (most / (down * across)) ** 0.5
        down = min(max(1, int(down * shrink)), most)
        across = min(across, most // down)
    tops = np.linspace(0, rows - side, down).round().astype(int) if down > 1 else [(rows - side) // 2]
    lefts = np.linspace(0, cols - side, across).round().astype(int) if across > 1 else [(cols - side) // 2]
    return tuple((int(top), int(left)) for top in tops for left in lefts)


@cache
def frequencies(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Vertical and horizontal frequency of each coefficient of a half spectrum.

    Returns two (side, side // 2 + 1) float64 arrays, cycles per pixel, -0.5 to 0.5 and 0 to 0.5.
    """
    down = np.fft.fftfreq(side)[:, None] + np.zeros(side // 2 + 1)
    across = np.fft.rfftfreq(side)[None, :] + np.zeros((side, 1))
    for array in (down, across):
        array.flags.writeable = False
    return down, across


@cache
def taper(side: int = SIDE) -> np.ndarray:
    """(side, side) float32 Hann taper, of mean square 1."""
    line = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(side) + 0.5) / side)
    both = np.outer(line, line)
    both = (both / np.sqrt(np.mean(both**2))).astype(np.float32)
    both.flags.writeable = False
    return both


def tapered_spectra(windows: np.ndarray) -> np.ndarray:
    """Fourier transforms of windows, mean removed and tapered.

    Parameters
    ----------
    windows : (..., side, side) float32

    Returns
    -------
    (..., side, side // 2 + 1) complex64
        Scaled so that white noise of variance v has the expected power v.
    """
    from scipy.fft import rfft2

    side = windows.shape[-1]
    flat = (windows - windows.mean(axis=(-2, -1), keepdims=True)) * taper(side)
    return np.asarray(rfft2(flat, axes=(-2, -1)) / np.float32(side))


@cache
def _rings(side: int, edges: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    down, across = frequencies(side)
    number = np.digitize(np.hypot(down, across).ravel(), edges) - 1
    inside = (number >= 0) & (number < len(edges) - 1)
    weights = np.zeros((number.size, len(edges) - 1), np.float32)
    # Coefficients off the two border columns stand for their mirror images too.
    twice = np.where((across.ravel() > 0) & (across.ravel() < NYQUIST), 2.0, 1.0)
    weights[np.flatnonzero(inside), number[inside]] = twice[inside]
    counts = weights.sum(axis=0)
    return weights / np.maximum(counts, 1), counts


def azimuthal_profile(power: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """Mean power over all directions, in rings of frequency.

    Parameters
    ----------
    power : (..., side, side // 2 + 1) float32
        Half spectra.
    edges : rising frequencies, cycles per pixel, between which the rings lie

    Returns
    -------
    (..., len(edges) - 1) float32

    References
    ----------
    R. Durall, M. Keuper, J. Keuper, "Watch your Up-Convolution: CNN Based Generative Deep
    Neural Networks are Failing to Reproduce Spectral Distributions", CVPR 2020.
    doi:10.1109/CVPR42600.2020.00791
    """
    weights, _ = _rings(power.shape[-2], edges)
    flat = power.reshape(*power.shape[:-2], -1)
    profile: np.ndarray = flat @ weights
    return profile
