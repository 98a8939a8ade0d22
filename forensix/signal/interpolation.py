"""Periodic traces of interpolation: where a picture was scaled or turned, and by how much.

Interpolated pixels are more or less predictable from their neighbours, as they lie between
the pixels of the original or on them. How predictable therefore repeats over the picture,
with the lattice of the original: two frequencies of equal size, at right angles to each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from forensix.errors import ParameterError

WINDOW = 256
# Multiples of these fractions belong to the blocks of a codec (8 and 16 pixels), and to the
# filter array of the sensor (2 pixels).
LATTICE = 16
NEAR = 2.1  # bins
# Pairs this near to the lines of blocks of 8 pixels, which are strong and uneven, are hard to place, and
# taken only if there is no other that is strong enough.
BESIDE, ENOUGH = 5.1, 14.0  # bins; strength
LOWEST = 10  # bins: below, the picture's own structure changes too fast from bin to bin
FEWEST = 12  # windows that tell how strong the lines of a codec's blocks are in a picture
OUTER, INNER = 17, 5  # bins on a side, around the bin judged: its noise floor
RESIDUAL_SCALE = 1.0  # grey levels
PREDICTOR = ((-0.25, 0.5, -0.25), (0.5, 0.0, 0.5), (-0.25, 0.5, -0.25))
AROUND, LEAST, MOST = 9, 0.2, 3.0  # pixels; grey levels; times the mean around
STRIP = 64  # rows worked on at a time: what fits in the processor's cache
FLAT = 1e-4  # variance of the unevenness, below which a window has nothing to tell
PATTERN = 10.0  # times the noise floor: the picture itself repeats at that frequency
ALONG_AXES = 100.0  # the same, along both axes: scaled blocks of a codec have lines there, too
FACTORS = (0.6, 2.2)  # magnifications that are named


@dataclass(frozen=True)
class Lattice:
    """The strongest pair of frequencies in one window.

    strength : the weaker of the two lines over the noise floor; exponentially distributed
        with mean 1/2 where nothing repeats, apart from the choice of the frequency
    frequency : (vertical, horizontal) cycles a pixel, -0.5 to 0.5; the other is this one
        turned by 90 degrees
    """

    strength: float
    frequency: tuple[float, float]


def predictability(luma: np.ndarray) -> np.ndarray:
    """How well every pixel follows from its eight neighbours; (rows, cols) float32, 0 to 1.

    luma : (rows, cols) real, 0-255

    References
    ----------
    M. Kirchner, "Fast and Reliable Resampling Detection by Spectral Analysis of Fixed Linear
    Predictor Residue", ACM MM&Sec 2008, doi 10.1145/1411328.1411333 (fixed predictor, p-map).
    """
    import cv2

    if luma.ndim != 2 or min(luma.shape) < 3:
        raise ParameterError(f"luma must be 2-D and at least 3 x 3, got {luma.shape}")
    values = np.ascontiguousarray(luma, np.float32)
    kernel = np.array(PREDICTOR, np.float32)
    residual = values - cv2.filter2D(values, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT_101)
    residual *= residual
    residual /= -np.float32(RESIDUAL_SCALE)
    return np.asarray(cv2.exp(residual))


def unevenness(luma: np.ndarray) -> np.ndarray:
    """How badly each pixel follows from its neighbours, over the mean around; (rows, cols) float32, 0 to 3.

    The predictor of :func:`predictability` is applied twice, which leaves less of the picture
    itself; over the mean around, lively parts weigh no more than calm ones.

    luma : (rows, cols) real, 0-255
    """
    import cv2

    once = np.array(PREDICTOR, np.float32)
    once[1, 1] = -1
    twice = cv2.filter2D(np.pad(once, 1), cv2.CV_32F, once, borderType=cv2.BORDER_CONSTANT)
    return over_surroundings(luma, lambda part: cv2.filter2D(part, cv2.CV_32F, twice))


def over_surroundings(luma: np.ndarray, filtered: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Size of what a filter leaves over its mean in 9 x 9 pixels; (rows, cols) float32, 0 to 3.

    Parameters
    ----------
    luma : (rows, cols) real, 0-255
    filtered : function
        Of (rows, cols) float32, reaching four pixels.
    """
    import cv2

    if luma.ndim != 2 or min(luma.shape) < 3:
        raise ParameterError(f"luma must be 2-D and at least 3 x 3, got {luma.shape}")
    values = np.ascontiguousarray(luma, np.float32)
    result = np.empty_like(values)
    margin = 4 + AROUND // 2
    for top in range(0, len(values), STRIP):
        bottom = min(top + STRIP, len(values))
        start = max(0, top - margin)
        left = np.abs(filtered(values[start : bottom + margin]))
        around = cv2.blur(left, (AROUND, AROUND))
        around += np.float32(LEAST)
        left /= around
        np.minimum(left[top - start : bottom - start], np.float32(MOST), out=result[top:bottom])
    return result


