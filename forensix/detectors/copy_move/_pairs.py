"""What the copy-move methods share: the working grid, pairs of regions, score, map and finding."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from forensix.detectors.copy_move._direction import UNKNOWN, Direction, direction_of
from forensix.detectors.copy_move._likeness import ALARMS, Tails, log10_alarms
from forensix.detectors.method import Method
from forensix.errors import NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Region, expand_cells
from forensix.signal.affine import apply, scale_of
from forensix.signal.copied_region import CopiedRegion, outlines, sides
from forensix.signal.drawings import is_drawn
from forensix.signal.full_outline import full_sides
from forensix.signal.local_correlation import local_mean
from forensix.signal.regions import Box, bounding_boxes, box_intersection, label_regions
from forensix.signal.repetition import self_similarity

LEAST_SIDE = 64
LARGEST_GRID = 2_000_000
# Pixels of a map at full size; in a larger picture copies stay outlined by cells.
LARGEST_MAP = 26_000_000
# Map value of what was examined without result, and score when no two places are alike.
QUIET = 0.2
# Of the source of a copy that is surely told from it: in sight, but not decided on.
SOURCE = 0.45
# Intersection over union from which two boxes are one place.
SAME_BOX = 0.5
# Of so many copies it is asked which side was pasted.
DIRECTED = 3
NOTHING_ALIKE = 0.1
# In a drawing letters and signs repeat, of whose variance two grey values explain more than this.
MOST_TWO_TONE = 0.8


# What the methods all want to know of a picture, by name and cell: each is worked out once.
_known: WeakKeyDictionary[Evidence, dict[tuple[str, int], Any]] = WeakKeyDictionary()


def _once(evidence: Evidence, name: str, cell: int, work_out: Callable[[], Any]) -> Any:
    known = _known.setdefault(evidence, {})
    if (name, cell) not in known:
        known[name, cell] = work_out()
    return known[name, cell]


@dataclass(frozen=True)
class Pair:
    """Two alike regions and the base-10 logarithm of how many so alike an untouched photo has."""

    region: CopiedRegion
    log10_alarms: float

    @property
    def is_copy(self) -> bool:
        return self.log10_alarms < math.log10(ALARMS)


def weighed(regions: Sequence[CopiedRegion], luma: np.ndarray, *, tests: int, tails: Tails) -> list[Pair]:
    """Each pair of regions with its expected false alarms, stricter where the picture is drawn."""
    pairs = [Pair(region, log10_alarms(region, tests=tests, tails=tails)) for region in regions]
    if any(pair.is_copy for pair in pairs) and is_drawn(luma):
        strict = replace(tails, most_two_tone=MOST_TWO_TONE)
        pairs = [Pair(region, log10_alarms(region, tests=tests, tails=strict)) for region in regions]
    return pairs


def working_grid(evidence: Evidence, *, largest: int = LARGEST_GRID) -> tuple[np.ndarray, int]:
    """Luma at full size or averaged over square cells, at most `largest` of them, and a cell's side.

    Raises NotApplicable for pictures that are or become too small.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, this has {evidence.height} x {evidence.width}"
        )
    cell = grid_cell(evidence.height, evidence.width, largest)
    luma: np.ndarray = _once(evidence, "luma", cell, lambda: reduced(evidence.luma, cell))
    if min(luma.shape) < LEAST_SIDE:
        raise NotApplicable("too narrow to be examined at a reduced size")
    return luma, cell


def grid_cell(rows: int, cols: int, largest: int = LARGEST_GRID) -> int:
    """Side of the square of image pixels that becomes one pixel of the working grid."""
    return max(1, math.ceil(math.sqrt(rows * cols / largest)))


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


