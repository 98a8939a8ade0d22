"""Connected regions of a decision mask, in image pixels, and boxes."""

from __future__ import annotations

import numpy as np

from forensix.errors import ParameterError

# (top, left, rows, cols)
Box = tuple[int, int, int, int]


def box_intersection(one: Box, other: Box) -> int:
    """Pixels that two boxes share."""
    down, across = (
        min(one[axis] + one[axis + 2], other[axis] + other[axis + 2]) - max(one[axis], other[axis])
        for axis in (0, 1)
    )
    return max(0, down) * max(0, across)


def label_regions(mask: np.ndarray, *, minimum_cells: int = 1) -> tuple[np.ndarray, int]:
    """Number the 8-connected regions of a mask, largest first.

    Parameters
    ----------
    mask : (rows, cols) bool
    minimum_cells : int
        Smaller regions are dropped.

    Returns
    -------
    labels : (rows, cols) int32
        0 outside, 1 for the largest region, and so on; ties in size are broken by
        position (top to bottom, then left to right), so the order is repeatable.
    count : int
    """
    from scipy import ndimage

    if mask.ndim != 2:
        raise ParameterError(f"a mask is 2-D, got shape {mask.shape}")
    if not mask.any():
        return np.zeros(mask.shape, np.int32), 0
    window = _extent(mask)
    part, count = ndimage.label(mask[window], structure=np.ones((3, 3), int))
    sizes = np.bincount(part.ravel(), minlength=count + 1)
    sizes[0] = 0
    order = [i for i in np.argsort(-sizes, kind="stable") if sizes[i] >= max(minimum_cells, 1)]
    renumber = np.zeros(count + 1, np.int32)
    renumber[order] = np.arange(1, len(order) + 1)
    labels = np.zeros(mask.shape, np.int32)
    labels[window] = renumber[part]
    return labels, len(order)


def _extent(mask: np.ndarray) -> tuple[slice, slice]:
    """The box of what is not 0 in a mask that has something: most of a large one is empty."""
    down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(int(down[0]), int(down[-1]) + 1), slice(int(across[0]), int(across[-1]) + 1)


def bounding_boxes(
    labels: np.ndarray, count: int, *, cell: int = 1, rows: int | None = None, cols: int | None = None
) -> list[tuple[tuple[int, int, int, int], int]]:
    """Box (top, left, rows, cols) and area of each numbered region, in image pixels.

    Parameters
    ----------
    labels : (cell rows, cell cols) int
        As from :func:`label_regions`.
    cell : int
        Side of one cell in image pixels.
    rows, cols : int
        The image's size; boxes and areas are cut to it.
    """
    if count == 0:
        return []
    from scipy import ndimage

    rows = labels.shape[0] * cell if rows is None else rows
    cols = labels.shape[1] * cell if cols is None else cols
    heights = np.clip(rows - np.arange(labels.shape[0]) * cell, 0, cell)
    widths = np.clip(cols - np.arange(labels.shape[1]) * cell, 0, cell)
    window = _extent(labels)
    part, corner = labels[window], (window[0].start, window[1].start)
    weights = np.outer(heights[window[0]], widths[window[1]])
    areas = np.bincount(part.ravel(), weights=weights.ravel(), minlength=count + 1)
    found = []
    for number, (down, across) in enumerate(ndimage.find_objects(part, count), start=1):
        top, left = (corner[0] + down.start) * cell, (corner[1] + across.start) * cell
        bottom, right = min((corner[0] + down.stop) * cell, rows), min((corner[1] + across.stop) * cell, cols)
        found.append(((top, left, bottom - top, right - left), int(areas[number])))
    return found
