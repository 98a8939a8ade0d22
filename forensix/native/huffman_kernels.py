"""The kernels of :mod:`forensix.native.huffman`: one scan, bit by bit.

They trust the arguments that module has checked, and no byte of the data: every index
that depends on the data is bounded here.
"""

import numpy as np
from numba import njit

LOOK = 9  # bits of the code that one table look-up resolves; longer codes are searched
TABLES = 8  # DC 0-3, then AC 0-3

# What can be wrong in a scan, in the order of the kernels' codes.
FINE, BAD_CODE, TOO_LONG, ENDED, WRONG_RESTART = range(5)

# Columns of the plan, one row per component of the scan.
BASE, ROWS, COLS, ACROSS, DOWN, DC_TABLE, AC_TABLE = range(7)

# Fields of the report, and of the reader's state: the next byte to read, the end of the scan,
# the bit buffer, how many bits are in it, how many of those are made up (behind the end or
# at a marker), and the blocks left in an end-of-band run.
KIND, POSITION, UNIT, DAMAGED, STOPPED, EXTRA_POSITION, EXTRA_BYTES = range(7)
NEXT, END, BUFFER, BITS, MISSING, RUN = range(6)

# A row of the decoding tables: the look-up by the next 9 bits, then per length the largest
# code and what to add to a code for its place among the symbols, then the symbols.
LONGEST = 1 << LOOK
OFFSET = LONGEST + 17
SYMBOLS = OFFSET + 17

# fmt: off
ZIGZAG = np.array([
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14,
    21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60,
    61, 54, 47, 55, 62, 63], dtype=np.int64)
# fmt: on


@njit(cache=True, nogil=True, error_model="numpy")
def _refill(data, end, pos, acc, bits, missing):
    """Bytes into the bit buffer, stuffing removed; zeros, counted, once a marker is met."""
    while bits <= 48:
        byte = 0
        if pos < end and data[pos] != 0xFF:
            byte = np.int64(data[pos])
            pos += 1
        elif pos < end:
            # Fill bytes: stay on the last one, so that a long run is walked only once.
            while pos + 1 < end and data[pos + 1] == 0xFF:
                pos += 1
            if pos + 1 < end and data[pos + 1] == 0:
                byte = 0xFF
                pos += 2
            else:
                missing += 8
        else:
            missing += 8
        acc = ((acc << 8) | byte) & 0xFFFFFFFFFFFFFF
        bits += 8
    return pos, acc, bits, missing


@njit(cache=True, nogil=True, error_model="numpy")
def _find(codes, table, acc, bits):
    """The next code as length * 256 + symbol, 0 when there is no such code. Needs 16 bits."""
    entry = np.int64(codes[table, (acc >> (bits - LOOK)) & ((1 << LOOK) - 1)])
    length = LOOK
    while entry == 0 and length < 16:
        length += 1
        code = (acc >> (bits - length)) & ((1 << length) - 1)
        if code <= codes[table, LONGEST + length]:
            place = (code + codes[table, OFFSET + length]) & 255
            entry = (length << 8) | np.int64(codes[table, SYMBOLS + place])
    return entry


@njit(cache=True, nogil=True, error_model="numpy")
def _band(data, state, codes, dc, ac, store, block, first, last, low):
    """The coefficients `first` to `last` of a block; tells what went wrong (T.81 F.2.2, G.1.2.2).

    The DC coefficient is left as the difference from the one before.
    """
    if state[RUN] > 0:
        state[RUN] -= 1
        return FINE
    pos, acc, bits, missing = state[NEXT], state[BUFFER], state[BITS], state[MISSING]
    status = FINE
    k = first
    while k <= last:
        if bits < 32:
            pos, acc, bits, missing = _refill(data, state[END], pos, acc, bits, missing)
        entry = _find(codes, dc if k == 0 else ac, acc, bits)
        bits -= entry >> 8
        size = entry & 15
        zeros = (entry >> 4) & 15
        if entry == 0 or (k == 0 and zeros > 0):
            status = BAD_CODE
            break
        if size == 0 and k > 0 and zeros < 15:
            bits -= zeros
            state[RUN] = (1 << zeros) - 1 + ((acc >> bits) & ((1 << zeros) - 1))
            break
        k += zeros
        if k > last:
            status = TOO_LONG
            break
        bits -= size
        value = (acc >> bits) & ((1 << size) - 1)
        if size and value < 1 << (size - 1):
            value += 1 - (1 << size)
        store[block, ZIGZAG[k]] = value << low
        k += 1
    if status == FINE and missing > bits:
        status = ENDED
    state[NEXT], state[BUFFER], state[BITS], state[MISSING] = pos, acc, bits, missing
    return status


