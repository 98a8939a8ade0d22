"""Copy-move by keypoints: parts of the picture that are copies of other parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from forensix.detectors.copy_move._likeness import KEYPOINTS, SURF, Tails
from forensix.detectors.copy_move._pairs import (
    LEAST_SIDE,
    Pair,
    featureless_in,
    finding_of,
    repetition,
    similarity_of,
    weighed,
    working_grid,
)
from forensix.detectors.copy_move._patterns import allowed_for_each_other
from forensix.detectors.method import Method
from forensix.errors import ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding
from forensix.signal.blas import one_blas_thread
from forensix.signal.copied_region import examine
from forensix.signal.keypoints import Keypoints, match_within
from forensix.signal.match_groups import group_matches
from forensix.signal.sift import sift_keypoints
from forensix.signal.surf import surf_keypoints, upright_keypoints

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

# The keypoints to choose from, and how their measurements are distributed in untouched photos.
FEATURES: dict[str, tuple[Callable[[np.ndarray], Keypoints], Tails]] = {
    "sift": (sift_keypoints, KEYPOINTS),
    "surf": (surf_keypoints, SURF),
    "surf-upright": (upright_keypoints, SURF),
}
FEWEST_KEYPOINTS = 20
CANDIDATES = 12
# Self-similarity beyond which a picture counts as one repeating pattern.
REPEATS = 0.6
# Share of such a picture that two alike parts may each cover before it is the pattern that they show.
MOST_COPIED = 0.2


def find_pairs(
    luma: np.ndarray, *, features: str = "sift", candidates: int = CANDIDATES
) -> tuple[list[Pair], int]:
    """Pairs of alike regions, the one hardest to explain by chance first.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255
    features : str
        The keypoints: "sift", "surf", or "surf-upright" for copies that were not turned.
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
    if features not in FEATURES:
        raise ParameterError(f"features must be one of {', '.join(FEATURES)}, got {features!r}")
    keypoints_of, tails = FEATURES[features]
    keypoints = keypoints_of(luma)
    groups = []
    with one_blas_thread():
        for mirrored in (False, True):
            groups += group_matches(keypoints, match_within(keypoints, mirrored=mirrored))[:candidates]
        regions = examine(luma, sorted(groups, key=lambda group: -group.strength))
    pairs = weighed(regions, luma, tests=len(groups), tails=tails)
    pairs = allowed_for_each_other(pairs)
    return sorted(pairs, key=lambda pair: pair.log10_alarms), len(keypoints)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """The finding for one picture: score, map and the regions that are copies of each other."""
    return finding_by(METHOD, evidence, features="sift")


def finding_by(method: Method, evidence: Evidence, *, features: str) -> Finding:
    """The finding of a method that differs from others in its keypoints only; see :func:`find_pairs`."""
    luma, cell = working_grid(evidence)
    pairs, keypoints = find_pairs(luma, features=features)
    everywhere = any(pair.region.area > MOST_COPIED * luma.size for pair in pairs)
    copies = [pair for pair in pairs if pair.is_copy]
    similarity = 0.0 if copies and not everywhere else similarity_of(evidence, luma, cell)
    if everywhere and similarity > REPEATS:
        # Any part of a pattern has its likeness elsewhere: at least one such pair is to be expected.
        pairs = [replace(pair, log10_alarms=max(pair.log10_alarms, 0.0)) for pair in pairs]
        copies = []
    return finding_of(
        method,
        pairs,
        luma,
        cell=cell,
        size=(evidence.height, evidence.width),
        smooth=featureless_in(evidence, luma, cell),
        tellable=keypoints >= FEWEST_KEYPOINTS and similarity <= REPEATS,
        explanation=_explain(pairs, copies, keypoints=keypoints, cell=cell, similarity=similarity),
        measurements={"keypoints": keypoints, "self_similarity": similarity},
        full=evidence.luma,
    )


def _explain(pairs: list[Pair], copies: list[Pair], *, keypoints: int, cell: int, similarity: float) -> str:
    if copies:
        best = copies[0].region
        more = f", and {len(copies) - 1} more such pairs" if len(copies) > 1 else ""
        return (
            f"Two regions of about {best.area * cell * cell} pixels are copies of each other: "
            f"{best.group.count} points and {best.agreement.structure:.0%} of the fine structure agree{more}."
        )
    if pairs:
        return repetition(pairs)
    if similarity > REPEATS:
        return (
            f"The picture repeats itself as a whole ({similarity:.0%} alike after a shift), so a copy would not "
            f"show, and no part stands out as copied."
        )
    if keypoints < FEWEST_KEYPOINTS:
        return f"Cannot tell: the picture is too smooth, with only {keypoints} points to compare."
    return f"No two parts of the picture are alike: {keypoints} points were compared."
