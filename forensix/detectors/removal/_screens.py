"""Printed screens of dots: the same small thing on a lattice, everywhere.

In such a picture pieces are equal, to their grain, at every step of the lattice, and copies cannot be
told from it.
"""

from __future__ import annotations

import numpy as np

from forensix.detectors.removal._self_matches import Matches, residual

TILE = 64  # pixels
LEAST_LAG, MOST_LAG = 3, 16  # pixels
ALIKE = 0.4  # correlation of a tile's detail with itself, one step of the lattice further
STRONG = 4.0  # grey levels of detail; blocks of a compressor on even ground are fainter
ACROSS = 0.75  # of the cosine between the two steps of a lattice, at most
MOST_TILES = 150


def screen_share(luma: np.ndarray) -> float:
    """Share of the picture's tiles that a lattice of dots covers, of at most some 150 that are looked at.

    luma : (rows, cols) float32, 0-255, 64 x 64 pixels or more
    """
    rows, cols = luma.shape[0] // TILE, luma.shape[1] // TILE
    step = max(1, int(np.ceil(np.sqrt(rows * cols / MOST_TILES))))
    places = [(row, col) for row in range(0, rows, step) for col in range(0, cols, step)]
    return float(np.mean([on_screen(luma, row, col) for row, col in places]))


def on_screen(luma: np.ndarray, row: int, col: int) -> bool:
    """Whether a tile, counted from the upper left, has a lattice; those at the far edges end there."""
    bottom = min((row + 1) * TILE, luma.shape[0])
    right = min((col + 1) * TILE, luma.shape[1])
    return has_lattice(residual(luma[bottom - TILE : bottom, right - TILE : right]))


def off_screens(matches: Matches, luma: np.ndarray) -> Matches:
    """The matches that have neither end on a tile with a lattice."""
    tiles = [ends // TILE for ends in (matches.places, matches.others)]
    covered = np.zeros((luma.shape[0] // TILE + 1, luma.shape[1] // TILE + 1), bool)
    for row, col in np.unique(np.concatenate(tiles), axis=0).tolist():
        covered[row, col] = on_screen(luma, row, col)
    free = ~(covered[tiles[0][:, 0], tiles[0][:, 1]] | covered[tiles[1][:, 0], tiles[1][:, 1]])
    return Matches(matches.places[free], matches.others[free])


def has_lattice(detail: np.ndarray) -> bool:
    """Whether detail repeats itself in more than one direction within few pixels; parallel lines do too.

    detail : (64, 64) float32, grey levels
    """
    from scipy import fft

    if detail.std() < STRONG:
        return False
    size = 2 * TILE
    power = np.abs(fft.rfft2(detail - detail.mean(), (size, size))) ** 2
    shared = fft.irfft2(power, (size, size))
    lag = np.arange(-MOST_LAG, MOST_LAG + 1)
    overlap = (TILE - np.abs(lag))[:, None] * (TILE - np.abs(lag))
    likeness = shared[np.ix_(lag, lag)] / shared[0, 0] * TILE**2 / overlap
    row, col = np.meshgrid(lag, lag, indexing="ij")
    length = np.hypot(row, col)
    peak = (likeness > ALIKE) & (length >= LEAST_LAG)
    # Near the middle detail is like itself because it is smooth; beyond a trough it is so again.
    peak &= likeness >= _largest_near(likeness)
    steps = np.stack([row[peak], col[peak]], axis=1) / length[peak][:, None]
    return bool(len(steps) and (np.abs(steps @ steps.T) < ACROSS).any())


def _largest_near(values: np.ndarray) -> np.ndarray:
    import cv2

    largest: np.ndarray = cv2.dilate(values.astype(np.float32), np.ones((3, 3), np.uint8))
    return largest - np.float32(1e-6)
