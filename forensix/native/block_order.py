"""Overlapping blocks in the order of their content: which shifts join blocks that are alike?

References
----------
.. [1] Fridrich, J., Soukal, D. and Lukas, J. (2003). Detection of copy-move forgery in digital
   images. Proc. Digital Forensic Research Workshop.
.. [2] Popescu, A. C. and Farid, H. (2004). Exposing digital forgeries by detecting duplicated
   image regions. Technical report TR2004-515, Dartmouth College.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import cuda, float32, int64, njit, void
from numba.types import Array, int32, uint64

from forensix.errors import ParameterError
from forensix.native import device

SIDE = 16
# Vertical and horizontal frequency of each coefficient, in the order in which they are compared.
FREQUENCIES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0))
COUNT = len(FREQUENCIES)
FIELD_BITS = 7
DIGIT_BITS = 11

# The orthonormal DCT's factors for sixteen numbers: of the mean, and cosines of k pi / 32.
MEAN = np.float32(0.25)
A1, A2, A3, A5, A6, A7, A9, A10, A11, A13, A14, A15 = (
    np.float32(math.sqrt(1 / 8) * math.cos(math.pi * k / 32))
    for k in (1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15)
)


def low_frequencies(luma: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The lowest coefficients of the orthonormal DCT of 16 x 16 blocks.

    Parameters
    ----------
    luma : (rows, cols) real
        0-255, at least 16 x 16.
    places : (n, 2) int
        Row and column of each block's top left pixel; the whole block lies inside.

    Returns
    -------
    (n, 9) float32
        Of the frequencies ``FREQUENCIES``, in grey levels (at most about 2000). The mean is not
        among them.

    Raises
    ------
    ParameterError
        If `luma` is not 2-D or is smaller than a block, or a block leaves it.
    """
    if luma.ndim != 2 or min(luma.shape) < SIDE:
        raise ParameterError(f"luma must be 2-D and at least {SIDE}x{SIDE}, got shape {luma.shape}")
    if places.ndim != 2 or places.shape[1] != 2:
        raise ParameterError(f"places must be (n, 2), got {places.shape}")
    if len(places) == 0:
        return np.zeros((0, COUNT), np.float32)
    if places.min() < 0 or (places.max(axis=0) > np.array(luma.shape) - SIDE).any():
        raise ParameterError("every block must lie inside the picture")
    luma, places = np.ascontiguousarray(luma, np.float32), np.ascontiguousarray(places, np.int32)
    run = _cuda if device.on_cuda() else _cpu
    coefficients: np.ndarray = run(luma, places)
    return coefficients


