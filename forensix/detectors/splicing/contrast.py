"""Areas whose grey levels were spread or squeezed by a curve where the rest's were not.

A curve applied to 8-bit levels (contrast, brightness, gamma, levels) leaves some levels empty
where it is steep. Where just these levels are empty in an area and filled around it, the curve
was applied there only, or the area comes from a picture that it was applied to. A curve that
was applied to the whole picture is part of its history, measured and told, and no reason to
suspect it. JPEG and resizing fill empty levels again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensix.detectors.decided_area import leaning_map, tampered_regions
from forensix.detectors.method import Method
from forensix.detectors.splicing._level_areas import LevelArea, LevelField, level_areas, level_field
from forensix.detectors.splicing._level_cells import CELL, level_counts
from forensix.detectors.splicing._level_curve import LevelCurve, level_curve
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.evidence.sniff import LOSSY
from forensix.finding import Finding
from forensix.signal.rarity import in_words

METHOD = Method(
    name="contrast",
    family="splicing",
    question="Were the grey levels of a part spread by a curve (contrast, brightness, gamma), and the rest's not?",
    applies_to="Losslessly stored 8-bit pictures of at least 128 x 128 pixels with more than 256 colours, or grey",
    reference=(
        "G. Cao, Y. Zhao, R. Ni, X. Li, Contrast Enhancement-Based Forensics in Digital Images, IEEE Transactions "
        "on Information Forensics and Security 9(3), 2014, doi 10.1109/TIFS.2014.2300937; M. C. Stamm, K. J. R. "
        "Liu, Forensic Detection of Image Manipulation Using Statistical Intrinsic Fingerprints, IEEE Transactions "
        "on Information Forensics and Security 5(3), 2010, doi 10.1109/TIFS.2010.2053202"
        " (the comparison with the rest and the test against chance are our own)"
    ),
    kind="splicing",
    weak=True,
)

LEAST_SIDE = 128
DECISION = -3.0  # log10 of the number of false alarms: chance gives one in a thousand pictures
LEAST_LEVELS = 6  # that must differ, over all channels; five did by chance in a scan of a slide
LEAST_CHANNELS = (
    2  # of three that must show it; raising the saturation of a picture shows in one here and there
)
# Of the levels of single cells where all ought to be filled. Photos have at most 0.009 empty; more have those
# whose levels are ragged by a change of luminance only, by another colour space, or by coarse JPEG.
MOST_RAGGED = 0.012
SLOPE = 3.0
CALM = 0.05
LEAST_TOLD = 0.1  # of the picture's cells
MOST_AREAS = 8
SAMPLE = 40_000  # pixels in which colours are counted
PALETTE = 256


@dataclass(frozen=True, eq=False)
class Contrast:
    """What the empty levels of a picture tell.

    areas : connected areas whose pattern of levels differs from the rest, the rarest first
    field : how the cells of 32 x 32 pixels stand to the levels that are empty in many of them
    curve : what is known of the levels of the whole picture
    """

    areas: tuple[LevelArea, ...]
    field: LevelField
    curve: LevelCurve

    @property
    def decided(self) -> tuple[LevelArea, ...]:
        """Areas decided on, and those that show the pattern of one of them, for which less is enough."""
        sure = [area for area in self.areas if area.log10_alarms < DECISION and _sound(area)]
        known = {(area.pattern, area.emptied) for area in sure if area.pattern is not None}
        also = [
            area
            for area in self.areas
            if area not in sure and (area.pattern, area.emptied) in known and area.log10_chance < DECISION
        ]
        return (*sure[:MOST_AREAS], *also[:MOST_AREAS])


def _sound(area: LevelArea) -> bool:
    """Whether enough levels and channels show the change, and the rest is not ragged too."""
    return bool(
        area.ragged <= MOST_RAGGED
        and area.levels.sum() >= max(LEAST_LEVELS, 2 * area.against)
        and np.count_nonzero(area.levels.any(axis=1)) >= min(LEAST_CHANNELS, len(area.levels))
    )


def contrast(channels: Sequence[np.ndarray]) -> Contrast:
    """Find areas in which levels are empty that the rest has, or the other way about.

    Parameters
    ----------
    channels : of (rows, cols) uint8 each
        All of one size, at least 32 x 32.

    Raises
    ------
    ParameterError
        Without channels, or when one is of another type, another size, or smaller.

    References
    ----------
    G. Cao, Y. Zhao, R. Ni, X. Li, "Contrast enhancement-based forensics in digital images",
    IEEE TIFS 9(3), 2014. https://doi.org/10.1109/TIFS.2014.2300937
    """
    if len({channel.shape for channel in channels}) != 1:
        raise ParameterError("channels must be given, all of one size")
    cells, whole = zip(*(level_counts(np.ascontiguousarray(channel)) for channel in channels), strict=True)
    field = level_field(cells)
    fresh = [counts.sum(axis=(0, 1), dtype=np.int64) for counts in cells]
    return Contrast(tuple(level_areas(cells, field)), field, level_curve(whole, fresh))


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for areas whose levels were spread.

    Raises
    ------
    NotApplicable
        For lossy codecs, which fill empty levels, small pictures, palettes, other depths than 8
        bits, and inks.
    """
    _check(evidence)
    rgb = evidence.rgb
    found = contrast([rgb[..., 0]] if evidence.colourless else [rgb[..., c] for c in range(3)])
    told = bool(found.field.told.mean() >= LEAST_TOLD)
    decided = found.decided if told else ()
    cells = np.zeros(found.field.told.shape, bool)
    for area in decided:
        cells |= area.cells
    regions = tuple(
        region for area in decided for region in tampered_regions(area.cells, evidence, cell=CELL)
    )
    sign = -1.0 if decided and not decided[0].emptied else 1.0
    return METHOD.finding(
        score=_score(found) if told else None,
        explanation=_explanation(found, decided, told),
        measurements=_measured(found, decided),
        parameters={"cell": CELL, "log10_false_alarms": DECISION, "least_levels": LEAST_LEVELS},
        regions=regions,
        heatmap=leaning_map(
            sign * found.field.odds.astype(np.float64), cells, cell=CELL, decided=bool(decided)
        ),
    )


