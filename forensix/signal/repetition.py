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
    from scipy import fft

    longer = max(luma.shape)
    if longer > LARGEST_SIDE:
        size = [max(1, round(n * LARGEST_SIDE / longer)) for n in luma.shape]
        luma = cv2.resize(luma, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    detail = luma - cv2.GaussianBlur(luma, (0, 0), 8)
    if detail.std() < 1:
        return 0.0
    rows, cols = detail.shape
    shape = (2 * rows, 2 * cols)
    own = fft.rfft2(detail, shape)
    common = fft.irfft2(own * np.conj(own), shape)
    # The energy of what overlaps after a shift; after the opposite shift it is that of the other side.
    side = fft.irfft2(
        fft.rfft2(detail * detail, shape) * np.conj(fft.rfft2(np.ones_like(detail), shape)), shape
    )
    side = np.maximum(side, 0)
    energy = side * np.roll(side[::-1, ::-1], (1, 1), axis=(0, 1))
    row, col = (np.minimum(np.arange(2 * n), 2 * n - np.arange(2 * n)) for n in (rows, cols))
    overlap = np.maximum(rows - row, 0)[:, None] * np.maximum(cols - col, 0)
    judged = (overlap > 0.5 * rows * cols) & (energy > 1e-3)
    correlation = np.where(judged, common / np.sqrt(np.maximum(energy, 1e-3)), 0)
    correlation = np.fft.fftshift(correlation)
    # From the centre outwards, the first ring that anticorrelates ends the central peak.
    row, col = np.ogrid[-rows:rows, -cols:cols]
    radius = np.rint(np.hypot(row, col)).astype(np.int64)
    valley = radius[correlation < 0]
    if not len(valley):
        return 0.0
    beyond = radius > max(int(valley.min()), SMALLEST_SHIFT)
    return float(np.clip(correlation[beyond].max(initial=0.0), 0, 1))
