"""Parts of a field of matches that one transformation explains: candidate copies.

References
----------
.. [1] Cozzolino, D., Poggi, G. and Verdoliva, L. (2015). Efficient dense-field copy-move forgery
   detection. IEEE TIFS 10(11), 2284-2297. DOI 10.1109/TIFS.2015.2455334 (dense linear fitting)
"""

from __future__ import annotations

import numpy as np

from forensix.signal.affine import apply, fit_affine, is_plausible
from forensix.signal.dense_field import DIAMETER
from forensix.signal.match_groups import MatchGroup

# Half the side of the window in which the field must be linear, cells of the field.
FIT_RADIUS = 3
# Mean squared distance of the matches from the plane through them, pixels squared.
LARGEST_ERROR = 2.0
FEWEST_CELLS = 40
MOST_POINTS = 400
TOLERANCE = 2.5
# The differences of the field are not on the scale of keypoints' distances: one that says nothing.
NO_DISTANCE = 1.0


def fitting_error(shift: np.ndarray) -> np.ndarray:
    """Mean squared distance of the matches around each pixel from the affine map that fits them best [1]_.

    Parameters
    ----------
    shift : (rows, cols, 2) float
        From each pixel to its match, as from :func:`shifts`.

    Returns
    -------
    (rows, cols) float64, pixels squared
    """
    return np.asarray(_plane_error(shift[..., 0]) + _plane_error(shift[..., 1]))


def shifts(matches: np.ndarray, *, stride: int) -> np.ndarray:
    """From each pixel to its match; (rows, cols, 2) float32, medians of 5 x 5."""
    import cv2

    rows, cols = matches.shape[:2]
    down = matches[..., 0] - stride * np.arange(rows)[:, None]
    across = matches[..., 1] - stride * np.arange(cols)
    return np.stack([cv2.medianBlur(part.astype(np.float32), 5) for part in (down, across)], axis=-1)


def _plane_error(values: np.ndarray) -> np.ndarray:
    """Mean squared residual of the plane fitted to the window around each pixel."""
    import cv2

    steps = np.arange(-FIT_RADIUS, FIT_RADIUS + 1, dtype=np.float64)
    flat = np.full(len(steps), 1 / len(steps))
    slope = steps / len(steps)
    spread = float((steps * steps).mean())
    values = values.astype(np.float64)

    def windowed(image: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.sepFilter2D(image, cv2.CV_64F, across, down, borderType=cv2.BORDER_REFLECT_101))

    mean = windowed(values, flat, flat)
    by_row, by_col = windowed(values, flat, slope), windowed(values, slope, flat)
    error = windowed(values * values, flat, flat) - mean * mean - (by_row**2 + by_col**2) / spread
    return np.maximum(error, 0)


def group_field(matches: np.ndarray, *, stride: int, nearest: float) -> list[MatchGroup]:
    """Connected parts of the field with one transformation each, the largest first.

    Parameters
    ----------
    matches : (rows, cols, 2) int32
        As from :func:`forensix.signal.dense_field.likeness_field`.
    nearest : float
        Shortest shift, pixels.
    """
    import cv2

    shift = shifts(matches, stride=stride)
    linear = fitting_error(shift) < LARGEST_ERROR
    linear &= np.hypot(shift[..., 0], shift[..., 1]) >= nearest
    _, label, stats, _ = cv2.connectedComponentsWithStats(linear.astype(np.uint8), connectivity=4)
    groups = []
    for part in np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable") + 1:
        if stats[part, cv2.CC_STAT_AREA] < FEWEST_CELLS:
            break
        left, top, cols, rows = (int(v) for v in stats[part, :4])
        window = np.s_[top : top + rows, left : left + cols]
        cell = np.argwhere(label[window] == part) + np.array([top, left])
        group = _group(cell, shift, stride)
        if group is not None:
            groups.append(group)
    return sorted(groups, key=lambda group: -group.count)


def _group(cell: np.ndarray, shift: np.ndarray, stride: int) -> MatchGroup | None:
    """The transformation of one part; None where no plausible one explains most of it."""
    row, col = cell.T
    source = stride * cell.astype(np.float64)
    target = source + shift[row, col]
    agree = np.ones(len(cell), bool)
    transform = fit_affine(source, target)
    for _ in range(4):
        miss = np.hypot(*(apply(transform, source) - target).T)
        agree = miss < max(TOLERANCE, 1.5 * float(np.median(miss)))
        if np.count_nonzero(agree) < FEWEST_CELLS:
            return None
        transform = fit_affine(source[agree], target[agree])
    if not is_plausible(transform) or np.count_nonzero(agree) < len(cell) / 2:
        return None
    count = int(np.count_nonzero(agree))
    chosen = np.flatnonzero(agree)[np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(np.int64)]
    mirrored = bool(np.linalg.det(transform[:, :2]) < 0)
    # Features of overlapping discs are not independent: as many places as discs fit in.
    places = max(1, round(count * stride**2 / (np.pi * DIAMETER**2 / 4)))
    return MatchGroup(transform, source[chosen], target[chosen], places, NO_DISTANCE, mirrored)
