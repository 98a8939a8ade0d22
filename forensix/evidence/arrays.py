"""The views every image offers, whatever it was stored as: 8-bit RGB and luma."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forensix.errors import EvidenceError, LimitExceeded, ParameterError

# Colour models, by what the channels of the pixels mean.
GREY, GREY_ALPHA, RGB, RGBA, CMYK = "grey", "grey-alpha", "rgb", "rgba", "cmyk"
CHANNELS = {GREY: 1, GREY_ALPHA: 2, RGB: 3, RGBA: 4, CMYK: 4}
WITH_ALPHA = (GREY_ALPHA, RGBA)

WEIGHTS = (0.299, 0.587, 0.114)  # Rec. 601, as in JPEG

MAX_SIDE = 1_000_000  # decoders keep a pointer, or more, for each row

_STRIP = 1 << 17  # pixels worked on at once: the intermediate values stay in the cache


def frozen(array: np.ndarray) -> np.ndarray:
    """The array itself, made read-only."""
    array.flags.writeable = False
    return array


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise LimitExceeded if a picture has more pixels than allowed, EvidenceError if it has none."""
    if width < 1 or height < 1:
        raise EvidenceError(f"the header declares a size of {width} x {height} pixels")
    if max(width, height) > MAX_SIDE:
        raise LimitExceeded(
            f"{width} x {height} pixels: a side has more than {MAX_SIDE}",
            known={"width": width, "height": height},
        )
    if width * height > max_pixels:
        raise LimitExceeded(
            f"{width} x {height} pixels are {width * height / 1e6:.1f} million, the limit is {max_pixels / 1e6:.1f}",
            known={"width": width, "height": height},
        )


def from_array(array: np.ndarray) -> tuple[np.ndarray, str]:
    """An array given as an image, as C-ordered little-endian pixels, and its colour model.

    Raises ParameterError for shapes and types that no image has.
    """
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "f":
        kind = np.dtype("<f4")
    elif array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        kind = array.dtype.newbyteorder("<")
    else:
        raise ParameterError(f"an image array is uint8, uint16, bool or floating point, got {array.dtype}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    channels = 1 if array.ndim == 2 else array.shape[-1]
    if array.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or array.size == 0:
        raise ParameterError(
            f"an image array is (rows, cols) or (rows, cols, 1 to 4), got shape {array.shape}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        array = np.ascontiguousarray(array, kind)
    return array, (GREY, GREY_ALPHA, RGB, RGBA)[channels - 1]


def _strips(shape: tuple[int, ...]) -> Iterator[slice]:
    step = max(1, _STRIP // max(1, shape[1]))
    return (slice(top, top + step) for top in range(0, shape[0], step))


def colours(pixels: np.ndarray, model: str) -> np.ndarray:
    """The pixels without alpha: (rows, cols) or (rows, cols, channels), a view."""
    if model == GREY_ALPHA:
        pixels = pixels[:, :, 0]
    elif model == RGBA:
        pixels = pixels[:, :, :3]
    return pixels


def scale(pixels: np.ndarray, model: str) -> tuple[float, float, str]:
    """How pixel values become 0-255: (value - offset) * gain, and a word on a choice that had to be made.

    Integers are scaled by their type's range. Floating-point pixels carry no scale of
    their own: those within 0-1, 0-255 and 0-65535 are taken to use that range, all
    others are stretched from their smallest to their largest finite value.
    """
    if pixels.dtype.kind != "f":
        return 0.0, 255.0 / np.iinfo(pixels.dtype).max, ""
    values = colours(pixels, model)
    low, high, odd = np.inf, -np.inf, 0
    for rows in _strips(values.shape):
        finite = values[rows][np.isfinite(values[rows])]
        odd += values[rows].size - finite.size
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    words = f"{odd} values are not finite and are taken as black" if odd else ""
    if low > high:
        return 0.0, 0.0, "no value is finite"
    for top in (1.0, 255.0, 65535.0):
        if low >= 0 and high <= top:
            return 0.0, 255.0 / top, words
    stretched = f"values from {low:.6g} to {high:.6g} are stretched to 0-255"
    return low, 255.0 / (high - low) if high > low else 0.0, f"{words}; {stretched}" if words else stretched


def _scaled(values: np.ndarray, offset: float, gain: float) -> np.ndarray:
    """float32 values on the 0-255 scale; what is not finite becomes 0."""
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):  # signalling NaNs are files' right
            finite = np.where(np.isfinite(values), values.astype(np.float64), offset)
        return ((finite - offset) * gain).astype(np.float32)
    scaled: np.ndarray = np.multiply(values, np.float32(gain), dtype=np.float32)
    return scaled


def rgb_view(pixels: np.ndarray, model: str) -> np.ndarray:
    """(rows, cols, 3) uint8, read-only; the pixels themselves where they are that already."""
    if pixels.dtype == np.uint8 and model == RGB:
        return pixels
    offset, gain, _ = scale(pixels, model)
    values = colours(pixels, model)
    out = np.empty((*values.shape[:2], 3), np.uint8)
    for rows in _strips(values.shape):
        strip = values[rows]
        if model == CMYK:
            strip = _cmyk_to_rgb(strip)
        elif strip.dtype != np.uint8:
            strip = np.rint(_scaled(strip, offset, gain)).astype(np.uint8)
        out[rows] = strip[:, :, None] if strip.ndim == 2 else strip
    return frozen(out)


def _cmyk_to_rgb(ink: np.ndarray) -> np.ndarray:
    """Ink amounts (0 none, 255 full) to RGB without a profile: each ink, then black, takes its share."""
    free = 255 - ink.astype(np.uint32)
    return ((free[:, :, :3] * free[:, :, 3:] + 127) // 255).astype(np.uint8)


def luma_view(pixels: np.ndarray, model: str) -> np.ndarray:
    """(rows, cols) float32 from 0 to 255, read-only; more than 8 bits stay fractions."""
    offset, gain, _ = scale(pixels, model)
    values = colours(pixels, model)
    out = np.empty(values.shape[:2], np.float32)
    for rows in _strips(values.shape):
        strip = values[rows]
        if model == CMYK:
            strip, gain = _cmyk_to_rgb(strip), 1.0
        if strip.ndim == 2:
            out[rows] = _scaled(strip, offset, gain)
            continue
        total = _scaled(strip[:, :, 0], offset, gain * WEIGHTS[0])
        for nth in (1, 2):
            total += _scaled(strip[:, :, nth], offset, gain * WEIGHTS[nth])
        out[rows] = total
    return frozen(out)
