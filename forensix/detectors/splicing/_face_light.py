"""The colour of the light on a face, estimated in three ways that rest on different assumptions.

Grey edge: the steps between surfaces are without colour on average, so that what colour they have
is the light's. Shades of grey: so are the bright parts. Inverse-intensity chromaticity: where skin
shines, the share of a colour in a pixel moves, with growing intensity, from the skin's to the light's.
None of the three is right for skin, which is no average surface; but skins are much alike,
and on two faces in one picture they err in the same direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from forensix.errors import ParameterError

SIDE = 64  # pixels that a face is reduced to
CLIPPED, DARK = 245, 20  # of 255: pixels brighter or darker in their strongest channel tell nothing
GROUPS = 6  # parts of a face that are left out in turn, to see how sure the estimate is
LEAST_USED = 0.2  # of the box
# Spread of the logarithm of the colour ratios within a face: skin varies by light, shadow and blood, but
# is one surface. Other things that pass for faces are more colourful, or of one colour altogether.
MOST_COLOURFUL, LEAST_COLOURFUL = 0.35, 0.1

INTERCEPTS = np.arange(0.1, 0.7, 0.01)
SLOPE_BIN = 0.01
LEAST_SLOPE = 0.02  # less, and a pixel has the same colour at any intensity: that of the surface
SLOPES = 100  # bins on either side of 0
MOST_VOTERS = 1000  # pixels


@dataclass(frozen=True, eq=False)
class FaceLight:
    """The light on one face.

    box : (top, left, rows, cols)
    estimates : (3, 3) float64, unit vectors in linear RGB: grey edge, shades of grey, inverse intensity
    without : (6, 3, 3) float64, the same with one sixth of the face left out
    """

    box: tuple[int, int, int, int]
    estimates: np.ndarray
    without: np.ndarray


def face_light(rgb: np.ndarray, box: tuple[int, int, int, int]) -> FaceLight | None:
    """The colour of the light in a box; None where no single, unclipped, coloured surface fills it.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        Upright, encoded as sRGB.
    box : (top, left, rows, cols)
    """
    linear, used = _patch(rgb, box)
    if used.mean() < LEAST_USED or not _one_surface(linear[used]):
        return None
    group = _groups(used.shape)
    without = [light_colours(linear, used & (group != left_out)) for left_out in range(GROUPS)]
    return FaceLight(box, light_colours(linear, used), np.stack(without))


def light_colours(linear: np.ndarray, used: np.ndarray) -> np.ndarray:
    """The three estimates; (3, 3) float64, a unit vector each.

    Parameters
    ----------
    linear : (rows, cols, 3) float32
        Proportional to light.
    used : (rows, cols) bool
        At least one pixel.

    Raises
    ------
    ParameterError
        Where no pixel is used.
    """
    if not used.any():
        raise ParameterError("no pixel to estimate the light from")
    return np.stack([
        grey_edge(linear, used, order=1, norm=1.0),
        grey_edge(linear, used, order=0, norm=5.0),
        inverse_intensity(linear, used),
    ])  # fmt: skip


def grey_edge(
    linear: np.ndarray, used: np.ndarray, *, order: int, norm: float, sigma: float = 1.0
) -> np.ndarray:
    """The light by generalized grey edge: the Minkowski mean of derivatives of a channel.

    Parameters
    ----------
    linear : (rows, cols, 3) float32
        Proportional to light.
    used : (rows, cols) bool
    order : int
        0 for the values themselves ("shades of grey"), 1 for gradients.
    norm : float
        The Minkowski norm, 1 or more.
    sigma : float
        Of the Gaussian before the derivative, pixels.

    Returns
    -------
    (3,) float64, a unit vector; equal parts where nothing varies.

    References
    ----------
    J. van de Weijer, T. Gevers, A. Gijsenij, "Edge-based color constancy", IEEE TIP 16(9), 2007.
    https://doi.org/10.1109/TIP.2007.901808
    """
    import cv2

    if order not in (0, 1):
        raise ParameterError(f"order must be 0 or 1, got {order}")
    values = linear
    if order == 1:
        smooth = cv2.GaussianBlur(linear, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        # A scaled Sobel pair; the scale cancels in the direction.
        values = np.hypot(cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1))
    means = (values[used].astype(np.float64) ** norm).mean(axis=0) ** (1 / norm)
    return _unit(means)


def inverse_intensity(linear: np.ndarray, used: np.ndarray) -> np.ndarray:
    """The light by inverse-intensity chromaticity and a Hough transform.

    Of a pixel that shines, the share of a channel is the light's share plus a slope times 1 / intensity;
    pixels of like geometry share the slope. The intercept that the most pixels of one slope agree on
    is the light's share.

    Parameters and result as in :func:`grey_edge`.

    References
    ----------
    R. T. Tan, K. Nishino, K. Ikeuchi, "Color constancy through inverse-intensity chromaticity space",
    JOSA A 21(3), 2004. https://doi.org/10.1364/JOSAA.21.000321
    C. Riess, E. Angelopoulou, "Scene illumination as an indicator of image manipulation", Information
    Hiding 2010. https://doi.org/10.1007/978-3-642-16435-4_6
    """
    import cv2

    pixels = cv2.GaussianBlur(linear, (0, 0), 1.0, borderType=cv2.BORDER_REFLECT)[used].astype(np.float64)
    pixels = pixels[:: max(1, len(pixels) // MOST_VOTERS)]
    total = np.maximum(pixels.sum(axis=1), 1e-6)
    inverse = total.mean() / total  # in units of the mean, so that slopes are shares
    light = np.empty(3)
    for channel in range(3):
        slopes = (pixels[:, channel, None] / total[:, None] - INTERCEPTS) / inverse[:, None]
        bins = np.clip(np.rint(slopes / SLOPE_BIN).astype(np.int64) + SLOPES, 0, 2 * SLOPES)
        places = bins + (2 * SLOPES + 1) * np.arange(INTERCEPTS.size)
        counted = np.bincount(
            places[np.abs(slopes) > LEAST_SLOPE], minlength=(2 * SLOPES + 1) * INTERCEPTS.size
        )
        votes = counted.reshape(INTERCEPTS.size, -1).max(axis=1).astype(np.float64)
        light[channel] = INTERCEPTS[np.convolve(votes, np.ones(3) / 3, "same").argmax()]
    return _unit(light)


def angle(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Degrees between unit vectors; over the last axis."""
    cosine = np.clip(np.sum(one * other, axis=-1), -1, 1)
    degrees: np.ndarray = np.degrees(np.arccos(cosine))
    return degrees


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else np.full(3, 3**-0.5)


