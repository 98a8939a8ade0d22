"""Blocks in the order of their content, stated plainly: cosine sums, tuples, and Python's own sort."""

import numpy as np

FREQUENCIES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0))


def low_frequencies(luma, places):
    wave = np.cos(np.pi * np.arange(4)[:, None] * (2 * np.arange(16) + 1) / 32) * np.sqrt(2 / 16)
    wave[0] /= np.sqrt(2)
    found = [
        [wave[u] @ luma[row : row + 16, col : col + 16] @ wave[v] for u, v in FREQUENCIES]
        for row, col in places
    ]
    return np.array(found).reshape(len(places), 9)


def fields(coefficients, step):
    return [tuple(int(f) for f in np.clip(np.rint(row / np.float32(step)), -63, 63)) for row in coefficients]


def order(rows):
    return sorted(range(len(rows)), key=lambda i: rows[i])


def alike_pairs(rows, places, reach, nearest):
    """Every pair among the next `reach` far ones in order (of at most 4 * reach) whose fields differ by at most 1."""
    pairs = []
    sorted_rows = order(rows)
    for i, one in enumerate(sorted_rows):
        following = sorted_rows[i + 1 : i + 1 + 4 * reach]
        far = [j for j in following if np.hypot(*(np.subtract(places[j], places[one]))) >= nearest]
        for other in far[:reach]:
            if max(abs(a - b) for a, b in zip(rows[one], rows[other], strict=True)) <= 1:
                pairs.append((one, other) if tuple(places[one]) < tuple(places[other]) else (other, one))
    return pairs
