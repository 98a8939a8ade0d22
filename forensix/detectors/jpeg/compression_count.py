"""How often was the whole picture compressed as JPEG, on which grid, and at what quality before?

Two traces of an earlier compression are looked for. On the same grid, quantizing twice
leaves a comb in the histograms of the coefficients. On a shifted grid, as after cropping,
the earlier coefficients still cluster, and more of them are small than on any other
shift. Neither needs the earlier quality to have been lower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from forensix.detectors.jpeg import _first_steps as first
from forensix.detectors.jpeg import _grid_phase as phase
from forensix.detectors.jpeg import _mosaic
from forensix.detectors.jpeg._digits import benford_divergence, fine_chroma_share
from forensix.detectors.method import Method
from forensix.errors import EvidenceMissing, NotApplicable, ParameterError
from forensix.evidence import Evidence, JpegData
from forensix.finding import Finding
from forensix.signal.block_dct import SIDE

METHOD = Method(
    name="jpeg-compression-count",
    family="jpeg",
    question="Was the whole picture compressed as JPEG more than once, and at what quality before?",
    applies_to="JPEG files of at least 136 x 136 pixels",
    reference=(
        "T. Pevny, J. Fridrich, Detection of Double-Compression in JPEG Images for Applications in Steganography, "
        "IEEE Transactions on Information Forensics and Security 3(2), 2008, doi 10.1109/TIFS.2008.922456; "
        "F. Galvan, G. Puglisi, A. R. Bruna, S. Battiato, First Quantization Matrix Estimation From Double Compressed "
        "JPEG Images, IEEE Transactions on Information Forensics and Security 9(8), 2014, "
        "doi 10.1109/TIFS.2014.2307581; T. Bianchi, A. Piva, Detection of Nonaligned Double JPEG Compression Based on "
        "Integer Periodicity Maps, IEEE Transactions on Information Forensics and Security 7(2), 2012, "
        "doi 10.1109/TIFS.2011.2170836"
    ),
    concludes="history",
)

# What is enough to decide. Of 156 photos reduced and saved once, one is then taken for saved twice; of 92
# files straight from some 40 models of camera, none.
ENOUGH_GAIN = 25.0  # summed over frequencies
CLEAR_GAIN = 6.0  # of one frequency, to count as one that agrees
AGREEING = {"table": 2, "free": 3}  # frequencies that must, with the steps of a libjpeg table or with any
ENOUGH_EXCESS = 6.5  # standard errors
ENOUGH_IMPROBABILITY = 5.0  # decimal logarithm; some 1200 shifts and tables are tried
# Finer steps leave the mid frequencies so alive that the camera's own processing shows in them.
FINEST_STEP = 8.0
# Chance of finding a re-saved file out, by the mean of its first ten luma AC steps (interpolated): measured
# over earlier qualities 50 to 98, if of the files that were saved again two in five kept their grid, one in
# five was cropped, and the others were resized, which leaves no such traces.
POWER_AT = (1.0, 5.0, 12.0), (0.5, 0.4, 0.2)


@dataclass(frozen=True)
class Trace:
    """Evidence of one earlier compression.

    strength : 1 is enough to decide
    shift : (down, right) of the earlier grid against the file's, 0-7 each
    quality : libjpeg quality whose luma table fits, None when none does
    steps : {(vertical, horizontal): first step}, where it can be told
    """

    strength: float
    shift: tuple[int, int]
    quality: int | None
    steps: dict[tuple[int, int], int]
    details: dict[str, Any]


@dataclass(frozen=True)
class CompressionHistory:
    """What the luma coefficients of a JPEG tell of earlier compressions, on its own grid and on another.

    benford : divergence of their first digits from the generalized Benford law
    """

    aligned: Trace
    shifted: Trace
    benford: float | None

    @property
    def count(self) -> int:
        """How many compressions there were at least."""
        return 1 + (self.aligned.strength > 1) + (self.shifted.strength > 1)


def compression_history(levels: np.ndarray, quantization: np.ndarray) -> CompressionHistory | None:
    """Look for traces of earlier compressions in the quantized coefficients.

    Parameters
    ----------
    levels : (block rows, block cols, 8, 8) int16
        Quantized luma coefficients, vertical frequency first.
    quantization : (8, 8) int
        The steps.

    Returns
    -------
    CompressionHistory or None
        None below 17 x 17 blocks.

    Raises
    ------
    ParameterError
        On shapes that do not fit.

    References
    ----------
    T. Pevny, J. Fridrich, doi 10.1109/TIFS.2008.922456; F. Galvan et al., doi
    10.1109/TIFS.2014.2307581; T. Bianchi, A. Piva, doi 10.1109/TIFS.2011.2170836.
    """
    if levels.ndim != 4 or levels.shape[2:] != (SIDE, SIDE) or quantization.shape != (SIDE, SIDE):
        raise ParameterError(
            f"levels are (rows, cols, 8, 8) and steps (8, 8), got {levels.shape}, {quantization.shape}"
        )
    mosaic = _mosaic.of_coefficients(levels, quantization)
    if mosaic is None:
        return None
    if not mosaic.photographic:
        nothing = Trace(0.0, (0, 0), None, {}, {"frequencies": 0})
        return CompressionHistory(nothing, nothing, None)
    chosen = mosaic.levels(levels)
    return CompressionHistory(
        aligned_trace(mosaic, chosen, quantization),
        shifted_trace(mosaic, quantization),
        benford_divergence(chosen),
    )


def aligned_trace(mosaic: _mosaic.Mosaic, chosen: np.ndarray, quantization: np.ndarray) -> Trace:
    """Evidence of an earlier compression on the same grid, from the levels of the mosaic's blocks."""
    found = first.step_gains(chosen, quantization.ravel(), mosaic.blocks(offset=(4, 4)))
    if not found:
        return Trace(0.0, (0, 0), None, {}, {"frequencies": 0})
    gains = np.stack([one.gains for one in found])
    place = np.arange(len(found))
    tables = np.stack([[table[one.frequency] for one in found] for table in phase.first_tables()])
    by_table = gains[place, np.minimum(tables, first.LARGEST_STEP)]
    best = len(tables) - 1 - int(np.argmax(by_table.sum(axis=1)[::-1]))
    free = gains.max(axis=1)
    clear = free > CLEAR_GAIN
    strengths = (
        _strength(by_table[best].sum(), int((by_table[best] > CLEAR_GAIN).sum()), AGREEING["table"]),
        _strength((free[clear] - CLEAR_GAIN).sum(), int(clear.sum()), AGREEING["free"]),
    )
    explained = by_table[best].sum() > 0.8 * free.sum()
    steps = {one.frequency: one.best for one, told in zip(found, clear, strict=True) if told}
    details = {
        "frequencies": len(found),
        "agreeing": int(clear.sum()),
        "gain": round(float(free[clear].sum()), 2),
    }
    quality = int(phase.QUALITIES[best]) if explained else None
    return Trace(max(strengths), (0, 0), quality, steps, details)


