"""Parts whose fine structure was made by another camera or another processing.

What a camera does to its pictures (demosaicking, sharpening, noise reduction, compression)
shows in how neighbouring values of a high-pass residual follow each other. The paper
describes windows by histograms of such sequences and lets one picture's windows fall into
a large and a small group. Content forms groups too: sky, blur, texture. Two things are
therefore added to it. The histograms are projected on the directions in which photos
differ from each other more than within themselves, learned on untouched photos; and the
area found is compared with the scatter of all the rest, at a limit that untouched photos
keep.
"""

from __future__ import annotations

from math import exp

import numpy as np

from forensix.detectors.camera._foreign_region import (
    FEWEST_WINDOWS,
    ForeignRegion,
    clipped_cells,
    foreign_region,
    shipped_projection,
)
from forensix.detectors.method import Method
from forensix.errors import NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.blas import one_blas_thread

METHOD = Method(
    name="residual-cooccurrence",
    family="camera",
    question="Does an area have another fine structure than the rest, as if another camera had made it?",
    applies_to="Colour photographs of at least 256 x 256 pixels, best where little compressed since the change",
    reference=(
        "D. Cozzolino, G. Poggi, L. Verdoliva, Splicebuster: a new blind image splicing detector, IEEE "
        "International Workshop on Information Forensics and Security, 2015, doi 10.1109/WIFS.2015.7368565 "
        "(the projection and the decision are our own)"
    ),
    kind="splicing",
    preset="standard",
)

LEAST_SIDE = 256  # pixels
CELL = 16
DECISION = 7.0  # standard deviations; what untouched photos reach: benchmarks/results/camera-traces.md
SLOPE = 1.5


def residual_cooccurrence(rgb: np.ndarray) -> ForeignRegion:
    """The area whose residual sequences differ most from those of the rest.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        At least 128 x 128.

    Returns
    -------
    ForeignRegion
        Cells of 16 pixels.

    References
    ----------
    D. Cozzolino, G. Poggi, L. Verdoliva 2015, doi 10.1109/WIFS.2015.7368565
    """
    from forensix.native.residual_histograms import residual_histograms

    with one_blas_thread():
        return foreign_region(residual_histograms(rgb), clipped_cells(rgb), shipped_projection())


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for an area with another fine structure.

    Raises
    ------
    NotApplicable
        When the picture is smaller than 256 x 256 pixels, or grey.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    if _is_grey(evidence.rgb):
        raise NotApplicable("it compares differences of colours too, and this picture has none")
    found = residual_cooccurrence(evidence.rgb)
    told = found.windows >= FEWEST_WINDOWS
    decided = told and found.distance > DECISION and bool(found.cells.any())
    score = 1 / (1 + exp((DECISION - found.distance) / SLOPE))
    score = score if decided else min(score, 0.5)
    return METHOD.finding(
        score=score if told else None,
        explanation=_explanation(found, told=told, decided=decided),
        measurements={
            "distance": round(found.distance, 3),
            "share": round(float(found.cells.mean()), 4),
            "windows": found.windows,
        },
        parameters={"decision": DECISION, "window": 128},
        regions=_regions(found, evidence) if decided else (),
        heatmap=_heatmap(found, decided=decided) if told else None,
    )


def _is_grey(rgb: np.ndarray) -> bool:
    return bool(np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 1], rgb[..., 2]))


def _regions(found: ForeignRegion, evidence: Evidence) -> tuple[Region, ...]:
    from forensix.signal.regions import bounding_boxes, label_regions

    labels, count = label_regions(found.cells)
    boxes = bounding_boxes(labels, count, cell=CELL, rows=evidence.height, cols=evidence.width)
    return tuple(Region(box, "tampered", area) for box, area in boxes)


def _explanation(found: ForeignRegion, *, told: bool, decided: bool) -> str:
    if not told:
        return "Too little of the picture is free of clipped light and shadow to compare its fine structure."
    if decided:
        return (
            f"{found.cells.mean():.1%} of the picture has another fine structure than the rest, "
            f"{found.distance:.1f} standard deviations away where hardly an untouched photo exceeds {DECISION:g}: "
            "it may come from another camera or another processing."
        )
    return (
        f"No area's fine structure stands out: the most different one is {found.distance:.1f} standard "
        f"deviations away from the rest, and untouched photos come up to {DECISION:g}."
    )


def _heatmap(found: ForeignRegion, *, decided: bool) -> Heatmap:
    """Above 0.5 in the area decided on only; below it, how far each cell leans that way."""
    lean = 1 / (1 + np.exp(-found.evidence / 2))
    values = 0.45 * lean
    if decided:
        values = np.where(found.cells, 0.55 + 0.4 * lean, values)
    return Heatmap(values, CELL)
