"""Pixels as files in memory, and back."""

import io

import numpy as np
from PIL import Image


def saved(pixels, quality):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def opened(data):
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))
