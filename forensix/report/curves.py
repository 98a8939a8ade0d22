"""Curves that a finding measured, as lines to draw: the picture's own over the band of reference pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from forensix.finding import Finding

# Of a measurement: a list of mappings with name, title, unit, frequencies, values, low, middle, high and
# perhaps law, as forensix.detectors.synthetic.curves writes them.
MEASUREMENT = "curves"
WIDTH, HEIGHT = 320.0, 170.0  # of the place between the axes

Point = tuple[float, float]


@dataclass(frozen=True)
class Plot:
    """One curve, in a place WIDTH wide and HEIGHT high, rows counted downwards.

    title, unit : what is shown, and in what the values are
    band : outline of what 90 of 100 reference pictures show
    lines : name to points: "this picture", "middle of photos", "fitted law"
    left, right : ends of the axis of frequency, cycles per pixel
    bottom, top : ends of the axis of values
    """

    title: str
    unit: str
    band: tuple[Point, ...]
    lines: Mapping[str, tuple[Point, ...]]
    left: float
    right: float
    bottom: float
    top: float


def plots(finding: Finding) -> list[Plot]:
    """The curves of a finding, those left out that a reader could not draw."""
    told = finding.measurements.get(MEASUREMENT, [])
    drawn = [_plot(curve) for curve in told if isinstance(curve, Mapping)] if isinstance(told, list) else []
    return [plot for plot in drawn if plot is not None]


def without_curves(measurements: Mapping[str, Any]) -> dict[str, Any]:
    """The measurements that a table shows."""
    return {name: value for name, value in measurements.items() if name != MEASUREMENT}


def as_text(points: tuple[Point, ...]) -> str:
    """Points as SVG wants them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _plot(curve: Mapping[str, Any]) -> Plot | None:
    at = _numbers(curve, "frequencies")
    low, high, own = (_numbers(curve, name) for name in ("low", "high", "values"))
    if len(at) < 2 or not len(at) == len(low) == len(high) == len(own) or at[0] >= at[-1]:
        return None
    bottom, top = min(chain(low, own)), max(chain(high, own))
    span = top - bottom or 1.0
    bottom, top = bottom - 0.05 * span, top + 0.05 * span

    def placed(values: list[float]) -> Iterator[Point]:
        for x, y in zip(at, values, strict=True):
            inside = min(max(y, bottom), top)
            yield WIDTH * (x - at[0]) / (at[-1] - at[0]), HEIGHT * (top - inside) / (top - bottom)

    others = {"middle of photos": _numbers(curve, "middle"), "fitted law": _numbers(curve, "law")}
    lines = {name: tuple(placed(values)) for name, values in others.items() if len(values) == len(at)}
    lines["this picture"] = tuple(placed(own))
    band = (*placed(high), *reversed(tuple(placed(low))))
    title, unit = str(curve.get("title", "")), str(curve.get("unit", ""))
    return Plot(title, unit, band, lines, at[0], at[-1], bottom, top)


def _numbers(curve: Mapping[str, Any], name: str) -> list[float]:
    values = curve.get(name)
    if not isinstance(values, list) or not all(isinstance(v, (int, float)) for v in values):
        return []
    return [float(v) for v in values]
