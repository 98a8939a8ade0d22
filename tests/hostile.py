"""Odd, damaged and hostile image files, made in code.

``hostile_files()`` maps file names to (content, expectation): "ok" opens without a
warning, "warned" opens with at least one, "error" is refused with an EvidenceError.
"""

from __future__ import annotations

import functools
import io
import struct
import zlib

import numpy as np
from PIL import Image


def scene(rows: int = 96, cols: int = 128, channels: int = 3, *, seed: int = 7) -> np.ndarray:
    """A small picture with edges, gradients and grain; uint8."""
    random = np.random.RandomState(seed)
    i, j = np.mgrid[:rows, :cols]
    planes = [
        60 + 100 * i / rows + 60 * ((i // 16 + j // 16 + c) % 2) + random.normal(0, 6, (rows, cols))
        for c in range(4)
    ]
    image = np.clip(np.stack(planes, axis=2), 0, 255).astype(np.uint8)
    return image[:, :, 0] if channels == 1 else image[:, :, :channels]


def saved(array: np.ndarray, kind: str, mode: str | None = None, **options: object) -> bytes:
    """An array as a file of a kind that Pillow writes."""
    image = Image.fromarray(array)
    image = image.convert(mode) if mode else image
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(array: np.ndarray | None = None, **options: object) -> bytes:
    return saved(scene() if array is None else array, "JPEG", **{"quality": 85, **options})


def by_opencv(array: np.ndarray, extension: str, flags: tuple[int, ...] = ()) -> bytes:
    """Deep and floating-point files, which Pillow does not write."""
    import cv2

    return cv2.imencode(extension, array, list(flags))[1].tobytes()


def entropy_start(data: bytes) -> int:
    """Offset of the first entropy-coded byte of a JPEG file."""
    at = data.index(b"\xff\xda")
    return at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def with_segment(data: bytes, marker: int, payload: bytes) -> bytes:
    """A JPEG file with one more segment behind its SOI."""
    return data[:2] + segment(marker, payload) + data[2:]


def resized_header(
    data: bytes, width: int, height: int, *, precision: int = 8, marker: int | None = None
) -> bytes:
    """A JPEG file whose frame header claims something else."""
    at = next(i for i in range(len(data) - 1) if data[i] == 0xFF and data[i + 1] in (0xC0, 0xC1, 0xC2))
    head = bytes([0xFF, marker or data[at + 1]]) + data[at + 2 : at + 4]
    return data[:at] + head + struct.pack(">BHH", precision, height, width) + data[at + 9 :]


def chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">L", len(payload)) + name + payload + struct.pack(">L", zlib.crc32(name + payload))


def png_of(
    width: int, height: int, depth: int, colour: int, rows: bytes, *, interlace: int = 0, extra: bytes = b""
) -> bytes:
    """A PNG file of given filtered rows."""
    header = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"".join([
        b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    ])  # fmt: skip


def with_chunk(data: bytes, name: bytes, payload: bytes) -> bytes:
    """A PNG file with one more chunk behind its header."""
    return data[:33] + chunk(name, payload) + data[33:]


def interlaced_png(image: np.ndarray) -> bytes:
    """A grey image in the seven passes of Adam7, which Pillow does not write."""
    passes = (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    )
    rows = b"".join(
        b"".join(b"\x00" + row.tobytes() for row in image[top::down, left::across])
        for top, left, down, across in passes
    )
    return png_of(image.shape[1], image.shape[0], 8, 0, rows, interlace=1)


def exif_block(
    *entries: tuple[int, int, int, bytes], after: bytes = b"", following: int = 0, order: str = "<"
) -> bytes:
    """A little EXIF block: entries are (tag, type, count, four bytes of value)."""
    directory = struct.pack(order + "H", len(entries))
    directory += b"".join(struct.pack(order + "HHL", *entry[:3]) + entry[3] for entry in entries)
    head = b"II*\x00" if order == "<" else b"MM\x00*"
    return (
        b"Exif\x00\x00"
        + head
        + struct.pack(order + "L", 8)
        + directory
        + struct.pack(order + "L", following)
        + after
    )


def tiff_of(*entries: tuple[int, int, int, int], after: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF directory and what follows it; entries are (tag, type, count, value)."""
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return b"II*\x00" + struct.pack("<L", 8) + body + struct.pack("<L", following) + after


def damaged(data: bytes, at: float, count: int = 40) -> bytes:
    """A JPEG file with bytes in its entropy-coded data overwritten, no marker among them."""
    start = entropy_start(data)
    place = start + int((len(data) - start) * at)
    noise = np.random.RandomState(3).randint(1, 255, count).astype(np.uint8).tobytes()
    return data[:place] + noise + data[place + count :]


def without_restart(data: bytes, number: int) -> bytes:
    """A JPEG file from which the nth interval and its restart marker were cut."""
    start = entropy_start(data)
    marks = [i for i in range(start, len(data) - 1) if data[i] == 0xFF and 0xD0 <= data[i + 1] <= 0xD7]
    return data[: marks[number]] + data[marks[number + 1] :]


def arithmetic() -> bytes:
    """An arithmetic-coded JPEG file: SOF9."""
    import tempfile
    from pathlib import Path

    import jpeglib

    with tempfile.TemporaryDirectory() as folder, jpeglib.version("turbo210"):
        path = str(Path(folder) / "a.jpg")
        jpeglib.from_spatial(scene()).write_spatial(path, flags=["+ARITH_CODE"])
        return Path(path).read_bytes()


def _jpegs() -> dict[str, tuple[bytes, str]]:
    base = jpeg()
    progressive = jpeg(progressive=True)
    restarts = jpeg(restart_marker_blocks=4)
    scans = entropy_start(progressive)
    return {
        "good.jpg": (base, "ok"),
        "grey.jpg": (jpeg(scene(channels=1)), "ok"),
        "progressive.jpg": (progressive, "ok"),
        "restart.jpg": (restarts, "ok"),
        "arithmetic.jpg": (arithmetic(), "ok"),
        "cmyk.jpg": (saved(scene(), "JPEG", "CMYK", quality=85), "ok"),
        "one pixel.jpg": (jpeg(scene(1, 1)), "ok"),
        "1 x 4000.jpg": (jpeg(scene(1, 4000)), "ok"),
        "4000 x 1.jpg": (jpeg(scene(4000, 1)), "ok"),
        "black.jpg": (jpeg(np.zeros((64, 64, 3), np.uint8)), "ok"),
        "white.jpg": (jpeg(np.full((64, 64, 3), 255, np.uint8)), "ok"),
        "truncated.jpg": (base[: len(base) * 6 // 10], "warned"),
        "truncated progressive.jpg": (progressive[: len(progressive) * 6 // 10], "warned"),
        "no end marker.jpg": (base[:-2], "warned"),
        "corrupt.jpg": (damaged(base, 0.5), "warned"),
        "corrupt progressive.jpg": (damaged(progressive, 0.6), "warned"),
        "corrupt restart.jpg": (damaged(restarts, 0.5), "warned"),
        "lost restart.jpg": (without_restart(restarts, 3), "warned"),
        "trailing.jpg": (base + b"something else", "warned"),
        "two images.jpg": (base + base, "warned"),
        "zeros behind.jpg": (base + bytes(500), "ok"),
        "broken exif.jpg": (with_segment(base, 0xE1, b"Exif\x00\x00II*\x00\xff\xff\xff\xff"), "warned"),
        "exif bomb.jpg": (
            with_segment(
                base,
                0xE1,
                exif_block((0x10F, 2, 0xFFFFFFFF, b"\x00" * 4), (0x111, 4, 0xFFFFFFF0, b"\x08" * 4)),
            ),
            "warned",
        ),
        "exif circle.jpg": (
            with_segment(base, 0xE1, exif_block((0x8769, 4, 1, struct.pack("<L", 8)), following=8)),
            "warned",
        ),
        "header only.jpg": (base[: entropy_start(base)], "error"),
        "header only progressive.jpg": (progressive[:scans], "error"),
        "start only.jpg": (base[:4], "error"),
        "tables only.jpg": (base[: base.index(b"\xff\xc0")], "error"),
        "huge.jpg": (resized_header(base, 60000, 60000), "error"),
        "no size.jpg": (resized_header(base, 0, 0), "error"),
        "twelve bits.jpg": (resized_header(base, 128, 96, precision=12, marker=0xC1), "error"),
        "lossless.jpg": (resized_header(base, 128, 96, marker=0xC3), "error"),
        "many segments.jpg": (base[:2] + segment(0xE5, b"") * 30_000 + base[2:], "error"),
        "many scans.jpg": (progressive[:-2] + progressive[scans - 14 : scans] * 2000 + b"\xff\xd9", "error"),
    }


def _pngs() -> dict[str, tuple[bytes, str]]:
    good = saved(scene(), "PNG")
    deep = scene().astype(np.uint16) * 257 + 5
    idat = good.index(b"IDAT")
    bomb = zlib.compress(bytes(64 << 20), 9)
    frames = [Image.fromarray(scene(seed=n)) for n in range(3)]
    animated = io.BytesIO()
    frames[0].save(animated, "PNG", save_all=True, append_images=frames[1:])
    return {
        "good.png": (good, "ok"),
        "grey.png": (saved(scene(channels=1), "PNG"), "ok"),
        "grey alpha.png": (saved(scene(channels=2), "PNG"), "ok"),
        "alpha.png": (saved(scene(channels=4), "PNG"), "ok"),
        "palette.png": (saved(scene(), "PNG", "P"), "ok"),
        "palette alpha.png": (saved(scene(), "PNG", "P", transparency=3), "ok"),
        "bilevel.png": (saved(scene(channels=1), "PNG", "1"), "ok"),
        "grey 16.png": (by_opencv(deep[:, :, 0], ".png"), "ok"),
        "colour 16.png": (by_opencv(deep, ".png"), "ok"),
        "alpha 16.png": (by_opencv(np.dstack([deep, deep[:, :, 0]]), ".png"), "ok"),
        "grey alpha 16.png": (
            png_of(2, 1, 16, 4, b"\x00" + struct.pack(">4H", 1000, 2000, 30000, 65535)),
            "ok",
        ),
        "interlaced.png": (interlaced_png(scene(channels=1)), "ok"),
        "one pixel.png": (saved(scene(1, 1), "PNG"), "ok"),
        "black.png": (saved(np.zeros((64, 64, 3), np.uint8), "PNG"), "ok"),
        "png named.jpg": (good, "warned"),
        "animated.png": (animated.getvalue(), "warned"),
        "truncated.png": (good[: len(good) // 2], "warned"),
        "truncated interlaced.png": (interlaced_png(scene(channels=1))[:-2000], "warned"),
        "no end.png": (good[:-12], "warned"),
        "corrupt.png": (good[: len(good) // 2] + b"\x00" * 30 + good[len(good) // 2 + 30 :], "warned"),
        "wrong checksum.png": (good[:-13] + bytes([good[-13] ^ 255]) + good[-12:], "warned"),
        "text bomb.png": (with_chunk(good, b"zTXt", b"Comment\x00\x00" + bomb), "warned"),
        "profile bomb.png": (with_chunk(good, b"iCCP", b"Profile\x00\x00" + bomb), "warned"),
        "header only.png": (good[:33], "error"),
        "no data.png": (good[: idat + 4], "error"),
        "huge.png": (png_of(30000, 30000, 8, 2, b""), "error"),
        "no size.png": (png_of(0, 5, 8, 2, b"\x00"), "error"),
        "no such depth.png": (png_of(5, 5, 3, 2, b"\x00" * 50), "error"),
    }


def _others() -> dict[str, tuple[bytes, str]]:
    colour, grey = scene(), scene(channels=1)
    bmp, gif, tiff = saved(colour, "BMP"), saved(colour, "GIF"), saved(colour, "TIFF")
    webp = saved(colour, "WEBP", quality=90)
    frames = [Image.fromarray(scene(seed=n)) for n in range(3)]
    moving = {}
    for kind in ("GIF", "WEBP", "TIFF"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        moving[kind] = out.getvalue()
    spoiled = (grey / 255).astype(np.float32)
    spoiled[3, 4:6] = np.nan, np.inf
    deep = colour.astype(np.uint16) * 257 + 5
    size = (
        (256, 4, 1, 50000),
        (257, 4, 1, 50000),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
    )
    tiles = ((256, 4, 1, 14000), (257, 4, 1, 14000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
             (322, 3, 1, 16), (323, 3, 1, 16), (324, 4, 765_625, 200))  # fmt: skip
    small = ((256, 3, 1, 4), (257, 3, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
             (273, 4, 1, 0), (278, 3, 1, 4), (279, 4, 1, 16))  # fmt: skip
    at = len(tiff_of(*small))
    small = tuple((*entry[:3], at) if entry[0] == 273 else entry for entry in small)
    image = b"," + struct.pack("<4HB", 0, 0, 2, 2, 0) + b"\x02\x02\x84\x51\x00"
    return {
        "good.bmp": (bmp, "ok"),
        "palette.bmp": (saved(colour, "BMP", "P"), "ok"),
        "good.gif": (gif, "ok"),
        "good.webp": (webp, "ok"),
        "lossless.webp": (saved(colour, "WEBP", lossless=True), "ok"),
        "alpha.webp": (saved(scene(channels=4), "WEBP", lossless=True), "ok"),
        "good.avif": (saved(colour, "AVIF"), "ok"),
        "good.tif": (tiff, "ok"),
        "lzw.tif": (saved(colour, "TIFF", compression="tiff_lzw"), "ok"),
        "bilevel.tif": (saved(grey, "TIFF", "1"), "ok"),
        "cmyk.tif": (saved(colour, "TIFF", "CMYK"), "ok"),
        "grey 16.tif": (saved(deep[:, :, 0], "TIFF"), "ok"),
        "colour 16.tif": (by_opencv(deep, ".tiff"), "ok"),
        "float.tif": (saved((grey / 255).astype(np.float32), "TIFF"), "ok"),
        "float colour.tif": (by_opencv((colour / 255).astype(np.float32), ".tiff"), "ok"),
        "float 64.tif": (by_opencv(grey / 255, ".tiff"), "ok"),
        "float with nan.tif": (saved(spoiled, "TIFF"), "warned"),
        "float stretched.tif": (saved((grey / 100 - 1).astype(np.float32), "TIFF"), "warned"),
        "animated.gif": (moving["GIF"], "warned"),
        "animated.webp": (moving["WEBP"], "warned"),
        "pages.tif": (moving["TIFF"], "warned"),
        "many frames.gif": (
            b"GIF89a"
            + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0)
            + bytes(3)
            + b"\xff" * 3
            + image * 50_000
            + b";",
            "warned",
        ),
        "circle.tif": (tiff_of(*small, after=bytes(range(100, 116)), following=8), "warned"),
        "truncated.bmp": (bmp[: len(bmp) // 2], "warned"),
        "truncated.gif": (gif[: len(gif) // 2], "warned"),
        "truncated lzw.tif": (saved(colour, "TIFF", compression="tiff_lzw")[:-5000], "error"),
        "truncated.webp": (webp[: len(webp) // 2], "error"),
        "truncated.avif": (saved(colour, "AVIF")[:500], "error"),
        "huge.tif": (tiff_of(*size, after=bytes(100)), "error"),
        "many tiles.tif": (tiff_of(*tiles, after=bytes(1000)), "error"),
        "huge.bmp": (bmp[:18] + struct.pack("<LL", 40000, 40000) + bmp[26:], "error"),
        "huge.gif": (gif[:6] + struct.pack("<HH", 65535, 65535) + gif[10:], "error"),
        "huge.webp": (
            b"RIFF"
            + struct.pack("<L", 30)
            + b"WEBPVP8X"
            + struct.pack("<L", 10)
            + b"\x00" * 4
            + b"\xff\xff\xff" * 2
            + bytes(8),
            "error",
        ),
        "header only.bmp": (bmp[:54], "error"),
        "header only.gif": (gif[:13], "error"),
        "header only.tif": (tiff[:8], "error"),
        "header only.webp": (webp[:12], "error"),
        "empty.jpg": (b"", "error"),
        "text.jpg": (b"This is a letter, not a picture.\n" * 20, "error"),
        "zeros.jpg": (bytes(5000), "error"),
        "noise.jpg": (np.random.RandomState(1).bytes(5000), "error"),
        "document.jpg": (b"%PDF-1.7\n" + bytes(100), "error"),
        "video.heic": (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(100), "error"),
        "header only.heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "error"),
        "header only.avif": (b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif", "error"),
    }


@functools.cache
def hostile_files() -> dict[str, tuple[bytes, str]]:
    """All files: name to (content, "ok", "warned" or "error")."""
    return {**_jpegs(), **_pngs(), **_others()}
