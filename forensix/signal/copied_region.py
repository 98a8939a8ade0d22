"""From a candidate transformation to the two regions it joins.

Shared by the copy-move methods: whatever finds a candidate (keypoints, blocks, a dense
field), the same growth outlines it and the same measurements weigh it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forensix.signal.affine import apply, inverse, is_plausible, shear_of
from forensix.signal.agreement import Agreement, agreement
from forensix.signal.local_correlation import (
    aligned,
    band_pass,
    local_correlation,
    local_mean,
    warped,
    with_slopes,
)
from forensix.signal.match_groups import MatchGroup
from forensix.signal.regions import Box
from forensix.signal.whole_pixels import snapped

RADIUS = 4
ALIKE = 0.75
SMALLEST_AREA = 80
# Variance of noise that local correlation allows for, unless a pair agrees more closely.
NOISE = 2.0
# A region must lie at least this far from its likeness, pixels.
NEAREST = 12.0
# Standard deviation of the blur whose outcome is left aside in aligning, pixels.
SLOW = 5.0
# Points of the region that the first and the second alignment rest on.
ALIGNED_BY = (2_000, 5_000)
# Radius of the window in which the final outline is drawn.
NARROW = 2


@dataclass(frozen=True)
class CopiedRegion:
    """A part of the image and its likeness elsewhere.

    group : the matches it was grown from
    transform : (2, 3) float64, source to target, aligned to a fraction of a pixel
    box : (top, left, rows, cols) that `source` covers
    source : (box rows, box cols) bool
    agreement : how far the two sides agree
    """

    group: MatchGroup
    transform: np.ndarray
    box: Box
    source: np.ndarray
    agreement: Agreement

    @property
    def area(self) -> int:
        """Pixels of the source."""
        return int(np.count_nonzero(self.source))


def self_overlap(region: CopiedRegion) -> float:
    """Share of the source that its own image covers, 0 to 1.

    A pasted copy replaces what lay there, so that it covers next to nothing of its source; a line
    moved along itself, or a pattern by one of its periods, covers most.
    """
    places = np.argwhere(region.source) + np.array(region.box[:2])
    row, col = np.rint(apply(region.transform, places[:: max(1, len(places) // 4000)])).astype(int).T
    row, col = row - region.box[0], col - region.box[1]
    inside = (row >= 0) & (row < region.box[2]) & (col >= 0) & (col < region.box[3])
    return float(np.count_nonzero(region.source[row[inside], col[inside]]) / len(row))


def examine(
    image: np.ndarray,
    groups: list[MatchGroup],
    *,
    effort: float = 6.0,
    inner: bool = False,
    aligned_by: tuple[int, ...] = ALIGNED_BY,
) -> list[CopiedRegion]:
    """Grow a region from each group of matches, in the order given.

    A group whose points an earlier region's transformation already explains is passed
    over, and the rest of the groups is when the boxes looked at cover `effort` times the
    image: a picture that repeats everywhere must not take forever.

    Parameters
    ----------
    image : (rows, cols) float32, 0-255
    inner : bool
        Measure the agreement away from the region's rim, where the windows that the region
        grew in and the filters that measure it reach beyond the copy: see :func:`core`.
    aligned_by : tuple of int
        On how many points each alignment rests, after which the region is grown anew.
    """
    if not groups:
        return []
    # Blending may have changed the slow course of a copy's grey values: align by the rest.
    slopes = with_slopes(band_pass(image, 0, SLOW))
    regions: list[CopiedRegion] = []
    seen = 0
    for group in groups:
        if seen > effort * image.size:
            break
        if any(_explains(region, group) for region in regions):
            continue
        region, pixels = _grow(image, slopes, group, inner=inner, aligned_by=aligned_by)
        seen += pixels
        if region is not None:
            regions.append(region)
    return regions


def _explains(region: CopiedRegion, group: MatchGroup, tolerance: float = 3.0) -> bool:
    """True when the region holds the group's points and moves them alike, in either direction."""
    for one, other in ((group.source, group.target), (group.target, group.source)):
        row, col = np.rint(one.mean(axis=0) - region.box[:2]).astype(int)
        if not (0 <= row < region.box[2] and 0 <= col < region.box[3]):
            continue
        miss = np.hypot(*(apply(region.transform, one) - other).T)
        if np.median(miss) < tolerance:
            return True
    return False


