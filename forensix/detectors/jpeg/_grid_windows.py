"""Grids seen through windows: where one holds, and what lies beneath the file's own."""

from __future__ import annotations

import math

import numpy as np

from forensix.detectors.jpeg._grid_votes import CELL, GRIDS, GridRegion, log10_tail, shares_lines

# Windows of 8 x 8 cells (64 pixels), every 4 cells.
STRIDE = 4
WINDOW = 2 * STRIDE
PIXELS = (WINDOW * CELL) ** 2
# A window is judged when this share of its pixels votes.
LEAST_VOTES = 0.25
# Beneath another grid votes are not even: a grid must have this many times its median share
# over the picture before anything more counts.
UNEVEN = 2.0
LEAST_USUAL = 1 / 16
# No grid beneath has a larger share of an untouched photo's votes: 0.08 was the largest seen.
HIGHEST_USUAL = 0.1
# A grid that has so many times an even share of the votes in three of four windows runs through
# the whole picture, if more weakly than JPEG's: so does that of HEIF and video codecs, whose
# blocks vary in size.
THROUGHOUT = 2.0
# Standard deviations above the median share at which a grid is worth a closer look.
STANDS_OUT = 3.5
# A window holds a grid when this share of its votes are for it.
HOLDS = 0.25


def window_votes(tallies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Votes for each grid, (64, rows, cols) int64, and all votes, (rows, cols), per window."""
    rows, cols = tallies.shape[1] // STRIDE, tallies.shape[2] // STRIDE
    tiles = tallies[:GRIDS, : rows * STRIDE, : cols * STRIDE].reshape(GRIDS, rows, STRIDE, cols, STRIDE)
    sums = tiles.sum(axis=(2, 4), dtype=np.int64)
    sums = sums[:, :-1] + sums[:, 1:]
    sums = sums[:, :, :-1] + sums[:, :, 1:]
    return sums, sums.sum(axis=0)


def hold_of(tallies: np.ndarray, grid: int, *, holds: float = HOLDS) -> tuple[float, float]:
    """In which share of the windows that vote a grid holds, and its median share of their votes.

    holds : share of a window's votes from which on it does
    """
    votes, cast = window_votes(tallies)
    judged = cast >= LEAST_VOTES * PIXELS
    if not judged.any():
        return 0.0, 0.0
    shares = votes[grid][judged] / cast[judged]
    return float(np.mean(shares >= holds)), float(np.median(shares))


def run_throughout(tallies: np.ndarray, *, grids: int = GRIDS) -> set[int]:
    """The grids that more than chance holds votes for almost everywhere.

    tallies : votes per cell
    grids : how many share the votes; 49 when cast ``beneath`` another grid
    """
    votes, cast = window_votes(tallies)
    judged = cast >= LEAST_VOTES * PIXELS
    if not judged.any():
        return set()
    quartile = np.quantile(votes[:, judged] / cast[judged], 0.25, axis=1)
    return {int(grid) for grid in np.flatnonzero(quartile >= THROUGHOUT / grids)}


def hidden_grids(tallies: np.ndarray, own: int, *, limit: float, evident: float) -> list[GridRegion]:
    """Grids beneath the file's own, most evident first.

    Quantizing again on another grid blurs the zeros of the first one, but does not move
    the block that has most of them. Without the blocks that share rows or columns with
    the file's own grid, votes for an earlier grid stand out where it was. An extension of
    the paper, which lets the file's own grid compete.

    Parameters
    ----------
    tallies : votes per cell, cast ``beneath`` the file's own grid
    own : that grid, 0-63
    limit : base-10 logarithm of the number of false alarms up to which grids are listed
    evident : the same, up to which their cells are worked out; else none are set

    Returns
    -------
    list of GridRegion
        With the number of false alarms of the best window. The cells are those of the
        windows below `evident` around which the grid holds.
    """
    if min(tallies.shape[1:]) < WINDOW:
        return []
    votes, cast = window_votes(tallies)
    judged = cast >= LEAST_VOTES * PIXELS
    if not judged.any():
        return []
    candidates = [grid for grid in range(GRIDS) if not shares_lines(grid, own)]
    tests = math.log10(len(candidates) * int(judged.sum()))
    found = []
    for grid in candidates:
        share = votes[grid][judged] / cast[judged]
        usual = max(UNEVEN * float(np.median(share)), LEAST_USUAL)
        if usual >= 1:
            continue
        alarms = np.full(cast.shape, tests)
        alarms[judged] = tests + log10_tail(cast[judged] // GRIDS, votes[grid][judged] // GRIDS, usual)
        least = float(alarms.min())
        if least < limit:
            cells = _cells_that_vote(tallies, grid, judged & (alarms < evident))
            found.append(GridRegion(grid, least, cells))
    return sorted(found, key=lambda hidden: hidden.log10_alarms)


def hints(tallies: np.ndarray, own: int, *, most: int) -> list[int]:
    """Grids to look at more closely: those that stand out in some window, at most `most`.

    Not evidence: of untouched photos, every twentieth gives one.

    tallies, own : as for :func:`hidden_grids`
    """
    if min(tallies.shape[1:]) < WINDOW:
        return []
    votes, cast = window_votes(tallies)
    judged = cast >= LEAST_VOTES * PIXELS
    if not judged.any():
        return []
    # Half a window of even votes added, so that no share is near 0.
    shares = (votes[:, judged] + PIXELS / 2 / GRIDS) / (cast[judged] + PIXELS / 2)
    usual = np.median(shares, axis=1, keepdims=True)
    excess = ((shares - usual) / np.sqrt(usual * (1 - usual) / (cast[judged] / GRIDS))).max(axis=1)
    out = [grid for grid in np.argsort(-excess) if excess[grid] > STANDS_OUT and not shares_lines(grid, own)]
    return [int(grid) for grid in out[:most]]


def _cells_that_vote(tallies: np.ndarray, grid: int, shows: np.ndarray) -> np.ndarray:
    """(cell rows, cell cols) bool: in the windows given, cells around which the grid holds."""
    inside = np.zeros(tallies.shape[1:], bool)
    if not shows.any():
        return inside
    for row, col in np.argwhere(shows) * STRIDE:
        inside[row : row + WINDOW, col : col + WINDOW] = True
    kept: np.ndarray = inside & cells_where(tallies, grid)
    return kept


def cells_where(tallies: np.ndarray, grid: int) -> np.ndarray:
    """(cell rows, cell cols) bool: cells in whose neighbourhood of 3 x 3 a grid holds."""
    mine, cast = votes_around(tallies, grid)
    holds: np.ndarray = mine > HOLDS / 2 * cast
    return holds


def votes_around(tallies: np.ndarray, grid: int) -> tuple[np.ndarray, np.ndarray]:
    """Votes for a grid, and all votes: means over the 3 x 3 cells around each, (cell rows, cell cols) float32."""
    from scipy.ndimage import uniform_filter

    mine = uniform_filter(tallies[grid].astype(np.float32), 3)
    cast = uniform_filter(CELL**2 - tallies[GRIDS].astype(np.float32), 3)
    return mine, cast


def whole_earlier_grid(tallies: np.ndarray) -> tuple[int, float]:
    """The grid with most votes beneath the file's own, and the logarithm of its false alarms.

    As for a picture that was compressed, cropped, and compressed again.
    """
    votes = tallies[:GRIDS].sum(axis=(1, 2), dtype=np.int64)
    grid = int(votes.argmax())
    tail = log10_tail(int(votes.sum()) // GRIDS, int(votes[grid]) // GRIDS, HIGHEST_USUAL)
    return grid, float(math.log10(GRIDS) + tail)
