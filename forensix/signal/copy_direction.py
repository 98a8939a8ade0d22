"""What tells a pasted copy from its source: traces that only one of two alike regions has.

References
----------
.. [1] Popescu, A. C. and Farid, H. (2005). Exposing digital forgeries by detecting traces of
   resampling. IEEE TSP 53(2), 758-767. DOI 10.1109/TSP.2004.839932
.. [2] Li, W., Yuan, Y. and Yu, N. (2009). Passive detection of doctored JPEG image via block
   artifact grid extraction. Signal Processing 89(9), 1821-1829. DOI 10.1016/j.sigpro.2009.03.025
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.signal.affine import apply, inverse
from forensix.signal.copied_region import CopiedRegion, core
from forensix.signal.interpolation import predictability
from forensix.signal.local_correlation import band_pass, warped
from forensix.signal.regions import Box

BLOCK = 8
# Room around a region, pixels; and the largest box that is looked at, more is left out.
MARGIN = 24
LARGEST = 1_000_000
# Part of the picture in which its own grid of blocks is looked for, pixels a side.
GRID_SIDE = 384
# The mean count of zeros at the grid over that at other phases, standard deviations.
CLEAR_GRID = 5.0
FEWEST = 64
# Distances from the outline, pixels: the seam itself, and the rings beside it.
SEAM = 3.0
NEAR, FAR = 5.0, 13.0
NAMES = ("rebuilt", "lattice", "detail", "grid", "earlier_grid", "edge", "seam", "step", "ground")


@dataclass(frozen=True)
class _Side:
    """One of the two regions: its pixels, its mask, and the other one brought to its place."""

    box: Box
    here: np.ndarray
    other: np.ndarray
    mask: np.ndarray
    gain: float
    transform: np.ndarray


def direction_evidence(image: np.ndarray, region: CopiedRegion) -> dict[str, float]:
    """How much more each trace of pasting shows in the target than in the source; 0 says nothing.

    Exchanging source and target changes all signs. ``rebuilt``: a copy that was turned or scaled is
    an interpolation of its source, while the source is no interpolation of the copy [1]_.
    ``lattice``: between the pixels of its source, an interpolated copy is smoother than on them [1]_.
    ``detail``: interpolation took fine detail from it. ``grid`` and ``earlier_grid``: the blocks of the
    picture's compression, and of an earlier one, run through the source and not through the
    copy [2]_. ``edge``, ``seam`` and ``step``: slopes, fine detail and brightness change along the
    outline of the copy more than along that of the source. ``ground``: fine detail is as strong
    beside the source as in it, and not beside the copy.

    Parameters
    ----------
    image : (rows, cols) float32, 0-255
    region : in pixels of the image
    """
    sides = _both_sides(image, region)
    if sides is None:
        return dict.fromkeys(NAMES, 0.0)
    source, target = sides
    told = {
        "rebuilt": _miss(source) - _miss(target),
        "lattice": _between(target) - _between(source),
        "detail": _lost_detail(source) - _lost_detail(target),
        **_grids(image, source, target),
    }
    rims = _rim(source), _rim(target)
    for name in ("edge", "seam", "step", "ground"):
        told[name] = rims[1][name] - rims[0][name] if rims[0] and rims[1] else 0.0
    return {name: float(told[name]) for name in NAMES}


def _both_sides(image: np.ndarray, region: CopiedRegion) -> tuple[_Side, _Side] | None:
    """Source and target; None where one is too small or lies mostly outside the image."""
    back = inverse(region.transform)
    top, left = region.box[:2]
    corner = np.argwhere(region.source) + np.array([top, left])
    found = []
    for transform, here, gain in (
        (region.transform, corner, region.agreement.gain),
        (back, apply(region.transform, corner.astype(np.float64)), 1 / region.agreement.gain),
    ):
        box = _around(here, image.shape)
        if min(box[2:]) < 2 * BLOCK or box[2] * box[3] > LARGEST:
            return None
        part = np.ascontiguousarray(image[box[0] : box[0] + box[2], box[1] : box[1] + box[3]])
        other, inside = warped(image, transform, box)
        mask = inside & _mask_in(box, region, None if transform is region.transform else back)
        if np.count_nonzero(mask) < FEWEST:
            return None
        found.append(_Side(box, part, other, mask, gain, transform))
    return found[0], found[1]


def _around(points: np.ndarray, shape: tuple[int, int]) -> Box:
    low = np.maximum(np.floor(points.min(axis=0)).astype(int) - MARGIN, 0)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + MARGIN + 1, shape)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


def _mask_in(box: Box, region: CopiedRegion, back: np.ndarray | None) -> np.ndarray:
    """The region's mask, or its image when the way back to it is given, in a box."""
    rows, cols = np.mgrid[box[0] : box[0] + box[2], box[1] : box[1] + box[3]]
    if back is not None:
        rows, cols = (np.rint(back[i, 0] * rows + back[i, 1] * cols + back[i, 2]).astype(int) for i in (0, 1))
    rows, cols = rows - region.box[0], cols - region.box[1]
    height, width = region.source.shape
    inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
    return inside & region.source[np.clip(rows, 0, height - 1), np.clip(cols, 0, width - 1)]


