"""Where a light may be: wedges of shadows, their common region, and which of them clash.

Every constraint, with its points allowed to be wrong by a radius ``r``, is a set of
half-spaces ``m . v >= 0`` on the homogeneous light ``v``; whether all can hold is a linear
programme [1]_. A cast shadow gives the wedge between the lines that touch the discs of
radius r about shadow and object from opposite sides.

References
----------
.. [1] E. Kee, J. O'Brien and H. Farid, "Exposing photo manipulation with inconsistent
   shadows", ACM Transactions on Graphics 32(3), 2013. DOI 10.1145/2487228.2487236
"""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np

from forensix.errors import ParameterError
from forensix.geometry.concurrence import (
    ATTACHED,
    CAST,
    Constraints,
    cross,
    homogeneous,
    in_wedge,
    meeting_point,
    tangents,
    unit,
)

MAX_SETS = 2000
_SOLID = 1e-9


def half_spaces(constraints: Constraints, radius: float) -> list[list[np.ndarray]]:
    """The half-spaces of each constraint: for each, alternatives of (K, 3) unit rows.

    radius : how far every marked point may be off, in the frame of the constraints
    A light is allowed where ``m . v >= 0`` for all rows ``m`` of one of the alternatives. A
    cast shadow has one; the lit side of a doubtful line is what either of its extremes
    lights, two alternatives. A constraint whose points may coincide within the radius
    allows every light: no rows.
    """
    return [_of_group(constraints, g, radius) for g in range(constraints.count)]


def _of_group(constraints: Constraints, g: int, radius: float) -> list[np.ndarray]:
    lines = np.flatnonzero(constraints.group == g)
    start, end = constraints.start[lines], constraints.end[lines]
    p = constraints.points
    if constraints.kind[g] == CAST:
        return [_of_cast(p, start, end, radius)]
    touching = _touching(p[start[0]], p[end[0]], radius)
    if not touching:
        return [np.zeros((0, 3))]
    if constraints.kind[g] == ATTACHED:
        # Of the two touching lines, one is turned round: both light the same side.
        plus, minus = touching
        return [plus, -minus] if constraints.side[lines[0]] > 0 else [-plus, minus]
    raise ParameterError("a line without a direction has no half-spaces")


