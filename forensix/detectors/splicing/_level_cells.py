"""Which grey levels occur in the cells of a picture, and where one is missing among its neighbours."""

from __future__ import annotations

import numpy as np

from forensix.errors import ParameterError

CELL = 32  # pixels
LEVELS = 256
LEAST = 3.0  # pixels expected at a level, from which on its absence means something
STRAY = 0.02  # of those expected that still occur at an emptied level: pixels of an area's border
MOST = 3.0  # nats that one level of one cell may speak for or against


def level_counts(channel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each grey level occurs, in cells and in all.

    Parameters
    ----------
    channel : (rows, cols) uint8

    Returns
    -------
    cells : (rows // 32, cols // 32, 256) uint16
        Pixels like the one to their left or above are left out, and the first of each row
        and column of cells: coarsely quantized blocks are made of equal pixels at few levels.
    whole : (256,) int64
        All pixels.

    Raises
    ------
    ParameterError
        When `channel` is of another type or smaller than one cell.
    """
    if channel.ndim != 2 or channel.dtype != np.uint8 or min(channel.shape) < CELL:
        raise ParameterError(
            f"channel must be (rows, cols) uint8, at least {CELL} x {CELL}, got {channel.shape}"
        )
    rows, cols = channel.shape[0] // CELL, channel.shape[1] // CELL
    cells = np.empty((rows, cols, LEVELS), np.uint16)
    place = np.repeat(np.arange(cols, dtype=np.intp) * LEVELS, CELL)
    for row in range(rows):
        strip = channel[row * CELL : (row + 1) * CELL, : cols * CELL]
        index = strip + place
        fresh = (strip[1:, 1:] != strip[1:, :-1]) & (strip[1:, 1:] != strip[:-1, 1:])
        counts = np.bincount(index[1:, 1:][fresh], minlength=cols * LEVELS)
        cells[row] = counts.reshape(cols, LEVELS)
    return cells, np.bincount(channel.ravel(), minlength=LEVELS)


def expected_counts(counts: np.ndarray) -> np.ndarray:
    """How many pixels the two levels on either side let expect at each; the lesser side counts.

    Parameters
    ----------
    counts : (..., 256)

    Returns
    -------
    (..., 256) float32
        0 at the two lowest and highest levels.
    """
    counts = counts.astype(np.float32)
    pairs = counts[..., 1:] + counts[..., :-1]
    expected = np.zeros_like(counts)
    expected[..., 2:-2] = np.minimum(pairs[..., :-3], pairs[..., 3:]) / 2
    return expected


def emptiness(cells: np.ndarray) -> np.ndarray:
    """Of each level of each cell, the log-likelihood ratio of an emptied level against a filled one.

    Both are Poisson: of what the neighbours let expect, or of the share STRAY of that.

    Returns
    -------
    Like `cells`, float32, nats
        0 where the neighbours let expect less than LEAST.
    """
    expected = expected_counts(cells)
    nats = (1 - np.float32(STRAY)) * expected + cells * np.float32(np.log(STRAY))
    np.clip(nats, -MOST, MOST, out=nats)
    nats[expected < LEAST] = 0
    return nats
