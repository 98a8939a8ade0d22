"""Keypoints of any feature as plain arrays, and matches between keypoints of one image.

References
----------
.. [1] Li, Y. and Zhou, J. (2019). Fast and effective image copy-move forgery detection via
   hierarchical feature point matching. IEEE TIFS 14(5), 1307-1322.
   DOI 10.1109/TIFS.2018.2876837 (grouping by grey level)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forensix.signal.blas import one_blas_thread

BALANCE_CELL = 32
BLOCK_ROWS = 512


@dataclass(frozen=True, eq=False)
class Feature:
    """What descriptors of one kind have in common.

    name : of the method, for example "sift"
    mirror : (length,) int64, where each value of the descriptor of the mirrored patch comes from
        (the axis is the keypoint's own direction)
    signs : (length,) float32, and the factor, 1 or -1, that it comes with
    alike : distance below which two descriptors are taken for alike, 0 to sqrt(2)
    """

    name: str
    mirror: np.ndarray
    signs: np.ndarray
    alike: float

    @property
    def length(self) -> int:
        return len(self.mirror)

    @property
    def unlike(self) -> float:
        """Distance at which a match counts nothing beside others; a little more than `alike`."""
        return self.alike / 0.9

    def mirrored(self, descriptors: np.ndarray) -> np.ndarray:
        """Descriptors of the same patches seen in a mirror; (n, length) float32."""
        return np.ascontiguousarray(descriptors[:, self.mirror] * self.signs)


@dataclass(frozen=True)
class Keypoints:
    """n keypoints of an image, sorted by position.

    feature : what the descriptors are
    points : (n, 2) float64, (row, col), pixel centres at integers
    sizes : (n,) float64, diameter in pixels
    angles : (n,) float64, radians, from the column axis towards the row axis
    levels : (n,) float32, mean grey value around the point, 0-255
    kinds : (n,) int8; only keypoints of one kind can be alike
    descriptors : (n, feature.length) float32, unit length
    """

    feature: Feature
    points: np.ndarray
    sizes: np.ndarray
    angles: np.ndarray
    levels: np.ndarray
    kinds: np.ndarray
    descriptors: np.ndarray

    def __len__(self) -> int:
        return len(self.points)


def no_keypoints(feature: Feature) -> Keypoints:
    return Keypoints(
        feature,
        np.zeros((0, 2)),
        np.zeros(0),
        np.zeros(0),
        np.zeros(0, np.float32),
        np.zeros(0, np.int8),
        np.zeros((0, feature.length), np.float32),
    )


@dataclass(frozen=True)
class Matches:
    """m pairs of alike keypoints.

    source, target : (m,) int64, indices of keypoints
    distances : (m,) float32, Euclidean distance of the descriptors, 0 to sqrt(2)
    mirrored : True when the target is compared with the mirrored source
    """

    source: np.ndarray
    target: np.ndarray
    distances: np.ndarray
    mirrored: bool = False

    def __len__(self) -> int:
        return len(self.source)


def strongest_everywhere(points: np.ndarray, responses: np.ndarray, limit: int) -> np.ndarray:
    """Indices (ascending) of `limit` points: the strongest of every cell, then the second, and so on."""
    cells = (points // BALANCE_CELL).astype(np.int64)
    cell = cells[:, 0] * (cells[:, 1].max() + 1) + cells[:, 1]
    order = np.lexsort((-responses, cell))
    first = np.flatnonzero(np.r_[True, np.diff(cell[order]) > 0])
    rank = np.empty(len(cell), np.int64)
    rank[order] = np.arange(len(cell)) - np.repeat(first, np.diff(np.r_[first, len(cell)]))
    return np.sort(np.lexsort((-responses, rank))[:limit])


def mean_level(grey: np.ndarray, points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Mean grey value of the square of one keypoint diameter either side of each point; (n,) float32."""
    import cv2

    sums = cv2.integral(grey)
    reach = np.maximum(2, np.rint(sizes)).astype(np.int64)
    row, col = np.rint(points).astype(np.int64).T
    top, bottom = np.maximum(row - reach, 0), np.minimum(row + reach + 1, grey.shape[0])
    left, right = np.maximum(col - reach, 0), np.minimum(col + reach + 1, grey.shape[1])
    total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return np.asarray(total / np.maximum((bottom - top) * (right - left), 1), np.float32)


def match_within(
    keypoints: Keypoints,
    *,
    mirrored: bool = False,
    nearest: float = 16.0,
    most: int = 12,
    gap: float = 0.65,
) -> Matches:
    """Pairs of alike keypoints within one image, several per keypoint where there are several copies.

    Every keypoint is compared with those of a similar mean grey value only [1]_, which
    leaves a fraction of the n * n comparisons. All pairs closer than the
    feature's `alike` count, so that a region pasted several times is found each time. A keypoint with
    more than `most` partners belongs to a repeating texture: only partners that stand
    out from the rest count then, as in the generalised nearest-neighbour test.

    Parameters
    ----------
    mirrored : bool
        Compare with the mirrored keypoints instead, to find reflected copies.
    nearest : float
        Pairs closer together than this many pixels are left out.
    most : int
        A keypoint with more partners than this is taken for texture.
    gap : float
        There, a partner must be closer than this fraction of the distance of the first
        partner beyond `most`.
    """
    source, target, distance = _alike_pairs(keypoints, mirrored=mirrored, most=most, gap=gap)
    apart = np.hypot(*(keypoints.points[source] - keypoints.points[target]).T) >= nearest
    keep = apart & (source < target)
    source, target, distance = source[keep], target[keep], distance[keep]
    order = np.lexsort((target, source))
    return Matches(source[order], target[order], distance[order], mirrored)


def _alike_pairs(
    keypoints: Keypoints, *, mirrored: bool, most: int, gap: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ordered pairs of one kind and similar grey value, with descriptors closer than each keypoint allows."""
    order = np.lexsort((keypoints.levels, keypoints.kinds))
    levels, descriptors = keypoints.levels[order], keypoints.descriptors[order]
    queries = keypoints.feature.mirrored(descriptors) if mirrored else descriptors
    found = []
    allowed = np.full(len(order), np.inf, np.float32)
    with one_blas_thread():
        for begin, first, last, end in _bands(levels, keypoints.kinds[order]):
            for start in range(first, last, BLOCK_ROWS):
                stop = min(start + BLOCK_ROWS, last)
                cosines = queries[start:stop] @ descriptors[begin:end].T
                row, col, allowed[start:stop] = _partners(
                    cosines, keypoints.feature.alike, most=most, gap=gap
                )
                found.append((row + start, col + begin, cosines[row, col]))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    source, target, cosine = (np.concatenate(part) for part in zip(*found, strict=True))
    both = cosine > allowed[target]
    source, target, cosine = order[source[both]], order[target[both]], cosine[both]
    return source, target, np.sqrt(np.maximum(2 - 2 * cosine, 0)).astype(np.float32)


def _bands(levels: np.ndarray, kinds: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Of each band of grey values, the first and last row, between those of what it is compared with.

    levels : ascending within each of the ascending kinds
    """
    step, overlap = (
        (256.0, 0.0) if len(levels) < 5_000 else (40.0, 10.0) if len(levels) < 10_000 else (20.0, 5.0)
    )
    for kind in np.unique(kinds):
        low, high = np.searchsorted(kinds, [kind, kind + 1])
        for level in np.arange(0.0, 256.0, step):
            edges = [level - overlap, level, level + step, level + step + overlap]
            begin, first, last, end = low + np.searchsorted(levels[low:high], edges)
            yield int(begin), int(first), int(last), int(end)


def _partners(
    cosines: np.ndarray, limit: float, *, most: int, gap: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row and column of the partners that count, and the cosine each row asks for; (rows,) float32."""
    least = np.full(len(cosines), 1 - limit**2 / 2, np.float32)
    # The flat search is many times faster than the one by rows and columns.
    row, col = np.divmod(np.flatnonzero(cosines > least[0]), cosines.shape[1])
    # One of the partners is the keypoint itself.
    crowded = np.flatnonzero(np.bincount(row, minlength=len(cosines)) > most + 1)
    if len(crowded):
        rank = cosines.shape[1] - (most + 2)
        first_beyond = np.partition(cosines[crowded], rank, axis=1)[:, rank]
        least[crowded] = 1 - gap**2 * (1 - first_beyond)
        # Where even that one is the same but for rounding, nobody can stand out.
        least[crowded[first_beyond > 1 - 1e-5]] = np.inf
        keep = cosines[row, col] > least[row]
        row, col = row[keep], col[keep]
    return row, col, least
