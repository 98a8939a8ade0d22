"""Aligned double quantization: parts of a JPEG that do not share its history.

A JPEG that is decoded, changed and saved again on the same 8 x 8 grid has quantized
every coefficient twice, which leaves gaps and peaks in the histograms. A part that was
pasted, painted or cut loose from the grid has been quantized only once and lacks them
(or, the other way round, is the only part that has them). Where the last save was the
coarser, the gaps are faint: all frequencies and wide areas have to speak together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from forensix.detectors.jpeg._history_map import FREQUENCIES, SIDE, HistoryMap, history_map
from forensix.detectors.jpeg._history_regions import FALSE_ALARMS, map_values, score_of
from forensix.detectors.jpeg._like_blocks import block_content, explained_by_content
from forensix.detectors.method import Method
from forensix.errors import EvidenceMissing, NotApplicable
from forensix.evidence import Evidence
from forensix.evidence.jpeg_data import JpegData
from forensix.evidence.jpeg_quality import ijg_table
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.rarity import in_words

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

FEWEST_BLOCKS = 64
TOO_LARGE = 0.25  # of the picture: where only larger regions would stand out, silence says nothing
FILTERED = (
    "Traces of an earlier save are in some parts of the picture and not in others, but the same content has "
    "or lacks them elsewhere too, as when the whole picture was filtered after that save."
)
BLUES = 255  # samples clipped in blue alone that count as one clipped in red or green


def clipped_share(rgb: np.ndarray, *, margin: int = 1) -> np.ndarray:
    """Share of each block's samples at black or white: clipping bends coefficients.

    rgb : (rows, cols, 3) uint8
    margin : grey levels from 0 and from 255 that still count
    Returns (block rows, block cols) float32; blocks cut by the edge count what they have.
    Samples clipped in blue alone count for little, since luma has little of blue.
    """
    rows, cols = rgb.shape[:2]
    share = np.empty((-(-rows // SIDE), -(-cols // SIDE)), np.float32)
    columns = np.arange(0, cols, SIDE)
    strip = 64 * SIDE
    for top in range(0, rows, strip):
        # Shifted down, wrapping round, what is near 0 and near 255 comes to lie together at the top.
        extreme = (rgb[top : top + strip] - np.uint8(margin + 1)) >= 255 - 2 * margin - 1
        weight = np.where(extreme[:, :, 0] | extreme[:, :, 1], np.uint8(BLUES), extreme[:, :, 2])
        down = np.add.reduceat(weight, np.arange(0, len(weight), SIDE), axis=0, dtype=np.uint16)
        share[top // SIDE : top // SIDE + len(down)] = np.add.reduceat(down, columns, axis=1)
    heights = np.minimum(SIDE, rows - np.arange(0, rows, SIDE))
    share /= BLUES * np.outer(heights, np.minimum(SIDE, cols - columns))
    return share


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
    whole = whole_blocks(evidence)
    if np.count_nonzero(whole) < FEWEST_BLOCKS:
        return METHOD.finding(
            explanation=(
                f"The picture has only {np.count_nonzero(whole)} whole blocks of 8 x 8 pixels; "
                f"statistics need {FEWEST_BLOCKS}."
            )
        )
    history = luma_history(evidence, jpeg)
    filtered = filtered_throughout(history, evidence.luma)
    if filtered:
        history = replace(history, regions=np.zeros_like(history.regions), false_alarms=())
    return _finding(history, evidence.height, evidence.width, jpeg.quantization[0], filtered=filtered)


def filtered_throughout(history: HistoryMap, luma: np.ndarray) -> bool:
    """True where like blocks elsewhere deviate as the regions found do."""
    if not history.false_alarms:
        return False
    content = block_content(luma, shape=(history.regions.shape[0], history.regions.shape[1]))
    return explained_by_content(history.evidence, history.regions > 0, history.judged, content)


def whole_blocks(evidence: Evidence) -> np.ndarray:
    """(block rows, block cols) bool: blocks within the picture.

    What fills a block up beyond the picture's edge was made anew by each save.
    """
    whole = np.zeros((-(-evidence.height // SIDE), -(-evidence.width // SIDE)), bool)
    whole[: evidence.height // SIDE, : evidence.width // SIDE] = True
    return whole


def luma_history(evidence: Evidence, jpeg: JpegData) -> HistoryMap:
    """The history of each block of the luma, which the file stores in full resolution."""
    whole, quantization = whole_blocks(evidence), jpeg.quantization[0]
    clipped = clipped_share(evidence.rgb, margin=clipping_margin(quantization))
    luma = jpeg.coefficients[0][: whole.shape[0], : whole.shape[1]]
    return history_map(luma, quantization, whole=whole, clipped=clipped)


def _finding(
    history: HistoryMap, height: int, width: int, quantization: np.ndarray, *, filtered: bool
) -> Finding:
    from forensix.signal.regions import bounding_boxes

    count = len(history.false_alarms)
    boxes = bounding_boxes(history.regions, count, cell=SIDE, rows=height, cols=width) if count else []
    return METHOD.finding(
        score=None if filtered else _score(history, quantization),
        explanation=FILTERED if filtered else _explanation(history, quantization),
        measurements={**_measurements(history, quantization), "filtered_throughout": filtered},
        regions=[Region(box, "tampered", area) for box, area in boxes],
        parameters={"frequencies": FREQUENCIES.tolist(), "false_alarms": FALSE_ALARMS},
        heatmap=Heatmap(map_values(history.belief, history.regions > 0, history.judged), SIDE),
    )


def _score(history: HistoryMap, quantization: np.ndarray) -> float | None:
    """Logistic in the number of false alarms, 0.5 at the decision threshold."""
    if history.majority is None:
        if history.detailed < FEWEST_BLOCKS:
            return None
        return 0.4 if coarsest_visible_quality(quantization) is not None else None
    if not history.false_alarms and history.smallest > TOO_LARGE:
        return None
    return score_of(np.inf if history.candidate is None else history.candidate)


def coarsest_visible_quality(quantization: np.ndarray) -> int | None:
    """The best earlier libjpeg quality whose save would show after this last one.

    Combs show where the first step is at least one and a half times the last one; five
    frequencies are asked for. None when that is quality 60 or less.
    """
    last = quantization[FREQUENCIES[:, 0], FREQUENCIES[:, 1]]
    for quality in range(99, 60, -1):
        first = ijg_table(quality)[FREQUENCIES[:, 0], FREQUENCIES[:, 1]]
        if np.count_nonzero(first >= 1.5 * last) >= 5:
            return quality
    return None


def _measurements(history: HistoryMap, quantization: np.ndarray) -> dict[str, Any]:
    known = history.steps
    return {
        "last_steps": quantization[FREQUENCIES[:, 0], FREQUENCIES[:, 1]],
        "primary_steps": [int(step) or None for step in known.steps],
        "primary_mean_value_step": history.mean_value_step or None,
        # Where most blocks were quantized once, steps are those of some region, or nobody's.
        "primary_quality": known.quality if history.majority == "twice" or history.false_alarms else None,
        "primary_gain_nats": float(np.sum(known.gains)),
        "majority": history.majority,
        "judged_fraction": float(np.mean(history.judged)),
        "tampered_fraction": float(np.mean(history.regions > 0)),
        "log10_false_alarms": history.candidate,
        "smallest_region_found": None if np.isinf(history.smallest) else min(history.smallest, 1.0),
        "visible_up_to_quality": coarsest_visible_quality(quantization),
    }


def _explanation(history: HistoryMap, quantization: np.ndarray) -> str:
    if history.majority is None:
        if history.detailed < FEWEST_BLOCKS:
            return (
                f"Only {history.detailed} of {history.judged.size} blocks are whole, not flat and free of "
                f"black and white; statistics need {FEWEST_BLOCKS}."
            )
        visible = coarsest_visible_quality(quantization)
        if visible is None:
            return "No earlier quantization shows, but this last save was so coarse that few would."
        return (
            f"No earlier quantization shows anywhere; an earlier save at quality {visible} or less "
            "on the same grid would have left traces."
        )
    quality = history.steps.quality
    earlier = f" at quality {quality}" if quality else ""
    judged = f"{np.mean(history.judged):.0%} of the picture could be judged"
    if not history.false_alarms:
        if history.smallest > TOO_LARGE:
            return f"Traces of an earlier save{earlier} are too faint to tell parts of the picture from others; {judged}."
        if history.majority == "twice":
            return f"The whole picture was saved{earlier} before its last save, on the same grid; {judged}."
        return (
            "Levels that come a little too often or too seldom, as some cameras make them too, do not gather "
            f"in any region; {judged}."
        )
    part = f"{np.mean(history.regions > 0):.1%} of the picture"
    chance = f"{in_words(history.false_alarms[0])}; {judged}"
    if history.majority == "twice":
        return f"The picture was saved{earlier} before, but {part} lacks the traces of that save; {chance}."
    return f"Only {part} shows traces of an earlier save{earlier} on the same grid; {chance}."
