"""PatchMatch sweeps in plain NumPy, one colour of the checkerboard at a time."""

import numpy as np


def draw(state):
    return (state * 1103515245 + 12345) & 0x7FFFFFFF


def sweep(features, targets, matches, differences, *, stride, zoom, step, number, near, seed, active):
    """One sweep over one colour; the arrays are changed."""
    rows, cols = differences.shape
    row, col = np.nonzero(((np.add.outer(np.arange(rows), np.arange(cols)) + number) % 2 == 0) & active)
    before = matches.astype(np.int64)
    state = (row * 73856093 + col * 19349663 + number * 83492791 + seed * 49979687) & 0x7FFFFFFF
    state = draw(state ^ (state >> 15))
    best, least = before[row, col], differences[row, col].astype(np.int64)
    here = np.stack([row, col], axis=1)
    moves = step * np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])

    def read(place):
        inside = ((place >= 0) & (place < (rows, cols))).all(axis=1)
        safe = np.where(inside[:, None], place, 0)
        return before[safe[:, 0], safe[:, 1]], inside

    def consider(candidate, known):
        nonlocal best, least
        inside = known & ((candidate >= 0) & (candidate < targets.shape[:2])).all(axis=1)
        far = np.square((candidate + 0.5) / zoom - 0.5 - stride * here).sum(axis=1) >= near
        safe = np.where(inside[:, None], candidate, 0)
        a = features[stride * row, stride * col].astype(np.int64)
        miss = np.square(a - targets[safe[:, 0], safe[:, 1]]).sum(axis=1)
        better = inside & far & (miss < least) & (candidate != best).any(axis=1)
        best = np.where(better[:, None], candidate, best)
        least = np.where(better, miss, least)

    for move in moves:
        there, known = read(here + move)
        consider(there - np.floor(zoom * stride * move + 0.5).astype(np.int64), known)
    if step <= 3:
        for move in moves:
            (one, known), (three, further) = read(here + move), read(here + 3 * move)
            consider(np.floor((3 * one - three) / 2).astype(np.int64), known & further)
    if step == 1:
        for reach in (2, 40):
            place = []
            for axis in range(2):
                state = draw(state)
                place.append(best[:, axis] + (state // 2048) * (2 * reach + 1) // 2**20 - reach)
            consider(np.stack(place, axis=1), np.ones(len(row), bool))
    matches[row, col], differences[row, col] = best, least


def improve_matches(
    features, matches, differences, *, steps, stride, nearest, seed, targets=None, zoom=1.0, active=True
):
    matches, differences = matches.copy(), differences.copy()
    near = int(np.ceil(nearest**2))
    targets = features if targets is None else targets
    kept = {"stride": stride, "zoom": zoom, "near": near, "seed": seed, "active": active}
    for number, step in enumerate(s for s in steps for _ in range(2)):
        sweep(features, targets, matches, differences, step=step, number=number, **kept)
    return matches, differences