def _grow(
    image: np.ndarray, slopes: np.ndarray, group: MatchGroup, *, inner: bool, aligned_by: tuple[int, ...]
) -> tuple[CopiedRegion | None, int]:
    """Outline the region around matched points in which the image agrees with its moved self.

    None instead of a region when less than 80 pixels around the points agree, or when
    the alignment fails. Also the number of pixels looked at.
    """
    box, seen = _box_around(group.source, image.shape), 0
    transform = snapped(image, group.transform, group.source)
    for limit in aligned_by:
        for _ in range(3):
            source = _agreeing(image, transform, box, group.source)
            seen += source.size
            wider = _widened(box, source, image.shape)
            if wider == box:
                break
            box = wider
        if np.count_nonzero(source) < SMALLEST_AREA:
            return None, seen
        points = np.argwhere(source) + np.array(box[:2])
        fitted = aligned(slopes, transform, points, limit=limit)
        transform = snapped(image, fitted, points)
        if not is_plausible(transform):
            return None, seen
    source = _agreeing(image, transform, box, group.source)
    if np.count_nonzero(source) < SMALLEST_AREA or _displacement(transform, box, source) < NEAREST:
        return None, seen
    box, source = _trimmed(box, source)
    measured = agreement(image, transform, box, core(source) if inner else source, group.source)
    if not inner:
        # How rigid the keypoints' pairs in untouched photos are was measured on this one.
        measured = replace(measured, shear=shear_of(fitted))
    return CopiedRegion(group, transform, box, source, measured), seen + 2 * source.size


