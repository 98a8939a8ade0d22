"""Holes filled by diffusion: no sensor noise, and a Laplacian that does not change along the contours.

Diffusion carries the colours at a hole's rim inwards. What it makes is smooth but for the
rounding, which is as strong in every direction and independent between the channels; in a
photo, noise and texture went through demosaicking, denoising and perhaps JPEG, and are
neither. The averages that Li, Luo and Huang look at (change of the Laplacian along and
across the isophote, within and between the channels) and others of the kind are taken
over cells of 4 x 4 pixels and weighed by a small perceptron, and the regions of cells that
look filled are judged as a whole, against what else in the picture looks so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.method import Method
from forensix.detectors.removal._fill_likelihood import CELL, exposure_limits, fill_log_odds
from forensix.detectors.removal._fill_regions import FillRegion, fill_regions, hole_pixels
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.evidence.jpeg_quality import ijg_quality
from forensix.evidence.sniff import NEWER_LOSSY
from forensix.finding import Finding, Heatmap, Region

METHOD = Method(
    name="inpainting-diffusion",
    family="removal",
    question="Was a hole in the picture filled by spreading the colours at its rim inwards?",
    applies_to="colour pictures of at least 64 x 64 pixels, losslessly stored or JPEG of quality 90 and more",
    reference=(
        "H. Li, W. Luo, J. Huang, Localization of Diffusion-Based Inpainting in Digital Images, IEEE "
        "Transactions on Information Forensics and Security 12(12), 2017, doi 10.1109/TIFS.2017.2730822"
    ),
    kind="removal",
    preset="standard",
)

LEAST_SIDE = 64
LEAST_QUALITY = 90  # of a JPEG; what is left below has not been tried
# Log-odds of a region, in nats, that one untouched picture in a hundred reached in the
# photos that the perceptron had not seen.
DECISION = 1.4
LEAST_JUDGED = 0.1  # of the picture's cells
MOST_REGIONS = 16
# Where more regions than one would fill look filled, as after the smoothing of a video codec, chance
# gives still more evident ones: their number falls to a third with every nat. One in a hundred such
# pictures may have one.
CROWD = MOST_REGIONS + 1
ABOVE_CROWD = float(np.log(CROWD / 0.01))
# What the traits of a region weigh; fitted to regions in untouched and in filled pictures.
WEIGHTS = (1.5356, 0.7305, -0.9539, -7.446, -1.7052, 0.3156)
BIAS = -20.855


@dataclass(frozen=True, eq=False)
class FilledHoles:
    """What diffusion has filled.

    holes : the regions decided on, most evident first, each with its log-odds in nats
    best : log-odds of the most evident region, decided on or not; None without any
    bound : log-odds that a region must exceed in this picture
    regions : how many regions look filled, whatever their weight
    mask : (rows, cols) bool, the pixels of the holes
    odds : (rows // 4, cols // 4) float32, log-odds of the cells, NaN where nothing can be said
    """

    holes: tuple[tuple[FillRegion, float], ...]
    best: float | None
    bound: float
    regions: int
    mask: np.ndarray
    odds: np.ndarray


def filled_holes(rgb: np.ndarray) -> FilledHoles:
    """Find the holes in a picture that diffusion has filled.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8

    Raises
    ------
    ParameterError
        When `rgb` is of another type or smaller than 64 x 64.

    References
    ----------
    H. Li, W. Luo, J. Huang, "Localization of diffusion-based inpainting in digital images",
    IEEE TIFS 12(12), 2017. https://doi.org/10.1109/TIFS.2017.2730822
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or min(rgb.shape[:2]) < LEAST_SIDE:
        raise ParameterError(
            f"rgb must be (rows, cols, 3) uint8, 64 x 64 or more, got {rgb.shape} {rgb.dtype}"
        )
    from forensix.native.fill_traces import fill_traces

    darkest, brightest = exposure_limits(rgb)
    odds = fill_log_odds(fill_traces(rgb, darkest=darkest, brightest=brightest))
    field, labels, regions = fill_regions(odds)
    weighed = sorted(((r, region_log_odds(r)) for r in regions), key=lambda pair: -pair[1])
    bound = least_log_odds([weight for _, weight in weighed])
    holes = tuple((r, weight) for r, weight in weighed if weight > bound)[:MOST_REGIONS]
    mask = hole_pixels(field, labels, [r.label for r, _ in holes], *rgb.shape[:2])
    return FilledHoles(holes, weighed[0][1] if weighed else None, bound, len(weighed), mask, odds)


def least_log_odds(weights: list[float]) -> float:
    """What the log-odds of a region must exceed, given those of all regions of the picture, highest first; nats."""
    if len(weights) < CROWD:
        return DECISION
    return max(DECISION, weights[CROWD - 1] + ABOVE_CROWD)


def region_log_odds(region: FillRegion) -> float:
    """How much a region as a whole speaks for a filled hole, nats."""
    return float(region.traits @ np.array(WEIGHTS) + BIAS)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for holes filled by diffusion.

    Raises
    ------
    NotApplicable
        For small, grey and lossily stored pictures.
    """
    _check_applies(evidence)
    found = filled_holes(evidence.rgb)
    judged = float(np.isfinite(found.odds).mean())
    crowded = not found.holes and found.best is not None and found.best > DECISION
    told = judged >= LEAST_JUDGED and not crowded
    score = _score(found.best, found.bound) if told else None
    regions = tuple(Region(box, "tampered", area) for box, area in _boxes(found.mask)) if told else ()
    return METHOD.finding(
        score=score,
        explanation=_explain(found, regions, told=told, crowded=crowded),
        measurements={
            "log_odds": None if found.best is None else round(found.best, 3),
            "least_log_odds": round(found.bound, 3),
            "smooth_regions": found.regions,
            "holes": [
                {"log_odds": round(weight, 3), "cells": hole.cells, "mean": round(hole.mean, 3),
                 "around": round(hole.ring, 3), "elsewhere": round(hole.elsewhere, 5)}
                for hole, weight in found.holes
            ],
            "judged_share": round(judged, 4),
            "tampered_share": round(float(found.mask.mean()), 6),
        },
        parameters={"cell": CELL, "least_log_odds": DECISION},
        regions=regions,
        heatmap=_heatmap(found, score) if score is not None else None,
    )  # fmt: skip


def _check_applies(evidence: Evidence) -> None:
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(f"the picture is smaller than {LEAST_SIDE} x {LEAST_SIDE} pixels")
    if evidence.model not in ("rgb", "rgba"):
        raise NotApplicable("it compares colour channels, and this picture has no three of them")
    if evidence.format in NEWER_LOSSY:
        raise NotApplicable(f"{evidence.format.upper()} compression covers the trace that it looks for")
    if evidence.format == "jpeg":
        quality = ijg_quality(evidence.jpeg.quantization[0]).quality
        if quality < LEAST_QUALITY:
            raise NotApplicable(
                f"JPEG compression at quality {quality} covers the trace that it looks for; "
                f"from {LEAST_QUALITY} on it can see some of it"
            )
    if evidence.format == "gif" or evidence.stored.startswith("palette"):
        raise NotApplicable("a palette of colours covers the trace that it looks for")
    if evidence.colourless:
        raise NotApplicable("it compares colour channels, and in this picture they are all the same")


def _score(best: float | None, bound: float) -> float:
    """0.5 at the log-odds decided on; rises with them."""
    if best is None:
        return 0.0
    return float(1 / (1 + np.exp(-np.clip((best - bound) / 2, -60, 60))))


def _boxes(mask: np.ndarray) -> list[tuple[tuple[int, int, int, int], int]]:
    from forensix.signal.regions import bounding_boxes, label_regions

    if not mask.any():
        return []
    labels, count = label_regions(mask)
    return bounding_boxes(labels, count)


def _explain(found: FilledHoles, regions: tuple[Region, ...], *, told: bool, crowded: bool) -> str:
    if crowded:
        return (
            f"{found.regions} regions all over the picture are as smooth as a hole filled by spreading colours, as "
            "after the compression of phones and video: one more cannot be told from them."
        )
    if not told:
        return "Nearly all of the picture is too dark, too bright or even to tell a filled hole from it."
    if not regions:
        return "No region lacks the grain of a photo in the way that a hole filled by diffusion does."
    top, left, rows, cols = regions[0].box
    count = "One region looks" if len(regions) == 1 else f"{len(regions)} regions look"
    most = "it" if len(regions) == 1 else "the largest"
    return (
        f"{count} like a hole filled by spreading the colours at its rim inwards ({most} has "
        f"{regions[0].area} pixels within {cols} x {rows} at row {top}, column {left}): smooth but for "
        f"rounding, unlike its surroundings."
    )


def _heatmap(found: FilledHoles, score: float) -> Heatmap:
    """The score inside the holes, at most 0.45 elsewhere; NaN where nothing can be said."""
    calm = (0.45 / (1 + np.exp(-np.clip(found.odds, -60, 60)))).astype(np.float32)
    if not found.mask.any():
        return Heatmap(calm, cell=CELL)
    from forensix.finding import expand_cells

    values = expand_cells(calm, CELL, *found.mask.shape)
    values[found.mask] = max(score, 0.51)
    return Heatmap(values)
