"""Which JPEG grid each pixel votes for, and which regions vote together."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from forensix.signal.block_dct import SIDE

GRIDS = SIDE * SIDE
NO_VOTE = GRIDS
# A block in which every coefficient is near zero is flat, and shows no grid.
FLAT = GRIDS - 1
STRIP = 64  # rows of pixels whose votes are counted together; a processor's cache holds that
# Regions are grown over pixels up to 9 apart: over neighbouring cells of 8 pixels.
CELL = SIDE


class GridRegion(NamedTuple):
    """Cells near each other whose pixels vote for one grid.

    grid : 0-63, 8 * down + right
    log10_alarms : base-10 logarithm of the number of false alarms
    cells : (cell rows, cell cols) bool, the cells of 8 x 8 pixels that hold such votes
    """

    grid: int
    log10_alarms: float
    cells: np.ndarray


def grid_votes(luma: np.ndarray) -> np.ndarray:
    """The grid that each pixel votes for: that of the block around it with most zeros.

    In a block of the grid on which a picture was compressed, quantization has left more
    DCT coefficients at zero than in blocks across the grid.

    Parameters
    ----------
    luma : (rows, cols) real, 0-255, at least 8 x 8

    Returns
    -------
    (rows, cols) uint8
        ``8 * down + right`` with the grid's offset (0-7 each), or 64 where blocks of
        several grids have equally many zeros, or the best is flat.

    Raises
    ------
    ParameterError
        If `luma` is not 2-D or is smaller than 8 x 8.

    References
    ----------
    T. Nikoukhah et al., ZERO: a Local JPEG Grid Origin Detector Based on the Number of
    DCT Zeros and its Applications in Image Forensics, IPOL, 2021, doi 10.5201/ipol.2021.390
    """
    from forensix.native.block_zeros import block_zeros

    return most_zeros(block_zeros(luma))


def most_zeros(counts: np.ndarray, *, beneath: int | None = None) -> np.ndarray:
    """Votes as in :func:`grid_votes`, from the zeros of each block.

    counts : (rows - 7, cols - 7) uint8, from ``forensix.native.block_zeros``
    beneath : leave out the blocks that share the rows or the columns of this grid, to
        see what lies beneath it. The other 49 grids remain.
    """
    votes = np.empty((counts.shape[0] + SIDE - 1, counts.shape[1] + SIDE - 1), np.uint8)
    for top in range(0, len(votes), STRIP):
        # The blocks that cover the strip's pixels begin up to 7 rows above it.
        first = max(top - SIDE + 1, 0)
        keys = _keys(counts[first : top + STRIP], first, beneath)
        votes[top : top + STRIP] = _voted(keys, missing=SIDE - 1 - (top - first), rows=len(votes) - top)
    return votes


def _keys(counts: np.ndarray, first: int, beneath: int | None) -> np.ndarray:
    """Numbers that sort blocks by their zeros; `first` is the row of the picture the counts begin at.

    Below the zeros are the grid (6 bits) and room for whether the largest is tied (1 bit).
    """
    down, right = (first + np.arange(counts.shape[0])) % SIDE, np.arange(counts.shape[1]) % SIDE
    keys = (counts.astype(np.uint16) + 1) << 7
    keys |= (down[:, None] << 4 | right[None, :] << 1).astype(np.uint16)
    if beneath is not None:
        keys[down == beneath // SIDE] = 0
        keys[:, right == beneath % SIDE] = 0
    return keys


def _voted(keys: np.ndarray, *, missing: int, rows: int) -> np.ndarray:
    """The votes of a strip; `missing` rows of blocks above it and others below lie outside the picture."""
    wanted = min(STRIP, rows)
    below = wanted + SIDE - 1 - missing - len(keys)
    # Key 0 lies outside the picture.
    best = np.pad(keys, ((missing, below), (SIDE - 1, SIDE - 1)))
    # The 8 blocks along each axis that cover a pixel, joined in pairs, fours and eights:
    # none is met twice, so that equal keys are ties.
    for by in (1, 2, 4):
        best = _winner(best[:-by], best[by:])
    for by in (1, 2, 4):
        best = _winner(best[:, :-by], best[:, by:])
    votes = (best >> 1).astype(np.uint8) & (GRIDS - 1)
    votes[(best & 1 == 1) | (best >> 7 > FLAT) | (best >> 7 == 0)] = NO_VOTE
    return votes


def shares_lines(grid: int, other: int) -> bool:
    """True where two grids have the same rows or the same columns."""
    return grid // SIDE == other // SIDE or grid % SIDE == other % SIDE


def _winner(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The larger key, marked as tied where both have as many zeros."""
    larger: np.ndarray = np.maximum(one, other)
    larger |= (one ^ other) < (1 << 7)
    return larger


