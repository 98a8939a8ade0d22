"""SIFT keypoints as plain arrays.

References
----------
.. [1] Lowe, D. G. (2004). Distinctive image features from scale-invariant keypoints.
   International Journal of Computer Vision 60(2), 91-110. DOI 10.1023/B:VISI.0000029664.99615.94
.. [2] Arandjelovic, R. and Zisserman, A. (2012). Three things everyone should know to
   improve object retrieval. CVPR. DOI 10.1109/CVPR.2012.6248018 (square-root SIFT)
.. [3] Li, Y. and Zhou, J. (2019). Fast and effective image copy-move forgery detection via
   hierarchical feature point matching. IEEE TIFS 14(5), 1307-1322.
   DOI 10.1109/TIFS.2018.2876837 (low contrast threshold)
"""

from __future__ import annotations

import numpy as np

from forensix.errors import ParameterError
from forensix.signal.keypoints import Feature, Keypoints, mean_level, no_keypoints, strongest_everywhere

# Keypoints of low contrast are kept (the usual threshold is 0.04), so that smooth
# regions get points [3]_; the geometry sorts out the unreliable ones.
CONTRAST = 0.005
EDGE_RATIO = 12.0


def _mirror() -> np.ndarray:
    bins = np.arange(128).reshape(4, 4, 8)
    return bins[::-1][..., (-np.arange(8)) % 8].ravel()


SIFT = Feature("sift", mirror=_mirror(), signs=np.ones(128, np.float32), alike=0.45)


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
        return no_keypoints(SIFT)
    table = np.array([(k.pt[1], k.pt[0], k.size, k.angle, k.response) for k in found], np.float64)
    # The order in which threads deliver keypoints must not reach the result.
    order = np.lexsort((-table[:, 4], table[:, 3], table[:, 2], table[:, 1], table[:, 0]))
    if len(order) > limit:
        order = order[strongest_everywhere(table[order, :2], table[order, 4], limit)]
    table, raw = table[order], raw[order]
    descriptors = np.sqrt(raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-6)).astype(np.float32)
    points, sizes = np.ascontiguousarray(table[:, :2]), table[:, 2]
    return Keypoints(
        SIFT,
        points,
        sizes,
        np.deg2rad(table[:, 3]),
        mean_level(grey, points, sizes),
        _brightness(grey, points, sizes),
        descriptors,
    )


def _brightness(grey: np.ndarray, points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """1 where the spot is brighter than what surrounds it, -1 where it is darker; (n,) int8.

    A copy of a bright spot is bright: to know which are saves half of the comparisons. Within
    a square one keypoint diameter wide against one twice as wide; in the doubled image, where
    the smallest spots are some pixels wide too.
    """
    import cv2

    doubled = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    places = 2 * points + 0.5
    inner, outer = (mean_level(doubled, places, reach * sizes) for reach in (1, 2))
    return np.where(inner >= outer, 1, -1).astype(np.int8)
