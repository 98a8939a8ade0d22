"""Every test that a file of marked points allows, at one false-alarm rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

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
    if not 0.0005 <= alarm <= 0.2:
        raise PointsError(f"alarm is 0.0005 to 0.2, got {alarm}")
    checked_settings(points.noise, points.shape, RUNS, ALARM)
    if luma is not None:
        points = replace(points, shape=(luma.shape[0], luma.shape[1]))
    jobs = _jobs(points, luma)
    if not jobs:
        raise PointsError("there is nothing to test: no shadows, directions, mirrors or contours")
    each = alarm / len(jobs)
    enough = max(runs, math.ceil(4 / each))
    if enough > MAX_RUNS:
        raise PointsError(
            f"{len(jobs)} tests with {alarm:g} false alarms together need more than {MAX_RUNS} simulations each: "
            "split the file, or allow more false alarms"
        )
    settings: dict[str, Any] = {"noise": points.noise, "runs": enough, "alarm": each, "seed": seed}
    return tuple(job(resolution=resolution, **settings) for job in jobs)


def _jobs(points: MarkedPoints, luma: np.ndarray | None) -> list[Callable[..., Verdict]]:
    """The tests that the points allow, waiting for their settings."""
    from forensix.geometry.contour_light import contour_light_consistency
    from forensix.geometry.horizon import horizon_consistency
    from forensix.geometry.reflections import mirror_foot_consistency, reflection_consistency
    from forensix.geometry.shadows import shadow_consistency
    from forensix.geometry.vanishing import same_direction, vanishing_point

    shape = points.shape
    by_name = {d.name: d for d in checked(points.directions, (Direction,), "directions")}
    jobs: list[Callable[..., Verdict]] = []
    if points.shadows:
        jobs.append(partial(shadow_consistency, points.shadows, shape=shape))
    for name, direction in by_name.items():
        known = (points.same_as or {}).get(name)
        if known is None:
            jobs.append(partial(vanishing_point, direction, shape=shape))
        else:
            jobs.append(partial(same_direction, by_name[known], direction, shape=shape))
    if points.horizon:
        jobs.append(partial(horizon_consistency, [by_name[name] for name in points.horizon], shape=shape))
    for pairs in (points.mirrors or {}).values():
        jobs.append(partial(reflection_consistency, pairs, shape=shape))
        if any(pair.foot for pair in pairs):
            jobs.append(partial(mirror_foot_consistency, pairs, shape=shape))
    if points.contours:
        if luma is None:
            raise PointsError(
                "contours: the light along an outline is read from the picture, and none was given"
            )
        jobs.append(partial(contour_light_consistency, luma, points.contours))
    return jobs


def overall(verdicts: Sequence[Verdict]) -> Label:
    """One label: inconsistent if any test is, consistent only if all are."""
    labels = {verdict.label for verdict in verdicts}
    if Label.INCONSISTENT in labels:
        return Label.INCONSISTENT
    return Label.CONSISTENT if labels == {Label.CONSISTENT} else Label.CANNOT_TELL
