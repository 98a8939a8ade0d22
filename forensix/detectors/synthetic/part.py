"""Parts of a picture that have the fine structure of generated pictures while the rest has that of a photo.

Sequences of a high-pass residual are counted in windows all over the picture. One weighted sum of the
histograms was learnt that is high for generated pictures and scatters little within photos and between them. What
decides is the contrast: a connected area whose windows stand out from the rest of the same
picture farther than any area of an untouched photo does, upwards, while the rest looks like a photo. A
picture generated as a whole has no such rest, and a photo no such area.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import exp

import numpy as np

from forensix.detectors.camera._foreign_region import (
    CELL,
    CELLS,
    FEWEST_WINDOWS,
    clipped_cells,
    fit_windows,
    spread,
)
from forensix.detectors.camera._residual_cells import residual_cells
from forensix.detectors.decided_area import leaning_map, tampered_regions
from forensix.detectors.method import Method
from forensix.detectors.synthetic import _features
from forensix.detectors.synthetic._part_region import PartRegion, part_region
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.evidence.sniff import LOSSY
from forensix.finding import Finding

METHOD = Method(
    name="synthetic-part",
    family="synthetic",
    question="Has a part of the picture the fine structure of generated pictures, and the rest that of a photo?",
    applies_to="Colour pictures of at least 320 x 320 pixels that were stored without loss since the change",
    reference=(
        "D. Cozzolino, G. Poggi, L. Verdoliva, Splicebuster: a new blind image splicing detector, IEEE International "
        "Workshop on Information Forensics and Security, 2015, doi 10.1109/WIFS.2015.7368565 (sequences of residuals); "
        "X. Zhang, S. Karaman, S.-F. Chang, Detecting and Simulating Artifacts in GAN Fake Images, IEEE "
        "International Workshop on Information Forensics and Security 2019, doi 10.1109/WIFS47025.2019.9035107 (training "
        "on made generators; the sum and the decision are our own)"
    ),
    kind="splicing",
    preset="standard",
    # The same histograms as residual-cooccurrence: the two are not independent.
    trace="camera",
)

MODEL = "synthetic_part.npz"
LEAST_SIDE = 320  # pixels
DECISION = 6.5  # spreads; what untouched photos reach: benchmarks/results/2026-11-22-origin.md
LEAST_TEXTURED = 0.25  # of windows spread over the picture
PHOTO_LIKE = -1.0  # a quarter of the windows must lie lower; else the picture may be generated as a whole
COVERED = 0.5  # of the windows over a cell: from here on it belongs to their area
SLOPE = 1.0


@dataclass(frozen=True, eq=False)
class PartModel:
    """The learnt sum over the histograms of a window.

    mean, weights : (150,) float64
        Heights are in spreads of the windows within one photo.
    offset : float
        What one window of a photo in a hundred exceeds.
    """

    mean: np.ndarray
    weights: np.ndarray
    offset: float

    def heights(self, features: np.ndarray) -> np.ndarray:
        """Height of each window above what photos show; (...,) float64.

        features : (..., 150) float32, as from ``window_features``
        """
        if features.shape[-1] != self.mean.size:
            raise ParameterError(f"the model is for {self.mean.size} numbers, got {features.shape[-1]}")
        level = float(self.mean @ self.weights) + self.offset
        heights: np.ndarray = features.astype(np.float64) @ self.weights - level
        return heights

    def save(self) -> bytes:
        """The content of the model file."""
        stream = io.BytesIO()
        np.savez_compressed(stream, mean=self.mean, weights=self.weights, offset=np.float64(self.offset))
        return stream.getvalue()

    @classmethod
    def load(cls, content: bytes) -> PartModel:
        """From the content of a model file; ParameterError when it is none."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                return cls(stored["mean"], stored["weights"], float(stored["offset"]))
        except (OSError, EOFError, ValueError, KeyError) as error:
            raise ParameterError(f"not a model of generated parts: {error}") from error


