"""What a JPEG file consists of: segments, frame, scans and tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

SOI, EOI, SOS, DQT, DHT, DRI, DNL, DAC = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xDC, 0xCC

FRAMES = {
    0xC0: "baseline",
    0xC1: "extended sequential",
    0xC2: "progressive",
    0xC3: "lossless",
    0xC5: "differential sequential",
    0xC6: "differential progressive",
    0xC7: "differential lossless",
    0xC9: "extended sequential, arithmetic",
    0xCA: "progressive, arithmetic",
    0xCB: "lossless, arithmetic",
    0xCD: "differential sequential, arithmetic",
    0xCE: "differential progressive, arithmetic",
    0xCF: "differential lossless, arithmetic",
}
DECODABLE = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)

NAMES = {
    SOI: "SOI", EOI: "EOI", SOS: "SOS", DQT: "DQT", DHT: "DHT", DRI: "DRI", DNL: "DNL", DAC: "DAC",
    0xFE: "COM", 0xDE: "DHP", 0xDF: "EXP", 0x01: "TEM", 0xC8: "JPG",
    **{0xE0 + n: f"APP{n}" for n in range(16)},
    **{marker: f"SOF{marker - 0xC0}" for marker in FRAMES},
    **{0xD0 + n: f"RST{n}" for n in range(8)},
    **{0xF0 + n: f"JPG{n}" for n in range(14)},
}  # fmt: skip


@dataclass(frozen=True)
class Segment:
    """One marker segment.

    offset : of its 0xFF, in the file
    length : of marker, length field and payload together, in bytes
    start, stop : the payload
    identifier : of an APP segment, the ASCII word at its head
    sound : False for one that could not be read, or must not be where it is
    """

    marker: int
    offset: int
    length: int
    start: int
    stop: int
    identifier: str = ""
    sound: bool = True

    @property
    def name(self) -> str:
        return NAMES.get(self.marker, f"0x{self.marker:02X}")


@dataclass(frozen=True)
class Component:
    """A component of the frame: id, samples down and across per unit, quantization table."""

    id: int
    down: int
    across: int
    table: int


@dataclass(frozen=True)
class Frame:
    """What the SOF segment says."""

    marker: int
    precision: int
    height: int
    width: int
    components: tuple[Component, ...]

    @property
    def progressive(self) -> bool:
        return self.marker in (0xC2, 0xC6, 0xCA, 0xCE)

    @property
    def arithmetic(self) -> bool:
        return self.marker >= 0xC9

    @property
    def kind(self) -> str:
        return FRAMES[self.marker]

    @property
    def sampling(self) -> tuple[tuple[int, int], ...]:
        """Samples of each component per unit, (down, across)."""
        return tuple((part.down, part.across) for part in self.components)

    @property
    def most(self) -> tuple[int, int]:
        """Largest sampling factors, (down, across)."""
        return max(part.down for part in self.components), max(part.across for part in self.components)

    @property
    def mcu_shape(self) -> tuple[int, int]:
        """Rows and columns of MCUs, as interleaved scans count them."""
        down, across = self.most
        return -(-self.height // (8 * down)), -(-self.width // (8 * across))

    @property
    def block_shapes(self) -> tuple[tuple[int, int], ...]:
        """Rows and columns of blocks that hold picture, per component."""
        down, across = self.most
        return tuple(
            (-(-self.height * part.down // (8 * down)), -(-self.width * part.across // (8 * across)))
            for part in self.components
        )


@dataclass(frozen=True)
class Scan:
    """What an SOS segment says, and the tables in force at it.

    parts : per component (index in the frame, DC table, AC table)
    band : first and last coefficient in zig-zag order
    approximation : successive approximation, high and low bit
    start, stop : entropy-coded data, restart markers included
    interval : MCUs between restart markers, 0 for none
    """

    parts: tuple[tuple[int, int, int], ...]
    band: tuple[int, int]
    approximation: tuple[int, int]
    start: int
    stop: int
    interval: int
    huffman: dict[int, tuple[bytes, bytes]] = field(repr=False)
    quantization: dict[int, np.ndarray] = field(repr=False)


@dataclass
class Structure:
    """All a walk over the markers finds.

    troubles : one sentence each, in the order of the file, on what is not as it must be
    end : offset behind the EOI marker, None when there is none
    tables : all quantization tables, as (id, precision in bits, (8, 8) int32), in file order
    huffman : the number (0-3 DC, 4-7 AC), counts and symbols of all tables, in file order
    """

    segments: list[Segment] = field(default_factory=list)
    frame: Frame | None = None
    scans: list[Scan] = field(default_factory=list)
    tables: list[tuple[int, int, np.ndarray]] = field(default_factory=list)
    huffman: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    intervals: list[int] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    end: int | None = None

    def of(self, marker: int, identifier: str = "") -> Iterator[Segment]:
        """The segments with a marker (and identifier), in file order."""
        return (s for s in self.segments if s.marker == marker and s.identifier.startswith(identifier))
