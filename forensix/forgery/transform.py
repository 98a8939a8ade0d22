"""Cut a region out of a picture and rotate, scale, shear or mirror it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from forensix.errors import ParameterError
from forensix.forgery.shapes import Region, cut_to_box

INTERPOLATIONS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "lanczos": cv2.INTER_LANCZOS4}


@dataclass(frozen=True, eq=False)
class Patch:
    """Content ready to be pasted, with some of its surroundings.

    pixels : (rows, cols, 3) float32, 0-255
        Real content everywhere, also outside the mask.
    mask : (rows, cols) bool
        The shape; at least `pad` pixels away from every edge.
    pad : int
    resampled : bool
        False when every pixel is one of the picture's.
    """

    pixels: np.ndarray
    mask: np.ndarray
    pad: int
    resampled: bool


def cut_out(
    image: np.ndarray,
    region: Region,
    *,
    rotation: float = 0.0,
    scale: float = 1.0,
    shear: float = 0.0,
    mirror: bool = False,
    pad: int = 0,
    interpolation: str = "cubic",
) -> Patch:
    """Cut a region out of a picture and transform it.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    region : Region
    rotation : float
        Degrees, counter-clockwise.
    scale : float
        0.25 to 4; below 1 the content is low-pass filtered first, as editors do.
    shear : float
        -1 to 1; columns move by this many pixels per row.
    mirror : bool
        Swap left and right first.
    pad : int
        Pixels of surroundings to keep, for a feathered or blended border.
    interpolation : {"linear", "cubic", "lanczos"}

    Returns
    -------
    Patch
        Pixels are copied, not interpolated, where only mirrored or turned by right angles.
    """
    if not 0.25 <= scale <= 4 or not -1 <= shear <= 1:
        raise ParameterError(f"scale must be 0.25 to 4 and shear -1 to 1, got {scale} and {shear}")
    if interpolation not in INTERPOLATIONS:
        raise ParameterError(
            f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}"
        )
    if rotation % 90 == 0 and scale == 1 and shear == 0:
        turns = int(rotation // 90)
        pixels, mask = _surroundings(image, region, pad), np.pad(region.mask, pad)
        if mirror:
            pixels, mask = pixels[:, ::-1], mask[:, ::-1]
        pixels, mask = np.rot90(pixels, turns), np.rot90(mask, turns)
        return Patch(np.ascontiguousarray(pixels, np.float32), np.ascontiguousarray(mask), pad, False)
    matrix = _matrix(rotation, scale, shear, mirror)
    return _warp(image, region, matrix, scale=scale, pad=pad, interpolation=interpolation)


def _surroundings(image: np.ndarray, region: Region, pad: int) -> np.ndarray:
    """The region's box and `pad` pixels around it, mirrored at the picture's edges."""
    top, left, rows, cols = region.box
    bottom, right = top + rows + pad, left + cols + pad
    inside = image[max(0, top - pad) : bottom, max(0, left - pad) : right]
    missing = (
        max(0, pad - top),
        max(0, bottom - image.shape[0]),
        max(0, pad - left),
        max(0, right - image.shape[1]),
    )
    if not any(missing):
        return inside
    return np.pad(inside, (missing[:2], missing[2:], (0, 0)), mode="reflect")


def _matrix(rotation: float, scale: float, shear: float, mirror: bool) -> np.ndarray:
    """2 x 2, from (column, row) of the region to (column, row) of the patch."""
    angle = np.deg2rad(rotation)
    # Rows run downwards, so that counter-clockwise to the eye is this sign.
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    flip = np.diag([-1.0 if mirror else 1.0, 1.0])
    matrix: np.ndarray = scale * turn @ np.array([[1.0, shear], [0.0, 1.0]]) @ flip
    return matrix


def _warp(
    image: np.ndarray, region: Region, matrix: np.ndarray, *, scale: float, pad: int, interpolation: str
) -> Patch:
    rows, cols = region.mask.shape
    room = 8 + int(np.ceil((pad + 2) / scale))
    pixels = np.ascontiguousarray(_surroundings(image, region, room), np.float32)
    mask = np.pad(region.mask, room).astype(np.float32)
    if scale < 0.95:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.45 * np.sqrt(1 / scale**2 - 1))
    corners = np.array([[-cols, -rows], [cols, -rows], [cols, rows], [-cols, rows]]) / 2 @ matrix.T
    width, height = (np.ceil(corners.max(axis=0) - corners.min(axis=0)).astype(int) + 2 * pad + 4).tolist()
    centre = np.array([pixels.shape[1] - 1, pixels.shape[0] - 1]) / 2
    shift = np.array([width - 1, height - 1]) / 2 - matrix @ centre
    affine = np.column_stack([matrix, shift])
    warped = cv2.warpAffine(
        pixels,
        affine,
        (width, height),
        flags=INTERPOLATIONS[interpolation],
        borderMode=cv2.BORDER_REFLECT_101,
    )
    covered = cv2.warpAffine(mask, affine, (width, height), flags=cv2.INTER_LINEAR) >= 0.5
    covered[: pad + 1] = covered[height - pad - 1 :] = False
    covered[:, : pad + 1] = covered[:, width - pad - 1 :] = False
    box_mask, top, left = cut_to_box(covered)
    keep = np.s_[top - pad : top + box_mask.shape[0] + pad, left - pad : left + box_mask.shape[1] + pad]
    return Patch(np.clip(warped[keep], 0, 255), covered[keep], pad, True)
