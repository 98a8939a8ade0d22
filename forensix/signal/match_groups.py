"""Groups of keypoint matches that move together: candidate copies, as transformations.

References
----------
.. [1] Amerini, I. et al. (2011). A SIFT-based forensic method for copy-move attack detection and
   transformation recovery. IEEE TIFS 6(3), 1099-1110. DOI 10.1109/TIFS.2011.2129512
.. [2] Li, Y. and Zhou, J. (2019). Fast and effective image copy-move forgery detection via
   hierarchical feature point matching. IEEE TIFS 14(5), 1307-1322. DOI 10.1109/TIFS.2018.2876837
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.signal.affine import is_plausible, robust_fit
from forensix.signal.keypoints import Keypoints, Matches

LARGEST_TURN = np.deg2rad(20)
LARGEST_ZOOM = float(np.log(1.4))
MODELS_PER_CLUSTER = 8


@dataclass(frozen=True)
class MatchGroup:
    """Matches that one transformation explains.

    transform : (2, 3) float64, takes source to target, see forensix.signal.affine
    source, target : (n, 2) float64, the points (row, col)
    count : number of different places among them (keypoints closer than 2 px are one)
    distance : median descriptor distance
    mirrored : True for a reflected copy
    unlike : distance at which descriptors have nothing in common
    """

    transform: np.ndarray
    source: np.ndarray
    target: np.ndarray
    count: int
    distance: float
    mirrored: bool
    unlike: float = 0.5

    @property
    def strength(self) -> float:
        """Many places and close descriptors: the order in which groups deserve a look."""
        return self.count * (self.unlike - self.distance)


def group_matches(
    keypoints: Keypoints, matches: Matches, *, least: int = 4, clusters: int = 60, seed: int = 0
) -> list[MatchGroup]:
    """Sort matches into groups with one transformation each, the strongest first.

    Two matches are neighbours when both their ends are near each other and the turn,
    zoom and shift that the first one's scale and direction foretell bring the second
    one's source to its target [2]_. Connected neighbours form a cluster, and each
    cluster yields up to eight transformations by random sampling with a fixed seed.

    Parameters
    ----------
    least : int
        Smallest number of different places in a group.
    clusters : int
        Only this many of the largest clusters are looked at.
    """
    source, target = keypoints.points[matches.source], keypoints.points[matches.target]
    rng = np.random.default_rng(seed)
    # A copy's descriptors are nearer than a likeness's: they count more.
    weight = np.square(keypoints.feature.unlike - matches.distances.astype(np.float64))
    groups = []
    for cluster in _clusters(keypoints, matches, least=least)[:clusters]:
        left = cluster
        for _ in range(MODELS_PER_CLUSTER):
            if len(left) < least:
                break
            fit = robust_fit(
                source[left], target[left], weights=weight[left], mirrored=matches.mirrored, rng=rng
            )
            if fit is None:
                break
            transform, agree = fit
            inside, left = left[agree], left[~agree]
            count = min(_places(source[inside]), _places(target[inside]))
            if count < least:
                break
            if is_plausible(transform):
                distance = float(np.median(matches.distances[inside]))
                groups.append(
                    MatchGroup(
                        transform,
                        source[inside],
                        target[inside],
                        count,
                        distance,
                        matches.mirrored,
                        keypoints.feature.unlike,
                    )
                )
    return sorted(groups, key=lambda group: -group.strength)


def _places(points: np.ndarray) -> int:
    return len(np.unique(np.rint(points / 2), axis=0))


def _clusters(
    keypoints: Keypoints, matches: Matches, *, least: int, neighbours: int = 10, reach: float = 100.0
) -> list[np.ndarray]:
    """Indices of matches, by connected neighbourhoods, largest first."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    total = len(matches)
    if total < least:
        return []
    ends = np.hstack([keypoints.points[matches.source], keypoints.points[matches.target]])
    wanted = min(neighbours + 1, total)
    _, near = cKDTree(ends).query(ends, wanted, distance_upper_bound=reach)
    one, other = np.repeat(np.arange(total), wanted), near.ravel()
    real = (other < total) & (other != one)
    one, other = one[real], other[real]
    alike = _move_together(keypoints, matches, one, other)
    one, other = one[alike], other[alike]
    links = coo_matrix((np.ones(len(one), np.int8), (one, other)), shape=(total, total))
    count, label = connected_components(links, directed=False)
    sizes = np.bincount(label, minlength=count)
    order = np.argsort(label, kind="stable")
    ends = np.cumsum(sizes)
    large = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes >= least)]
    return [order[ends[i] - sizes[i] : ends[i]] for i in large]


def _move_together(keypoints: Keypoints, matches: Matches, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which pairs of matches the first one's scale and direction foretell; (pairs,) bool."""
    zoom = keypoints.sizes[matches.target] / keypoints.sizes[matches.source]
    sign = -1.0 if matches.mirrored else 1.0
    turn = keypoints.angles[matches.target] - sign * keypoints.angles[matches.source]
    source, target = keypoints.points[matches.source], keypoints.points[matches.target]
    rows, cols = (source[other] - source[one]).T
    # As complex numbers with the column axis real; a mirror image conjugates.
    step = (cols + 1j * sign * rows) * zoom[one] * np.exp(1j * turn[one])
    rows, cols = (target[other] - target[one]).T
    miss, length = np.abs(cols + 1j * rows - step), np.abs(step) / zoom[one]
    turned = np.abs(np.angle(np.exp(1j * (turn[one] - turn[other]))))
    zoomed = np.abs(np.log(zoom[one] / zoom[other]))
    together = (miss < 2.5 + 0.25 * length) & (turned < LARGEST_TURN) & (zoomed < LARGEST_ZOOM)
    return np.asarray(together & (length > 2))
