"""From the log-odds of cells to the holes of a picture: regions that stand out as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHIFT = 1.5  # nats a cell must have before it counts for a hole
MOST = 5.0  # nats a single cell may speak for or against
COUPLING = 2.0  # nats, between neighbouring cells that differ
RING = 3  # cells around a region that are looked at
LEAST = 3  # cells of a region
CELL = 4  # pixels
BORDER = -3.0  # nats
OUTSIDE = -9.0  # nats


@dataclass(frozen=True, eq=False)
class FillRegion:
    """A connected region whose cells look filled.

    label : its number in the label field
    cells : how many it has
    mean : mean log-odds of its cells, nats
    ring : mean log-odds of the cells around it, nats
    edge : its border cells, as a multiple of those of a square of the same area
    elsewhere : share of the picture's other cells that look filled too
    """

    label: int
    cells: int
    mean: float
    ring: float
    edge: float
    elsewhere: float

    @property
    def traits(self) -> np.ndarray:
        """What the decision weighs: (6,) float64."""
        size = np.log(self.cells)
        rest = np.log10(self.elsewhere + 1e-4)
        return np.array([size, self.mean, self.ring, np.log(self.edge), rest, size * self.mean])


def region_field(odds: np.ndarray) -> np.ndarray:
    """Which cells belong to a hole, their neighbours considered: (rows, cols) float32, positive inside.

    odds : (rows, cols) nats, NaN where nothing can be said
    """
    from forensix.native.two_label_field import two_label_field

    evidence = np.clip(np.nan_to_num(odds - SHIFT, nan=-1.0), -MOST, MOST)
    return two_label_field(evidence, coupling=COUPLING)


def fill_regions(odds: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[FillRegion]]:
    """All regions that look filled, whatever their weight.

    odds : (rows, cols) float32, nats, NaN where nothing can be said

    Returns
    -------
    field : (rows, cols) float32
        As from :func:`region_field`.
    labels : (rows, cols) int32
        0 outside.
    regions : list of FillRegion
    """
    from scipy import ndimage

    field = region_field(odds)
    labels, count = ndimage.label(field > 0)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    known = np.clip(odds, -MOST, MOST)
    positive, judged = int((odds > 0).sum()), max(1, int(np.isfinite(odds).sum()))
    regions = []
    for number, box in enumerate(ndimage.find_objects(labels, count), start=1):
        if sizes[number] < LEAST:
            continue
        window = tuple(slice(max(0, s.start - RING - 1), s.stop + RING + 1) for s in box)
        inside = labels[window] == number
        there, close = known[window], ndimage.binary_dilation(inside)
        near = ndimage.binary_dilation(close, iterations=RING) & ~close & np.isfinite(there)
        own, core = there[inside & np.isfinite(there)], ndimage.binary_erosion(inside)
        others = positive - int((odds[window][inside | close | near] > 0).sum())
        regions.append(
            FillRegion(
                label=number,
                cells=int(sizes[number]),
                mean=float(own.mean()) if own.size else 0.0,
                ring=float(there[near].mean()) if near.any() else MOST,
                edge=float((sizes[number] - np.count_nonzero(core)) / (4 * np.sqrt(sizes[number]))),
                elsewhere=others / judged,
            )
        )
    return field, labels, regions


def hole_pixels(field: np.ndarray, labels: np.ndarray, chosen: list[int], rows: int, cols: int) -> np.ndarray:
    """The chosen regions in pixels, with smooth outlines: (rows, cols) bool.

    The field is interpolated between the cells' centres. Cells that the rim cuts look like
    the picture around, so the outline is drawn at BORDER, a little outside of zero.
    """
    import cv2
    from scipy import ndimage

    mask = np.zeros((rows, cols), bool)
    boxes = ndimage.find_objects(labels)
    for number in chosen:
        window = tuple(slice(max(0, s.start - 3), s.stop + 3) for s in boxes[number - 1])
        inside = labels[window] == number
        reach = ndimage.binary_dilation(inside, np.ones((3, 3), bool), iterations=2)
        values = np.where(reach, field[window], np.float32(OUTSIDE)).astype(np.float32)
        size = (values.shape[1] * CELL, values.shape[0] * CELL)
        fine = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR) > BORDER
        top, left = (s.start * CELL for s in window)
        mask[top : top + fine.shape[0], left : left + fine.shape[1]] |= ndimage.binary_fill_holes(fine)
    return mask
