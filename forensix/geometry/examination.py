"""Every test that a file of marked points allows, at one false-alarm rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from forensix.errors import PointsError
from forensix.geometry.document import MarkedPoints
from forensix.geometry.points import Direction, checked, checked_settings
from forensix.geometry.verdict import ALARM, MAX_RUNS, RESOLUTION, RUNS, Label, Verdict


def examine_points(
    points: MarkedPoints,
    *,
    luma: np.ndarray | None = None,
    runs: int = RUNS,
    alarm: float = ALARM,
    resolution: float = RESOLUTION,
    seed: int = 0,
) -> tuple[Verdict, ...]:
    """Run every test that the points allow.

    luma : (rows, cols) linear brightness, for contours; PointsError if they need one
    alarm : false-alarm rate of all tests together; each gets an equal part of it
    """
    from forensix.geometry.contour_light import contour_light_consistency
    from forensix.geometry.horizon import horizon_consistency
    from forensix.geometry.reflections import mirror_foot_consistency, reflection_consistency
    from forensix.geometry.shadows import shadow_consistency
    from forensix.geometry.vanishing import same_direction, vanishing_point

    if not 0.0005 <= alarm <= 0.2:
        raise PointsError(f"alarm is 0.0005 to 0.2, got {alarm}")
    checked_settings(points.noise, points.shape, RUNS, ALARM)
    if luma is not None:
        points = replace(points, shape=(luma.shape[0], luma.shape[1]))
    jobs: list[Callable[..., Verdict]] = []
    by_name = {d.name: d for d in checked(points.directions, (Direction,), "directions")}
    same_as = points.same_as or {}
    if points.shadows:
        jobs.append(lambda **s: shadow_consistency(points.shadows, resolution=resolution, **s))
    for name, direction in by_name.items():
        if name in same_as:
            known = by_name[same_as[name]]
            jobs.append(lambda k=known, d=direction, **s: same_direction(k, d, resolution=resolution, **s))
        else:
            jobs.append(lambda d=direction, **s: vanishing_point(d, resolution=resolution, **s))
    if points.horizon:
        chosen = [by_name[name] for name in points.horizon]
        jobs.append(lambda **s: horizon_consistency(chosen, resolution=resolution, **s))
    for pairs in (points.mirrors or {}).values():
        jobs.append(lambda p=pairs, **s: reflection_consistency(p, resolution=resolution, **s))
        if any(pair.foot for pair in pairs):
            jobs.append(lambda p=pairs, **s: mirror_foot_consistency(p, **s))
    if points.contours:
        if luma is None:
            raise PointsError(
                "contours: the light along an outline is read from the picture, and none was given"
            )
        jobs.append(
            lambda shape, **s: contour_light_consistency(luma, points.contours, resolution=resolution, **s)
        )
    if not jobs:
        raise PointsError("there is nothing to test: no shadows, directions, mirrors or contours")
    each = alarm / len(jobs)
    enough = max(runs, math.ceil(4 / each))
    if enough > MAX_RUNS:
        raise PointsError(
            f"{len(jobs)} tests with {alarm:g} false alarms together need more than {MAX_RUNS} simulations each: "
            "split the file, or allow more false alarms"
        )
    return tuple(
        job(shape=points.shape, noise=points.noise, runs=enough, alarm=each, seed=seed) for job in jobs
    )


def overall(verdicts: Sequence[Verdict]) -> Label:
    """One label: inconsistent if any test is, consistent only if all are."""
    labels = {verdict.label for verdict in verdicts}
    if Label.INCONSISTENT in labels:
        return Label.INCONSISTENT
    return Label.CONSISTENT if labels == {Label.CONSISTENT} else Label.CANNOT_TELL
