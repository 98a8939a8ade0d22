"""From a detector's score to a bounded likelihood ratio.

The weight of evidence of a finding is ``log10 P(score | tampered) / P(score | untouched)``.
It is modelled, per detector, as a line in the score's log-odds (logistic calibration)
and cut off at bounds that the reference data can support: with n authentic photos and
no false alarm among them, no method may claim much more than log10(n).

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
import math
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources

from forensix.errors import ParameterError
from forensix.finding import Finding

MODEL = "calibration.json"
LIMIT = 4.0


@dataclass(frozen=True)
class Calibration:
    """log10 LR = intercept + slope * log10(score / (1 - score)), within [lowest, highest].

    authentic, tampered : how many images it was fitted on
    false_alarm_rate : fraction of those authentic images scored above 0.5
    """

    intercept: float = 0.0
    slope: float = 1.0
    lowest: float = -0.1
    highest: float = 1.3
    authentic: int = 0
    tampered: int = 0
    false_alarm_rate: float | None = None

    def __post_init__(self) -> None:
        if self.slope < 0 or not -LIMIT <= self.lowest <= 0 <= self.highest <= LIMIT:
            raise ParameterError("a calibration rises with the score and has bounds around 0 within 4")

    def log10_lr(self, score: float) -> float:
        """The weight of evidence of one score (0 to 1), within the bounds."""
        inside = min(max(score, 1e-6), 1 - 1e-6)
        line = self.intercept + self.slope * math.log10(inside / (1 - inside))
        return round(min(max(line, self.lowest), self.highest), 4)


# A method without reference data may speak, but softly: at most "twenty times as likely".
UNCALIBRATED = Calibration()


@cache
def load_calibration() -> dict[str, Calibration]:
    """The shipped calibration of each detector, by name."""
    document = json.loads(_model_bytes())
    return {name: Calibration(**numbers) for name, numbers in document["detectors"].items()}


def model_hashes() -> dict[str, str]:
    """SHA-256 of every model file that fusion reads, for the document's ``tool.models``."""
    return {MODEL: sha256(_model_bytes()).hexdigest()}


@cache
def _model_bytes() -> bytes:
    return resources.files("forensix.models").joinpath(MODEL).read_bytes()


def calibrated(finding: Finding) -> Finding:
    """The finding with its ``log10_lr`` set from its score."""
    if finding.score is None:
        return finding
    calibration = load_calibration().get(finding.detector, UNCALIBRATED)
    return finding.with_(log10_lr=calibration.log10_lr(finding.score))
