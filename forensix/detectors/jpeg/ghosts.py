"""JPEG ghosts: parts that were once compressed at another quality than the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from forensix.detectors.jpeg._ghost_evidence import TILE, Coefficients
from forensix.detectors.jpeg._ghost_search import (
    PIXEL_NOISE,
    Outcome,
    later_noise,
    pick,
    split,
    unclipped_blocks,
)
from forensix.detectors.jpeg._ghost_tables import requantization_error
from forensix.detectors.jpeg._like_blocks import block_content, explained_by_content
from forensix.detectors.jpeg.grid import DRIFTING, analysis_of
from forensix.detectors.method import Method
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.evidence.jpeg_quality import ijg_table
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.block_dct import SIDE, block_dct
from forensix.signal.cell_average import box_average
from forensix.signal.rarity import in_words
from forensix.signal.regions import bounding_boxes, label_regions

METHOD = Method(
    name="jpeg-ghosts",
    family="jpeg",
    question="Was a part of the picture once saved as JPEG at another quality than the rest?",
    applies_to="JPEG files, and lossless images of at least 64 x 64 pixels that may once have been JPEG",
    reference=(
        "H. Farid, Exposing Digital Forgeries from JPEG Ghosts, IEEE Transactions on Information "
        "Forensics and Security 4(1), 2009, doi 10.1109/TIFS.2008.2012215"
    ),
    kind="splicing",
)

QUALITIES = tuple(range(50, 101))
# Most that one block says about the place of a region, nats, and the standard deviation
# of the Gaussian over neighbouring blocks, blocks: about Farid's window of 17 pixels.
LOUDEST, REACH = 8.0, 1.0
LEAST_SIDE = 64
LOSSLESS = ("png", "tiff", "bmp", "array")
WINDOW = 17
# A grid costs 0.1 CPU seconds a megapixel: hints are followed in so many pixels, but always
# one where the grid method has found a region.
HINTED_PIXELS = 8_000_000
# Base-10 logarithm of the number of false alarms allowed: one in 1000 images would
# show such a region by chance, if the model of the coefficients were right.
LOG10_ALARMS = -3.0


FILTERED = (
    "Some parts of the picture were saved as JPEG before and others look as if they were not, but the same "
    "content differs likewise elsewhere, as when the whole picture was filtered after that save."
)


def ghost_maps(
    luma: np.ndarray,
    qualities: Sequence[int] = QUALITIES,
    *,
    offset: tuple[int, int] = (0, 0),
    window: int = WINDOW,
) -> np.ndarray:
    """Farid's ghost maps: how much each block changes when saved again, per quality.

    A block that was saved at quality q before changes least when saved at q again: its
    curve over the qualities has a minimum there, the ghost. The difference is taken
    between DCT coefficients and their requantized selves, which by Parseval's theorem
    is the sum of squared pixel differences; the rounding and clipping of pixels in a
    real second compression is left out.

    Parameters
    ----------
    luma : (rows, cols) real, 0-255
    qualities : IJG qualities, 1-100
    offset : (down, right)
        Grid on which to requantize, 0-7 each.
    window : int
        Side of the square over which differences are averaged, in pixels.

    Returns
    -------
    (qualities, block rows, block cols) float32
        Averaged squared differences, scaled per block to 0 (least over the
        qualities) .. 1 (most); NaN where a block's curve is flat.

    Raises
    ------
    ParameterError
        On an image without a whole block, an offset or a quality out of range.

    References
    ----------
    H. Farid, IEEE TIFS 4(1), 2009, doi 10.1109/TIFS.2008.2012215
    """
    if not len(qualities) or window < 1:
        raise ParameterError(f"one quality or more and a window of 1 or more, got {qualities}, {window}")
    coefficients = block_dct(luma, offset=offset)
    curves = np.stack(
        [box_average(requantization_error(coefficients, ijg_table(q)), window) for q in qualities]
    )
    least = curves.min(axis=0)
    spread = curves.max(axis=0) - least
    with np.errstate(invalid="ignore"):
        maps: np.ndarray = np.where(spread > 0, (curves - least) / spread, np.nan)
    return maps.astype(np.float32)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for a part of the picture with another JPEG past than the rest."""
    if evidence.format not in ("jpeg", *LOSSLESS):
        raise NotApplicable(f"{evidence.format} files have a quantization of their own, which hides JPEG's")
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(f"the picture is smaller than {LEAST_SIDE} x {LEAST_SIDE} pixels")
    if preset != "fast" and analysis_of(evidence).drifting:
        # Where the turned grid happens to meet the one that is looked at, a ghost would appear.
        return METHOD.finding(explanation=DRIFTING)
    offsets, left_out = grids_to_search(evidence, preset)
    outcomes = [
        split(_coefficients(evidence, offset), qualities=QUALITIES, offset=offset, grids=SIDE * SIDE)
        for offset in offsets
    ]
    outcome = pick(outcomes, limit=LOG10_ALARMS)
    parameters = {
        "qualities": [QUALITIES[0], QUALITIES[-1]],
        "offsets": offsets if len(offsets) < 64 else "all",
        "hinted_offsets_left_out": left_out,
        "tile": TILE * SIDE,
    }
    if not outcome.visible:
        return METHOD.finding(
            explanation="The last compression is so strong, or the picture so flat, that an earlier one "
            f"at a quality of {QUALITIES[0]} to {QUALITIES[-1]} would leave no ghost; nothing can be said.",
            measurements=_measurements(outcome),
            parameters=parameters,
        )
    part = other_past(outcome)
    filtered = bool(part.any()) and filtered_throughout(outcome, part, evidence.luma)
    if filtered:
        part = np.zeros_like(part)
    labels, count = label_regions(part)
    down, right = outcome.offset
    boxes = bounding_boxes(labels, count, cell=SIDE, rows=evidence.height - down, cols=evidence.width - right)
    return METHOD.finding(
        score=None if filtered else _score(outcome.log10_alarms, found=bool(part.any())),
        explanation=(FILTERED if filtered else _explain(outcome, part)) + _left_out(left_out),
        measurements={
            **_measurements(outcome),
            "tampered_share": round(float(part.mean()), 4),
            "filtered_throughout": filtered,
        },
        parameters=parameters,
        regions=tuple(
            Region((top + down, left + right, rows, cols), "tampered", area)
            for (top, left, rows, cols), area in boxes
        ),
        heatmap=_heatmap(outcome, part),
    )


