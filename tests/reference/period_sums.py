"""Plain NumPy statement of native.period_sums. Imports nothing from forensix."""

import numpy as np


def period_sums(plane, table, tops, lefts, *, blocks, fineness):
    """Tile by tile, grid by grid: look every coefficient up and add."""
    bins, columns = table.shape
    out = np.zeros((len(tops), len(lefts), 64, columns))
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            for grid in range(64):
                down, right = divmod(grid, 8)
                values = plane[top + down : top + 8 * blocks : 8, left + right : left + 8 * blocks : 8]
                place = np.floor(np.abs(values[np.isfinite(values)].astype(float)) * fineness + 0.5)
                out[i, j, grid] = table[place[place < bins].astype(int)].sum(axis=0)
    return out
