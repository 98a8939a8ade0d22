"""Where else in an image a place that was copied once was pasted again.

References
----------
.. [1] Lewis, J. P. (1995). Fast normalized cross-correlation. Vision Interface, 120-123.
"""

from __future__ import annotations

import numpy as np

from forensix.signal.copied_region import CopiedRegion
from forensix.signal.match_groups import MatchGroup

# Half the side of the square that is looked for, pixels.
SMALLEST, LARGEST = 8, 32
LEAST_CORRELATION = 0.85
NO_DISTANCE = 1.0


def further_copies(image: np.ndarray, region: CopiedRegion, *, most: int = 6) -> list[MatchGroup]:
    """Groups from the middle of a region to the places, other than its own likeness, that look the same.

    Straight copies only: the middle is moved over the whole image [1]_. A field of
    matches holds one match a pixel, so of several copies of one place it joins some.

    Parameters
    ----------
    image : (rows, cols) float32, 0-255
    most : int
        At most this many places, the most alike first.
    """
    import cv2

    top, left, side = _middle(region)
    if side < 2 * SMALLEST:
        return []
    part = image[top : top + side, left : left + side]
    if float(part.std()) < 1e-3:
        return []
    alike = cv2.matchTemplate(image, part, cv2.TM_CCOEFF_NORMED)
    mapped = region.transform[:, :2] @ np.array([top, left]) + region.transform[:, 2]
    for row, col in ((top, left), np.rint(mapped).astype(int)):
        _forget(alike, int(row), int(col), side // 2)
    inside = np.moveaxis(np.mgrid[0:side:3, 0:side:3], 0, -1).reshape(-1, 2) + np.array(
        [top, left], np.float64
    )
    places = max(1, round(side * side / region.area * region.group.count))
    groups: list[MatchGroup] = []
    while len(groups) < most:
        _, value, _, (col, row) = cv2.minMaxLoc(alike)
        if value < LEAST_CORRELATION:
            break
        _forget(alike, row, col, side // 2)
        shift = np.array([row - top, col - left], np.float64)
        straight = np.c_[np.eye(2), shift]
        groups.append(MatchGroup(straight, inside, inside + shift, places, NO_DISTANCE, mirrored=False))
    return groups


def _middle(region: CopiedRegion) -> tuple[int, int, int]:
    """Top, left and side of a square well inside the region, around the place farthest from its border."""
    import cv2

    depth = cv2.distanceTransform(np.pad(region.source, 1).astype(np.uint8), cv2.DIST_C, 3)[1:-1, 1:-1]
    row, col = np.unravel_index(int(np.argmax(depth)), depth.shape)
    # The region's rim reaches beyond the copy.
    half = int(min(LARGEST, 2 * depth.max() / 3))
    return region.box[0] + int(row) - half, region.box[1] + int(col) - half, 2 * half + 1


def _forget(alike: np.ndarray, row: int, col: int, reach: int) -> None:
    alike[max(0, row - reach) : max(0, row + reach + 1), max(0, col - reach) : max(0, col + reach + 1)] = -1