def filtered_throughout(outcome: Outcome, part: np.ndarray, luma: np.ndarray) -> bool:
    """True where like blocks elsewhere have the past of the part found."""
    ratio = np.clip(outcome.ratio, -LOUDEST, LOUDEST)
    content = block_content(luma, offset=outcome.offset, shape=(part.shape[0], part.shape[1]))
    return explained_by_content(ratio * np.sign(ratio[part].mean()), part, ratio != 0, content)


def grids_to_search(evidence: Evidence, preset: str) -> tuple[list[tuple[int, int]], int]:
    """Offsets of the grids on which to look, and how many hinted ones are left out for their cost.

    The file's own grid, and those that the grid method points to; all 64 when thorough.
    """
    if preset == "thorough":
        return [(down, right) for down in range(SIDE) for right in range(SIDE)], 0
    analysis = analysis_of(evidence) if preset != "fast" else None
    hints = [divmod(grid, SIDE) for grid in analysis.hints] if analysis is not None else []
    if evidence.format != "jpeg" and hints:
        return hints[:1], len(hints) - 1
    most = max(
        HINTED_PIXELS // (evidence.width * evidence.height), int(bool(analysis and analysis.cells.any()))
    )
    return [(0, 0), *hints[:most]], max(len(hints) - most, 0)


def other_past(outcome: Outcome) -> np.ndarray:
    """(rows, cols) bool: the blocks whose past is not that of most of the picture.

    Empty unless parts of both kinds are evident; then the kind with fewer blocks, its
    holes filled where they say nothing themselves.
    """
    from scipy import ndimage

    smooth = placed(outcome.ratio)
    before = outcome.evident_blocks(smooth > 0, before=True, limit=LOG10_ALARMS)
    never = outcome.evident_blocks(smooth < 0, before=False, limit=LOG10_ALARMS)
    if outcome.log10_alarms > LOG10_ALARMS or not before.any() or not never.any():
        return np.zeros(smooth.shape, bool)
    part = min(before, never, key=np.count_nonzero)
    filled: np.ndarray = part | (ndimage.binary_fill_holes(part) & (outcome.ratio == 0))
    return filled


