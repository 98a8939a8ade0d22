"""Seams of pastes, feathered or cut hard, told by how edges look along a closed outline.

The border of a paste is a ramp of one width all the way around, whatever the depth of the scene; where
two pictures are mixed, their noise is weaker than on either side; and the detail on the two sides comes
from two cameras. None of that tells a single place of a seam from all others of a picture, so the closed
path that looks most like a seam is followed as a whole. Depth of field makes edges soft too, but of an
object in focus they change in width along its outline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.decided_area import tampered_regions
from forensix.detectors.method import Method
from forensix.detectors.splicing._seam_features import Places, seam_places
from forensix.detectors.splicing._seam_model import SeamModel, shipped_model
from forensix.detectors.splicing._seam_outlines import Outline, filled, outlines
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.drawings import is_drawn

METHOD = Method(
    name="edge-blur",
    family="splicing",
    question="Does a closed outline look like the seam of a paste, cut hard or feathered?",
    applies_to="Photographs of at least 192 x 192 pixels in any format",
    reference=(
        "S. Zhuo, T. Sim, Defocus map estimation from a single image, Pattern Recognition 44(9), 2011, doi "
        "10.1016/j.patcog.2011.03.009 (widths of edges by blurring again; the comparison of both sides, the "
        "outlines and the decision are our own)"
    ),
    kind="splicing",
    weak=True,
    preset="standard",
    # Detail that differs from side to side is noise that differs.
    trace="camera",
)

LEAST_SIDE = 192
SLOPE, MOST_SCORE = 1.5, 0.75
LEAST_STEEP = 1.0  # grey levels a pixel
LEAST_EDGES = 0.003  # of the places
EVEN = (
    "Cannot tell: large parts of the picture are perfectly even, as in a drawing, a chart or a screen, where "
    "edges are sharp and both sides differ without any paste."
)
FLAT = "Cannot tell: the picture has hardly any edge."


@dataclass(frozen=True, eq=False)
class Seams:
    """What looks like a seam in a picture.

    places : one in each cell of 4 x 4 pixels (of the reduced picture)
    odds : (rows, cols) float32, nats for a seam
    found : outlines, the most seam-like first, each with its log-odds beyond the limit
    """

    places: Places
    odds: np.ndarray
    found: tuple[tuple[Outline, float], ...]


def seams(rgb: np.ndarray, *, model: SeamModel | None = None) -> Seams:
    """Find the closed outlines that look most like seams.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8, at least 64 x 64
    model : SeamModel, optional
        Other numbers than those shipped.

    Raises
    ------
    ParameterError
        When `rgb` is of another type or smaller.

    References
    ----------
    S. Zhuo, T. Sim, "Defocus map estimation from a single image", Pattern Recognition 44(9), 2011.
    https://doi.org/10.1016/j.patcog.2011.03.009
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or min(rgb.shape[:2]) < 64:
        raise ParameterError(
            f"rgb must be (rows, cols, 3) uint8, at least 64 x 64, got {rgb.dtype} {rgb.shape}"
        )
    model = model or shipped_model()
    places = seam_places(rgb)
    odds = model.places.log_odds(places.inputs)
    followed = outlines(odds, places)
    weighed = []
    if followed:
        beyond = model.weights(np.stack([each.traits for each in followed])) - model.limit
        weighed = sorted(zip(followed, beyond.tolist(), strict=True), key=lambda pair: -pair[1])
    return Seams(places, odds, tuple(weighed))


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for the seam of a paste.

    Raises
    ------
    NotApplicable
        For pictures smaller than 192 x 192 pixels.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    seen = seams(evidence.rgb)
    flat = float((seen.places.steepness > LEAST_STEEP).mean()) < LEAST_EDGES
    best = seen.found[0][1] if seen.found else None
    drawn = not flat and best is not None and best > 0 and is_drawn(evidence.luma)
    told = not (flat or drawn or best is None)
    decided = [pair for pair in seen.found if pair[1] > 0] if told else []
    areas = [filled(outline, seen.odds.shape) for outline, _ in decided]
    regions = _regions(areas, evidence, seen.places.cell)
    return METHOD.finding(
        score=_score(best) if told and best is not None else None,
        explanation=FLAT if flat else EVEN if drawn else _explanation(seen, regions),
        measurements={
            "beyond_limit": None if best is None else round(best, 3),
            "outlines": [_measured(outline, beyond, seen.places) for outline, beyond in seen.found],
            "edge_width": _width(seen.places.widths[seen.places.steepness > LEAST_STEEP]),
            "cell": seen.places.cell,
        },
        regions=regions,
        parameters={"least_steepness": LEAST_STEEP},
        heatmap=_heatmap(seen, decided, areas),
    )


