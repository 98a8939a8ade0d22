"""Do lines through noisy points meet in one point? The estimate, its cost, and its simulation.

Shadows, parallel edges and mirror images all ask this: each pair of marked points fixes a
line, and all lines should pass through one point ``v`` of the picture, which may lie
outside it, at infinity, or (a light) behind the camera. ``v`` is kept as a unit vector
``(row, col, w)``: ``w > 0`` is in front of the camera, ``w < 0`` behind it, 0 infinity.
With signs, "the light lies beyond the object as seen from its shadow" is linear in ``v``:
an object point ``p`` and its shadow ``s`` allow exactly the cone of ``(p, 1)`` and
``-(s, 1)``, in front and behind alike [1]_.

The cost of ``v`` is the least sum of squared moves of the marked points, in units of their
noise, that makes every constraint hold: the likelihood-ratio statistic under Gaussian noise
of the points [2]_.

References
----------
.. [1] E. Kee, J. O'Brien and H. Farid, "Exposing photo manipulation with inconsistent
   shadows", ACM Transactions on Graphics 32(3), 2013. DOI 10.1145/2487228.2487236
.. [2] R. Hartley and A. Zisserman, "Multiple View Geometry in Computer Vision", 2nd ed.,
   Cambridge University Press, 2004, section 8.6. DOI 10.1017/CBO9780511811685
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

LINE, CAST, ATTACHED = 0, 1, 2
STEPS = 30
MAX_STARTS = 400
MAX_BATCH = 200_000  # lines at a time: a hundred megabytes
_FLAT = 1e-12


@dataclass(frozen=True, eq=False)
class Constraints:
    """Lines through marked points, grouped into constraints on one common point.

    points : (N, 2) float, row and column, in the frame of :func:`frame`
    start, end : (K,) int, the two points of each line: shadow and object of a cast shadow
    group : (K,) int, which constraint a line belongs to; the lines of a cast shadow with
        several possible points are the sides and diagonals of its wedge
    kind : (G,) int of each constraint: LINE (the point is on the line), CAST (on the ray
        from start through end, beyond end), ATTACHED (on one side of the line)
    side : (K,) float, +1 or -1: the sign of ``v . (start x end)`` on the lit side
    sigma : standard deviation of each coordinate of a point, in the same frame
    """

    points: np.ndarray
    start: np.ndarray
    end: np.ndarray
    group: np.ndarray
    kind: np.ndarray
    side: np.ndarray
    sigma: float

    @property
    def count(self) -> int:
        return len(self.kind)

    def with_points(self, points: np.ndarray) -> Constraints:
        return replace(self, points=points)

    def subset(self, chosen: np.ndarray) -> Constraints:
        """The constraints of these numbers, renumbered in their order."""
        chosen = np.asarray(chosen, dtype=int)
        place = np.full(self.count, -1)
        place[chosen] = np.arange(len(chosen))
        keep = place[self.group] >= 0
        return replace(
            self,
            start=self.start[keep],
            end=self.end[keep],
            group=place[self.group[keep]],
            kind=self.kind[chosen],
            side=self.side[keep],
        )


def homogeneous(points: np.ndarray) -> np.ndarray:
    """(..., 2) points as (..., 3) with a last 1."""
    return np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)


def line_residuals(
    v: np.ndarray, start: np.ndarray, end: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """How far two points must move so that their line passes through ``v``.

    v : (..., 3); start, end : (..., 2), broadcast against each other
    Returns the signed root of the sum of both squared moves over ``sigma``, and the square
    at which the line may point anywhere (both points moved to their middle).
    """
    w, place = v[..., 2:], v[..., :2]
    a, b = w * start - place, w * end - place
    aa, bb, ab = (a * a).sum(-1), (b * b).sum(-1), (a * b).sum(-1)
    widest = (aa + bb + np.sqrt((aa - bb) ** 2 + 4 * ab * ab)) / 2
    apart = start[..., 0] * end[..., 1] - start[..., 1] * end[..., 0]
    across = v[..., 0] * (start[..., 1] - end[..., 1]) + v[..., 1] * (end[..., 0] - start[..., 0])
    volume = across + v[..., 2] * apart
    residual = volume / np.sqrt(np.maximum(widest, _FLAT**2)) / sigma
    cap = ((end - start) ** 2).sum(-1) / 2 / sigma**2
    return residual, cap


def _beyond(v: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """How far ``v`` falls short of the ray from start beyond end, along it; inf behind it."""
    along = end - start
    length = np.sqrt((along**2).sum(-1)).clip(_FLAT)
    along = along / length[..., None]
    w = v[..., 2]
    past_end = (along * (v[..., :2] - v[..., 2:] * end)).sum(-1)
    past_start = (along * (v[..., :2] - v[..., 2:] * start)).sum(-1)
    short = np.maximum(np.maximum(-past_end, -past_start), 0)
    far = short / np.maximum(np.abs(w), _FLAT)
    return np.where(short > 0, far, 0.0)


def residuals(v: np.ndarray, constraints: Constraints, points: np.ndarray | None = None) -> np.ndarray:
    """What each constraint costs at ``v``: signed roots, 0 where it holds.

    v : (B, 3) unit vectors; points : (B or 1, N, 2) in place of the constraints' own
    Returns (B, G) float64 in units of the noise.
    """
    p = constraints.points[None] if points is None else points
    start, end = p[:, constraints.start], p[:, constraints.end]
    at = v[:, None, :]
    e, cap = line_residuals(at, start, end, constraints.sigma)
    kinds = constraints.kind[constraints.group]
    cast = kinds == CAST
    if cast.any():
        short = _beyond(at, start[:, cast], end[:, cast]) / constraints.sigma
        cost = np.minimum(e[:, cast] ** 2 + short**2, cap[:, cast])
        e[:, cast] = np.where(e[:, cast] < 0, -1.0, 1.0) * np.sqrt(cost)
    attached = kinds == ATTACHED
    if attached.any():
        e[:, attached] = np.where(e[:, attached] * constraints.side[attached] < 0, e[:, attached], 0.0)
    if len(constraints.group) == constraints.count:
        return e
    return _least_of_group(e, constraints, p, v)


def _least_of_group(e: np.ndarray, constraints: Constraints, p: np.ndarray, v: np.ndarray) -> np.ndarray:
    out = np.empty((len(e), constraints.count))
    for g in range(constraints.count):
        lines = np.flatnonzero(constraints.group == g)
        if len(lines) == 1:
            out[:, g] = e[:, lines[0]]
            continue
        least = np.argmin(np.abs(e[:, lines]), axis=1)
        out[:, g] = e[np.arange(len(e)), lines[least]]
        out[in_wedge(v, p, constraints.start[lines], constraints.end[lines]), g] = 0.0
    return out


def in_wedge(v: np.ndarray, points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Whether ``v`` lies in the cone of the end points and the start points' opposites."""
    rays = np.concatenate(
        [homogeneous(points[:, np.unique(end)]), -homogeneous(points[:, np.unique(start)])], axis=1
    )
    inside = np.zeros(len(v), dtype=bool)
    for triple in combinations(range(rays.shape[1]), 3):
        a, b, c = (rays[:, i] for i in triple)
        volume = (a * cross(b, c)).sum(-1)
        sign = np.where(volume < 0, -1.0, 1.0)
        parts = [(cross(x, y) * v).sum(-1) * sign for x, y in ((b, c), (c, a), (a, b))]
        inside |= (np.minimum.reduce(parts) >= 0) & (np.abs(volume) > _FLAT)
    return inside


