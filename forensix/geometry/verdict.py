"""What a geometric test says, and the frame in which it computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from forensix.finding import plain

NOISE = 2.0
ALARM = 0.01
RUNS = 1999
RESOLUTION = 20.0
LIMIT = 1e7
MAX_ITEMS = 60
MAX_RUNS = 20000


class Label(StrEnum):
    """The three answers. A wide wedge or too few points make it the last one."""

    CONSISTENT = "consistent"
    INCONSISTENT = "inconsistent"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Settings:
    """How a test is run; see :func:`forensix.geometry.shadows.shadow_consistency`."""

    shape: tuple[int, int] | None = None
    noise: float = NOISE
    runs: int = RUNS
    alarm: float = ALARM
    resolution: float = RESOLUTION
    seed: int = 0


@dataclass(frozen=True)
class Stroke:
    """Something to draw over the picture, in its pixels.

    kind : "line", "ray", "polygon", "point" or "text"
    points : (row, col) each; a ray starts at the first and goes beyond the second
    role : "given", "clash", "region", "fit" or "muted"
    """

    kind: str
    points: tuple[tuple[float, float], ...]
    role: str = "given"
    text: str = ""


@dataclass(frozen=True)
class Verdict:
    """The answer of one test on points given by an analyst.

    test : "shadows", "vanishing point", "same direction", "horizon", "reflection",
        "mirror foot" or "contour light"
    subject : what was tested, by the analyst's names
    p_value : how often noise of the points alone would look as inconsistent; None where
        the test has nothing to say
    false_alarm : the asked rate of false "inconsistent", the simulated one, and the runs
    clash : the smallest set, by name, that cannot hold together; empty unless inconsistent
    """

    test: str
    subject: str
    label: Label
    explanation: str
    p_value: float | None = None
    false_alarm: Mapping[str, Any] = field(default_factory=dict)
    clash: tuple[str, ...] = ()
    measurements: Mapping[str, Any] = field(default_factory=dict)
    reference: str = ""
    strokes: tuple[Stroke, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", Label(self.label))
        object.__setattr__(self, "false_alarm", plain(self.false_alarm))
        object.__setattr__(self, "measurements", plain(self.measurements))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; the strokes are not part of it."""
        return {
            "test": self.test,
            "subject": self.subject,
            "verdict": str(self.label),
            "p_value": self.p_value,
            "false_alarm": dict(self.false_alarm),
            "clash": list(self.clash),
            "explanation": self.explanation,
            "measurements": dict(self.measurements),
            "reference": self.reference,
        }


@dataclass(frozen=True, eq=False)
class Frame:
    """Image pixels to the frame of the computations: centred, half the diagonal long."""

    centre: np.ndarray
    scale: float

    @classmethod
    def of(cls, points: np.ndarray, shape: tuple[int, int] | None) -> Frame:
        """From the picture's rows and columns, or from the extent of the (N, 2) points."""
        if shape is not None:
            low, high = np.zeros(2), np.asarray(shape, dtype=float) - 1
        else:
            points = points if len(points) else np.zeros((1, 2))
            low, high = points.min(0), points.max(0)
        return cls((low + high) / 2, max(float(np.hypot(*(high - low))) / 2, 1e-6))

    def enter(self, points: np.ndarray) -> np.ndarray:
        inside: np.ndarray = (points - self.centre) / self.scale
        return inside

    def leave(self, points: np.ndarray) -> np.ndarray:
        outside: np.ndarray = points * self.scale + self.centre
        return outside

    def place(self, v: np.ndarray) -> tuple[float, float] | None:
        """Where a homogeneous point is in the picture's pixels; None far out or at infinity."""
        if abs(v[2]) * LIMIT < self.scale:
            return None
        at = self.leave(v[:2] / v[2])
        return (round(float(at[0]), 2), round(float(at[1]), 2)) if np.abs(at).max() < LIMIT else None


def bearing(v: np.ndarray) -> float:
    """Direction of a homogeneous point from the picture's centre.

    Degrees anticlockwise from the picture's right: 90 is up.
    """
    return round(float(np.degrees(np.arctan2(-v[0], v[1])) % 360), 2)


def spread_of(cloud: np.ndarray, v: np.ndarray, part: float = 0.95) -> float:
    """Half the angle, in degrees, that holds a part of the bearings of a cloud about that of v."""
    angles = np.arctan2(-cloud[:, 0], cloud[:, 1]) - np.arctan2(-v[0], v[1])
    return round(float(np.degrees(np.quantile(np.abs((angles + np.pi) % (2 * np.pi) - np.pi), part))), 2)


def said_p(p_value: float, runs: int) -> str:
    return f"p <= {p_value:.3g}" if p_value <= 1.5 / (runs + 1) else f"p = {p_value:.3g}"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Names for a sentence: "a", "a and b", "a, b and c"."""
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