@cache
def _to_linear() -> np.ndarray:
    """Light of the 256 levels of sRGB; float32, 0 to 1."""
    level = np.arange(256) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


def _patch(rgb: np.ndarray, box: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The face in linear light, 64 x 64, and which pixels to use: in an ellipse, not clipped, not dark."""
    import cv2

    top, left, rows, cols = box
    levels = np.ascontiguousarray(rgb[top : top + rows, left : left + cols])
    linear = cv2.resize(_to_linear()[levels], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    strongest = levels.max(axis=2)
    usable = ((strongest < CLIPPED) & (strongest > DARK)).astype(np.float32)
    usable = cv2.resize(usable, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    down, across = (np.indices((SIDE, SIDE)) + 0.5) / SIDE * 2 - 1
    return linear, (down**2 + (across / 0.84) ** 2 < 1) & (usable > 0.99)


def _one_surface(pixels: np.ndarray) -> bool:
    logs = np.log(np.maximum(pixels, 1e-4))
    ratios = logs[:, [0, 1]] - logs[:, [1, 2]]
    spread = 1.4826 * np.median(np.abs(ratios - np.median(ratios, axis=0)), axis=0)
    return bool(spread.max() < MOST_COLOURFUL and spread.sum() > LEAST_COLOURFUL)


def _groups(shape: tuple[int, int]) -> np.ndarray:
    """Blocks of a sixth by a quarter, dealt out to the groups so that each has some of all parts."""
    down, across = np.indices(shape)
    rows, cols = down * GROUPS // shape[0], across * 4 // shape[1]
    groups: np.ndarray = (rows + 2 * cols) % GROUPS
    return groups