def _score(beyond: float) -> float:
    """0.5 at the limit, and never so high that this cue alone could call a picture changed."""
    if beyond > 0:
        return float(0.5 + (MOST_SCORE - 0.5) * -np.expm1(-beyond / SLOPE))
    return float(1 / (1 + np.exp(np.clip(-beyond / SLOPE, 0, 60))))


def _width(widths: np.ndarray) -> list[float] | None:
    """Quartiles in pixels."""
    return np.quantile(widths, (0.25, 0.5, 0.75)).round(2).tolist() if widths.size else None


def _measured(outline: Outline, beyond: float, places: Places) -> dict[str, object]:
    top, left = ((outline.corners.min(axis=0)) * places.cell).round().astype(int).tolist()
    bottom, right = ((outline.corners.max(axis=0) + 1) * places.cell).round().astype(int).tolist()
    return {
        "beyond_limit": round(beyond, 3),
        "box": [top, left, bottom - top, right - left],
        "mean_odds": round(float(outline.along.mean()), 3),
        "seam_like_share": round(float((outline.along > 0).mean()), 3),
        "edge_width": _width(_widths_on(outline, places)),
    }


def _widths_on(outline: Outline, places: Places) -> np.ndarray:
    """Of the edges along an outline, pixels."""
    row, col = outline.cells(places.steepness.shape)
    strong = places.steepness[row, col] > LEAST_STEEP
    return places.widths[row, col][strong]


def _regions(areas: list[np.ndarray], evidence: Evidence, cell: int) -> tuple[Region, ...]:
    if not areas:
        return ()
    return tampered_regions(np.logical_or.reduce(areas), evidence, cell=cell)


def _explanation(seen: Seams, regions: tuple[Region, ...]) -> str:
    outline = seen.found[0][0]
    share = float((outline.along > 0).mean())
    if not regions:
        return (
            "No closed outline looks more like the seam of a paste than outlines in untouched photos do "
            f"(of the most seam-like one {share:.0%} do)."
        )
    top, left, rows, cols = regions[0].box
    on = _width(_widths_on(outline, seen.places))
    rest = _width(seen.places.widths[seen.places.steepness > LEAST_STEEP])
    widths = (
        f"; its edges are {on[1]:.1f} pixels wide (half of them {on[0]:.1f} to {on[2]:.1f}), those of the whole "
        f"picture {rest[1]:.1f} ({rest[0]:.1f} to {rest[2]:.1f})"
        if on and rest
        else ""
    )
    return (
        f"A closed outline around {cols} x {rows} pixels at row {top}, column {left} looks like the seam of a paste "
        f"on {share:.0%} of its way, by how steep and wide its edges are and by the detail on and beside them{widths}; "
        "a sharp object before ground out of focus comes near to it."
    )


def _heatmap(seen: Seams, decided: list[tuple[Outline, float]], areas: list[np.ndarray]) -> Heatmap:
    """Above 0.5 inside the outlines decided on only; elsewhere how much each place looks like a seam."""
    values = 0.45 / (1 + np.exp(-np.clip(seen.odds - 1.0, -30, 30)))
    for (_, beyond), area in zip(decided, areas, strict=True):
        values[area] = np.maximum(values[area], max(_score(beyond), 0.505))
    return Heatmap(values.astype(np.float32), seen.places.cell)
