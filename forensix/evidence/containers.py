"""Headers of TIFF, WebP and GIF files, read before any decoder sees them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from forensix.errors import EvidenceError

MAX_FRAMES = 10_000  # counted no further


@dataclass
class TiffHeader:
    """What the first directory of a TIFF file says; `pages` counts all directories."""

    width: int = 0
    height: int = 0
    samples: int = 1
    bits: int = 1
    floating: bool = False
    compression: int = 1
    photometric: int = 0
    pages: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def deep_colour(self) -> bool:
        """True for what Pillow would cut to 8 bits, or cannot read: deep colour, 64-bit numbers."""
        return (self.samples > 1 and self.bits > 8) or self.bits > 32

    @property
    def colours(self) -> str:
        names = {0: "grey, white is zero", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "Lab"}
        return names.get(self.photometric, f"photometric interpretation {self.photometric}")

    @property
    def compressed(self) -> str:
        names = {1: "uncompressed", 2: "CCITT", 3: "CCITT G3", 4: "CCITT G4", 5: "LZW", 7: "JPEG", 8: "deflate",
                 32773: "PackBits", 32946: "deflate", 34925: "LZMA", 50000: "Zstandard", 50001: "WebP"}  # fmt: skip
        return names.get(self.compression, f"compression {self.compression}")


_TIFF_FIELDS = {
    256: "width", 257: "height", 258: "bits", 259: "compression", 262: "photometric", 277: "samples", 339: "floating",
}  # fmt: skip


def tiff_header(data: bytes) -> TiffHeader:
    """Read the first directory of a TIFF (or BigTIFF) file and count the others.

    Raises
    ------
    EvidenceError
        If the first directory is not there or gives no size.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\x00", b"\x00+")
    header = TiffHeader()
    seen: set[int] = set()
    offset = 0
    try:
        (offset,) = struct.unpack_from(order + ("Q" if big else "L"), data, 8 if big else 4)
        while offset and header.pages < MAX_FRAMES:
            if offset in seen:
                header.troubles.append(f"the TIFF directories form a circle at byte {offset}")
                break
            seen.add(offset)
            offset = _tiff_directory(data, offset, order, big, header)
            header.pages += 1
    except (struct.error, OverflowError):
        header.troubles.append(
            f"the TIFF directory at byte {offset} is cut off: the file stops at byte {len(data)}"
        )
    if not header.width or not header.height:
        why = header.troubles[0] if header.troubles else "nothing of the picture is left"
        raise EvidenceError(f"the TIFF file gives no image size: {why}")
    return header


def _tiff_directory(data: bytes, offset: int, order: str, big: bool, header: TiffHeader) -> int:
    """Take in the first directory, pass over a later one; returns where the next is."""
    step, counter = (20, "Q") if big else (12, "H")
    (count,) = struct.unpack_from(order + counter, data, offset)
    first = offset + struct.calcsize(counter)
    (following,) = struct.unpack_from(order + ("Q" if big else "L"), data, first + step * count)
    if header.pages == 0:
        for entry in range(first, first + step * count, step):
            tag, kind = struct.unpack_from(order + "HH", data, entry)
            if tag in _TIFF_FIELDS and kind in (1, 3, 4, 16):
                value = _tiff_value(data, entry, kind, order, big)
                setattr(header, _TIFF_FIELDS[tag], value == 3 if tag == 339 else value)
    return int(following)


def _tiff_value(data: bytes, entry: int, kind: int, order: str, big: bool) -> int:
    """The first number of an entry."""
    letter = {1: "B", 3: "H", 4: "L", 16: "Q"}[kind]
    (count,) = struct.unpack_from(order + ("Q" if big else "L"), data, entry + 4)
    place, room = (entry + 12, 8) if big else (entry + 8, 4)
    if count * struct.calcsize("=" + letter) > room:
        (place,) = struct.unpack_from(order + ("Q" if big else "L"), data, place)
    return int(struct.unpack_from(order + letter, data, place)[0])


@dataclass
class WebpHeader:
    """Size and number of frames of a WebP file, and its metadata chunks."""

    width: int = 0
    height: int = 0
    frames: int = 0
    chunks: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)


def webp_header(data: bytes) -> WebpHeader:
    """Walk the chunks of a WebP file; EvidenceError if there is no picture in it."""
    header = WebpHeader()
    declared = int.from_bytes(data[4:8], "little") + 8
    if declared > len(data):
        header.troubles.append(
            f"the WebP file is cut off: {declared} bytes declared, it stops at byte {len(data)}"
        )
    position = 12
    while position + 8 <= min(len(data), declared) and header.frames < MAX_FRAMES:
        name = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        start = position + 8
        _webp_chunk(name, data[start : start + 10], header)
        header.chunks.setdefault(name, (start, min(start + length, len(data))))
        position = start + length + (length & 1)
    if declared < len(data):
        header.troubles.append(
            f"{len(data) - declared} bytes follow the end of the WebP data at byte {declared}"
        )
    if not header.width or not header.height:
        raise EvidenceError("the WebP file holds no picture")
    header.frames = max(1, header.frames)
    return header


def _webp_chunk(name: bytes, head: bytes, header: WebpHeader) -> None:
    if name == b"ANMF":
        header.frames += 1
    if header.width or len(head) < (5 if name == b"VP8L" else 10):
        return
    if name == b"VP8X":
        header.width = int.from_bytes(head[4:7], "little") + 1
        header.height = int.from_bytes(head[7:10], "little") + 1
    elif name == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        header.width, header.height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif name == b"VP8 ":
        header.width = int.from_bytes(head[6:8], "little") & 0x3FFF
        header.height = int.from_bytes(head[8:10], "little") & 0x3FFF


def gif_frames(data: bytes) -> int:
    """How many images a GIF file holds; counted to MAX_FRAMES, or to where the data break off."""
    position = 13 + _gif_palette(data[10] if len(data) > 10 else 0)
    frames = 0
    while position < len(data) and frames < MAX_FRAMES:
        kind = data[position]
        if kind == 0x2C and position + 10 <= len(data):
            frames += 1
            position += 11 + _gif_palette(data[position + 9])
        elif kind == 0x21:
            position += 2
        else:
            break
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
    return max(1, frames)


def _gif_palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