def _strength(gain: float, agreeing: int, needed: int) -> float:
    strength = max(float(gain), 0.0) / ENOUGH_GAIN
    return strength if agreeing >= needed else min(strength, 0.95)


def shifted_trace(mosaic: _mosaic.Mosaic, quantization: np.ndarray) -> Trace:
    """Evidence of an earlier compression on a grid that begins elsewhere."""
    improbable = phase.shift_improbability(mosaic)
    middle = np.mean([quantization[frequency] for group in phase.OFTEN_ZERO for frequency in group])
    excess = phase.zero_excess(mosaic).ravel() if middle >= FINEST_STEP else np.zeros(phase.SHIFTS)
    strengths = np.hypot(np.maximum(excess, 0) / ENOUGH_EXCESS, improbable.max(axis=1) / ENOUGH_IMPROBABILITY)
    shift = int(np.argmax(strengths))
    best = int(np.argmax(improbable[shift]))
    # Half of what decides alone is enough to name the quality of a grid that is known otherwise.
    named = improbable[shift, best] > ENOUGH_IMPROBABILITY / 2
    return Trace(
        float(strengths[shift]), divmod(shift, SIDE),
        int(phase.QUALITIES[best]) if named else None, {},
        {"excess": round(float(excess[shift]), 2), "improbability": round(float(improbable[shift, best]), 2)},
    )  # fmt: skip


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Say whether the picture was compressed before, on the same grid or another."""
    try:
        jpeg = evidence.jpeg
        levels, quantization = jpeg.coefficients[0], jpeg.quantization[0]
    except EvidenceMissing as error:
        raise NotApplicable(str(error)) from error
    history = compression_history(levels, quantization)
    if history is None:
        raise NotApplicable(f"{evidence.width} x {evidence.height} pixels are too few; 136 x 136 are needed")
    return METHOD.finding(
        score=_score(history, quantization),
        explanation=_explain(history),
        measurements={**_measurements(history), "fine_chroma_share": _fine_chroma(jpeg)},
        parameters={
            "enough_gain": ENOUGH_GAIN, "enough_excess": ENOUGH_EXCESS, "enough_improbability": ENOUGH_IMPROBABILITY,
        },
    )  # fmt: skip


def _score(history: CompressionHistory, quantization: np.ndarray) -> float | None:
    """Above 0.5 where an earlier compression is found; below, as far as one would have been."""
    strength = max(history.aligned.strength, history.shifted.strength)
    if strength > 1:
        return strength**2 / (1 + strength**2)
    if not history.aligned.details["frequencies"]:
        return None
    zigzag_head = [quantization[frequency] for frequency in first.FREQUENCIES[:10]]
    power = float(np.interp(float(np.mean(zigzag_head)), POWER_AT[0], POWER_AT[1]))
    calm = (1 - power) / (2 - power)  # the probability, at even odds, when what would have been seen is not
    return calm + (0.5 - calm) * strength


def _measurements(history: CompressionHistory) -> dict[str, Any]:
    def of(trace: Trace) -> dict[str, Any]:
        return {
            "strength": round(min(trace.strength, 9999.0), 3),
            "previous_quality": trace.quality,
            "previous_steps": [[*frequency, step] for frequency, step in trace.steps.items()],
            **trace.details,
        }

    shifted = of(history.shifted)
    shifted["grid"] = list(history.shifted.shift) if history.shifted.strength > 1 else None
    return {
        "compressions_at_least": history.count,
        "same_grid": of(history.aligned),
        "shifted_grid": shifted,
        "benford_divergence": None if history.benford is None else round(history.benford, 5),
    }


def _fine_chroma(jpeg: JpegData) -> list[float] | None:
    """Vertical and horizontal share of fine chroma detail; None where the file subsamples its colours."""
    if len(jpeg.sampling) != 3 or len(set(jpeg.sampling)) > 1:
        return None
    plane = jpeg.coefficients[1]
    stride = 1 + plane.shape[0] * plane.shape[1] // 20_000
    share = fine_chroma_share(plane.reshape(-1, 64)[::stride])
    return None if share is None else [round(value, 5) for value in share]


def _explain(history: CompressionHistory) -> str:
    parts = []
    if history.aligned.strength > 1:
        told = len(history.aligned.steps)
        quality = f" at quality about {history.aligned.quality}" if history.aligned.quality else ""
        parts.append(
            f"compressed before{quality} on the same grid: {told} frequencies carry the comb of two quantizations"
        )
    if history.shifted.strength > 1:
        down, right = history.shifted.shift
        quality = f" at quality about {history.shifted.quality}" if history.shifted.quality else ""
        parts.append(
            f"compressed before{quality} on a grid that begins at row {down}, column {right}, as after cropping"
        )
    if parts:
        return f"The whole picture was {' and '.join(parts)}."
    if not history.aligned.details["frequencies"]:
        return "The picture has too little detail to tell whether it was compressed before."
    return "The coefficients show no trace of an earlier JPEG compression of the whole picture."
