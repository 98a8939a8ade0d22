"""Lines that scaling leaves along rows and along columns, where the rest of a picture has none.

A picture scaled by a factor s without turning it has pixels that lie on those of the original,
or between them, every s pixels along rows and along columns. Fine detail across the rows is
weaker where they lie between. Differences of the fourth order show that best: what is left
of photos there is small, and what interpolation takes away is much of it.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from forensix.signal.interpolation import LATTICE, LOWEST, NEAR, WINDOW, over_surroundings

DIFFERENCE = (0.125, -0.5, 0.75, -0.5, 0.125)
ACROSS_BLUR = 1.0, 5  # deviation and size, pixels, at right angles to the difference: less noise
# Lines this near to those of a codec's blocks are hard to place, and taken only if there is no other.
BESIDE_BLOCKS, ENOUGH = 5.1, 20.0  # bins; strength
NONE, MOST_EVEN = 1e-3, 0.5  # times the mean around; share of a window
BAND = 16  # rows added up at once
FINER = 2  # frequencies per bin of a window
SIDE_LOBES, RING = 4, 20  # bins around a frequency: its own line, and its noise floor
# One axis alone proves nothing, however strong its line; where both are strong, they may be so.
HIGHEST, HIGHEST_ALONE, BOTH = 30.0, 12.0, 6.0
FREQUENCIES = 128  # independent ones in a window, at most


def fine_detail(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Size of fourth differences over their mean around; two of (rows, cols) float32, 0 to 3.

    luma : (rows, cols) real, 0-255
    Returns differences along columns, then along rows: ``(down, across)``.
    """
    import cv2

    difference = np.array(DIFFERENCE, np.float32)
    sigma, size = ACROSS_BLUR
    smooth = cv2.getGaussianKernel(size, sigma, cv2.CV_32F).ravel()

    def differences(along_row: np.ndarray, along_col: np.ndarray) -> np.ndarray:
        return over_surroundings(luma, lambda part: cv2.sepFilter2D(part, cv2.CV_32F, along_row, along_col))

    return differences(smooth, difference), differences(difference, smooth)


