"""Areas that were filtered (median, Gaussian, bilateral, denoised) where the rest was not.

Blocks of 64 x 64 pixels are judged by what filters leave in their residuals; areas of
blocks that look filtered are then compared with the rest of the picture. A picture that was
denoised, blurred or smoothed as a whole looks so everywhere, and is not reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensix.detectors.decided_area import tampered_regions
from forensix.detectors.method import Method
from forensix.detectors.splicing._filter_features import CELL, cell_planes
from forensix.detectors.splicing._filter_model import KINDS, shipped_weights
from forensix.detectors.splicing._filter_regions import (
    FilteredArea,
    FilterField,
    filter_field,
    filtered_areas,
)
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.evidence.sniff import NEWER_LOSSY
from forensix.finding import Finding, Heatmap, Region

METHOD = Method(
    name="filtering",
    family="splicing",
    question="Was a part of the picture smoothed by a filter, and the rest not?",
    applies_to="Photographs of at least 256 x 256 pixels, losslessly stored or JPEG; best above JPEG quality 80",
    reference=(
        "X. Kang, M. C. Stamm, A. Peng, K. J. R. Liu, Robust Median Filtering Forensics Using an Autoregressive "
        "Model, IEEE Transactions on Information Forensics and Security 8(9), 2013, doi 10.1109/TIFS.2013.2273394"
        " (the other filters, the comparison with the rest and the decision are our own)"
    ),
    kind="splicing",
    weak=True,
    preset="standard",
)

LEAST_SIDE = 256
# Nats that an area must have, by the filter it looks like: what no unfiltered picture had, judged by
# numbers that had not seen it (299 versions of 22 photos; the highest were -1.2 and -1.7 for the medians,
# -1.7, -0.2 and 0.3), and a margin. Lenses blur and cameras smooth by themselves, but neither takes medians.
LIMITS = {"median 3": -0.5, "median 5": -0.5, "Gaussian": 0.0, "bilateral": 0.35, "denoised": 0.75}
USUAL = 576  # cells of the pictures that the areas' weights were fitted to; larger ones hold more areas
LEAST_DECIDED = 9  # cells: 96 x 96 pixels; of smaller areas large photos hold too many
SLOPE = 1.5
MOST_AREAS = 8
LEAST_JUDGED = 0.1  # of the picture's cells
NAMES = {
    "median 3": "a median of 3 x 3 pixels",
    "median 5": "a median of 5 x 5 pixels",
    "Gaussian": "a Gaussian blur",
    "bilateral": "a bilateral (surface) blur",
    "denoised": "a noise filter",
}


@dataclass(frozen=True, eq=False)
class Filtering:
    """Where a picture was filtered and the rest not.

    areas : those decided on, most evident first, each with the log-odds, in nats, that it has
        beyond the limit for its filter
    best : the same of the most evident area, decided on or not; None without any
    field : how the cells of 32 x 32 pixels look
    """

    areas: tuple[tuple[FilteredArea, float], ...]
    best: float | None
    field: FilterField


def filtering(green: np.ndarray) -> Filtering:
    """Find the areas of a picture that look filtered where the rest does not.

    Parameters
    ----------
    green : (rows, cols) uint8
        The green (or only) channel, at least 64 x 64.

    Raises
    ------
    ParameterError
        When `green` is of another type or smaller.

    References
    ----------
    X. Kang, M. C. Stamm, A. Peng, K. J. R. Liu, "Robust median filtering forensics using an
    autoregressive model", IEEE TIFS 8(9), 2013. https://doi.org/10.1109/TIFS.2013.2273394
    """
    if green.ndim != 2 or min(green.shape) < 2 * CELL:
        raise ParameterError(f"green must be (rows, cols) and at least 64 x 64, got {green.shape}")
    field = filter_field(cell_planes(green))
    weights = shipped_weights()
    judged = int(np.count_nonzero(np.isfinite(field.odds)))
    choice = float(np.log(max(judged / USUAL, 1.0)))
    weighed = []
    for area in filtered_areas(field):
        beyond = float(area.traits @ weights[:-1] + weights[-1]) - choice - LIMITS[KINDS[area.kind]]
        weighed.append((area, beyond if area.count >= LEAST_DECIDED else min(beyond, 0.0)))
    weighed.sort(key=lambda pair: -pair[1])
    decided = tuple(pair for pair in weighed if pair[1] > 0)[:MOST_AREAS]
    return Filtering(decided, weighed[0][1] if weighed else None, field)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for areas that were filtered.

    Raises
    ------
    NotApplicable
        For pictures smaller than 256 x 256 pixels and codecs that filter by themselves.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    if evidence.format in NEWER_LOSSY:
        raise NotApplicable(f"{evidence.format.upper()} compression smooths blocks by itself")
    found = filtering(np.ascontiguousarray(evidence.rgb[..., 1]))
    judged = float(np.isfinite(found.field.odds).mean())
    told = judged >= LEAST_JUDGED
    score = _score(found.best) if told else None
    areas = found.areas if told else ()
    return METHOD.finding(
        score=score,
        explanation=_explanation(areas, judged=judged, told=told),
        measurements={
            "beyond_limit": None if found.best is None else round(found.best, 3),
            "areas": [_measured(area, odds) for area, odds in areas],
            "judged_share": round(judged, 4),
        },
        parameters={"block": 2 * CELL, "limits": LIMITS},
        regions=_regions(areas, evidence),
        heatmap=_heatmap(found.field, areas),
    )


def _score(best: float | None) -> float:
    """0.5 at the limit."""
    if best is None:
        return 0.02
    return float(1 / (1 + np.exp(-np.clip(best / SLOPE, -60, 60))))


def _measured(area: FilteredArea, odds: float) -> dict[str, float | str]:
    return {
        "filter": KINDS[area.kind],
        "beyond_limit": round(odds, 3),
        "cells": area.count,
        "mean": round(area.mean, 3),
        "agreement": round(area.agreement, 3),
        "rest": round(area.rest, 3),
    }


def _regions(areas: Sequence[tuple[FilteredArea, float]], evidence: Evidence) -> tuple[Region, ...]:
    parts = (tampered_regions(area.cells, evidence, cell=CELL) for area, _ in areas)
    return tuple(region for part in parts for region in part)


def _explanation(areas: Sequence[tuple[FilteredArea, float]], *, judged: float, told: bool) -> str:
    if not told:
        return "Cannot tell: nearly all of the picture is too flat, too dark or too bright to see a filter in it."
    if not areas:
        return (
            "No area looks filtered where the rest of the picture does not "
            f"({judged:.0%} of it had enough detail to be judged)."
        )
    area = areas[0][0]
    also = f"; {len(areas) - 1} more areas look filtered too" if len(areas) > 1 else ""
    return (
        f"{area.cells.mean():.1%} of the picture looks smoothed by a filter, most like {NAMES[KINDS[area.kind]]} "
        f"({area.agreement:.0%} of its cells say so), and the rest does not{also}."
    )


def _heatmap(field: FilterField, areas: Sequence[tuple[FilteredArea, float]]) -> Heatmap:
    """Above 0.5 in the areas decided on only; elsewhere how far each cell leans that way."""
    lean = 1 / (1 + np.exp(-np.nan_to_num(field.odds) / 2))
    values = np.where(np.isfinite(field.odds), 0.45 * lean, np.nan).astype(np.float32)
    for area, odds in areas:
        values[area.cells] = max(_score(odds), 0.51)
    return Heatmap(values, CELL)
