"""How much a picture repeats itself as a whole: bricks, tiles, checkerboards.

References
----------
.. [1] Padfield, D. (2012). Masked object registration in the Fourier domain. IEEE TIP 21(5),
   2706-2718. DOI 10.1109/TIP.2011.2181402 (correlation normalised over the overlap)
"""

from __future__ import annotations

import numpy as np

LARGEST_SIDE = 256
SMALLEST_SHIFT = 4


def self_similarity(luma: np.ndarray) -> float:
    """Highest correlation of a picture with itself shifted, 0 to 1; 0 for a flat picture.

    The correlation is normalised over the overlap [1]_, which must be at least half the
    picture, and counts only beyond the valley around no shift, so that smooth content
    does not pass for repetition.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255
    """
    import cv2

    side = max(luma.shape)
    if side > LARGEST_SIDE:
        size = [max(1, round(n * LARGEST_SIDE / side)) for n in luma.shape]
        luma = cv2.resize(luma, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    detail = luma - cv2.GaussianBlur(luma, (0, 0), 8)
    if detail.std() < 1:
        return 0.0
    rows, cols = detail.shape
    shape = (2 * rows, 2 * cols)

    def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        product = np.fft.rfft2(a, shape) * np.conj(np.fft.rfft2(b, shape))
        return np.asarray(np.fft.irfft2(product, shape))

    ones = np.ones_like(detail)
    common = cross(detail, detail)
    energy = np.maximum(cross(detail * detail, ones), 0) * np.maximum(cross(ones, detail * detail), 0)
    overlap = cross(ones, ones)
    judged = (overlap > 0.5 * rows * cols) & (energy > 1e-3)
    correlation = np.where(judged, common / np.sqrt(np.maximum(energy, 1e-3)), 0)
    correlation = np.fft.fftshift(correlation)
    # From the centre outwards, the first ring that anticorrelates ends the central peak.
    row, col = np.ogrid[-rows:rows, -cols:cols]
    radius = np.rint(np.hypot(row, col)).astype(np.int64)
    lowest = np.full(radius.max() + 1, np.inf)
    np.minimum.at(lowest, radius.ravel(), correlation.ravel())
    valley = np.flatnonzero(lowest < 0)
    if not len(valley):
        return 0.0
    beyond = radius > max(int(valley[0]), SMALLEST_SHIFT)
    return float(np.clip(correlation[beyond].max(initial=0.0), 0, 1))