def descend(
    start: np.ndarray, function: Callable[[np.ndarray], np.ndarray], steps: int = STEPS
) -> tuple[np.ndarray, np.ndarray]:
    """Least squares on the unit sphere by Levenberg and Marquardt, many problems at once.

    start : (B, 3) unit vectors; function : (B, 3) -> (B, G) residuals
    Returns the (B, 3) minima and their (B,) sums of squares.
    """
    v = start.copy()
    e = function(v)
    cost = (e * e).sum(1)
    damping = np.full(len(v), 1e-3)
    h = 1e-6
    for _ in range(steps):
        t1, t2 = tangents(v)
        j1, j2 = ((function(unit(v + h * t)) - function(unit(v - h * t))) / (2 * h) for t in (t1, t2))
        g1, g2 = (j1 * e).sum(1), (j2 * e).sum(1)
        a, b, c = (j1 * j1).sum(1), (j1 * j2).sum(1), (j2 * j2).sum(1)
        a, c = a * (1 + damping) + _FLAT, c * (1 + damping) + _FLAT
        det = a * c - b * b + _FLAT
        move = t1 * ((b * g2 - c * g1) / det)[:, None] + t2 * ((b * g1 - a * g2) / det)[:, None]
        length = np.sqrt((move**2).sum(1)).clip(_FLAT)
        move *= np.minimum(1.0, 0.5 / length)[:, None]
        trial = unit(v + move)
        found = function(trial)
        less = (found * found).sum(1)
        better = less < cost
        # A move that fails says nothing before the damping has made it short.
        gain = np.where(better, cost - less, 0)
        settled = bool(((gain <= 1e-7 * (1 + cost)) & (better | (damping > 0.1) | (length < 1e-7))).all())
        v[better], e[better], cost[better] = trial[better], found[better], less[better]
        damping = np.where(better, damping / 4, np.minimum(damping * 6, 1e8))
        if settled:
            break
    return v, cost


