"""Histograms of quantized residual sequences, per cell of the picture."""

from __future__ import annotations

from itertools import product

import numpy as np
from numba import njit, void
from numba.types import Array, uint8, uint16

from forensix.errors import ParameterError

CELL = 16  # pixels
PLANES = 3  # luma, red less green, blue less green
DIRECTIONS = 2  # sequences along the residual's own direction, and across it
SEQUENCE = 4  # residuals in a row
SYMBOLS = 3  # each: negative, about zero, positive
BINS = 25  # sequences that differ after reversal and change of sign

# Weights of the luma, in 1 / 256: whole numbers keep the thresholds exact on every machine.
RED, GREEN, BLUE = 77, 150, 29
LUMA_HALF, COLOUR_HALF = 256, 1  # half a quantization step, q = 2
DARKEST, BRIGHTEST = 6 * 256, 252 * 256
UNKNOWN = 3  # no symbol: beyond the picture's edge, or clipped


def _bins() -> np.ndarray:
    """(256,) uint8: the bin of four two-bit symbols, BINS where one of them is unknown."""
    table = np.full(256, BINS, np.uint8)
    numbers: dict[tuple[int, ...], int] = {}
    for symbols in product(range(SYMBOLS), repeat=SEQUENCE):
        negative = tuple(SYMBOLS - 1 - symbol for symbol in symbols)
        first = min(symbols, symbols[::-1], negative, negative[::-1])
        code = sum(symbol << (2 * place) for place, symbol in enumerate(symbols))
        table[code] = numbers.setdefault(first, len(numbers))
    return table


BIN_OF = _bins()


def residual_histograms(rgb: np.ndarray) -> np.ndarray:
    """Count the sequences of four quantized third-order residuals in every cell.

    The residual of a plane x is x[-1] - 3 x[0] + 3 x[1] - x[2], along rows and along
    columns, quantized with step 2 and cut to -1, 0, 1. Sequences run along the direction
    of the residual (first histogram) or across it (second); reversed and negated ones
    count as the same. A sequence belongs to the cell of its first pixel.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8

    Returns
    -------
    (rows // CELL, cols // CELL, PLANES, DIRECTIONS, BINS) uint16
        Sequences beyond the edge, and in the luma those that touch a clipped pixel
        (below 6 or above 252), are left out.

    Raises
    ------
    ParameterError
        On another shape or dtype, or a picture without a whole cell.
    """
    if rgb.ndim != 3 or rgb.shape[2] != PLANES or rgb.dtype != np.uint8:
        raise ParameterError(f"rgb must be (rows, cols, 3) uint8, got {rgb.shape} {rgb.dtype}")
    if min(rgb.shape[:2]) < CELL:
        raise ParameterError(f"the picture must hold a cell of {CELL} x {CELL}, got {rgb.shape}")
    rows, cols = rgb.shape[0] // CELL, rgb.shape[1] // CELL
    counts = np.zeros((rows, cols, PLANES, DIRECTIONS, BINS + 1), np.uint16)
    _loop(np.ascontiguousarray(rgb), BIN_OF, counts)
    return np.ascontiguousarray(counts[..., :BINS])


@njit(cache=True, nogil=True, error_model="numpy")
def _symbol(before, here, after, beyond, half):
    """0, 1 or 2 for a residual that is negative, about zero or positive."""
    residual = before - 3 * here + 3 * after - beyond
    return (residual > half) + (residual >= -half)


@njit(cache=True, nogil=True, error_model="numpy")
def _symbols_of_row(around, plane, half, along, down):
    """The symbols of one row: `along` from the row itself, `down` from the four rows around it."""
    cols = along.size
    row = around[1]
    for col in range(1, cols - 2):
        along[col] = _symbol(row[col - 1], row[col], row[col + 1], row[col + 2], half)
    for col in range(cols):
        down[col] = _symbol(around[0, col], row[col], around[2, col], around[3, col], half)
    if plane == 0:
        for col in range(1, cols - 2):
            low = min(row[col], row[col + 1])
            high = max(row[col], row[col + 1])
            if low < DARKEST or high > BRIGHTEST:
                along[col] = UNKNOWN
        for col in range(cols):
            low = min(row[col], around[2, col])
            high = max(row[col], around[2, col])
            if low < DARKEST or high > BRIGHTEST:
                down[col] = UNKNOWN
    along[0] = along[cols - 2] = along[cols - 1] = UNKNOWN


@njit(cache=True, nogil=True, error_model="numpy")
def _plane_row(rgb, row, plane, out):
    """One row of a plane as whole numbers; the luma in 1 / 256 grey levels."""
    for col in range(out.size):
        red, green, blue = np.int32(rgb[row, col, 0]), np.int32(rgb[row, col, 1]), np.int32(rgb[row, col, 2])
        if plane == 0:
            out[col] = RED * red + GREEN * green + BLUE * blue
        elif plane == 1:
            out[col] = red - green
        else:
            out[col] = blue - green


@njit(cache=True, nogil=True, error_model="numpy")
def _count_row(along, down, bin_of, counts):
    """Add the sequences that begin in the first of four rows of symbols."""
    for col in range(counts.shape[0] * CELL):
        cell = counts[col // CELL]
        h0, v0 = along[0, col], down[0, col]
        cell[0, bin_of[h0 | along[0, col + 1] << 2 | along[0, col + 2] << 4 | along[0, col + 3] << 6]] += 1
        cell[0, bin_of[v0 | down[1, col] << 2 | down[2, col] << 4 | down[3, col] << 6]] += 1
        cell[1, bin_of[h0 | along[1, col] << 2 | along[2, col] << 4 | along[3, col] << 6]] += 1
        cell[1, bin_of[v0 | down[0, col + 1] << 2 | down[0, col + 2] << 4 | down[0, col + 3] << 6]] += 1


@njit(
    void(
        Array(uint8, 3, "C", readonly=True),
        Array(uint8, 1, "C", readonly=True),
        Array(uint16, 5, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _loop(rgb: np.ndarray, bin_of: np.ndarray, counts: np.ndarray) -> None:
    rows, cols = rgb.shape[0], rgb.shape[1]
    planes = np.zeros((CELL + 6, cols), np.int32)
    # Three columns of unknowns let sequences run over the edge.
    along = np.full((CELL + 3, cols + SEQUENCE - 1), UNKNOWN, np.uint8)
    down = np.full((CELL + 3, cols + SEQUENCE - 1), UNKNOWN, np.uint8)
    for cell_row in range(counts.shape[0]):
        top = cell_row * CELL
        for plane in range(PLANES):
            half = LUMA_HALF if plane == 0 else COLOUR_HALF
            for k in range(CELL + 6):
                _plane_row(rgb, min(max(top - 1 + k, 0), rows - 1), plane, planes[k])
            for k in range(CELL + 3):
                _symbols_of_row(planes[k : k + 4], plane, half, along[k, :cols], down[k, :cols])
                if top + k >= rows:
                    along[k, :] = UNKNOWN
                if top + k < 1 or top + k + 2 >= rows:
                    down[k, :] = UNKNOWN
            for k in range(CELL):
                _count_row(along[k : k + 4], down[k : k + 4], bin_of, counts[cell_row, :, plane])
