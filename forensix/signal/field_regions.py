"""Parts of a field of matches that one transformation explains: candidate copies.

References
----------
.. [1] Cozzolino, D., Poggi, G. and Verdoliva, L. (2015). Efficient dense-field copy-move forgery
   detection. IEEE TIFS 10(11), 2284-2297. DOI 10.1109/TIFS.2015.2455334 (dense linear fitting)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forensix.signal.affine import apply, fit_affine, is_plausible
from forensix.signal.dense_features import DIAMETER
from forensix.signal.match_groups import MatchGroup

# Half the side of the window in which the field must be linear, cells of the field; the largest mean squared
# distance of the matches from the plane through them, pixels squared; and the fewest cells: for parts
# of any kind, and for those too small for the wide window, which must fit the better.
LINEAR = ((3, 2.0, 40), (2, 0.2, 12))
MOST_POINTS = 400
# How far around a part the field may still belong to it, cells.
REACH = 5
TOLERANCE = 2.5
# The differences of the field are not on the scale of keypoints' distances: one that says nothing.
NO_DISTANCE = 1.0


def fitting_error(shift: np.ndarray, *, radius: int = 3) -> np.ndarray:
    """Mean squared distance of the matches around each pixel from the affine map that fits them best [1]_.

    Parameters
    ----------
    shift : (rows, cols, 2) float
        From each pixel to its match, as from :func:`shifts`.
    radius : int
        Half the side of the window, cells of the field.

    Returns
    -------
    (rows, cols) float64, pixels squared
    """
    return np.asarray(_plane_error(shift[..., 0], radius) + _plane_error(shift[..., 1], radius))


def shifts(matches: np.ndarray, *, stride: int) -> np.ndarray:
    """From each pixel to its match; (rows, cols, 2) float32, medians of 5 x 5."""
    import cv2

    rows, cols = matches.shape[:2]
    down = matches[..., 0] - stride * np.arange(rows)[:, None]
    across = matches[..., 1] - stride * np.arange(cols)
    return np.stack([cv2.medianBlur(part.astype(np.float32), 5) for part in (down, across)], axis=-1)


def _plane_error(values: np.ndarray, radius: int) -> np.ndarray:
    """Mean squared residual of the plane fitted to the window around each pixel."""
    import cv2

    steps = np.arange(-radius, radius + 1, dtype=np.float64)
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
    shift = shifts(matches, stride=stride)
    far = np.hypot(shift[..., 0], shift[..., 1]) >= nearest
    groups: list[MatchGroup] = []
    for radius, error, fewest in LINEAR:
        for cells in _parts(far & (fitting_error(shift, radius=radius) < error), fewest):
            group = _group(cells, shift, stride, fewest)
            if group is not None:
                groups.append(group)
                _take(far, cells, shift, group.transform, stride)
    return sorted(groups, key=lambda group: -group.count)


def _take(free: np.ndarray, cells: np.ndarray, shift: np.ndarray, transform: np.ndarray, stride: int) -> None:
    """Mark a part's cells, and those around it that move alike, as no longer free; in place."""
    top, left = np.maximum(cells.min(axis=0) - REACH, 0)
    bottom, right = cells.max(axis=0) + REACH + 1
    window = np.s_[top:bottom, left:right]
    place = np.argwhere(np.ones_like(free[window])) + np.array([top, left])
    miss = apply(transform, stride * place.astype(np.float64)) - stride * place - shift[window].reshape(-1, 2)
    near = np.hypot(*miss.T) < TOLERANCE
    free[place[near, 0], place[near, 1]] = False
    free[cells[:, 0], cells[:, 1]] = False


def _parts(mask: np.ndarray, fewest: int) -> Iterator[np.ndarray]:
    """The cells (n, 2) of every connected part of at least so many, the largest first."""
    import cv2

    _, label, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    for part in np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable") + 1:
        if stats[part, cv2.CC_STAT_AREA] < fewest:
            return
        left, top, cols, rows = (int(v) for v in stats[part, :4])
        window = np.s_[top : top + rows, left : left + cols]
        yield np.argwhere(label[window] == part) + np.array([top, left])


def _group(cell: np.ndarray, shift: np.ndarray, stride: int, fewest: int) -> MatchGroup | None:
    """The transformation of one part; None where no plausible one explains most of it."""
    row, col = cell.T
    source = stride * cell.astype(np.float64)
    target = source + shift[row, col]
    agree = np.ones(len(cell), bool)
    transform = fit_affine(source, target)
    for _ in range(4):
        miss = np.hypot(*(apply(transform, source) - target).T)
        agree = miss < max(TOLERANCE, 1.5 * float(np.median(miss)))
        if np.count_nonzero(agree) < fewest:
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
