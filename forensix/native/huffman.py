"""Entropy decoding of JPEG scans: quantized coefficients, and where the data go wrong.

Decoders made for viewing guess on when entropy-coded data are damaged, and say
nothing. These kernels stop at the first thing that cannot be right (a code that is
not in the table, more than 64 coefficients in a block, data that end too early),
say where that was, leave the blocks up to the next restart marker at zero, and go
on from there. Every index is bounded here, so no input can reach outside the arrays.

References
----------
ITU-T Recommendation T.81 (1992), Annexes F.2 (sequential) and G.2 (progressive).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.errors import ParameterError
from forensix.native.huffman_kernels import (
    ACROSS,
    BASE,
    COLS,
    DC_TABLE,
    DOWN,
    LONGEST,
    LOOK,
    OFFSET,
    ROWS,
    SYMBOLS,
    TABLES,
    scan,
)


@dataclass(frozen=True)
class ScanReport:
    """How the decoding of one scan went.

    kind : FINE, or what the first trouble was
    position : byte (within `data`) near which it was noticed
    unit : number of the MCU (of the block, in a scan of one component) at which it was
    damaged : how many units could not be decoded
    stopped : byte at which reading ended
    extra_position, extra_bytes : first run of bytes no unit needed before a marker
    decoded : (units,) bool, which units were decoded
    """

    kind: int
    position: int
    unit: int
    damaged: int
    stopped: int
    extra_position: int
    extra_bytes: int
    decoded: np.ndarray


def decode_scan(
    data: np.ndarray,
    store: np.ndarray,
    *,
    start: int,
    end: int,
    plan: np.ndarray,
    units: int,
    unit_cols: int,
    interval: int,
    codes: np.ndarray,
    progressive: tuple[int, int, int, int] | None = None,
) -> ScanReport:
    """Decode one scan into `store`.

    Parameters
    ----------
    data : (n,) uint8
        The file.
    store : (blocks + 1, 64) int16, contiguous
        Quantized coefficients of all components in row order (vertical frequency
        first). Written in place; the last row takes what lies outside the picture.
    start, end : int
        The scan's entropy-coded data, restart markers included, in `data`.
    plan : (components, 7) int64
        Per component of the scan: first row in `store`, rows and columns of blocks,
        blocks per unit across and down, number of the DC table (0-3) and of the AC
        table (0-3).
    units, unit_cols : int
        How many units the scan has, and how many in a row.
    interval : int
        Units between restart markers, 0 for none.
    codes : (8, 802) int16
        As from :func:`code_tables`.
    progressive : (first, last, high, low), optional
        Spectral band (zig-zag numbers) and successive approximation of a scan of a
        progressive file; None for a sequential one.

    Raises
    ------
    ParameterError
        If the arguments contradict each other (which would let a kernel go astray).
    """
    _refuse(data, store, start, end, plan, codes, units, unit_cols, interval, progressive)
    decoded = np.zeros(units, np.uint8)
    report = np.zeros(7, np.int64)
    state = np.array([start, end, 0, 0, 0, 0], np.int64)
    shape = np.array([unit_cols, interval, *(progressive or (0, 63, 0, 0))], np.int64)
    data = data.view()
    data.flags.writeable = False  # one signature for whatever comes
    predictions = np.zeros(len(plan), np.int64)
    scan(data, state, codes, store, np.ascontiguousarray(plan, np.int64), shape, predictions, decoded, report)
    kind, position, unit, damaged, stopped, extra_position, extra_bytes = (int(value) for value in report)
    return ScanReport(
        kind, position, unit, damaged, stopped, extra_position, extra_bytes, decoded=decoded.view(bool)
    )


def _refuse(
    data: np.ndarray,
    store: np.ndarray,
    start: int,
    end: int,
    plan: np.ndarray,
    codes: np.ndarray,
    units: int,
    unit_cols: int,
    interval: int,
    progressive: tuple[int, int, int, int] | None,
) -> None:
    if data.dtype != np.uint8 or store.dtype != np.int16 or store.shape[1:] != (64,):
        raise ParameterError("data must be uint8 and the store (blocks + 1, 64) int16")
    if codes.dtype != np.int32 or codes.shape != (TABLES, SYMBOLS + 256):
        raise ParameterError("the codes are those that code_tables makes")
    if not 0 <= start <= end <= data.size or min(units, unit_cols) < 1 or interval < 0:
        raise ParameterError(f"no scan of {units} units can lie in bytes {start} to {end} of {data.size}")
    last = plan[:, BASE] + plan[:, ROWS] * plan[:, COLS]
    if plan.shape[1:] != (7,) or plan.min() < 0 or last.max() >= len(store) or plan[:, DC_TABLE:].max() > 3:
        raise ParameterError("the plan of the scan does not fit the store or the tables")
    if plan[:, [ACROSS, DOWN]].min() < 1 or plan[:, [ACROSS, DOWN]].max() > 4:
        raise ParameterError("a unit holds 1 to 4 blocks of a component across and down")
    if progressive is not None:
        first, final, high, low = progressive
        if not (0 <= first <= final <= 63 and 0 <= high <= 13 and 0 <= low <= 13):
            raise ParameterError(f"no progressive scan has band and approximation {progressive}")


def code_tables(tables: dict[int, tuple[bytes, bytes]]) -> np.ndarray:
    """Decoding tables from the (counts, symbols) of DHT segments.

    Parameters
    ----------
    tables : dict
        From 0-3 (DC) and 4-7 (AC) to 16 counts, of the codes of each length, and the
        symbols in the order of their codes.

    Returns
    -------
    (8, 802) int32
        A row per table: length * 256 + symbol for what the next 9 bits may be (0 for
        longer codes and for none), the largest code of each length (-1 for none), what to
        add to a code for its place among the symbols, and the symbols.

    Raises
    ------
    ParameterError
        If a table has more codes than their lengths allow, or too few symbols.
    """
    codes = np.zeros((TABLES, SYMBOLS + 256), np.int32)
    codes[:, LONGEST:OFFSET] = -1
    for row, (counts, values) in tables.items():
        if len(counts) != 16 or not sum(counts) <= min(len(values), 256):
            raise ParameterError("a Huffman table has 16 counts and a symbol for each of at most 256 codes")
        codes[row, SYMBOLS : SYMBOLS + len(values)] = np.frombuffer(values, np.uint8)
        code = place = 0
        for length, count in enumerate(counts, 1):
            if code + count > 1 << length:
                raise ParameterError(f"a Huffman table has more codes of {length} bits than can be")
            if count:
                codes[row, LONGEST + length] = code + count - 1
                codes[row, OFFSET + length] = place - code
            for nth in range(count if length <= LOOK else 0):
                first = (code + nth) << (LOOK - length)
                codes[row, first : first + (1 << (LOOK - length))] = length << 8 | values[place + nth]
            code = (code + count) << 1
            place += count
    return codes
