"""Products of red, green and blue over cells of 32 x 32 pixels, written out with SciPy; nothing of forensix."""

import numpy as np
from scipy import ndimage

STEP = np.array([1, -8, 0, 8, -1]) / 12


def halved(rgb):
    """Means of 2 x 2 pixels, rounded as integers are."""
    rows, cols = (side // 32 * 32 for side in rgb.shape[:2])
    wide = rgb[:rows, :cols].astype(int)
    return (wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2] + 2) // 4


def detail(plane):
    soft = ndimage.gaussian_filter(plane.astype(float), 1.0, mode="mirror", truncate=4)
    return soft - ndimage.uniform_filter(soft, 9, mode="mirror")


def products(rgb):
    """Of each cell: green's (3, 3), red's and blue's (3,) with them, their energies, and pixels used."""
    small = halved(rgb)
    inside = ((small >= 4) & (small <= 251)).all(axis=2).astype(float)
    used = ndimage.minimum_filter(inside, 5, mode="constant", cval=1.0)
    red, green, blue = (detail(small[..., k]) for k in range(3))
    signals = [green] + [-ndimage.convolve1d(green, STEP, axis=axis, mode="mirror") for axis in (0, 1)]

    def total(values):
        rows, cols = values.shape
        return (values * used).reshape(rows // 16, 16, cols // 16, 16).sum(axis=(1, 3))

    squared = np.stack([np.stack([total(a * b) for b in signals], -1) for a in signals], -1)
    crossed = np.stack([np.stack([total(c * a) for a in signals], -1) for c in (red, blue)])
    return squared, crossed, np.stack([total(red**2), total(blue**2)]), total(np.ones_like(used))
