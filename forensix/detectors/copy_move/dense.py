"""Copy-move by a dense field: every part of the picture looks for its likeness."""

from __future__ import annotations

import math

import numpy as np

from forensix.detectors.copy_move._likeness import DENSE
from forensix.detectors.copy_move._pairs import (
    LEAST_SIDE,
    Pair,
    featureless_in,
    finding_of,
    repetition,
    weighed,
    working_grid,
)
from forensix.detectors.method import Method
from forensix.errors import ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding
from forensix.signal.blas import one_blas_thread
from forensix.signal.copied_region import examine, sides
from forensix.signal.dense_features import KINDS
from forensix.signal.dense_field import likeness_field
from forensix.signal.field_regions import group_field
from forensix.signal.further_copies import further_copies
from forensix.signal.match_groups import MatchGroup
from forensix.signal.resized_groups import resized_groups

METHOD = Method(
    name="copy-move-dense",
    family="copy_move",
    question="Is a part of the picture a copy of another part, however smooth?",
    applies_to=(
        "Pictures of at least 64 x 64 pixels; copies made larger or smaller by more than about a tenth are "
        "looked for at a reduced size, and at full size in the thorough preset only"
    ),
    reference=(
        "D. Cozzolino, G. Poggi, L. Verdoliva, Efficient Dense-Field Copy-Move Forgery Detection, IEEE "
        "TIFS 10(11), 2015, doi 10.1109/TIFS.2015.2455334; S.-J. Ryu et al., Rotation Invariant "
        "Localization of Duplicated Image Regions Based on Zernike Moments, IEEE TIFS 8(8), 2013, "
        "doi 10.1109/TIFS.2013.2272377"
    ),
    kind="copy-move",
    preset="standard",
)

# One row and one column in so many looks for its likeness, with any pixel.
STRIDE = 3
NEAREST = 24.0
# Smaller versions of the picture, a seventh part apart, in which copies made larger or smaller are looked
# for: features stand differences of about 7 %.
ZOOMS = (0.88, 0.77, 0.68)
# Outside the thorough preset they are looked for at half the size or less, on so many pixels at most.
LARGEST_ZOOMED = 500_000
# Pixels of the working grid: so many that a patch of 64 x 64 pixels in 12 million can be told.
LARGEST_GRID = 3_200_000
CANDIDATES = 24
# Of so many copies it is asked whether the same place was pasted more often.
REPEATED = 3
# Share of the picture that must have content before finding nothing alike says something.
LEAST_CONTENT = 0.02


def find_pairs(
    luma: np.ndarray,
    *,
    features: str = "zernike",
    zooms: tuple[float, ...] = (),
    reduction: int = 1,
    candidates: int = CANDIDATES,
) -> list[Pair]:
    """Pairs of alike regions, the one hardest to explain by chance first.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255
    features : "zernike", "polar" or "dct"
        What is compared, see :mod:`forensix.signal.dense_features`; with "dct" copies that were turned
        or mirrored are not found.
    zooms : 0.25 to 1 each
        The picture is also compared with itself made smaller by these factors: copies about
        so much larger or smaller than their source are found as well, see :data:`ZOOMS`.
    reduction : int
        For that, both are averaged over so many pixels in each direction.
    candidates : int
        At most this many parts of the field are examined, the largest.
    """
    return weighed_pairs(luma, features=features, zooms=zooms, reduction=reduction, candidates=candidates)[0]


def weighed_pairs(
    luma: np.ndarray,
    *,
    features: str = "zernike",
    zooms: tuple[float, ...] = (),
    reduction: int = 1,
    candidates: int = CANDIDATES,
) -> tuple[list[Pair], int]:
    """What :func:`find_pairs` finds, and the number of parts of the fields, each of which was a test."""
    if luma.ndim != 2 or min(luma.shape) < LEAST_SIDE:
        raise ParameterError(f"luma must be 2-D and at least {LEAST_SIDE} on a side, got {luma.shape}")
    if features not in KINDS:
        raise ParameterError(f"features must be one of {', '.join(KINDS)}, got {features!r}")
    matches, _ = likeness_field(KINDS[features](luma), stride=STRIDE, nearest=NEAREST)
    groups = group_field(matches, stride=STRIDE, nearest=NEAREST)
    groups += resized_groups(luma, zooms, features=KINDS[features], reduction=reduction, nearest=NEAREST)
    groups.sort(key=lambda group: -group.count)
    with one_blas_thread():
        found = examine(luma, groups[:candidates], inner=True)
        pairs = weighed(found, luma, tests=len(groups), tails=DENSE)
        more = _elsewhere(luma, pairs)
        found = examine(luma, more, inner=True)
        pairs += weighed(found, luma, tests=len(groups) + len(more), tails=DENSE)
    return sorted(pairs, key=lambda pair: pair.log10_alarms), len(groups)


def _elsewhere(luma: np.ndarray, pairs: list[Pair]) -> list[MatchGroup]:
    """Where else the places that have copies were pasted: what no copy covers yet."""
    covered = np.zeros(luma.shape, bool)
    copies = sorted((pair for pair in pairs if pair.is_copy), key=lambda pair: pair.log10_alarms)
    for pair in copies:
        for side in sides(pair.region, luma.shape):
            covered |= side
    more: list[MatchGroup] = []
    for pair in copies[:REPEATED]:
        for group in further_copies(luma, pair.region):
            row, col = np.rint(group.target).astype(int).T
            if not covered[row, col].mean() > 0.5:
                covered[row, col] = True
                more.append(group)
    return more


def grid_of(evidence: Evidence) -> tuple[np.ndarray, int]:
    """The luma that is searched, and the side of its cells in pixels of the picture."""
    return working_grid(evidence, largest=LARGEST_GRID)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """The finding for one picture: score, map and the regions that are copies of each other.

    Preset "thorough" looks for small copies of another size than their source, too.
    """
    luma, cell = grid_of(evidence)
    reduction = 1 if preset == "thorough" else max(2, math.ceil(math.sqrt(luma.size / LARGEST_ZOOMED)))
    pairs = find_pairs(luma, zooms=ZOOMS, reduction=reduction)
    smooth = featureless_in(evidence, luma, cell)
    content = float(1 - smooth.mean())
    return finding_of(
        METHOD,
        pairs,
        luma,
        cell=cell,
        size=(evidence.height, evidence.width),
        smooth=smooth,
        tellable=content >= LEAST_CONTENT,
        explanation=_explain(pairs, content=content, cell=cell),
        measurements={"content_share": content},
        full=evidence.luma,
    )


def _explain(pairs: list[Pair], *, content: float, cell: int) -> str:
    copies = [pair for pair in pairs if pair.is_copy]
    if copies:
        best = copies[0].region
        more = f", and {len(copies) - 1} more such pairs" if len(copies) > 1 else ""
        return (
            f"A region of about {best.area * cell * cell} pixels has its copy elsewhere in the picture: "
            f"every pixel was compared, and {best.agreement.structure:.0%} of the fine structure agrees{more}."
        )
    if pairs:
        return repetition(pairs)
    if content < LEAST_CONTENT:
        return f"Cannot tell: only {content:.0%} of the picture has content to compare."
    return "No part of the picture has its likeness elsewhere: every part was compared with every other."
