"""Where every part of an image finds its likeness: one match a pixel, from features that turn with it.

References
----------
.. [1] Cozzolino, D., Poggi, G. and Verdoliva, L. (2015). Efficient dense-field copy-move forgery
   detection. IEEE TIFS 10(11), 2284-2297. DOI 10.1109/TIFS.2015.2455334
.. [2] Gionis, A., Indyk, P. and Motwani, R. (1999). Similarity search in high dimensions via
   hashing. VLDB, 518-529 (quantized features as hash keys)
"""

from __future__ import annotations

import numpy as np

from forensix.signal.dense_features import FEATURES

# How many features each hash looks at, and how coarsely: few and coarse ones stay equal in spite of
# compression, many and fine ones tell smooth places apart.
HASHES = ((4, 8), (6, 8), (9, 8), (12, 2))
# In a resized version nothing stays equal to the last: coarse ones only.
ZOOMED_HASHES = ((4, 8), (4, 8), (5, 8), (6, 8))
HASH_BITS = 36

# Sweeps over the field: the distances from which pixels learn of each other's matches.
STEPS = (27, 9, 3, 1, 9, 3, 1)


def likeness_field(
    features: np.ndarray,
    *,
    stride: int = 3,
    nearest: float = 24.0,
    seed: int = 0,
    targets: np.ndarray | None = None,
    zoom: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """The most alike pixel, at some distance, of every `stride`-th pixel.

    First pixels with equal quantized features are compared [2]_, then neighbours learn from
    each other, see :func:`forensix.native.patch_match.improve_matches`.

    Parameters
    ----------
    features : (rows, cols, 12) uint8
    stride : int
        One row and one column in so many is matched, with any pixel.
    nearest : float
        Least distance of a match, pixels.
    targets : (target rows, target cols, 12) uint8, optional
        Features of a resized version of the image, to find copies of another size in; of the image itself
        by default.
    zoom : float
        How many of its pixels one pixel of the image has become in each direction.

    Returns
    -------
    matches : (rows / stride, cols / stride, 2) int32, rounded up
        Row and column of each pixel's match, among the targets.
    differences : (rows / stride, cols / stride) int32
        Squared difference of their features.
    """
    from forensix.native.patch_match import improve_matches

    targets = features if targets is None else targets
    matches, differences = _first_matches(
        features, targets, zoom=zoom, stride=stride, nearest=nearest, seed=seed
    )
    improve_matches(
        features,
        matches,
        differences,
        steps=STEPS,
        stride=stride,
        nearest=nearest,
        seed=seed,
        targets=targets,
        zoom=zoom,
    )
    return matches, differences


def _first_matches(
    features: np.ndarray, targets: np.ndarray, *, zoom: float, stride: int, nearest: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's most alike target among those next to it when sorted by quantized features."""
    (rows, cols), (tall, wide) = features.shape[:2], targets.shape[:2]
    rng = np.random.default_rng(seed)
    row, col = (part.ravel() for part in np.mgrid[0:rows:stride, 0:cols:stride])
    mine = features[row, col].astype(np.int16)
    # Where each pixel itself is among the targets: ties are broken by place.
    own = np.minimum((zoom * row).astype(np.int64), tall - 1) * wide
    own += np.minimum((zoom * col).astype(np.int64), wide - 1)
    itself = targets is features
    everywhere = np.arange(tall * wide, dtype=np.uint64)
    flat = targets.reshape(-1, FEATURES)
    best = rng.integers(tall * wide, size=len(row))
    least = np.full(len(row), np.iinfo(np.int32).max, np.int32)
    bits = np.uint64((tall * wide).bit_length())
    low = np.uint64((1 << int(bits)) - 1)
    columns, my_columns = np.ascontiguousarray(flat.T), np.ascontiguousarray(features[row, col].T)
    for dimensions, step in HASHES if itself else ZOOMED_HASHES:
        tables = _hash_tables(dimensions, step, rng)
        entry = (_keys(columns, tables) << bits) | everywhere
        entry.sort()
        mark = (_keys(my_columns, tables) << bits) | own.astype(np.uint64)
        order = np.argsort(mark)
        place = np.empty(len(mark), np.int64)
        place[order] = np.searchsorted(entry, mark[order])
        for gap in (1, -1) if itself else (0, -1):
            other = (entry[np.clip(place + gap, 0, len(entry) - 1)] & low).astype(np.int64)
            miss = flat[other].astype(np.int16) - mine
            difference = np.einsum("ij,ij->i", miss, miss, dtype=np.int32)
            down, across = (other // wide + 0.5) / zoom - 0.5 - row, (other % wide + 0.5) / zoom - 0.5 - col
            better = (difference < least) & (down * down + across * across >= nearest * nearest)
            best[better], least[better] = other[better], difference[better]
    shape = (-(-rows // stride), -(-cols // stride))
    matches = np.stack([best // wide, best % wide], axis=1).astype(np.int32).reshape(*shape, 2)
    return matches, least.reshape(shape)


def _hash_tables(dimensions: int, step: int, rng: np.random.Generator) -> dict[int, np.ndarray]:
    """For some of the features: a random number of 36 bits for each of their quantized values."""
    tables = {}
    for dimension in rng.permutation(FEATURES)[:dimensions]:
        cell = (np.arange(256) + rng.integers(step)) // step
        tables[int(dimension)] = rng.integers(1 << HASH_BITS, size=257, dtype=np.uint64)[cell]
    return tables


def _keys(columns: np.ndarray, tables: dict[int, np.ndarray]) -> np.ndarray:
    """The features' random numbers combined, one a pixel; (n,) uint64."""
    key = np.zeros(columns.shape[1], np.uint64)
    for dimension, table in tables.items():
        key ^= table[columns[dimension]]
    return key
