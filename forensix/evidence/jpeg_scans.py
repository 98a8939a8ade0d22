"""From the scans of a JPEG file to its quantized coefficients, damage noted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.errors import LimitExceeded, ParameterError
from forensix.evidence.arrays import frozen
from forensix.evidence.jpeg_structure import Frame, Scan, Structure

MAX_VISITS = 2_000_000_000  # scans times blocks: what a decoder can go through in half a minute

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
    total : MCUs (blocks) of the scan; 0 where the scan as a whole cannot be used
    """

    scan: int
    mcu: int
    position: int
    lost: int
    total: int
    what: str

    def __str__(self) -> str:
        if not self.total:
            return f"scan {self.scan + 1} at byte {self.position}: {self.what}"
        lost = f", {self.lost} could not be decoded" if self.lost else ""
        return (
            f"entropy-coded data: {self.what} at MCU {self.mcu} of {self.total} in scan {self.scan + 1}, "
            f"near byte {self.position}{lost}"
        )


@dataclass(frozen=True)
class Entropy:
    """What the scans hold.

    planes : (block rows, block cols, 8, 8) int16 per component, read-only
    troubles : the first of each scan
    decoded : (MCU rows, MCU cols) bool, whether the first component came through its first scan
    usable : numbers of the scans that could be decoded at least in part
    """

    planes: tuple[np.ndarray, ...]
    troubles: tuple[Trouble, ...]
    decoded: np.ndarray
    usable: frozenset[int]


def decode_scans(data: bytes, frame: Frame, structure: Structure) -> Entropy:
    """Decode all scans of a Huffman-coded file.

    Raises
    ------
    LimitExceeded
        If there are so many scans of so many blocks that no decoder should begin.
    """
    check_visits(frame, structure)
    return _Decoding(data, frame, structure).run()


def check_visits(frame: Frame, structure: Structure) -> None:
    """Raise LimitExceeded if there is more to go through than any decoder should begin with."""
    blocks = sum(rows * cols for rows, cols in frame.block_shapes)
    if len(structure.scans) * blocks > MAX_VISITS:
        raise LimitExceeded(
            f"{len(structure.scans)} scans of {blocks} blocks: no camera or editor writes that"
        )


class _Decoding:
    """One run over all scans of a file."""

    def __init__(self, data: bytes, frame: Frame, structure: Structure) -> None:
        self.frame, self.structure = frame, structure
        self.shapes = frame.block_shapes
        sizes = [rows * cols for rows, cols in self.shapes]
        self.bases = [sum(sizes[:nth]) for nth in range(len(sizes))]
        self.store = np.zeros((sum(sizes) + 1, 64), np.int16)
        self.data = np.frombuffer(data, np.uint8)
        self.troubles: list[Trouble] = []
        self.usable: set[int] = set()
        self.decoded: np.ndarray | None = None

    def run(self) -> Entropy:
        for number, scan in enumerate(self.structure.scans):
            self._scan(number, scan)
        seen = {part for number in self.usable for part, _, _ in self.structure.scans[number].parts}
        for nth in sorted(set(range(len(self.shapes))) - seen):
            what = f"no scan that can be used holds component {nth + 1}"
            self.troubles.append(Trouble(len(self.structure.scans), 0, self.data.size, 0, 0, what))
        planes = tuple(
            frozen(self.store[base : base + rows * cols].reshape(rows, cols, 8, 8))
            for base, (rows, cols) in zip(self.bases, self.shapes, strict=True)
        )
        decoded = np.zeros(self.frame.mcu_shape, bool) if self.decoded is None else self.decoded
        return Entropy(planes, tuple(self.troubles), frozen(decoded), frozenset(self.usable))

    def _scan(self, number: int, scan: Scan) -> None:
        from forensix.native.huffman import code_tables, decode_scan

        needed = self._tables(scan)
        try:
            reason = self._unusable(scan, needed)
            codes = code_tables({table: scan.huffman[table] for table in needed if table in scan.huffman})
        except ParameterError as error:
            reason = str(error)
        if reason:
            self.troubles.append(Trouble(number, 0, scan.start, 0, 0, reason))
            return
        self.usable.add(number)
        plan, units, cols = self._plan(scan)
        report = decode_scan(
            self.data, self.store, start=scan.start, end=scan.stop, plan=plan, units=units, unit_cols=cols,
            interval=scan.interval, codes=codes,
            progressive=(*scan.band, *scan.approximation) if self.frame.progressive else None,
        )  # fmt: skip
        if report.kind:
            what = _KINDS[report.kind]
            self.troubles.append(Trouble(number, report.unit, report.position, report.damaged, units, what))
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
            down, across = (1, 1) if alone else self.frame.sampling[part]
            row[:] = self.bases[part], rows, cols, across, down, dc, ac
        rows, cols = self.shapes[scan.parts[0][0]] if alone else self.frame.mcu_shape
        return plan, rows * cols, cols

    def _tables(self, scan: Scan) -> set[int]:
        """The Huffman tables a scan cannot do without."""
        first_pass = scan.band[0] == 0 and scan.approximation[0] == 0
        dc = {dc for _, dc, _ in scan.parts if first_pass or not self.frame.progressive}
        ac = {4 + ac for _, _, ac in scan.parts if scan.band[0] or not self.frame.progressive}
        return dc | ac

    def _unusable(self, scan: Scan, needed: set[int]) -> str:
        """Why a scan cannot be decoded; empty when it can."""
        first, last = scan.band
        high, low = scan.approximation
        if any(dc > 3 or ac > 3 for _, dc, ac in scan.parts):
            return "it asks for a Huffman table that cannot be"
        if self.frame.progressive:
            fits = first <= last <= 63 and high <= 13 and low <= 13 and high in (0, low + 1)
            if not fits or (first == 0) != (last == 0) or (first and len(scan.parts) > 1):
                return f"band {first}-{last} with approximation {high}, {low} is not allowed"
        blocks = sum(
            down * across for down, across in (self.frame.sampling[part] for part, _, _ in scan.parts)
        )
        if len(scan.parts) > 1 and blocks > 10:
            return f"an MCU of {blocks} blocks is not allowed"
        missing = sorted(needed - set(scan.huffman))
        if missing:
            return f"it asks for Huffman table {missing[0] & 3}, which the file does not define"
        return ""

    def _per_mcu(self, decoded: np.ndarray, parts: int) -> np.ndarray:
        rows, cols = self.frame.mcu_shape
        if parts > 1:
            return decoded.reshape(rows, cols)
        blocks = decoded.reshape(self.shapes[0])
        down, across = self.frame.sampling[0]
        whole = np.ones((rows * down, cols * across), bool)
        whole[: blocks.shape[0], : blocks.shape[1]] = blocks
        return np.asarray(whole.reshape(rows, down, cols, across).all(axis=(1, 3)))
