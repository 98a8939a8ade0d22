"""What a detector says about an image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np

from forensix.errors import DocumentError, ParameterError

ROLES = ("source", "target", "tampered")


class Status(StrEnum):
    """How a detector's run ended: three different answers, never mixed."""

    RAN = "ran"
    NOT_APPLICABLE = "not-applicable"
    FAILED = "failed"


@dataclass(frozen=True)
class Region:
    """A connected part of the picture that a finding points at.

    box : (top, left, rows, cols), image pixels
    role : "source", "target" or "tampered"
    area : pixels inside the region, at most rows * cols
    """

    box: tuple[int, int, int, int]
    role: str
    area: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "box", tuple(int(v) for v in self.box))
        object.__setattr__(self, "area", int(self.area))
        if len(self.box) != 4 or min(self.box) < 0 or self.area < 0:
            raise ParameterError(f"a region's box is (top, left, rows, cols), got {self.box}")
        if self.role not in ROLES:
            raise ParameterError(f"a region's role is one of {ROLES}, got {self.role!r}")

    def to_dict(self) -> dict[str, Any]:
        return {"box": list(self.box), "role": self.role, "area": self.area}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Region:
        return cls(tuple(document["box"]), document["role"], document["area"])


@dataclass(frozen=True, eq=False)
class Heatmap:
    """Suspicion per cell of the image, on an absolute scale.

    values : (rows, cols) float32, read-only
        0 is consistent with an untouched image, 0.5 and below reads as nothing
        found, 1 is strong evidence of a change; NaN means that the cell could not
        be judged. A detector puts values above 0.5 only where it decides that
        the picture was changed.
    cell : int
        Side of one cell, in image pixels. Cell (i, j) covers the image rows
        ``i * cell`` to ``(i + 1) * cell - 1``; cells at the far edges may be cut.
    """

    values: np.ndarray
    cell: int = 1

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float32)
        if values.ndim != 2 or values.size == 0:
            raise ParameterError(f"heatmap values must be 2-D and not empty, got shape {values.shape}")
        if np.nanmin(values, initial=0) < 0 or np.nanmax(values, initial=1) > 1:
            raise ParameterError("heatmap values must lie within [0, 1] or be NaN")
        if self.cell < 1:
            raise ParameterError(f"a heatmap cell is at least 1 pixel, got {self.cell}")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Heatmap):
            return NotImplemented
        return self.cell == other.cell and np.array_equal(self.values, other.values, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]

    def full_size(self, rows: int, cols: int) -> np.ndarray:
        """Values for every pixel of a rows x cols image; float32, NaN where not judged."""
        return expand_cells(self.values, self.cell, rows, cols)


def expand_cells(cells: np.ndarray, cell: int, rows: int, cols: int) -> np.ndarray:
    """One value a pixel from one value a cell, for a rows x cols image.

    What the cells do not cover (an incomplete block at the far edge) takes the value
    of the nearest cell.
    """
    row = np.minimum(np.arange(rows) // cell, cells.shape[0] - 1)
    col = np.minimum(np.arange(cols) // cell, cells.shape[1] - 1)
    expanded: np.ndarray = cells[:, col][row]  # one axis at a time is five times as fast
    return expanded


@dataclass(frozen=True)
class Finding:
    """One detector's answer about one image.

    status : "ran", "not-applicable" (reason says why) or "failed" (reason is the error)
    score : 0 speaks for an untouched image, 0.5 says nothing, 1 speaks for tampering;
        None when the method ran and cannot tell, or did not run. Above 0.5 is the
        detector's own decision.
    log10_lr : calibrated weight of evidence, set by fusion; None without a score
    heatmap : where in the picture; kept beside the document, not inside it
    """

    detector: str
    family: str
    status: Status = Status.RAN
    reason: str | None = None
    score: float | None = None
    log10_lr: float | None = None
    explanation: str = ""
    measurements: Mapping[str, Any] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reference: str = ""
    seconds: float = 0.0
    heatmap: Heatmap | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", Status(self.status))
        object.__setattr__(self, "regions", tuple(self.regions))
        object.__setattr__(self, "measurements", plain(self.measurements))
        object.__setattr__(self, "parameters", plain(self.parameters))
        for name in ("score", "log10_lr"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, float(value))
        if self.score is not None and not 0 <= self.score <= 1:
            raise ParameterError(f"a score lies within [0, 1], got {self.score}")
        if self.status is not Status.RAN and (self.score is not None or not self.reason):
            raise ParameterError(f"a finding that is {self.status} has a reason and no score")

    @property
    def decided(self) -> bool:
        """True when the method's own decision is that there is something."""
        return self.score is not None and self.score > 0.5

    @property
    def speaks(self) -> bool:
        """True when the method ran and could tell something."""
        return self.score is not None

    def with_(self, **changes: Any) -> Finding:
        """A copy with some fields replaced."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        return {
            "detector": self.detector,
            "family": self.family,
            "status": str(self.status),
            "reason": self.reason,
            "score": self.score,
            "log10_lr": self.log10_lr,
            "explanation": self.explanation,
            "measurements": dict(self.measurements),
            "regions": [region.to_dict() for region in self.regions],
            "parameters": dict(self.parameters),
            "reference": self.reference,
            "seconds": self.seconds,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Finding:
        try:
            fields = dict(document)
            fields["regions"] = tuple(Region.from_dict(region) for region in fields["regions"])
            return cls(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise DocumentError(f"not a finding: {error}") from error


def plain(value: Any) -> Any:
    """The JSON form of a measurement: NumPy scalars and arrays become Python's own.

    Raises ParameterError for NaN and infinity, which JSON cannot say, and for
    anything JSON has no form for.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ParameterError("measurements must be finite; use None for what cannot be told")
        return value
    raise ParameterError(f"a measurement cannot be of type {type(value).__name__}")
