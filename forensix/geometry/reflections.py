"""Reflections: do points and their mirror images fit one flat mirror?

The lines that join points with their images in a flat mirror are all at right angles to it,
hence parallel in space, hence meet in one vanishing point of the picture [1]_. Halfway (in
space) between a point and its image lies the mirror itself; where the points stand on a
plane at right angles to it, such as the floor before a wall mirror, those halfway points
are on one line, the mirror's foot. Their place in the picture follows from the vanishing
point by the harmonic cross-ratio.

References
----------
.. [1] J. O'Brien and H. Farid, "Exposing photo manipulation with inconsistent reflections",
   ACM Transactions on Graphics 31(1), 2012. DOI 10.1145/2077341.2077345
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from forensix.geometry.agreement import Calibration, calibrated, noticed
from forensix.geometry.collinear import common_line
from forensix.geometry.concurrence import Constraints, costs_of, fulfilled, homogeneous, meeting_point, unit
from forensix.geometry.concurrent import Wording, lines_of, long_enough, meeting
from forensix.geometry.points import MirrorPair, checked, checked_settings
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

REFERENCE = "O'Brien, Farid 2012, 10.1145/2077341.2077345"
_MIRROR = Wording("reflection", "pair", "pairs", "fit one flat mirror", REFERENCE)


def reflection_consistency(
    pairs: Sequence[MirrorPair],
    *,
    shape: tuple[int, int] | None = None,
    noise: float = NOISE,
    runs: int = RUNS,
    alarm: float = ALARM,
    resolution: float = RESOLUTION,
    seed: int = 0,
) -> Verdict:
    """Test that the lines from points to their mirror images meet in one vanishing point.

    pairs : of one flat mirror; where some are ``questioned``, they are tested against the
        others. Parameters and errors as in
        :func:`forensix.geometry.shadows.shadow_consistency`.

    References
    ----------
    .. [1] J. O'Brien and H. Farid, ACM Transactions on Graphics 31(1), 2012.
       DOI 10.1145/2077341.2077345
    """
    items = checked(pairs, (MirrorPair,), "pairs")
    checked_settings(noise, shape, runs, alarm)
    asked = np.array([pair.questioned for pair in items], dtype=bool)
    settings = Settings(shape, noise, runs, alarm, resolution, seed)
    some = asked if asked.any() and not asked.all() else None
    return meeting(_lines(items), [pair.name for pair in items], some, _MIRROR, settings)


def mirror_foot_consistency(
    pairs: Sequence[MirrorPair],
    *,
    shape: tuple[int, int] | None = None,
    noise: float = NOISE,
    runs: int = RUNS,
    alarm: float = ALARM,
    resolution: float = RESOLUTION,
    seed: int = 0,
) -> Verdict:
    """Test that halfway points of the pairs with ``foot`` lie on one line.

    pairs : of one flat mirror; all give its vanishing point, at least three with ``foot``
    The distances of a point and of its image from the mirror are equal in space; a pasted
    image that is too near or too far shifts the halfway point, which the meeting lines
    alone do not show. Parameters and errors as in
    :func:`forensix.geometry.shadows.shadow_consistency`.

    References
    ----------
    .. [1] J. O'Brien and H. Farid, ACM Transactions on Graphics 31(1), 2012.
       DOI 10.1145/2077341.2077345
    """
    items = checked(pairs, (MirrorPair,), "pairs")
    checked_settings(noise, shape, runs, alarm)
    lines = _lines(items)
    keep = long_enough(lines, noise)
    used = [pair for pair, kept in zip(items, keep, strict=True) if kept]
    feet = np.flatnonzero([pair.foot for pair in used])
    frame = Frame.of(lines.reshape(-1, 2), shape)
    facts: dict[str, Any] = {"pairs": len(used), "feet": len(feet), "noise_px": noise}
    names = listed([used[k].name for k in feet])
    if len(feet) < 3:
        text = "It cannot be told: three pairs or more with a foot, clear of their images, are wanted."
        return Verdict("mirror foot", names, Label.CANNOT_TELL, text, measurements=facts, reference=REFERENCE)
    constraints = lines_of(lines[keep], frame, noise)
    v, _ = meeting_point(constraints)
    if _straddles(constraints.points, v):
        text = "It cannot be told: the lines of the pairs meet between a point and its image."
        return Verdict("mirror foot", names, Label.CANNOT_TELL, text, measurements=facts, reference=REFERENCE)
    return _feet_on_a_line(
        constraints,
        v,
        feet,
        names=names,
        frame=frame,
        settings=Settings(shape, noise, runs, alarm, resolution, seed),
        facts=facts,
    )


def _lines(pairs: list[MirrorPair]) -> np.ndarray:
    return np.array([(pair.object, pair.image) for pair in pairs]).reshape(-1, 2, 2)


def halfway(points: np.ndarray, image: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Where the middle, in space, of points and their images is seen.

    points, image : (..., 2); v : (..., 3) the vanishing point of the lines that join them
    Returns (..., 2): the harmonic conjugate of ``v`` with respect to each pair.
    """
    step = image - points
    along = step / np.sqrt((step * step).sum(-1, keepdims=True)).clip(1e-12)
    near = (along * (v[..., 2:] * points - v[..., :2])).sum(-1, keepdims=True)
    far = (along * (v[..., 2:] * image - v[..., :2])).sum(-1, keepdims=True)
    total = near + far
    total = np.where(np.abs(total) < 1e-12, 1e-12, total)
    middle: np.ndarray = (points * far + image * near) / total
    return middle


