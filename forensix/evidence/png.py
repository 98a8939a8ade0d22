"""PNG files: chunks and their checksums, and a repair of what is cut or corrupt.

Decoders get only the chunks that make the picture. Text, profiles and the rest never
reach them, so a bomb or a bug there cannot keep the picture from being read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forensix.errors import EvidenceError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 200_000
PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
COLOURS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey and alpha", 6: "RGB and alpha"}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PIECE = 65536

# Adam7: first row, first column, row step, column step of each pass.
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


@dataclass(frozen=True)
class Chunk:
    """A chunk: where it begins in the file, and where its payload is."""

    name: bytes
    offset: int
    start: int
    stop: int
    intact: bool


@dataclass(frozen=True)
class Header:
    """What IHDR says."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool


@dataclass
class Structure:
    """All a walk over the chunks finds; `end` is the offset behind IEND."""

    header: Header
    chunks: list[Chunk] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    end: int | None = None

    def of(self, *names: bytes) -> Iterator[Chunk]:
        return (chunk for chunk in self.chunks if chunk.name in names)

    @property
    def intact(self) -> bool:
        """True when every chunk of the picture is whole."""
        return self.end is not None and all(chunk.intact for chunk in self.of(*PICTURE))

    @property
    def frames(self) -> int:
        """Frames an animated PNG has; 1 for a still one."""
        return max(1, self._animation)

    _animation: int = 1


def walk(data: bytes) -> Structure:
    """Read the chunks of a PNG file and check their checksums.

    Raises
    ------
    EvidenceError
        If there is no usable IHDR chunk.
    """
    found = Structure(_header(data))
    position = len(SIGNATURE)
    while found.end is None and position < len(data):
        if len(found.chunks) >= MAX_CHUNKS:
            found.troubles.append(f"more than {MAX_CHUNKS} chunks; reading stops at byte {position}")
            return found
        length = int.from_bytes(data[position : position + 4], "big")
        name = data[position + 4 : position + 8]
        if len(name) < 4 or not (name.isascii() and name.isalpha()):
            found.troubles.append(f"no chunk begins at byte {position}, where one should")
            return found
        start, stop = position + 8, min(position + 8 + length, len(data))
        intact = stop + 4 <= len(data) and zlib.crc32(data[position + 4 : stop]) == int.from_bytes(
            data[stop : stop + 4], "big"
        )
        label = name.decode("ascii")
        if stop - start < length or stop + 4 > len(data):
            found.troubles.append(
                f"the {label} chunk at byte {position} is cut off: the file stops at byte {len(data)}"
            )
        elif not intact:
            found.troubles.append(f"the checksum of the {label} chunk at byte {position} is wrong")
        found.chunks.append(Chunk(name, position, start, stop, intact))
        if name == b"acTL" and stop - start >= 4:
            found._animation = int.from_bytes(data[start : start + 4], "big")
        position = stop + 4
        if name == b"IEND":
            found.end = min(position, len(data))
    if found.end is None and not any("cut off" in trouble for trouble in found.troubles):
        found.troubles.append(f"no IEND chunk: the file stops at byte {len(data)}")
    return found


def _header(data: bytes) -> Header:
    if data[12:16] != b"IHDR" or len(data) < 29:
        raise EvidenceError("the PNG file has no header: nothing of the picture is left")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    depth, colour, compression, filtering, interlace = data[24:29]
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise EvidenceError("the PNG header declares a kind of picture that does not exist")
    if not width or not height:
        raise EvidenceError(f"the PNG header declares a size of {width} x {height} pixels")
    return Header(width, height, depth, colour, bool(interlace))


def picture_only(data: bytes, found: Structure) -> bytes:
    """The file without the chunks that do not make the picture."""
    parts = [data[chunk.offset : chunk.stop + 4] for chunk in found.of(*PICTURE)]
    return b"".join([SIGNATURE, *parts])


