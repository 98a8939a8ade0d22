"""Aligned double quantization: parts of a JPEG that do not share its history.

A JPEG that is decoded, changed and saved again on the same 8 x 8 grid has quantized
every coefficient twice, which leaves gaps and peaks in the histograms. A part that was
pasted, painted or cut loose from the grid has been quantized only once and lacks them
(or, the other way round, is the only part that has them).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from forensix.detectors.jpeg import _history_likelihood as likelihood
from forensix.detectors.jpeg import _primary_steps as primary
from forensix.detectors.method import Method
from forensix.errors import EvidenceMissing, NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Region

METHOD = Method(
    name="jpeg-double-quantization",
    family="jpeg",
    question="Were some parts of this JPEG quantized once and the rest twice, on the same grid?",
    applies_to="JPEG files of at least 64 x 64 pixels",
    reference=(
        "T. Bianchi, A. Piva, Image Forgery Localization via Block-Grained Analysis of JPEG Artifacts, "
        "IEEE Transactions on Information Forensics and Security 7(3), 2012, doi 10.1109/TIFS.2012.2187516; "
        "Z. Lin, J. He, X. Tang, C.-K. Tang, Fast, automatic and fine-grained tampered JPEG image detection "
        "via DCT coefficient analysis, Pattern Recognition 42(11), 2009, doi 10.1016/j.patcog.2009.03.019"
    ),
    kind="splicing",
)

SIDE = 8
# The first AC frequencies in zig-zag order, as (vertical, horizontal).
# fmt: off
FREQUENCIES = np.array([
    (0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0), (4, 0), (3, 1), (2, 2), (1, 3), (0, 4)])
# fmt: on
FEWEST_BLOCKS = 64
FLATTEST = 1.0  # standard deviation, grey levels; the rounding errors of flatter blocks are not random
BLOCK_DOUBT = 0.01  # chance that a block follows neither history, whatever the model says
CONNECTIVE = np.log(2.638)  # polygons on a square lattice grow about 2.638-fold per unit of perimeter
TABLES_TRIED = 100
FALSE_ALARMS = 1e-3  # regions per picture that chance may give
REGIONS_EXAMINED = 12


@dataclass(frozen=True)
class HistoryMap:
    """Where a JPEG's blocks agree with the history of most of it.

    primary : what is known of the first quantization
    majority : "once" or "twice", the history of most blocks; None when no earlier
        quantization shows anywhere
    evidence : (block rows, block cols) float32, nats; positive speaks against the
        majority's history, 0 for blocks that are clipped
    belief : the same with the neighbours' evidence
    judged : (block rows, block cols) bool
    regions : (block rows, block cols) int32; 0, or the number of a region that deviates
    false_alarms : log10 of the number of false alarms of the regions, most certain first
    candidate : log10 of that number for the best region, decided on or not
    """

    primary: primary.PrimarySteps
    majority: str | None
    evidence: np.ndarray
    belief: np.ndarray
    judged: np.ndarray
    regions: np.ndarray
    false_alarms: tuple[float, ...]
    candidate: float


def history_map(coefficients: np.ndarray, quantization: np.ndarray, *, usable: np.ndarray) -> HistoryMap:
    """Compare every block with both histories: quantized once, quantized twice.

    Parameters
    ----------
    coefficients : (block rows, block cols, 8, 8) int16
        Quantized luma coefficients, ``[..., vertical, horizontal]``.
    quantization : (8, 8) int
        The steps in the file.
    usable : (block rows, block cols) bool
        Blocks that are whole, not flat, and have no samples at black or white.

    Returns
    -------
    HistoryMap

    Raises
    ------
    ParameterError
        On shapes that do not fit.

    References
    ----------
    T. Bianchi, A. Piva, IEEE TIFS 7(3), 2012, doi 10.1109/TIFS.2012.2187516 (the model of
    doubly quantized coefficients, the likelihood ratio summed over frequencies).
    """
    if coefficients.ndim != 4 or coefficients.shape[2:] != (SIDE, SIDE) or quantization.shape != (SIDE, SIDE):
        raise ParameterError(
            f"coefficients are (rows, cols, 8, 8) and steps (8, 8), got {coefficients.shape}, {quantization.shape}"
        )
    if usable.shape != coefficients.shape[:2]:
        raise ParameterError(f"usable must have one value a block, got {usable.shape}")
    levels = np.stack([np.abs(coefficients[:, :, v, u]) for v, u in FREQUENCIES])
    last = np.asarray(quantization, np.int64)[FREQUENCIES[:, 0], FREQUENCIES[:, 1]]
    counts = _level_counts(levels, usable, primary.LEVELS)
    first = primary.estimate_primary_steps(counts, last, FREQUENCIES)
    telling = (first.steps > 1) & (first.steps != last)
    if not telling.any():
        nothing = np.zeros(usable.shape, np.float32)
        return HistoryMap(first, None, nothing, nothing, nothing > 0, nothing.astype(np.int32), (), np.inf)
    return _compare(levels[telling], first, first.steps[telling], last[telling], usable)


def _compare(
    levels: np.ndarray, known: primary.PrimarySteps, first: np.ndarray, last: np.ndarray, usable: np.ndarray
) -> HistoryMap:
    from forensix.native.two_label_field import two_label_field

    model = likelihood.HistoryModel(first, last)
    classes = likelihood.activity_classes(levels)
    whole = likelihood.class_counts(levels, classes, usable)
    majority = "twice" if model.region_evidence(whole.sum(axis=1)) > 0 else "once"
    sign = -1 if majority == "twice" else 1
    agreeing = usable
    for _ in range(2):
        # The second time without the blocks that deviate, so that they do not bend the densities.
        ratios = model.ratios(likelihood.class_counts(levels, classes, agreeing), majority)
        evidence = doubted(sign * likelihood.block_evidence(levels, classes, ratios))
        evidence[~usable] = 0
        belief = two_label_field(evidence, coupling=float(CONNECTIVE))
        agreeing = usable & (belief < 0)
    informative = likelihood.block_evidence(levels, classes, np.abs(ratios)) > 0.05
    regions, certain, candidate = _decide(model, levels, evidence, belief, usable=usable, sign=sign)
    judged = (usable & informative) | (regions > 0)
    return HistoryMap(known, majority, evidence, belief, judged, regions, certain, candidate)


def doubted(evidence: np.ndarray) -> np.ndarray:
    """Log-likelihood ratios when a share BLOCK_DOUBT of blocks follows the other hypothesis anyway."""
    ratio = np.exp(np.clip(evidence, -30, 30))
    bent = ((1 - BLOCK_DOUBT) * ratio + BLOCK_DOUBT) / ((1 - BLOCK_DOUBT) + BLOCK_DOUBT * ratio)
    result: np.ndarray = np.log(bent).astype(np.float32)
    return result


def _decide(
    model: likelihood.HistoryModel,
    levels: np.ndarray,
    evidence: np.ndarray,
    belief: np.ndarray,
    *,
    usable: np.ndarray,
    sign: int,
) -> tuple[np.ndarray, tuple[float, ...], float]:
    """Keep the regions that chance would give in fewer than FALSE_ALARMS pictures.

    For a region fixed in advance, the chance of a log-likelihood ratio above s is at
    most exp(-s). There are about ``blocks * 2.638 ** perimeter`` regions to choose from.
    The ratio used is the smaller of two: that of the blocks' classes, and that of the
    region as a whole with a density of its own.
    """
    from scipy import ndimage

    labels, count = ndimage.label(belief > 0)
    strength = ndimage.sum_labels(evidence, labels, np.arange(1, count + 1)) if count else np.zeros(0)
    found = []
    for k in np.argsort(-strength, kind="stable")[:REGIONS_EXAMINED]:
        inside = labels == k + 1
        chosen = inside & usable
        own = sign * model.region_evidence(_level_counts(levels, chosen, likelihood.LEVELS))
        nats = np.log(evidence.size * TABLES_TRIED) + _perimeter(inside) * CONNECTIVE - min(strength[k], own)
        found.append((float(nats / np.log(10)), k + 1))
    found.sort()
    certain = [(value, label) for value, label in found if value < np.log10(FALSE_ALARMS)]
    regions = np.zeros(labels.shape, np.int32)
    for number, (_, label) in enumerate(certain, start=1):
        regions[labels == label] = number
    return regions, tuple(value for value, _ in certain), found[0][0] if found else float("inf")


def _level_counts(levels: np.ndarray, chosen: np.ndarray, number: int) -> np.ndarray:
    """(frequencies, number): how often each level below `number` occurs in the chosen blocks."""
    return np.stack(
        [np.bincount(np.minimum(plane[chosen], number), minlength=number + 1)[:number] for plane in levels]
    )


def _perimeter(inside: np.ndarray) -> int:
    """Number of cell sides between a region and its surroundings, the picture's edge left out."""
    down = np.count_nonzero(inside[1:] != inside[:-1])
    return int(down + np.count_nonzero(inside[:, 1:] != inside[:, :-1]))


