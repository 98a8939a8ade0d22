"""What the analyst marks: constraints on one light, lines of one direction, mirror images.

All points are (row, col) in pixels of the picture as it is stored; the centre of the first
pixel is (0, 0). Points may lie outside the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensix.errors import PointsError
from forensix.geometry.verdict import LIMIT, MAX_ITEMS, MAX_RUNS


@dataclass(frozen=True, eq=False)
class CastShadow:
    """A point on an object and its shadow.

    object, shadow : (1, 2), or (2, 2) where the point lies somewhere between two: the wedge
        between them is used
    questioned : the shadow whose agreement with the others is asked
    """

    name: str
    object: np.ndarray
    shadow: np.ndarray
    questioned: bool = False

    def __post_init__(self) -> None:
        for field in ("object", "shadow"):
            object.__setattr__(self, field, points_of(getattr(self, field), f"{self.name}: {field}", 1, 2))


@dataclass(frozen=True, eq=False)
class AttachedShadow:
    """The end of the light on an object's outline: the tangent there, and its lit side.

    edge : (2, 2), two points of the tangent to the occluding contour
    lit : (2,), a point on the side of the tangent on which the light must be
    """

    name: str
    edge: np.ndarray
    lit: np.ndarray
    questioned: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "edge", points_of(self.edge, f"{self.name}: edge", 2, 2))
        object.__setattr__(self, "lit", points_of([self.lit], f"{self.name}: lit", 1, 1)[0])


@dataclass(frozen=True, eq=False)
class Direction:
    """Lines that are parallel in the scene: (N, 2, 2), the two ends of each."""

    name: str
    lines: np.ndarray

    def __post_init__(self) -> None:
        if not hasattr(self.lines, "__len__"):
            raise PointsError(f"{self.name}: lines are a list of pairs of points")
        _counted(len(self.lines), f"{self.name}: lines")
        lines = [points_of(line, f"{self.name}: line {k}", 2, 2) for k, line in enumerate(self.lines, 1)]
        if not lines:
            raise PointsError(f"{self.name}: lines are missing")
        object.__setattr__(self, "lines", np.array(lines))


@dataclass(frozen=True, eq=False)
class MirrorPair:
    """A point and its mirror image, (2,) each.

    foot : the point stands on a plane at right angles to the mirror (a floor before a wall
        mirror): halfway points of such pairs lie on one line, the foot of the mirror
    questioned : the pair whose agreement with the others is asked
    """

    name: str
    object: np.ndarray
    image: np.ndarray
    foot: bool = False
    questioned: bool = False

    def __post_init__(self) -> None:
        for field in ("object", "image"):
            object.__setattr__(
                self, field, points_of([getattr(self, field)], f"{self.name}: {field}", 1, 1)[0]
            )


@dataclass(frozen=True, eq=False)
class Contour:
    """Points along an occluding contour, in order, and a point on the object's side of it.

    points : (N, 2), N >= 5; the curve through them is smoothed between
    inside : (2,)
    """

    name: str
    points: np.ndarray
    inside: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", points_of(self.points, f"{self.name}: points", 5, 500))
        object.__setattr__(self, "inside", points_of([self.inside], f"{self.name}: inside", 1, 1)[0])


def points_of(value: Any, what: str, least: int, most: int) -> np.ndarray:
    """(N, 2) float64, read-only; PointsError for anything that is no list of sound points."""
    try:
        points = np.array(value, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise PointsError(f"{what}: a point is two numbers") from error
    if points.ndim != 2 or points.shape[1] != 2 or not least <= len(points) <= most:
        many = f"{least}" if least == most else f"{least} to {most}"
        raise PointsError(f"{what}: wanted {many} point{'s' if most > 1 else ''} of two numbers each")
    if not np.isfinite(points).all() or np.abs(points).max() > LIMIT:
        raise PointsError(f"{what}: coordinates are finite and within {LIMIT:.0f} px")
    points.flags.writeable = False
    return points


def _counted(number: int, what: str) -> None:
    if number > MAX_ITEMS:
        raise PointsError(f"{what}: at most {MAX_ITEMS}, got {number}")


def checked(items: Sequence[Any], kinds: tuple[type, ...], what: str) -> list[Any]:
    """The items as a list; PointsError where there are none, too many, or of another kind."""
    items = list(items)
    _counted(len(items), what)
    for item in items:
        if not isinstance(item, kinds):
            raise PointsError(
                f"{what} are of {' or '.join(k.__name__ for k in kinds)}, got {type(item).__name__}"
            )
    names = [item.name for item in items]
    if len(set(names)) < len(names):
        raise PointsError(f"{what}: two have the name {next(n for n in names if names.count(n) > 1)!r}")
    return items


def checked_settings(noise: float, shape: tuple[int, int] | None, runs: int, alarm: float) -> None:
    """PointsError for settings no test can use."""
    if not (np.isfinite(noise) and 0.01 <= noise <= 1000):
        raise PointsError(f"noise is 0.01 to 1000 px, got {noise}")
    if shape is not None and (len(shape) != 2 or min(shape) < 1 or max(shape) > LIMIT):
        raise PointsError(f"the picture's shape is (rows, cols), got {shape}")
    if not (1e-4 <= alarm <= 0.2 and 2 / alarm <= runs + 1 <= MAX_RUNS + 1):
        raise PointsError(
            f"alarm is 0.0001 to 0.2 and runs 2 / alarm to {MAX_RUNS}, got {alarm:g} and {runs}"
        )