@njit(cache=True, nogil=True, error_model="numpy")
def _four(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15):
    """The first four coefficients of sixteen numbers: the maths of both twins."""
    s0, s1, s2, s3 = p0 + p15, p1 + p14, p2 + p13, p3 + p12
    s4, s5, s6, s7 = p4 + p11, p5 + p10, p6 + p9, p7 + p8
    d0, d1, d2, d3 = p0 - p15, p1 - p14, p2 - p13, p3 - p12
    d4, d5, d6, d7 = p4 - p11, p5 - p10, p6 - p9, p7 - p8
    e0, e1, e2, e3 = s0 - s7, s1 - s6, s2 - s5, s3 - s4
    return (
        MEAN * (s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7),
        A1 * d0 + A3 * d1 + A5 * d2 + A7 * d3 + A9 * d4 + A11 * d5 + A13 * d6 + A15 * d7,
        A2 * e0 + A6 * e1 + A10 * e2 + A14 * e3,
        A3 * d0 + A9 * d1 + A15 * d2 - A11 * d3 - A5 * d4 - A1 * d5 - A7 * d6 - A13 * d7,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _down(values, row, col):
    """:func:`_four` of the sixteen values below a place."""
    return _four(
        values[row, col],
        values[row + 1, col],
        values[row + 2, col],
        values[row + 3, col],
        values[row + 4, col],
        values[row + 5, col],
        values[row + 6, col],
        values[row + 7, col],
        values[row + 8, col],
        values[row + 9, col],
        values[row + 10, col],
        values[row + 11, col],
        values[row + 12, col],
        values[row + 13, col],
        values[row + 14, col],
        values[row + 15, col],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _across(lines, i):
    """:func:`_four` of one of four lines of sixteen values."""
    return _four(
        lines[i, 0],
        lines[i, 1],
        lines[i, 2],
        lines[i, 3],
        lines[i, 4],
        lines[i, 5],
        lines[i, 6],
        lines[i, 7],
        lines[i, 8],
        lines[i, 9],
        lines[i, 10],
        lines[i, 11],
        lines[i, 12],
        lines[i, 13],
        lines[i, 14],
        lines[i, 15],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _block(luma, row, col, vertical):
    """The nine coefficients of one block; `vertical` is (4, 16) to work in."""
    for j in range(SIDE):
        vertical[0, j], vertical[1, j], vertical[2, j], vertical[3, j] = _down(luma, row, col + j)
    _, a1, a2, a3 = _across(vertical, 0)
    b0, b1, b2, _ = _across(vertical, 1)
    c0, c1, _, _ = _across(vertical, 2)
    d0, _, _, _ = _across(vertical, 3)
    return a1, b0, b1, a2, c0, b2, c1, a3, d0


@njit(
    void(
        Array(float32, 2, "C", readonly=True),
        Array(int32, 2, "C", readonly=True),
        Array(float32, 2, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _cpu_loop(luma, places, coefficients):
    vertical = np.zeros((4, SIDE), np.float32)
    for i in range(len(places)):
        found = _block(luma, places[i, 0], places[i, 1], vertical)
        for k in range(COUNT):
            coefficients[i, k] = found[k]


def _cpu(luma: np.ndarray, places: np.ndarray) -> np.ndarray:
    coefficients = np.empty((len(places), COUNT), np.float32)
    _cpu_loop(luma, places, coefficients)
    return coefficients


def _cuda_grid(luma: np.ndarray, places: np.ndarray, coefficients: np.ndarray) -> None:
    i = cuda.grid(1)
    if i < len(places):
        vertical = cuda.local.array((4, SIDE), float32)
        found = _block(luma, places[i, 0], places[i, 1], vertical)
        for k in range(COUNT):
            coefficients[i, k] = found[k]


def _cuda(luma: np.ndarray, places: np.ndarray) -> Any:
    coefficients = cuda.device_array((len(places), COUNT), np.float32)
    held = cuda.to_device(luma), cuda.to_device(places)
    cuda.jit(_cuda_grid)[-(-len(places) // 128), 128](*held, coefficients)
    return coefficients.copy_to_host()


def packed(coefficients: np.ndarray, *, step: float) -> np.ndarray:
    """Quantised coefficients as one number each block, the first coefficient heaviest; (n,) uint64.

    coefficients : (n, 9) float32, from :func:`low_frequencies`
    step : grey levels
    """
    most = (1 << (FIELD_BITS - 1)) - 1
    keys = np.zeros(len(coefficients), np.uint64)
    for part in coefficients.T:
        field = np.clip(np.rint(part / np.float32(step)), -most, most).astype(np.int64) + most
        keys = (keys << np.uint64(FIELD_BITS)) | field.astype(np.uint64)
    return keys


def lexicographic_order(keys: np.ndarray) -> np.ndarray:
    """The stable order that sorts the keys, by their digits; (n,) int32.

    keys : (n,) uint64, n below 2 ** 31
    """
    keys = np.ascontiguousarray(keys, np.uint64)
    order = np.arange(len(keys), dtype=np.int32)
    if len(keys):
        # Digits that all keys share need no pass: fields rarely use their range.
        differ = int(np.bitwise_or.reduce(keys ^ keys[0]))
        for shift in range(0, 64, DIGIT_BITS):
            if (differ >> shift) & ((1 << DIGIT_BITS) - 1):
                sorted_by_digit = np.empty_like(order)
                _by_digit(keys, order, shift, sorted_by_digit)
                order = sorted_by_digit
    return order


@njit(
    void(
        Array(uint64, 1, "C", readonly=True),
        Array(int32, 1, "C", readonly=True),
        int64,
        Array(int32, 1, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _by_digit(keys, order, shift, out):
    """One pass of a radix sort: stable by the eleven bits from `shift` on."""
    mask = uint64((1 << DIGIT_BITS) - 1)
    start = np.zeros((1 << DIGIT_BITS) + 1, np.int64)
    for i in range(len(order)):
        start[((keys[order[i]] >> uint64(shift)) & mask) + uint64(1)] += 1
    for digit in range(1 << DIGIT_BITS):
        start[digit + 1] += start[digit]
    for i in range(len(order)):
        digit = (keys[order[i]] >> uint64(shift)) & mask
        out[start[digit]] = order[i]
        start[digit] += 1


def alike_pairs(
    keys: np.ndarray, order: np.ndarray, places: np.ndarray, *, reach: int, nearest: float
) -> np.ndarray:
    """Pairs of blocks that follow each other closely in the order and are alike in every field.

    Parameters
    ----------
    keys : (n,) uint64
        As from :func:`packed`.
    order : (n,) int32
        As from :func:`lexicographic_order`.
    places : (n, 2) int32
        Row and column of each block.
    reach : int
        With how many that follow in the order a block is compared, apart from the blocks nearer
        than `nearest` pixels.

    Returns
    -------
    (pairs, 2) int32
        Indices of blocks; all fields differ by at most 1. The upper one of the two is first, the
        left one where they are level.
    """
    found = np.empty((len(keys) * reach, 2), np.int32)
    args = (
        np.ascontiguousarray(keys, np.uint64),
        np.ascontiguousarray(order, np.int32),
        np.ascontiguousarray(places, np.int32),
    )
    count = _pair_up(*args, reach, math.ceil(nearest * nearest), found)
    return found[:count].copy()


@njit(
    int64(
        Array(uint64, 1, "C", readonly=True),
        Array(int32, 1, "C", readonly=True),
        Array(int32, 2, "C", readonly=True),
        int64,
        int64,
        Array(int32, 2, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _pair_up(keys, order, places, reach, near, found):
    count = 0
    field = uint64((1 << FIELD_BITS) - 1)
    for i in range(len(order)):
        one = order[i]
        seen = 0
        for j in range(i + 1, min(i + 1 + 4 * reach, len(order))):
            other = order[j]
            down, across = places[other, 0] - places[one, 0], places[other, 1] - places[one, 1]
            if down * down + across * across < near:
                continue
            seen += 1
            alike = True
            a, b = keys[one], keys[other]
            while a != b and alike:
                miss = int64(a & field) - int64(b & field)
                alike = -1 <= miss <= 1
                a, b = a >> uint64(FIELD_BITS), b >> uint64(FIELD_BITS)
            if alike:
                first = down > 0 or (down == 0 and across > 0)
                found[count, 0] = one if first else other
                found[count, 1] = other if first else one
                count += 1
            if seen == reach:
                break
    return count
