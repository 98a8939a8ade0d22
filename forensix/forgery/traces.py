"""Local traces: one property of the picture is changed inside a region, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from forensix.errors import ParameterError
from forensix.forgery.edit import Edit, check_picture
from forensix.forgery.encode import jpeg_round
from forensix.forgery.shapes import draw_region

BAYER = ("rggb", "bggr", "grbg", "gbrg")
# OpenCV names a Bayer pattern by the second row's second and third pixel.
_OPENCV_BAYER = {"rggb": "BG", "bggr": "RG", "grbg": "GB", "gbrg": "GR"}
_DEMOSAICING = {"bilinear": "", "edge-aware": "_EA", "vng": "_VNG"}


def median(image: np.ndarray, rng: np.random.Generator, *, size: int = 3) -> np.ndarray:
    """Median of size x size pixels, 3 or 5."""
    if size not in (3, 5):
        raise ParameterError(f"the size of a median is 3 or 5, got {size}")
    return np.asarray(cv2.medianBlur(image, size))


def gaussian(image: np.ndarray, rng: np.random.Generator, *, sigma: float = 1.0) -> np.ndarray:
    """Gaussian blur, sigma in pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), _within("sigma", sigma, 0.2, 8)))


def bilateral(
    image: np.ndarray, rng: np.random.Generator, *, sigma: float = 2.0, levels: float = 25
) -> np.ndarray:
    """Bilateral filter: sigma in pixels, and in grey levels."""
    return np.asarray(
        cv2.bilateralFilter(image, 0, _within("levels", levels, 1, 200), _within("sigma", sigma, 0.5, 5))
    )


def sharpen(
    image: np.ndarray, rng: np.random.Generator, *, sigma: float = 1.0, amount: float = 1.0
) -> np.ndarray:
    """Unsharp masking."""
    blurred = cv2.GaussianBlur(image.astype(np.float32), (0, 0), _within("sigma", sigma, 0.2, 8))
    return _to_uint8(image + _within("amount", amount, 0.05, 5) * (image - blurred))


def resample(image: np.ndarray, rng: np.random.Generator, *, factor: float = 1.1) -> np.ndarray:
    """Magnify (above 1) or shrink about the centre, bicubic."""
    return _turned(image, 0.0, _within("factor", factor, 0.5, 2))


def rotate(image: np.ndarray, rng: np.random.Generator, *, angle: float = 3.0) -> np.ndarray:
    """Turn about the centre by an angle in degrees, bicubic."""
    return _turned(image, angle, 1.0)


def noise(image: np.ndarray, rng: np.random.Generator, *, sigma: float = 3.0) -> np.ndarray:
    """Add Gaussian noise, sigma in grey levels, independent in every sample."""
    return _to_uint8(image + rng.normal(0, _within("sigma", sigma, 0.2, 50), image.shape))


def gamma(image: np.ndarray, rng: np.random.Generator, *, exponent: float = 1.2) -> np.ndarray:
    """Raise values (0 to 1) to a power."""
    table = 255 * (np.arange(256) / 255) ** _within("exponent", exponent, 0.2, 5)
    return np.asarray(_to_uint8(table)[image])


