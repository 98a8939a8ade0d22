"""What only JPEG files have: tables, scans, and the quantized coefficients themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forensix.errors import EvidenceError, EvidenceMissing
from forensix.evidence.arrays import frozen
from forensix.evidence.jpeg_markers import DECODABLE, Frame, Scan, Structure, walk

_LARGEST = 1280  # of a dequantized coefficient: 1024, and room for encoders that overshoot
MAX_VISITS = 4_000_000_000  # scans times blocks: what a decoder can go through in about a minute

_KINDS = {
    1: "a code that is not in the Huffman table",
    2: "more coefficients than a block has",
    3: "the data end too early",
    4: "a restart marker is missing or out of turn",
}


@dataclass(frozen=True)
class Trouble:
    """Where the entropy-coded data of a scan go wrong.

    scan : its number, from 0
    mcu : number of the first MCU concerned (of the block, in a scan of one component)
    position : byte of the file near which it was noticed
    lost : MCUs (blocks) of the scan that could not be decoded
    total : MCUs (blocks) of the scan
    """

    scan: int
    mcu: int
    position: int
    lost: int
    total: int
    what: str

    def __str__(self) -> str:
        lost = f", {self.lost} could not be decoded" if self.lost else ""
        return (
            f"entropy-coded data: {self.what} at MCU {self.mcu} of {self.total} in scan {self.scan + 1}, "
            f"near byte {self.position}{lost}"
        )


class JpegData:
    """Tables, scans and coefficients of a JPEG file.

    Attributes
    ----------
    structure : Structure
        All marker segments, scans and tables, in file order.
    frame : Frame
    sampling : tuple of (down, across)
        Samples of each component per unit, vertically first: 4:2:0 is ((2, 2), (1, 1), (1, 1)).
    quantization : tuple of (8, 8) int32, read-only
        Per component, vertical frequency first, as in force at its first scan.
    """

    def __init__(self, data: bytes, structure: Structure | None = None) -> None:
        self.data = data
        self.structure = structure or walk(data)
        self.frame = _checked(self.structure.frame)
        self.sampling = tuple((part.down, part.across) for part in self.frame.components)

    @cached_property
    def quantization(self) -> tuple[np.ndarray, ...]:
        return tuple(self._table(nth) for nth in range(len(self.frame.components)))

    def _table(self, nth: int) -> np.ndarray:
        number = self.frame.components[nth].table
        for scan in self.structure.scans:
            if number in scan.quantization and any(part == nth for part, _, _ in scan.parts):
                return scan.quantization[number]
        for name, _, table in self.structure.tables:
            if name == number:
                return table
        raise EvidenceMissing(f"the file has no quantization table {number}, which component {nth} asks for")

    @property
    def quantization_tables(self) -> dict[int, np.ndarray]:
        """(8, 8) int32 by id, as last defined."""
        return {number: table for number, _, table in self.structure.tables}

    @cached_property
    def block_shapes(self) -> tuple[tuple[int, int], ...]:
        """Rows and columns of blocks that hold picture, per component."""
        down, across = self._most
        height, width = self.frame.height, self.frame.width
        return tuple(
            (-(-height * part.down // (8 * down)), -(-width * part.across // (8 * across)))
            for part in self.frame.components
        )

    @property
    def _most(self) -> tuple[int, int]:
        return max(down for down, _ in self.sampling), max(across for _, across in self.sampling)

    @property
    def mcu_shape(self) -> tuple[int, int]:
        """Rows and columns of MCUs (as interleaved scans count them)."""
        down, across = self._most
        return -(-self.frame.height // (8 * down)), -(-self.frame.width // (8 * across))

    @property
    def coefficients(self) -> tuple[np.ndarray, ...]:
        """Quantized DCT coefficients per component: (block rows, block cols, 8, 8) int16, read-only.

        Vertical frequency first, DC at [..., 0, 0]. Blocks that could not be decoded
        (see ``troubles``) are zero, or as far refined as the scans went.
        """
        return self._decoded[0]

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """Where the entropy-coded data are damaged or cut, first trouble of each scan."""
        return self._decoded[1]

    @property
    def decoded(self) -> np.ndarray:
        """(MCU rows, MCU cols) bool, read-only: MCUs whose first component came through its first scan."""
        return self._decoded[2]

    @cached_property
    def implausible(self) -> str:
        """A sentence if coefficients are larger than 8-bit samples can make them; empty otherwise.

        Huffman codes fall into step again soon after damage, so that corrupt data often
        decode to the right number of blocks. What they decode to is seldom possible:
        the transform of 8-bit samples stays within 1024.
        """
        for nth, (plane, table) in enumerate(zip(self.coefficients, self.quantization, strict=True)):
            limit = (_LARGEST + table) // np.maximum(table, 1)
            flat = plane.reshape(-1, 64)
            if (flat.max(axis=0) <= limit.ravel()).all() and (flat.min(axis=0) >= -limit.ravel()).all():
                continue
            blocks = np.flatnonzero((np.abs(flat.astype(np.int32)) > limit.ravel()).any(axis=1))
            row, col = divmod(int(blocks[0]), plane.shape[1])
            return (
                f"{blocks.size} blocks of component {nth + 1} hold coefficients no 8-bit picture has, "
                f"the first in block row {row}, column {col}: the data are corrupt, or were made by hand"
            )
        return ""

    @cached_property
    def _decoded(self) -> tuple[tuple[np.ndarray, ...], tuple[Trouble, ...], np.ndarray]:
        if self.frame.arithmetic:
            from forensix.evidence.jpeg_arithmetic import coefficients

            planes = coefficients(self.data, self.block_shapes)
            return planes, (), frozen(np.ones(self.mcu_shape, bool))
        return _Decoding(self).run()


def _checked(frame: Frame | None) -> Frame:
    """The frame, if it is one this code can decode; EvidenceError says what is wrong with it."""
    if frame is None:
        raise EvidenceError("the JPEG file has no frame header: nothing of the picture is left")
    if frame.marker not in DECODABLE:
        raise EvidenceError(f"{frame.kind} JPEG (SOF{frame.marker - 0xC0}) is not supported")
    if frame.precision != 8:
        raise EvidenceError(f"JPEG with {frame.precision} bits per sample is not supported, only 8 bits")
    if not frame.height or not frame.width:
        raise EvidenceError(f"the JPEG header declares a size of {frame.width} x {frame.height} pixels")
    parts = frame.components
    if len(parts) not in (1, 3, 4) or len({part.id for part in parts}) < len(parts):
        raise EvidenceError(f"the JPEG header declares {len(parts)} components that cannot be an image")
    if any(not (1 <= part.down <= 4 and 1 <= part.across <= 4) or part.table > 3 for part in parts):
        raise EvidenceError("the JPEG header declares sampling factors or tables that do not exist")
    return frame


class _Decoding:
    """One run over all scans of a Huffman-coded file."""

    def __init__(self, jpeg: JpegData) -> None:
        self.jpeg = jpeg
        self.shapes = jpeg.block_shapes
        sizes = [rows * cols for rows, cols in self.shapes]
        self.bases = [sum(sizes[:nth]) for nth in range(len(sizes))]
        if len(jpeg.structure.scans) * sum(sizes) > MAX_VISITS:
            raise EvidenceError(
                f"{len(jpeg.structure.scans)} scans of {sum(sizes)} blocks: no camera writes that"
            )
        self.store = np.zeros((sum(sizes) + 1, 64), np.int16)
        self.data = np.frombuffer(jpeg.data, np.uint8)
        self.troubles: list[Trouble] = []
        self.decoded: np.ndarray | None = None

    def run(self) -> tuple[tuple[np.ndarray, ...], tuple[Trouble, ...], np.ndarray]:
        for number, scan in enumerate(self.jpeg.structure.scans):
            self._scan(number, scan)
        seen = {part for scan in self.jpeg.structure.scans for part, _, _ in scan.parts}
        for nth in sorted(set(range(len(self.shapes))) - seen):
            self._note(len(self.jpeg.structure.scans), f"no scan holds component {nth + 1}")
        planes = tuple(
            frozen(self.store[base : base + rows * cols].reshape(rows, cols, 8, 8))
            for base, (rows, cols) in zip(self.bases, self.shapes, strict=True)
        )
        decoded = np.zeros(self.jpeg.mcu_shape, bool) if self.decoded is None else self.decoded
        return planes, tuple(self.troubles), frozen(decoded)

    def _note(self, scan: int, what: str, position: int = -1) -> None:
        position = len(self.jpeg.data) if position < 0 else position
        self.troubles.append(Trouble(scan, 0, position, 0, 0, what))

    def _scan(self, number: int, scan: Scan) -> None:
        from forensix.errors import ParameterError
        from forensix.native.huffman import code_tables, decode_scan

        reason = self._unusable(scan)
        if reason:
            self._note(number, reason, scan.start)
            return
        plan, units, cols = self._plan(scan)
        progressive = (*scan.band, *scan.approximation) if self.jpeg.frame.progressive else None
        try:
            codes = code_tables(scan.huffman)
        except ParameterError as error:
            self._note(number, str(error), scan.start)
            return
        report = decode_scan(
            self.data, self.store, start=scan.start, end=scan.stop, plan=plan, units=units, unit_cols=cols,
            interval=scan.interval, codes=codes, progressive=progressive,
        )  # fmt: skip
        if report.kind:
            self.troubles.append(
                Trouble(number, report.unit, report.position, report.damaged, units, _KINDS[report.kind])
            )
        elif report.extra_bytes:
            what = f"{report.extra_bytes} bytes that no MCU needs"
            self.troubles.append(Trouble(number, units, report.extra_position, 0, units, what))
        if self.decoded is None and scan.parts[0][0] == 0:
            self.decoded = self._per_mcu(report.decoded, len(scan.parts))

    def _plan(self, scan: Scan) -> tuple[np.ndarray, int, int]:
        """The plan for the kernel, the number of units and the units in a row."""
        alone = len(scan.parts) == 1
        plan = np.zeros((len(scan.parts), 7), np.int64)
        for row, (part, dc, ac) in zip(plan, scan.parts, strict=True):
            rows, cols = self.shapes[part]
            down, across = (1, 1) if alone else self.jpeg.sampling[part]
            row[:] = self.bases[part], rows, cols, across, down, dc, ac
        rows, cols = self.shapes[scan.parts[0][0]] if alone else self.jpeg.mcu_shape
        return plan, rows * cols, cols

    def _unusable(self, scan: Scan) -> str:
        """Why a scan cannot be decoded; empty when it can."""
        first, last = scan.band
        high, low = scan.approximation
        if any(dc > 3 or ac > 3 for _, dc, ac in scan.parts):
            return "the scan asks for a Huffman table that cannot be"
        if self.jpeg.frame.progressive:
            fits = first <= last <= 63 and high <= 13 and low <= 13 and (high == 0 or high == low + 1)
            if not fits or (first == 0) != (last == 0) or (first and len(scan.parts) > 1):
                return f"the scan's band {first}-{last} and approximation {high}, {low} are not allowed"
        blocks = sum(
            down * across for down, across in (self.jpeg.sampling[part] for part, _, _ in scan.parts)
        )
        if len(scan.parts) > 1 and blocks > 10:
            return f"an MCU of {blocks} blocks is not allowed"
        needed = set()
        for _, dc, ac in scan.parts:
            if not self.jpeg.frame.progressive or (first == 0 and high == 0):
                needed.add(dc)
            if not self.jpeg.frame.progressive or first:
                needed.add(4 + ac)
        missing = sorted(needed - set(scan.huffman))
        return (
            f"the scan asks for Huffman table {missing[0] & 3}, which the file does not define"
            if missing
            else ""
        )

    def _per_mcu(self, decoded: np.ndarray, parts: int) -> np.ndarray:
        rows, cols = self.jpeg.mcu_shape
        if parts > 1:
            return decoded.reshape(rows, cols)
        blocks = decoded.reshape(self.shapes[0])
        down, across = self.jpeg.sampling[0]
        whole = np.ones((rows * down, cols * across), bool)
        whole[: blocks.shape[0], : blocks.shape[1]] = blocks
        return np.asarray(whole.reshape(rows, down, cols, across).all(axis=(1, 3)))
