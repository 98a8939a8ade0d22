"""Removal: something is taken out of the picture and the hole is filled."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from forensix.errors import ForgeryError, ParameterError
from forensix.forgery.edit import Edit, check_picture, grown
from forensix.forgery.exemplar import exemplar_fill
from forensix.forgery.shapes import draw_region
from forensix.forgery.strokes import clone_strokes

DIFFUSION_RADIUS = 4


def _telea(image: np.ndarray, hole: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Telea 2004, https://doi.org/10.1080/10867651.2004.10487596"""
    return np.asarray(cv2.inpaint(image, hole.astype(np.uint8), DIFFUSION_RADIUS, cv2.INPAINT_TELEA))


def _navier_stokes(image: np.ndarray, hole: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bertalmio, Bertozzi, Sapiro 2001, https://doi.org/10.1109/CVPR.2001.990497"""
    return np.asarray(cv2.inpaint(image, hole.astype(np.uint8), DIFFUSION_RADIUS, cv2.INPAINT_NS))


def _biharmonic(image: np.ndarray, hole: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Damelin, Hoang 2018, https://doi.org/10.1155/2018/3950312"""
    from skimage.restoration import inpaint_biharmonic

    filled = inpaint_biharmonic(image, hole, channel_axis=-1)
    return np.asarray(np.rint(np.clip(filled * 255, 0, 255)).astype(np.uint8))


def _xphoto(image: np.ndarray, hole: np.ndarray, algorithm: str, seed: int) -> np.ndarray:
    if not hasattr(cv2, "xphoto") or not hasattr(cv2.xphoto, algorithm):
        raise ForgeryError(f"this build of OpenCV has no {algorithm}")
    # OpenCV's own random numbers, one generator per thread.
    cv2.setRNGSeed(seed)
    filled = np.zeros_like(image)
    cv2.xphoto.inpaint(image, np.where(hole, 0, 255).astype(np.uint8), filled, getattr(cv2.xphoto, algorithm))
    return filled


def _shift_map(image: np.ndarray, hole: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """He, Sun 2012 (statistics of patch offsets), https://doi.org/10.1007/978-3-642-33709-3_2"""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2Lab)
    filled = _xphoto(lab, hole, "INPAINT_SHIFTMAP", int(rng.integers(2**31)))
    return np.asarray(cv2.cvtColor(filled, cv2.COLOR_Lab2RGB))


def _frequency_selective(image: np.ndarray, hole: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Genser, Seiler, Schilling, Kaup 2018, https://doi.org/10.1109/PCS.2018.8456279"""
    return _xphoto(image, hole, "INPAINT_FSR_FAST", int(rng.integers(2**31)))


def _exemplar(image: np.ndarray, hole: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return exemplar_fill(image, hole, rng=rng)


FILLS: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]] = {
    "telea": _telea,
    "navier-stokes": _navier_stokes,
    "biharmonic": _biharmonic,
    "shift-map": _shift_map,
    "frequency-selective": _frequency_selective,
    "exemplar": _exemplar,
}
STROKES = ("clone-stamp", "healing-brush")
METHODS = (*FILLS, *STROKES)

# How much of the surroundings a method sees, in multiples of the hole's longer side, and
# at least so many pixels: diffusion needs a rim, exemplars need examples.
_REACH = {"telea": (0, 16), "navier-stokes": (0, 16), "biharmonic": (0, 16), "frequency-selective": (0, 24),
          "shift-map": (0.6, 24), "exemplar": (1.2, 96)}  # fmt: skip


def fill(image: np.ndarray, hole: np.ndarray, *, method: str, rng: np.random.Generator) -> np.ndarray:
    """Fill a hole in a picture by one of ``FILLS``.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    hole : (rows, cols) bool
    method : str
    rng : numpy.random.Generator
        For the methods that draw.

    Returns
    -------
    (rows, cols, 3) uint8; equal to `image` outside the hole
    """
    if method not in FILLS:
        raise ParameterError(f"method must be one of {', '.join(FILLS)}, got {method!r}")
    if hole.shape != image.shape[:2] or hole.dtype != np.bool_:
        raise ParameterError("hole must be a bool array of the size of the picture")
    if not hole.any():
        return image.copy()
    share, least = _REACH[method]
    down, across = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    reach = int(max(least, share * max(down[-1] - down[0], across[-1] - across[0])))
    window = np.s_[
        max(0, down[0] - reach) : down[-1] + 1 + reach, max(0, across[0] - reach) : across[-1] + 1 + reach
    ]
    part, part_hole = np.ascontiguousarray(image[window]), np.ascontiguousarray(hole[window])
    result = image.copy()
    # The methods may touch what is outside the hole (colour conversion, smoothing): it stays.
    result[window] = np.where(part_hole[..., None], FILLS[method](part, part_hole, rng), part)
    return result


def remove(
    image: np.ndarray,
    *,
    rng: np.random.Generator,
    method: str = "exemplar",
    shape: str = "object",
    area: float = 0.02,
    enlarge: int = 3,
    brush: float = 12.0,
    hardness: float = 0.7,
) -> Edit:
    """Take a region out of a picture.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    rng : numpy.random.Generator
    method : str
        One of ``METHODS``: "telea", "navier-stokes", "biharmonic" (diffusion);
        "shift-map", "exemplar" (patches); "frequency-selective"; "clone-stamp",
        "healing-brush" (strokes of a soft brush).
    shape, area : as in :func:`~forensix.forgery.shapes.draw_region`
    enlarge : int
        Pixels by which the hole exceeds the object, so that none of its rim is left.
    brush, hardness : float
        Of the strokes: the brush's radius in pixels, and the share of it (0 to 1)
        that covers fully.

    Returns
    -------
    Edit
        `source` marks where strokes were taken from.
    """
    if method not in METHODS:
        raise ParameterError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    check_picture(image)
    region = draw_region(image, rng=rng, shape=shape, area=area)
    hole = grown(region.full(*image.shape[:2]), enlarge)
    if method in STROKES:
        heal = method == "healing-brush"
        return clone_strokes(image, hole, rng=rng, radius=brush, hardness=hardness, heal=heal)
    details = {"object_box": list(region.box)}
    return Edit(fill(image, hole, method=method, rng=rng), hole, details=details)
