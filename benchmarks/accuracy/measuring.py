"""Examine one labelled image, and put down what there is to count.

The figures are those a user of the command would get: scores and decisions from the scan
document, masks and maps from the 8-bit PNG files that ``--maps`` writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.accuracy.formulas import best_threshold, overlap
from benchmarks.accuracy.labelled import CONCLUSIONS, POSITIVE, Labelled
from forensix import detectors as registry
from forensix.errors import EvidenceMissing, ForensixError
from forensix.evidence import Evidence, open_evidence
from forensix.evidence.jpeg_quality import ijg_quality
from forensix.finding import Status
from forensix.fusion import conclude
from forensix.mapfiles import grey_maps
from forensix.result import ScanResult
from forensix.scanner import scan

SIZES = ((0.3, "under 0.3 Mpx"), (1.0, "0.3 to 1 Mpx"), (4.0, "1 to 4 Mpx"), (np.inf, "over 4 Mpx"))
QUALITIES = ((60, "JPEG under 60"), (75, "JPEG 60 to 74"), (85, "JPEG 75 to 84"), (95, "JPEG 85 to 94"))


@dataclass(frozen=True)
class Settings:
    """How images are examined.

    detectors : names of methods, or None for those of the preset
    """

    detectors: tuple[str, ...] | None = None
    preset: str = "standard"
    device: str = "auto"

    def methods(self) -> tuple[str, ...]:
        return registry.in_preset(self.preset) if self.detectors is None else self.detectors


def measure(labelled: Labelled, *, settings: Settings) -> dict[str, Any]:
    """Examine one image.

    Returns
    -------
    dict, plain JSON values
        "error" (empty if it was read), "traits", "mpx", "seconds", and under "subjects"
        one entry per conclusion and per method: score (None: cannot tell), decided,
        seconds, and for pixels f1, iou, mcc, best_f1, best_level, alarm where they apply.
    """
    line: dict[str, Any] = {
        "collection": labelled.collection, "name": labelled.name, "group": labelled.group,
        "positive": labelled.positive, "masked": bool(labelled.mask), "traits": dict(labelled.traits),
        "error": "", "mpx": None, "seconds": None, "subjects": {},
    }  # fmt: skip
    try:
        evidence = open_evidence(labelled.image)
        result = scan(evidence, settings.detectors, settings.device, preset=settings.preset)
    except (ForensixError, OSError) as error:
        return {**line, "error": " ".join(str(error).split()) or type(error).__name__}
    line["mpx"] = evidence.width * evidence.height / 1e6
    line["seconds"] = result.seconds
    line["traits"] |= {"encoding": encoding(evidence), "size": size_class(line["mpx"])}
    truth = read_mask(labelled.mask, (evidence.height, evidence.width)) if labelled.mask else None
    for conclusion in CONCLUSIONS:
        line["subjects"][conclusion] = _concluded(result, conclusion)
    untouched = not labelled.positive["integrity"]
    line["subjects"]["integrity"] |= _pixels(result, "fused", truth, untouched)
    for finding in result.findings:
        line["subjects"][finding.detector] = _found(result, finding.detector, truth, untouched)
    return line


def _concluded(result: ScanResult, conclusion: str) -> dict[str, Any]:
    verdict = result.conclusions[conclusion]
    return {"score": verdict.score, "decided": verdict.label in POSITIVE, "seconds": result.seconds}


def _found(result: ScanResult, name: str, truth: np.ndarray | None, untouched: bool) -> dict[str, Any]:
    """One method by itself: as if the scan had been asked for that method only."""
    finding = next(f for f in result.findings if f.detector == name)
    described = registry.method(name)
    alone = result.with_(
        findings=(finding,),
        conclusions=conclude((finding,), {name: described}),
        heatmaps={k: v for k, v in result.heatmaps.items() if k == name},
    )
    found = {
        "score": finding.score,
        "decided": finding.decided,
        "seconds": finding.seconds,
        "status": str(finding.status),
    }
    if described.concludes == "integrity":
        found |= _pixels(alone, name, truth, untouched)
    if finding.status is Status.FAILED:
        found["failure"] = finding.reason
    return found


def _pixels(result: ScanResult, heat: str, truth: np.ndarray | None, untouched: bool) -> dict[str, Any]:
    """Pixel figures of the mask the scan would write, and of one of its maps."""
    if truth is None and not untouched:
        return {}
    maps = dict(grey_maps(result))
    claimed = maps["mask"] > 127
    if untouched:
        return {"alarm": float(claimed.mean())}
    found: dict[str, Any] = overlap(claimed, truth)
    best, level = best_threshold(maps[heat], truth) if heat in maps else (0.0, None)
    return {**found, "best_f1": best, "best_level": level}


def read_mask(path: str | Path, size: tuple[int, int]) -> np.ndarray:
    """(rows, cols) bool, brought to the size of the image where it has another."""
    with Image.open(path) as picture:
        grey = picture.convert("L")
        if grey.size != size[::-1]:
            grey = grey.resize(size[::-1], Image.Resampling.NEAREST)
        return np.array(grey) > 127


def encoding(evidence: Evidence) -> str:
    """The last encoding: the format, of JPEG with the class of its luma quality."""
    try:
        quality = ijg_quality(evidence.jpeg.quantization[0]).quality
    except EvidenceMissing:
        return evidence.format.upper()
    return next((name for limit, name in QUALITIES if quality < limit), "JPEG 95 and over")


def size_class(megapixels: float) -> str:
    """The class of an image's size."""
    return next(name for limit, name in SIZES if megapixels < limit)
