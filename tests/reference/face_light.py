"""The colour of a light by grey edge and by inverse-intensity chromaticity, pixel by pixel."""

import numpy as np


def grey_edge(linear, used, order, norm, sigma=1.0):
    """Minkowski mean of the gradient (order 1) or of the values (order 0), a unit vector."""
    from scipy import ndimage

    light = []
    for channel in np.moveaxis(linear.astype(np.float64), -1, 0):
        values = channel
        if order == 1:
            # OpenCV's kernel for this sigma reaches 4 pixels; "mirror" would repeat no edge pixel.
            smooth = ndimage.gaussian_filter(channel, sigma, mode="reflect", radius=4)
            values = np.hypot(
                ndimage.sobel(smooth, 0, mode="mirror"), ndimage.sobel(smooth, 1, mode="mirror")
            )
        total = 0.0
        for value in values[used]:
            total += value**norm
        light.append((total / used.sum()) ** (1 / norm))
    return np.array(light) / np.linalg.norm(light)


def shining(light, surface, number, rng):
    """Pixels (1, number, 3) that follow the dichromatic model: a surface's colour and, in parts, the light's."""
    shade = rng.normal(0.3, 0.01, number)  # of like geometry, as the method wants
    shine = np.where(rng.random(number) < 0.6, rng.uniform(0.02, 0.35, number), 0.0)
    body = np.array(surface) / np.sum(surface)
    glare = np.array(light) / np.sum(light)
    return (shade[:, None] * body + shine[:, None] * glare)[None].astype(np.float32)


def relit(rgb, factors):
    """sRGB levels under another light: each channel's light times a factor; clipped."""
    level = rgb / 255.0
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4) * np.array(factors)
    light = np.clip(light, 0, 1)
    level = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * level).astype(np.uint8)
