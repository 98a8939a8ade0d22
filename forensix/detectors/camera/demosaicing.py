"""Parts that lack the colour filter array's pattern that the rest of the picture has, or have it out of place.

In a picture that was demosaicked and neither scaled nor compressed since, pixels that were
measured and pixels that were interpolated alternate. The pattern is found for the whole
picture first, with its place and its strength. What was pasted has it with a chance of one
in four in the same place; often it has none, as it was a JPEG or was scaled. Windows in
which the pattern should show, and does not, are counted against chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

from forensix.detectors.camera import _mosaic_windows as mosaic
from forensix.detectors.camera._window_verdict import verdict
from forensix.detectors.decided_area import tampered_regions
from forensix.detectors.method import Method
from forensix.errors import NotApplicable
from forensix.evidence import Evidence
from forensix.evidence.jpeg_quality import ijg_quality
from forensix.evidence.sniff import NEWER_LOSSY
from forensix.finding import Finding, Heatmap
from forensix.signal.blas import one_blas_thread
from forensix.signal.mosaic_trace import (
    BLOCK,
    COLUMNS,
    DIAGONALS,
    ROWS,
    array_name,
    clipped_blocks,
    contrasts,
    lattice_residuals,
)
from forensix.signal.rarity import in_words

METHOD = Method(
    name="demosaicing",
    family="camera",
    question="Does an area lack the colour filter array's pattern that the rest of the picture has?",
    applies_to=(
        "Colour photographs of at least 256 x 256 pixels that kept the camera's pixels: neither scaled nor "
        "compressed more than JPEG of quality 98"
    ),
    reference=(
        "P. Ferrara, T. Bianchi, A. De Rosa, A. Piva, Image Forgery Localization via Fine-Grained Analysis of "
        "CFA Artifacts, IEEE Transactions on Information Forensics and Security 7(5), 2012, doi "
        "10.1109/TIFS.2012.2202227 (the contrasts and the decision are our own)"
    ),
    kind="splicing",
    preset="standard",
)

LEAST_SIDE = 256  # pixels
LEAST_QUALITY = 98  # of a JPEG
SAMPLE = 512  # pixels, side of the parts in which the pattern is looked for first
WEAKEST = 0.3  # grey levels: blocks with less are flat
# log10 of the number of false alarms, one in a hundred pictures; what untouched ones reach: camera-traces.md
DECISION = -2.0
KEPT = 0.4  # of the expected contrast, from which on one kind counts as kept
AROUND = 9  # blocks, side of the windows of the map


@dataclass(frozen=True, eq=False)
class MosaicPattern:
    """What is known of the filter array's pattern.

    trace : of the whole picture
    array : "RGGB", "GRBG", "GBRG" or "BGGR" from the top left pixel on; None without a trace
    log10_false_alarms : of the window that lacks most; None where no window could tell
    area : (rows // 8, cols // 8) bool, decided on; None without a trace
    lack : (rows // 8, cols // 8) float64, 0 where the pattern is as expected around a block, 1
        where nothing of it is; NaN where that cannot be told
    agreement : in the area decided on, what is found over what is expected, for rows, columns
        and diagonals: about 1 as elsewhere, about 0 without a pattern; where it is out of place,
        one of the three is kept and the others are 0 or less
    """

    trace: mosaic.Trace
    array: str | None = None
    log10_false_alarms: float | None = None
    area: np.ndarray | None = None
    lack: np.ndarray | None = None
    agreement: tuple[float, float, float] | None = None


def mosaic_pattern(rgb: np.ndarray) -> MosaicPattern:
    """Find the filter array's pattern, and the windows in which it is missing.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        At least 256 x 256.

    References
    ----------
    P. Ferrara et al. 2012, doi 10.1109/TIFS.2012.2202227; A. C. Popescu, H. Farid, "Exposing
    digital forgeries in color filter array interpolated images", IEEE Transactions on Signal
    Processing 53(10), 2005, doi 10.1109/TSP.2005.855406.
    """
    if max(rgb.shape[:2]) > 2 * SAMPLE:
        differences, _, told = _described(_sampled(rgb))
        trace = mosaic.whole_trace(differences, told)
        if not trace.present:
            return MosaicPattern(trace)
    differences, level, told = _described(rgb)
    trace = mosaic.whole_trace(differences, told)
    if not trace.present:
        return MosaicPattern(trace)
    top, left = (max(0, side - SAMPLE) // 2 // BLOCK * BLOCK for side in rgb.shape[:2])
    array = array_name(rgb[top : top + SAMPLE, left : left + SAMPLE], diagonal=trace.diagonal)
    with one_blas_thread():
        kinds = [
            mosaic.mosaic_cells(differences[..., kind::3], level, told) for kind in (ROWS, COLUMNS, DIAGONALS)
        ]
    told_by = verdict(mosaic.missing_windows(kinds), told.shape, decision=DECISION)
    lack = mosaic.lack(kinds, AROUND)
    area = mosaic.outline(told_by.decided, lack)
    return MosaicPattern(trace, array, told_by.false_alarms, area, lack, _agreement(kinds, area))


def _described(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Contrasts, level, and which blocks can tell."""
    differences, level = contrasts(lattice_residuals(rgb))
    return differences, level, ~clipped_blocks(rgb) & (level > np.log(WEAKEST))


def _sampled(rgb: np.ndarray) -> np.ndarray:
    """Four parts of the picture beside each other; the lattices keep their places."""
    parts = []
    for size in rgb.shape[:2]:
        side = min(SAMPLE, size // 2) // BLOCK * BLOCK
        first, last = (
            (size // 2 - side) // 2 // BLOCK * BLOCK,
            (size + size // 2 - side) // 2 // BLOCK * BLOCK,
        )
        parts.append(np.concatenate([np.arange(first, first + side), np.arange(last, last + side)]))
    sampled: np.ndarray = rgb[np.ix_(*parts)]
    return sampled


def _agreement(kinds: list[mosaic.MosaicCells], area: np.ndarray) -> tuple[float, float, float] | None:
    if not area.any():
        return None
    sums = [(float(cells.found[area].sum()), float(cells.expected[area].sum())) for cells in kinds]
    rows, columns, diagonals = (found / expected if expected > 0 else 1.0 for found, expected in sums)
    return rows, columns, diagonals


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for parts without the filter array's pattern.

    Raises
    ------
    NotApplicable
        For small, grey and lossily stored pictures.
    """
    _check_applies(evidence)
    found = mosaic_pattern(evidence.rgb)
    alarms = found.log10_false_alarms
    area = np.zeros((1, 1), bool) if found.area is None else found.area
    decided = bool(area.any())
    score = None if alarms is None else 1 / (1 + exp(alarms - DECISION))
    return METHOD.finding(
        score=score if score is None or decided else min(score, 0.5),
        explanation=_explanation(found, float(area.mean())),
        measurements={
            "array": found.array,
            "contrast": round(abs(found.trace.diagonal), 4),
            "significance": round(found.trace.significance, 2),
            "blocks": found.trace.blocks,
            "log10_false_alarms": None if alarms is None else round(alarms, 3),
            "agreement": None if found.agreement is None else [round(part, 3) for part in found.agreement],
            "share": round(float(area.mean()), 4),
        },
        parameters={"log10_decision": DECISION, "block": BLOCK},
        regions=tampered_regions(area, evidence, cell=BLOCK) if decided else (),
        heatmap=None if alarms is None else _heatmap(found),
    )


def _check_applies(evidence: Evidence) -> None:
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    if evidence.format in NEWER_LOSSY:
        raise NotApplicable(f"{evidence.format.upper()} compression destroys the pattern that it looks for")
    if evidence.format == "jpeg":
        quality = ijg_quality(evidence.jpeg.quantization[0]).quality
        if quality < LEAST_QUALITY:
            raise NotApplicable(
                f"JPEG compression at quality {quality} destroys the pattern that it looks for; it needs "
                f"{LEAST_QUALITY} or more"
            )
    if evidence.colourless:
        raise NotApplicable("a grey picture has no pattern of a colour filter array")


def _explanation(found: MosaicPattern, share: float) -> str:
    if found.trace.blocks < mosaic.FEWEST:
        return "Cannot tell: too little of the picture is neither flat nor clipped."
    if found.array is None:
        return (
            "Cannot tell: the picture as a whole shows no pattern of a colour filter array; it was scaled, "
            "compressed or denoised since, or never had one."
        )
    pattern = f"the pattern of a {found.array} filter array"
    if found.log10_false_alarms is None:
        return f"The picture shows {pattern}, too faintly to tell where it is missing."
    rarity = in_words(found.log10_false_alarms)
    if found.agreement is None:
        return f"The picture shows {pattern}, and no area lacks it; {rarity}."
    return (
        f"The picture shows {pattern}, but {share:.1%} of it {_how(found.agreement)}: that area was not taken "
        f"with the rest, or was processed since; {rarity}."
    )


def _how(agreement: tuple[float, float, float]) -> str:
    """What the area shows in place of the pattern; one row or column on, one kind of contrast stays."""
    if max(agreement) < KEPT:
        return "does not show it"
    shift = ("one column", "one row", "one row and one column")[int(np.argmax(agreement))]
    return f"shows it {shift} out of place"


def _heatmap(found: MosaicPattern) -> Heatmap | None:
    """Above 0.5 in the area decided on only; below it, how much of the pattern is lacking."""
    if found.lack is None or found.area is None:
        return None
    values = np.where(found.area, 0.55 + 0.4 * np.nan_to_num(found.lack, nan=0.5), 0.45 * found.lack)
    return Heatmap(values, BLOCK)
