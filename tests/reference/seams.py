"""Oracles for the kernels behind edge-blur. Import nothing from forensix."""

import itertools

import numpy as np
from scipy import ndimage


def profiles(plane, places, across, along, scale):
    """scipy's own bilinear interpolation, nearest cell outside."""
    row, col, down, right = (places[:, k, None, None] for k in range(4))
    rows = row + across[None, :, None] * down + along[None, None, :] * right
    cols = col + across[None, :, None] * right - along[None, None, :] * down
    at = np.stack([(rows + 0.5) / scale - 0.5, (cols + 0.5) / scale - 0.5])
    return ndimage.map_coordinates(plane.astype(float), at, order=1, mode="nearest").mean(axis=2)


def tree_sum(row, trees, kind=float):
    """Trees as nested tuples (feature, threshold, low, high) or a number."""
    total = 0.0
    for tree in trees:
        at = tree
        while isinstance(at, tuple):
            at = at[2] if row[at[0]] <= kind(at[1]) else at[3]
        total += at
    return total


def best_path_twice_around(polar, bend, reach):
    """Every path tried: the highest total of the path followed twice around, and that path.

    polar : (turns, radii); small.
    """
    turns, count = polar.shape
    best = None
    for path in itertools.product(range(count), repeat=2 * turns):
        steps = np.abs(np.diff(path))
        if steps.max(initial=0) > reach:
            continue
        total = sum(polar[n % turns, k] for n, k in enumerate(path)) - bend * steps.sum()
        if best is None or total > best[0] + 1e-9:
            best = total, path
    return best
