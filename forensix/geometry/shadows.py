"""Shadow consistency: can one light cast and attach all the shadows that were marked?

A point of an object, its shadow and the light lie on one line in space, hence in the
picture; the light lies beyond the object. Many such pairs confine the light's projection,
and shadows that confine it to different places were not made by one light [1]_. The test
needs no calibration of the camera and no flat ground, and survives recompression; it takes
straight lines for straight (a lens with visible distortion must be undistorted first) and
one light that is small or far.

References
----------
.. [1] E. Kee, J. O'Brien and H. Farid, "Exposing photo manipulation with inconsistent
   shadows", ACM Transactions on Graphics 32(3), 2013. DOI 10.1145/2487228.2487236
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from forensix.geometry.agreement import Agreement, noticeable_turns, one_point, same_point
from forensix.geometry.concurrence import simulated
from forensix.geometry.points import AttachedShadow, CastShadow, checked, checked_settings
from forensix.geometry.shadow_scene import Shadow, ShadowScene, points_marked, scene_of
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
    bearing,
    listed,
    said_p,
    spread_of,
)
from forensix.geometry.wedges import (
    least_radius,
    off_by,
    possible_lights,
    region_corners,
    smallest_clash,
    solid_angle,
)

REFERENCE = "Kee, O'Brien, Farid 2013, 10.1145/2487228.2487236"
JUDGED = 3  # so many shadows must be judged to a useful turn before they are called consistent


def shadow_consistency(
    shadows: Sequence[Shadow],
    *,
    shape: tuple[int, int] | None = None,
    noise: float = NOISE,
    runs: int = RUNS,
    alarm: float = ALARM,
    resolution: float = RESOLUTION,
    seed: int = 0,
) -> Verdict:
    """Test whether one light explains all shadows.

    shadows : cast and attached ones, of one light. Where some are ``questioned``, it is
        tested whether they share the light of the others (and the others a light at all)
    shape : (rows, cols) of the picture; only sets the scale of the computation
    noise : standard deviation of each marked coordinate, in px
    runs : simulations of the noise; alarm : rate of false "inconsistent" asked for
    resolution : "consistent" is said only if turning a shadow by so many degrees would have
        been noticed (with probability 0.9), for at least three shadows
    Raises PointsError for unusable points or settings.

    References
    ----------
    .. [1] E. Kee, J. O'Brien and H. Farid, ACM Transactions on Graphics 32(3), 2013.
       DOI 10.1145/2487228.2487236
    """
    checked_settings(noise, shape, runs, alarm)
    settings = Settings(shape, noise, runs, alarm, resolution, seed)
    scene = scene_of(checked(shadows, (CastShadow, AttachedShadow), "shadows"), shape, noise)
    count = scene.constraints.count
    if count < 2:
        why = "no shadow" if not count else "one shadow alone always has a light"
        return _cannot(scene, f"It cannot be told whether the shadows agree: {why}{_of_ignored(scene)}.")
    questioned = np.array([shadow.questioned for shadow in scene.shadows])
    if not questioned.any() or questioned.all():
        found = one_point(scene.constraints, runs=runs, alarm=alarm, seed=seed)
        return _verdict(scene, found, settings)
    # Two tests share the false-alarm rate.
    settings = replace(settings, alarm=alarm / 2)
    others = [shadow for shadow in scene.shadows if not shadow.questioned]
    if len(others) > 1:
        part = scene_of(others, shape, noise)
        found = one_point(part.constraints, runs=runs, alarm=alarm / 2, seed=seed)
        if found.disagrees:
            return _verdict(part, found, settings, before="Without the questioned shadows: ")
    found = same_point(scene.constraints, questioned, runs=runs, alarm=alarm / 2, seed=seed)
    return _verdict(scene, found, settings, questioned=questioned)


def _verdict(
    scene: ShadowScene,
    found: Agreement,
    settings: Settings,
    *,
    questioned: np.ndarray | None = None,
    before: str = "",
) -> Verdict:
    constraints, scale = scene.constraints, scene.frame.scale
    draws = simulated(constraints, found.v, settings.runs, np.random.default_rng(settings.seed + 1))
    radius = float(np.quantile(off_by(found.v, constraints, draws).max(1), 1 - settings.alarm))
    least = least_radius(constraints, found.v)
    facts: dict[str, Any] = {
        "shadows": constraints.count,
        "ignored": scene.ignored,
        "noise_px": scene.noise,
        "statistic": round(found.statistic, 4),
        "critical": round(found.critical, 4),
        "wedge_radius_px": round(radius * scale, 3),
        "least_error_px": round(least * scale, 3),
    }
    clash: tuple[str, ...] = ()
    lights: list[tuple[np.ndarray, np.ndarray]] = []
    if found.disagrees:
        clash = tuple(scene.shadows[g].name for g in smallest_clash(constraints, min(radius, 0.99 * least)))
        label, text = (
            Label.INCONSISTENT,
            _contradiction(scene, found, settings, clash, least=least * scale, asked=questioned is not None),
        )
    else:
        turns = noticeable_turns(constraints, found, questioned=questioned)
        lights = possible_lights(constraints, radius)
        facts |= _possible(scene, found, lights, turns)
        label, text = _agreement(scene, found, settings, turns, questioned)
    return Verdict(
        test="shadows",
        subject=listed([shadow.name for shadow in scene.shadows]),
        label=label,
        explanation=before + text,
        p_value=found.p_value,
        false_alarm={"asked": settings.alarm, "simulated": found.alarm_rate, "runs": settings.runs},
        clash=clash,
        measurements=facts,
        reference=REFERENCE,
        strokes=_strokes(scene, radius, clash, lights, found),
    )


def _possible(
    scene: ShadowScene, found: Agreement, lights: list[tuple[np.ndarray, np.ndarray]], turns: np.ndarray
) -> dict[str, Any]:
    names = [shadow.name for shadow in scene.shadows]
    regions = [region_corners(rows) for rows, _ in lights]
    return {
        "noticeable_turn_deg": {
            name: None if np.isnan(turn) else float(turn) for name, turn in zip(names, turns, strict=True)
        },
        "light": _light(found, lights, np.concatenate([np.zeros((0, 3)), *regions]), scene.frame),
        "region_of_sphere": max((solid_angle(region) for region in regions), default=0.0),
    }


def _light(
    found: Agreement, lights: list[tuple[np.ndarray, np.ndarray]], corners: np.ndarray, frame: Frame
) -> dict[str, Any]:
    """Where the light is, as far as it is known.

    Within wide wedges no light is likelier than another: then the one deepest inside is
    named, and the whole region is its uncertainty.
    """
    v = found.v if found.statistic > 1e-6 or not lights else lights[0][1]
    front, behind = bool((corners[:, 2] > 0).all()), bool((corners[:, 2] < 0).all())
    side = "undecided"
    if len(corners) and (front or behind):
        side = "in front of the camera" if front else "behind the camera"
    spread = max(spread_of(found.cloud, v), spread_of(corners, v, 1.0)) if len(corners) else 180.0
    return {
        "side": side,
        "point": frame.place(v) if side != "undecided" else None,
        "bearing_deg": bearing(v),
        "bearing_spread_deg": spread,
    }


def _contradiction(
    scene: ShadowScene,
    found: Agreement,
    settings: Settings,
    clash: tuple[str, ...],
    *,
    least: float,
    asked: bool,
) -> str:
    who = f"No single light explains the {len(scene.shadows)} shadows"
    if asked:
        who = f"{_questioned(scene)} cannot share the light of the others"
    fewest = f"; the fewest that clash are {listed(clash)}" if clash else ""
    return (
        f"{who} ({said_p(found.p_value, settings.runs)}): points would have to be off by {least:.3g} px, "
        f"where a noise of {scene.noise:g} px was stated{fewest}{_of_ignored(scene)}."
    )


def _agreement(
    scene: ShadowScene, found: Agreement, settings: Settings, turns: np.ndarray, questioned: np.ndarray | None
) -> tuple[Label, str]:
    p, tail = said_p(found.p_value, settings.runs), _of_ignored(scene)
    names = np.array([shadow.name for shadow in scene.shadows], dtype=object)
    judged = np.ones(len(names), dtype=bool) if questioned is None else questioned
    start = f"One light can explain the {len(names)} shadows ({p})"
    if questioned is not None:
        start = f"{_questioned(scene)} may share the light of the others ({p})"
    fine = judged & (turns <= settings.resolution)
    if fine.sum() >= (JUDGED if questioned is None else judged.sum()):
        coarse = list(names[judged & ~fine])
        rest = f", but nothing can be said of {listed(coarse)}" if coarse else ""
        text = f"a shadow turned by {turns[fine].max():g} degrees or more would have been noticed"
        return Label.CONSISTENT, f"{start}; {text} nine times in ten{rest}{tail}."
    who = "too many of them" if questioned is None else listed(list(names[judged & ~fine]))
    return Label.CANNOT_TELL, (
        f"{start}, but it cannot be told: {who} could be turned by more than {settings.resolution:g} degrees "
        f"without being noticed{tail}."
    )


def _questioned(scene: ShadowScene) -> str:
    return listed([shadow.name for shadow in scene.shadows if shadow.questioned])


def _of_ignored(scene: ShadowScene) -> str:
    return "".join(f"; {name} is left out ({why})" for name, why in scene.ignored.items())


def _cannot(scene: ShadowScene, text: str) -> Verdict:
    return Verdict(
        test="shadows",
        subject=listed([*(shadow.name for shadow in scene.shadows), *scene.ignored]),
        label=Label.CANNOT_TELL,
        explanation=text,
        measurements={"shadows": len(scene.shadows), "ignored": scene.ignored, "noise_px": scene.noise},
        reference=REFERENCE,
        strokes=_strokes(scene, 0.0, (), [], None),
    )


def _strokes(
    scene: ShadowScene,
    radius: float,
    clash: tuple[str, ...],
    lights: list[tuple[np.ndarray, np.ndarray]],
    found: Agreement | None,
) -> tuple[Stroke, ...]:
    strokes = []
    # Beyond 50 half diagonals the region is cut off: it may reach infinity.
    box = np.array([[1.0, 0, 50], [-1, 0, 50], [0, 1, 50], [0, -1, 50]])
    for rows, _ in lights:
        corners = region_corners(np.concatenate([rows, box / np.sqrt(2501)]))
        if len(corners):
            strokes.append(_stroke("polygon", scene.frame.leave(corners[:, :2] / corners[:, 2:]), "region"))
    for shadow in scene.shadows:
        role = "clash" if shadow.name in clash else "given"
        if isinstance(shadow, AttachedShadow):
            strokes.append(_stroke("line", shadow.edge, role))
            strokes.append(_stroke("line", [shadow.edge.mean(0), shadow.lit], role))
        else:
            behind = found is not None and found.v[2] < 0
            strokes += _wedge(shadow, radius * scene.frame.scale, role, behind)
        strokes.append(_stroke("text", points_marked(shadow)[:1], role, shadow.name))
    if found is not None and found.v[2] > 0 and not clash and (at := scene.frame.place(found.v)):
        strokes.append(_stroke("point", [at], "fit", "light"))
    return tuple(strokes)


def _wedge(shadow: CastShadow, radius: float, role: str, behind: bool) -> list[Stroke]:
    """The marked points and the sides of the wedge, towards where the light would be seen."""
    strokes = [_stroke("point", [at], role) for at in (*shadow.object, *shadow.shadow)]
    for s in shadow.shadow:
        for o in shadow.object:
            step, middle = o - s, (s + o) / 2
            strokes.append(_stroke("line", [s, o], role))
            angle = np.arcsin(min(2 * radius / np.hypot(*step), 1.0))
            # A light behind the camera projects beyond the shadow: the wedge is inverted.
            step = -step if behind else step
            for turn in (angle, -angle):
                c, d = np.cos(turn), np.sin(turn)
                beyond = middle + np.array([c * step[0] - d * step[1], d * step[0] + c * step[1]])
                strokes.append(_stroke("ray", [middle, beyond], role))
    return strokes


def _stroke(kind: str, points: Any, role: str, text: str = "") -> Stroke:
    return Stroke(kind, tuple((float(r), float(c)) for r, c in points), role, text)