def _of_cast(p: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    objects, shadows = np.unique(end), np.unique(start)
    if _gap(p[objects], p[shadows]) <= 2 * radius:
        return np.zeros((0, 3))
    rays = np.concatenate([homogeneous(p[objects]), -homogeneous(p[shadows])])
    rows = []
    for s, o in zip(start, end, strict=True):
        touching = _touching(p[s], p[o], radius)
        sides = rays @ cross(homogeneous(p[s]), homogeneous(p[o]))
        rows += [touching[0]] if sides.min() >= -_SOLID else []
        rows += [touching[1]] if sides.max() <= _SOLID else []
    along = unit(p[objects].mean(0) - p[shadows].mean(0))
    near, far = (p[objects] @ along).min() - radius, (p[shadows] @ along).max() + radius
    if near >= far:
        rows += [np.array([[*along, -reach]]) for reach in (near, far)]
    return unit(np.concatenate([np.zeros((0, 3)), *rows]))


def _touching(start: np.ndarray, end: np.ndarray, radius: float) -> list[np.ndarray]:
    """The two lines that cross between two discs and touch both, towards their exact line."""
    length = float(np.hypot(*(end - start)))
    if 2 * radius >= length:
        return []
    sine = 2 * radius / length
    cosine = np.sqrt(1 - sine * sine)
    along, middle = (end - start) / length, (start + end) / 2
    rows = []
    for sign in (1.0, -1.0):
        across = sign * np.array([-along[1], along[0]])
        normal = across * cosine + along * sine
        # A positive side that holds the far end of the exact line and what is turned towards it.
        rows.append(np.array([[*normal, -normal @ middle]]))
    exact = cross(homogeneous(start), homogeneous(end))
    return rows if exact[:2] @ rows[0][0, :2] > 0 else rows[::-1]


def _gap(objects: np.ndarray, shadows: np.ndarray) -> float:
    """Least distance between two sets that are each a point or a chain of points."""
    away = objects[:, None] - shadows[None]
    gap = float(np.sqrt((away**2).sum(-1)).min())
    for chain, others in ((objects, shadows), (shadows, objects)):
        for a, b in combinations(chain, 2):
            step = b - a
            t = np.clip((others - a) @ step / max(step @ step, 1e-300), 0, 1)
            gap = min(gap, float(np.sqrt(((others - a - t[:, None] * step) ** 2).sum(1)).min()))
    return gap


def deepest_light(rows: np.ndarray) -> tuple[np.ndarray | None, float]:
    """The light farthest inside all half-spaces, by linear programming.

    rows : (M, 3) unit rows
    Returns a (3,) unit vector and its margin, or None and 0.0 where nothing is inside all.
    """
    from scipy.optimize import linprog

    if not len(rows):
        return np.array([0.0, 0.0, 1.0]), 1.0
    bound = np.concatenate([-rows, np.ones((len(rows), 1))], axis=1)
    solved = linprog(
        [0.0, 0.0, 0.0, -1.0],
        A_ub=bound,
        b_ub=np.zeros(len(rows)),
        bounds=[(-1, 1), (-1, 1), (-1, 1), (None, 1)],
        method="highs",
    )
    if solved.status != 0 or solved.x[3] <= _SOLID:
        return None, 0.0
    return unit(solved.x[:3]), float(solved.x[3])


def possible_lights(constraints: Constraints, radius: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Every alternative that can hold: its stacked half-spaces, and the light deepest inside.

    Empty where no light is allowed by all constraints with points off by up to ``radius``.
    """
    return _possible(half_spaces(constraints, radius))


def _possible(per: list[list[np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    found = []
    for choice in product(*per):
        rows = np.concatenate([np.zeros((0, 3)), *choice])
        light, _ = deepest_light(rows)
        if light is not None:
            found.append((rows, light))
    return found


def least_radius(constraints: Constraints, v: np.ndarray, *, tolerance: float = 0.01) -> float:
    """How far the marked points must be allowed to be off before all constraints can hold.

    v : (3,), some light, near the best
    In the frame of the constraints, to a ``tolerance`` relative to what ``v`` needs; by
    bisection of linear programmes.
    """
    start = float(off_by(v, constraints, constraints.points[None]).max())
    low, high = 0.0, start
    if start < 1e-9 or possible_lights(constraints, 1e-9):
        return 0.0
    while high - low > tolerance * start:
        middle = (low + high) / 2
        if possible_lights(constraints, middle):
            high = middle
        else:
            low = middle
    return high


def region_corners(rows: np.ndarray) -> np.ndarray:
    """Corners of the region that half-spaces leave, as unit vectors in their order round it.

    rows : (M, 3). Returns (K, 3); K = 0 where the region is empty or not bounded by three.
    """
    none = np.zeros((0, 3))
    corners = _corners(rows[None])[0] if len(rows) > 2 else none
    if len(corners) < 3 or np.abs(corners.mean(0)).max() < 1e-9:
        return none
    centre = unit(corners.mean(0))
    first, second = tangents(centre)
    corners = corners[np.argsort(np.arctan2(corners @ second, corners @ first))]
    fresh = np.abs(corners - np.roll(corners, 1, axis=0)).max(1) > 1e-9
    return corners[fresh] if fresh.sum() >= 3 else none


def _corners(rows: np.ndarray) -> list[np.ndarray]:
    """Of each of (S, M, 3) sets of half-spaces, the corner rays of what all of a set allow."""
    first, second = np.triu_indices(rows.shape[1], 1)
    rays = cross(rows[:, first], rows[:, second])
    length = np.sqrt((rays**2).sum(-1, keepdims=True))
    solid = length[..., 0] > 1e-10
    rays = rays / np.maximum(length, 1e-10)
    rays = np.concatenate([rays, -rays], axis=1)
    inside = (np.einsum("skd,smd->skm", rays, rows) >= -1e-9).all(-1) & np.concatenate([solid, solid], axis=1)
    return [r[k] for r, k in zip(rays, inside, strict=True)]


def smallest_clash(constraints: Constraints, radius: float) -> tuple[int, ...]:
    """The fewest constraints that cannot hold together, with points off by up to ``radius``.

    Two, three or four suffice to show any clash of wedges (Helly); where several sets of
    that size clash, the one whose points would have to move most. Empty where all
    constraints can hold.
    """
    per = half_spaces(constraints, radius)
    if _possible(per):
        return ()
    bound = [g for g in range(constraints.count) if all(len(rows) for rows in per[g])]
    for size in (2, 3, 4):
        if comb(len(bound), size) > MAX_SETS:
            break
        clashing = [chosen for chosen in combinations(bound, size) if _clash([per[g] for g in chosen])]
        if clashing:
            return max(clashing[:20], key=lambda c: meeting_point(constraints.subset(np.array(c)))[1])
    return _without_spare(per, bound)


def _clash(per: list[list[np.ndarray]]) -> bool:
    return not any(len(_corners(np.concatenate(choice)[None])[0]) for choice in product(*per))


def _without_spare(per: list[list[np.ndarray]], chosen: list[int]) -> tuple[int, ...]:
    """A clashing set from which none can be left out: not always the smallest."""
    kept = list(chosen)
    for g in chosen:
        fewer = [k for k in kept if k != g]
        if not _possible([per[k] for k in fewer]):
            kept = fewer
    return tuple(kept)


def solid_angle(corners: np.ndarray) -> float:
    """Area of a spherical polygon with (K, 3) unit corners in order, as part of the sphere."""
    if len(corners) < 3:
        return 0.0
    before, after = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0)
    one = unit(cross(corners, before))
    other = unit(cross(corners, after))
    angles = np.arccos(np.clip((one * other).sum(1), -1, 1))
    return float(max(angles.sum() - (len(corners) - 2) * np.pi, 0.0) / (4 * np.pi))


def off_by(v: np.ndarray, constraints: Constraints, points: np.ndarray) -> np.ndarray:
    """The radius at which each constraint begins to allow a light.

    v : (3,); points : (B, N, 2). Returns (B, G), in the frame of the constraints.
    """
    start, end = points[:, constraints.start], points[:, constraints.end]
    step, to = end - start, v[:2] - v[2] * (start + end) / 2
    length, away = np.hypot(step[..., 0], step[..., 1]), np.hypot(to[..., 0], to[..., 1]).clip(1e-12)
    volume = step[..., 0] * to[..., 1] - step[..., 1] * to[..., 0]
    radius = np.abs(volume) / away / 2
    kinds = constraints.kind[constraints.group]
    radius = np.where(((step * to).sum(-1) < 0) & (kinds == CAST), length / 2, radius)
    # volume has the sign of -(v . (start x end)).
    lit = (kinds == ATTACHED) & (volume * constraints.side >= 0)
    radius[np.broadcast_to(lit, radius.shape)] = 0.0
    out = np.empty((len(points), constraints.count))
    for g in range(constraints.count):
        lines = np.flatnonzero(constraints.group == g)
        out[:, g] = radius[:, lines].min(1)
        if len(lines) > 1:
            at = np.broadcast_to(v, (len(points), 3))
            out[in_wedge(at, points, constraints.start[lines], constraints.end[lines]), g] = 0.0
    return out
