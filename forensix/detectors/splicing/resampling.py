"""Parts that were scaled or turned: interpolation that the rest of the picture does not have."""

from __future__ import annotations

import math
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from forensix.detectors.method import Method
from forensix.detectors.splicing._lattice_place import CELL, PRESENT, WHOLE, Resampling
from forensix.detectors.splicing._lattice_search import (
    DECISION_DOUBLED,
    DECISION_SCALED,
    DECISION_TURNED,
    resampling,
)
from forensix.errors import NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.interpolation import WINDOW, transformations
from forensix.signal.rarity import in_words
from forensix.signal.regions import bounding_boxes, label_regions

APPLIES_TO = (
    "Pictures of at least 256 x 256 pixels in lossless formats or JPEG; a JPEG save below about quality 95 "
    "hides most of the trace"
)
METHOD = Method(
    name="resampling",
    family="splicing",
    question="Was a part of the picture scaled or turned, and the rest not?",
    applies_to=APPLIES_TO,
    reference=(
        "M. Kirchner, Fast and Reliable Resampling Detection by Spectral Analysis of Fixed Linear Predictor "
        "Residue, ACM Workshop on Multimedia and Security 2008, doi 10.1145/1411328.1411333; "
        "A. C. Popescu, H. Farid, Exposing Digital Forgeries by Detecting Traces of Resampling, IEEE "
        "Transactions on Signal Processing 53(2), 2005, doi 10.1109/TSP.2004.839932"
    ),
    kind="splicing",
)

FORMATS = ("png", "tiff", "bmp", "jpeg", "gif", "ppm", "pnm")


def analysis_of(evidence: Evidence) -> Resampling:
    """:func:`resampling` for a file, worked out once for all detectors that ask.

    Raises
    ------
    NotApplicable
        When the picture is too small, or its codec has blocks of many sizes.
    """
    if min(evidence.height, evidence.width) < WINDOW:
        raise NotApplicable(
            f"it needs at least {WINDOW} x {WINDOW} pixels, this has {evidence.height} x {evidence.width}"
        )
    if evidence.format not in FORMATS:
        raise NotApplicable(
            f"{evidence.format.upper()} files have blocks of many sizes, whose borders look like interpolation"
        )
    if evidence not in _analysed:
        _analysed[evidence] = resampling(evidence.luma)
    return _analysed[evidence]


_analysed: WeakKeyDictionary[Evidence, Resampling] = WeakKeyDictionary()


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for parts of the picture that were scaled or turned."""
    found = analysis_of(evidence)
    part = found.present & (not found.whole)
    labels, count = label_regions(part, minimum_cells=4)
    boxes = bounding_boxes(labels, count, cell=CELL, rows=evidence.height, cols=evidence.width)
    local = count > 0
    return METHOD.finding(
        score=_score(found, local=local),
        explanation=_explanation(found, local=local, share=float(np.mean(labels > 0))),
        measurements=_measurements(found),
        regions=[Region(box, "tampered", area) for box, area in boxes],
        parameters={
            "window": WINDOW,
            "log10_false_alarms": {
                "scaled": DECISION_SCALED,
                "doubled": DECISION_DOUBLED,
                "turned": DECISION_TURNED,
            },
        },
        heatmap=_heatmap(found, labels > 0, evidence.height, evidence.width),
    )


def _score(found: Resampling, *, local: bool) -> float | None:
    if found.judged == 0:
        return None
    if found.whole:
        return 0.45
    if local and found.margin > 0:
        return 0.5 + 0.5 * found.margin / (found.margin + 3)
    return 0.45 + 0.35 * math.tanh(min(found.margin, 0.0) / 4)


def _measurements(found: Resampling) -> dict[str, Any]:
    decided = found.strength is not None
    return {
        "log10_false_alarms": found.log10_alarms,
        "frequency": list(found.frequency) if decided else None,
        "magnification_and_rotation": [list(each) for each in transformations(found.frequency)]
        if decided
        else [],
        "whole_picture": found.whole,
        "share_with_lattice": round(found.share, 4),
        "judged_share": round(found.judged, 4),
    }


def how(found: Resampling) -> str:
    """ "scaled or turned by a factor of about 1.20", with what else would look the same."""
    options = transformations(found.frequency)
    if not options:
        return "scaled or turned"
    factor, angle = options[0]
    words = f"by a factor of about {factor:.2f}" + (
        f" and {abs(angle):.1f} degrees" if abs(angle) >= 0.3 else ""
    )
    others = f" (or {len(options) - 1} other ways that look the same)" if len(options) > 1 else ""
    return f"scaled or turned {words}{others}"


def _explanation(found: Resampling, *, local: bool, share: float) -> str:
    if found.judged == 0:
        return "Cannot tell: the picture is too flat for traces of interpolation."
    if found.strength is None:
        return "No part of the picture shows the lattice of an interpolation."
    if found.whole and found.share < WHOLE:
        return "Traces of an interpolation show in several places or a large area, so that no single part can be named."
    if found.whole:
        return f"The picture was {how(found)} as a whole, which says nothing about single parts."
    if not local:
        return (
            "A faint lattice of an interpolation shows, but no part of the picture can be named that has it."
        )
    return f"{share:.1%} of the picture was {how(found)}, the rest was not; {in_words(found.log10_alarms)}."


def _heatmap(found: Resampling, inside: np.ndarray, height: int, width: int) -> Heatmap:
    if found.strength is None:
        shape = max(1, height // CELL), max(1, width // CELL)
        return Heatmap(np.full(shape, 0.1 if found.judged else np.nan, np.float32), CELL)
    likely = found.strength / (found.strength + PRESENT)
    values = np.where(inside, np.maximum(0.5 + likely / 2, 0.51), np.minimum(likely, 0.5))
    return Heatmap(values.astype(np.float32), CELL)
