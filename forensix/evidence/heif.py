"""The rotation a HEIF file asks for, which libheif applies whether wanted or not."""

from __future__ import annotations

from collections.abc import Iterator

_MAX_BOXES = 10_000


def rotation(data: bytes) -> int:
    """Quarter turns, anticlockwise, that the file's primary image is shown with; 0 to 3.

    Reads the "irot" property (ISO/IEC 23008-12, 6.5.10) of the primary item. 0 also where
    the boxes cannot be followed.
    """
    start, stop = _child(data, b"meta", 0, len(data))
    start += 4
    primary = _primary(data, *_child(data, b"pitm", start, stop))
    within = _child(data, b"iprp", start, stop)
    properties = list(_boxes(data, *_child(data, b"ipco", *within)))
    for number in _associated(data, *_child(data, b"ipma", *within), primary):
        if 0 < number <= len(properties):
            name, at, end = properties[number - 1]
            if name == b"irot" and at < end:
                return data[at] & 3
    return 0


def _boxes(data: bytes, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, and where the content begins and ends, of the boxes between two offsets."""
    for _ in range(_MAX_BOXES):
        if start + 8 > stop:
            return
        size, head = int.from_bytes(data[start : start + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        end = stop if size == 0 else start + size
        if (size and size < head) or end > stop:
            return
        yield data[start + 4 : start + 8], start + head, end
        start = end


def _child(data: bytes, name: bytes, start: int, stop: int) -> tuple[int, int]:
    """Content of the first box of a name; an empty range where there is none."""
    return next(((at, end) for found, at, end in _boxes(data, start, stop) if found == name), (stop, stop))


def _primary(data: bytes, start: int, stop: int) -> int:
    width = 2 if start < stop and data[start] == 0 else 4
    return int.from_bytes(data[start + 4 : min(start + 4 + width, stop)], "big")


def _associated(data: bytes, start: int, stop: int, item: int) -> list[int]:
    """Numbers (from 1) of the properties of an item, from the "ipma" box."""
    if start + 8 > stop:
        return []
    item_width = 2 if data[start] == 0 else 4
    width = 2 if data[start + 3] & 1 else 1
    count = int.from_bytes(data[start + 4 : start + 8], "big")
    at = start + 8
    for _ in range(min(count, _MAX_BOXES)):
        if at + item_width + 1 > stop:
            return []
        found = int.from_bytes(data[at : at + item_width], "big")
        entries = data[at + item_width]
        at += item_width + 1
        if found == item:
            numbers = range(at, min(at + entries * width, stop - width + 1), width)
            return [
                int.from_bytes(data[n : n + width], "big") & (0x7FFF if width == 2 else 0x7F) for n in numbers
            ]
        at += entries * width
    return []
