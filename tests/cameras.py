"""Cameras made up for tests: a pattern each, and photos that hold it."""

import io

import numpy as np
from PIL import Image

SHAPE = (192, 256)


def pattern(seed, shape=SHAPE, strength=0.04):
    return np.random.RandomState(1000 + seed).normal(0, strength, shape)


def wall(seed, camera, *, shape=SHAPE, level=130.0, noise=1.5, strength=0.04):
    """A photo of an evenly lit wall: (rows, cols, 3) uint8."""
    generator = np.random.RandomState(seed)
    light = level + 25 * np.linspace(-1, 1, shape[1])[None, :] * generator.uniform(-1, 1)
    return developed(light, generator, camera, shape=shape, noise=noise, strength=strength)


def scene(seed, camera, *, shape=SHAPE, noise=1.5, strength=0.04):
    """A photo of smooth shapes with edges."""
    generator = np.random.RandomState(5000 + seed)
    row, col = np.indices(shape)
    light = 110 + 40 * np.sin(row / generator.uniform(15, 40)) * np.cos(col / generator.uniform(15, 40))
    light += 30 * ((row - 70) ** 2 + (col - 90) ** 2 < 45**2)
    return developed(light, generator, camera, shape=shape, noise=noise, strength=strength)


def developed(light, generator, camera, *, shape=SHAPE, noise=1.5, strength=0.04):
    mark = pattern(camera, shape, strength) if camera is not None else 0
    grey = light * (1 + mark) + generator.normal(0, noise, shape)
    return np.clip(np.round(grey), 0, 255).astype(np.uint8)[:, :, None].repeat(3, axis=2)


def jpeg(pixels, quality=95, **exif):
    """The bytes of a JPEG file; exif by tag name: make, model, software, serial."""
    tags = Image.Exif()
    for name, number in (("make", 271), ("model", 272), ("software", 305)):
        if name in exif:
            tags[number] = exif[name]
    if "serial" in exif:
        tags.get_ifd(34665)[42033] = exif["serial"]
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality, exif=tags)
    return out.getvalue()
