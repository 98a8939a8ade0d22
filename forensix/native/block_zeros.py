"""Count the near-zero DCT coefficients of the 8 x 8 block that begins at each pixel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import cuda, njit, void
from numba.types import Array, float64, uint8

from forensix.errors import ParameterError
from forensix.native import device

SIDE = 8

# Integer pixels put coefficients such as (0, 4) exactly on multiples of 1/8, so a
# threshold of 0.5 would be decided by the order of rounding. This one never ties; it
# needs 64-bit arithmetic, whose error of 1e-12 is far below the distance to the tie.
ALMOST_HALF = 0.5 - 1e-6

# cos(k pi / 16) / 2: the orthonormal DCT's factors.
C1, C2, C3, C4, C5, C6, C7 = (math.cos(k * math.pi / 16) / 2 for k in range(1, 8))


def block_zeros(luma: np.ndarray, *, threshold: float = ALMOST_HALF) -> np.ndarray:
    """Count the AC coefficients below `threshold` in the block at each pixel.

    Parameters
    ----------
    luma : (rows, cols) real
        0-255.
    threshold : float
        Absolute coefficient value, in grey levels.

    Returns
    -------
    (rows - 7, cols - 7) uint8
        0 to 63; ``[r, c]`` is for the block whose top left pixel is ``(r, c)``.

    Raises
    ------
    ParameterError
        If `luma` is not 2-D or is smaller than 8 x 8.
    """
    if luma.ndim != 2 or min(luma.shape) < SIDE:
        raise ParameterError(f"luma must be 2-D and at least 8x8, got shape {luma.shape}")
    luma = np.ascontiguousarray(luma, np.float64)
    run = _cuda if device.on_cuda() else _cpu
    counts: np.ndarray = run(luma, float(threshold))
    return counts


@njit(cache=True, nogil=True, error_model="numpy")
def _dct(p0, p1, p2, p3, p4, p5, p6, p7):
    """The DCT of eight numbers: the maths of both twins, which only say who calls it."""
    s0, s1, s2, s3 = p0 + p7, p1 + p6, p2 + p5, p3 + p4
    d0, d1, d2, d3 = p0 - p7, p1 - p6, p2 - p5, p3 - p4
    e0, e1, e2, e3 = s0 + s3, s1 + s2, s0 - s3, s1 - s2
    return (
        C4 * (e0 + e1),
        C1 * d0 + C3 * d1 + C5 * d2 + C7 * d3,
        C2 * e2 + C6 * e3,
        C3 * d0 - C7 * d1 - C1 * d2 - C5 * d3,
        C4 * (e0 - e1),
        C5 * d0 - C1 * d1 + C7 * d2 + C3 * d3,
        C6 * e2 - C2 * e3,
        C7 * d0 - C5 * d1 + C3 * d2 - C1 * d3,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _below(values, threshold):
    """How many of eight numbers are below the threshold in size."""
    count = 0.0
    for value in values:
        count += 1.0 if abs(value) < threshold else 0.0
    return count


@njit(
    void(Array(float64, 2, "C", readonly=True), float64, Array(uint8, 2, "C")),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _cpu_loop(luma: np.ndarray, threshold: float, counts: np.ndarray) -> None:
    cols = luma.shape[1]
    vertical = np.zeros((SIDE, cols))
    total = np.zeros(cols)
    for row in range(counts.shape[0]):
        for col in range(cols):
            (
                vertical[0, col],
                vertical[1, col],
                vertical[2, col],
                vertical[3, col],
                vertical[4, col],
                vertical[5, col],
                vertical[6, col],
                vertical[7, col],
            ) = _dct(
                luma[row, col],
                luma[row + 1, col],
                luma[row + 2, col],
                luma[row + 3, col],
                luma[row + 4, col],
                luma[row + 5, col],
                luma[row + 6, col],
                luma[row + 7, col],
            )
        total[:] = 0
        for u in range(SIDE):
            line = vertical[u]
            for col in range(counts.shape[1]):
                total[col] += _below(
                    _dct(
                        line[col],
                        line[col + 1],
                        line[col + 2],
                        line[col + 3],
                        line[col + 4],
                        line[col + 5],
                        line[col + 6],
                        line[col + 7],
                    ),
                    threshold,
                )
        for col in range(counts.shape[1]):
            mean = 0.0
            for i in range(SIDE):
                mean += vertical[0, col + i]
            counts[row, col] = np.uint8(total[col] - (1.0 if abs(mean * C4) < threshold else 0.0))


def _cpu(luma: np.ndarray, threshold: float) -> np.ndarray:
    counts = np.empty((luma.shape[0] - SIDE + 1, luma.shape[1] - SIDE + 1), np.uint8)
    _cpu_loop(luma, threshold, counts)
    return counts


def _cuda_grid(luma: np.ndarray, threshold: float, counts: np.ndarray) -> None:
    row, col = cuda.grid(2)
    if row < counts.shape[0] and col < counts.shape[1]:
        vertical = cuda.local.array((SIDE, SIDE), float64)
        for j in range(SIDE):
            values = _dct(
                luma[row, col + j],
                luma[row + 1, col + j],
                luma[row + 2, col + j],
                luma[row + 3, col + j],
                luma[row + 4, col + j],
                luma[row + 5, col + j],
                luma[row + 6, col + j],
                luma[row + 7, col + j],
            )
            for u in range(SIDE):
                vertical[u, j] = values[u]
        total, mean = 0.0, 0.0
        for u in range(SIDE):
            values = _dct(
                vertical[u, 0],
                vertical[u, 1],
                vertical[u, 2],
                vertical[u, 3],
                vertical[u, 4],
                vertical[u, 5],
                vertical[u, 6],
                vertical[u, 7],
            )
            total += _below(values, threshold)
            mean = values[0] if u == 0 else mean
        counts[row, col] = np.uint8(total - (1.0 if abs(mean) < threshold else 0.0))


def _cuda(luma: np.ndarray, threshold: float) -> Any:
    counts = cuda.device_array((luma.shape[0] - SIDE + 1, luma.shape[1] - SIDE + 1), np.uint8)
    threads = (8, 32)
    blocks = tuple(-(-n // t) for n, t in zip(counts.shape, threads, strict=True))
    cuda.jit(_cuda_grid)[blocks, threads](cuda.to_device(luma), threshold, counts)
    return counts.copy_to_host()
