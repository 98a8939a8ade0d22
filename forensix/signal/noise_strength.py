"""How strong the noise is, cell by cell, and against what the picture's own equal places have.

Noise grows with the light and hides in texture, so that its strength says little by itself.
Compared are only places as bright and as smooth as each other: what remains is on average
zero all over a picture that went through one camera and one processing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.errors import ParameterError

CELL = 8  # pixels
SCALES = (1, 2, 4)  # pixels to which the picture is averaged before its noise is measured
PLANES = ("luma", "red - green", "blue - green")
# The last measure is that of the quietest quarter of a cell, in the luma at full size.
MEASURES = (*((plane, scale) for plane in PLANES for scale in SCALES), ("luma", 0))
BLACK, WHITE = 3, 252
MOST_CLIPPED = 0.1  # share of a cell's pixels with a channel that is
LEAST = 0.05  # grey levels, added so that no noise at all has a logarithm
BRIGHTNESSES, SMOOTHNESSES = 24, 12  # bins of equally many cells
FAINTEST = 0.05  # grey levels: a cell with less in any measure has lost its noise
FEWEST = 30  # cells in a bin


@dataclass(frozen=True, eq=False)
class NoiseCells:
    """What is known of cells of 8 x 8 pixels.

    strength : (rows, cols, 10) float32
        Mean absolute residual of luma and colour differences at three scales, and of the
        luma in the quietest quarter, grey levels.
    light : (rows, cols) float32
        Mean luma, 0-255.
    slope : (rows, cols) float32
        Mean gradient of the luma averaged over about 8 pixels, grey levels a pixel.
    clipped : (rows, cols) float32
        Share of pixels with a channel near black or white.
    """

    strength: np.ndarray
    light: np.ndarray
    slope: np.ndarray
    clipped: np.ndarray


def noise_cells(rgb: np.ndarray, luma: np.ndarray) -> NoiseCells:
    """Measure noise, light and texture in cells of 8 x 8 pixels.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
    luma : (rows, cols) float32
        0-255.

    Raises
    ------
    ParameterError
        When a side is below 16 pixels, or the sizes differ.

    References
    ----------
    J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding
    64(2), 1996, doi 10.1006/cviu.1996.0060 (the residual).
    """
    import cv2

    if rgb.ndim != 3 or rgb.shape[:2] != luma.shape or min(luma.shape) < 2 * CELL:
        raise ParameterError(f"rgb and luma must be at least 16 x 16, got {rgb.shape} and {luma.shape}")
    rows, cols = (side // CELL * CELL for side in luma.shape)
    rgb = rgb[:rows, :cols]
    luma = np.ascontiguousarray(luma[:rows, :cols], np.float32)
    green = np.ascontiguousarray(rgb[..., 1])
    strength, quarters = _at_scales(luma), _residual(luma, CELL // 2)
    for channel in (0, 2):
        strength += _at_scales(cv2.subtract(np.ascontiguousarray(rgb[..., channel]), green, dtype=cv2.CV_32F))
    strength.append(quarters.reshape(rows // CELL, 2, cols // CELL, 2).min(axis=(1, 3)))
    quarter = cv2.GaussianBlur(_averaged(luma, 4), (0, 0), 1.0)
    down, across = (cv2.Sobel(quarter, cv2.CV_32F, *order, scale=1 / 8) for order in ((0, 1), (1, 0)))
    slope = np.asarray(cv2.magnitude(down, across))
    inside = cv2.inRange(np.ascontiguousarray(rgb), (BLACK + 1,) * 3, (WHITE - 1,) * 3)
    clipped = np.asarray(inside == 0, np.float32)
    return NoiseCells(
        np.stack(strength, axis=-1),
        _averaged(luma, CELL),
        _averaged(slope, CELL // 4),
        _averaged(clipped, CELL),
    )


def _at_scales(plane: np.ndarray) -> list[np.ndarray]:
    """Mean absolute residual in every cell, of the plane averaged to each scale."""
    found = []
    for scale in SCALES:
        plane = plane if scale == 1 else _averaged(plane, 2)
        found.append(_residual(plane, CELL // scale))
    return found


def _residual(plane: np.ndarray, side: int) -> np.ndarray:
    """Mean absolute residual over squares; white noise keeps its strength."""
    import cv2

    second = np.array([1, -2, 1], np.float32)
    residual = cv2.sepFilter2D(plane, cv2.CV_32F, second, second)
    means = _averaged(np.abs(residual), side)
    means /= np.float32(6)
    return means


def _averaged(plane: np.ndarray, side: int) -> np.ndarray:
    """Means over squares; the plane's sides are multiples of theirs."""
    import cv2

    size = (plane.shape[1] // side, plane.shape[0] // side)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))


def against_equal_places(cells: NoiseCells) -> np.ndarray:
    """Logarithm of every cell's noise over that of cells as bright and as smooth.

    The cells are sorted into brightnesses, each of these into smoothnesses; the medians are
    the picture's own noise curve.

    Returns
    -------
    (rows, cols, 10) float32
        Natural logarithms; NaN where colours are clipped.

    References
    ----------
    M. Gardella, P. Muse, M. Colom, J.-M. Morel, "Image forgery detection based on noise
    inspection: analysis and refinement of the Noisesniffer method", Image Processing On Line
    14, 2024, doi 10.5201/ipol.2024.462 (smooth blocks of one brightness).
    """
    present = cells.strength.min(axis=-1) > FAINTEST
    known = np.flatnonzero((cells.clipped < MOST_CLIPPED) & present)
    measures = cells.strength.shape[-1]
    noise = np.log(cells.strength.reshape(-1, measures) + np.float32(LEAST))
    slope = cells.slope.ravel()
    against = np.full_like(noise, np.nan)
    by_light = known[np.argsort(cells.light.ravel()[known], kind="stable")]
    for bright in np.array_split(by_light, _bins(len(by_light), BRIGHTNESSES)):
        by_slope = bright[np.argsort(slope[bright], kind="stable")]
        for equal in np.array_split(by_slope, _bins(len(bright), SMOOTHNESSES)):
            if len(equal) >= FEWEST:
                against[equal] = noise[equal] - np.median(noise[equal], axis=0)
    return against.reshape(cells.strength.shape)


def _bins(number: int, most: int) -> int:
    """In how many bins so many cells are sorted: fewer where they would hold too little."""
    return max(1, min(most, number // (2 * FEWEST)))
