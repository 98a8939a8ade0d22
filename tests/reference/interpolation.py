"""Slow definitions of what forensix.signal.interpolation computes; imports nothing from forensix."""

import numpy as np


def predictability(luma, scale=1.0):
    """exp(-residual^2 / scale) of the prediction 2 (beside, above) / 4 - (corners) / 4, mirrored at the edges."""
    padded = np.pad(np.asarray(luma, float), 1, mode="reflect")
    rows, cols = luma.shape
    result = np.empty((rows, cols))
    for r in range(rows):
        for c in range(cols):
            near = padded[r : r + 3, c : c + 3]
            predicted = (near[0, 1] + near[1, 0] + near[1, 2] + near[2, 1]) / 2
            predicted -= (near[0, 0] + near[0, 2] + near[2, 0] + near[2, 2]) / 4
            result[r, c] = np.exp(-((near[1, 1] - predicted) ** 2) / scale)
    return result


def line(window, vertical, horizontal, outer=17, inner=5):
    """Power at one bin of the tapered window over the mean of the ring of bins around it."""
    size = len(window)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1, size + 1) / (size + 1))
    tapered = (window - window.mean()) * taper[:, None] * taper[None, :]

    place = np.arange(size)

    def power(v, h):
        waves = (
            np.exp(-2j * np.pi * v * place / size)[:, None] * np.exp(-2j * np.pi * h * place / size)[None, :]
        )
        return abs((tapered * waves).sum()) ** 2

    ring = [
        power(vertical + dv, horizontal + dh)
        for dv in range(-(outer // 2), outer // 2 + 1)
        for dh in range(-(outer // 2), outer // 2 + 1)
        if max(abs(dv), abs(dh)) > inner // 2
    ]
    return power(vertical, horizontal) / np.mean(ring)


def fine_detail(luma):
    """Sizes of eighth differences along columns and along rows, over their mean in 9 x 9 pixels."""
    values = np.asarray(luma, float)
    smooth = np.exp(-(np.arange(-2, 3) ** 2) / 2)
    smooth /= smooth.sum()
    difference = np.array([1, -8, 28, -56, 70, -56, 28, -8, 1]) / 128
    found = []
    for kernel in (np.outer(difference, smooth), np.outer(smooth, difference)):
        detail = np.abs(_correlated(values, kernel))
        found.append(np.minimum(detail / (_correlated(detail, np.full((9, 9), 1 / 81)) + 0.2), 3))
    return found


def _correlated(values, kernel):
    down, across = kernel.shape
    padded = np.pad(values, ((down // 2, down // 2), (across // 2, across // 2)), mode="reflect")
    result = np.empty(values.shape)
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            result[r, c] = (padded[r : r + down, c : c + across] * kernel).sum()
    return result
