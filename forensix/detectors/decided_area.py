"""From the cells that a method decided on to the regions and the map of its finding."""

from __future__ import annotations

import numpy as np

from forensix.evidence import Evidence
from forensix.finding import Heatmap, Region


def tampered_regions(area: np.ndarray, evidence: Evidence, *, cell: int) -> tuple[Region, ...]:
    """The connected parts of the area decided on, largest first.

    Parameters
    ----------
    area : (rows, cols) bool, cells of `cell` pixels
    """
    from forensix.signal.regions import bounding_boxes, label_regions

    labels, count = label_regions(area)
    boxes = bounding_boxes(labels, count, cell=cell, rows=evidence.height, cols=evidence.width)
    return tuple(Region(box, "tampered", pixels) for box, pixels in boxes)


def leaning_map(nats: np.ndarray, area: np.ndarray, *, cell: int, decided: bool) -> Heatmap:
    """Above 0.5 in the area decided on only; below it, how far each cell leans that way.

    Parameters
    ----------
    nats : (rows, cols) float64, of each cell for a change
    area : (rows, cols) bool, where it was decided, if it was
    """
    lean = 1 / (1 + np.exp(-nats / 2))
    values = 0.45 * lean
    if decided:
        values = np.where(area, 0.55 + 0.4 * lean, values)
    return Heatmap(values, cell)
