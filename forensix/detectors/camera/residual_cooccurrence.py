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
    foreign_region,
    shipped_projection,
    unfit_cells,
)
from forensix.detectors.camera._residual_cells import residual_cells
from forensix.detectors.decided_area import leaning_map, tampered_regions
from forensix.detectors.method import Method
from forensix.errors import NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding
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

    return _region(residual_histograms(rgb), rgb)


def _region(counts: np.ndarray, rgb: np.ndarray) -> ForeignRegion:
    with one_blas_thread():
        return foreign_region(counts, *unfit_cells(rgb), shipped_projection())


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
    if evidence.colourless:
        raise NotApplicable("it compares differences of colours too, and this picture has none")
    found = _region(residual_cells(evidence), evidence.rgb)
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
        regions=tampered_regions(found.cells, evidence, cell=CELL) if decided else (),
        heatmap=leaning_map(found.evidence, found.cells, cell=CELL, decided=decided) if told else None,
    )


def _explanation(found: ForeignRegion, *, told: bool, decided: bool) -> str:
    if not told:
        return "Too little of the picture has colour and is free of clipped light and shadow, to compare its fine structure."
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
