"""What lies behind the end of a JPEG image."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from forensix.evidence.jpeg_structure import Structure

_MAX_IMAGES = 50
_SOI = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Trailer:
    """Bytes behind the EOI marker.

    images : offsets at which further JPEG images begin
    kind : in a few words
    expected : True for what cameras are known to put there
    """

    offset: int
    size: int
    kind: str
    images: tuple[int, ...]
    expected: bool

    def __str__(self) -> str:
        return f"{self.size} bytes follow the end of the image at byte {self.offset}: {self.kind}"


def trailer(data: bytes, structure: Structure) -> Trailer | None:
    """What follows the EOI marker, None where nothing does (or where there is no EOI)."""
    if structure.end is None or structure.end >= len(data):
        return None
    offset = structure.end
    size = len(data) - offset
    listed = [at for at in multi_picture(data, structure) if at >= offset]
    images = _images(data, offset)
    first = data[offset : offset + 4096]
    if not any(data[at : at + 65536].strip(b"\x00") for at in range(offset, len(data), 65536)):
        kind, expected = "zeros", True
    elif images and set(images[:1]) <= set(listed):
        kind, expected = "further images, listed in the multi-picture index", True
    elif data.endswith(b"SEFT"):
        kind, expected = "a Samsung trailer", True
    elif b"ftyp" in first[:64]:
        kind, expected = "a video, as of a motion photo", True
    elif images:
        kind, expected = "another JPEG image", False
    else:
        kind, expected = "unknown data", False
    return Trailer(offset, size, kind, tuple(images), expected)


def _images(data: bytes, offset: int) -> list[int]:
    found: list[int] = []
    at = data.find(_SOI, offset)
    while at >= 0 and len(found) < _MAX_IMAGES:
        found.append(at)
        at = data.find(_SOI, at + 3)
    return found


def multi_picture(data: bytes, structure: Structure) -> list[int]:
    """Offsets of the images a multi-picture index (CIPA DC-007) lists, the first one left out."""
    segment = next(structure.of(0xE2, "MPF"), None)
    if segment is None:
        return []
    base = segment.start + 4
    order = "<" if data[base : base + 2] == b"II" else ">"
    try:
        (directory,) = struct.unpack_from(order + "L", data, base + 4)
        (count,) = struct.unpack_from(order + "H", data, base + directory)
        for entry in range(base + directory + 2, base + directory + 2 + 12 * count, 12):
            tag, _, size, value = struct.unpack_from(order + "HHLL", data, entry)
            if tag == 0xB002:
                items = range(base + value, base + value + min(size, 16 * _MAX_IMAGES), 16)
                offsets = [struct.unpack_from(order + "L", data, item + 8)[0] for item in items]
                return [base + at for at in offsets if at]
    except struct.error:
        return []
    return []
