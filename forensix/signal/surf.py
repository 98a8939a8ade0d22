"""SURF keypoints as plain arrays.

References
----------
.. [1] Bay, H., Ess, A., Tuytelaars, T. and Van Gool, L. (2008). Speeded-up robust features (SURF).
   Computer Vision and Image Understanding 110(3), 346-359. DOI 10.1016/j.cviu.2007.09.014
"""

from __future__ import annotations

import numpy as np

from forensix.errors import ParameterError
from forensix.signal.keypoints import Feature, Keypoints, mean_level, no_keypoints, strongest_everywhere

# Determinant of the Hessian per filter area, of grey values from 0 to 1. Low, so that smooth
# regions get points; the geometry sorts out the unreliable ones.
THRESHOLD = 1e-5
OCTAVES = 4
SMALLEST_FILTER = 9


def _mirror() -> tuple[np.ndarray, np.ndarray]:
    """Across the direction the parts change places, and the responses their sign."""
    parts = np.arange(64).reshape(4, 4, 4)
    return parts[::-1].ravel(), np.tile(np.array([1, -1, 1, 1], np.float32), 16)


SURF = Feature("surf", *_mirror(), alike=0.25)


def surf_keypoints(
    luma: np.ndarray,
    *,
    upright: bool = False,
    doubled: bool = True,
    threshold: float = THRESHOLD,
    limit: int = 12_000,
) -> Keypoints:
    """SURF keypoints with descriptors of 64 values [1]_; `kinds` tells dark spots from bright ones.

    Parameters
    ----------
    luma : (rows, cols) uint8 or float, 0-255
    upright : bool
        Do not look for the directions, which is quicker and more distinctive where nothing
        is turned. All keypoints point down the picture then, so that the mirrored descriptor is that
        of the picture flipped left to right.
    doubled : bool
        Look at the image at twice its size, so that smaller things become keypoints.
    threshold : float
        Smallest determinant of the Hessian, per filter area, of grey values from 0 to 1.
    limit : int
        At most this many are kept, the strongest of every neighbourhood first.
    """
    import cv2

    from forensix.native.surf import hessian_maxima
    from forensix.native.surf_descriptors import describe

    if luma.ndim != 2:
        raise ParameterError(f"luma must be 2-D, got shape {luma.shape}")
    if min(luma.shape) < SMALLEST_FILTER:
        return no_keypoints(SURF)
    grey = np.clip(luma, 0, 255).astype(np.float32)
    # Less the mean, sums stay small and exact in 64 bits.
    image = (grey - grey.mean(dtype=np.float64).astype(np.float32)) / np.float32(255)
    zoom = 2 if doubled else 1
    if doubled:
        image = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    integral = cv2.integral(image, sdepth=cv2.CV_64F)
    octaves = [
        hessian_maxima(integral, sizes=sizes, step=step, threshold=threshold)
        for step, sizes in octave_filters(doubled=doubled)
        if sizes[-1] <= min(image.shape)
    ]
    found = np.concatenate([*octaves, np.zeros((0, 5))])
    if not len(found):
        return no_keypoints(SURF)
    found = found[np.lexsort((found[:, 2], found[:, 1], found[:, 0]))]
    if len(found) > limit:
        found = found[strongest_everywhere(found[:, :2] / zoom, found[:, 3], limit)]
    down = np.full(len(found), np.pi / 2)
    angles, descriptors = describe(integral, found[:, :2], found[:, 2], angles=down if upright else None)
    points, sizes = (found[:, :2] + 0.5) / zoom - 0.5, 2 * found[:, 2] / zoom
    rounded = np.rint(grey).astype(np.uint8)
    kinds = found[:, 4].astype(np.int8)
    return Keypoints(SURF, points, sizes, angles, mean_level(rounded, points, sizes), kinds, descriptors)


def upright_keypoints(luma: np.ndarray) -> Keypoints:
    """:func:`surf_keypoints` that all point down."""
    return surf_keypoints(luma, upright=True)


def octave_filters(*, doubled: bool) -> list[tuple[int, list[int]]]:
    """Of each octave, every how manieth pixel is looked at, and the sides of its filters.

    The filters of a doubled image begin at 15 pixels and are five an octave, more finely
    spaced [1]_.
    """
    multiples = range(2, 7) if doubled else range(1, 5)
    steps = [2**octave for octave in range(OCTAVES)]
    return [(step, [3 * (2 * step * m + 1) for m in multiples]) for step in steps]
