"""Lines that scaling leaves along rows and along columns, where the rest of a picture has none.

A picture scaled by a factor s without turning it has pixels that lie on those of the original,
or between them, every s pixels along rows and along columns. Fine detail across the rows is
weaker where they lie between. Differences of a high order show that best: what is left
of photos there is small, and what interpolation takes away is much of it.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from forensix.errors import ParameterError
from forensix.signal.interpolation import BESIDE, FEWEST, LATTICE, LOWEST, NEAR, WINDOW, over_surroundings

# Of even order they lie on the pixels, of odd order half a pixel before them: where a part is twice as
# large, and all its pixels lie a quarter beside those of the original, only the latter alternate.
EVEN, ODD = 8, 7
ACROSS_BLUR = 1.0, 5  # deviation and size, pixels, at right angles to the difference: less noise
# Lines this near to those of a codec's blocks are hard to place, and taken only if there is no other.
ENOUGH = 20.0  # strength
NONE, MOST_EVEN = 1e-3, 0.5  # times the mean around; share of a window
BAND = 16  # rows added up at once
FINER = 2  # frequencies per bin of a window
BLOCK_LINES = [FINER * WINDOW * k // 8 for k in (1, 2, 3)]  # of blocks of 8 pixels
SIDE_LOBES, RING = 4, 20  # bins around a frequency: its own line, and its noise floor
# One axis alone proves nothing, however strong its line; where both are strong, they may be so.
HIGHEST, HIGHEST_ALONE, BOTH = 30.0, 12.0, 6.0
FREQUENCIES = 128  # independent ones in a window, at most


def fine_detail(luma: np.ndarray, *, order: int = EVEN) -> tuple[np.ndarray, np.ndarray]:
    """Size of differences of an order over their mean around; two of (rows, cols) float32, 0 to 3.

    luma : (rows, cols) real, 0-255
    order : 2 to 8
    Returns differences along columns, then along rows: ``(down, across)``.
    """
    import cv2

    difference = _difference(order)
    sigma, size = ACROSS_BLUR
    smooth = cv2.getGaussianKernel(size, sigma, cv2.CV_32F).ravel()

    def differences(along_row: np.ndarray, along_col: np.ndarray) -> np.ndarray:
        return over_surroundings(luma, lambda part: cv2.sepFilter2D(part, cv2.CV_32F, along_row, along_col))

    return differences(smooth, difference), differences(difference, smooth)


@cache
def _difference(order: int) -> np.ndarray:
    """Taps whose sizes add up to 2, with a zero behind those of odd order."""
    if not 2 <= order <= 8:
        raise ParameterError(f"order must be 2 to 8, got {order}")
    taps = np.ones(1)
    for _ in range(order):
        taps = np.convolve(taps, (1, -1))
    taps /= np.abs(taps).sum() / 2
    return np.append(taps, [0.0] * (order % 2)).astype(np.float32)


def fine_strength(luma: np.ndarray, *, cell: int) -> np.ndarray:
    """Mean size of the fourth differences in every cell, grey levels; (rows // cell, cols // cell) float32."""
    import cv2

    rows, cols = (size // cell for size in luma.shape)
    part = np.ascontiguousarray(luma[: rows * cell, : cols * cell], np.float32)
    difference, one = _difference(4), np.ones(1, np.float32)
    mean = np.zeros((rows, cols), np.float32)
    for along_row, along_col in ((one, difference), (difference, one)):
        detail = np.abs(cv2.sepFilter2D(part, cv2.CV_32F, along_row, along_col))
        mean += cv2.resize(detail, (cols, rows), interpolation=cv2.INTER_AREA) / 2
    return mean


def _spectra(detail: np.ndarray, places: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Of each window the amplitude of its lines, as a share of its mean, and the power of its bands singly.

    Returns (windows, 257) complex64, with phases from the corner of the picture, and (windows, 257)
    float32. Drawings, whose surfaces have no fine detail at all, have zeros.
    """
    from scipy import fft

    taper, weight = _tapers()
    tops, lefts = np.array(places).T
    windows = np.lib.stride_tricks.sliding_window_view(_bands(detail), (WINDOW // BAND, WINDOW))
    windows = windows[tops // BAND, lefts]
    mean = windows.mean(axis=(1, 2))
    mean[np.mean(windows < NONE, axis=(1, 2)) > MOST_EVEN] = 0
    tapered = windows - mean[:, None, None]
    tapered *= taper * weight[:, None]
    tapered /= np.where(mean > 0, mean, np.inf)[:, None, None]
    spectra = fft.rfft(tapered, n=FINER * WINDOW, axis=2)
    phases = np.exp(-2j * np.pi * lefts[:, None] * np.arange(spectra.shape[2]) / (FINER * WINDOW))
    singly = np.sum(spectra.real**2 + spectra.imag**2, axis=1)
    return (spectra.sum(axis=1) * phases).astype(np.complex64), singly


def _bands(detail: np.ndarray) -> np.ndarray:
    """Means of 16 rows each; of a transposed array without copying it."""
    rows, cols = len(detail) // BAND, detail.shape[1]
    one = np.full(BAND, 1 / BAND, np.float32)
    if detail.flags.c_contiguous:
        return np.asarray(one @ detail[: rows * BAND].reshape(rows, BAND, cols))
    return np.asarray((detail.T[:, : rows * BAND].reshape(cols, rows, BAND) @ one).T)


def scaling_lines(
    detail: np.ndarray, places: list[tuple[int, int]], *, odd: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """How much the lines across windows stand out, by frequency; two of (windows, 257) float32, 0 to 30.

    Exponentially distributed with mean 1 where nothing repeats, apart from the largest. In the second
    array lines at the frequencies of a codec's blocks, and beside them, also stand out from what the
    other windows have there; in the first those at them tell nothing.

    Parameters
    ----------
    detail : (rows, cols) float32
        From :func:`fine_detail`, differences along the rows.
    places : (top, left) of windows of 256 x 256 pixels, multiples of 16
    odd : bool
        Whether the differences are of odd order, in which blocks have a line at half a cycle, too, weaker
        than their others.
    """
    amplitudes, singly = _spectra(detail, places)
    alone = _over_floor(np.square(np.abs(amplitudes)), singly)
    usual = np.median(amplitudes.real, axis=0) + 1j * np.median(amplitudes.imag, axis=0)
    power = np.square(np.abs(amplitudes - np.where(on_blocks(), usual, 0))).astype(np.float32)
    against = np.where(on_blocks(), _over_floor(power, singly), alone)
    _compare(against, power, usual)
    if odd:
        own = np.square(np.abs(amplitudes))
        blocks = own[:, BLOCK_LINES].max(axis=1, keepdims=True)
        against[:, doubling()] *= own[:, doubling()] > blocks / 4
    return alone, against


def _over_floor(power: np.ndarray, singly: np.ndarray) -> np.ndarray:
    """Nats of lines over what is beside them, and what their bands have singly; (windows, 257) float32."""
    import cv2

    sums = [
        cv2.blur(lines, (FINER * size + 1, 1), borderType=cv2.BORDER_REFLECT_101) * (FINER * size + 1)
        for lines, size in ((power, RING), (power, SIDE_LOBES), (singly, SIDE_LOBES))
    ]
    beside = np.maximum(sums[0] - sums[1], 0) / (FINER * (RING - SIDE_LOBES))
    apart = sums[2] / (FINER * SIDE_LOBES + 1)  # as strong as the line if its bands have nothing in common
    over = power / np.maximum(np.maximum(beside, apart), 1e-9)
    # Of bands with random phases, so much of all they could add up to has this chance, as nats.
    weight = _tapers()[1]
    bands_there = float(weight.sum() ** 2 / (weight**2).sum())
    shared = np.minimum(over / bands_there, 0.999)
    return np.minimum(-(bands_there - 1) * np.log1p(-shared), HIGHEST).astype(np.float32)


def _compare(nats: np.ndarray, power: np.ndarray, usual: np.ndarray) -> None:
    """Lower what the windows have at the frequencies of blocks to what others say of it, in place."""
    blocks, near = on_blocks(), beside_blocks(np.arange(nats.shape[1]) / (FINER * WINDOW))
    with_detail = power.any(axis=1)
    if np.count_nonzero(with_detail) < FEWEST:
        nats[:, blocks] = 0
        return
    # Half of exponential values exceed log 2 of their mean.
    floor = np.median(power[with_detail], axis=0) / np.log(2)
    compared = power / np.maximum(floor, 1e-9)
    # Lines that all the picture has, and parts of it more than others, are its own.
    compared[:, blocks] *= (power > np.square(np.abs(usual)))[:, blocks]
    compared[:, doubling()] /= 2  # amplitudes are real there, and their squares have longer tails
    nats[:, blocks | near] = np.minimum(nats, compared)[:, blocks | near]


@cache
def _tapers() -> tuple[np.ndarray, np.ndarray]:
    """For the columns of a window, and for its bands of rows."""
    taper = np.hanning(WINDOW + 2)[1:-1].astype(np.float32)
    return taper, taper.reshape(-1, BAND).mean(axis=1)


@cache
def on_blocks() -> np.ndarray:
    """(257,) bool: frequencies of the blocks of a codec, or of the filter array of a sensor."""
    bins = np.arange(FINER * WINDOW // 2 + 1) / FINER
    step = WINDOW / LATTICE
    near: np.ndarray = np.abs(bins / step - np.rint(bins / step)) * step < NEAR
    return near


@cache
def telling_frequencies() -> np.ndarray:
    """(257,) bool: frequencies that belong neither to a codec, nor to a sensor, nor to the scene."""
    above: np.ndarray = np.arange(FINER * WINDOW // 2 + 1) > LOWEST * FINER
    return above & ~on_blocks()


@cache
def doubling() -> np.ndarray:
    """(257,) bool: the frequency of what is twice as large, half a cycle a pixel."""
    at_nyquist: np.ndarray = np.arange(FINER * WINDOW // 2 + 1) >= (WINDOW / 2 - NEAR) * FINER
    return at_nyquist


def beside_blocks(frequency: np.ndarray | float) -> np.ndarray:
    """Whether a frequency, in cycles a pixel, is near a multiple of 1/8."""
    bins = 8 * np.asarray(frequency)
    near: np.ndarray = np.abs(bins - np.rint(bins)) / 8 * WINDOW < BESIDE
    return near


def scaling_strength(
    detail: tuple[np.ndarray, np.ndarray], places: list[tuple[int, int]], *, odd: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Twice the geometric mean of the lines along the two axes of windows; two of (windows, 257) float32.

    The second is of lines that stand out from the rest of the picture, see :func:`scaling_lines`.

    detail : two of (rows, cols) float32, from :func:`fine_detail`
    places : (top, left) of windows of 256 x 256 pixels, multiples of 16
    """
    down, across = detail
    turned = [(left, top) for top, left in places]
    along = scaling_lines(down.T, turned, odd=odd), scaling_lines(across, places, odd=odd)
    alone, against = (_paired(np.stack(both)) for both in zip(*along, strict=True))
    return alone, against


def _paired(lines: np.ndarray) -> np.ndarray:
    capped = np.where(lines.min(axis=0) >= BOTH, lines, np.minimum(lines, HIGHEST_ALONE))
    strength: np.ndarray = 2 * np.sqrt(capped[0] * capped[1])
    return strength


def strongest_scaling(strength: np.ndarray, telling: np.ndarray) -> tuple[float, float]:
    """(strength, frequency in cycles a pixel) of the pair of lines that stands out most in a window.

    What chance makes of the strength is told by :func:`log_chance`.

    strength : (257,) float32, a window's from :func:`scaling_strength`
    telling : from :func:`telling_frequencies`
    """
    strength = strength * telling
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
