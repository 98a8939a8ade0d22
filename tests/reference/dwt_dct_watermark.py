"""The writer of the published invisible watermark, block by block; imports nothing from forensix."""

import numpy as np
import pywt


def write_watermark(rgb, message, step=36.0):
    """An RGB picture, (rows, cols, 3) uint8, with the message (bits) in its U plane."""
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    u, v = 0.492 * (blue - luma) + 128, 0.877 * (red - luma) + 128
    rows, cols = (n // 4 * 4 for n in rgb.shape[:2])
    coarse, detail = pywt.dwt2(u[:rows, :cols], "haar")
    number = 0
    for top in range(0, coarse.shape[0] // 4 * 4, 4):
        for left in range(0, coarse.shape[1] // 4 * 4, 4):
            block = coarse[top : top + 4, left : left + 4]
            flat = np.abs(block.ravel())
            place = 1 + int(np.argmax(flat[1:]))
            value = block[place // 4, place % 4]
            size = (abs(value) // step + 0.25 + 0.5 * bool(message[number % len(message)])) * step
            block[place // 4, place % 4] = size if value >= 0 else -size
            number += 1
    u[:rows, :cols] = pywt.idwt2((coarse, detail), "haar")
    blue = luma + (u - 128) / 0.492
    red = luma + (v - 128) / 0.877
    green = (luma - 0.299 * red - 0.114 * blue) / 0.587
    return np.rint(np.clip(np.stack([red, green, blue], axis=-1), 0, 255)).astype(np.uint8)
