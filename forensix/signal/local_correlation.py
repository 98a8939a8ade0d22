"""How well an image agrees with a moved copy of itself, pixel by pixel and band by band.

References
----------
.. [1] Lewis, J. P. (1995). Fast normalized cross-correlation. Vision Interface, 120-123.
.. [2] Lucas, B. D. and Kanade, T. (1981). An iterative image registration technique with an
   application to stereo vision. IJCAI, 674-679.
"""

from __future__ import annotations

import numpy as np

from forensix.signal.affine import apply
from forensix.signal.regions import Box

# Steps of an alignment without a gain of a thousandth after which it ends.
VAIN = 2


def warped(image: np.ndarray, transform: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """The image seen through a transformation: what lies at ``T(p)`` for every pixel p of a box.

    Parameters
    ----------
    image : (rows, cols) float32
    transform : (2, 3) float64, on points (row, col)
    box : (top, left, rows, cols)

    Returns
    -------
    values : (box rows, box cols) float32, bicubic
    inside : (box rows, box cols) bool, False where T(p) is outside the image
    """
    import cv2

    top, left, rows, cols = box
    offset = transform[:, 2] + transform[:, :2] @ (top, left)
    # cv2 speaks (x, y); its matrix is ours with both axes exchanged.
    matrix = np.c_[transform[::-1, 1::-1], offset[::-1]]
    values = cv2.warpAffine(
        image,
        matrix,
        (cols, rows),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    row, col = np.ogrid[:rows, :cols]
    inside = np.ones((rows, cols), bool)
    for axis, size in enumerate(image.shape):
        place = transform[axis, 0] * row + transform[axis, 1] * col + offset[axis]
        inside &= (place >= 0) & (place <= size - 1)
    return values, inside


def local_mean(image: np.ndarray, radius: int) -> np.ndarray:
    """Mean over the (2 * radius + 1) square window, float32, mirrored at the border."""
    import cv2

    side = 2 * radius + 1
    return np.asarray(cv2.boxFilter(image, cv2.CV_32F, (side, side), borderType=cv2.BORDER_REFLECT_101))


def local_correlation(a: np.ndarray, b: np.ndarray, *, radius: int = 4, noise: float = 2.0) -> np.ndarray:
    """Normalised cross-correlation of two images in a square window around every pixel [1]_.

    Parameters
    ----------
    a, b : (rows, cols) float32
    radius : int
        The window has side 2 * radius + 1.
    noise : float
        Variance added to both windows' own, in grey levels squared, so that windows
        without content correlate with nothing.

    Returns
    -------
    (rows, cols) float32, -1 to 1
    """
    a, b = a - a.mean(dtype=np.float64).astype(np.float32), b - b.mean(dtype=np.float64).astype(np.float32)
    mean_a, mean_b = local_mean(a, radius), local_mean(b, radius)
    spread_a = np.maximum(local_mean(a * a, radius) - mean_a * mean_a, 0)
    spread_b = np.maximum(local_mean(b * b, radius) - mean_b * mean_b, 0)
    common = local_mean(a * b, radius) - mean_a * mean_b
    correlation = common / np.sqrt((spread_a + noise) * (spread_b + noise) + 1e-9)
    return np.asarray(np.clip(correlation, -1, 1), np.float32)


def band_pass(image: np.ndarray, fine: float, coarse: float) -> np.ndarray:
    """Difference of two Gaussian blurs; `fine` 0 keeps the finest detail. float32."""
    import cv2

    upper = image if fine == 0 else cv2.GaussianBlur(image, (0, 0), fine)
    return np.asarray(upper - cv2.GaussianBlur(image, (0, 0), coarse))


def with_slopes(image: np.ndarray, *, blur: float = 0.8) -> np.ndarray:
    """The smoothed image with its slopes by row and by column; (rows, cols, 3) float32.

    blur : standard deviation of the smoothing, pixels
    """
    import cv2

    smooth = cv2.GaussianBlur(image, (0, 0), blur)
    kernel = np.array([-0.5, 0, 0.5], np.float32)
    one = np.ones(1, np.float32)
    down = cv2.sepFilter2D(smooth, cv2.CV_32F, one, kernel, borderType=cv2.BORDER_REPLICATE)
    across = cv2.sepFilter2D(smooth, cv2.CV_32F, kernel, one, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.merge([smooth, down, across]))


def aligned(
    image: np.ndarray, transform: np.ndarray, points: np.ndarray, *, steps: int = 12, limit: int = 5_000
) -> np.ndarray:
    """Transformation adjusted so that the image at the points and at their images agrees best.

    Gauss-Newton steps on the squared difference of grey values with a free gain and
    offset [2]_, with large differences weighted down. The best step is returned, so the result
    is never worse than the start.

    Parameters
    ----------
    image : (rows, cols, 3) float32
        As from :func:`with_slopes`.
    points : (n, 2) int, (row, col), inside the image; n at least 64
    limit : int
        At most this many points are used, evenly picked.
    """
    if len(points) > limit:
        points = points[np.linspace(0, len(points) - 1, limit).astype(np.int64)]
    wanted = image[points[:, 0], points[:, 1], 0].astype(np.float64)
    wanted -= wanted.mean()
    centre = points.mean(axis=0)
    reach = max(float(np.sqrt(((points - centre) ** 2).sum(axis=1).mean())), 1.0)
    offset = np.ascontiguousarray((points - centre).T / reach)
    slopes = np.ones((8, len(points)))
    best, least, gain, vain = transform, np.inf, 1.0, 0
    for _ in range(steps):
        seen, by_row, by_col = _sampled(image, apply(transform, points))
        seen -= seen.mean()
        # Beside a copy the surroundings may differ a great deal: they must not decide its gain
        # and offset.
        weight = _weights(_centred(wanted - gain * seen))
        known = weight * (seen - (weight @ seen) / weight.sum())
        gain = float(np.clip((wanted @ known) / max(seen @ known, 1e-9), 0.3, 3.0))
        miss = _centred(wanted - gain * seen)
        weight = _weights(miss)
        error = float((weight * miss) @ miss)
        # Mere likenesses have nothing to settle on and would use up all steps.
        vain = 0 if error < 0.999 * least else vain + 1
        if error < least:
            best, least = transform, error
        if vain == VAIN:
            break
        slopes[2], slopes[5], slopes[6] = gain * by_row, gain * by_col, seen
        np.multiply(slopes[2], offset, out=slopes[:2])
        np.multiply(slopes[5], offset, out=slopes[3:5])
        weighted = slopes * weight
        normal = weighted @ slopes.T
        normal[np.diag_indices(8)] += 1e-6 * np.trace(normal) / 8 + 1e-12
        change = np.linalg.solve(normal, weighted @ miss)
        linear, shift = change[:6].reshape(2, 3)[:, :2] / reach, change[[2, 5]]
        transform = transform + np.c_[linear, shift - linear @ centre]
        if np.abs(change[:6]).max() < 0.003 or not np.isfinite(transform).all():
            break
    return best


def _median(values: np.ndarray) -> float:
    """As NumPy's for finite numbers, at half its cost."""
    middle = len(values) // 2
    parted = np.partition(values, middle)
    if len(values) % 2:
        return float(parted[middle])
    return float((parted[:middle].max() + parted[middle]) / 2)


def _centred(values: np.ndarray) -> np.ndarray:
    return np.asarray(values - _median(values))


def _weights(miss: np.ndarray) -> np.ndarray:
    """1 for small differences, towards 0 for those large beside their median."""
    return np.asarray(1 / (1 + (miss / (2 * _median(np.abs(miss)) + 1e-6)) ** 2))


def _sampled(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The channels at (n, 2) points between pixels, bilinear; (channels, n) float64."""
    import cv2

    # cv2.remap wants maps less than 32768 long: fold the list into rows.
    side = 256
    folded = np.zeros((2, -(-len(points) // side) * side), np.float32)
    folded[:, : len(points)] = points.T
    row, col = folded.reshape(2, -1, side)
    values = cv2.remap(image, col, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.array(values.reshape(-1, image.shape[2])[: len(points)].T, np.float64, order="C")
