"""Sums of looked-up values over the blocks of all 64 grids, tile by tile."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda, njit, void
from numba.types import Array, float32, float64, int64

from forensix.errors import ParameterError
from forensix.native import device

SIDE = 8


def period_sums(
    plane: np.ndarray, table: np.ndarray, tops: np.ndarray, lefts: np.ndarray, *, blocks: int, fineness: float
) -> np.ndarray:
    """For every tile, grid and column of a table: the sum over the blocks of that grid.

    With a table of cosines this is, for each of 64 grids, how well a coefficient fits the
    multiples of each of many steps, at the price of one reading of the plane.

    Parameters
    ----------
    plane : (rows, cols) float32
        One DCT coefficient of the 8 x 8 window that begins at each pixel.
    table : (bins, columns) float32
        What a coefficient of size ``bin / fineness`` contributes; larger ones and NaN
        contribute nothing.
    tops, lefts : (tile rows,), (tile cols,) int
        Where tiles begin in the plane; multiples of 8.
    blocks : int
        Of a tile, along each axis. Tiles must lie within the plane.
    fineness : float
        Bins per unit.

    Returns
    -------
    (tile rows, tile cols, 64, columns) float32
        The grid is ``8 * down + right``.

    Raises
    ------
    ParameterError
        On shapes that do not fit, or tiles that do not lie within the plane.
    """
    plane = np.ascontiguousarray(plane, np.float32)
    table = np.ascontiguousarray(table, np.float32)
    tops, lefts = (np.ascontiguousarray(place, np.int64) for place in (tops, lefts))
    if plane.ndim != 2 or table.ndim != 2 or tops.ndim != 1 or lefts.ndim != 1 or blocks < 1:
        raise ParameterError(f"plane and table are 2-D, got {plane.shape} and {table.shape}")
    for places, length in zip((tops, lefts), plane.shape, strict=True):
        if places.size and (places.min() < 0 or places.max() + SIDE * blocks > length):
            raise ParameterError(f"tiles of {SIDE * blocks} pixels must lie within the {length} of the plane")
        if np.any(places % SIDE):
            raise ParameterError("tiles begin at multiples of 8 pixels")
    run = _cuda if device.on_cuda() else _cpu
    sums: np.ndarray = run(plane, table, tops, lefts, int(blocks), float(fineness))
    return sums


@njit(cache=True, nogil=True, error_model="numpy")
def _bin(value: float, bins: int, fineness: float) -> int:
    """Which row of the table a coefficient reads; -1 for none. Both twins only decide who adds."""
    size = abs(value) * fineness + 0.5
    if size < bins:
        return int(size)
    return -1


@njit(
    void(
        Array(float32, 2, "C", readonly=True),
        Array(float32, 2, "C", readonly=True),
        Array(int64, 1, "C", readonly=True),
        Array(int64, 1, "C", readonly=True),
        int64,
        float64,
        float32[:, :, :, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _cpu_loop(
    plane: np.ndarray,
    table: np.ndarray,
    tops: np.ndarray,
    lefts: np.ndarray,
    blocks: int,
    fineness: float,
    sums: np.ndarray,
) -> None:
    bins, columns = table.shape
    for i in range(tops.shape[0]):
        for j in range(lefts.shape[0]):
            sums[i, j] = 0
            for row in range(blocks * SIDE):
                line = plane[tops[i] + row]
                for col in range(blocks * SIDE):
                    place = _bin(line[lefts[j] + col], bins, fineness)
                    if place >= 0:
                        grid = SIDE * (row % SIDE) + col % SIDE
                        for column in range(columns):
                            sums[i, j, grid, column] += table[place, column]


def _cpu(
    plane: np.ndarray, table: np.ndarray, tops: np.ndarray, lefts: np.ndarray, blocks: int, fineness: float
) -> np.ndarray:
    sums = np.empty((len(tops), len(lefts), SIDE * SIDE, table.shape[1]), np.float32)
    _cpu_loop(plane, table, tops, lefts, blocks, fineness, sums)
    return sums


def _cuda_grid(
    plane: np.ndarray,
    table: np.ndarray,
    tops: np.ndarray,
    lefts: np.ndarray,
    blocks: int,
    fineness: float,
    sums: np.ndarray,
) -> None:
    tile, cell = cuda.grid(2)
    columns = table.shape[1]
    if tile < tops.shape[0] * lefts.shape[0] and cell < SIDE * SIDE * columns:
        grid, column = cell // columns, cell % columns
        top = tops[tile // lefts.shape[0]] + grid // SIDE
        left = lefts[tile % lefts.shape[0]] + grid % SIDE
        total = np.float32(0)
        for row in range(blocks):
            for col in range(blocks):
                place = _bin(plane[top + SIDE * row, left + SIDE * col], table.shape[0], fineness)
                if place >= 0:
                    total += table[place, column]
        sums[tile // lefts.shape[0], tile % lefts.shape[0], grid, column] = total


def _cuda(
    plane: np.ndarray, table: np.ndarray, tops: np.ndarray, lefts: np.ndarray, blocks: int, fineness: float
) -> Any:
    sums = cuda.device_array((len(tops), len(lefts), SIDE * SIDE, table.shape[1]), np.float32)
    threads = (4, 64)
    wanted = (len(tops) * len(lefts), SIDE * SIDE * table.shape[1])
    grid = tuple(-(-n // t) for n, t in zip(wanted, threads, strict=True))
    if min(grid) > 0:
        cuda.jit(_cuda_grid)[grid, threads](
            cuda.to_device(plane), cuda.to_device(table), cuda.to_device(tops), cuda.to_device(lefts), blocks,
            fineness, sums,
        )  # fmt: skip
    return sums.copy_to_host()
