"""How far two regions of an image agree, measured so that a copy differs from a mere likeness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.signal.affine import shear_of
from forensix.signal.local_correlation import band_pass, local_correlation, local_mean, warped
from forensix.signal.regions import Box

RADIUS = 4
# Variance above which a neighbourhood has texture to compare, grey levels squared.
TEXTURED = 20.0
# Smaller eigenvalue of the structure tensor of a corner: absolute (squared grey levels a
# pixel) and as a fraction of the larger.
CORNER_STRENGTH = 0.3
CORNER_RATIO = 0.1
# The tensor is averaged over some 57 pixels: fewer than three such places are no evidence of
# a copy, since at one crossing of straight edges another fits as well.
FEWEST_CORNERS = 160
# The ground: pixels without a slope of 10 grey levels nearby, at least 100 of them, whose fine
# structure is at least half a grey level strong.
STEEP = 10.0
FEWEST_QUIET = 100
FAINTEST = 0.5
CLIPPED = (4.0, 251.0)
# Standard deviations of the two blurs between which a band lies, pixels. Detail finer
# than FINE does not survive JPEG or interpolation, even in a true copy.
FINE = (0.8, 1.6)
COARSE = (1.6, 3.2)


@dataclass(frozen=True)
class Agreement:
    """How far two regions agree, given the transformation between them.

    Lines and edges agree with any part of themselves, so the first three look only at
    corners: neighbourhoods whose grey values change in two directions.

    corners : number of such pixels
    structure : correlation of the fine structure (about 2 to 4 px), every neighbourhood
        brought to equal strength; -1 to 1, near 1 for a copy even after compression
    coarse_miss : difference of the coarser structure (about 4 to 8 px) over its own
        size, medians; 0 for a copy
    level_miss : difference of the blurred grey value after one gain and offset for the
        whole region, over its own variation; 0 for a copy
    filled : mean local correlation over the textured part of the matched points' hull
    shear : distance of the transformation from a rotation with one scale; editors keep
        it at 0, perspective does not
    ground : correlation of the fine structure where neither side has edges, the noise of
        the camera and faint texture; a copy shares it as far as compression lets it, a
        likeness does not. None where there is too little of it to tell.
    finest : correlation of all detail finer than about 4 px, brought to equal strength: edges,
        texture and noise alike. None where that detail is weaker than half a grey level.
    clipped : share of the pixels that are black or white
    two_tone : share of the variance that two grey values explain; near 1 for lettering
    gain, offset : grey values of the source over those of the target, and their difference
    """

    corners: int
    structure: float
    coarse_miss: float
    level_miss: float
    filled: float
    shear: float
    ground: float | None
    finest: float | None
    clipped: float
    two_tone: float
    gain: float
    offset: float


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
    corner = source & _cornered(here)
    bands = [band_pass(side, *FINE) for side in (here, there)]
    fine = [_levelled(band)[corner] for band in bands]
    coarse = [band_pass(side, *COARSE)[corner] for side in (here, there)]
    weight = source.astype(np.float32)
    level = [_masked_blur((side - side[source].mean()) * weight, weight)[source] for side in (here, there)]
    enough = fine[0].size >= FEWEST_CORNERS
    dark, bright = CLIPPED
    return Agreement(
        corners=int(fine[0].size),
        structure=_cosine(*fine) if enough else 0.0,
        coarse_miss=_median_ratio(coarse[0] - gain * coarse[1], coarse[0], floor=0.05) if enough else 1.0,
        level_miss=_rms(level[0] - gain * level[1]) / max(_rms(level[0]), 1.0),
        filled=_filled(here, there, inside, points - box[:2]),
        shear=shear_of(transform),
        ground=_ground(here, there, source, *bands),
        finest=_finest(here, there, source),
        clipped=float(((here[source] < dark) | (here[source] > bright)).mean()),
        two_tone=two_tone(here[source]),
        gain=gain,
        offset=float(here[source].mean() - there[source].mean()),
    )


def _ground(
    here: np.ndarray, there: np.ndarray, source: np.ndarray, fine_here: np.ndarray, fine_there: np.ndarray
) -> float | None:
    """Correlation of the fine structure in the region, gaps closed, away from edges on either side."""
    import cv2

    steep = np.zeros(here.shape, bool)
    dark, bright = CLIPPED
    clipped = np.zeros(here.shape, bool)
    for side in (here, there):
        smooth = cv2.GaussianBlur(side, (0, 0), 1.0)
        down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)
        across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125)
        steep |= down * down + across * across > STEEP**2
        clipped |= (side < dark) | (side > bright)
    near_edge = cv2.dilate(steep.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    closed = cv2.morphologyEx(
        np.pad(source, 16).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8)
    )
    quiet = (closed[16:-16, 16:-16] > 0) & ~near_edge & ~clipped
    if np.count_nonzero(quiet) < FEWEST_QUIET:
        return None
    a, b = fine_here[quiet], fine_there[quiet]
    if min(a.std(), b.std()) < FAINTEST:
        return None
    return _cosine(a, b)


def _finest(here: np.ndarray, there: np.ndarray, source: np.ndarray) -> float | None:
    """Correlation of what the coarser of the fine band's blurs takes away; None where that is too little."""
    bands = [band_pass(side, 0, FINE[1]) for side in (here, there)]
    if min(float(band[source].std()) for band in bands) < FAINTEST:
        return None
    return _cosine(*(_levelled(band)[source] for band in bands))


def _cornered(image: np.ndarray) -> np.ndarray:
    """Where the grey value changes in two directions: a structure tensor without a small eigenvalue."""
    import cv2

    smooth = cv2.GaussianBlur(image, (0, 0), 1.0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125)
    dd, aa, da = (
        cv2.GaussianBlur(part, (0, 0), 3.0) for part in (down * down, across * across, down * across)
    )
    half, spread = (dd + aa) / 2, np.sqrt(np.square((dd - aa) / 2) + da * da)
    smaller, larger = half - spread, half + spread
    return np.asarray((smaller > CORNER_STRENGTH) & (smaller > CORNER_RATIO * larger))


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
