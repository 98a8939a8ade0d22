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
    simulated,
)

TURNS = np.concatenate([np.arange(0.5, 10, 0.5), np.arange(10, 20), np.arange(20, 91, 5)])
POWER = 0.9
NINE_IN_TEN = 1.3  # standard deviations


@dataclass(frozen=True)
class Calibration:
    """A statistic, how often noise makes it as large, the critical value and its simulated rate."""

    statistic: float
    p_value: float
    critical: float
    alarm_rate: float

    @property
    def disagrees(self) -> bool:
        """The statistic is above what noise exceeds at the asked rate."""
        return self.statistic > self.critical


@dataclass(frozen=True, eq=False)
class Agreement:
    """What a test of one common point found.

    v : (3,) the common point that costs least, in the frame of the constraints
    statistic : the likelihood-ratio statistic
    p_value : how often noise alone makes it as large, at least 1 / (runs + 1)
    critical : the value that noise exceeds at the asked false-alarm rate ``alarm``
    alarm_rate : how often it did, in as many fresh simulations
    cloud : (runs, 3) the common points of the simulations: the uncertainty of ``v``
    """

    v: np.ndarray
    statistic: float
    p_value: float
    critical: float
    alarm: float
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
    sets = [part for part in sets if _may_disagree(part)]
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
    rates = calibrated(statistic, under, fresh, alarm)
    return Agreement(v, statistic, rates.p_value, rates.critical, alarm, rates.alarm_rate, cloud)


def calibrated(statistic: float, under: np.ndarray, fresh: np.ndarray, alarm: float) -> Calibration:
    """A statistic beside (runs,) simulated ones; the critical value is tried on ``fresh`` ones."""
    # A hair of tolerance: costs that are zero but for rounding count as equal.
    p_value = float((1 + np.count_nonzero(under >= statistic - 1e-6)) / (1 + len(under)))
    critical = float(np.quantile(under, 1 - alarm, method="higher")) + 1e-6
    return Calibration(statistic, p_value, critical, float(np.mean(fresh > critical)))


def noticed(cost: np.ndarray, critical: float) -> np.ndarray:
    """Whether noise about a statistic of this size exceeds the critical one nine times in ten.

    Noise adds about a normal deviate to the root; nine times in ten it takes NINE_IN_TEN of them.
    """
    return np.asarray(np.sqrt(cost) > np.sqrt(critical) + NINE_IN_TEN)


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
    Returns degrees, (G,) or (1,): the smallest turn of the fitted constraints, either way,
    that exceeds the critical value with probability 0.9, by the noncentral chi-square that
    the statistic follows under small noise [1]_; NaN where no turn up to 90 degrees would.

    References
    ----------
    .. [1] S. Kay, "Fundamentals of Statistical Signal Processing II: Detection Theory",
       Prentice Hall, 1998, section 6.5.
    """
    from scipy.special import chdtri, chndtr

    exact = constraints.with_points(fulfilled(constraints, found.v))
    freedom = max(constraints.count - 2, 1)
    if questioned is not None:
        freedom = min(2, int(questioned.sum()))
    # Inside wide wedges noise costs nothing; once turned to their edge it does.
    critical = max(found.critical, float(chdtri(freedom, found.alarm)))
    bodies = [np.arange(constraints.count) == g for g in range(constraints.count)]
    if as_one and questioned is not None:
        bodies = [questioned]
    shift = _cost_of_turns(exact, found.v, bodies, questioned)
    power = 1 - chndtr(critical, freedom, np.clip(shift, 1e-9, 1e4))
    # The first turn from which on it is always noticed.
    missed = (power < POWER) * np.arange(1, len(TURNS) + 1)
    return np.append(TURNS, np.nan)[missed.max(1)]


def _cost_of_turns(
    exact: Constraints, v: np.ndarray, bodies: list[np.ndarray], questioned: np.ndarray | None
) -> np.ndarray:
    """The statistic of noiseless constraints after each of TURNS of a body, the smaller of both ways.

    Returns (number of bodies, number of TURNS).
    """
    angle = np.radians(np.concatenate([TURNS, -TURNS]))[:, None]
    every = np.repeat(exact.points[None], len(bodies) * len(angle), axis=0).reshape(
        len(bodies), len(angle), -1, 2
    )
    for turned, body in zip(every, bodies, strict=True):
        lines = np.flatnonzero(body[exact.group])
        members = np.unique(np.concatenate([exact.start[lines], exact.end[lines]]))
        pivot = exact.points[members if body.sum() > 1 else exact.start[lines]].mean(0)
        arm = exact.points[members] - pivot
        turned[:, members, 0] = pivot[0] + np.cos(angle) * arm[:, 0] - np.sin(angle) * arm[:, 1]
        turned[:, members, 1] = pivot[1] + np.sin(angle) * arm[:, 0] + np.cos(angle) * arm[:, 1]
    points = every.reshape(-1, *exact.points.shape)
    _, cost = costs_of(exact, points, v, steps=12)
    if questioned is not None:
        part = exact.subset(np.flatnonzero(questioned))
        if _may_disagree(part):
            cost = cost - costs_of(part, points, v, steps=12)[1]
    both: np.ndarray = cost.reshape(len(bodies), 2, -1).min(1)
    return both


def _may_disagree(constraints: Constraints) -> bool:
    """One constraint always has a point, and two undirected lines have one."""
    return constraints.count > (2 if (constraints.kind == LINE).all() else 1)