def _straddles(points: np.ndarray, v: np.ndarray) -> bool:
    ends = v[2] * points.reshape(-1, 2, 2) - v[:2]
    return bool(((ends[:, 0] * ends[:, 1]).sum(1) <= 0).any())


def _halves(
    points: np.ndarray, v: np.ndarray, feet: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """(B, F, 3) unit halfway points of (B, N, 2) marked ones, and (B, F, 3, 3) covariances."""
    pairs = points.reshape(len(points), -1, 2, 2)[:, feet]
    at = v[:, None, :]
    middle = halfway(pairs[:, :, 0], pairs[:, :, 1], at)
    place = unit(homogeneous(middle))
    size = np.sqrt(1 + (middle**2).sum(-1))[..., None]
    spread = np.zeros((*place.shape, 3))
    h = 1e-6
    for which in (0, 1):
        for axis in (0, 1):
            moved = pairs.copy()
            moved[:, :, which, axis] += h
            change = (halfway(moved[:, :, 0], moved[:, :, 1], at) - middle) / h
            tilt = np.concatenate([change, np.zeros((*change.shape[:-1], 1))], axis=-1) / size
            spread += sigma**2 * tilt[..., :, None] * tilt[..., None, :]
    return place, spread


def _feet_on_a_line(
    constraints: Constraints,
    v: np.ndarray,
    feet: np.ndarray,
    *,
    names: str,
    frame: Frame,
    settings: Settings,
    facts: dict[str, Any],
) -> Verdict:
    sigma = constraints.sigma
    place, spread = _halves(constraints.points[None], v[None], feet, sigma)
    line, cost = common_line(place, spread)
    exact = _onto(fulfilled(constraints, v), v, feet, line[0])
    generator = np.random.default_rng(settings.seed)
    draws = []
    for _ in range(2):
        points = exact + sigma * generator.standard_normal((settings.runs, *exact.shape))
        place_of, _ = costs_of(constraints, points, v)
        draws.append(common_line(*_halves(points, place_of, feet, sigma), start=line[0])[1])
    rates = calibrated(float(cost[0]), draws[0], draws[1], settings.alarm)
    shift = _noticeable_shift(exact, v, feet, line[0], critical=rates.critical, sigma=sigma)
    facts |= {
        "statistic": round(rates.statistic, 4),
        "critical": round(rates.critical, 4),
        "noticeable_shift": shift,
    }
    label, text = _sentence(names, rates, shift, settings.runs)
    ends = sorted(_pixel(at, frame) for at in place[0])
    role = "clash" if label is Label.INCONSISTENT else "region"
    return Verdict(
        test="mirror foot",
        subject=names,
        label=label,
        explanation=text,
        p_value=rates.p_value,
        false_alarm={"asked": settings.alarm, "simulated": rates.alarm_rate, "runs": settings.runs},
        measurements=facts,
        reference=REFERENCE,
        strokes=(
            *(Stroke("point", (end,), "fit") for end in ends),
            Stroke("line", (ends[0], ends[-1]), role),
        ),
    )


def _sentence(names: str, rates: Calibration, shift: float | None, runs: int) -> tuple[Label, str]:
    p = said_p(rates.p_value, runs)
    if rates.disagrees:
        return Label.INCONSISTENT, f"The halfway points of {names} do not lie on one line ({p})."
    start = f"The halfway points of {names} may lie on one line ({p})"
    if shift is None:
        return Label.CANNOT_TELL, (
            f"{start}, but it cannot be told: an image half as far again from its object would not be noticed."
        )
    return Label.CONSISTENT, (
        f"{start}; an image {shift:.0%} farther from its object would have been noticed nine times in ten."
    )


def _pixel(at: np.ndarray, frame: Frame) -> tuple[float, float]:
    row, col = frame.leave(at[:2] / at[2])
    return float(row), float(col)


def _onto(points: np.ndarray, v: np.ndarray, feet: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Pairs moved along and with their lines so that their halfway points are on ``line``."""
    moved = points.copy().reshape(-1, 2, 2)
    normal = line[:2]
    for k in feet:
        middle = halfway(moved[k, 0], moved[k, 1], v)
        target = middle - normal * (normal @ middle + line[2]) / max(float(normal @ normal), 1e-12)
        if abs(v[2]) < 1e-6:
            moved[k] += target - middle
            continue
        centre = v[:2] / v[2]
        old, new = middle - centre, target - centre
        # The pair turns and grows with the way from the vanishing point to its middle.
        ratio = complex(*new) / complex(*old)
        arms = (moved[k] - centre) @ np.array([1, 1j]) * ratio
        moved[k] = centre + np.stack([arms.real, arms.imag], axis=-1)
    back: np.ndarray = moved.reshape(-1, 2)
    return back


def _noticeable_shift(
    exact: np.ndarray, v: np.ndarray, feet: np.ndarray, line: np.ndarray, *, critical: float, sigma: float
) -> float | None:
    """By which part of its distance one image must be farther off to be noticed; the worst pair's."""
    worst = 0.0
    for k in feet:
        for part in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5):
            pairs = exact.copy().reshape(-1, 2, 2)
            pairs[k, 1] += part * (pairs[k, 1] - pairs[k, 0])
            _, cost = common_line(*_halves(pairs.reshape(1, -1, 2), v[None], feet, sigma), start=line)
            if noticed(cost, critical)[0]:
                worst = max(worst, part)
                break
        else:
            return None
    return worst