def _miss(side: _Side) -> float:
    """How far the side is from what the other one makes of it; logarithm of grey levels."""
    inner = core(side.mask)
    miss = (side.here - np.float32(side.gain) * side.other)[inner]
    return float(np.log(np.median(np.abs(miss - np.median(miss))) + 0.05))


def _between(side: _Side) -> float:
    """How much less predictable pixels are that lie on the other side's pixels than those between, -2 to 2."""
    row, col = np.nonzero(core(side.mask))
    unlike = 1 - predictability(side.here)[row, col]
    there = apply(side.transform, np.stack([row + side.box[0], col + side.box[1]], axis=1).astype(np.float64))
    on = np.cos(2 * np.pi * there).sum(axis=1)
    return float((unlike * (on - on.mean())).sum() / (unlike.sum() + 1.0))


def _lost_detail(side: _Side) -> float:
    """Fine detail of the side over that of the other one brought to its place, logarithm."""
    inner = core(side.mask)
    own, others = (float(np.abs(band_pass(part, 0, 1.0)[inner]).mean()) for part in (side.here, side.other))
    return float(np.log((own + 0.05) / (abs(side.gain) * others + 0.05)))


def _grids(image: np.ndarray, source: _Side, target: _Side) -> dict[str, float]:
    """How much better the picture's grids of blocks show in the source than in the target."""
    from forensix.native.block_zeros import block_zeros

    top, left = (max(0, (size - GRID_SIDE) // 2 // BLOCK * BLOCK) for size in image.shape)
    whole = _by_phase(block_zeros(image[top : top + GRID_SIDE, left : left + GRID_SIDE]), (top, left), None)
    standing = (whole - np.median(whole)) / (1.4826 * np.median(np.abs(whole - np.median(whole))) + 1e-3)
    phases = [_by_phase(block_zeros(side.here), side.box[:2], side.mask) for side in (source, target)]
    at = [(phase - phase.mean()) / (phase.std() + 0.05) for phase in phases]
    found = {}
    # The blocks of a JPEG begin at the top left pixel; those of what it was made from, anywhere.
    for name in ("grid", "earlier_grid"):
        phase = (0, 0) if name == "grid" else np.unravel_index(int(standing.argmax()), standing.shape)
        found[name] = float(at[0][phase] - at[1][phase]) if standing[phase] > CLEAR_GRID else 0.0
        standing[0, 0] = 0
    return found


def _by_phase(zeros: np.ndarray, start: tuple[int, int], mask: np.ndarray | None) -> np.ndarray:
    """Mean count of zeros of the blocks at each of 64 phases of the image; (8, 8) float64."""
    row = (np.arange(zeros.shape[0]) + start[0]) % BLOCK
    col = (np.arange(zeros.shape[1]) + start[1]) % BLOCK
    phase = row[:, None] * BLOCK + col
    if mask is not None:
        # Blocks by their middle.
        inner = mask[BLOCK // 2 : BLOCK // 2 + zeros.shape[0], BLOCK // 2 : BLOCK // 2 + zeros.shape[1]]
        phase, zeros = phase[inner], zeros[inner]
    count = np.bincount(phase.ravel(), minlength=BLOCK**2)
    total = np.bincount(phase.ravel(), zeros.ravel(), minlength=BLOCK**2)
    return np.asarray((total / np.maximum(count, 1)).reshape(BLOCK, BLOCK))


def _rim(side: _Side) -> dict[str, float] | None:
    """What changes along the outline of one side; None where there is no room beside it."""
    import cv2

    mask = side.mask.astype(np.uint8)
    inner = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    outer = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    seam = (inner <= SEAM) & (outer <= SEAM)
    within, beside = (inner > NEAR) & (inner < FAR), (outer > NEAR) & (outer < FAR)
    if min(np.count_nonzero(part) for part in (seam, within, beside)) < FEWEST:
        return None
    smooth = cv2.GaussianBlur(side.here, (0, 0), 1.0)
    slope = np.hypot(
        cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125), cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125)
    )
    fine = np.abs(band_pass(side.here, 0, 1.0))
    usual = [float(fine[part].mean()) + 0.05 for part in (within, beside)]
    levels = [_level(side.here, part)[seam] for part in (within, beside)]
    return {
        "edge": _log_ratio(
            float(slope[seam].mean()), float((slope[within].mean() + slope[beside].mean()) / 2)
        ),
        "seam": abs(_log_ratio(float(fine[seam].mean()), sum(usual) / 2)),
        "step": float(np.log(np.abs(levels[0] - levels[1]).mean() + 0.5)),
        "ground": abs(float(np.log(usual[0] / usual[1]))),
    }


def _level(image: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The grey value of a part, carried on around it."""
    import cv2

    weight = part.astype(np.float32)
    blurred = cv2.GaussianBlur(image * weight, (0, 0), 5.0)
    return np.asarray(blurred / np.maximum(cv2.GaussianBlur(weight, (0, 0), 5.0), 1e-3))


def _log_ratio(one: float, other: float) -> float:
    return float(np.log((one + 0.05) / (other + 0.05)))
