"""What an edit returns, and the promise it makes about the rest of the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from forensix.errors import ForgeryError, ParameterError

# Below this side there is no room for a shape, its surroundings and a method to see both.
SMALLEST_SIDE = 64


@dataclass(frozen=True, eq=False)
class Edit:
    """A picture after an edit, and what was changed.

    image : (rows, cols, 3) uint8
    mask : (rows, cols) bool
        What the edit claims: the pasted, filled or processed pixels. With a feathered
        border, those where the new content has at least half the weight.
    margin : int
        No pixel further than this from the mask differs from the picture before.
    source : (rows, cols) bool or None
        Where in the same picture the content was taken from (copy-move, cloning).
    whole : bool
        The edit replaced the whole picture: there is no untouched part to compare with.
    details : dict
        What was drawn at random on the way, as plain JSON values: boxes, offsets.
    """

    image: np.ndarray
    mask: np.ndarray
    margin: int = 0
    source: np.ndarray | None = None
    whole: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


def check_picture(image: np.ndarray, *, name: str = "image") -> None:
    """Refuse anything but (rows, cols, 3) uint8; ForgeryError when it is too small to edit."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ParameterError(f"{name} must be (rows, cols, 3) uint8, got {image.shape} {image.dtype}")
    if min(image.shape[:2]) < SMALLEST_SIDE:
        raise ForgeryError(
            f"the picture is too small: {image.shape[0]} x {image.shape[1]} pixels, "
            f"and the shortest side must be at least {SMALLEST_SIDE}"
        )


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """The mask and every pixel within a Euclidean distance of it."""
    result = mask.copy()
    down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if pixels < 1 or down.size == 0:
        return result
    window = np.s_[
        max(0, down[0] - pixels) : down[-1] + 1 + pixels, max(0, across[0] - pixels) : across[-1] + 1 + pixels
    ]
    outside = (~mask[window]).astype(np.uint8)
    result[window] = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= pixels + 1e-3
    return result


def luma(image: np.ndarray) -> np.ndarray:
    """(rows, cols) float32 luminance, 0-255, Rec. 601 weights."""
    return image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
