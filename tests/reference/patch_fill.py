"""What the kernels of exemplar filling must do, in plain Python on whole numbers and floats."""

import numpy as np

WORD = 2**64


def difference(image, row, col, other_row, other_col, radius):
    one = image[row - radius : row + radius + 1, col - radius : col + radius + 1]
    other = image[other_row - radius : other_row + radius + 1, other_col - radius : other_col + radius + 1]
    return float(((one.astype(float) - other) ** 2).sum())


def match_sweep(image, targets, usable, field, cost, radius, seed, backwards, apart=0):
    """PatchMatch: visit, propagate from the neighbour before, search in halving windows."""
    field, cost = field.copy(), cost.copy()
    rows, cols = usable.shape
    state = (seed * 0x9E3779B97F4A7C15 + 1) % WORD
    order = targets[::-1] if backwards else targets
    before = 1 if backwards else -1

    def consider(row, col, to_row, to_col, best):
        far = max(abs(to_row - row), abs(to_col - col)) >= apart
        if 0 <= to_row < rows and 0 <= to_col < cols and usable[to_row, to_col] and far:
            found = difference(image, row, col, to_row, to_col, radius)
            if found < best:
                field[row, col] = to_row, to_col
                return found
        return best

    for row, col in order:
        best = float(cost[row, col])
        if best == np.inf:
            best = difference(image, row, col, *field[row, col], radius)
        for down, across in ((before, 0), (0, before)):
            near = row + down, col + across
            if 0 <= near[0] < rows and 0 <= near[1] < cols:
                to = field[near] - (down, across)
                best = consider(row, col, to[0], to[1], best)
        reach = max(rows, cols)
        while reach >= 1:
            state ^= (state << 13) % WORD
            state ^= state >> 7
            state ^= (state << 17) % WORD
            to_row = field[row, col, 0] + (state >> 33) % (2 * reach + 1) - reach
            to_col = field[row, col, 1] + (state & 0x7FFFFFFF) % (2 * reach + 1) - reach
            best = consider(row, col, to_row, to_col, best)
            reach //= 2
        cost[row, col] = best
    return field, cost


def vote(image, hole, targets, field, cost, radius, spread):
    """Every patch over a pixel proposes a colour; weights fall with its cost."""
    result = image.astype(float)
    centres = {tuple(t) for t in targets}
    for row, col in np.argwhere(hole):
        proposals, costs = [], []
        for i in range(row - radius, row + radius + 1):
            for j in range(col - radius, col + radius + 1):
                if (i, j) in centres:
                    source = field[i, j] + (row - i, col - j)
                    proposals.append(image[tuple(source)].astype(float))
                    costs.append(float(cost[i, j]))
        if proposals:
            weights = np.exp((min(costs) - np.array(costs)) / spread)
            result[row, col] = (np.array(proposals) * weights[:, None]).sum(axis=0) / weights.sum()
    return result