def repaired(data: bytes, found: Structure) -> tuple[bytes, str]:
    """A whole PNG file of what can be read, and a sentence on where reading stopped.

    The file ends with the last row that is whole; in an interlaced one, rows that are
    lost are empty. The sentence is empty when nothing is lost.

    Raises
    ------
    EvidenceError
        If not one row can be read.
    """
    raw, trouble = _inflate(data, found)
    passes = list(_pass_sizes(found.header))
    expected = sum(rows * stride for rows, stride in passes)
    whole = np.zeros(expected, np.uint8)
    whole[: len(raw)] = np.frombuffer(raw, np.uint8)
    rows = _keep_readable(whole, passes, len(raw))
    if not rows:
        raise EvidenceError("PNG without picture data: not one row can be read")
    total = sum(n for n, _ in passes)
    if not trouble and rows < total:
        trouble = "a row says that it is filtered in a way that does not exist"
    lost = f"{rows} of {total} rows can be read" if rows < total else ""
    sentence = f"PNG data: {trouble}" + (f"; {lost}" if lost else "") if trouble or lost else ""
    header = data[16:29]
    if not found.header.interlaced:
        header = header[:4] + rows.to_bytes(4, "big") + header[8:]
        whole = whole[: rows * passes[0][1]]
    chunks = [_chunk(b"IHDR", header)]
    chunks += [_chunk(chunk.name, data[chunk.start : chunk.stop]) for chunk in found.of(b"PLTE", b"tRNS")]
    chunks += [_chunk(b"IDAT", zlib.compress(whole.data, 1)), _chunk(b"IEND", b"")]
    return b"".join([SIGNATURE, *chunks]), sentence


def _chunk(name: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + name + payload + zlib.crc32(name + payload).to_bytes(4, "big")


def _pass_sizes(header: Header) -> Iterator[tuple[int, int]]:
    """Rows, and bytes per row with the filter byte, of each pass."""
    bits = CHANNELS[header.colour] * header.depth
    for top, left, down, across in _PASSES if header.interlaced else ((0, 0, 1, 1),):
        rows, cols = -(-(header.height - top) // down), -(-(header.width - left) // across)
        if rows > 0 and cols > 0:
            yield rows, 1 + -(-cols * bits // 8)


def _inflate(data: bytes, found: Structure) -> tuple[bytes, str]:
    """The decompressed rows as far as they can be had, and a sentence on what stopped it."""
    expected = sum(rows * stride for rows, stride in _pass_sizes(found.header))
    stream, out, size = zlib.decompressobj(), [], 0
    for number, chunk in enumerate(found.of(b"IDAT"), 1):
        for start in range(chunk.start, chunk.stop, _PIECE):
            piece = data[start : min(start + _PIECE, chunk.stop)]
            before = stream.copy()
            try:
                out.append(stream.decompress(piece, expected - size))
            except zlib.error:
                part, read = _bytewise(before, piece, expected - size)
                return b"".join([*out, part]), f"corrupt near byte {start + read} (IDAT chunk {number})"
            size += len(out[-1])
            if size >= expected:
                return b"".join(out), ""
            if stream.eof:
                return b"".join(out), f"the compressed data end early at byte {start + len(piece)}"
    return b"".join(out), f"the compressed data stop at byte {_last_byte(found)}"


def short_of_data(data: bytes, found: Structure) -> bool:
    """True when the compressed data hold fewer rows than the picture has."""
    expected = sum(rows * stride for rows, stride in _pass_sizes(found.header))
    stream = zlib.decompressobj()
    try:
        for chunk in found.of(b"IDAT"):
            for start in range(chunk.start, chunk.stop, _PIECE):
                rest = data[start : min(start + _PIECE, chunk.stop)]
                while rest and expected > 0:
                    expected -= len(stream.decompress(rest, 1 << 20))
                    rest = stream.unconsumed_tail
    except zlib.error:
        return True
    return expected > 0


def _last_byte(found: Structure) -> int:
    return max((chunk.stop for chunk in found.of(b"IDAT")), default=len(SIGNATURE))


def _bytewise(stream: Any, piece: bytes, room: int) -> tuple[bytes, int]:
    """What a piece still gives before the byte at which it is corrupt, and that byte."""
    out, size = [], 0
    for at in range(len(piece)):
        try:
            out.append(stream.decompress(piece[at : at + 1], max(room - size, 1)))
        except zlib.error:
            return b"".join(out)[:room], at
        size += len(out[-1])
    return b"".join(out)[:room], len(piece)


def _keep_readable(whole: np.ndarray, passes: list[tuple[int, int]], have: int) -> int:
    """Clear everything behind the first row that cannot be read; returns how many can."""
    position = readable = 0
    for rows, stride in passes:
        block = whole[position : position + rows * stride].reshape(rows, stride)
        bad = np.flatnonzero(block[:, 0] > 4)  # no such filter
        good = int(bad[0]) if bad.size else rows
        good = max(0, min(good, (have - position) // stride))
        readable += good
        position += rows * stride
        if good < rows:
            block[good:] = 0
            whole[position:] = 0
            break
    return readable
