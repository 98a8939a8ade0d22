"""Non-aligned double quantization: parts of a JPEG with another 8 x 8 grid beneath the file's own.

What is pasted from a JPEG seldom falls on the grid of the picture it comes into; and a JPEG
that is cropped, changed and saved again has its first grid beneath the second everywhere
but where it was changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from forensix.detectors.jpeg._ghost_search import later_noise, unclipped_blocks
from forensix.detectors.jpeg._shifted_map import FALSE_ALARMS, LOUDEST, ShiftedMap, shifted_map
from forensix.detectors.jpeg._shifted_search import (
    FREQUENCIES,
    LEAST_AMPLITUDE,
    QUALITIES,
    amplitudes,
    candidates,
    fits,
    tables,
)
from forensix.detectors.method import Method
from forensix.errors import EvidenceMissing, NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.block_dct import SIDE, inverse_block_dct
from forensix.signal.rarity import in_words
from forensix.signal.regions import bounding_boxes

METHOD = Method(
    name="jpeg-nonaligned-quantization",
    family="jpeg",
    question="Does another JPEG grid lie beneath this file's own, in parts of the picture only?",
    applies_to="JPEG files of at least 144 x 144 pixels",
    reference=(
        "T. Bianchi, A. Piva, Image Forgery Localization via Block-Grained Analysis of JPEG Artifacts, "
        "IEEE Transactions on Information Forensics and Security 7(3), 2012, doi 10.1109/TIFS.2012.2187516; "
        "T. Bianchi, A. Piva, Detection of Nonaligned Double JPEG Compression Based on Integer Periodicity "
        "Maps, IEEE Transactions on Information Forensics and Security 7(2), 2012, doi 10.1109/TIFS.2011.2170836"
    ),
    kind="splicing",
    preset="standard",
)

LEAST_SIDE = 144
# Standard deviations from which on the grids that fit best are examined: untouched photos give 5 or 6.
WORTH = (4.5, 6.0, 6.0)
REACH = 2.0  # blocks: standard deviation of the Gaussian over neighbours, for the map
# Frequencies whose clusters must still be visible for a silence to mean anything.
FEWEST_TELLING = 3
LEAST_JUDGED = 0.03  # of the blocks, for a silence to mean anything
QUIET = 0.3  # score where no grid is even worth a look
EVIDENT = -6.0  # log10 of the number of grids that would fit as well, for one to be named


def nonaligned_map(
    pixels: np.ndarray, noise: np.ndarray, *, rgb: np.ndarray | None = None
) -> ShiftedMap | None:
    """The grid beneath the file's own that tells parts of the picture apart, or that fits best.

    Parameters
    ----------
    pixels : (rows, cols) float32
        Luma less 128, neither rounded nor clipped, at least 144 x 144.
    noise : (frequencies,) float64
        Standard deviation that the last compression left on other grids, grey levels.
    rgb : (rows, cols, 3) uint8 or None
        The picture; blocks with pixels near black or white are left out.

    Returns
    -------
    ShiftedMap or None
        None where no grid stands out enough to be examined.

    Raises
    ------
    ParameterError
        If `pixels` is not 2-D, or too small.

    References
    ----------
    T. Bianchi, A. Piva, doi 10.1109/TIFS.2012.2187516, doi 10.1109/TIFS.2011.2170836
    """
    if pixels.ndim != 2 or min(pixels.shape) < LEAST_SIDE:
        raise ParameterError(f"pixels are 2-D, {LEAST_SIDE} or more a side, got shape {pixels.shape}")
    first = None
    best = candidates(fits(pixels, noise), noise, most=len(WORTH))
    for candidate, worth in zip(best, WORTH, strict=True):
        if candidate.excess < worth:
            break
        usable = None
        if rgb is not None:
            shape = (rgb.shape[0] // SIDE, rgb.shape[1] // SIDE)
            usable = unclipped_blocks(rgb, shape, divmod(candidate.grid, SIDE))
        seen = shifted_map(pixels, candidate, noise=noise, usable=usable)
        # A strong grid leaves shadows on others: these are not looked at when it tells enough itself.
        if seen.regions.any() or _whole(seen):
            return seen
        first = first or seen
    return first


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for parts of a JPEG with another grid beneath the file's own, or without one that the rest has.

    Raises
    ------
    NotApplicable
        When the image is not a JPEG, has luma in less than full resolution, or is too small.
    """
    try:
        jpeg = evidence.jpeg
        levels, quantization = jpeg.coefficients[0], jpeg.quantization[0]
    except EvidenceMissing as missing:
        raise NotApplicable(f"it needs a JPEG's coefficients: {missing}") from missing
    if jpeg.sampling[0] != tuple(max(s[i] for s in jpeg.sampling) for i in (0, 1)):
        raise NotApplicable("the first component of this JPEG is not stored in full resolution")
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(f"the picture is smaller than {LEAST_SIDE} x {LEAST_SIDE} pixels")
    noise = noise_of(levels, quantization)
    visible = visible_up_to(noise)
    if visible is None:
        return METHOD.finding(
            explanation="The last compression was so strong that an earlier one on another grid, at quality "
            f"{QUALITIES[-1]} or more, would leave no clusters; nothing can be said.",
            measurements={"visible_up_to_quality": None},
            parameters=_parameters(),
        )
    seen = nonaligned_map(decoded(levels, quantization, evidence), noise, rgb=evidence.rgb)
    if seen is None:
        detailed = detailed_share(levels)
        return METHOD.finding(
            score=QUIET if detailed >= LEAST_JUDGED else None,
            explanation=f"No other grid lies beneath the file's own; {_would(visible)}."
            if detailed >= LEAST_JUDGED
            else f"Only {detailed:.1%} of the blocks hold any detail, so nothing can be said.",
            measurements={"visible_up_to_quality": visible},
            parameters=_parameters(),
        )
    return _finding(seen, visible, evidence.height, evidence.width)


