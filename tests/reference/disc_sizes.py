"""Sizes of complex filters' answers by plain correlation in double precision."""

import numpy as np
from scipy import ndimage


def disc_sizes(image, taps, *, scale, level):
    """Unrounded: (rows, cols, filters) float64."""
    out = []
    for number, each in enumerate(taps):
        parts = [
            ndimage.correlate(image.astype(float), part, mode="reflect") for part in (each.real, each.imag)
        ]
        if number == 0:
            out.append(parts[0] / each.real.sum() + level)
        else:
            out.append(scale * np.sqrt(np.hypot(*parts)))
    return np.clip(np.stack(out, axis=-1), 0, 255)
