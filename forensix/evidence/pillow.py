"""Pillow, asked for one format at a time, and its images as arrays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from forensix.errors import EvidenceError, LimitExceeded
from forensix.evidence.arrays import CMYK, GREY, GREY_ALPHA, RGB, RGBA, check_size
from forensix.evidence.wall import third_party

_PLUGINS = {
    "jpeg": ("JpegImagePlugin", "JpegImageFile"),
    "png": ("PngImagePlugin", "PngImageFile"),
    "tiff": ("TiffImagePlugin", "TiffImageFile"),
    "webp": ("WebPImagePlugin", "WebPImageFile"),
    "avif": ("AvifImagePlugin", "AvifImageFile"),
    "bmp": ("BmpImagePlugin", "BmpImageFile"),
    "gif": ("GifImagePlugin", "GifImageFile"),
}


@contextmanager
def _room_for(pixels: int, max_pixels: int) -> Iterator[None]:
    """Let Pillow read a picture that our limit allows and its own does not.

    Pillow's limit is one for the whole process. It is touched only for a picture that
    would break it, while the lock of the wall is held, and put back.
    """
    from PIL import Image

    before = Image.MAX_IMAGE_PIXELS
    if before is None or pixels <= 2 * before:
        yield
        return
    Image.MAX_IMAGE_PIXELS = -(-max_pixels // 2)  # Pillow refuses what is more than twice its limit
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def opened(data: bytes, kind: str, max_pixels: int, *, pixels: int = 0) -> Any:
    """Pillow's image of a format, header read, nothing decoded yet; `pixels` as far as known before.

    The reader of the format is called directly: Image.open would try others, and has a
    pixel limit of its own that belongs to the whole process.
    """
    module, reader = _PLUGINS[kind]
    with third_party(f"{kind} header"), _room_for(pixels, max_pixels):
        image = getattr(import_module(f"PIL.{module}"), reader)(io.BytesIO(data))
    check_size(image.width, image.height, max_pixels)
    return image


def loaded(image: Any, kind: str, size: int, max_pixels: int) -> str:
    """Decode a Pillow image of a file of `size` bytes as far as it goes; what stopped it, or nothing."""
    source = image.fp
    try:
        with third_party(f"{kind} data"), _room_for(image.width * image.height, max_pixels):
            image.load()
    except LimitExceeded:
        raise
    except EvidenceError as error:
        if getattr(image, "_im", None) is None:
            raise
        image.tile = []  # what was decoded until now is the picture
        if _blank(image):
            raise EvidenceError(f"no usable picture data: {error}") from error
        place = "" if source is None or source.closed else f", near byte {source.tell()} of {size}"
        return f"{error}{place}"
    return ""


def _blank(image: Any) -> bool:
    """True when nothing was written into an image since it was made."""
    with third_party("pixels"):
        raw = np.asarray(image)
    return not raw.view(f"u{raw.dtype.itemsize}" if raw.dtype.kind == "f" else raw.dtype).any()


def to_array(image: Any) -> tuple[np.ndarray, str]:
    """Pixels of a loaded Pillow image and their colour model; by strips, to need less memory."""
    with third_party("pixels"):
        target = _TARGETS.get(image.mode)
        if image.mode in ("P", "PA"):
            target = "RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB"
        if target is None:
            raise EvidenceError(f"pixels of the kind {image.mode} are not supported")
        out = np.empty(0)
        step = max(1, (1 << 22) // image.width)
        for top in range(0, image.height, step):
            strip = image.crop((0, top, image.width, min(top + step, image.height)))
            values = plain(np.asarray(strip if strip.mode == target else strip.convert(target)))
            if top == 0:
                out = np.empty((image.height, *values.shape[1:]), values.dtype)
            out[top : top + step] = values
    model = {"LA": GREY_ALPHA, "RGB": RGB, "RGBA": RGBA, "CMYK": CMYK}.get(target, GREY)
    return out, model


_TARGETS = {
    "1": "1", "L": "L", "LA": "LA", "La": "LA", "RGB": "RGB", "RGBA": "RGBA", "RGBX": "RGB", "RGBa": "RGBA",
    "CMYK": "CMYK", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB", "I": "I", "F": "F",
    "I;16": "I;16", "I;16L": "I;16L", "I;16B": "I;16B", "I;16N": "I;16N",
}  # fmt: skip


def plain(values: np.ndarray) -> np.ndarray:
    """uint8, uint16 or float32."""
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype == np.int32 or values.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):  # 64-bit values may not fit, and may be any NaN
            return values.astype(np.float32)
    return values.astype(values.dtype.newbyteorder("="), copy=False)
