"""Plane transformations between two parts of an image, fitted to point pairs.

A transformation is a (2, 3) float64 array that takes a point (row, col) to
``T[:, :2] @ (row, col) + T[:, 2]``.

References
----------
.. [1] Fischler, M. A. and Bolles, R. C. (1981). Random sample consensus.
   Communications of the ACM 24(6), 381-395. DOI 10.1145/358669.358692
.. [2] Chum, O., Matas, J. and Kittler, J. (2003). Locally optimized RANSAC. DAGM, LNCS 2781,
   236-243. DOI 10.1007/978-3-540-45243-0_31
"""

from __future__ import annotations

import numpy as np


def apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 2) points (row, col), transformed."""
    moved: np.ndarray = points @ transform[:, :2].T + transform[:, 2]
    return moved


def inverse(transform: np.ndarray) -> np.ndarray:
    """The transformation back; the linear part must not be singular."""
    linear = np.linalg.inv(transform[:, :2])
    back: np.ndarray = np.c_[linear, -linear @ transform[:, 2]]
    return back


def fit_affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares affine transformation of (n, 2) points, n at least 3 and not on a line."""
    design = np.c_[source, np.ones(len(source))]
    return np.ascontiguousarray(np.linalg.lstsq(design, target, rcond=None)[0].T)


def fit_similarity(source: np.ndarray, target: np.ndarray, *, mirrored: bool = False) -> np.ndarray | None:
    """Least-squares rotation, scale and shift (with a reflection if `mirrored`); n at least 2.

    None when the source points coincide.
    """
    from_mean, to_mean = source.mean(axis=0), target.mean(axis=0)
    a, b = source - from_mean, target - to_mean
    flip = np.array([-1.0, 1.0]) if mirrored else np.ones(2)
    start = (a * flip) @ np.array([1, 1j])
    end = b @ np.array([1, 1j])
    energy = float((np.abs(start) ** 2).sum())
    if energy < 1e-9:
        return None
    turn = (np.conj(start) * end).sum() / energy
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]]) * flip
    fitted: np.ndarray = np.c_[linear, to_mean - linear @ from_mean]
    return fitted


def scale_of(transform: np.ndarray) -> float:
    """Linear magnification: square root of the change of area."""
    return float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))


def shear_of(transform: np.ndarray) -> float:
    """How far the linear part is from a rotation or reflection with one scale: 0 for those, relative."""
    linear = transform[:, :2]
    scale = scale_of(transform)
    if scale == 0:
        return float("inf")
    sign = np.sign(np.linalg.det(linear))
    # The nearest such matrix has columns at right angles and of equal length.
    twin = sign * np.array([[linear[1, 1], -linear[1, 0]], [-linear[0, 1], linear[0, 0]]])
    return float(np.linalg.norm(linear - twin) / 2 / scale)


def is_plausible(transform: np.ndarray, *, smallest: float = 0.25, largest: float = 4.0) -> bool:
    """True for the magnifications and the mild shear that an editor's copy has."""
    if not np.isfinite(transform).all():
        return False
    major, minor = np.linalg.svd(transform[:, :2], compute_uv=False)
    return bool(minor >= smallest and major <= largest and major <= 1.6 * minor)


def robust_fit(
    source: np.ndarray,
    target: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    mirrored: bool = False,
    tolerance: float = 2.5,
    trials: int = 150,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Transformation that the heaviest set of point pairs agrees on, and which ones do.

    Similarities through two pairs, one random and one random or near it [1]_; the best
    of them is refitted to all pairs that agree until these no longer change [2]_: as an
    affine transformation where at least 6 pairs spread over the plane, as a similarity
    otherwise.

    Parameters
    ----------
    source, target : (n, 2) float64
    weights : (n,) float64, optional
        How much each pair counts; 1 each by default.
    tolerance : float
        Largest distance of a transformed source point from its target, pixels.

    Returns
    -------
    transform : (2, 3) float64
    agree : (n,) bool
        At least 3 are True. None instead of the pair when fewer agree.
    """
    if len(source) < 3:
        return None
    start, end = source @ np.array([1, 1j]), target @ np.array([1, 1j])
    start = -np.conj(start) if mirrored else start
    first, second = _pairs_of_pairs(start, trials, apart=3 * tolerance, rng=rng)
    if not len(first):
        return None
    turn = (end[second] - end[first]) / (start[second] - start[first])
    shift = end[first] - turn * start[first]
    close = np.abs(turn[:, None] * start + shift[:, None] - end) < 1.5 * tolerance
    best = int(np.argmax(close @ (np.ones(len(source)) if weights is None else weights)))
    if np.count_nonzero(close[best]) < 3:
        return None
    return _polish(close[best], source, target, mirrored=mirrored, tolerance=tolerance)


def _pairs_of_pairs(
    places: np.ndarray, trials: int, *, apart: float, rng: np.random.Generator, near: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of two pairs for each trial, every second time from one neighbourhood."""
    first = rng.integers(len(places), size=trials)
    distance = np.abs(places[first, None] - places)
    distance[distance <= apart] = np.inf
    order = np.argsort(distance, axis=1, kind="stable")
    usable = np.count_nonzero(np.isfinite(distance), axis=1)
    reach = np.where(np.arange(trials) % 2 == 0, np.minimum(usable, near), usable)
    second = order[np.arange(trials), (rng.random(trials) * reach).astype(np.int64)]
    return first[usable > 0], second[usable > 0]


def _misses(transform: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return np.asarray(np.hypot(*(apply(transform, source) - target).T))


def _polish(
    agree: np.ndarray, source: np.ndarray, target: np.ndarray, *, mirrored: bool, tolerance: float
) -> tuple[np.ndarray, np.ndarray] | None:
    transform = None
    for _ in range(8):
        if np.count_nonzero(agree) < 3:
            return None
        transform = _fit_spread(source[agree], target[agree], mirrored=mirrored, tolerance=tolerance)
        if transform is None:
            return None
        now = _misses(transform, source, target) < tolerance
        if np.array_equal(now, agree):
            break
        agree = now
    return (transform, agree) if transform is not None and np.count_nonzero(agree) >= 3 else None


def _fit_spread(
    source: np.ndarray, target: np.ndarray, *, mirrored: bool, tolerance: float
) -> np.ndarray | None:
    """Affine where the points spread in both directions, similarity otherwise."""
    spread = np.linalg.svd(source - source.mean(axis=0), compute_uv=False)
    if len(source) >= 6 and spread[1] > 2.5 * tolerance * np.sqrt(len(source)):
        return fit_affine(source, target)
    return fit_similarity(source, target, mirrored=mirrored)
