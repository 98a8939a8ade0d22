"""How much pixels say and which patches are equal, pixel by pixel."""

import math
from collections import defaultdict


def _errors(rgb):
    """For each row a list of (errors of the three planes, surroundings' kind), by plain loops."""
    rows, cols = len(rgb), len(rgb[0])
    planes = [[(p[1], p[0] - p[1], p[2] - p[1]) for p in row] for row in rgb.tolist()]
    activity, out = [0] * cols, []
    for r in range(rows):
        above, left, line, sizes = planes[max(r - 1, 0)], 0, [], []
        for c in range(cols):
            back = max(c - 1, 0)
            near = [activity[min(max(c + d, 0), cols - 1)] for d in (-2, -1, 0, 0, 1, 2)]
            going_on = min((sum(near) // 6 + left) // 2, 1023) / 16
            kind = min(math.floor(2 * math.log2(4 * going_on + 1)), 15)
            errors = []
            for here, west, north, corner in zip(
                planes[r][c], planes[r][back], above[c], above[back], strict=True
            ):
                errors.append(here - sorted((west, north, west + north - corner))[1])
            size = min(sum(map(abs, errors)), 500)
            left = (left + 16 * size) // 2
            line.append(([min(max(e, -40), 40) for e in errors], kind))
            sizes.append(size)
        activity = [(a + 16 * s) // 2 for a, s in zip(activity, sizes, strict=True)]
        out.append(line)
    return out


def error_table(rgb):
    counts = [[[0.05] * 81 for _ in range(16)] for _ in range(3)]
    for line in _errors(rgb):
        for errors, kind in line:
            for part in range(3):
                counts[part][kind][errors[part] + 40] += 1
    return [[[-math.log2(n / sum(row)) for n in row] for row in part] for part in counts]


def pixel_bits(rgb, table):
    return [
        [
            sum(round(float(table[part][kind][errors[part] + 40]) * 16) for part in range(3)) / 16
            for errors, kind in line
        ]
        for line in _errors(rgb)
    ]


def equal_patches(rgb, bits, least):
    """Lists of the middles, row by row, of equal 5 x 5 patches that say at least so many bits."""
    rows, cols = rgb.shape[:2]
    found = defaultdict(list)
    for r in range(2, rows - 2):
        for c in range(2, cols - 2):
            if sum(bits[i][j] for i in range(r - 2, r + 3) for j in range(c - 2, c + 3)) >= least:
                found[rgb[r - 2 : r + 3, c - 2 : c + 3].tobytes()].append(r * cols + c)
    return list(found.values())
