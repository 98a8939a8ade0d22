"""Hashes of features and the better of two matches, one number at a time."""


def hash_keys(features, offsets, shift, factors):
    keys = []
    for row in features.tolist():
        terms = zip(row, offsets.tolist(), factors.tolist(), strict=True)
        keys.append(sum(((value + offset) >> shift) * factor for value, offset, factor in terms) % 2**64)
    return keys


def take_nearer(features, targets, others, best, least, *, width, stride, nearest, zoom):
    """The new best targets and differences."""
    best, least = list(best), list(least)
    cols = features.shape[1]
    for i, other in enumerate(others.tolist()):
        row, col = divmod(i, cols)
        down = (other // width + 0.5) / zoom - 0.5 - stride * row
        across = (other % width + 0.5) / zoom - 0.5 - stride * col
        if down**2 + across**2 < nearest**2:
            continue
        miss = sum((int(a) - int(b)) ** 2 for a, b in zip(features[row, col], targets[other], strict=True))
        if miss < least[i]:
            best[i], least[i] = other, miss
    return best, least