@njit(cache=True, nogil=True, error_model="numpy")
def _refine(data, state, codes, table, store, block, first, last, low):
    """One more bit for the coefficients `first` to `last` of a block (T.81 G.1.2.3)."""
    pos, acc, bits, missing = state[NEXT], state[BUFFER], state[BITS], state[MISSING]
    run = state[RUN]
    k = first
    while k <= last:
        if bits < 32:
            pos, acc, bits, missing = _refill(data, state[END], pos, acc, bits, missing)
        new = 0
        zeros = 64  # inside an end-of-band run no new coefficient comes
        if k == 0:
            bits -= 1
            store[block, 0] |= ((acc >> bits) & 1) << low
            k = 1
            continue
        if run == 0:
            entry = _find(codes, table, acc, bits)
            bits -= entry >> 8
            zeros = (entry >> 4) & 15
            if entry == 0 or entry & 15 > 1:
                return BAD_CODE
            if entry & 15:
                bits -= 1
                new = (((acc >> bits) & 1) * 2 - 1) << low
            elif zeros < 15:
                bits -= zeros
                run = (1 << zeros) + ((acc >> bits) & ((1 << zeros) - 1))
                zeros = 64
        while k <= last:
            value = np.int64(store[block, ZIGZAG[k]])
            if value:
                if bits < 1:
                    pos, acc, bits, missing = _refill(data, state[END], pos, acc, bits, missing)
                bits -= 1
                if (acc >> bits) & 1 and (value if value > 0 else -value) & (1 << low) == 0:
                    store[block, ZIGZAG[k]] = value + ((1 << low) if value > 0 else -(1 << low))
            elif zeros == 0:
                break
            else:
                zeros -= 1
            k += 1
        if new and k > last:
            return TOO_LONG
        if new:
            store[block, ZIGZAG[k]] = new
        k += 1
    state[NEXT], state[BUFFER], state[BITS], state[MISSING] = pos, acc, bits, missing
    state[RUN] = run - 1 if run > 0 else 0
    return ENDED if missing > bits else FINE


@njit(cache=True, nogil=True, error_model="numpy")
def _restart(data, state, nth, unit, alive, report):
    """Go past the restart marker due before `unit`; tells (0 or 1) whether data follow it.

    A marker that is one or two ahead of the expected one means that an interval is
    lost: it is left for later. One that is one or two behind is skipped. Anything else
    is taken for the expected one. (libjpeg recovers in the same way, so that pixels and
    coefficients stay together.) `nth` is -1 at the end of the scan.
    """
    pos, end = state[NEXT], state[END]
    unread = (state[BITS] - state[MISSING]) >> 3
    while pos + 1 < end and data[pos] == 0xFF and data[pos + 1] == 0xFF:
        pos += 1
    state[NEXT] = pos
    while True:
        while pos + 1 < end and (data[pos] != 0xFF or data[pos + 1] == 0 or data[pos + 1] == 0xFF):
            pos += 1
        if pos + 1 >= end or nth < 0:
            pos = end
        if alive and report[EXTRA_BYTES] == 0:
            report[EXTRA_POSITION] = state[NEXT] - unread
            report[EXTRA_BYTES] = pos - state[NEXT] + unread
        state[NEXT], state[BITS], state[MISSING], state[RUN] = pos, 0, 0, 0
        if nth < 0:
            return 0
        ahead = 8 if pos >= end else (np.int64(data[pos + 1]) - 0xD0 - nth) & 7
        if ahead and alive and report[KIND] == FINE:
            report[KIND], report[POSITION], report[UNIT] = WRONG_RESTART, pos, unit
        if 0 < ahead < 3 or ahead == 8:
            return 0
        pos += 2
        state[NEXT] = pos
        if ahead < 6:
            return 1


@njit(cache=True, nogil=True, error_model="numpy")
def scan(data, state, codes, store, plan, shape, predictions, decoded, report):
    """A whole scan; `shape` is (units in a row, restart interval, first, last, high, low)."""
    unit_cols, interval, first, last, high, low = shape[0], shape[1], shape[2], shape[3], shape[4], shape[5]
    alive = np.int64(1)
    for unit in range(decoded.size):
        if interval and unit and unit % interval == 0:
            alive = _restart(data, state, unit // interval - 1, unit, alive, report)
            for part in range(plan.shape[0]):
                predictions[part] = 0
        for part in range(plan.shape[0]):
            across = plan[part, ACROSS]
            for nth in range(plan[part, DOWN] * across if alive else 0):
                row = unit // unit_cols * plan[part, DOWN] + nth // across
                col = unit % unit_cols * across + nth % across
                block = store.shape[0] - 1  # what lies outside the picture
                if row < plan[part, ROWS] and col < plan[part, COLS]:
                    block = plan[part, BASE] + row * plan[part, COLS] + col
                dc, ac = plan[part, DC_TABLE], plan[part, AC_TABLE] + 4
                if high:
                    status = _refine(data, state, codes, ac, store, block, first, last, low)
                else:
                    status = _band(data, state, codes, dc, ac, store, block, first, last, low)
                    if first == 0:
                        predictions[part] += store[block, 0] >> low
                        store[block, 0] = predictions[part] << low
                if status == FINE and last > 0 and first == 0 and state[RUN]:  # no runs in sequential scans
                    status = BAD_CODE
                if status != FINE:
                    alive = np.int64(0)
                    for k in range(64 if first == 0 and last > 0 else 0):
                        store[block, k] = 0
                    if report[KIND] == FINE:
                        report[KIND], report[UNIT] = status, unit
                        report[POSITION] = state[NEXT] - (max(state[BITS] - state[MISSING], 0) >> 3)
                    break
        decoded[unit] = alive
        report[DAMAGED] += 1 - alive
    report[STOPPED] = state[NEXT]
    _restart(data, state, np.int64(-1), decoded.size, alive, report)
