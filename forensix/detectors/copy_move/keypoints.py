"""Copy-move by keypoints: parts of the picture that are copies of other parts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensix.detectors.copy_move._likeness import ALARMS, log10_alarms
from forensix.detectors.method import Method
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.affine import scale_of
from forensix.signal.blas import one_blas_thread
from forensix.signal.copied_region import CopiedRegion, examine, outlines
from forensix.signal.local_correlation import local_mean
from forensix.signal.match_groups import group_matches
from forensix.signal.regions import bounding_boxes, label_regions
from forensix.signal.repetition import self_similarity
from forensix.signal.sift import match_within, sift_keypoints

METHOD = Method(
    name="copy-move-keypoints",
    family="copy_move",
    question="Is a part of the picture a copy of another part?",
    applies_to="Pictures of at least 64 x 64 pixels; copies in smooth areas escape it",
    reference=(
        "Y. Li, J. Zhou, Fast and Effective Image Copy-Move Forgery Detection via Hierarchical Feature "
        "Point Matching, IEEE TIFS 14(5), 2019, doi 10.1109/TIFS.2018.2876837; I. Amerini et al., A "
        "SIFT-Based Forensic Method for Copy-Move Attack Detection and Transformation Recovery, "
        "IEEE TIFS 6(3), 2011, doi 10.1109/TIFS.2011.2129512"
    ),
    kind="copy-move",
)

LEAST_SIDE = 64
LARGEST_GRID = 2_000_000
FEWEST_KEYPOINTS = 20
CANDIDATES = 12
# Map value of what was examined without result.
QUIET = 0.2
# Self-similarity beyond which a picture counts as one repeating pattern.
REPEATS = 0.6


@dataclass(frozen=True)
class Pair:
    """Two alike regions and the base-10 logarithm of how many so alike an untouched photo has."""

    region: CopiedRegion
    log10_alarms: float

    @property
    def is_copy(self) -> bool:
        return self.log10_alarms < math.log10(ALARMS)


def find_pairs(luma: np.ndarray, *, candidates: int = CANDIDATES) -> tuple[list[Pair], int]:
    """Pairs of alike regions, the one hardest to explain by chance first.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255
    candidates : int
        At most this many transformations are examined, straight and mirrored each.

    Returns
    -------
    pairs : list of Pair
    keypoints : int
        How many keypoints the picture has; with few, no pairs means little.
    """
    if luma.ndim != 2 or min(luma.shape) < LEAST_SIDE:
        raise ParameterError(f"luma must be 2-D and at least {LEAST_SIDE} on a side, got {luma.shape}")
    keypoints = sift_keypoints(luma)
    groups = []
    with one_blas_thread():
        for mirrored in (False, True):
            groups += group_matches(keypoints, match_within(keypoints, mirrored=mirrored))[:candidates]
        regions = examine(luma, sorted(groups, key=lambda group: -group.strength))
    pairs = [Pair(region, log10_alarms(region, tests=len(groups))) for region in regions]
    return sorted(pairs, key=lambda pair: pair.log10_alarms), len(keypoints)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """The finding for one picture: score, map and the regions that are copies of each other."""
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, this has {evidence.height} x {evidence.width}"
        )
    cell = grid_cell(evidence.height, evidence.width)
    luma = reduced(evidence.luma, cell)
    if min(luma.shape) < LEAST_SIDE:
        raise NotApplicable("too narrow to be examined at a reduced size")
    pairs, keypoints = find_pairs(luma)
    return _report(pairs, luma, keypoints=keypoints, cell=cell, size=(evidence.height, evidence.width))


def grid_cell(rows: int, cols: int) -> int:
    """Side of the square of image pixels that becomes one pixel of the working grid."""
    return max(1, math.ceil(math.sqrt(rows * cols / LARGEST_GRID)))


def reduced(luma: np.ndarray, cell: int) -> np.ndarray:
    """Averages of whole cells; float32 of (rows // cell, cols // cell)."""
    import cv2

    if cell == 1:
        return np.ascontiguousarray(luma, np.float32)
    rows, cols = luma.shape[0] // cell, luma.shape[1] // cell
    whole = np.ascontiguousarray(luma[: rows * cell, : cols * cell], np.float32)
    return np.asarray(cv2.resize(whole, (cols, rows), interpolation=cv2.INTER_AREA))


def score_of(log10_alarms: float) -> float:
    """0.5 at the decision, 0.95 where false alarms are ten times rarer, towards 0.05 as they become common."""
    margin = math.log10(ALARMS) - log10_alarms
    return 0.5 + (0.4999 * math.tanh(1.475 * margin) if margin > 0 else 0.45 * math.tanh(0.4 * margin))


def _report(
    pairs: list[Pair], luma: np.ndarray, *, keypoints: int, cell: int, size: tuple[int, int]
) -> Finding:
    copies = [pair for pair in pairs if pair.is_copy]
    heat = np.full(luma.shape, QUIET, np.float32)
    heat[_featureless(luma)] = np.nan
    for pair in reversed(pairs):
        value = score_of(pair.log10_alarms)
        for side in outlines(luma, pair.region):
            heat[side] = np.where(np.isnan(heat[side]), value, np.fmax(heat[side], value))
    labels, count = label_regions(heat > 0.5, minimum_cells=16)
    boxes = bounding_boxes(labels, count, cell=cell, rows=size[0], cols=size[1])
    score = score_of(pairs[0].log10_alarms) if pairs else 0.1
    similarity = 0.0 if copies else self_similarity(luma)
    tellable = bool(pairs) or (keypoints >= FEWEST_KEYPOINTS and similarity <= REPEATS)
    return METHOD.finding(
        score=score if tellable else None,
        explanation=_explain(pairs, copies, keypoints=keypoints, cell=cell, similarity=similarity),
        measurements={
            "keypoints": keypoints,
            "alike_pairs": len(pairs),
            "copied_pairs": len(copies),
            "log10_expected_false_alarms": pairs[0].log10_alarms if pairs else None,
            "self_similarity": similarity,
            "pairs": [_measured(pair, cell) for pair in pairs[:5]],
        },
        regions=[Region(box, "tampered", area) for box, area in boxes],
        parameters={"grid_cell": cell, "alarms_per_image": ALARMS},
        heatmap=Heatmap(heat, cell),
    )


def _featureless(luma: np.ndarray) -> np.ndarray:
    """Where the picture is too smooth for any keypoint: variance below 1 in a 17 x 17 window."""
    centred = luma - luma.mean(dtype=np.float64).astype(np.float32)
    mean = local_mean(centred, 8)
    return np.asarray(local_mean(centred * centred, 8) - mean * mean < 1)


def _measured(pair: Pair, cell: int) -> dict[str, Any]:
    region, agreement = pair.region, pair.region.agreement
    row, col = region.transform[:, :2] @ (start := region.group.source.mean(axis=0)) + region.transform[:, 2]
    return {
        "log10_expected_false_alarms": pair.log10_alarms,
        "matched_points": region.group.count,
        "area": region.area * cell * cell,
        "shift": [cell * (row - start[0]), cell * (col - start[1])],
        "scale": scale_of(region.transform),
        "mirrored": region.group.mirrored,
        "descriptor_distance": region.group.distance,
        "fine_structure_correlation": agreement.structure,
        "coarse_difference": agreement.coarse_miss,
        "level_difference": agreement.level_miss,
        "ground_correlation": agreement.ground,
        "shear": agreement.shear,
        "two_tone_share": agreement.two_tone,
        "clipped_share": agreement.clipped,
    }


def _explain(pairs: list[Pair], copies: list[Pair], *, keypoints: int, cell: int, similarity: float) -> str:
    if copies:
        best = copies[0].region
        more = f", and {len(copies) - 1} more such pairs" if len(copies) > 1 else ""
        return (
            f"Two regions of about {best.area * cell * cell} pixels are copies of each other: "
            f"{best.group.count} points and {best.agreement.structure:.0%} of the fine structure agree{more}."
        )
    if pairs:
        best = pairs[0].region
        return (
            f"Something in the picture repeats, but was not copied as far as can be told: the most alike of "
            f"{len(pairs)} pairs of places share {max(best.agreement.structure, 0):.0%} of the fine structure, "
            f"no more than like things photographed twice."
        )
    if similarity > REPEATS:
        return (
            f"The picture repeats itself as a whole ({similarity:.0%} alike after a shift), so a copy would not "
            f"show, and no part stands out as copied."
        )
    if keypoints < FEWEST_KEYPOINTS:
        return f"Cannot tell: the picture is too smooth, with only {keypoints} points to compare."
    return f"No two parts of the picture are alike: {keypoints} points were compared."
