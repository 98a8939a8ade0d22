"""Marked shadows as constraints on one light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.geometry.concurrence import ATTACHED, CAST, Constraints, homogeneous
from forensix.geometry.points import AttachedShadow, CastShadow
from forensix.geometry.verdict import Frame

TOO_CLOSE = 4.0  # times the noise: points nearer than this give no direction
MOST_ATTACHED = 4  # each doubles the linear programmes

Shadow = CastShadow | AttachedShadow


@dataclass(frozen=True, eq=False)
class ShadowScene:
    """The shadows that can be used, as constraints in a frame, and why others cannot be."""

    shadows: list[Shadow]
    ignored: dict[str, str]
    constraints: Constraints
    frame: Frame
    noise: float


def scene_of(shadows: list[Shadow], shape: tuple[int, int] | None, noise: float) -> ShadowScene:
    """Constraints of shadows, in the picture's frame; those too short for the noise are left out."""
    used: list[Shadow] = []
    ignored: dict[str, str] = {}
    for shadow in shadows:
        why = _useless(shadow, noise)
        if why:
            ignored[shadow.name] = why
        elif (
            isinstance(shadow, AttachedShadow)
            and sum(isinstance(s, AttachedShadow) for s in used) >= MOST_ATTACHED
        ):
            ignored[shadow.name] = f"more than {MOST_ATTACHED} attached shadows"
        else:
            used.append(shadow)
    parts = [points_marked(shadow) for shadow in used]
    everything = np.concatenate([points_marked(shadow) for shadow in shadows] or [np.zeros((1, 2))])
    frame = Frame.of(everything, shape)
    lines, kind = [], []
    first = 0
    for g, shadow in enumerate(used):
        cast = isinstance(shadow, CastShadow)
        kind.append(CAST if cast else ATTACHED)
        many = len(shadow.object) if isinstance(shadow, CastShadow) else 1
        for s in range(first + many, first + len(parts[g])):
            lines += [(s, o, g, _side(shadow)) for o in range(first, first + many)]
        first += len(parts[g])
    table = np.array(lines, dtype=float).reshape(-1, 4)
    points = frame.enter(np.concatenate([np.zeros((0, 2)), *parts]))
    start, end, group = (table[:, k].astype(int) for k in range(3))
    constraints = Constraints(
        points, start, end, group, np.array(kind, int), table[:, 3], noise / frame.scale
    )
    return ShadowScene(used, ignored, constraints, frame, noise)


def points_marked(shadow: Shadow) -> np.ndarray:
    """(N, 2) points that bear noise: object before shadow, or the edge."""
    if isinstance(shadow, CastShadow):
        return np.concatenate([shadow.object, shadow.shadow])
    return shadow.edge


def _side(shadow: Shadow) -> float:
    """The sign of the lit side of the line from the second to the first edge point."""
    if isinstance(shadow, CastShadow):
        return 1.0
    end, start = homogeneous(shadow.edge)
    return float(np.sign(homogeneous(shadow.lit) @ np.cross(start, end)))


def _useless(shadow: Shadow, noise: float) -> str:
    if isinstance(shadow, CastShadow):
        gaps = shadow.object[:, None] - shadow.shadow[None]
        near = np.sqrt((gaps**2).sum(-1)).min() < TOO_CLOSE * noise
        return "object and shadow are too close for the noise" if near else ""
    step = shadow.edge[1] - shadow.edge[0]
    length = float(np.hypot(*step))
    if length < TOO_CLOSE * noise:
        return "the points of its edge are too close for the noise"
    to = shadow.lit - shadow.edge[0]
    off = abs(step[0] * to[1] - step[1] * to[0]) / length
    return "the lit side is not clear of the edge" if off < noise else ""
