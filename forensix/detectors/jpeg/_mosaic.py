"""Sixty-four samples of a picture, set side by side, for statistics of its 8 x 8 grid.

Statistics of a whole photo of twelve megapixels cost seconds and are hardly better than
those of one. So a picture is cut into 8 x 8 regions, and the square of each that holds
most detail is set into a mosaic. The squares keep their place on the grid of the
picture, and each carries a margin of one block, so that a window of 8 x 8 pixels may
begin at any pixel of a square without leaving it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forensix.signal.block_dct import SIDE, dct_basis

TILES = 8  # regions along each axis
LARGEST_TILE = 16  # blocks along each axis
SMALLEST_TILE = 2
FEWEST_WINDOWS = 250
_ENOUGH_DETAIL = 12  # nonzero coefficients; a block with more is not a better sample


@dataclass(frozen=True)
class Mosaic:
    """Tiles of a picture.

    pixels : (TILES * (rows + 1) * 8, TILES * (cols + 1) * 8) float32
        Luma less 128. The last 8 rows and columns of every tile are its margin.
    rows, cols : blocks of a tile, without its margin
    down, right : (TILES,) int
        Where the rows and the columns of tiles begin in the picture, in blocks.
    """

    pixels: np.ndarray
    rows: int
    cols: int
    down: np.ndarray
    right: np.ndarray

    @property
    def photographic(self) -> bool:
        """False for flat, drawn and patterned pictures, whose statistics are those of a few shapes.

        Judged by how many different 8 x 8 windows there are off the grid, told apart by the
        means of their quarters.
        """
        moved = self.inside(np.roll(self.pixels, (-3, -5), (0, 1)))
        halves = moved.reshape(TILES, self.rows, 2, SIDE // 2, TILES, self.cols, 2, SIDE // 2)
        quarters = np.rint(halves.mean(axis=(3, 7)) * 4).astype(np.int64)  # within 1024 on either side
        names = (quarters * np.array([[1, 2**12], [2**24, 2**36]])[:, None, None, :]).sum(axis=(2, 5))
        return bool(np.unique(names).size >= min(FEWEST_WINDOWS, names.size / 3))

    def inside(self, plane: np.ndarray) -> np.ndarray:
        """(TILES, rows, 8, TILES, cols, 8) view of a plane as large as `pixels`, less the margins."""
        shape = (TILES, self.rows + 1, SIDE, TILES, self.cols + 1, SIDE)
        return plane.reshape(shape)[:, :-1, :, :, :-1]

    def levels(self, levels: np.ndarray) -> np.ndarray:
        """(blocks, 64): the coefficients, out of (block rows, block cols, 8, 8), of the tiles' blocks."""
        rows, cols = _spread(self.down, self.rows - 1), _spread(self.right, self.cols - 1)
        taken: np.ndarray = levels[rows[:, None], cols].reshape(-1, SIDE * SIDE)
        return taken

    def blocks(self, *, offset: tuple[int, int] = (0, 0), unclipped: bool = False) -> np.ndarray:
        """(blocks, 64) float32 DCT coefficients of the blocks of one grid, row order.

        unclipped : leave out blocks that hold black or white pixels
        """
        down, right = offset
        moved = np.roll(self.pixels, (-down, -right), (0, 1)) if down or right else self.pixels
        shape = (TILES, self.rows + 1, SIDE, TILES, self.cols + 1, SIDE)
        kept = moved.reshape(shape)[:, :-1, :, :, :-1].transpose(0, 1, 3, 4, 2, 5).reshape(-1, SIDE * SIDE)
        if unclipped:
            kept = kept[(kept.min(axis=1) > -127.5) & (kept.max(axis=1) < 126.5)]
        coefficients: np.ndarray = kept @ transform().T
        return coefficients


def transform() -> np.ndarray:
    """(64, 64) float32: from the pixels of a block to its DCT coefficients, both in row order."""
    basis = dct_basis()
    both: np.ndarray = np.kron(basis, basis).astype(np.float32)
    return both


