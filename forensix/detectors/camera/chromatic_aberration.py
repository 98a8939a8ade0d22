"""The lens's lateral chromatic aberration: its size, its centre, and areas that do not go with it.

A lens magnifies red and blue a little otherwise than green, about its axis. How far their
edges lie beside green's is measured all over the picture, to a fraction of a pixel; from
that follow the lens's coefficients and the place of its axis. What was pasted from another
picture, or from another place of the same one, brings the shifts of where it was with it.
These are small, and cameras, demosaicking and compression disturb them; an area is reported
only where it strays from the lens farther than areas of untouched photos do.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np

from forensix.detectors.camera._lens_cells import Shifts, cell_products, channel_shifts
from forensix.detectors.camera._lens_model import RadialLens, SmoothField, radial_lens, smooth_field
from forensix.detectors.camera._lens_windows import LARGEST, LensVerdict, lens_verdict
from forensix.detectors.decided_area import leaning_map, tampered_regions
from forensix.detectors.method import Method
from forensix.errors import NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding
from forensix.signal.blas import one_blas_thread

METHOD = Method(
    name="chromatic-aberration",
    family="camera",
    question="Are red and blue displaced against green in an area otherwise than the lens displaces them?",
    applies_to="Colour photographs of at least 512 x 512 pixels whose lens was not corrected by the camera",
    reference=(
        "M. K. Johnson, H. Farid, Exposing Digital Forgeries Through Chromatic Aberration, ACM Multimedia and "
        "Security Workshop, 2006, doi 10.1145/1161366.1161376; O. Mayer, M. C. Stamm, Accurate and Efficient "
        "Image Forgery Detection Using Lateral Chromatic Aberration, IEEE Transactions on Information Forensics "
        "and Security 13(7), 2018, doi 10.1109/TIFS.2018.2799421 (the estimate of shifts and the decision are our own)"
    ),
    kind="splicing",
    preset="standard",
)

LEAST_SIDE = 512  # pixels
FEWEST_CELLS = 100  # with an edge that tells, in either colour
LEAST_SIGNIFICANCE = 30.0  # chi-squared of a colour's two coefficients; chance alone: 1e-6
LEAST_SHIFT = 0.2  # pixels that red or blue must reach somewhere
DECISION = 7.5  # standard deviations; what untouched photos reach: benchmarks/results/camera-traces.md
SLOPE = 0.7
SURE = 1.96  # standard deviations to either side, of the intervals stated
OFF_CENTRE = 0.35  # half diagonals; lenses of whole photos lie closer to the middle
OFF_BY = 3.0  # standard deviations beyond that
CLEAR_SIGNIFICANCE = 250.0  # chi-squared of the coefficients, from which on a centre is believed
CLEAR_SHIFT = 0.3  # pixels at half a diagonal from the centre, likewise
FARTHEST = 2.5  # half diagonals; beyond, the fit ran away


@dataclass(frozen=True, eq=False)
class LensShifts:
    """What is known of a picture's lateral chromatic aberration.

    cells : (2,) int, with an edge that tells, of red and of blue
    half_diagonal : of the picture, pixels
    side : of a cell, pixels
    lens : None where there are too few cells
    largest : pixels that red or blue are displaced by somewhere (95 % of places are below)
    local : None where there is no lens, or no window that could be compared
    """

    cells: tuple[int, int]
    half_diagonal: float
    side: int
    lens: RadialLens | None = None
    largest: float = 0.0
    local: LensVerdict | None = None

    @property
    def significance(self) -> float:
        """Chi-squared (two degrees of freedom) of the colour that is clearer displaced."""
        return 0.0 if self.lens is None else max(self.lens.significance(0), self.lens.significance(1))

    @property
    def measurable(self) -> bool:
        """Whether the lens leaves a trace that can be told from none."""
        return self.significance >= LEAST_SIGNIFICANCE and self.largest >= LEAST_SHIFT

    @property
    def cropped(self) -> bool:
        """Whether the lens's axis clearly lies away from the picture's middle."""
        if self.lens is None or not self.measurable or self.significance < CLEAR_SIGNIFICANCE:
            return False
        distance = float(np.linalg.norm(self.lens.centre))
        along = self.lens.centre / max(distance, 1e-9)
        deviation = float(np.sqrt(along @ self.lens.covariance[:2, :2] @ along))
        at_corner = float(np.abs(self.lens.coefficients.sum(axis=1)).max())
        far = distance - OFF_BY * deviation > OFF_CENTRE and distance < FARTHEST
        return far and at_corner >= CLEAR_SHIFT


def lens_shifts(rgb: np.ndarray) -> LensShifts:
    """Measure a picture's lateral chromatic aberration, and where it strays.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        At least 64 x 64.

    References
    ----------
    M. K. Johnson, H. Farid 2006, doi 10.1145/1161366.1161376; O. Mayer, M. C. Stamm 2018, doi
    10.1109/TIFS.2018.2799421.
    """
    with one_blas_thread():
        products = cell_products(rgb)
        shifts = channel_shifts(products, 0), channel_shifts(products, 1)
        cells = int(shifts[0].known.sum()), int(shifts[1].known.sum())
        if min(cells) < FEWEST_CELLS:
            return LensShifts(cells, products.half_diagonal, products.side)
        fields = smooth_field(shifts[0], products.places), smooth_field(shifts[1], products.places)
        lens = radial_lens(shifts, fields, products.places)
        largest = max(_reached(*both) for both in zip(shifts, fields, strict=True))
        local = lens_verdict(shifts, fields, products.reduction)
    return LensShifts(cells, products.half_diagonal, products.side, lens, largest, local)


def _reached(shifts: Shifts, field: SmoothField) -> float:
    return float(np.quantile(np.linalg.norm(field.expected[shifts.known], axis=1), 0.95))


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for an area whose colours are displaced otherwise than the lens displaces them.

    Raises
    ------
    NotApplicable
        When the picture is smaller than 512 x 512 pixels, or grey.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    if evidence.colourless:
        raise NotApplicable("it compares the places of colours, and this picture has none")
    found = lens_shifts(evidence.rgb)
    local = found.local if found.measurable else None
    distance = 0.0 if local is None else local.distance
    decided = local is not None and distance > DECISION and float(local.area.mean()) <= LARGEST
    score = 1 / (1 + exp((DECISION - distance) / SLOPE))
    return METHOD.finding(
        score=None if local is None else score if decided else min(score, 0.5),
        explanation=_explanation(found, local, decided=decided),
        measurements=_measurements(found, evidence),
        parameters={"decision": DECISION, "cell": found.side},
        regions=tampered_regions(local.area, evidence, cell=found.side)
        if local is not None and decided
        else (),
        heatmap=None
        if local is None
        else leaning_map(local.nats, local.area, cell=found.side, decided=decided),
    )


def _measurements(found: LensShifts, evidence: Evidence) -> dict[str, Any]:
    """Coefficients in pixels at half a diagonal from the lens's centre; the centre in pixels from the top left."""
    stated: dict[str, Any] = {"cells": list(found.cells), "significance": round(found.significance, 1)}
    if found.lens is None:
        return stated
    lens, deviations = found.lens, np.sqrt(np.diag(found.lens.covariance))
    for channel, colour in enumerate(("red", "blue")):
        for k, name in enumerate(("linear", "cubic")):
            value, off = lens.coefficients[channel, k], SURE * deviations[2 + 2 * channel + k]
            stated[f"{colour}_{name}"] = round(float(value), 4)
            stated[f"{colour}_{name}_interval"] = [round(float(value - off), 4), round(float(value + off), 4)]
    stated["largest_shift"] = round(found.largest, 4)
    if found.measurable:
        middle = np.array([evidence.height, evidence.width]) / 2
        centre, off_by = (
            middle + lens.centre * found.half_diagonal,
            SURE * deviations[:2] * found.half_diagonal,
        )
        stated["centre"] = [round(float(v), 1) for v in centre]
        stated["centre_interval"] = [
            [round(float(v - off), 1), round(float(v + off), 1)]
            for v, off in zip(centre, off_by, strict=True)
        ]
        stated["probably_cropped"] = found.cropped
    if found.measurable and found.local is not None:
        stated["distance"] = round(found.local.distance, 3)
        stated["share"] = round(float(found.local.area.mean()), 4)
        stated["red_apart"], stated["blue_apart"] = (round(float(v), 3) for v in found.local.apart)
    return stated


def _explanation(found: LensShifts, local: LensVerdict | None, *, decided: bool) -> str:
    if found.lens is None:
        return (
            f"Too few edges show where red and blue lie against green: {min(found.cells)} places, "
            f"{FEWEST_CELLS} wanted."
        )
    if not found.measurable:
        return (
            "The lens leaves no colour fringes that could be measured: it is very good, or the camera corrected "
            "them, or compression took them away."
        )
    said = f"The lens displaces red and blue by up to {found.largest:.2f} pixels"
    if found.cropped:
        said += ", about a centre far from the picture's middle, so that the picture is probably a part of a larger one"
    if local is None:
        return said + "; nowhere are there edges enough to look for areas that do not go with it."
    if decided:
        apart = float(local.apart.max())
        return (
            f"{said}; in {local.area.mean():.1%} of the picture they lie {apart:.2f} pixels away from that, "
            f"{local.distance:.1f} standard deviations where hardly an untouched photo exceeds {DECISION:g}: that "
            "area may come from another place or another picture."
        )
    return (
        f"{said}; no area strays from that: the farthest one is {local.distance:.1f} standard deviations away, and "
        f"untouched photos come up to {DECISION:g}."
    )
