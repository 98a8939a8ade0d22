"""From a candidate transformation to the two regions it joins, and how far they agree.

Shared by the copy-move methods: whatever finds a candidate (keypoints, blocks, a dense
field), the same growth outlines it and the same measurements weigh it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.signal.affine import inverse, is_plausible
from forensix.signal.local_correlation import (
    Box,
    aligned,
    band_pass,
    local_correlation,
    local_mean,
    warped,
)
from forensix.signal.match_groups import MatchGroup

RADIUS = 4
ALIKE = 0.75
SMALLEST_AREA = 80
# Variance above which a neighbourhood has texture to compare, grey levels squared.
TEXTURED = 20.0
# Standard deviations of the two blurs between which a band lies, pixels. Detail finer
# than FINE does not survive JPEG or interpolation, even in a true copy.
FINE = (0.8, 1.6)
COARSE = (1.6, 3.2)


@dataclass(frozen=True)
class Agreement:
    """How far two regions agree, given the transformation between them.

    structure : correlation of the fine structure (about 2 to 4 px), every neighbourhood
        brought to equal strength; -1 to 1, near 1 for a copy even after compression
    coarse_miss : difference of the coarser structure (about 4 to 8 px) over its own
        size, medians; 0 for a copy
    level_miss : difference of the blurred grey value after one gain and offset for the
        whole region, over its own variation; 0 for a copy
    filled : mean local correlation over the textured part of the matched points' hull
    gain, offset : grey values of the source over those of the target, and their difference
    two_tone : share of the variance that two grey values explain; near 1 for lettering
    """

    structure: float
    coarse_miss: float
    level_miss: float
    filled: float
    gain: float
    offset: float
    two_tone: float


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


def grow(image: np.ndarray, group: MatchGroup) -> CopiedRegion | None:
    """Outline the region around matched points in which the image agrees with its moved self.

    None when less than 80 pixels around the points agree, or when the alignment fails.

    Parameters
    ----------
    image : (rows, cols) float32, 0-255
    group : MatchGroup
        At least 3 points on either side, in pixels of `image`.
    """
    box = _box_around(group.source, image.shape)
    transform = group.transform
    source = _agreeing(image, transform, box, group.source)
    if np.count_nonzero(source) < SMALLEST_AREA:
        return None
    places = np.argwhere(source) + np.array(box[:2])
    transform = aligned(image, transform, places)
    if not is_plausible(transform):
        return None
    for _ in range(4):
        source = _agreeing(image, transform, box, group.source)
        wider = _widened(box, source, image.shape)
        if wider == box:
            break
        box = wider
    if np.count_nonzero(source) < SMALLEST_AREA:
        return None
    box, source = _trimmed(box, source, image.shape)
    return CopiedRegion(group, transform, box, source, agreement(image, transform, box, source, group.source))


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
    alike = (local_correlation(here, there, radius=RADIUS) > ALIKE) & inside
    opened = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, label = cv2.connectedComponents(opened, connectivity=4)
    row, col = np.rint(seeds - (top, left)).astype(int).T
    seeded = np.zeros(label.max() + 1, bool)
    seeded[label[np.clip(row, 0, rows - 1), np.clip(col, 0, cols - 1)]] = True
    seeded[0] = False
    return seeded[label]


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


def _trimmed(
    box: Box, source: np.ndarray, shape: tuple[int, int], margin: int = 16
) -> tuple[Box, np.ndarray]:
    """The smallest box that holds the region and a margin."""
    row, col = np.flatnonzero(source.any(axis=1)), np.flatnonzero(source.any(axis=0))
    top, left = max(row[0] - margin, 0), max(col[0] - margin, 0)
    bottom, right = row[-1] + margin + 1, col[-1] + margin + 1
    part = source[top:bottom, left:right]
    return (box[0] + int(top), box[1] + int(left), *part.shape), part


def agreement(
    image: np.ndarray, transform: np.ndarray, box: Box, source: np.ndarray, points: np.ndarray
) -> Agreement:
    """Measure how far the image agrees with its moved self inside a region of a box.

    points : (n, 2) float64, the matched points (row, col) in the image
    """
    here, there, inside = _pair(image, transform, box)
    a, b = here[source].astype(np.float64), there[source].astype(np.float64)
    a, b = a - a.mean(), b - b.mean()
    gain = float(np.clip(a @ b / max(b @ b, 1e-9), 0.2, 5.0))
    fine = [_levelled(band_pass(side, *FINE)) for side in (here, there)]
    coarse = [band_pass(side, *COARSE)[source] for side in (here, there)]
    weight = source.astype(np.float32)
    level = [_masked_blur((side - side[source].mean()) * weight, weight)[source] for side in (here, there)]
    return Agreement(
        structure=_cosine(fine[0][source], fine[1][source]),
        coarse_miss=_median_ratio(coarse[0] - gain * coarse[1], coarse[0], floor=0.05),
        level_miss=_rms(level[0] - gain * level[1]) / max(_rms(level[0]), 1.0),
        filled=_filled(here, there, inside, points - box[:2]),
        gain=gain,
        offset=float(here[source].mean() - there[source].mean()),
        two_tone=two_tone(here[source]),
    )


def _filled(here: np.ndarray, there: np.ndarray, inside: np.ndarray, points: np.ndarray) -> float:
    """Mean local correlation of the textured pixels in the points' hull; 0 where there are none."""
    import cv2

    hull = cv2.convexHull(np.rint(points).astype(np.int32)[:, ::-1])
    within = np.zeros(here.shape, np.uint8)
    cv2.fillConvexPoly(within, hull, 1)
    spread = [local_mean(side * side, RADIUS) - local_mean(side, RADIUS) ** 2 for side in (here, there)]
    textured = within.astype(bool) & inside & (np.maximum(*spread) > TEXTURED)
    if not textured.any():
        return 0.0
    return float(local_correlation(here, there, radius=RADIUS)[textured].mean())


