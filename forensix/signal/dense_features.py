"""Twelve numbers for the surroundings of every pixel, to find parts of an image that look the same.

References
----------
.. [1] Ryu, S.-J. et al. (2013). Rotation invariant localization of duplicated image regions based
   on Zernike moments. IEEE TIFS 8(8), 1355-1370. DOI 10.1109/TIFS.2013.2272377
.. [2] Yap, P.-T., Jiang, X. and Kot, A. C. (2010). Two-dimensional polar harmonic transforms for
   invariant image representation. IEEE TPAMI 32(7), 1259-1270. DOI 10.1109/TPAMI.2009.119
.. [3] Cozzolino, D., Poggi, G. and Verdoliva, L. (2015). Efficient dense-field copy-move forgery
   detection. IEEE TIFS 10(11), 2284-2297. DOI 10.1109/TIFS.2015.2455334 (polar sampling)
.. [4] Fridrich, J., Soukal, D. and Lukas, J. (2003). Detection of copy-move forgery in digital
   images. Digital Forensic Research Workshop. (block DCT)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from forensix.errors import ParameterError

DIAMETER = 12
FEATURES = 12
ORDER = 5
# Of the polar cosine transform: how many radial orders and angular repetitions; of the points of one filter.
RADIAL, ANGULAR = 3, 4
RADII, ANGLES = 26, 32
# Grey levels enter as the square root of a moment's size: noise and texture weigh alike
# in faint and in strong parts.
SCALE = 8.0


def zernike_filters(diameter: int = DIAMETER, order: int = ORDER) -> list[tuple[int, int, np.ndarray]]:
    """Degree, repetition and complex filter of every Zernike moment up to an order [1]_.

    The filters are averages over 5 x 5 points a pixel, brought to unit norm, and those of no
    repetition but the first to zero sum.
    """
    radius, points = diameter / 2, 5
    reach = math.ceil(radius)
    pixels = np.arange(-reach, reach + 1)
    steps = (pixels[:, None] + (np.arange(points) - (points - 1) / 2) / points).ravel() / radius
    rho = np.hypot(steps[:, None], steps)
    angle = np.arctan2(steps[:, None], steps)
    disc = (rho <= 1).reshape(len(pixels), points, len(pixels), points).mean(axis=(1, 3))
    filters = []
    for degree in range(order + 1):
        for repetition in range(degree % 2, degree + 1, 2):
            values = np.where(
                rho <= 1, _radial(degree, repetition, rho) * np.exp(-1j * repetition * angle), 0
            )
            cells = values.reshape(len(pixels), points, len(pixels), points).mean(axis=(1, 3))
            if degree > 0:
                cells = cells - disc * cells.sum() / disc.sum()
            filters.append((degree, repetition, cells / np.sqrt((np.abs(cells) ** 2).sum())))
    return filters


def _radial(degree: int, repetition: int, rho: np.ndarray) -> np.ndarray:
    total = np.zeros_like(rho)
    for k in range((degree - repetition) // 2 + 1):
        above, below = (degree + repetition) // 2 - k, (degree - repetition) // 2 - k
        factor = math.factorial(degree - k) / (
            math.factorial(k) * math.factorial(above) * math.factorial(below)
        )
        total += (-1) ** k * factor * rho ** (degree - 2 * k)
    return total


def zernike_features(luma: np.ndarray) -> np.ndarray:
    """Sizes of the Zernike moments of the disc of 12 pixels around every pixel.

    They stay the same when the image is turned or mirrored [1]_. All but the first, a
    coarse grey level, are the square root of the size in eighths.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255

    Returns
    -------
    (rows, cols, 12) uint8
    """
    return _sizes(luma, _taps("zernike"))


def polar_filters(diameter: int = DIAMETER) -> list[tuple[int, int, np.ndarray]]:
    """Order, repetition and complex filter of the polar cosine transform [2]_, sampled in polar coordinates [3]_.

    The function is taken at 26 radii and 32 angles, each standing for its part of the disc, and
    every such point is shared among the four pixels around it. Norm and sum as of
    :func:`zernike_filters`.
    """
    radius = diameter / 2
    reach = math.ceil(radius)
    rho = (np.arange(RADII)[:, None] + 0.5) / RADII
    angle = 2 * np.pi * np.arange(ANGLES) / ANGLES
    down, across = reach + radius * rho * np.sin(angle), reach + radius * rho * np.cos(angle)
    disc = _spread_out(np.broadcast_to(rho, down.shape), down, across, 2 * reach + 1).real
    filters = []
    for order in range(RADIAL):
        for repetition in range(ANGULAR):
            values = rho * np.cos(np.pi * order * rho**2) * np.exp(-1j * repetition * angle)
            taps = _spread_out(values, down, across, 2 * reach + 1)
            if order or repetition:
                taps = taps - disc * taps.sum() / disc.sum()
            filters.append((order, repetition, taps / np.sqrt((np.abs(taps) ** 2).sum())))
    return filters


def _spread_out(values: np.ndarray, down: np.ndarray, across: np.ndarray, side: int) -> np.ndarray:
    """Values between pixels, shared among the four around each as in bilinear interpolation."""
    out = np.zeros((side + 1, side + 1), np.complex128)
    row, col = np.floor(down).astype(int), np.floor(across).astype(int)
    for at_row, share_row in ((row, 1 - (down - row)), (row + 1, down - row)):
        for at_col, share_col in ((col, 1 - (across - col)), (col + 1, across - col)):
            np.add.at(out, (at_row, at_col), values * share_row * share_col)
    return out[:side, :side]


def polar_features(luma: np.ndarray) -> np.ndarray:
    """Sizes of the polar cosine transform of the disc of 12 pixels around every pixel, otherwise as Zernike's.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255

    Returns
    -------
    (rows, cols, 12) uint8
    """
    return _sizes(luma, _taps("polar"))


def dct_features(luma: np.ndarray) -> np.ndarray:
    """The twelve lowest coefficients of the DCT of the 12 x 12 block around every pixel [4]_.

    They change when the image is turned or mirrored. Each keeps its sign: 128 and the square
    root of its size in quarters, added or taken away. The block reaches from 6 pixels
    before the pixel to 5 after it.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255

    Returns
    -------
    (rows, cols, 12) uint8
    """
    import cv2

    centred = _centred(luma)
    features = np.empty((*luma.shape, FEATURES), np.uint8)
    place = (2 * np.arange(DIAMETER) + 1) * np.pi / (2 * DIAMETER)
    basis = np.cos(place * np.arange(DIAMETER)[:, None]) * math.sqrt(2 / DIAMETER)
    basis[0] /= math.sqrt(2)
    for number, (down, across) in enumerate(zigzag(FEATURES)):
        value = cv2.sepFilter2D(
            centred, cv2.CV_32F, basis[across], basis[down], borderType=cv2.BORDER_REFLECT
        )
        if number == 0:
            value = value / np.float32(DIAMETER)
        else:
            value = np.sign(value) * np.sqrt(np.abs(value)) * np.float32(SCALE / 2)
        features[..., number] = np.clip(np.rint(value + np.float32(128)), 0, 255)
    return features


def zigzag(count: int) -> list[tuple[int, int]]:
    """The first places (row, col) of JPEG's order of coefficients."""
    places = [(row, col) for row in range(count) for col in range(count)]
    return sorted(places, key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]))[:count]


def _sizes(luma: np.ndarray, taps: np.ndarray) -> np.ndarray:
    """The grey level that the first filter gives, and the square roots of the others' sizes in eighths."""
    from forensix.native.disc_sizes import disc_sizes

    return disc_sizes(_centred(luma), taps, scale=SCALE, level=128)


@cache
def _taps(kind: str) -> np.ndarray:
    """The filters of one kind; (12, 13, 13) complex128."""
    return np.array([taps for *_, taps in (zernike_filters() if kind == "zernike" else polar_filters())])


def _centred(luma: np.ndarray) -> np.ndarray:
    if luma.ndim != 2:
        raise ParameterError(f"luma must be 2-D, got shape {luma.shape}")
    return np.asarray(np.ascontiguousarray(luma, np.float32) - np.float32(128))


# By name: what :func:`forensix.detectors.copy_move.dense.find_pairs` can be asked to use.
KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "zernike": zernike_features,
    "polar": polar_features,
    "dct": dct_features,
}