def _together(areas: Sequence[LevelArea], shape: tuple[int, ...]) -> np.ndarray:
    """Cells of any of the areas, and those that they enclose or nearly so."""
    from scipy import ndimage

    cells = np.zeros(shape, bool)
    for area in areas:
        cells |= area.cells
    closed = ndimage.binary_closing(np.pad(cells, 2, mode="edge"), iterations=2)[2:-2, 2:-2]
    return np.asarray(ndimage.binary_fill_holes(cells | closed), bool)


def _check(evidence: Evidence) -> None:
    if evidence.format in LOSSY:
        raise NotApplicable(
            f"{evidence.format.upper()} compression fills the levels that a change of contrast leaves empty"
        )
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    if evidence.pixels.dtype != np.uint8 or evidence.model == "cmyk":
        raise NotApplicable("it needs 8-bit grey or RGB levels as they are stored")
    if evidence.stored == "palette" or evidence.format == "gif" or _few_colours(evidence):
        raise NotApplicable(
            f"the picture has a palette of at most {PALETTE} colours, and levels only where these have"
        )


def _few_colours(evidence: Evidence) -> bool:
    if evidence.colourless:
        return False
    step = max(1, int(np.sqrt(evidence.height * evidence.width / SAMPLE)))
    sample = evidence.rgb[::step, ::step].reshape(-1, 3).astype(np.int32)
    return np.unique(sample @ np.array([65536, 256, 1], np.int32)).size <= PALETTE


def _score(found: Contrast) -> float | None:
    """0.5 at the decision; None where an area differs, but as it does in ragged pictures."""
    if not found.areas:
        return CALM
    best = (found.decided or found.areas)[0].log10_alarms
    if best < DECISION and not found.decided:
        return None
    return max(CALM, float(1 / (1 + np.exp(np.clip((best - DECISION) / SLOPE, -60, 60)))))


def _measured(found: Contrast, decided: Sequence[LevelArea]) -> dict[str, object]:
    curve = found.curve
    return {
        "areas": [
            {
                "log10_false_alarms": round(area.log10_alarms, 2),
                "cells": area.count,
                "levels_emptied_inside": area.emptied,
                "levels": [np.flatnonzero(row) for row in area.levels],
                "pattern": None if area.pattern is None else [area.pattern.name, area.pattern.value],
                "levels_compared": area.compared,
                "levels_against": area.against,
                "ragged": round(area.ragged, 4),
            }
            for area in decided
        ],
        "log10_false_alarms": round(found.areas[0].log10_alarms, 2) if found.areas else None,
        "judged_share": round(float(found.field.told.mean()), 4),
        "whole_picture": {
            "stretched": curve.stretched,
            "empty_levels": curve.empty,
            "judged_levels": curve.judged,
            "gamma": curve.exponent,
            "stretched_from": curve.ends,
            "match": round(curve.match, 3),
            "high_frequencies": [round(value, 5) for value in curve.high_frequencies],
        },
    }


def _explanation(found: Contrast, decided: Sequence[LevelArea], told: bool) -> str:
    whole = _history(found.curve)
    if not told:
        return (
            f"Cannot tell: nearly all of the picture is too flat to see missing levels in parts of it.{whole}"
        )
    if not decided and found.areas and found.areas[0].log10_alarms < DECISION:
        return (
            "Cannot tell: empty grey levels differ between parts of the picture, but they are ragged elsewhere too, "
            f"or too few to be those of a change of contrast there.{whole}"
        )
    if not decided:
        return f"No area lacks grey levels that the rest of the picture has.{whole}"
    area = decided[0]
    share = f"{_together(decided, area.cells.shape).mean():.1%} of the picture"
    levels = f"{int(area.levels.sum())} grey levels"
    how = "" if area.pattern is None else f" (most like {area.pattern.name} {area.pattern.value:.2f})"
    if area.emptied:
        told_so = f"In {share} the grey levels were spread or squeezed by a curve{how} and in the rest not: {levels} show it"
    else:
        told_so = (
            f"In the picture the grey levels were spread or squeezed by a curve{how}, and {share} did not go "
            f"through that change: {levels} show it"
        )
    return f"{told_so}; {in_words(area.log10_alarms)}.{whole}"


def _history(curve: LevelCurve) -> str:
    """A further sentence where the whole picture was changed."""
    if not curve.stretched:
        return ""
    share = f"{sum(curve.empty)} of {sum(curve.judged)} levels are empty"
    if curve.exponent is not None:
        how = f"as gamma {curve.exponent:.2f} leaves them"
    elif curve.ends is not None:
        how = f"as a stretch of the levels {curve.ends[0]} to {curve.ends[1]} to 0 to 255 leaves them"
    else:
        how = "by a curve of another shape"
    return f" The levels of the whole picture were stretched once ({share}, {how}), which is no sign of tampering."
