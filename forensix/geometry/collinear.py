"""Do uncertain points lie on one line? The dual of lines that meet in one point."""

from __future__ import annotations

import numpy as np

from forensix.geometry.concurrence import Constraints, descend, residuals, tangents, unit


def covariances(constraints: Constraints, v: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(B, 3, 3) covariances of estimated common points ``v`` (B, 3) of (B, N, 2) marked points."""
    h = 1e-6
    first, second = tangents(v)
    one, two = (
        (residuals(unit(v + h * t), constraints, points) - residuals(unit(v - h * t), constraints, points))
        / (2 * h)
        for t in (first, second)
    )
    a, b, c = (one * one).sum(1), (one * two).sum(1), (two * two).sum(1)
    det = np.maximum(a * c - b * b, 1e-12 * (a + c) ** 2 + 1e-30)
    outer = {}
    for name, x, y in (("aa", first, first), ("ab", first, second), ("bb", second, second)):
        outer[name] = x[:, :, None] * y[:, None, :]
    cross = outer["ab"] + outer["ab"].transpose(0, 2, 1)
    spread: np.ndarray = (
        c[:, None, None] * outer["aa"] - b[:, None, None] * cross + a[:, None, None] * outer["bb"]
    ) / det[:, None, None]
    return spread


def off_line(line: np.ndarray, places: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(B, G) how far (B, G, 3) points are from (B, 3) lines, in standard deviations.

    spread : (B, G, 3, 3) their covariances
    """
    miss = np.einsum("bi,bgi->bg", line, places)
    variance = np.einsum("bi,bgij,bj->bg", line, spread, line)
    return np.asarray(miss / np.sqrt(np.maximum(variance, 1e-24)))


def common_line(
    places: np.ndarray, spread: np.ndarray, start: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The line that (B, G, 3) uncertain points miss least: (B, 3) unit rows, (B,) costs.

    start : (3,) where to begin; else, for each pair of points, the line through both
    """
    if start is not None:
        return descend(
            np.broadcast_to(start, (len(places), 3)).copy(), lambda line: off_line(line, places, spread)
        )
    first, second = np.triu_indices(places.shape[1], 1)
    best: tuple[np.ndarray, np.ndarray] | None = None
    for i, k in zip(first, second, strict=True):
        begin = np.cross(places[:, i], places[:, k])
        line, cost = descend(unit(begin), lambda at: off_line(at, places, spread))
        if best is None:
            best = line, cost
        else:
            less = cost < best[1]
            best[0][less], best[1][less] = line[less], cost[less]
    if best is None:
        raise ValueError("two points at least make a line")
    return best


def moved_onto(line: np.ndarray, places: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(G, 3) points moved to a (3,) line, the likeliest way by their (G, 3, 3) covariances."""
    pull = spread @ line
    share = (places @ line) / np.maximum(pull @ line, 1e-24)
    return unit(places - share[:, None] * pull)
