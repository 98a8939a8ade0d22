"""Plain statement of native.residual_histograms. Imports nothing from forensix."""

from itertools import product

import numpy as np


def sequence_classes():
    """Number of each sequence of four of -1, 0, 1 up to reversal and sign, in order of appearance."""
    numbers, table = {}, {}
    for sequence in product((-1, 0, 1), repeat=4):
        alike = {sequence, sequence[::-1]}
        alike |= {tuple(-v for v in s) for s in alike}
        table[sequence] = numbers.setdefault(frozenset(alike), len(numbers))
    return table


def residual_histograms(rgb, cell=16):
    rgb = rgb.astype(int)
    rows, cols = rgb.shape[:2]
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    planes = [77 * red + 150 * green + 29 * blue, red - green, blue - green]
    halves = [256, 1, 1]
    table = sequence_classes()
    counts = np.zeros((rows // cell, cols // cell, 3, 2, 25), np.uint16)
    for plane, (x, half) in enumerate(zip(planes, halves, strict=True)):
        for direction in ((0, 1), (1, 0)):
            symbols = {}
            for r in range(rows):
                for c in range(cols):
                    taps = [(r + k * direction[0], c + k * direction[1]) for k in (-1, 0, 1, 2)]
                    if any(not (0 <= a < rows and 0 <= b < cols) for a, b in taps):
                        continue
                    a, b, d, e = (x[tap] for tap in taps)
                    if plane == 0 and not (min(b, d) >= 6 * 256 and max(b, d) <= 252 * 256):
                        continue
                    residual = a - 3 * b + 3 * d - e
                    symbols[r, c] = 0 if abs(residual) <= half else (1 if residual > 0 else -1)
            for which, (down, right) in enumerate((direction, direction[::-1])):
                for r in range(rows // cell * cell):
                    for c in range(cols // cell * cell):
                        sequence = tuple(symbols.get((r + k * down, c + k * right)) for k in range(4))
                        if None not in sequence:
                            counts[r // cell, c // cell, plane, which, table[sequence]] += 1
    return counts
