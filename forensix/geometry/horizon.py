"""The horizon: directions that lie in one plane vanish on one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from forensix.geometry.agreement import Calibration, calibrated, noticed
from forensix.geometry.collinear import common_line, covariances, moved_onto
from forensix.geometry.concurrence import Constraints, costs_of, fulfilled, meeting_point, simulated
from forensix.geometry.concurrent import lines_of, long_enough
from forensix.geometry.points import Direction, checked, checked_settings
from forensix.geometry.verdict import (
    ALARM,
    NOISE,
    RESOLUTION,
    RUNS,
    Frame,
    Label,
    Settings,
    Stroke,
    Verdict,
    listed,
    said_p,
)

REFERENCE = "Hartley, Zisserman 2004, section 8.6, 10.1017/CBO9780511811685"
TURNS = np.concatenate([np.arange(0.5, 10, 0.5), np.arange(10, 46, 1.0)])


def horizon_consistency(
    directions: Sequence[Direction],
    *,
    shape: tuple[int, int] | None = None,
    noise: float = NOISE,
    runs: int = RUNS,
    alarm: float = ALARM,
    resolution: float = RESOLUTION,
    seed: int = 0,
) -> Verdict:
    """Test that the vanishing points of coplanar directions lie on one line.

    directions : three or more, each of two lines or more, all parallel to one plane (edges
        of things that lie on flat ground, and of the ground itself)
    The measurements hold the horizon's tilt in degrees (0 is level, anticlockwise) and its
    row at the middle column. Parameters and errors as in
    :func:`forensix.geometry.shadows.shadow_consistency`.

    References
    ----------
    .. [1] R. Hartley and A. Zisserman, "Multiple View Geometry", 2nd ed., section 8.6.
       DOI 10.1017/CBO9780511811685
    """
    items = checked(directions, (Direction,), "directions")
    checked_settings(noise, shape, runs, alarm)
    everything: np.ndarray = np.concatenate([d.lines.reshape(-1, 2) for d in items] or [np.zeros((1, 2))])
    frame = Frame.of(everything, shape)
    used, sets = [], []
    for direction in items:
        lines = direction.lines[long_enough(direction.lines, noise)]
        if len(lines) > 1:
            used.append(direction)
            sets.append(lines_of(lines, frame, noise))
    left_out = [d.name for d in items if d not in used]
    tail = f"; {listed(left_out)} left out, fewer than two lines long enough" if left_out else ""
    facts: dict[str, Any] = {"directions": len(used), "left_out": left_out, "noise_px": noise}
    names = [d.name for d in used]
    if len(used) < 3:
        text = f"It cannot be told: a horizon wants three directions or more, {len(used)} can be used{tail}."
        return Verdict(
            "horizon", listed(names), Label.CANNOT_TELL, text, measurements=facts, reference=REFERENCE
        )
    return _tested(
        used,
        sets,
        frame,
        settings=Settings(shape, noise, runs, alarm, resolution, seed),
        facts=facts,
        tail=tail,
    )


def _tested(
    used: list[Direction],
    sets: list[Constraints],
    frame: Frame,
    *,
    settings: Settings,
    facts: dict[str, Any],
    tail: str,
) -> Verdict:
    places = np.array([meeting_point(lines)[0] for lines in sets])
    spread = np.array([covariances(c, v[None], c.points[None])[0] for c, v in zip(sets, places, strict=True)])
    line, cost = common_line(places[None], spread[None])
    exact = moved_onto(line[0], places, spread)
    generator = np.random.default_rng(settings.seed)
    under, fresh = (
        common_line(*_estimated(sets, exact, settings.runs, generator), start=line[0])[1] for _ in range(2)
    )
    rates = calibrated(float(cost[0]), under, fresh, settings.alarm)
    turns = [_noticeable(sets, exact, line[0], g, rates.critical) for g in range(len(sets))]
    names = [d.name for d in used]
    facts |= _horizon(line[0], frame) | {
        "statistic": round(rates.statistic, 4),
        "critical": round(rates.critical, 4),
        "noticeable_turn_deg": dict(zip(names, turns, strict=True)),
        "vanishing_points": {name: frame.place(v) for name, v in zip(names, places, strict=True)},
    }
    label, text = _sentence(listed(names), rates, turns, settings)
    return Verdict(
        test="horizon",
        subject=listed(names),
        label=label,
        explanation=f"{text}{tail}.",
        p_value=rates.p_value,
        false_alarm={"asked": settings.alarm, "simulated": rates.alarm_rate, "runs": settings.runs},
        measurements=facts,
        reference=REFERENCE,
        strokes=_strokes(used, places, line[0], frame, label),
    )


def _sentence(
    who: str, rates: Calibration, turns: list[float | None], settings: Settings
) -> tuple[Label, str]:
    p = said_p(rates.p_value, settings.runs)
    if rates.disagrees:
        return Label.INCONSISTENT, f"The vanishing points of {who} do not lie on one horizon ({p})"
    start = f"{who} may have one horizon ({p})"
    known = [turn for turn in turns if turn is not None and turn <= settings.resolution]
    if len(known) < len(turns):
        return Label.CANNOT_TELL, (
            f"{start}, but it cannot be told: one of them could be turned by more than {settings.resolution:g} "
            "degrees without being noticed"
        )
    return Label.CONSISTENT, (
        f"{start}; a direction turned by {max(known):g} degrees or more in the picture would have been noticed "
        "nine times in ten"
    )


def _estimated(
    sets: list[Constraints], exact: np.ndarray, runs: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Vanishing points and covariances of simulations: (runs, G, 3) and (runs, G, 3, 3)."""
    places, spreads = [], []
    for lines, v in zip(sets, exact, strict=True):
        points = simulated(lines, v, runs, generator)
        place, _ = costs_of(lines, points, v)
        places.append(place)
        spreads.append(covariances(lines, place, points))
    return np.stack(places, axis=1), np.stack(spreads, axis=1)


