"""Pictures that repeat themselves: what their other likenesses say about the one that looks copied."""

from __future__ import annotations

import math

import numpy as np

from forensix.detectors.copy_move._likeness import ALARMS
from forensix.detectors.copy_move._pairs import Pair
from forensix.signal.affine import apply
from forensix.signal.copied_region import CopiedRegion

# Pairs with fewer expected false alarms (base-10 logarithm) than this are noticeable.
NOTICEABLE = -1.0


def allowed_for_each_other(pairs: list[Pair]) -> list[Pair]:
    """The pairs, each judged by how many others the picture has that are noticeable but no copies.

    One such pair is to be expected in every tenth untouched picture. Where a picture has
    several, rows of threads or of windows, its things are more alike than those of the pictures
    that the tails come from, by so much, and all its pairs are that much less surprising. Two pairs
    that join the same two places count once, and copies not at all: what was pasted several
    times is not therefore a pattern.
    """
    between = [pair for pair in pairs if math.log10(ALARMS) <= pair.log10_alarms < NOTICEABLE]
    if not between:
        return pairs
    judged = []
    for pair in pairs:
        others = sum(other is not pair and not _same_places(pair, other) for other in between)
        more = math.log10(1 + others * 10**-NOTICEABLE)
        judged.append(Pair(pair.region, pair.log10_alarms + more))
    return judged


def _same_places(one: Pair, other: Pair) -> bool:
    """True where two pairs' sources overlap and their targets do, or the one's with the other's."""
    (a, b), (c, d) = _boxes(one.region), _boxes(other.region)
    return (_overlap(a, c) and _overlap(b, d)) or (_overlap(a, d) and _overlap(b, c))


def _boxes(region: CopiedRegion) -> tuple[np.ndarray, np.ndarray]:
    """Of source and target, the first and the last corner; (2, 2) float64 each."""
    top, left, rows, cols = region.box
    corners = np.array(
        [(top, left), (top, left + cols), (top + rows, left), (top + rows, left + cols)], float
    )
    moved = apply(region.transform, corners)
    return corners[[0, -1]], np.array([moved.min(axis=0), moved.max(axis=0)])


def _overlap(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one[0] < other[1]).all() and (other[0] < one[1]).all())