def log10_tail(
    trials: np.ndarray | int, successes: np.ndarray | int, chance: np.ndarray | float = 1 / GRIDS
) -> np.ndarray:
    """Base-10 logarithm of a bound on the binomial tail: that many votes by chance.

    Chernoff's bound; 0 where there are no more successes than expected.
    """
    trials, successes, chance = np.broadcast_arrays(
        np.asarray(trials, float), np.asarray(successes, float), np.asarray(chance, float)
    )
    share = np.divide(successes, trials, out=np.zeros(trials.shape), where=trials > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = np.where(share > 0, share * np.log(share / chance), 0) + np.where(
            share < 1, (1 - share) * np.log((1 - share) / (1 - chance)), 0
        )
    tail: np.ndarray = np.where(share > chance, -trials * divergence / math.log(10), 0.0)
    return tail


def main_grid(votes: np.ndarray) -> tuple[int, float]:
    """The grid with most votes in the picture, and the logarithm of its false alarms.

    Votes of the 64 pixels of a block are not independent; they count as one.
    """
    counts = np.bincount(votes.ravel(), minlength=GRIDS + 1)[:GRIDS]
    grid = int(counts.argmax())
    alarms = math.log10(GRIDS) + log10_tail(counts.sum() // GRIDS, counts[grid] // GRIDS)
    return grid, float(alarms)


def cell_votes(votes: np.ndarray) -> np.ndarray:
    """(65, cell rows, cell cols) uint8: votes for each grid, and none, per 8 x 8 cell.

    Pixels beyond whole cells are left out.
    """
    rows, cols = votes.shape[0] // CELL, votes.shape[1] // CELL
    tallies = np.empty((GRIDS + 1, rows, cols), np.uint8)
    place = np.repeat(np.arange(cols) * (GRIDS + 1), CELL)
    for row in range(rows):
        strip = votes[row * CELL : (row + 1) * CELL, : cols * CELL] + place
        tally = np.bincount(strip.ravel(), minlength=cols * (GRIDS + 1))
        tallies[:, row] = tally.reshape(cols, GRIDS + 1).T
    return tallies


def grown_regions(tallies: np.ndarray, grid: int, *, pixels: int, limit: float) -> list[GridRegion]:
    """Regions of votes for one grid that chance does not explain, most evident first.

    Parameters
    ----------
    tallies : from :func:`cell_votes`
    grid : 0-63
    pixels : of the picture; its square times 64 ** 2 is the number of tests
    limit : base-10 logarithm of the number of false alarms allowed
    """
    from scipy import ndimage

    tests = 2 * math.log10(GRIDS) + 2 * math.log10(pixels)
    mine = tallies[grid]
    labels, count = ndimage.label(mine > 0, structure=np.ones((3, 3), int))
    if count == 0:
        return []
    sums = np.bincount(labels.ravel(), weights=mine.ravel(), minlength=count + 1)[1:]
    # Fewer votes than these could not be significant even if nothing else was in the box.
    enough = np.flatnonzero(sums // GRIDS * math.log10(GRIDS) > tests - limit)
    boxes = ndimage.find_objects(labels) if len(enough) else []
    found = []
    for index in enough:
        down, across = boxes[index]
        cast = CELL * CELL * mine[down, across].size - int(tallies[NO_VOTE, down, across].sum(dtype=np.int64))
        alarms = tests + float(log10_tail(cast // GRIDS, sums[index] // GRIDS))
        if alarms < limit:
            found.append(GridRegion(grid, alarms, labels == index + 1))
    return sorted(found, key=lambda region: region.log10_alarms)