def tangents(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors across each unit vector and each other."""
    away = np.where(np.abs(v[..., :1]) < 0.7, np.array([1.0, 0, 0]), np.array([0, 1.0, 0]))
    first = unit(cross(v, away))
    return first, cross(v, first)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cross product of (..., 3) vectors; NumPy's own spends its time on other shapes."""
    a0, a1, a2 = a[..., 0], a[..., 1], a[..., 2]
    b0, b1, b2 = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=-1)


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.sqrt((v * v).sum(-1, keepdims=True)).clip(_FLAT)


def meeting_point(constraints: Constraints) -> tuple[np.ndarray, float]:
    """The common point that costs least, and its cost, from many starts.

    Returns a (3,) unit vector and the sum of squared residuals.
    """
    v, cost = descend(_starts(constraints), lambda at: residuals(at, constraints), steps=60)
    best = int(np.argmin(cost))
    return v[best], float(cost[best])


def _starts(constraints: Constraints) -> np.ndarray:
    """Where any two lines cross, where each line goes, the axes; each with its opposite."""
    points = homogeneous(constraints.points)
    lines = unit(cross(points[constraints.start], points[constraints.end]))
    first, second = np.triu_indices(len(lines), 1)
    crossings = cross(lines[first], lines[second])
    crossings = crossings[np.sqrt((crossings**2).sum(1)) > 1e-9]
    if len(crossings) > MAX_STARTS:
        crossings = crossings[np.linspace(0, len(crossings) - 1, MAX_STARTS).astype(int)]
    along = np.zeros((len(lines), 3))
    along[:, :2] = constraints.points[constraints.end] - constraints.points[constraints.start]
    starts = unit(np.concatenate([crossings, along, np.eye(3)]))
    if (constraints.kind == LINE).all():
        return starts
    return np.concatenate([starts, -starts])


def fulfilled(constraints: Constraints, v: np.ndarray, *, snug: float = 0.0) -> np.ndarray:
    """The marked points, moved as little as makes every constraint hold at ``v``.

    snug : lit sides that hold by no more than this, in units of the noise, are moved to hold
        only just
    Returns (N, 2); a shadow that points the wrong way is shrunk to its middle.
    """
    points = constraints.points.copy()
    e = residuals(v[None], constraints)[0]
    single, cap = line_residuals(v, points[constraints.start], points[constraints.end], constraints.sigma)
    loose = (np.abs(single) < snug) & (constraints.kind[constraints.group] == ATTACHED)
    moved = (np.abs(e) > 0) | (np.bincount(constraints.group, loose, constraints.count) > 0)
    for g in np.flatnonzero(moved):
        lines = np.flatnonzero(constraints.group == g)
        line = lines[np.argmin(np.abs(single[lines]))]
        ends = np.array([constraints.start[line], constraints.end[line]])
        if e[g] ** 2 >= cap[line] * (1 - 1e-9) and constraints.kind[g] == CAST:
            points[ends] = points[ends].mean(0)
            continue
        points[ends] = _onto_line_through(points[ends], v)
    return points


def _onto_line_through(pair: np.ndarray, v: np.ndarray) -> np.ndarray:
    spread = v[2] * pair - v[:2]
    _, vectors = np.linalg.eigh(spread.T @ spread)
    normal = vectors[:, 0]
    if abs(v[2]) > 1e-9:
        offset = (spread @ normal) / v[2]
    else:
        offset = (pair - pair.mean(0)) @ normal
    moved: np.ndarray = pair - offset[:, None] * normal
    return moved


def simulated(
    constraints: Constraints, v: np.ndarray, runs: int, generator: np.random.Generator
) -> np.ndarray:
    """(runs, N, 2) marked points as noise would have them if all constraints met in ``v``."""
    # A light that lies on a terminator leaves half of its noise unseen in what was marked. Taken
    # as marked, simulations would be too calm and alarm too often (Andrews and Soares,
    # Econometrica 78, 2010, DOI 10.3982/ECTA7502).
    exact = fulfilled(constraints, v, snug=3.0)
    return exact + constraints.sigma * generator.standard_normal((runs, *exact.shape))


def costs_of(
    constraints: Constraints, points: np.ndarray, v: np.ndarray, *, steps: int = STEPS
) -> tuple[np.ndarray, np.ndarray]:
    """The best point and its cost for each of (B, N, 2) sets of marked points, from ``v`` on."""
    size = max(MAX_BATCH // max(len(constraints.group), 1), 1)
    batches = (points[first : first + size] for first in range(0, len(points), size))
    places, costs = zip(*(_descended(constraints, batch, v, steps) for batch in batches), strict=True)
    return np.concatenate(places), np.concatenate(costs)


def _descended(
    constraints: Constraints, points: np.ndarray, v: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    start = np.broadcast_to(v, (len(points), 3)).copy()
    return descend(start, lambda at: residuals(at, constraints, points), steps)