@cache
def shipped() -> PartModel:
    """The model in forensix/models."""
    return PartModel.load(resources.files("forensix.models").joinpath(MODEL).read_bytes())


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of 128 x 128 pixels all over a picture.

    features : (rows, cols, 150) float32
    judged : (rows, cols) bool, where enough is neither clipped nor unknown
    stride : cells of 16 pixels from one window to the next
    cells : (rows, cols) of the picture
    """

    features: np.ndarray
    judged: np.ndarray
    stride: int
    cells: tuple[int, int]


def windows_of(rgb: np.ndarray, *, counts: np.ndarray | None = None) -> Windows:
    """Histograms of residual sequences in windows all over a picture.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        At least 128 x 128.
    counts : as from ``residual_histograms``, where they were counted already
    """
    from forensix.native.residual_histograms import residual_histograms

    counts = residual_histograms(rgb) if counts is None else counts
    features, judged, stride = fit_windows(counts, clipped_cells(rgb))
    return Windows(features, judged, stride, (counts.shape[0], counts.shape[1]))


def synthetic_part(windows: Windows, model: PartModel) -> PartRegion:
    """The area that stands out most as generated; see :class:`PartRegion`."""
    return part_region(model.heights(windows.features), windows.judged, stride=windows.stride)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for a generated part.

    Raises
    ------
    NotApplicable
        When the picture is smaller than 320 x 320 pixels, grey, or stored with loss.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    if evidence.format in LOSSY:
        # After JPEG of quality 95 not one of 150 pasted parts stood out.
        raise NotApplicable(
            "lossy compression takes the fine structure that tells generated parts from photographed ones"
        )
    if evidence.colourless:
        raise NotApplicable("it compares differences of colours too, and this picture has none")
    parameters = {"decision": DECISION, "photo_like": PHOTO_LIKE, "window": CELLS * CELL, "model": MODEL}
    textured = float(_features.usable(_features.windows_of(evidence.rgb)[0]).mean())
    if textured < LEAST_TEXTURED:
        return METHOD.finding(
            score=None,
            explanation=f"Only {textured:.0%} of the picture has the texture of a photograph, as in drawings, screens and pages: "
            "what stands out from them need not be generated.",
            measurements={"textured": round(textured, 4)},
            parameters=parameters,
        )
    windows = windows_of(evidence.rgb, counts=residual_cells(evidence))
    count = int(windows.judged.sum())
    if count < FEWEST_WINDOWS:
        return METHOD.finding(
            score=None,
            explanation=f"Only {count} windows are free of clipped light and shadow: too few to compare.",
            measurements={"windows": count},
            parameters=parameters,
        )
    return _judged(synthetic_part(windows, shipped()), windows, evidence, parameters)


def _judged(
    found: PartRegion, windows: Windows, evidence: Evidence, parameters: dict[str, object]
) -> Finding:
    generated = found.quarter > PHOTO_LIKE
    inside = np.where(windows.judged, found.region.astype(float), np.nan)
    with np.errstate(invalid="ignore"):
        cells = spread(inside, windows.stride, windows.cells) > COVERED
    decided = found.distance > DECISION and not generated and bool(cells.any())
    score = 1 / (1 + exp((DECISION - found.distance) / SLOPE))
    return METHOD.finding(
        score=None if generated else score if decided else min(score, 0.5),
        explanation=_explanation(found, float(cells.mean()), generated=generated, decided=decided),
        measurements={
            "distance": round(found.distance, 3),
            "level": round(found.level, 3),
            "rest": round(found.rest, 3),
            "quarter": round(found.quarter, 3),
            "share": round(float(cells.mean()), 4) if decided else 0.0,
            "windows": int(windows.judged.sum()),
        },
        parameters=parameters,
        regions=tampered_regions(cells, evidence, cell=CELL) if decided else (),
        heatmap=None
        if generated
        else leaning_map(
            spread(found.nats, windows.stride, windows.cells), cells, cell=CELL, decided=decided
        ),
    )


def _explanation(found: PartRegion, share: float, *, generated: bool, decided: bool) -> str:
    if generated:
        return (
            "Hardly any of the picture is like a camera's photo in its fine structure, so there is nothing against which a "
            "generated part could stand out."
        )
    if decided:
        return (
            f"{share:.1%} of the picture has a fine structure as generated pictures have it and the rest that of a photo: "
            f"{found.distance:.1f} spreads apart where hardly an area of an untouched photo exceeds {DECISION:g}."
        )
    return (
        f"No part's fine structure stands out as generated: the most different area is {found.distance:.1f} spreads "
        f"from the rest, and areas of untouched photos come up to {DECISION:g}; after JPEG a generated part can look the same."
    )