def _noticeable(
    sets: list[Constraints], exact: np.ndarray, line: np.ndarray, turned: int, critical: float
) -> float | None:
    """The smallest turn of one direction's lines whose expected statistic is clearly critical."""
    smallest = []
    for sign in (1, -1):
        places, spreads = [], []
        for g, (lines, v) in enumerate(zip(sets, exact, strict=True)):
            still = lines.with_points(fulfilled(lines, v))
            points = np.repeat(still.points[None], len(TURNS), axis=0)
            if g == turned:
                points = _turned(points, sign * np.radians(TURNS))
            place, _ = costs_of(still, points, v)
            places.append(place)
            spreads.append(covariances(still, place, points))
        _, cost = common_line(np.stack(places, axis=1), np.stack(spreads, axis=1), start=line)
        seen = np.flatnonzero(noticed(cost, critical))
        smallest.append(TURNS[seen[0]] if len(seen) else np.inf)
    worst = float(max(smallest))
    return worst if np.isfinite(worst) else None


def _turned(points: np.ndarray, angles: np.ndarray) -> np.ndarray:
    middle = points[0].mean(0)
    arm = points - middle
    c, s = np.cos(angles)[:, None], np.sin(angles)[:, None]
    return np.asarray(
        np.stack([c * arm[..., 0] - s * arm[..., 1], s * arm[..., 0] + c * arm[..., 1]], axis=-1) + middle
    )


def _horizon(line: np.ndarray, frame: Frame) -> dict[str, Any]:
    """Tilt and height of a line; the row is None where it is upright or far away."""
    tilt = float(np.degrees(np.arctan2(line[1], line[0])))
    tilt = (tilt + 90) % 180 - 90
    row = None
    if abs(line[0]) > 1e-9 and abs(line[2] / line[0]) < 1e4:
        row = round(float(frame.leave(np.array([-line[2] / line[0], 0.0]))[0]), 2)
    return {"horizon_tilt_deg": round(tilt, 3), "horizon_row": row}


def _strokes(
    used: list[Direction], places: np.ndarray, line: np.ndarray, frame: Frame, label: Label
) -> tuple[Stroke, ...]:
    strokes = []
    for direction, v in zip(used, places, strict=True):
        for pair in direction.lines:
            strokes.append(Stroke("line", tuple((float(r), float(c)) for r, c in pair), "given"))
        if at := frame.place(v):
            strokes.append(Stroke("point", (at,), "fit", direction.name))
    normal = line[:2]
    size = float(np.hypot(*normal))
    if size > 1e-6:
        foot = -line[2] * normal / size**2
        along = np.array([-normal[1], normal[0]]) / size * 50
        ends = frame.leave(np.array([foot - along, foot + along]))
        role = "clash" if label is Label.INCONSISTENT else "region"
        strokes.append(Stroke("line", tuple((float(r), float(c)) for r, c in ends), role))
    return tuple(strokes)