def placed(ratio: np.ndarray) -> np.ndarray:
    """(rows, cols) float64, nats: what each block and its neighbours say together.

    Blocks full of detail would outvote their neighbours across the border of a region, so
    that none counts for more than `LOUDEST`.
    """
    from scipy import ndimage

    together: np.ndarray = ndimage.gaussian_filter(np.clip(ratio, -LOUDEST, LOUDEST).astype(float), REACH)
    return together


def _coefficients(evidence: Evidence, offset: tuple[int, int]) -> Coefficients:
    """The coefficients of a grid: the file's own where it is the file's grid."""
    if evidence.format == "jpeg" and offset == (0, 0):
        levels, lattice = evidence.jpeg.coefficients[0], evidence.jpeg.quantization[0]
        noise = np.full((SIDE, SIDE), PIXEL_NOISE)
    else:
        levels = np.rint(block_dct(evidence.luma, offset=offset)).astype(np.int16)
        lattice = np.ones((SIDE, SIDE), np.int64)
        noise = np.full((SIDE, SIDE), PIXEL_NOISE)
        if evidence.format == "jpeg":
            noise = later_noise(evidence.jpeg.coefficients[0], evidence.jpeg.quantization[0], offset)
    usable = unclipped_blocks(evidence.rgb, levels.shape[:2], offset)
    return Coefficients(levels, lattice, noise, usable)


def _score(log10_alarms: float, *, found: bool) -> float:
    """0.5 at the number of false alarms allowed, towards 1 below and towards 0.2 above it."""
    excess = LOG10_ALARMS - log10_alarms if found else min(LOG10_ALARMS - log10_alarms, 0.0)
    return 0.5 + (0.5 if excess > 0 else 0.3) * excess / (abs(excess) + 20)


def _measurements(outcome: Outcome) -> dict[str, Any]:
    known = outcome.before.nats > -LOG10_ALARMS * math.log(10)
    return {
        "previous_quality": outcome.quality if known else None,
        "previous_table": ("IJG" if outcome.quality else "other") if known else None,
        "grid_offset": outcome.offset,
        "log10_false_alarms": round(outcome.log10_alarms, 2),
        "nats_for_compressed_before": round(outcome.before.nats, 2),
        "nats_for_not_compressed_before": round(outcome.never.nats, 2),
        "qualities_that_would_show": [min(outcome.visible), max(outcome.visible)] if outcome.visible else [],
        "judged_share": round(outcome.judged, 4),
    }


def _explain(outcome: Outcome, part: np.ndarray) -> str:
    past = f"at quality {outcome.quality}" if outcome.quality else "with a table of no standard quality"
    if outcome.offset != (0, 0):
        past += f", on a grid shifted by {outcome.offset[0]} rows and {outcome.offset[1]} columns"
    if part.any():
        fewer_before = np.mean(outcome.ratio[part] > 0) > 0.5
        one, other = ("was", "was not") if fewer_before else ("was not", "was")
        return (
            f"{part.mean():.1%} of the picture {one} saved as JPEG {past} before, the rest {other}: "
            f"{in_words(outcome.log10_alarms)}."
        )
    if outcome.before.nats > -LOG10_ALARMS * math.log(10):
        return f"The picture was saved as JPEG {past} before, and no part of it stands out from that."
    low, high = min(outcome.visible), max(outcome.visible)
    return f"No part of the picture shows traces of an earlier JPEG compression at qualities {low} to {high}."


def _left_out(count: int) -> str:
    if not count:
        return ""
    return (
        f" In so large a picture {count} more grids that may have been used were left to the thorough preset."
    )


def _heatmap(outcome: Outcome, part: np.ndarray) -> Heatmap:
    """Above 0.5 in the part found only; NaN where the surroundings of a block say nothing."""
    smooth = placed(outcome.ratio)
    tampered_before = not part.any() or np.mean(outcome.ratio[part] > 0) > 0.5
    likely = 1 / (1 + np.exp(-np.clip(smooth if tampered_before else -smooth, -20, 20)))
    values = np.where(part, 0.5 + np.maximum(likely / 2, 0.01), likely / 2)
    silent = placed(np.where(outcome.ratio != 0, 1.0, 0.0)) == 0
    values[silent & ~part] = np.nan
    # Heatmap cells begin at the picture's corner: a block of a shifted grid goes to the
    # cell that it covers most of.
    shift = [int(by >= SIDE // 2) for by in outcome.offset]
    return Heatmap(np.pad(values, ((shift[0], 0), (shift[1], 0)), constant_values=np.nan), cell=SIDE)
