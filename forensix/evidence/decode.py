"""From bytes to pixels, as stored: no rotation, no colour management.

Each reader refuses what is too large before it decodes, and reads damaged data as far
as they go, with a warning that names the place.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forensix.errors import EvidenceError, LimitExceeded
from forensix.evidence import jpeg_pixels, png
from forensix.evidence.arrays import GREY, GREY_ALPHA, RGB, RGBA, check_size
from forensix.evidence.containers import gif_frames, tiff_header, webp_header
from forensix.evidence.heif import rotation
from forensix.evidence.jpeg_data import JpegData
from forensix.evidence.pillow import loaded, opened, plain, to_array
from forensix.evidence.wall import third_party

_LARGE = 50_000_000  # pixels from which Pillow's four copies of a WebP picture are too much


@dataclass(frozen=True)
class Decoded:
    """A decoded image.

    pixels : (rows, cols) or (rows, cols, channels), uint8, uint16 or float32
    model : what the channels are: "grey", "grey-alpha", "rgb", "rgba" or "cmyk"
    bit_depth : bits per sample in the file
    stored : how the file stores colour, in words
    frames : images in the file; the first is the one decoded
    info : raw "exif", "icc" and "xmp" bytes that a library handed over
    """

    pixels: np.ndarray
    model: str
    bit_depth: int
    stored: str
    frames: int = 1
    warnings: tuple[str, ...] = ()
    info: dict[str, Any] = field(default_factory=dict)
    jpeg: JpegData | None = None
    png: png.Structure | None = None


def decode(data: bytes, kind: str, *, max_pixels: int) -> Decoded:
    """Decode a file of a known format.

    Raises
    ------
    EvidenceError
        If nothing of the picture can be had.
    LimitExceeded
        If its header declares more than `max_pixels` pixels.
    """
    readers: dict[str, Callable[[bytes, int], Decoded]] = {
        "jpeg": _jpeg,
        "png": _png,
        "tiff": _tiff,
        "heic": _heic,
    }
    reader = readers.get(kind)
    return reader(data, max_pixels) if reader else _other(data, kind, max_pixels)


def _jpeg(data: bytes, max_pixels: int) -> Decoded:
    pixels, model, jpeg = jpeg_pixels.read(data, max_pixels)
    return Decoded(pixels, model, jpeg.frame.precision, f"{jpeg.frame.kind} JPEG, {jpeg.colour}", jpeg=jpeg)


def _png(data: bytes, max_pixels: int) -> Decoded:
    structure = png.walk(data)
    header = structure.header
    check_size(header.width, header.height, max_pixels)
    if not any(chunk.stop > chunk.start for chunk in structure.of(b"IDAT")):
        raise EvidenceError(f"PNG without picture data: nothing follows the header in {len(data)} bytes")
    trouble = ""
    try:
        if not structure.intact:
            raise EvidenceError("damaged")
        pixels, model = _png_pixels(png.picture_only(data, structure), header, max_pixels)
        if _flat_end(pixels, header) and png.short_of_data(data, structure):
            raise EvidenceError("cut short without a word")
    except LimitExceeded:
        raise
    except EvidenceError:
        mended, trouble = png.repaired(data, structure)
        part, model = _png_pixels(mended, header, max_pixels)
        pixels = np.zeros((header.height, *part.shape[1:]), part.dtype)
        pixels[: len(part)] = part
    depth = 8 if header.colour == 3 else header.depth
    stored = png.COLOURS[header.colour] + (", interlaced" if header.interlaced else "")
    warnings = (*structure.troubles[:20], *([trouble] if trouble else []))
    return Decoded(pixels, model, depth, stored, structure.frames, warnings, png=structure)


def _flat_end(pixels: np.ndarray, header: png.Header) -> bool:
    """True when the row that is decoded last has one value throughout.

    Pillow is content with compressed data that end early, and leaves the rest of the
    picture empty; only where the end is flat can that have happened.
    """
    last = header.height - 1
    if header.interlaced and last % 2 == 0:
        last = max(0, last - 1)
    return bool((pixels[last] == pixels[last, 0]).all())


def _png_pixels(data: bytes, header: png.Header, max_pixels: int) -> tuple[np.ndarray, str]:
    if header.depth == 16 and header.colour != 0:  # Pillow would make 8 bits of them
        pixels, model = _opencv(data)
        return (pixels[:, :, [0, 3]], GREY_ALPHA) if header.colour == 4 else (pixels, model)
    image = opened(data, "png", max_pixels)
    with third_party("png data"):
        image.load()
    return to_array(image)


def _opencv(data: bytes) -> tuple[np.ndarray, str]:
    """Pixels as OpenCV reads them; it keeps 16-bit and floating-point colour."""
    import cv2

    with third_party("data"):
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise EvidenceError("the data cannot be decoded")
    if pixels.ndim == 2:
        return plain(pixels), GREY
    pixels = plain(pixels)
    alpha = pixels.shape[2] == 4
    with third_party("data"):  # in place: these are the pictures that are large
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if alpha else cv2.COLOR_BGR2RGB, dst=pixels)
    return pixels, RGBA if alpha else RGB


def _tiff(data: bytes, max_pixels: int) -> Decoded:
    header = tiff_header(data)
    check_size(header.width, header.height, max_pixels)
    stored = f"TIFF, {header.colours}, {header.compressed}"
    info: dict[str, Any] = {}
    warnings = list(header.troubles)
    if header.deep_colour:
        pixels, model = _opencv(data)
    else:
        image = opened(data, "tiff", max_pixels, pixels=header.width * header.height)
        info = _info(image)
        warnings += [trouble for trouble in [loaded(image, "tiff", len(data), max_pixels)] if trouble]
        pixels, model = to_array(image)
    if pixels.shape[:2] != (header.height, header.width):
        warnings.append(
            f"the TIFF header declares {header.width} x {header.height} pixels, not those decoded"
        )
    return Decoded(pixels, model, header.bits, stored, header.pages, tuple(warnings), info)


def _heic(data: bytes, max_pixels: int) -> Decoded:
    with third_party("HEIC header"):
        import pi_heif

        file = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        width, height = file.size
        depth, mode = int(file.info.get("bit_depth", 8)), str(file.mode)
        info = {
            "exif": file.info.get("exif"),
            "icc": file.info.get("icc_profile"),
            "xmp": file.info.get("xmp"),
        }
        frames = len(file)
    check_size(width, height, max_pixels)
    with third_party("HEIC data"):
        pixels = np.array(np.asarray(file))
    model = {"L": GREY, "RGB": RGB, "RGBA": RGBA}.get(mode.partition(";")[0].replace("a", "A"))
    if model is None:
        raise EvidenceError(f"HEIC pixels of the kind {mode} are not supported")
    turns, stored = rotation(data), f"HEIC, {mode}"
    if turns:  # libheif has turned the picture upright; as stored, it is not
        pixels = np.ascontiguousarray(np.rot90(pixels, -turns))
        stored += f", to be shown turned left by {90 * turns} degrees"
    return Decoded(plain(pixels), model, depth, stored, frames, (), info)


def _other(data: bytes, kind: str, max_pixels: int) -> Decoded:
    """WebP, AVIF, BMP and GIF, by Pillow."""
    frames, pixel_count = 1, 0
    warnings: list[str] = []
    if kind == "webp":  # Pillow asks for the memory as soon as it opens one
        size = webp_header(data)
        check_size(size.width, size.height, max_pixels)
        frames, pixel_count = size.frames, size.width * size.height
        warnings += size.troubles
        if frames == 1 and pixel_count > _LARGE:
            pixels, model = _opencv(data)
            return Decoded(pixels, model, 8, "WebP", frames, tuple(warnings))
    image = opened(data, kind, max_pixels, pixels=pixel_count)
    if kind == "gif":
        frames = gif_frames(data)
    elif kind == "avif":
        frames = int(image.n_frames)
    mode, info = image.mode, _info(image)
    trouble = loaded(image, kind, len(data), max_pixels)
    pixels, model = to_array(image)
    warnings += [trouble] if trouble else []
    stored = {"1": "bilevel", "P": "palette", "L": "grey"}.get(mode, mode)
    return Decoded(pixels, model, 1 if mode == "1" else 8, stored, frames, tuple(warnings), info)


def _info(image: Any) -> dict[str, Any]:
    named = {"exif": "exif", "icc": "icc_profile", "xmp": "xmp"}
    return {name: image.info[key] for name, key in named.items() if image.info.get(key)}