def detailed_share(levels: np.ndarray) -> float:
    """Share of the blocks that are not flat, from a sixteenth of them."""
    taken = levels[::4, ::4].reshape(-1, SIDE * SIDE)[:, 1:]
    return float(taken.any(axis=1).mean())


def decoded(levels: np.ndarray, quantization: np.ndarray, evidence: Evidence) -> np.ndarray:
    """(rows, cols) float32: luma less 128 as the coefficients give it, neither rounded nor clipped."""
    pixels = np.empty((levels.shape[0] * SIDE, levels.shape[1] * SIDE), np.float32)
    strip = 32
    for top in range(0, levels.shape[0], strip):
        part = levels[top : top + strip] * quantization.astype(np.float32)
        pixels[top * SIDE : (top + strip) * SIDE] = inverse_block_dct(part)
    pixels -= 128
    return np.ascontiguousarray(pixels[: evidence.height, : evidence.width])


def noise_of(levels: np.ndarray, quantization: np.ndarray) -> np.ndarray:
    """(frequencies,) float64: standard deviation that the file's compression leaves on a shifted grid."""
    on_grid = later_noise(levels, quantization, (3, 5))
    rows, cols = np.array(FREQUENCIES).T
    noise: np.ndarray = on_grid[rows, cols]
    return noise


def visible_up_to(noise: np.ndarray) -> int | None:
    """The best quality whose clusters would still be seen in several frequencies; None without any."""
    telling = np.count_nonzero(amplitudes(tables(), noise) > 2 * LEAST_AMPLITUDE, axis=1)
    seen = np.flatnonzero(telling >= FEWEST_TELLING)
    return QUALITIES[int(seen[0])] if seen.size else None


def _parameters() -> dict[str, Any]:
    return {"qualities": [QUALITIES[-1], QUALITIES[0]], "grids": 63, "false_alarms": FALSE_ALARMS}


