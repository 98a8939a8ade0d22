"""Connected regions of a decision mask, in image pixels."""

from __future__ import annotations

import numpy as np

from forensix.errors import ParameterError


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
    labels, count = ndimage.label(mask, structure=np.ones((3, 3), int))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    order = [i for i in np.argsort(-sizes, kind="stable") if sizes[i] >= max(minimum_cells, 1)]
    renumber = np.zeros(count + 1, np.int32)
    renumber[order] = np.arange(1, len(order) + 1)
    return renumber[labels], len(order)


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
    areas = np.bincount(labels.ravel(), weights=np.outer(heights, widths).ravel(), minlength=count + 1)
    found = []
    for number, (down, across) in enumerate(ndimage.find_objects(labels, count), start=1):
        top, left = down.start * cell, across.start * cell
        bottom, right = min(down.stop * cell, rows), min(across.stop * cell, cols)
        found.append(((top, left, bottom - top, right - left), int(areas[number])))
    return found
