"""The test that parallel edges and mirror images share: do lines meet in one point?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensix.geometry.agreement import Agreement, noticeable_turns, one_point, same_point
from forensix.geometry.concurrence import LINE, Constraints
from forensix.geometry.verdict import (
    Frame,
    Label,
    Settings,
    Stroke,
    Verdict,
    bearing,
    listed,
    said_p,
    spread_of,
)

TOO_CLOSE = 4.0  # times the noise: points nearer than this give no direction


@dataclass(frozen=True)
class Wording:
    """What a test is called: its name, its lines, and what they do if all is well."""

    test: str
    one: str
    many: str
    agree: str
    reference: str


def lines_of(lines: np.ndarray, frame: Frame, noise: float) -> Constraints:
    """Constraints that the lines through (K, 2, 2) pairs of points meet."""
    count = len(lines)
    number = np.arange(count)
    points = frame.enter(lines.reshape(-1, 2))
    kind = np.full(count, LINE)
    return Constraints(points, 2 * number, 2 * number + 1, number, kind, np.ones(count), noise / frame.scale)


def long_enough(lines: np.ndarray, noise: float) -> np.ndarray:
    """(K,) bool: the points of a line are far enough apart to give it a direction."""
    far: np.ndarray = np.hypot(*(lines[:, 1] - lines[:, 0]).T) >= TOO_CLOSE * noise
    return far


def meeting(
    lines: np.ndarray,
    names: Sequence[str],
    questioned: np.ndarray | None,
    wording: Wording,
    settings: Settings,
) -> Verdict:
    """Test that (K, 2, 2) lines meet in one point, or that the questioned ones meet there too."""
    frame = Frame.of(lines.reshape(-1, 2), settings.shape)
    keep = long_enough(lines, settings.noise)
    left_out = [name for name, kept in zip(names, keep, strict=True) if not kept]
    used, names = lines[keep], [name for name, kept in zip(names, keep, strict=True) if kept]
    asked = questioned[keep] if questioned is not None else None
    constraints = lines_of(used, frame, settings.noise)
    tail = f"; {listed(left_out)} left out, too short for the noise" if left_out else ""
    facts: dict[str, Any] = {"lines": len(used), "left_out": left_out, "noise_px": settings.noise}
    why = _too_few(len(used), asked, wording)
    if why:
        return Verdict(
            wording.test, listed(names), Label.CANNOT_TELL, f"It cannot be told: {why}{tail}.",
            measurements=facts, reference=wording.reference, strokes=tuple(_drawn(lines, "given")),
        )  # fmt: skip
    found, label, text = _tested(constraints, names, asked, wording, settings=settings, facts=facts)
    facts |= {
        "meeting_point": frame.place(found.v),
        "axis_deg": bearing(found.v) % 180,
        "axis_spread_deg": spread_of(_same_side(found.cloud, found.v), found.v),
        "region_95": _region(found, frame),
    }
    return Verdict(
        test=wording.test,
        subject=listed(names),
        label=label,
        explanation=f"{text}{tail}.",
        p_value=found.p_value,
        false_alarm={"asked": settings.alarm, "simulated": found.alarm_rate, "runs": settings.runs},
        measurements=facts,
        reference=wording.reference,
        strokes=_strokes(used, found, frame, asked, label),
    )


def _too_few(count: int, asked: np.ndarray | None, wording: Wording) -> str:
    if asked is None:
        return (
            ""
            if count > 2
            else f"any {count} {wording.many} meet"
            if count > 1
            else f"{count} {wording.one} is left"
        )
    if (~asked).sum() < 2:
        return f"fewer than two {wording.many} to compare with"
    return "" if asked.any() else f"no questioned {wording.one} is left"


def _tested(
    constraints: Constraints,
    names: Sequence[str],
    asked: np.ndarray | None,
    wording: Wording,
    *,
    settings: Settings,
    facts: dict[str, Any],
) -> tuple[Agreement, Label, str]:
    run: dict[str, Any] = {"runs": settings.runs, "alarm": settings.alarm, "seed": settings.seed}
    who = f"the {constraints.count} {wording.many}"
    if asked is not None:
        who = listed([name for name, one in zip(names, asked, strict=True) if one])
        # Two tests share the false-alarm rate.
        run["alarm"] = settings.alarm / 2
        others = constraints.subset(np.flatnonzero(~asked))
        if others.count > 2:
            found = one_point(others, **run)
            if found.disagrees:
                p = said_p(found.p_value, settings.runs)
                return (
                    found,
                    Label.INCONSISTENT,
                    f"Without {who}, the {wording.many} do not {wording.agree} ({p})",
                )
    found = one_point(constraints, **run) if asked is None else same_point(constraints, asked, **run)
    p = said_p(found.p_value, settings.runs)
    turns = noticeable_turns(constraints, found, questioned=asked, as_one=True)
    facts["statistic"], facts["critical"] = round(found.statistic, 4), round(found.critical, 4)
    facts["noticeable_turn_deg"] = [None if np.isnan(turn) else float(turn) for turn in turns]
    agree = wording.agree if asked is None else f"{wording.agree} with the others"
    does = "does" if asked is not None and asked.sum() == 1 else "do"
    if found.disagrees:
        return found, Label.INCONSISTENT, f"{who[0].upper()}{who[1:]} {does} not {agree} ({p})"
    known = turns[turns <= settings.resolution]
    start = f"{who[0].upper()}{who[1:]} may {agree} ({p})"
    if len(known) < (min(3, len(turns))):
        more = f"could be turned by more than {settings.resolution:g} degrees without being noticed"
        return (
            found,
            Label.CANNOT_TELL,
            f"{start}, but it cannot be told: {'it' if does == 'does' else 'they'} {more}",
        )
    return (
        found,
        Label.CONSISTENT,
        (f"{start}; a turn of {known.max():g} degrees or more would have been noticed nine times in ten"),
    )


def _same_side(cloud: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A cloud of points of the projective plane, signed like ``v``."""
    signed: np.ndarray = cloud * np.where(cloud @ v < 0, -1.0, 1.0)[:, None]
    return signed


