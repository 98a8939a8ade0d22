"""Levels of cells, counted pixel by pixel."""

import math


def fresh_counts(channel, top, left, cell):
    counts = [0] * 256
    for row in range(top, top + cell):
        for col in range(left, left + cell):
            if row % cell == 0 or col == 0:
                continue
            if channel[row, col] not in (channel[row, col - 1], channel[row - 1, col]):
                counts[channel[row, col]] += 1
    return counts


def expected(counts, level):
    if level < 2 or level > 253:
        return 0.0
    below = counts[level - 1] + counts[level - 2]
    above = counts[level + 1] + counts[level + 2]
    return min(below, above) / 2


def empty_nats(counts, level, stray, least, most):
    mean = expected(counts, level)
    if mean < least:
        return 0.0
    seen = counts[level]
    ratio = (seen * math.log(stray * mean) - stray * mean) - (seen * math.log(mean) - mean)
    return max(-most, min(most, ratio))
