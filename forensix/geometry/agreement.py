"""Statistical tests of one common point, with simulated error rates.

All tests are likelihood-ratio tests under Gaussian noise of the marked points. The
statistic's distribution is not taken from a table but simulated at the fitted point
(parametric bootstrap, seeded) [1]_, because wedges and half-planes hold over whole regions
and few points make few degrees of freedom.

References
----------
.. [1] B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall,
   1993, chapter 16. DOI 10.1007/978-1-4899-4541-9
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.geometry.concurrence import (
    LINE,
    Constraints,
    costs_of,
    fulfilled,
    meeting_point,
    residuals,
    simulated,
    tangents,
    unit,
)

TURNS = np.concatenate([np.arange(0.25, 10, 0.25), np.arange(10, 90.5, 0.5)])
POWER = 0.9


@dataclass(frozen=True, eq=False)
class Agreement:
    """What a test of one common point found.

    v : (3,) the common point that costs least, in the frame of the constraints
    statistic : the likelihood-ratio statistic
    p_value : how often noise alone makes it as large, at least 1 / (runs + 1)
    critical : the value that noise exceeds at the asked false-alarm rate
    alarm_rate : how often it did, in as many fresh simulations
    cloud : (runs, 3) the common points of the simulations: the uncertainty of ``v``
    """

    v: np.ndarray
    statistic: float
    p_value: float
    critical: float
    alarm_rate: float
    cloud: np.ndarray

    @property
    def disagrees(self) -> bool:
        """The statistic is above what noise exceeds at the asked rate."""
        return self.statistic > self.critical


def one_point(constraints: Constraints, *, runs: int, alarm: float, seed: int) -> Agreement:
    """Do all constraints hold at one point?

    runs : simulations; alarm : false-alarm rate of the critical value
    """
    v, cost = meeting_point(constraints)
    generator = np.random.default_rng(seed)
    cloud, under = costs_of(constraints, simulated(constraints, v, runs, generator), v)
    _, fresh = costs_of(constraints, simulated(constraints, v, runs, generator), v)
    return _judged(v, cost, under, fresh, cloud=cloud, alarm=alarm)


def same_point(
    constraints: Constraints, questioned: np.ndarray, *, runs: int, alarm: float, seed: int
) -> Agreement:
    """Do the questioned constraints hold at the point of the others?

    questioned : (G,) bool
    The statistic is what one common point costs more than one point for each of the two
    sets, so that disagreement within a set does not count.
    """
    sets = [constraints.subset(np.flatnonzero(chosen)) for chosen in (~questioned, questioned)]
    # One constraint always has a point, and two undirected lines have one.
    sets = [part for part in sets if part.count > (2 if (part.kind == LINE).all() else 1)]
    v, cost = meeting_point(constraints)
    statistic = cost - sum(meeting_point(part)[1] for part in sets)
    generator = np.random.default_rng(seed)
    draws = []
    for _ in range(2):
        points = simulated(constraints, v, runs, generator)
        cloud, joint = costs_of(constraints, points, v)
        draws.append(joint - sum(costs_of(part, points, v)[1] for part in sets))
    return _judged(v, max(statistic, 0.0), draws[0], draws[1], cloud=cloud, alarm=alarm)


def _judged(
    v: np.ndarray, statistic: float, under: np.ndarray, fresh: np.ndarray, *, cloud: np.ndarray, alarm: float
) -> Agreement:
    # A hair of tolerance: costs that are zero but for rounding count as equal.
    p_value = (1 + np.count_nonzero(under >= statistic - 1e-6)) / (1 + len(under))
    critical = float(np.quantile(under, 1 - alarm, method="higher")) + 1e-6
    return Agreement(v, statistic, float(p_value), critical, float(np.mean(fresh > critical)), cloud)


def noticeable_turns(
    constraints: Constraints,
    found: Agreement,
    *,
    questioned: np.ndarray | None = None,
    as_one: bool = False,
) -> np.ndarray:
    """How far a constraint could be turned about its start before the test would notice.

    questioned : (G,) bool, where the test was :func:`same_point`
    as_one : turn all questioned ones as one body, about the middle of their points; the
        answer is one number
    Returns degrees, (G,) or (1,): the smallest turn that exceeds the critical value with
    probability 0.9, by the noncentral chi-square of the linearised test [1]_; NaN where
    no turn up to 90 degrees would.

    References
    ----------
    .. [1] S. Kay, "Fundamentals of Statistical Signal Processing II: Detection Theory",
       Prentice Hall, 1998, section 6.5.
    """
    from scipy.stats import ncx2

    exact = constraints.with_points(fulfilled(constraints, found.v))
    slope = _slopes(exact, found.v)
    bound = np.abs(slope).max(1) > 0
    if questioned is None:
        freedom = max(int(bound.sum()) - 2, 1)
    else:
        freedom = max(min(2, int((bound & questioned).sum())), 1)
    bodies = [np.arange(constraints.count) == g for g in range(constraints.count)]
    if as_one and questioned is not None:
        bodies = [questioned]
    out = np.full(len(bodies), np.nan)
    for k, body in enumerate(bodies):
        shift = np.min(
            [_shift(exact, found.v, body, slope, sign=sign, questioned=questioned) for sign in (1, -1)],
            axis=0,
        )
        power = ncx2.sf(found.critical, freedom, np.maximum(shift, 1e-9))
        seen = np.flatnonzero(power >= POWER)
        if len(seen):
            out[k] = TURNS[seen[0]]
    return out


def _slopes(constraints: Constraints, v: np.ndarray) -> np.ndarray:
    """(G, 2) change of the residuals with the common point."""
    h = 1e-6
    first, second = tangents(v)
    near = unit(np.array([v + h * first, v - h * first, v + h * second, v - h * second]))
    e = residuals(near, constraints)
    return np.stack([e[0] - e[1], e[2] - e[3]], axis=1) / (2 * h)


def _shift(
    exact: Constraints,
    v: np.ndarray,
    body: np.ndarray,
    slope: np.ndarray,
    *,
    sign: int,
    questioned: np.ndarray | None,
) -> np.ndarray:
    """Noncentrality of the test for each of TURNS."""
    lines = np.flatnonzero(body[exact.group])
    members = np.unique(np.concatenate([exact.start[lines], exact.end[lines]]))
    pivot = exact.points[members if body.sum() > 1 else exact.start[lines]].mean(0)
    angle = sign * np.radians(TURNS)[:, None]
    arm = exact.points[members] - pivot
    turned = np.repeat(exact.points[None], len(TURNS), axis=0)
    turned[:, members, 0] = pivot[0] + np.cos(angle) * arm[:, 0] - np.sin(angle) * arm[:, 1]
    turned[:, members, 1] = pivot[1] + np.sin(angle) * arm[:, 0] + np.cos(angle) * arm[:, 1]
    e = residuals(np.broadcast_to(v, (len(TURNS), 3)), exact, turned) * body
    # A turned constraint binds although it was slack before.
    binding = np.where(np.abs(slope).max(1) > 0, 1.0, 0.0)[:, None] * slope
    left = _unexplained(e, binding)
    return left if questioned is None else left - _unexplained(e[:, questioned], binding[questioned])


def _unexplained(e: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Sums of squares of (B, G) residuals that no move of the common point takes away."""
    basis, size, _ = np.linalg.svd(slope, full_matrices=False)
    basis = basis[:, size > 1e-9 * max(size.max(initial=0), 1e-9)]
    left = e - (e @ basis) @ basis.T
    return np.asarray((left * left).sum(1))
