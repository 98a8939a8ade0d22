"""The segments of a JPEG file: a walk over its markers, before anything is decoded."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from forensix.errors import EvidenceError
from forensix.evidence.jpeg_quality import ZIGZAG
from forensix.evidence.jpeg_structure import (
    DHT,
    DQT,
    DRI,
    EOI,
    FRAMES,
    NAMES,
    SOI,
    SOS,
    Component,
    Frame,
    Scan,
    Segment,
    Structure,
)  # fmt: skip

MAX_SEGMENTS = 20_000  # no writer comes near; a file made of empty segments must not fill the memory
MAX_SCANS = 1_000

# A marker that ends entropy-coded data: not a stuffed zero, not a restart marker, not a fill byte.
_TERMINATOR = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_MARKER = re.compile(rb"\xff[\x01-\xfe]")


def walk(data: bytes) -> Structure:
    """Read all marker segments of a JPEG file.

    Never decodes entropy-coded data and never fails on damage behind the SOI: what is
    wrong is put down in ``troubles``, and the walk goes on as far as it can.

    Raises
    ------
    EvidenceError
        If `data` does not begin with an SOI marker, or has more scans than any decoder
        should be asked to go through.
    """
    if data[:2] != b"\xff\xd8":
        raise EvidenceError("not a JPEG file: it does not begin with FF D8")
    found = Structure()
    state = _Tables()
    position: int | None = 2
    found.segments.append(Segment(SOI, 0, 2, 2, 2))
    while found.end is None and position is not None:
        position = _step(data, position, found, state)
    if found.end is None:
        found.troubles.append(f"no end-of-image marker: the file stops at byte {len(data)}")
    return found


class _Tables:
    """Tables in force at a point of the walk; replaced, never changed, by a new definition."""

    def __init__(self) -> None:
        self.huffman: dict[int, tuple[bytes, bytes]] = {}
        self.quantization: dict[int, np.ndarray] = {}
        self.interval = 0


def _step(data: bytes, position: int, found: Structure, state: _Tables) -> int | None:
    """Read the segment at or after `position`; returns where the next begins, None at the end."""
    match = _MARKER.search(data, position)
    if match is None:
        return None
    offset = match.start()
    if offset > position and data[position:offset].strip(b"\xff"):
        found.troubles.append(f"{offset - position} bytes at byte {position} belong to no segment")
    marker = data[offset + 1]
    if len(found.segments) >= MAX_SEGMENTS:
        found.troubles.append(f"more than {MAX_SEGMENTS} segments; reading stops at byte {offset}")
        return None
    if marker == EOI:
        found.segments.append(Segment(EOI, offset, 2, offset + 2, offset + 2))
        found.end = offset + 2
        return None
    if marker == SOI:
        found.troubles.append(f"a second image begins at byte {offset}, before this one has ended")
        return None
    if marker == 0x01 or 0xD0 <= marker <= 0xD7:
        found.segments.append(Segment(marker, offset, 2, offset + 2, offset + 2, sound=False))
        found.troubles.append(f"a {NAMES[marker]} marker at byte {offset} is out of place")
        return offset + 2
    length = int.from_bytes(data[offset + 2 : offset + 4], "big")
    stop = offset + 2 + length
    if length < 2 or stop > len(data):
        found.troubles.append(
            f"the {NAMES.get(marker, hex(marker))} segment at byte {offset} claims {length} bytes"
            + (f", but only {len(data) - offset - 2} follow" if stop > len(data) else "")
        )
        return None if stop > len(data) else offset + 2
    payload = data[offset + 4 : stop]
    segment = Segment(marker, offset, length + 2, offset + 4, stop, _identifier(marker, payload))
    found.segments.append(segment)
    try:
        _read(segment, payload, found, state)
    except (struct.error, IndexError, ValueError):
        found.troubles.append(f"the {segment.name} segment at byte {offset} is malformed")
        found.segments[-1] = replace(segment, sound=False)
    if marker == SOS:
        match = _TERMINATOR.search(data, stop)
        end = match.start() if match else len(data)
        if match:  # fill bytes belong to the marker
            end = stop + len(data[stop:end].rstrip(b"\xff"))
        return _scan_ends(found, stop, end)
    return stop


def _scan_ends(found: Structure, start: int, stop: int) -> int:
    if found.scans and found.scans[-1].start == start:
        found.scans[-1] = replace(found.scans[-1], stop=stop)
    return stop


def _identifier(marker: int, payload: bytes) -> str:
    if not 0xE0 <= marker <= 0xEF:
        return ""
    head = re.match(rb"[\x20-\x7e]{2,}", payload[:64])
    return head.group().decode("ascii") if head else ""


def _read(segment: Segment, payload: bytes, found: Structure, state: _Tables) -> None:
    """Take in a segment that decoding needs. May raise ValueError, IndexError or struct.error."""
    marker = segment.marker
    if marker == DQT:
        for number, bits, table in _quantization(payload):
            found.tables.append((number, bits, table))
            state.quantization = {**state.quantization, number: table}
    elif marker == DHT:
        for number, counts, symbols in _huffman(payload):
            found.huffman.append((number, counts, symbols))
            state.huffman = {**state.huffman, number: (counts, symbols)}
    elif marker == DRI:
        (state.interval,) = struct.unpack(">H", payload[:2])
        found.intervals.append(state.interval)
    elif marker in FRAMES:
        if found.frame is not None:
            raise ValueError("a second frame")
        found.frame = _frame(marker, payload)
    elif marker == SOS:
        found.scans.append(_scan(segment, payload, found, state))
        if len(found.scans) > MAX_SCANS:
            raise EvidenceError(f"more than {MAX_SCANS} scans: no camera or editor writes such a file")


def _quantization(payload: bytes) -> Iterator[tuple[int, int, np.ndarray]]:
    position = 0
    while position < len(payload):
        number, wide = payload[position] & 15, payload[position] >> 4
        if number > 3 or wide > 1:
            raise ValueError("no such table")
        values = np.frombuffer(payload, ">u2" if wide else "u1", 64, position + 1)
        table = np.zeros(64, np.int32)
        table[ZIGZAG] = values
        table.flags.writeable = False
        yield number, 16 if wide else 8, table.reshape(8, 8)
        position += 1 + 64 * (1 + wide)


def _huffman(payload: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    position = 0
    while position < len(payload):
        number, ac = payload[position] & 15, payload[position] >> 4
        counts = payload[position + 1 : position + 17]
        symbols = payload[position + 17 : position + 17 + sum(counts)]
        if number > 3 or ac > 1 or len(counts) < 16 or len(symbols) < sum(counts) or sum(counts) > 256:
            raise ValueError("no such table")
        yield number + 4 * ac, counts, symbols
        position += 17 + sum(counts)


def _frame(marker: int, payload: bytes) -> Frame:
    precision, height, width, count = struct.unpack(">BHHB", payload[:6])
    components = []
    for nth in range(count):
        name, sampling, table = payload[6 + 3 * nth : 9 + 3 * nth]
        components.append(Component(name, sampling & 15, sampling >> 4, table))
    return Frame(marker, precision, height, width, tuple(components))


def _scan(segment: Segment, payload: bytes, found: Structure, state: _Tables) -> Scan:
    if found.frame is None:
        raise ValueError("a scan before the frame")
    count = payload[0]
    names = [component.id for component in found.frame.components]
    parts = []
    for nth in range(count):
        name, tables = payload[1 + 2 * nth : 3 + 2 * nth]
        parts.append((names.index(name), tables >> 4, tables & 15))
    first, last, bits = payload[1 + 2 * count : 4 + 2 * count]
    if not 1 <= count <= 4 or len({part for part, _, _ in parts}) < count:
        raise ValueError("components repeat")
    return Scan(
        tuple(parts), (first, last), (bits >> 4, bits & 15), segment.stop, segment.stop,
        state.interval, state.huffman, state.quantization,
    )  # fmt: skip
