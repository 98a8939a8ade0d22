"""A local Wiener filter's residual, pixel by pixel; imports nothing from forensix."""

import numpy as np


def wiener_residual(image, noise=3.0, window=5):
    """(rows, cols, 3) uint8 -> (rows, cols): mean over channels; only pixels away from the edge."""
    values = image.astype(float)
    half = window // 2
    out = np.zeros(values.shape)
    for row in range(half, values.shape[0] - half):
        for col in range(half, values.shape[1] - half):
            part = values[row - half : row + half + 1, col - half : col + half + 1].reshape(window**2, -1)
            variance = part.var(axis=0)
            share = noise**2 / np.maximum(variance, noise**2)
            out[row, col] = share * (values[row, col] - part.mean(axis=0))
    return out.mean(axis=2)
