"""Vanishing points: do edges that are parallel in the scene meet where they should?

The pictures of parallel lines meet in one point. A building, sign or screen that was pasted
in brings lines of its own; if they are said to be parallel to those of the scene and meet
elsewhere, that is not one photograph [1]_. Directions that lie in one plane (streets that
cross on flat ground) vanish on one line, the plane's horizon.

References
----------
.. [1] R. Hartley and A. Zisserman, "Multiple View Geometry in Computer Vision", 2nd ed.,
   Cambridge University Press, 2004, section 8.6. DOI 10.1017/CBO9780511811685
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensix.geometry.concurrent import Wording, meeting
from forensix.geometry.points import Direction, checked, checked_settings
from forensix.geometry.verdict import ALARM, NOISE, RESOLUTION, RUNS, Settings, Verdict

REFERENCE = "Hartley, Zisserman 2004, section 8.6, 10.1017/CBO9780511811685"
_PARALLEL = Wording("vanishing point", "line", "lines", "have one vanishing point", REFERENCE)
_SAME = Wording("same direction", "line", "lines", "share the vanishing point", REFERENCE)


def vanishing_point(
    direction: Direction,
    *,
    shape: tuple[int, int] | None = None,
    noise: float = NOISE,
    runs: int = RUNS,
    alarm: float = ALARM,
    resolution: float = RESOLUTION,
    seed: int = 0,
) -> Verdict:
    """Estimate the vanishing point of lines, and test that they have one.

    The measurements hold ``meeting_point`` (row, col; None far out), the axis towards it in
    degrees anticlockwise from the right, and ``region_95``, a polygon that holds 95 % of the
    simulated estimates. Parameters and errors as in
    :func:`forensix.geometry.shadows.shadow_consistency`.

    References
    ----------
    .. [1] R. Hartley and A. Zisserman, "Multiple View Geometry", 2nd ed., section 8.6.
       DOI 10.1017/CBO9780511811685
    """
    checked([direction], (Direction,), "directions")
    checked_settings(noise, shape, runs, alarm)
    names = [f"{direction.name} {k}" for k in range(1, len(direction.lines) + 1)]
    settings = Settings(shape, noise, runs, alarm, resolution, seed)
    return meeting(direction.lines, names, None, _PARALLEL, settings)


def same_direction(
    known: Direction,
    questioned: Direction,
    *,
    shape: tuple[int, int] | None = None,
    noise: float = NOISE,
    runs: int = RUNS,
    alarm: float = ALARM,
    resolution: float = RESOLUTION,
    seed: int = 0,
) -> Verdict:
    """Test that questioned lines have the vanishing point of known ones.

    One questioned line is enough. Parameters as in
    :func:`forensix.geometry.shadows.shadow_consistency`; the known lines are tested too.
    """
    checked([known, questioned], (Direction,), "directions")
    checked_settings(noise, shape, runs, alarm)
    lines: np.ndarray = np.concatenate([known.lines, questioned.lines])
    names = _names([known, questioned])
    asked = np.arange(len(lines)) >= len(known.lines)
    settings = Settings(shape, noise, runs, alarm, resolution, seed)
    return meeting(lines, names, asked, _SAME, settings)


def _names(directions: Sequence[Direction]) -> list[str]:
    return [f"{d.name} {k}" for d in directions for k in range(1, len(d.lines) + 1)]