def of_coefficients(levels: np.ndarray, quantization: np.ndarray) -> Mosaic | None:
    """The mosaic of a JPEG's luma as its coefficients give it, neither rounded nor clipped.

    Parameters
    ----------
    levels : (block rows, block cols, 8, 8) int16
        Quantized coefficients.
    quantization : (8, 8) int
        The steps.

    Returns
    -------
    Mosaic or None
        None when the picture is smaller than 17 x 17 blocks.
    """
    size = _tile_size(levels.shape[0], levels.shape[1])
    if size is None:
        return None
    rows, cols, down, right = _places(_detail(levels), *size)
    steps = np.asarray(quantization, np.float32).reshape(1, 64)
    # Gathered straight from the quantized levels: a copy of the whole picture would be large.
    taken = levels[_spread(down, rows)[:, None], _spread(right, cols)].reshape(-1, SIDE * SIDE)
    pixels = (taken.astype(np.float32) * steps) @ transform()
    height, width = TILES * (rows + 1), TILES * (cols + 1)
    shaped = pixels.reshape(height, width, SIDE, SIDE).transpose(0, 2, 1, 3)
    return Mosaic(np.ascontiguousarray(shaped.reshape(height * SIDE, width * SIDE)), rows, cols, down, right)


def of_pixels(luma: np.ndarray) -> Mosaic | None:
    """The mosaic of a picture's luma, (rows, cols), 0 to 255; None below 136 x 136 pixels."""
    block_rows, block_cols = luma.shape[0] // SIDE, luma.shape[1] // SIDE
    size = _tile_size(block_rows, block_cols)
    if size is None:
        return None
    rows, cols, down, right = _places(_contrast(luma, block_rows, block_cols), *size)
    across = _spread(right * SIDE, cols * SIDE + SIDE - 1)
    pixels = luma[_spread(down * SIDE, rows * SIDE + SIDE - 1)[:, None], across]
    return Mosaic(np.ascontiguousarray(pixels, np.float32) - np.float32(128), rows, cols, down, right)


def _tile_size(block_rows: int, block_cols: int) -> tuple[int, int] | None:
    rows, cols = (min(LARGEST_TILE, (n - 1) // TILES) for n in (block_rows, block_cols))
    return (rows, cols) if min(rows, cols) >= SMALLEST_TILE else None


def _spread(starts: np.ndarray, extent: int) -> np.ndarray:
    """Indices start to start + extent, inclusive, of every start, one after another."""
    indices: np.ndarray = (starts[:, None] + np.arange(extent + 1)).ravel()
    return indices


def _places(detail: np.ndarray, rows: int, cols: int) -> tuple[int, int, np.ndarray, np.ndarray]:
    """Where each row and each column of tiles begins: where its strip of regions holds most detail.

    Tiles of one row share their rows and tiles of one column their columns, which keeps
    the gathering a plain outer index and the mosaic a rectangle.
    """
    down = _best_starts(detail.sum(axis=1), rows)
    right = _best_starts(detail.sum(axis=0), cols)
    return rows, cols, down, right


def _best_starts(profile: np.ndarray, extent: int) -> np.ndarray:
    """For each of TILES stretches of a profile, the start of the richest run of `extent` + 1 in it."""
    runs = np.convolve(profile, np.ones(extent + 1), mode="valid")
    edges = np.arange(TILES + 1) * len(runs) // TILES
    return np.array([lo + int(np.argmax(runs[lo:hi])) for lo, hi in pairwise(edges)])


def _detail(levels: np.ndarray) -> np.ndarray:
    """(block rows, block cols) float64: how many coefficients of a block are not 0, up to a limit."""
    counts = np.count_nonzero(levels.reshape(*levels.shape[:2], 64), axis=2)
    detail: np.ndarray = np.minimum(counts, _ENOUGH_DETAIL).astype(np.float64)
    return detail


def _contrast(luma: np.ndarray, block_rows: int, block_cols: int) -> np.ndarray:
    """(block rows, block cols) float64: how much neighbouring pixels of a block differ, up to a limit."""
    shaped = luma[: block_rows * SIDE, : block_cols * SIDE].reshape(block_rows, SIDE, block_cols, SIDE)
    steps = np.abs(shaped[:, ::2, :, 1::2] - shaped[:, 1::2, :, ::2]).mean(axis=(1, 3))
    contrast: np.ndarray = np.minimum(steps, _ENOUGH_DETAIL).astype(np.float64)
    return contrast
