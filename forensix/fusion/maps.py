"""One map and one mask from the maps of the findings, on an absolute scale."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from forensix.finding import Finding, Heatmap, expand_cells
from forensix.fusion.combine import INCONSISTENT_FROM
from forensix.fusion.sides import shifts_of, sources
from forensix.fusion.story import COPIES
from forensix.result import Conclusion

# Methods that outline what was pasted by its own border. That a side of a copied pair has another JPEG
# history names it, too, but a reader of a copy expects to see both sides, and only the border
# itself shows the source to be none of the change.
OUTLINES_PASTE = ("cut-rectangles",)
# Of an area, what stronger methods must mark for a method to be shown there whose weight alone is not enough.
SHARED = 0.25
# Pixels: the largest cells of a map that outlines as finely as JPEG's blocks allow.
FINE = 8
# The largest 8-bit value that still reads as "nothing found".
QUIET = 127


def grey_map(heatmap: Heatmap, rows: int, cols: int) -> np.ndarray:
    """A heatmap as (rows, cols) uint8: 0 untouched or not judged, 128 and more found.

    The scale is absolute: 0.5 is 127, never stretched to the map's own range.
    """
    cells = heatmap.values
    grey = np.nan_to_num(cells, nan=0.0) * np.float32(255)
    grey8 = np.where(cells > 0.5, np.maximum(np.rint(grey), QUIET + 1), np.minimum(np.rint(grey), QUIET))
    return expand_cells(grey8.astype(np.uint8), heatmap.cell, rows, cols)


def fuse_heatmaps(findings: Iterable[Finding], integrity: Conclusion, rows: int, cols: int) -> np.ndarray:
    """(rows, cols) uint8: the largest value of any map that speaks to integrity.

    Where integrity is not "inconsistent" nothing rises above 127, so the picture of
    an untouched photo stays dark. Maps of detectors that did not decide (score at
    most 0.5) never rise above it either. Those of detectors whose weight alone would not have been
    enough, next to one whose weight is, do so only in areas of which that one marks a good
    part: there they outline what it found. Areas of maps with large cells are left out where copies outline a
    good part of them. Where a border that was cut outlines one
    side of a copied pair, that side was pasted, and the other does not rise above 127 for the copy.
    """
    shown = [f for f in findings if f.heatmap is not None and f.score is not None]
    decided = [f for f in shown if f.decided]
    enough = [f for f in decided if f.log10_lr is not None and f.log10_lr >= INCONSISTENT_FROM]
    loud = (enough or decided) if integrity.label == "inconsistent" else []
    names = {finding.detector for finding in loud}
    fused = np.zeros((rows, cols), np.uint8)
    for finding in shown:
        if finding.heatmap is not None and finding.detector not in names:
            np.maximum(fused, np.minimum(grey_map(finding.heatmap, rows, cols), QUIET), out=fused)
    alike = [f for f in loud if f.family == COPIES]
    copies = _largest(alike, rows, cols)
    borders = _largest([f for f in loud if f.detector in OUTLINES_PASTE], rows, cols)
    if copies.any() and borders.any():
        source = sources(copies > QUIET, borders > QUIET, shifts_of(alike))
        copies[source] = np.minimum(copies[source], QUIET)
    others = [f for f in loud if f.family != COPIES]
    rough = _largest([f for f in others if _is_rough(f)], rows, cols)
    fine = _largest([f for f in others if not _is_rough(f)], rows, cols)
    # What copies outline to the pixel is not drawn again in large cells.
    np.maximum(fused, _where_shared(rough, copies > QUIET, shared=False), out=fused)
    np.maximum(fused, np.maximum(copies, fine), out=fused)
    found, copied = fused > QUIET, copies > QUIET
    for finding in decided if enough else ():
        if finding.detector not in names and finding.heatmap is not None:
            theirs = found & ~copied if _is_rough(finding) else found
            np.maximum(fused, _where_shared(grey_map(finding.heatmap, rows, cols), theirs), out=fused)
    return fused


def _is_rough(finding: Finding) -> bool:
    return finding.heatmap is not None and finding.heatmap.cell > FINE


def _where_shared(grey: np.ndarray, found: np.ndarray, *, shared: bool = True) -> np.ndarray:
    """A map that rises above `QUIET` only in areas that are in good part `found`, or only in those that are not."""
    from scipy import ndimage

    labels, count = ndimage.label(grey > QUIET)
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    shown = (np.bincount(labels[found], minlength=count + 1) >= SHARED * areas) == shared
    shown[0] = False
    return np.where(shown[labels], grey, np.minimum(grey, QUIET))


def _largest(findings: Iterable[Finding], rows: int, cols: int) -> np.ndarray:
    """(rows, cols) uint8: the largest value of their maps, 0 without any."""
    fused = np.zeros((rows, cols), np.uint8)
    for finding in findings:
        if finding.heatmap is not None:
            np.maximum(fused, grey_map(finding.heatmap, rows, cols), out=fused)
    return fused


def decision_mask(fused: np.ndarray) -> np.ndarray:
    """(rows, cols) uint8, 0 or 255: the tool's own decision for every pixel."""
    return np.where(fused > QUIET, np.uint8(255), np.uint8(0))
