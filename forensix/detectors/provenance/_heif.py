"""How a HEIF file is built: the items a camera writes, and those a program writes."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

_DEEPEST = 100_000  # boxes looked at; no real file comes near


@dataclass
class HeifItems:
    """Items and references of a HEIF file.

    brands : major brand, then the compatible ones
    types : how many items there are of each type ("hvc1", "grid", "Exif", "mime", ...)
    references : how many there are of each kind ("thmb", "dimg", "cdsc", "auxl")
    """

    brands: tuple[str, ...] = ()
    types: Counter[str] = field(default_factory=Counter)
    references: Counter[str] = field(default_factory=Counter)

    @property
    def tiled(self) -> bool:
        """True where the picture is a grid of separately coded tiles, as hardware encoders write it."""
        return self.types["grid"] > 0 and self.types["hvc1"] > 3

    @property
    def thumbnail(self) -> bool:
        return self.references["thmb"] > 0


def read(data: bytes) -> HeifItems:
    """Walk the boxes; what is damaged is left out.

    References
    ----------
    ISO/IEC 14496-12 (boxes), ISO/IEC 23008-12 (HEIF).
    """
    found = HeifItems()
    for kind, start, stop in _boxes(data, 0, len(data)):
        if kind == "ftyp" and stop - start >= 8:
            names = data[start : start + 4], *(data[at : at + 4] for at in range(start + 8, stop - 3, 4))
            found.brands = tuple(name.decode("latin-1") for name in names)
        elif kind == "meta":
            for inner, first, last in _boxes(data, start + 4, stop):
                if inner == "iinf":
                    _items(data, first, last, found)
                elif inner == "iref":
                    found.references.update(name for name, _, _ in _boxes(data, first + 4, last))
    return found


def _items(data: bytes, start: int, stop: int, found: HeifItems) -> None:
    head = 6 if data[start : start + 1] == b"\x00" else 8
    for kind, first, last in _boxes(data, start + head, stop):
        version = data[first] if first < last else 0
        at = first + (8 if version == 2 else 10)
        if kind == "infe" and version in (2, 3) and at + 4 <= last:
            found.types[data[at : at + 4].decode("latin-1")] += 1


def _boxes(data: bytes, start: int, stop: int) -> Iterator[tuple[str, int, int]]:
    """Kind, start and stop of the content of the boxes that follow each other."""
    for _ in range(_DEEPEST):
        if start + 8 > stop:
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= stop:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        end = stop if size == 0 else start + size
        if end < start + head or end > stop:
            return
        yield kind.decode("latin-1"), start + head, end
        start = end
