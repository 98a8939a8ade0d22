"""A copy that was found on averaged cells, aligned and outlined on the image's own pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forensix.signal.affine import apply, is_plausible
from forensix.signal.copied_region import SLOW, CopiedRegion, outlines
from forensix.signal.local_correlation import aligned, band_pass, with_slopes
from forensix.signal.regions import Box
from forensix.signal.whole_pixels import snapped

# Room around both sides, pixels.
MARGIN = 64


def full_outlines(image: np.ndarray, region: CopiedRegion, cell: int) -> tuple[Box, np.ndarray]:
    """Both sides together as a mask of a part of the image.

    Parameters
    ----------
    image : (rows, cols) float32, 0-255
    region : found on averages of whole cells of the image
    cell : int
        Side of a cell, pixels.

    Returns
    -------
    box : (top, left, rows, cols) of the part, which holds both sides
    mask : (box rows, box cols) bool
    """
    box, source, target, _ = full_sides(image, region, cell)
    return box, source | target


def full_sides(
    image: np.ndarray, region: CopiedRegion, cell: int
) -> tuple[Box, np.ndarray, np.ndarray, CopiedRegion]:
    """As :func:`full_outlines`, with a mask for each side, and the region as from :func:`at_full_size`."""
    box, part, inside = _aligned_there(image, region, cell)
    return box, *outlines(part, inside), _seen_from(inside, -box[0], -box[1])


def at_full_size(image: np.ndarray, region: CopiedRegion, cell: int) -> CopiedRegion:
    """The region in pixels of the image, aligned on these; its mask stays one of whole cells.

    image : (rows, cols) float32, 0-255; region and cell : as in :func:`full_outlines`
    """
    (top, left, _, _), _, inside = _aligned_there(image, region, cell)
    return _seen_from(inside, -top, -left)


def _aligned_there(
    image: np.ndarray, region: CopiedRegion, cell: int
) -> tuple[Box, np.ndarray, CopiedRegion]:
    """A part of the image that holds both sides, where it is, and the region in its coordinates."""
    grown = _enlarged(region, cell)
    box = _around_both(grown, image.shape)
    top, left, rows, cols = box
    part = np.ascontiguousarray(image[top : top + rows, left : left + cols])
    inside = _seen_from(grown, top, left)
    points = np.argwhere(inside.source) + np.array(inside.box[:2])
    inner = ((points >= 0) & (points < part.shape)).all(axis=1)
    points = points[inner]
    slopes = with_slopes(band_pass(part, 0, SLOW))
    transform = snapped(part, aligned(slopes, inside.transform, points), points)
    if is_plausible(transform):
        inside = replace(inside, transform=transform)
    return box, part, inside


def _enlarged(region: CopiedRegion, cell: int) -> CopiedRegion:
    """The region in pixels: a cell's centre lies half a cell less half a pixel from its corner."""
    top, left, rows, cols = region.box
    linear, half = region.transform[:, :2], (cell - 1) / 2
    shift = cell * region.transform[:, 2] + half - linear @ np.array([half, half])
    return replace(
        region,
        transform=np.c_[linear, shift],
        box=(top * cell, left * cell, rows * cell, cols * cell),
        source=np.repeat(np.repeat(region.source, cell, axis=0), cell, axis=1),
    )


def _around_both(region: CopiedRegion, shape: tuple[int, int]) -> Box:
    top, left, rows, cols = region.box
    corners = np.array(
        [(top, left), (top + rows, left), (top, left + cols), (top + rows, left + cols)], float
    )
    both = np.r_[corners, apply(region.transform, corners)]
    upper, first = np.maximum(np.floor(both.min(axis=0)).astype(int) - MARGIN, 0)
    lower, last = np.minimum(np.ceil(both.max(axis=0)).astype(int) + MARGIN, shape)
    return int(upper), int(first), int(lower - upper), int(last - first)


def _seen_from(region: CopiedRegion, top: int, left: int) -> CopiedRegion:
    """The region in the coordinates of a part of the image that begins at (top, left)."""
    linear, corner = region.transform[:, :2], np.array([top, left], float)
    transform = np.c_[linear, region.transform[:, 2] + linear @ corner - corner]
    box = (region.box[0] - top, region.box[1] - left, *region.box[2:])
    return replace(region, transform=transform, box=box)
