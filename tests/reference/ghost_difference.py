"""Plain statement of native.ghost_difference. Imports nothing from forensix."""

import numpy as np


def ghost_difference(levels, table):
    sums = np.zeros((levels.shape[0], table.shape[2]))
    for block, row in enumerate(levels):
        for coefficient, level in enumerate(row):
            sums[block] += table[coefficient, min(abs(int(level)), table.shape[1] - 1)]
    return sums
