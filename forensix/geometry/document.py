"""The file of marked points: read and checked.

Its form is published as ``forensix/schema/points-1.json``; the form of the answers as
``forensix/schema/geometry-1.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from forensix.errors import PointsError
from forensix.geometry.points import (
    AttachedShadow,
    CastShadow,
    Contour,
    Direction,
    MirrorPair,
    checked_settings,
)
from forensix.geometry.verdict import ALARM, MAX_ITEMS, NOISE, RUNS

POINTS_SCHEMA = "forensix.points/1"
MAX_BYTES = 4_000_000
_TOP = {
    "schema",
    "axes",
    "noise",
    "picture",
    "note",
    "shadows",
    "directions",
    "horizon",
    "mirrors",
    "contours",
}


@dataclass(frozen=True, eq=False)
class MarkedPoints:
    """What a file of points holds, in (row, col).

    mirrors : the pairs of each mirror, by its name
    same_as : name of a direction -> the one it is said to be parallel to
    """

    shadows: tuple[CastShadow | AttachedShadow, ...] = ()
    directions: tuple[Direction, ...] = ()
    same_as: Mapping[str, str] | None = None
    horizon: tuple[str, ...] = ()
    mirrors: Mapping[str, tuple[MirrorPair, ...]] | None = None
    contours: tuple[Contour, ...] = ()
    noise: float = NOISE
    shape: tuple[int, int] | None = None


def read_points(text: str | bytes) -> MarkedPoints:
    """Read a JSON document of points; PointsError, on one line, for what is wrong with it."""
    if len(text) > MAX_BYTES:
        raise PointsError(f"a file of points has at most {MAX_BYTES} bytes, this one {len(text)}")
    try:
        document = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise PointsError(f"not JSON: {' '.join(str(error).split())}") from error
    _keys(document, "the document", _TOP, {"schema"})
    if document["schema"] != POINTS_SCHEMA:
        raise PointsError(f"schema: wanted {POINTS_SCHEMA!r}, got {document['schema']!r}")
    axes = document.get("axes", "row-col")
    if axes not in ("row-col", "x-y"):
        raise PointsError(f"axes: 'row-col' or 'x-y', got {axes!r}")
    points = _Reader(flip=axes == "x-y").read(document)
    checked_settings(points.noise, points.shape, RUNS, ALARM)
    return points


def _no_number(name: str) -> float:
    raise PointsError(f"{name} is not a number that JSON knows")


def _keys(value: Any, what: str, known: set[str], needed: set[str]) -> None:
    if not isinstance(value, dict):
        raise PointsError(f"{what}: wanted an object, got {_kind(value)}")
    for key in sorted(needed - set(value)):
        raise PointsError(f"{what}: {key!r} is missing")
    for key in value:
        if key not in known:
            raise PointsError(f"{what}: {key!r} is not known; known are {', '.join(sorted(known))}")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


@dataclass(frozen=True)
class _Reader:
    flip: bool

    def read(self, document: Mapping[str, Any]) -> MarkedPoints:
        directions, same_as = self._directions(document)
        shape = None
        if "picture" in document:
            _keys(document["picture"], "picture", {"rows", "cols"}, {"rows", "cols"})
            shape = tuple(self._whole(document["picture"][k], f"picture.{k}") for k in ("rows", "cols"))
        if not isinstance(document.get("note", ""), str):
            raise PointsError("note: wanted text")
        return MarkedPoints(
            shadows=tuple(self._list(document, "shadows", self._shadow)),
            directions=directions,
            same_as=same_as,
            horizon=self._horizon(document, directions),
            mirrors=self._mirrors(document),
            contours=tuple(self._list(document, "contours", self._contour)),
            noise=self._number(document.get("noise", NOISE), "noise"),
            shape=shape,  # type: ignore[arg-type]
        )

    def _list(self, document: Mapping[str, Any], key: str, make: Callable[[Any, str], Any]) -> list[Any]:
        items = document.get(key, [])
        if not isinstance(items, list) or len(items) > MAX_ITEMS:
            raise PointsError(f"{key}: wanted a list of at most {MAX_ITEMS}")
        return [make(item, f"{key}[{k}]") for k, item in enumerate(items)]

    def _shadow(self, item: Any, what: str) -> CastShadow | AttachedShadow:
        kind = item.get("kind", "cast") if isinstance(item, dict) else "cast"
        if kind not in ("cast", "attached"):
            raise PointsError(f"{what}.kind: 'cast' or 'attached', got {kind!r}")
        own = {"object", "shadow"} if kind == "cast" else {"edge", "lit"}
        _keys(item, what, {"name", "kind", "questioned", "note"} | own, {"name"} | own)
        name, questioned = self._name(item, what), self._flag(item, "questioned", what)
        if kind == "cast":
            near, far = (self._points(item[k], f"{what}.{k}", 1, 2) for k in ("object", "shadow"))
            return CastShadow(name, near, far, questioned)
        edge = self._points(item["edge"], f"{what}.edge", 2, 2)
        return AttachedShadow(name, edge, self._point(item["lit"], f"{what}.lit"), questioned)

    def _directions(self, document: Mapping[str, Any]) -> tuple[tuple[Direction, ...], dict[str, str]]:
        same_as: dict[str, str] = {}

        def make(item: Any, what: str) -> Direction:
            _keys(item, what, {"name", "lines", "same_as", "note"}, {"name", "lines"})
            name = self._name(item, what)
            if "same_as" in item:
                if not isinstance(item["same_as"], str):
                    raise PointsError(f"{what}.same_as: wanted the name of a direction")
                same_as[name] = item["same_as"]
            if not isinstance(item["lines"], list) or not 1 <= len(item["lines"]) <= MAX_ITEMS:
                raise PointsError(f"{what}.lines: wanted a list of 1 to {MAX_ITEMS} lines")
            lines = [self._points(line, f"{what}.lines[{k}]", 2, 2) for k, line in enumerate(item["lines"])]
            return Direction(name, np.array(lines))

        directions = tuple(self._list(document, "directions", make))
        names = {d.name for d in directions}
        for name, other in same_as.items():
            if other not in names - {name}:
                raise PointsError(
                    f"directions: {name!r} is said to be the same as {other!r}, which is not there"
                )
        return directions, same_as

    def _horizon(self, document: Mapping[str, Any], directions: Sequence[Direction]) -> tuple[str, ...]:
        names = document.get("horizon", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise PointsError("horizon: wanted a list of names of directions")
        known = {d.name for d in directions}
        for name in names:
            if name not in known:
                raise PointsError(f"horizon: there is no direction {name!r}")
        if len(set(names)) < len(names):
            raise PointsError("horizon: a direction is named twice")
        return tuple(names)

    def _mirrors(self, document: Mapping[str, Any]) -> dict[str, tuple[MirrorPair, ...]]:
        mirrors: dict[str, tuple[MirrorPair, ...]] = {}

        def pair(item: Any, what: str) -> MirrorPair:
            known = {"name", "object", "image", "foot", "questioned", "note"}
            _keys(item, what, known, {"name", "object", "image"})
            near, far = (self._point(item[k], f"{what}.{k}") for k in ("object", "image"))
            foot, questioned = (self._flag(item, k, what) for k in ("foot", "questioned"))
            return MirrorPair(self._name(item, what), near, far, foot, questioned)

        def mirror(item: Any, what: str) -> None:
            _keys(item, what, {"name", "pairs", "note"}, {"name", "pairs"})
            name = self._name(item, what)
            if name in mirrors:
                raise PointsError(f"mirrors: two have the name {name!r}")
            inner = {"pairs": item["pairs"]}
            mirrors[name] = tuple(self._list(inner, "pairs", lambda one, at: pair(one, f"{what}.{at}")))

        self._list(document, "mirrors", mirror)
        return mirrors

    def _contour(self, item: Any, what: str) -> Contour:
        _keys(item, what, {"name", "points", "inside", "note"}, {"name", "points", "inside"})
        points = self._points(item["points"], f"{what}.points", 5, 500)
        return Contour(self._name(item, what), points, self._point(item["inside"], f"{what}.inside"))

    def _name(self, item: Mapping[str, Any], what: str) -> str:
        name = item["name"]
        if not isinstance(name, str) or not 1 <= len(name) <= 80:
            raise PointsError(f"{what}.name: wanted text of 1 to 80 characters")
        return name

    def _flag(self, item: Mapping[str, Any], key: str, what: str) -> bool:
        flag = item.get(key, False)
        if not isinstance(flag, bool):
            raise PointsError(f"{what}.{key}: true or false, got {flag!r}")
        return flag

    def _whole(self, value: Any, what: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10_000_000:
            raise PointsError(f"{what}: wanted a whole number from 1 to 10000000")
        return value

    def _number(self, value: Any, what: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise PointsError(f"{what}: wanted a number, got {_kind(value)}")
        if abs(value) > 1e7 or not math.isfinite(value):
            raise PointsError(f"{what}: {value!r:.40} is out of range (at most 10000000 either way)")
        return float(value)

    def _point(self, value: Any, what: str) -> np.ndarray:
        if not isinstance(value, list) or len(value) != 2:
            raise PointsError(f"{what}: a point is a list of two numbers")
        first, second = (self._number(number, f"{what}[{k}]") for k, number in enumerate(value))
        return np.array((second, first) if self.flip else (first, second))

    def _points(self, value: Any, what: str, least: int, most: int) -> np.ndarray:
        if not isinstance(value, list) or not least <= len(value) <= most:
            many = f"{least}" if least == most else f"{least} to {most}"
            raise PointsError(f"{what}: wanted a list of {many} points")
        return np.array([self._point(point, f"{what}[{k}]") for k, point in enumerate(value)])


def points_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a file of points."""
    return _schema("points-1.json")


def geometry_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the answers."""
    return _schema("geometry-1.json")


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(resources.files("forensix.schema").joinpath(name).read_text("utf-8"))
    return schema
