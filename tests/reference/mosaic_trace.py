"""Filter arrays, pixel by pixel, independent of forensix."""

import numpy as np

FIRST_ROWS = {"RGGB": (0, 0), "GRBG": (0, 1), "GBRG": (1, 0), "BGGR": (1, 1)}


def lattice_residuals(rgb):
    """(rows // 8, cols // 8, 5, 2, 2): mean distance from the mean of four neighbours, borders mirrored."""
    rgb = rgb.astype(float)
    planes = [rgb[..., 0], rgb[..., 1], rgb[..., 2], rgb[..., 0] - rgb[..., 1], rgb[..., 2] - rgb[..., 1]]
    rows, cols = rgb.shape[0] // 8, rgb.shape[1] // 8
    found = np.zeros((rows, cols, 5, 2, 2))
    for number, plane in enumerate(planes):
        padded = np.pad(plane[: rows * 8, : cols * 8], 1, mode="reflect")
        for r in range(rows * 8):
            for c in range(cols * 8):
                around = padded[r, c + 1] + padded[r + 2, c + 1] + padded[r + 1, c] + padded[r + 1, c + 2]
                found[r // 8, c // 8, number, r % 2, c % 2] += abs(padded[r + 1, c + 1] - around / 4) / 16
    return found


def demosaicked(rgb, array):
    """What a sensor behind an array keeps of a picture, with the gaps filled by the mean of neighbours."""
    red = FIRST_ROWS[array]
    row, col = np.indices(rgb.shape[:2])
    at_red = (row % 2 == red[0]) & (col % 2 == red[1])
    at_blue = (row % 2 != red[0]) & (col % 2 != red[1])
    filled = []
    for channel, measured in enumerate((at_red, ~at_red & ~at_blue, at_blue)):
        total, number = np.zeros(rgb.shape[:2]), np.zeros(rgb.shape[:2])
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                weight = (2 - abs(down)) * (2 - abs(right)) * np.roll(measured, (down, right), (0, 1))
                if channel == 1:  # only the four next pixels have green
                    weight = weight * (abs(down) + abs(right) < 2)
                total += weight * np.roll(rgb[..., channel].astype(float), (down, right), (0, 1))
                number += weight
        filled.append(np.where(measured, rgb[..., channel], total / np.maximum(number, 1)))
    return np.clip(np.rint(np.stack(filled, axis=-1)), 0, 255).astype(np.uint8)
