"""From a detector's score to a bounded likelihood ratio.

The weight of evidence of a finding is ``log10 P(score | changed) / P(score | untouched)``.
It is taken, per detector, from three counts on reference images: how often the score lies
at most at 0.5 (no decision), in the middle, and near 1, with one hit and one miss added to
each count so that no ratio claims more than so many images can support. Between the
three the weight is interpolated, through 0 at the score 0.5. For methods of integrity the
same is kept apart for each kind of change in the reference images, since a method that sees
one kind well says little about the others.

References
----------
Brümmer and du Preez, "Application-independent evaluation of speaker detection",
Computer Speech and Language 20, 2006. doi:10.1016/j.csl.2005.08.001
Vergeer et al., "Numerical likelihood ratios outputted by LR systems are often based on
extrapolation: when to stop extrapolating?", Science & Justice 56, 2016.
doi:10.1016/j.scijus.2016.06.003
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import resources
from itertools import pairwise

from forensix.errors import ParameterError
from forensix.finding import Finding

MODEL = "calibration.json"
MODEL_FILES = (".json", ".npz", ".onnx")
LIMIT = 4.0


@dataclass(frozen=True)
class Calibration:
    """Weights (log10 likelihood ratios) at the scores 0, 0.5, 0.75 and from 0.95 on.

    low, middle, high : the weight at the scores 0, 0.75 and 0.95; at 0.5 it is 0
    authentic, changed : how many images it was fitted on
    false_alarm_rate : fraction of those authentic images scored above 0.5
    kinds : (low, middle, high) for each kind of change, where they were told apart
    """

    low: float = -0.1
    middle: float = 0.3
    high: float = 1.3
    authentic: int = 0
    changed: int = 0
    false_alarm_rate: float | None = None
    kinds: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for low, middle, high in ((self.low, self.middle, self.high), *self.kinds.values()):
            if not -LIMIT <= low <= 0 <= middle <= high <= LIMIT:
                raise ParameterError("a calibration rises with the score, through 0, within 4 either way")

    def log10_lr(self, score: float) -> float:
        """The weight of evidence of one score (0 to 1)."""
        return _interpolated(score, (self.low, self.middle, self.high))

    def log10_lr_of(self, kind: str, score: float) -> float:
        """The weight of evidence of one score for a change of one kind against none."""
        return _interpolated(score, self.kinds.get(kind, (self.low, self.middle, self.high)))


def _interpolated(score: float, weights: tuple[float, float, float]) -> float:
    low, middle, high = weights
    knots = ((0.0, low), (0.5, 0.0), (0.75, middle), (0.95, high), (1.0, high))
    for (left, below), (right, above) in pairwise(knots):
        if score <= right:
            return round(below + (above - below) * (score - left) / (right - left), 4)
    return high


# A method without reference data may speak, but softly: at most "twenty times as likely". Its
# silence says next to nothing.
UNCALIBRATED = Calibration(low=-0.02)


@cache
def load_calibration() -> dict[str, Calibration]:
    """The shipped calibration of each detector, by name."""
    document = json.loads(_model_bytes())
    return {name: Calibration(**numbers) for name, numbers in document["detectors"].items()}


@cache
def model_hashes() -> dict[str, str]:
    """SHA-256 of every shipped model, for the document's ``tool.models``: what methods learned, and fusion."""
    folder = resources.files("forensix.models")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(MODEL_FILES))
    return {name: sha256(folder.joinpath(name).read_bytes()).hexdigest() for name in names}


@cache
def _model_bytes() -> bytes:
    return resources.files("forensix.models").joinpath(MODEL).read_bytes()


def calibrated(finding: Finding) -> Finding:
    """The finding with its ``log10_lr`` set from its score."""
    if finding.score is None:
        return finding
    calibration = load_calibration().get(finding.detector, UNCALIBRATED)
    return finding.with_(log10_lr=calibration.log10_lr(finding.score))