def equalize(
    image: np.ndarray, rng: np.random.Generator, *, limit: float = 2.0, tiles: int = 4
) -> np.ndarray:
    """Contrast-limited adaptive histogram equalization (CLAHE) of the luminance."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2Lab)
    clahe = cv2.createCLAHE(_within("limit", limit, 1, 40), (int(tiles), int(tiles)))
    lab[..., 0] = clahe.apply(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB))


def jpeg(
    image: np.ndarray, rng: np.random.Generator, *, quality: int = 75, row_phase: int = 0, col_phase: int = 0
) -> np.ndarray:
    """Compress and decompress; the block grid starts at (row_phase, col_phase), 0 to 7."""
    if not (0 <= row_phase < 8 and 0 <= col_phase < 8):
        raise ParameterError(f"a phase is 0 to 7, got {row_phase} and {col_phase}")
    down, across = (8 - row_phase) % 8, (8 - col_phase) % 8
    shifted = cv2.copyMakeBorder(image, down, 0, across, 0, cv2.BORDER_REPLICATE)
    return jpeg_round(shifted, quality=quality)[down:, across:]


def demosaic(
    image: np.ndarray, rng: np.random.Generator, *, pattern: str = "rggb", algorithm: str = "bilinear"
) -> np.ndarray:
    """Keep one colour of each pixel, as behind a colour filter array, and interpolate the others."""
    if pattern not in BAYER or algorithm not in _DEMOSAICING:
        raise ParameterError(
            f"pattern must be one of {', '.join(BAYER)} and algorithm of {', '.join(_DEMOSAICING)}, "
            f"got {pattern!r} and {algorithm!r}"
        )
    rows, cols = image.shape[:2]
    even = cv2.copyMakeBorder(image, 0, rows % 2, 0, cols % 2, cv2.BORDER_REPLICATE)
    mosaic = np.empty(even.shape[:2], np.uint8)
    for place, colour in enumerate(pattern):
        mosaic[place // 2 :: 2, place % 2 :: 2] = even[place // 2 :: 2, place % 2 :: 2, "rgb".index(colour)]
    code = getattr(cv2, f"COLOR_Bayer{_OPENCV_BAYER[pattern]}2RGB{_DEMOSAICING[algorithm]}")
    return np.asarray(cv2.demosaicing(mosaic, code)[:rows, :cols])


@dataclass(frozen=True)
class Operation:
    """One trace: how to make it, and how far it looks.

    reach : pixels around a region that the operation needs to see (a multiple of 16, so
        that block and filter-array grids stay in place)
    """

    apply: Callable[..., np.ndarray]
    reach: int = 16


OPERATIONS = {
    "median": Operation(median),
    "gaussian": Operation(gaussian, 48),
    "bilateral": Operation(bilateral),
    "sharpen": Operation(sharpen, 48),
    "resample": Operation(resample, 96),
    "rotate": Operation(rotate, 96),
    "noise": Operation(noise),
    "gamma": Operation(gamma),
    "equalize": Operation(equalize, 64),
    "jpeg": Operation(jpeg, 32),
    "demosaic": Operation(demosaic, 32),
}


def change_trace(
    image: np.ndarray,
    *,
    rng: np.random.Generator,
    operation: str = "median",
    shape: str = "object",
    area: float = 0.05,
    **strength: float | int | str,
) -> Edit:
    """Change one property of a picture inside a region.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    rng : numpy.random.Generator
    operation : str
        One of ``OPERATIONS``.
    shape, area : as in :func:`~forensix.forgery.shapes.draw_region`
    strength
        Parameters of the operation, for example ``sigma=1.5``. Grid phases and filter
        patterns are those of the picture's own coordinates.

    Returns
    -------
    Edit
        The border is hard; the mask is exact.
    """
    if operation not in OPERATIONS:
        raise ParameterError(f"operation must be one of {', '.join(OPERATIONS)}, got {operation!r}")
    check_picture(image)
    region = draw_region(image, rng=rng, shape=shape, area=area)
    mask = region.full(*image.shape[:2])
    reach = OPERATIONS[operation].reach
    # Whole 16 x 16 tiles, so that the region's grids are the picture's.
    top, left = max(0, region.top // 16 * 16 - reach), max(0, region.left // 16 * 16 - reach)
    bottom, right = region.top + region.mask.shape[0] + reach, region.left + region.mask.shape[1] + reach
    window = np.s_[top:bottom, left:right]
    part = np.ascontiguousarray(image[window])
    try:
        changed = OPERATIONS[operation].apply(part, rng, **strength)
    except TypeError as error:
        raise ParameterError(f"{operation}: {error}") from error
    result = image.copy()
    result[window] = np.where(mask[window][..., None], changed, part)
    return Edit(result, mask, details={"box": list(region.box)})


def _within(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ParameterError(f"{name} must be {low} to {high}, got {value}")
    return float(value)


def _turned(image: np.ndarray, angle: float, factor: float) -> np.ndarray:
    rows, cols = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((cols - 1) / 2, (rows - 1) / 2), angle, factor)
    turned: np.ndarray = cv2.warpAffine(
        image, matrix, (cols, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return turned


def _to_uint8(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 255)).astype(np.uint8))