def _finding(seen: ShiftedMap, visible: int, height: int, width: int) -> Finding:
    down, right = divmod(seen.candidate.grid, SIDE)
    count = int(seen.regions.max(initial=0))
    boxes = bounding_boxes(seen.regions, count, cell=SIDE, rows=height - down, cols=width - right)
    named = bool(count) or _whole(seen)
    measurements = {
        "visible_up_to_quality": visible,
        "grid": [down, right] if named else None,
        "previous_quality": seen.candidate.quality if named else None,
        "majority": seen.majority if named else None,
        "excess": seen.candidate.excess,
        "log10_false_alarms_grid": seen.candidate.log10_alarms,
        "log10_false_alarms": seen.log10_alarms,
        "amplitude": seen.amplitude,
        "judged_fraction": float(seen.judged.mean()),
        "tampered_fraction": float((seen.regions > 0).mean()),
    }
    return METHOD.finding(
        score=_score(seen),
        explanation=_explanation(seen, visible),
        measurements=measurements,
        parameters=_parameters(),
        regions=tuple(
            Region((top + down, left + right, rows, cols), "tampered", area)
            for (top, left, rows, cols), area in boxes
        ),
        heatmap=_heatmap(seen),
    )


def _whole(seen: ShiftedMap) -> bool:
    """True where most of the picture evidently has the grid."""
    return seen.majority == "with" and seen.candidate.log10_alarms < EVIDENT


def _score(seen: ShiftedMap) -> float | None:
    """0.5 at the number of false alarms allowed, towards 1 below and towards 0.2 above it."""
    if not seen.regions.any() and seen.judged.mean() < LEAST_JUDGED:
        return None
    alarms = seen.log10_alarms if seen.log10_alarms is not None else np.inf
    excess = float(np.clip(np.log10(FALSE_ALARMS) - alarms, -30, 1e6))
    return 0.5 + (0.5 if excess > 0 else 0.3) * excess / (abs(excess) + 20)


def _would(visible: int) -> str:
    return f"an earlier save at quality {visible} or less, on another grid, would have left clusters"


def _explanation(seen: ShiftedMap, visible: int) -> str:
    down, right = divmod(seen.candidate.grid, SIDE)
    grid = f"a grid that begins at row {down}, column {right}"
    earlier = f"an earlier JPEG compression of about quality {seen.candidate.quality} on {grid}"
    judged = f"{seen.judged.mean():.0%} of the picture could be judged"
    if seen.regions.any():
        part = f"{(seen.regions > 0).mean():.1%} of the picture"
        chance = f"{in_words(seen.log10_alarms or 0.0)}; {judged}"
        if seen.majority == "with":
            return (
                f"The picture shows traces of {earlier}, as after cropping, but {part} lacks them; {chance}."
            )
        return f"{part} shows traces of {earlier}, beneath the file's own, and the rest does not; {chance}."
    if seen.judged.mean() < LEAST_JUDGED:
        return f"Nothing can be said: {judged}."
    if _whole(seen):
        share = seen.judged.mean()
        what = (
            "The whole picture" if share >= 0.5 else f"All that could be judged, {share:.0%} of the picture,"
        )
        return f"{what} shows traces of {earlier}, as after cropping; no part evidently lacks them."
    return f"No part of the picture evidently has another grid beneath the file's own; {_would(visible)}."


def _heatmap(seen: ShiftedMap) -> Heatmap:
    """Above 0.5 in the parts found only; NaN where the surroundings of a block say nothing."""
    from scipy import ndimage

    sign = -1 if seen.majority == "with" else 1
    nats = ndimage.gaussian_filter(np.clip(sign * seen.evidence, -LOUDEST, LOUDEST), REACH)
    likely = 1 / (1 + np.exp(-2 * nats))
    found = seen.regions > 0
    values = np.where(found, 0.5 + np.maximum(likely / 2, 0.01), likely / 2)
    heard = ndimage.gaussian_filter(seen.judged.astype(np.float32), REACH)
    values[(heard < 0.001) & ~found] = np.nan
    # Heatmap cells begin at the picture's corner: a block goes to the cell that it covers most of.
    shift = [int(by >= SIDE // 2) for by in divmod(seen.candidate.grid, SIDE)]
    return Heatmap(np.pad(values, ((shift[0], 0), (shift[1], 0)), mode="edge"), cell=SIDE)