def _region(found: Agreement, frame: Frame) -> list[tuple[float, float]] | None:
    """A polygon that holds 95 % of the simulated points; None where it reaches infinity."""
    near = _near(found)
    if np.abs(near[:, 2]).min() < 1e-6 or (np.sign(near[:, 2]) != np.sign(near[0, 2])).any():
        return None
    from scipy.spatial import ConvexHull, QhullError

    at = frame.leave(near[:, :2] / near[:, 2:])
    try:
        return [(round(float(r), 2), round(float(c), 2)) for r, c in at[ConvexHull(at).vertices]]
    except QhullError:
        return None


def _near(found: Agreement) -> np.ndarray:
    """The 95 % of the cloud nearest to its middle, by Mahalanobis distance on the sphere."""
    from forensix.geometry.concurrence import tangents

    cloud = _same_side(found.cloud, found.v)
    first, second = tangents(found.v)
    flat = np.stack([cloud @ first, cloud @ second], axis=1)
    flat = flat - np.median(flat, axis=0)
    spread = flat.T @ flat / len(flat) + 1e-18 * np.eye(2)
    far = np.einsum("ni,ij,nj->n", flat, np.linalg.inv(spread), flat)
    kept: np.ndarray = cloud[far <= np.quantile(far, 0.95)]
    return kept


def _strokes(
    lines: np.ndarray, found: Agreement, frame: Frame, asked: np.ndarray | None, label: Label
) -> tuple[Stroke, ...]:
    clash = label is Label.INCONSISTENT
    strokes = []
    region = _region(found, frame)
    if region:
        strokes.append(Stroke("polygon", tuple(region), "region"))
    for k, line in enumerate(lines):
        strokes += _drawn(line[None], "clash" if clash and (asked is None or asked[k]) else "given")
    if at := frame.place(found.v):
        for line in lines:
            middle = line.mean(0)
            strokes.append(Stroke("line", ((float(middle[0]), float(middle[1])), at), "muted"))
        strokes.append(Stroke("point", (at,), "fit"))
    return tuple(strokes)


def _drawn(lines: np.ndarray, role: str) -> list[Stroke]:
    strokes = []
    for line in lines:
        ends = tuple((float(r), float(c)) for r, c in line)
        strokes += [Stroke("line", ends, role), *(Stroke("point", (end,), role) for end in ends)]
    return strokes
