"""Copy-move by a dense field: every part of the picture looks for its likeness."""

from __future__ import annotations

import numpy as np

from forensix.detectors.copy_move._likeness import log10_alarms
from forensix.detectors.copy_move._pairs import (
    LEAST_SIDE,
    Pair,
    featureless,
    finding_of,
    repetition,
    working_grid,
)
from forensix.detectors.method import Method
from forensix.errors import ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding
from forensix.signal.blas import one_blas_thread
from forensix.signal.copied_region import examine
from forensix.signal.dense_field import likeness_field, zernike_features
from forensix.signal.field_regions import group_field

METHOD = Method(
    name="copy-move-dense",
    family="copy_move",
    question="Is a part of the picture a copy of another part, however smooth?",
    applies_to="Pictures of at least 64 x 64 pixels; copies made larger or smaller by a tenth escape it",
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
CANDIDATES = 16
# Share of the picture that must have content before finding nothing alike says something.
LEAST_CONTENT = 0.02


def find_pairs(luma: np.ndarray, *, candidates: int = CANDIDATES) -> list[Pair]:
    """Pairs of alike regions, the one hardest to explain by chance first.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255
    candidates : int
        At most this many parts of the field are examined, the largest.
    """
    if luma.ndim != 2 or min(luma.shape) < LEAST_SIDE:
        raise ParameterError(f"luma must be 2-D and at least {LEAST_SIDE} on a side, got {luma.shape}")
    matches, _ = likeness_field(zernike_features(luma), stride=STRIDE, nearest=NEAREST)
    groups = group_field(matches, stride=STRIDE, nearest=NEAREST)
    with one_blas_thread():
        regions = examine(luma, groups[:candidates])
    pairs = [Pair(region, log10_alarms(region, tests=len(groups))) for region in regions]
    return sorted(pairs, key=lambda pair: pair.log10_alarms)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """The finding for one picture: score, map and the regions that are copies of each other."""
    luma, cell = working_grid(evidence)
    pairs = find_pairs(luma)
    smooth = featureless(luma)
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