def fine_strength(luma: np.ndarray, *, cell: int) -> np.ndarray:
    """Mean size of the fourth differences in every cell, grey levels; (rows // cell, cols // cell) float32."""
    import cv2

    rows, cols = (size // cell for size in luma.shape)
    part = np.ascontiguousarray(luma[: rows * cell, : cols * cell], np.float32)
    difference, one = np.array(DIFFERENCE, np.float32), np.ones(1, np.float32)
    mean = np.zeros((rows, cols), np.float32)
    for along_row, along_col in ((one, difference), (difference, one)):
        detail = np.abs(cv2.sepFilter2D(part, cv2.CV_32F, along_row, along_col))
        mean += cv2.resize(detail, (cols, rows), interpolation=cv2.INTER_AREA) / 2
    return mean


def scaling_lines(detail: np.ndarray, top: int, left: int) -> np.ndarray:
    """How much the lines across one window stand out, by frequency; (257,) float32, 0 to 30.

    Exponentially distributed with mean 1 where nothing repeats, apart from the largest.

    Parameters
    ----------
    detail : (rows, cols) float32
        From :func:`fine_detail`, differences along the rows.
    top, left : int
        Of the window of 256 x 256 pixels.
    """
    import cv2
    from scipy import fft

    window = np.ascontiguousarray(detail[top : top + WINDOW, left : left + WINDOW])
    bands = cv2.resize(window, (WINDOW, WINDOW // BAND), interpolation=cv2.INTER_AREA)
    taper, weight = _tapers()
    bands = (bands - bands.mean()) * taper * weight[:, None]
    spectra = fft.rfft(bands, n=FINER * WINDOW, axis=1)
    added = spectra.sum(axis=0)
    whole = added.real**2 + added.imag**2
    singly = np.einsum("ij,ij->j", spectra.real, spectra.real) + np.einsum(
        "ij,ij->j", spectra.imag, spectra.imag
    )
    sums = [
        cv2.blur(line[None], (FINER * size + 1, 1), borderType=cv2.BORDER_REFLECT_101)[0] * (FINER * size + 1)
        for line, size in ((whole, RING), (whole, SIDE_LOBES), (singly, SIDE_LOBES))
    ]
    beside = np.maximum(sums[0] - sums[1], 0) / (FINER * (RING - SIDE_LOBES))
    apart = sums[2] / (FINER * SIDE_LOBES + 1)  # as strong as the line if its bands have nothing in common
    over = whole / np.maximum(np.maximum(beside, apart), 1e-9)
    # Of bands with random phases, so much of all they could add up to has this chance, as nats.
    bands_there = float(weight.sum() ** 2 / (weight**2).sum())
    shared = np.minimum(over / bands_there, 0.999)
    return np.minimum(-(bands_there - 1) * np.log1p(-shared), HIGHEST).astype(np.float32)


@cache
def _tapers() -> tuple[np.ndarray, np.ndarray]:
    """For the columns of a window, and for its bands of rows."""
    taper = np.hanning(WINDOW + 2)[1:-1].astype(np.float32)
    return taper, taper.reshape(-1, BAND).mean(axis=1)


@cache
def telling_frequencies() -> np.ndarray:
    """(257,) bool: frequencies that belong neither to a codec, nor to a sensor, nor to the scene."""
    bins = np.arange(FINER * WINDOW // 2 + 1) / FINER
    step = WINDOW / LATTICE
    telling: np.ndarray = (np.abs(bins / step - np.rint(bins / step)) * step >= NEAR) & (bins > LOWEST)
    return telling


def beside_blocks(frequency: np.ndarray | float) -> np.ndarray:
    """Whether a frequency, in cycles a pixel, is near a multiple of 1/8."""
    bins = 8 * np.asarray(frequency)
    near: np.ndarray = np.abs(bins - np.rint(bins)) / 8 * WINDOW < BESIDE_BLOCKS
    return near


def scaling_strength(detail: tuple[np.ndarray, np.ndarray], top: int, left: int) -> np.ndarray:
    """Twice the geometric mean of the lines along the two axes of a window; (257,) float32.

    detail : two of (rows, cols) float32, from :func:`fine_detail`
    """
    down, across = detail
    pair = np.stack([scaling_lines(down.T, left, top), scaling_lines(across, top, left)])
    pair = np.where(pair.min(axis=0) >= BOTH, pair, np.minimum(pair, HIGHEST_ALONE))
    strength: np.ndarray = 2 * np.sqrt(pair[0] * pair[1])
    return strength


def strongest_scaling(detail: tuple[np.ndarray, np.ndarray], top: int, left: int) -> tuple[float, float]:
    """(strength, frequency in cycles a pixel) of the pair of lines that stands out most in a window.

    What chance makes of the strength is told by :func:`log_chance`. Drawings, whose surfaces have no
    fine detail at all, have nothing to tell.
    """
    even = [float(np.mean(part[top : top + WINDOW, left : left + WINDOW] < NONE)) for part in detail]
    if max(even) > MOST_EVEN:
        return 0.0, 0.0
    strength = scaling_strength(detail, top, left) * telling_frequencies()
    clear = strength * ~beside_blocks(np.arange(len(strength)) / (FINER * WINDOW))
    place = int((clear if clear.max() >= min(ENOUGH, float(strength.max())) else strength).argmax())
    return float(strength[place]), place / (FINER * WINDOW)


def log_chance(strength: float) -> float:
    """Natural logarithm of how likely a pair of frequencies is so strong by chance.

    Of two exponential variables, twice the geometric mean exceeds t at ``t K1(t)``, with K1 a Bessel
    function, here by its expansion for large t.
    """
    if strength < 1:
        return 0.0
    return float(min(0.0, 0.5 * np.log(np.pi * strength / 2) - strength + np.log1p(0.375 / strength)))