def finding_of(
    method: Method,
    pairs: list[Pair],
    luma: np.ndarray,
    *,
    cell: int,
    size: tuple[int, int],
    smooth: np.ndarray,
    tellable: bool,
    explanation: str,
    measurements: Mapping[str, Any],
    full: np.ndarray | None = None,
) -> Finding:
    """The finding for pairs sorted by their expected false alarms, fewest first.

    Parameters
    ----------
    luma : the working grid, with cells of `cell` pixels, of a picture of `size` (rows, cols)
    smooth : where it is, from :func:`featureless`
    tellable : False when the absence of pairs means nothing; then there is no score
    full : (rows, cols) float32, the luma at full size; given it, copies are outlined there
    """
    heat, map_cell, directions = _drawn(pairs, luma, full, cell=cell, size=size, smooth=smooth)
    labels, count = label_regions(heat > 0.5, minimum_cells=16)
    boxes = bounding_boxes(labels, count, cell=map_cell, rows=size[0], cols=size[1])
    score = score_of(pairs[0].log10_alarms) if pairs else NOTHING_ALIKE
    return method.finding(
        score=score if pairs or tellable else None,
        explanation=explanation + _direction_told(pairs, directions),
        measurements={
            **measurements,
            "alike_pairs": len(pairs),
            "copied_pairs": sum(pair.is_copy for pair in pairs),
            "log10_expected_false_alarms": pairs[0].log10_alarms if pairs else None,
            "pairs": [
                measured(pair, cell, size)
                | {"copy": each.copy, "copy_probability": round(each.probability, 3)}
                for pair, each in zip(pairs[:5], directions[:5], strict=True)
            ],
        },
        regions=[Region(box, role_of(box, pairs, directions, cell, size), area) for box, area in boxes],
        parameters={"grid_cell": cell, "alarms_per_image": ALARMS},
        heatmap=Heatmap(heat, map_cell),
    )


def _drawn(
    pairs: list[Pair],
    luma: np.ndarray,
    full: np.ndarray | None,
    *,
    cell: int,
    size: tuple[int, int],
    smooth: np.ndarray,
) -> tuple[np.ndarray, int, list[Direction]]:
    """The map, the side of its cells, and which side of each pair was pasted, as far as that was asked."""
    refine = full is not None and cell > 1 and full.size <= LARGEST_MAP
    heat = np.full(luma.shape, QUIET, np.float32)
    heat[smooth] = np.nan
    directions = [UNKNOWN] * len(pairs)
    asked = [i for i, pair in enumerate(pairs) if pair.is_copy][:DIRECTED]
    for i, pair in reversed(list(enumerate(pairs))):
        if not (refine and pair.is_copy):
            directions[i] = direction_of(luma, pair.region) if i in asked else UNKNOWN
            # What is common in untouched pictures is not worth an outline drawn anew.
            rare = pair.log10_alarms < 0
            both = outlines(luma, pair.region) if rare else sides(pair.region, luma.shape)
            _paint(heat, both, pair, directions[i])
    if full is None or not refine or not asked:
        return heat, cell, directions
    heat = expand_cells(heat, cell, *size)
    for i, pair in reversed(list(enumerate(pairs))):
        if pair.is_copy:
            (top, left, rows, cols), source, target, region = full_sides(full, pair.region, cell)
            directions[i] = direction_of(full, region) if i in asked else UNKNOWN
            _paint(heat[top : top + rows, left : left + cols], (source, target), pair, directions[i])
    return heat, 1, directions


def _paint(heat: np.ndarray, both: Sequence[np.ndarray], pair: Pair, direction: Direction) -> None:
    """Raise the two sides of a pair in a map to what it says, in place; a sure source stays undecided."""
    value = score_of(pair.log10_alarms)
    for name, mask in zip(("first", "second"), both, strict=True):
        shown = min(value, SOURCE) if direction.sure and direction.copy != name else value
        heat[mask] = np.where(np.isnan(heat[mask]), shown, np.fmax(heat[mask], shown))