def core(source: np.ndarray, *, rim: float = 8.0, least: float = 0.4) -> np.ndarray:
    """A region without its rim, which is thinner where less than the share `least` would remain; bool."""
    import cv2

    depth = cv2.distanceTransform(np.pad(source, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    limit = min(rim, float(np.quantile(depth[source], 1 - least)))
    return np.asarray(source & (depth >= limit))


def _displacement(transform: np.ndarray, box: Box, source: np.ndarray) -> float:
    """Median distance between the region's pixels and their images: near 0 when a place found itself."""
    places = np.argwhere(source)[:: max(1, np.count_nonzero(source) // 500)] + np.array(box[:2])
    return float(np.median(np.hypot(*(apply(transform, places) - places).T)))


def _box_around(points: np.ndarray, shape: tuple[int, int]) -> Box:
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.maximum(24, 0.3 * (high - low))
    top, left = np.maximum(np.floor(low - margin), 0).astype(int)
    bottom, right = np.minimum(np.ceil(high + margin) + 1, shape).astype(int)
    return int(top), int(left), int(bottom - top), int(right - left)


def _agreeing(image: np.ndarray, transform: np.ndarray, box: Box, seeds: np.ndarray) -> np.ndarray:
    """Connected parts of the box that correlate with their image and hold a matched point."""
    import cv2

    top, left, rows, cols = box
    there, inside = warped(image, transform, box)
    here = image[top : top + rows, left : left + cols]
    row, col = np.rint(seeds - (top, left)).astype(int).T
    row, col = np.clip(row, 0, rows - 1), np.clip(col, 0, cols - 1)
    # Where the points agree to less than noise, faint texture counts as well.
    error = float(np.median(local_mean(np.square(here - there), NARROW)[row, col]))
    noise = float(np.clip(error, 0.1, NOISE))
    alike = (local_correlation(here, there, radius=RADIUS, noise=noise) > ALIKE) & inside
    opened = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, label = cv2.connectedComponents(opened, connectivity=4)
    seeded = np.zeros(label.max() + 1, bool)
    seeded[label[row, col]] = True
    seeded[0] = False
    return np.asarray(seeded[label])


def _widened(box: Box, source: np.ndarray, shape: tuple[int, int]) -> Box:
    """The box, moved out by half on every side where the region touches it and the image goes on."""
    top, left, rows, cols = box
    bottom, right = top + rows, left + cols
    if source[0].any():
        top = max(0, top - max(rows // 2, 16))
    if source[:, 0].any():
        left = max(0, left - max(cols // 2, 16))
    if source[-1].any():
        bottom = min(shape[0], bottom + max(rows // 2, 16))
    if source[:, -1].any():
        right = min(shape[1], right + max(cols // 2, 16))
    return top, left, bottom - top, right - left


def _trimmed(box: Box, source: np.ndarray, margin: int = 16) -> tuple[Box, np.ndarray]:
    """The smallest box that holds the region and a margin."""
    row, col = np.flatnonzero(source.any(axis=1)), np.flatnonzero(source.any(axis=0))
    top, left = max(row[0] - margin, 0), max(col[0] - margin, 0)
    bottom, right = row[-1] + margin + 1, col[-1] + margin + 1
    part = source[top:bottom, left:right]
    return (box[0] + int(top), box[1] + int(left), *part.shape), part


def outlines(image: np.ndarray, region: CopiedRegion, *, margin: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """The two sides as masks of the whole image: (rows, cols) bool, source and target.

    The region grew where the image correlates strongly in a wide window. Here its outline is
    drawn anew in a narrow one, and what differs no more than the region's own core does
    belongs to it too: so smooth parts of an exact copy join where their noise
    agrees, while after compression they stay out unless the copied parts enclose them.

    Parameters
    ----------
    image : (rows, cols) float32, 0-255
    margin : int
        How far beyond the region's box the outline may reach, pixels.
    """
    import cv2
    from scipy import ndimage

    box, core = _padded(region, image.shape, margin)
    top, left, rows, cols = box
    here = image[top : top + rows, left : left + cols]
    there, inside = warped(image, region.transform, box)
    inner = ndimage.binary_erosion(core, iterations=3)
    inner = inner if np.count_nonzero(inner) > 50 else core
    gain = region.agreement.gain
    miss = (here - here[core].mean()) - np.float32(gain) * (there - there[core].mean())
    noise = 2.2 * float(np.median(np.abs(miss[inner]))) ** 2 + 0.05
    error = local_mean(miss * miss, NARROW)
    correlation = local_correlation(here, there, radius=NARROW, noise=0.5 * noise)
    usual = max(float(np.percentile(error[inner], 95)), 4 * noise)
    agrees = inside & ((correlation > 0.6) | ((error < usual) & (correlation > 0.1)))
    agrees = cv2.morphologyEx(agrees.astype(np.uint8), cv2.MORPH_OPEN, _disc(2))
    label, _ = ndimage.label(agrees)
    reached = np.zeros(label.max() + 1, bool)
    reached[label[core]] = True
    reached[0] = False
    drawn = reached[label]
    if np.count_nonzero(drawn & core) < 0.6 * np.count_nonzero(core):
        drawn = drawn | core
    closed = cv2.morphologyEx(np.pad(drawn, 16).astype(np.uint8), cv2.MORPH_CLOSE, _disc(7))
    source = np.zeros(image.shape, np.uint8)
    source[top : top + rows, left : left + cols] = ndimage.binary_fill_holes(closed)[16:-16, 16:-16]
    return source.astype(bool), moved(source, region.transform)


def sides(region: CopiedRegion, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The region as it grew and its image, as masks of the whole image; (rows, cols) bool each."""
    top, left, rows, cols = region.box
    source = np.zeros(shape, bool)
    source[top : top + rows, left : left + cols] = region.source
    return source, moved(source, region.transform)


def moved(source: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """A mask of the whole image, transformed; (rows, cols) bool."""
    import cv2

    back = inverse(transform)
    matrix = np.c_[back[::-1, 1::-1], back[::-1, 2]]
    size = (source.shape[1], source.shape[0])
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(source.astype(np.uint8), matrix, size, flags=flags) > 0)


def _padded(region: CopiedRegion, shape: tuple[int, int], margin: int) -> tuple[Box, np.ndarray]:
    top, left, rows, cols = region.box
    upper, first = max(0, top - margin), max(0, left - margin)
    lower, last = min(shape[0], top + rows + margin), min(shape[1], left + cols + margin)
    core = np.zeros((lower - upper, last - first), bool)
    core[top - upper : top - upper + rows, left - first : left - first + cols] = region.source
    return (upper, first, lower - upper, last - first), core


def _disc(radius: int) -> np.ndarray:
    import cv2

    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
