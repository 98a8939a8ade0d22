"""Encode pictures: the same picture and settings give the same bytes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from forensix.errors import ParameterError

SAMPLINGS = {"444": 0, "422": 1, "420": 2}
FORMATS = {"jpeg": "jpg", "png": "png", "webp": "webp", "tiff": "tif", "bmp": "bmp"}
LOSSLESS = ("png", "tiff", "bmp")


def encode(
    image: np.ndarray,
    *,
    file_format: str = "png",
    quality: int = 90,
    sampling: str = "420",
    tables: list[list[int]] | None = None,
    grey: bool = False,
) -> bytes:
    """A picture as the bytes of a file, without any metadata.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    file_format : {"jpeg", "png", "webp", "tiff", "bmp"}
    quality : int
        1 to 100, for JPEG and WebP.
    sampling : {"444", "422", "420"}
        Of the chroma, for JPEG.
    tables : list of one or two lists of 64 integers
        JPEG quantization tables in row order, luma first, instead of `quality`.
    grey : bool
        Write one channel; the picture's three are equal.
    """
    if file_format not in FORMATS:
        raise ParameterError(f"a format is one of {', '.join(FORMATS)}, got {file_format!r}")
    picture = Image.fromarray(image[..., 0] if grey else image)
    options: dict[str, Any] = {}
    if file_format == "jpeg":
        options = _jpeg_options(quality, sampling, tables, grey)
    elif file_format == "webp":
        options = {"quality": _quality(quality), "method": 4}
    elif file_format == "png":
        options = {"compress_level": 3}
    elif file_format == "tiff":
        options = {"compression": "tiff_lzw"}
    stream = io.BytesIO()
    picture.save(stream, file_format.upper(), **options)
    return stream.getvalue()


def decode(data: bytes) -> np.ndarray:
    """(rows, cols, 3) uint8 pixels of an encoded picture."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.array(picture.convert("RGB"))


def jpeg_round(image: np.ndarray, *, quality: int, sampling: str = "420") -> np.ndarray:
    """What a picture looks like after JPEG compression; (rows, cols, 3) uint8."""
    return decode(encode(image, file_format="jpeg", quality=quality, sampling=sampling))


def _quality(quality: int) -> int:
    if not 1 <= quality <= 100:
        raise ParameterError(f"a quality is 1 to 100, got {quality}")
    return int(quality)


def _jpeg_options(quality: int, sampling: str, tables: list[list[int]] | None, grey: bool) -> dict[str, Any]:
    if sampling not in SAMPLINGS:
        raise ParameterError(f"sampling must be one of {', '.join(SAMPLINGS)}, got {sampling!r}")
    options: dict[str, Any] = {} if grey else {"subsampling": SAMPLINGS[sampling]}
    if tables is None:
        return {**options, "quality": _quality(quality)}
    if not 1 <= len(tables) <= 2 or any(len(t) != 64 or not 1 <= min(t) <= max(t) <= 255 for t in tables):
        raise ParameterError("quantization tables are one or two lists of 64 integers from 1 to 255")
    return {**options, "qtables": tables[:1] if grey else tables}
