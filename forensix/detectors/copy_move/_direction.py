"""Which of two alike regions is the copy: traces weighed into a probability."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from forensix.signal.copied_region import CopiedRegion
from forensix.signal.copy_direction import direction_evidence

# From this probability on one side is named; from the second on, the other is left out of the mask.
TOLD = 0.8
SURE = 0.95


@dataclass(frozen=True)
class Direction:
    """Which side of a pair is the copy.

    second : probability that it is the second, the region's target; 0.5 says nothing
    """

    second: float

    @property
    def probability(self) -> float:
        """Of the likelier side, 0.5 to 1."""
        return max(self.second, 1 - self.second)

    @property
    def copy(self) -> str | None:
        """ "first" or "second"; None where it cannot be told."""
        if self.probability < TOLD:
            return None
        return "second" if self.second > 0.5 else "first"

    @property
    def sure(self) -> bool:
        return self.probability >= SURE


UNKNOWN = Direction(0.5)


def direction_of(image: np.ndarray, region: CopiedRegion) -> Direction:
    """Weigh the traces of pasting in both sides of a region.

    Parameters
    ----------
    image : (rows, cols) float32, 0-255
        At full size where possible: there the traces are.
    region : in pixels of the image
    """
    return weighed(direction_evidence(image, region))


def weighed(evidence: dict[str, float]) -> Direction:
    """The probability that traces as from :func:`direction_evidence` add up to.

    A logistic model without a constant, since exchanging the sides exchanges the answer;
    its probability stays within what its rate of errors on other cameras' photos supports.
    """
    model = _model()
    logit = sum(
        weight * math.tanh(evidence[name] / model["scales"][name])
        for name, weight in model["weights"].items()
    )
    limit = model["largest_logit"]
    return Direction(1 / (1 + math.exp(-min(max(logit, -limit), limit))))


@cache
def _model() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        files("forensix.models").joinpath("copy_direction.json").read_text("utf-8")
    )
    return loaded
