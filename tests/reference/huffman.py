"""Plain statement of JPEG entropy decoding (ITU-T T.81), bit by bit. Imports nothing from forensix.

Reads whole, undamaged files: baseline, extended sequential and progressive, any order
of scans, with and without restart markers. Slow; for small pictures.
"""

from math import ceil

import numpy as np

ORDER = sorted(((r, c) for r in range(8) for c in range(8)), key=lambda rc: (sum(rc), rc[1 - sum(rc) % 2]))
ZIGZAG = [8 * r + c for r, c in ORDER]


class Bits:
    """Bits of one restart interval, stuffing already removed."""

    def __init__(self, data):
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def take(self, count):
        piece = self.text[self.at : self.at + count]
        if len(piece) < count:
            raise EOFError
        self.at += count
        return int(piece, 2) if count else 0

    def code(self, table):
        word = ""
        while word not in table:
            word += str(self.take(1))
            if len(word) > 16:
                raise ValueError("no such code")
        return table[word]

    def signed(self, size):
        value = self.take(size)
        return value if size == 0 or value >= 1 << (size - 1) else value - (1 << size) + 1


def code_table(counts, symbols):
    """From the binary word of each code to its symbol (T.81 Annex C)."""
    table, code, place = {}, 0, 0
    for length, count in enumerate(counts, 1):
        for _ in range(count):
            table[f"{code:0{length}b}"] = symbols[place]
            code, place = code + 1, place + 1
        code <<= 1
    return table


def intervals(data):
    """Entropy-coded data split at restart markers, without stuffed zeros."""
    parts, at = [bytearray()], 0
    while at < len(data):
        if data[at] == 0xFF and 0xD0 <= data[at + 1] <= 0xD7:
            parts.append(bytearray())
            at += 2
        else:
            parts[-1].append(data[at])
            at += 2 if data[at] == 0xFF else 1
    return parts


def coefficients(data):
    """Quantized coefficients, (block rows, block cols, 8, 8) int16 per component."""
    at, tables, interval, frame, planes = 2, {}, 0, None, None
    while data[at + 1] != 0xD9:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + size]
        at += 2 + size
        if marker == 0xC4:
            while body:
                counts = body[1:17]
                tables[body[0]] = code_table(counts, body[17 : 17 + sum(counts)])
                body = body[17 + sum(counts) :]
        elif marker == 0xDD:
            interval = int.from_bytes(body, "big")
        elif marker in (0xC0, 0xC1, 0xC2):
            frame = Frame(marker == 0xC2, body)
            planes = [np.zeros((rows, cols, 64), np.int64) for rows, cols in frame.padded]
        elif marker == 0xDA:
            stop = at
            while not (data[stop] == 0xFF and data[stop + 1] != 0 and not 0xD0 <= data[stop + 1] <= 0xD7):
                stop += 1
            scan(frame, planes, body, intervals(data[at:stop]), tables, interval)
            at = stop
    return [
        plane[:rows, :cols].reshape(rows, cols, 8, 8).astype(np.int16)
        for plane, (rows, cols) in zip(planes, frame.shown, strict=True)
    ]


class Frame:
    def __init__(self, progressive, body):
        self.progressive = progressive
        height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        self.ids = [body[6 + 3 * n] for n in range(body[5])]
        self.across = [body[7 + 3 * n] >> 4 for n in range(body[5])]
        self.down = [body[7 + 3 * n] & 15 for n in range(body[5])]
        most_down, most_across = max(self.down), max(self.across)
        self.mcus = (-(-height // (8 * most_down)), -(-width // (8 * most_across)))
        pairs = list(zip(self.down, self.across, strict=True))
        self.padded = [(self.mcus[0] * v, self.mcus[1] * h) for v, h in pairs]
        self.shown = [
            (ceil(ceil(height * v / most_down) / 8), ceil(ceil(width * h / most_across) / 8))
            for v, h in pairs
        ]


def scan(frame, planes, body, parts, tables, interval):
    count = body[0]
    chosen = [(frame.ids.index(body[1 + 2 * n]), body[2 + 2 * n]) for n in range(count)]
    first, last, bits = body[1 + 2 * count : 4 + 2 * count]
    high, low = bits >> 4, bits & 15
    units = list(blocks_of_units(frame, chosen))
    interval = interval or len(units)
    for nth, part in enumerate(parts):
        stream, last_dc, run = Bits(part), dict.fromkeys((c for c, _ in chosen), 0), [0]
        for unit in units[nth * interval : (nth + 1) * interval]:
            for component, selectors, row, col in unit:
                block = planes[component][row, col]
                dc, ac = tables.get(selectors >> 4), tables.get(16 + (selectors & 15))
                if not frame.progressive:
                    last_dc[component] += stream.signed(stream.code(dc))
                    block[0] = last_dc[component]
                    sequential_ac(stream, block, ac)
                elif first == 0 and high == 0:
                    last_dc[component] += stream.signed(stream.code(dc))
                    block[0] = last_dc[component] << low
                elif first == 0:
                    block[0] |= stream.take(1) << low
                elif high == 0:
                    first_ac(stream, block, ac, first, last, low, run)
                else:
                    refine_ac(stream, block, ac, first, last, low, run)


def blocks_of_units(frame, chosen):
    """Per unit of a scan, its blocks as (component, table selectors, row, col)."""
    if len(chosen) == 1:
        component, selectors = chosen[0]
        rows, cols = frame.shown[component]
        yield from ([(component, selectors, r, c)] for r in range(rows) for c in range(cols))
        return
    for r in range(frame.mcus[0]):
        for c in range(frame.mcus[1]):
            yield [
                (n, selectors, r * frame.down[n] + i, c * frame.across[n] + j)
                for n, selectors in chosen
                for i in range(frame.down[n])
                for j in range(frame.across[n])
            ]


def sequential_ac(stream, block, table):
    k = 1
    while k < 64:
        run, size = divmod(stream.code(table), 16)
        if size == 0 and run < 15:
            return
        k += run
        block[ZIGZAG[k]] = stream.signed(size)
        k += 1


def first_ac(stream, block, table, k, last, low, run):
    if run[0]:
        run[0] -= 1
        return
    while k <= last:
        zeros, size = divmod(stream.code(table), 16)
        if size == 0 and zeros < 15:
            run[0] = (1 << zeros) + stream.take(zeros) - 1
            return
        k += zeros
        block[ZIGZAG[k]] = stream.signed(size) << low
        k += 1


def refine_ac(stream, block, table, k, last, low, run):
    """Figure G.7: new coefficients are +-1; old ones met on the way get one more bit each."""
    while k <= last and not run[0]:
        zeros, size = divmod(stream.code(table), 16)
        new = 0
        if size:
            new = (1 if stream.take(1) else -1) << low
        elif zeros < 15:
            run[0] = (1 << zeros) + stream.take(zeros)
            break
        while k <= last and (block[ZIGZAG[k]] or zeros):
            if block[ZIGZAG[k]]:
                correct(stream, block, ZIGZAG[k], low)
            else:
                zeros -= 1
            k += 1
        if new:
            block[ZIGZAG[k]] = new
        k += 1
    if run[0]:
        for nth in range(k, last + 1):
            if block[ZIGZAG[nth]]:
                correct(stream, block, ZIGZAG[nth], low)
        run[0] -= 1


def correct(stream, block, place, low):
    if stream.take(1):
        block[place] += (1 if block[place] > 0 else -1) << low