def clipped_blocks(pixels: np.ndarray, *, margin: int = 1) -> np.ndarray:
    """Blocks with a sample at black or white in any channel: clipping bends all coefficients.

    pixels : (rows, cols) or (rows, cols, channels) uint8
    margin : grey levels from 0 and from 255 that still count
    Returns (block rows, block cols) bool; blocks cut by the edge count what they have.
    """
    rows, cols = pixels.shape[:2]
    clipped = np.empty((-(-rows // SIDE), -(-cols // SIDE)), bool)
    columns = np.arange(0, cols, SIDE)
    strip = 64 * SIDE
    for top in range(0, rows, strip):
        # Shifted down, wrapping round, what is near 0 and near 255 comes to lie together at the top.
        extreme = (pixels[top : top + strip] - np.uint8(margin + 1)) >= 255 - 2 * margin - 1
        if extreme.ndim == 3:
            extreme = np.logical_or.reduce([extreme[:, :, k] for k in range(extreme.shape[2])])
        down = np.logical_or.reduceat(extreme, np.arange(0, len(extreme), SIDE), axis=0)
        clipped[top // SIDE : top // SIDE + len(down)] = np.logical_or.reduceat(down, columns, axis=1)
    return clipped


def flat_blocks(coefficients: np.ndarray, quantization: np.ndarray) -> np.ndarray:
    """(block rows, block cols) bool: blocks whose samples hardly differ.

    Their samples all round alike when decoded, so the noise of their coefficients is not random.
    """
    variance = np.zeros(coefficients.shape[:2], np.float32)
    for v, u in FREQUENCIES:
        variance += np.square(coefficients[:, :, v, u] * np.float32(quantization[v, u])) / SIDE**2
    flat: np.ndarray = variance <= FLATTEST**2
    return flat


def clipping_margin(quantization: np.ndarray) -> int:
    """How far the last save may have moved samples that the save before had clipped, grey levels."""
    return int(np.clip(np.ceil(0.6 * quantization[:3, :3].mean()), 1, 8))


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for parts of a JPEG whose quantization history differs from the rest's.

    Raises
    ------
    NotApplicable
        When the image is not a JPEG with 8-bit samples and luma in full resolution.
    """
    try:
        jpeg = evidence.jpeg
    except EvidenceMissing as missing:
        raise NotApplicable(f"it needs a JPEG's coefficients: {missing}") from missing
    if jpeg.sampling[0] != tuple(max(s[i] for s in jpeg.sampling) for i in (0, 1)):
        raise NotApplicable("the first component of this JPEG is not stored in full resolution")
    rows, cols = -(-evidence.height // SIDE), -(-evidence.width // SIDE)
    coefficients = jpeg.coefficients[0][:rows, :cols]
    usable = ~clipped_blocks(evidence.rgb, margin=clipping_margin(jpeg.quantization[0]))
    # What fills a block up beyond the picture's edge was made anew by each save.
    usable[evidence.height // SIDE :] = False
    usable[:, evidence.width // SIDE :] = False
    usable &= ~flat_blocks(coefficients, jpeg.quantization[0])
    if np.count_nonzero(usable) < FEWEST_BLOCKS:
        return METHOD.finding(
            explanation=(
                f"Only {np.count_nonzero(usable)} of {usable.size} blocks are whole, not flat and free of "
                f"black and white; statistics need {FEWEST_BLOCKS}."
            ),
            measurements={"judged_fraction": 0.0},
            heatmap=Heatmap(np.full(usable.shape, np.nan), SIDE),
        )
    history = history_map(coefficients, jpeg.quantization[0], usable=usable)
    return _finding(history, evidence.height, evidence.width, jpeg.quantization[0])


def _finding(history: HistoryMap, height: int, width: int, quantization: np.ndarray) -> Finding:
    from forensix.signal.regions import bounding_boxes

    count = len(history.false_alarms)
    boxes = bounding_boxes(history.regions, count, cell=SIDE, rows=height, cols=width) if count else []
    return METHOD.finding(
        score=_score(history, quantization),
        explanation=_explanation(history, quantization),
        measurements=_measurements(history, quantization),
        regions=[Region(box, "tampered", area) for box, area in boxes],
        parameters={"frequencies": FREQUENCIES.tolist(), "false_alarms": FALSE_ALARMS},
        heatmap=_heatmap(history),
    )


def _score(history: HistoryMap, quantization: np.ndarray) -> float | None:
    """Logistic in the number of false alarms, 0.5 at the decision threshold."""
    if history.majority is None:
        return 0.4 if coarsest_visible_quality(quantization) is not None else None
    certainty = np.clip(np.log10(FALSE_ALARMS) - history.candidate, -9, 60)
    return float(1 / (1 + np.exp(-certainty / 3)))


def coarsest_visible_quality(quantization: np.ndarray) -> int | None:
    """The best earlier libjpeg quality whose save would show after this last one.

    Combs show where the first step is at least one and a half times the last one; five
    frequencies are asked for. None when that is quality 60 or less.
    """
    last = quantization[FREQUENCIES[:, 0], FREQUENCIES[:, 1]]
    for quality in range(99, 60, -1):
        first = primary.libjpeg_luma_table(quality)[FREQUENCIES[:, 0], FREQUENCIES[:, 1]]
        if np.count_nonzero(first >= 1.5 * last) >= 5:
            return quality
    return None


def _heatmap(history: HistoryMap) -> Heatmap:
    """Above 0.5 exactly in the regions decided on, NaN where nothing could be judged."""
    inside = history.regions > 0
    belief = np.clip(history.belief, -30, 30)
    chance = 1 / (1 + np.exp(-belief))
    values = np.where(inside, 0.5 + 0.5 * np.maximum(chance, 0.02), 0.5 * chance)
    values = np.where(history.judged, values, np.nan)
    return Heatmap(values, SIDE)


def _measurements(history: HistoryMap, quantization: np.ndarray) -> dict[str, Any]:
    known = history.primary
    return {
        "last_steps": quantization[FREQUENCIES[:, 0], FREQUENCIES[:, 1]],
        "primary_steps": [int(step) or None for step in known.steps],
        "primary_quality": known.quality,
        "primary_gain_nats": float(np.sum(known.gains)),
        "majority": history.majority,
        "judged_fraction": float(np.mean(history.judged)),
        "tampered_fraction": float(np.mean(history.regions > 0)),
        "log10_false_alarms": None if np.isinf(history.candidate) else history.candidate,
        "visible_up_to_quality": coarsest_visible_quality(quantization),
    }


def _explanation(history: HistoryMap, quantization: np.ndarray) -> str:
    if history.majority is None:
        visible = coarsest_visible_quality(quantization)
        if visible is None:
            return "No earlier quantization shows, but this last save was so coarse that few would."
        return (
            f"No earlier quantization shows anywhere; an earlier save at quality {visible} or less "
            "on the same grid would have left traces."
        )
    quality = history.primary.quality
    earlier = f" at quality {quality}" if quality else ""
    judged = f"{np.mean(history.judged):.0%} of the picture could be judged"
    if not history.false_alarms:
        if history.majority == "twice":
            return f"The whole picture was saved{earlier} before its last save, on the same grid; {judged}."
        return f"Faint traces of an earlier save{earlier} do not gather in any region; {judged}."
    part = f"{np.mean(history.regions > 0):.1%} of the picture"
    chance = f"chance gives such a region in one of 10^{-history.false_alarms[0]:.0f} pictures; {judged}"
    if history.majority == "twice":
        return f"The picture was saved{earlier} before, but {part} lacks the traces of that save; {chance}."
    return f"Only {part} shows traces of an earlier save{earlier} on the same grid; {chance}."
