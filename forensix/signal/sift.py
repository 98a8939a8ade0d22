"""SIFT keypoints as plain arrays, and matches between keypoints of one image.

References
----------
.. [1] Lowe, D. G. (2004). Distinctive image features from scale-invariant keypoints.
   International Journal of Computer Vision 60(2), 91-110. DOI 10.1023/B:VISI.0000029664.99615.94
.. [2] Arandjelovic, R. and Zisserman, A. (2012). Three things everyone should know to
   improve object retrieval. CVPR. DOI 10.1109/CVPR.2012.6248018 (square-root SIFT)
.. [3] Li, Y. and Zhou, J. (2019). Fast and effective image copy-move forgery detection via
   hierarchical feature point matching. IEEE TIFS 14(5), 1307-1322.
   DOI 10.1109/TIFS.2018.2876837 (low contrast threshold, grouping by grey level)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.errors import ParameterError
from forensix.signal.blas import one_blas_thread

# Keypoints of low contrast are kept (the usual threshold is 0.04), so that smooth
# regions get points; the geometry sorts out the unreliable ones.
CONTRAST = 0.005
EDGE_RATIO = 12.0
BALANCE_CELL = 32
BLOCK_ROWS = 512


@dataclass(frozen=True)
class Keypoints:
    """n keypoints of an image, sorted by position.

    points : (n, 2) float64, (row, col), pixel centres at integers
    sizes : (n,) float64, diameter in pixels
    angles : (n,) float64, radians, from the column axis towards the row axis
    levels : (n,) float32, mean grey value around the point, 0-255
    descriptors : (n, 128) float32, unit length, not negative
    """

    points: np.ndarray
    sizes: np.ndarray
    angles: np.ndarray
    levels: np.ndarray
    descriptors: np.ndarray

    def __len__(self) -> int:
        return len(self.points)

    def take(self, keep: np.ndarray) -> Keypoints:
        """The keypoints of the given indices."""
        return Keypoints(
            self.points[keep], self.sizes[keep], self.angles[keep], self.levels[keep], self.descriptors[keep]
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


def sift_keypoints(luma: np.ndarray, *, contrast: float = CONTRAST, limit: int = 12_000) -> Keypoints:
    """SIFT keypoints with square-root descriptors [1]_ [2]_, from an image doubled in size.

    Parameters
    ----------
    luma : (rows, cols) uint8 or float, 0-255
    contrast : float
        Smallest contrast of a keypoint, as a fraction of full scale.
    limit : int
        At most this many are kept, the strongest of every neighbourhood first.
    """
    import cv2

    if luma.ndim != 2:
        raise ParameterError(f"luma must be 2-D, got shape {luma.shape}")
    grey = luma if luma.dtype == np.uint8 else np.clip(np.rint(luma), 0, 255).astype(np.uint8)
    sift = cv2.SIFT_create(0, 3, contrast, EDGE_RATIO, 1.6)
    found, raw = sift.detectAndCompute(grey, None)
    if raw is None or not len(found):
        return Keypoints(
            np.zeros((0, 2)),
            np.zeros(0),
            np.zeros(0),
            np.zeros(0, np.float32),
            np.zeros((0, 128), np.float32),
        )
    table = np.array([(k.pt[1], k.pt[0], k.size, k.angle, k.response) for k in found], np.float64)
    # The order in which threads deliver keypoints must not reach the result.
    order = np.lexsort((-table[:, 4], table[:, 3], table[:, 2], table[:, 1], table[:, 0]))
    if len(order) > limit:
        order = order[_strongest_everywhere(table[order, :2], table[order, 4], limit)]
    table, raw = table[order], raw[order]
    descriptors = np.sqrt(raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-6)).astype(np.float32)
    points, sizes = np.ascontiguousarray(table[:, :2]), table[:, 2]
    return Keypoints(points, sizes, np.deg2rad(table[:, 3]), mean_level(grey, points, sizes), descriptors)


def _strongest_everywhere(points: np.ndarray, responses: np.ndarray, limit: int) -> np.ndarray:
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


def mirrored_descriptors(descriptors: np.ndarray) -> np.ndarray:
    """Descriptors of the same patches seen in a mirror (the axis is the keypoint's own direction)."""
    bins = descriptors.reshape(-1, 4, 4, 8)
    return np.ascontiguousarray(bins[:, ::-1][..., (-np.arange(8)) % 8].reshape(-1, 128))


def match_within(
    keypoints: Keypoints,
    *,
    mirrored: bool = False,
    largest_distance: float = 0.45,
    nearest: float = 16.0,
    most: int = 12,
    gap: float = 0.65,
) -> Matches:
    """Pairs of alike keypoints within one image, several per keypoint where there are several copies.

    Every keypoint is compared with those of a similar mean grey value only [3]_, which
    leaves a fraction of the n * n comparisons. All pairs closer than `largest_distance`
    count, so that a region pasted several times is found each time. A keypoint with
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
    source, target, distance = _pairs_below(
        keypoints, largest_distance, mirrored=mirrored, most=most, gap=gap
    )
    apart = np.hypot(*(keypoints.points[source] - keypoints.points[target]).T) >= nearest
    keep = apart & (source < target)
    source, target, distance = source[keep], target[keep], distance[keep]
    order = np.lexsort((target, source))
    return Matches(source[order], target[order], distance[order], mirrored)


def _pairs_below(
    keypoints: Keypoints, limit: float, *, mirrored: bool, most: int, gap: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ordered pairs of similar grey value with descriptors closer than each keypoint allows."""
    order = np.argsort(keypoints.levels, kind="stable")
    levels, descriptors = keypoints.levels[order], keypoints.descriptors[order]
    queries = mirrored_descriptors(descriptors) if mirrored else descriptors
    step, overlap = (
        (256.0, 0.0) if len(order) < 5_000 else (40.0, 10.0) if len(order) < 10_000 else (20.0, 5.0)
    )
    found = []
    allowed = np.full(len(order), np.inf, np.float32)
    with one_blas_thread():
        for low in np.arange(0.0, 256.0, step):
            first, last = np.searchsorted(levels, [low, low + step])
            begin, end = np.searchsorted(levels, [low - overlap, low + step + overlap])
            for start in range(first, last, BLOCK_ROWS):
                stop = min(start + BLOCK_ROWS, last)
                cosines = queries[start:stop] @ descriptors[begin:end].T
                row, col, allowed[start:stop] = _partners(cosines, limit, most=most, gap=gap)
                found.append((row + start, col + begin, cosines[row, col]))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    source, target, cosine = (np.concatenate(part) for part in zip(*found, strict=True))
    both = cosine > allowed[target]
    source, target, cosine = order[source[both]], order[target[both]], cosine[both]
    return source, target, np.sqrt(np.maximum(2 - 2 * cosine, 0)).astype(np.float32)


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
        keep = cosines[row, col] > least[row]
        row, col = row[keep], col[keep]
    return row, col, least