def _pair(image: np.ndarray, transform: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    top, left, rows, cols = box
    there, inside = warped(image, transform, box)
    return image[top : top + rows, left : left + cols], there, inside


def _levelled(band: np.ndarray) -> np.ndarray:
    """A band divided by its own local strength, so that faint texture counts as much as edges."""
    return np.asarray(band / (np.sqrt(np.maximum(local_mean(band * band, RADIUS), 0)) + 0.3))


def _masked_blur(values: np.ndarray, weight: np.ndarray, sigma: float = 3.0) -> np.ndarray:
    import cv2

    blurred = cv2.GaussianBlur(values, (0, 0), sigma)
    return np.asarray(blurred / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3))


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(a @ b / np.sqrt((a @ a) * (b @ b) + 1e-9))


def _median_ratio(miss: np.ndarray, signal: np.ndarray, *, floor: float) -> float:
    return float(np.median(np.abs(miss)) / (np.median(np.abs(signal)) + floor))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values, dtype=np.float64).mean()))


def two_tone(values: np.ndarray) -> float:
    """Share of the variance that two grey values explain (Otsu's criterion), 0 to 1.

    Lettering comes near 1, a Gaussian texture has 0.64, an even spread 0.75.
    """
    counts = np.bincount(np.clip(np.rint(values), 0, 255).astype(np.int64), minlength=256)
    share = counts / counts.sum()
    below, moment = np.cumsum(share), np.cumsum(share * np.arange(256))
    split = (below > 0) & (below < 1 - 1e-12)
    if not split.any():
        return 0.0
    between = (moment[-1] * below - moment)[split] ** 2 / (below * (1 - below))[split]
    variance = float((share * (np.arange(256) - moment[-1]) ** 2).sum())
    return float(between.max() / max(variance, 1e-9))


def outlines(region: CopiedRegion, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The two sides as masks of the whole image: (rows, cols) bool, source and target.

    Holes are filled and the outline is moved out by the part of the correlation window
    that looks past the border of the copied area.
    """
    import cv2
    from scipy import ndimage

    top, left, rows, cols = region.box
    side = 2 * RADIUS + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(np.pad(region.source, side).astype(np.uint8), cv2.MORPH_CLOSE, disc)
    filled = ndimage.binary_fill_holes(closed)[side:-side, side:-side]
    source = np.zeros(shape, np.uint8)
    source[top : top + rows, left : left + cols] = filled
    back = inverse(region.transform)
    matrix = np.c_[back[::-1, 1::-1], back[::-1, 2]]
    target = cv2.warpAffine(
        source, matrix, (shape[1], shape[0]), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )
    return source.astype(bool), target.astype(bool)