def _direction_told(pairs: list[Pair], directions: list[Direction]) -> str:
    """A sentence on which side of the first pair is the copy; none where there is no copy."""
    if not pairs or not pairs[0].is_copy:
        return ""
    direction, region = directions[0], pairs[0].region
    if direction.copy is None:
        return " Which of the two is the copy cannot be told."
    down, across = apply(region.transform, middle := region.group.source.mean(axis=0)) - middle
    if direction.copy == "first":
        down, across = -down, -across
    if abs(across) > abs(down):
        where = "right" if across > 0 else "left"
    else:
        where = "lower" if down > 0 else "upper"
    return f" The {where} one of the two is the copy with a probability of {direction.probability:.2f}."


def repetition(pairs: list[Pair]) -> str:
    """What to say of pairs none of which is a copy."""
    return (
        f"Something in the picture repeats, but was not copied as far as can be told: the most alike of "
        f"{len(pairs)} pairs of places share {max(pairs[0].region.agreement.structure, 0):.0%} of the fine "
        f"structure, no more than like things photographed twice."
    )


def featureless_in(evidence: Evidence, luma: np.ndarray, cell: int) -> np.ndarray:
    """:func:`featureless` of a picture's working grid with cells of `cell` pixels."""
    smooth: np.ndarray = _once(evidence, "featureless", cell, lambda: featureless(luma))
    return smooth


def similarity_of(evidence: Evidence, luma: np.ndarray, cell: int) -> float:
    """:func:`forensix.signal.repetition.self_similarity` of such a grid."""
    similarity: float = _once(evidence, "self-similarity", cell, lambda: self_similarity(luma))
    return similarity


def featureless(luma: np.ndarray) -> np.ndarray:
    """Where the picture is too smooth for any keypoint: variance below 1 in a 17 x 17 window."""
    centred = luma - luma.mean(dtype=np.float64).astype(np.float32)
    mean = local_mean(centred, 8)
    return np.asarray(local_mean(centred * centred, 8) - mean * mean < 1)


def role_of(
    box: Box, pairs: list[Pair], directions: list[Direction], cell: int, size: tuple[int, int]
) -> str:
    """ "target" or "source" for a region of a pair whose copy is told, "tampered" for others."""
    for pair, each in zip(pairs, directions, strict=True):
        if not pair.is_copy or each.copy is None:
            continue
        both = boxes_of(pair.region, cell, size)
        copy = int(each.copy == "second")
        for role, side in (("target", both[copy]), ("source", both[1 - copy])):
            if box_overlap(box, side) > SAME_BOX:
                return role
    return "tampered"


def box_overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes (top, left, rows, cols)."""
    shared = box_intersection(one, other)
    union = one[2] * one[3] + other[2] * other[3] - shared
    return shared / union if union else 0.0


def boxes_of(region: CopiedRegion, cell: int, size: tuple[int, int]) -> tuple[Box, Box]:
    """(top, left, rows, cols) of the two sides of a pair, in pixels of an image of `size`."""
    places = np.argwhere(region.source) + np.array(region.box[:2])
    return _box_around(places, cell, size), _box_around(apply(region.transform, places), cell, size)


def _box_around(points: np.ndarray, cell: int, size: tuple[int, int]) -> Box:
    top, left = (max(0, math.floor(v)) * cell for v in points.min(axis=0))
    ends = ((math.ceil(v) + 1) * cell for v in points.max(axis=0))
    bottom, right = (min(end, side) for end, side in zip(ends, size, strict=True))
    return top, left, max(0, bottom - top), max(0, right - left)


def measured(pair: Pair, cell: int, size: tuple[int, int]) -> dict[str, Any]:
    region, agreement = pair.region, pair.region.agreement
    row, col = region.transform[:, :2] @ (start := region.group.source.mean(axis=0)) + region.transform[:, 2]
    return {
        "log10_expected_false_alarms": pair.log10_alarms,
        "matched_points": region.group.count,
        "area": region.area * cell * cell,
        "shift": [cell * (row - start[0]), cell * (col - start[1])],
        "boxes": [list(box) for box in boxes_of(region, cell, size)],
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
