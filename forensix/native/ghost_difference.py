"""Sum a per-coefficient quantity over the coefficients of every 8 x 8 block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda, njit, void
from numba.types import Array, float32, int16

from forensix.errors import ParameterError
from forensix.native import device


def ghost_difference(levels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Look up every coefficient of a block and add up, for many qualities at once.

    A quantized coefficient takes few values, so what requantizing it at each of
    some fifty qualities does is worked out once per value, in `table`; the picture
    only adds rows of it.

    Parameters
    ----------
    levels : (blocks, coefficients) int16
        Quantized coefficients; the sign is ignored.
    table : (coefficients, largest + 1, qualities) float32
        ``table[k, n]``: the contributions of a coefficient k at level n or -n. Levels
        above `largest` count as `largest`. Level 0 must contribute nothing.

    Returns
    -------
    (blocks, qualities) float32
        Sum over k of ``table[k, |levels[b, k]|]``.

    Raises
    ------
    ParameterError
        On shapes that do not fit, or a table whose level 0 is not all 0.
    """
    if levels.ndim != 2 or table.ndim != 3 or levels.shape[1] != table.shape[0] or table.shape[1] < 2:
        raise ParameterError(
            f"levels (blocks, k) and table (k, 2 or more, qualities) do not fit: {levels.shape}, {table.shape}"
        )
    if np.any(table[:, 0] != 0):
        raise ParameterError("level 0 must contribute nothing: most coefficients are 0 and are skipped")
    levels = np.ascontiguousarray(levels, np.int16)
    table = np.ascontiguousarray(table, np.float32)
    return _cuda(levels, table) if device.on_cuda() else _cpu(levels, table)


@njit(cache=True, nogil=True, error_model="numpy")
def _row(level: int, largest: int) -> int:
    """Which row of the table a level reads. Both twins below only decide who adds."""
    return min(abs(level), largest)


@njit(
    void(Array(int16, 2, "C", readonly=True), Array(float32, 3, "C", readonly=True), float32[:, ::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _cpu_loop(levels: np.ndarray, table: np.ndarray, sums: np.ndarray) -> None:
    largest = table.shape[1] - 1
    for block in range(levels.shape[0]):
        for quality in range(table.shape[2]):
            sums[block, quality] = 0
        for coefficient in range(levels.shape[1]):
            level = np.int64(levels[block, coefficient])
            if level != 0:
                row = _row(level, largest)
                for quality in range(table.shape[2]):
                    sums[block, quality] += table[coefficient, row, quality]


def _cpu(levels: np.ndarray, table: np.ndarray) -> np.ndarray:
    sums = np.empty((levels.shape[0], table.shape[2]), np.float32)
    _cpu_loop(levels, table, sums)
    return sums


def _cuda_grid(levels: np.ndarray, table: np.ndarray, sums: np.ndarray) -> None:
    block, quality = cuda.grid(2)
    if block < sums.shape[0] and quality < sums.shape[1]:
        total = np.float32(0)
        for coefficient in range(levels.shape[1]):
            row = _row(np.int64(levels[block, coefficient]), table.shape[1] - 1)
            total += table[coefficient, row, quality]
        sums[block, quality] = total


def _cuda(levels: np.ndarray, table: np.ndarray) -> Any:
    sums = cuda.device_array((levels.shape[0], table.shape[2]), np.float32)
    threads = (4, 64)
    blocks = tuple(-(-n // t) for n, t in zip(sums.shape, threads, strict=True))
    if min(blocks) > 0:
        cuda.jit(_cuda_grid)[blocks, threads](cuda.to_device(levels), cuda.to_device(table), sums)
    return sums.copy_to_host()
