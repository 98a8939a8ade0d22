"""From bytes to pixels, as stored: no rotation, no colour management.

Each reader refuses what is too large before it decodes, and reads damaged data as far
as they go, with a warning that names the place.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from forensix.errors import EvidenceError, LimitExceeded
from forensix.evidence import png
from forensix.evidence.arrays import CMYK, GREY, GREY_ALPHA, RGB, RGBA, check_size
from forensix.evidence.containers import gif_frames, tiff_header, webp_header
from forensix.evidence.jpeg_data import JpegData
from forensix.evidence.wall import third_party

_EOI = b"\xff\xd9" * 40_000  # more than a cut segment can swallow


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


_PLUGINS = {
    "jpeg": ("JpegImagePlugin", "JpegImageFile"),
    "png": ("PngImagePlugin", "PngImageFile"),
    "tiff": ("TiffImagePlugin", "TiffImageFile"),
    "webp": ("WebPImagePlugin", "WebPImageFile"),
    "avif": ("AvifImagePlugin", "AvifImageFile"),
    "bmp": ("BmpImagePlugin", "BmpImageFile"),
    "gif": ("GifImagePlugin", "GifImageFile"),
}


def _opened(data: bytes, kind: str, max_pixels: int) -> Any:
    """Pillow's image of a format, header read, nothing decoded yet.

    The reader of the format is called directly: Image.open would try others, and has a
    pixel limit of its own that belongs to the whole process.
    """
    module, reader = _PLUGINS[kind]
    with third_party(f"{kind} header"):
        image = getattr(import_module(f"PIL.{module}"), reader)(io.BytesIO(data))
    check_size(image.width, image.height, max_pixels)
    return image


def _loaded(image: Any, kind: str, size: int) -> str:
    """Decode a Pillow image of a file of `size` bytes as far as it goes; what stopped it, or nothing."""
    source = image.fp
    try:
        with third_party(f"{kind} data"):
            image.load()
    except LimitExceeded:
        raise
    except EvidenceError as error:
        if getattr(image, "_im", None) is None:
            raise
        image.tile = []  # what was decoded until now is the picture
        place = "" if source is None or source.closed else f", near byte {source.tell()} of {size}"
        return f"{error}{place}"
    return ""


def _array(image: Any) -> tuple[np.ndarray, str]:
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
            values = _plain(np.asarray(strip if strip.mode == target else strip.convert(target)))
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


def _plain(values: np.ndarray) -> np.ndarray:
    """uint8, uint16 or float32."""
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype == np.int32 or values.dtype.kind == "f":
        return values.astype(np.float32)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _jpeg(data: bytes, max_pixels: int) -> Decoded:
    jpeg = JpegData(data)
    frame, structure = jpeg.frame, jpeg.structure
    check_size(frame.width, frame.height, max_pixels)
    if not any(scan.stop > scan.start for scan in structure.scans):
        raise EvidenceError(
            f"JPEG without picture data: the header ends at byte {_last(jpeg)} and nothing follows"
        )
    pixels, model = _jpeg_pixels(data, jpeg, max_pixels)
    stored = {1: "grey", 3: "YCbCr or RGB", 4: "CMYK or YCCK"}[len(frame.components)]
    return Decoded(pixels, model, frame.precision, f"{frame.kind} JPEG, {stored}", jpeg=jpeg)


def _last(jpeg: JpegData) -> int:
    return max(segment.offset + segment.length for segment in jpeg.structure.segments)


def _jpeg_pixels(data: bytes, jpeg: JpegData, max_pixels: int) -> tuple[np.ndarray, str]:
    """Pixels by libjpeg, which is given the end marker it wants where the file has none.

    Where data are damaged beyond what libjpeg forgives, it gets them up to there.
    """
    bare = _without_extras(data, jpeg)
    try:
        return _libjpeg(bare, jpeg, max_pixels)
    except LimitExceeded:
        raise
    except EvidenceError as error:
        first = error
    if not jpeg.frame.arithmetic and not jpeg.decoded.any():
        raise EvidenceError(f"JPEG without usable picture data: {first}") from first
    stops = [len(data), *sorted((trouble.position for trouble in jpeg.troubles), reverse=True)]
    for stop in stops[:4]:
        try:
            return _libjpeg(_without_extras(data[:stop], jpeg) + _EOI, jpeg, max_pixels)
        except LimitExceeded:
            raise
        except EvidenceError:
            continue
    raise first


def _libjpeg(data: bytes, jpeg: JpegData, max_pixels: int) -> tuple[np.ndarray, str]:
    image = _opened(data, "jpeg", max_pixels)
    if image.size != (jpeg.frame.width, jpeg.frame.height):
        raise EvidenceError("the JPEG file has two headers that contradict each other")
    with third_party("jpeg data"):
        image.load()
    return _array(image)


def _without_extras(data: bytes, jpeg: JpegData) -> bytes:
    """The file without metadata segments: a decoder has no business with them.

    APP0 (JFIF) and APP14 (Adobe) stay, for they say what the components mean.
    """
    parts, position = [], 0
    for segment in jpeg.structure.segments:
        if segment.marker == 0xFE or (0xE1 <= segment.marker <= 0xEF and segment.marker != 0xEE):
            parts.append(data[position : segment.offset])
            position = max(position, segment.offset + segment.length)
    return b"".join([*parts, data[position : jpeg.structure.end]])


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
    except LimitExceeded:
        raise
    except EvidenceError:
        whole, trouble = png.repaired(data, structure)
        pixels, model = _png_pixels(whole, header, max_pixels)
    depth = 8 if header.colour == 3 else header.depth
    stored = png.COLOURS[header.colour] + (", interlaced" if header.interlaced else "")
    warnings = (*structure.troubles[:20], *([trouble] if trouble else []))
    return Decoded(pixels, model, depth, stored, structure.frames, warnings, png=structure)


def _png_pixels(data: bytes, header: png.Header, max_pixels: int) -> tuple[np.ndarray, str]:
    if header.depth == 16 and header.colour != 0:  # Pillow would make 8 bits of them
        pixels, model = _opencv(data)
        return (pixels[:, :, [0, 3]], GREY_ALPHA) if header.colour == 4 else (pixels, model)
    image = _opened(data, "png", max_pixels)
    with third_party("png data"):
        image.load()
    return _array(image)


def _opencv(data: bytes) -> tuple[np.ndarray, str]:
    """Pixels as OpenCV reads them; it keeps 16-bit and floating-point colour."""
    import cv2

    with third_party("data"):
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise EvidenceError("the data cannot be decoded")
    if pixels.ndim == 2:
        return _plain(pixels), GREY
    order = [2, 1, 0, 3][: pixels.shape[2]]
    return np.ascontiguousarray(_plain(pixels)[:, :, order]), RGBA if len(order) == 4 else RGB


def _tiff(data: bytes, max_pixels: int) -> Decoded:
    header = tiff_header(data)
    check_size(header.width, header.height, max_pixels)
    stored = f"TIFF, {header.colours}, {header.compressed}"
    info: dict[str, Any] = {}
    warnings = list(header.troubles)
    if header.deep_colour:
        pixels, model = _opencv(data)
    else:
        image = _opened(data, "tiff", max_pixels)
        info = _info(image)
        warnings += [trouble for trouble in [_loaded(image, "tiff", len(data))] if trouble]
        pixels, model = _array(image)
        if warnings and not pixels.any():
            raise EvidenceError(f"no usable picture data: {warnings[-1]}")
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
    return Decoded(_plain(pixels), model, depth, f"HEIC, {mode}", frames, (), info)


def _other(data: bytes, kind: str, max_pixels: int) -> Decoded:
    """WebP, AVIF, BMP and GIF, by Pillow."""
    frames = 1
    warnings = []
    if kind == "webp":  # Pillow asks for the memory as soon as it opens one
        size = webp_header(data)
        check_size(size.width, size.height, max_pixels)
        frames = size.frames
        warnings += size.troubles
    image = _opened(data, kind, max_pixels)
    if kind == "gif":
        frames = gif_frames(data)
    elif kind == "avif":
        frames = int(image.n_frames)
    mode, info = image.mode, _info(image)
    trouble = _loaded(image, kind, len(data))
    pixels, model = _array(image)
    if trouble and not pixels.any():
        raise EvidenceError(f"no usable picture data: {trouble}")
    warnings += [trouble] if trouble else []
    stored = {"1": "bilevel", "P": "palette", "L": "grey"}.get(mode, mode)
    return Decoded(pixels, model, 1 if mode == "1" else 8, stored, frames, tuple(warnings), info)


def _info(image: Any) -> dict[str, Any]:
    named = {"exif": "exif", "icc": "icc_profile", "xmp": "xmp"}
    return {name: image.info[key] for name, key in named.items() if image.info.get(key)}
