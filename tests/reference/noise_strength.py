"""Noise of a cell, pixel by pixel, independent of forensix."""

import numpy as np


def average(plane, side):
    rows, cols = plane.shape[0] // side, plane.shape[1] // side
    return np.array(
        [
            [plane[r * side : (r + 1) * side, c * side : (c + 1) * side].mean() for c in range(cols)]
            for r in range(rows)
        ]
    )


def residual(plane):
    """Second differences along both axes, borders mirrored without repeating the edge."""
    padded = np.pad(plane.astype(float), 1, mode="reflect")
    found = np.zeros(plane.shape)
    for r in range(plane.shape[0]):
        for c in range(plane.shape[1]):
            around = padded[r : r + 3, c : c + 3]
            found[r, c] = abs((around * np.outer([1, -2, 1], [1, -2, 1])).sum()) / 6
    return found


def strengths(rgb, luma):
    """(rows // 8, cols // 8, 10): luma, red - green, blue - green at 1, 2, 4; the quietest quarter."""
    rgb = rgb.astype(float)
    found = []
    for plane in (luma, rgb[..., 0] - rgb[..., 1], rgb[..., 2] - rgb[..., 1]):
        found += [average(residual(average(plane, scale)), 8 // scale) for scale in (1, 2, 4)]
    quarters = average(residual(luma), 4)
    rows, cols = found[0].shape
    found.append(
        np.array(
            [[quarters[2 * r : 2 * r + 2, 2 * c : 2 * c + 2].min() for c in range(cols)] for r in range(rows)]
        )
    )
    return np.stack(found, axis=-1)