def lines(window: np.ndarray) -> np.ndarray:
    """Power spectrum of a window over its local noise floor; (256, 256) float32, 1 on average.

    window : (256, 256) float32
    """
    import cv2
    from scipy import fft

    spectrum = fft.fft2((window - window.mean()) * _taper())
    power = spectrum.real**2 + spectrum.imag**2
    reach = OUTER // 2
    wrapped = np.pad(power, reach, mode="wrap")
    sums = [
        cv2.boxFilter(wrapped, cv2.CV_32F, (side, side), normalize=False)[reach:-reach, reach:-reach]
        for side in (OUTER, INNER)
    ]
    floor = np.maximum(sums[0] - sums[1], 0) / (OUTER**2 - INNER**2)
    return np.asarray(power / np.maximum(floor, np.finfo(np.float32).tiny * 1e6))


@cache
def _taper() -> np.ndarray:
    along = np.hanning(WINDOW + 2)[1:-1].astype(np.float32)
    return np.outer(along, along)


def turned(spectrum: np.ndarray) -> np.ndarray:
    """The spectrum at the frequencies turned by 90 degrees: ``[v, h]`` of the result is ``[-h, v]``."""
    back = (-np.arange(len(spectrum))) % len(spectrum)
    result: np.ndarray = spectrum[back].T
    return result


def telling_bins() -> np.ndarray:
    """(256, 256) bool: frequencies that belong neither to a codec, nor a sensor, nor the scene, nor an axis."""
    index = np.fft.fftfreq(WINDOW, 1 / WINDOW)
    low = np.hypot(index[:, None], index[None, :]) <= LOWEST
    axes = index == 0  # what was scaled only is looked for separately
    return ~_near(WINDOW / LATTICE, NEAR) & ~low & ~(axes[:, None] | axes[None, :])


@cache
def bins_beside_blocks() -> np.ndarray:
    """(256, 256) bool: near the lines of blocks of 8 pixels, where what was turned can hardly be placed."""
    return _near(2 * WINDOW / LATTICE, BESIDE)


def _near(step: float, bins: float) -> np.ndarray:
    index = np.fft.fftfreq(WINDOW, 1 / WINDOW)
    on: np.ndarray = np.abs(index / step - np.rint(index / step)) * step < bins
    return on[:, None] & on[None, :]


def tests_per_window(telling: np.ndarray) -> int:
    """How many independent pairs of frequencies a window holds: four bins belong to each.

    telling : from :func:`telling_bins`
    """
    return int(telling.sum()) // 4


def strongest_lattice(window: np.ndarray, telling: np.ndarray) -> Lattice:
    """The pair of frequencies at right angles that stands out most, if possible away from those of blocks.

    window : (256, 256) float32, from :func:`unevenness`
    telling : from :func:`telling_bins`
    """
    if window.var() < FLAT:
        return Lattice(0.0, (0.0, 0.0))
    over = lines(window)
    both = np.minimum(over, turned(over)) * telling
    clear = both * ~bins_beside_blocks()
    if clear.max() >= min(ENOUGH, float(both.max())):
        both = clear
    vertical, horizontal = np.unravel_index(int(both.argmax()), both.shape)
    bins = np.fft.fftfreq(WINDOW)
    return Lattice(float(both[vertical, horizontal]), (float(bins[vertical]), float(bins[horizontal])))


def repeats_itself(luma: np.ndarray, frequency: tuple[float, float], *, pattern: float = PATTERN) -> bool:
    """True where the picture itself has a line at the frequency, or at half of it.

    Prints, screens and fabrics have; interpolation shows in how predictable pixels are,
    and in nothing else. Half, since predictability repeats twice in a wave.

    luma : (256, 256) float32
    pattern : times the noise floor, above which a line counts
    """
    import cv2

    fine = luma - cv2.GaussianBlur(luma, (0, 0), 2.0)
    over = lines(fine)
    over = np.maximum(over, turned(over))
    halves = [(f / 2, f / 2 + 0.5) for f in frequency]
    places = [frequency, *((v, h) for v in halves[0] for h in halves[1])]
    for vertical, horizontal in places:
        rows = (round(vertical * WINDOW) + np.arange(-1, 2)) % WINDOW
        cols = (round(horizontal * WINDOW) + np.arange(-1, 2)) % WINDOW
        if over[np.ix_(rows, cols)].max() > pattern:
            return True
    return False


def transformations(frequency: tuple[float, float]) -> list[tuple[float, float]]:
    """The (magnification, rotation in degrees) that would make such a pair, the mildest first.

    A frequency is known up to whole cycles a pixel, so that there may be several.
    """
    found = []
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            v, h = frequency[0] + down, frequency[1] + across
            size = float(np.hypot(v, h))
            if size > 0 and FACTORS[0] <= 1 / size <= FACTORS[1]:
                angle = (float(np.degrees(np.arctan2(v, h))) + 45) % 90 - 45
                found.append((round(1 / size, 4), round(angle, 2)))
    return sorted(set(found), key=lambda each: abs(np.log(each[0])) + abs(each[1]) / 45)
