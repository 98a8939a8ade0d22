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

HALF = SIDE // 2
# The orthonormal DCT's first four waves, of which the second halves mirror the first; and the vertical and
# the horizontal one that each coefficient is made with.
WAVES = np.array(
    [
        [
            math.sqrt((1 if wave == 0 else 2) / SIDE) * math.cos(math.pi * wave * (2 * i + 1) / (2 * SIDE))
            for i in range(SIDE)
        ]
        for wave in range(4)
    ],
    np.float32,
)
DOWN, ACROSS = (np.array(part) for part in zip(*FREQUENCIES, strict=True))


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
def _block(luma, row, col, vertical, coefficients):
    """The nine coefficients of one block: the maths of both twins; `vertical` is (4, 16) to work in."""
    for j in range(SIDE):
        for wave in range(4):
            vertical[wave, j] = 0
    for i in range(HALF):
        for j in range(SIDE):
            upper, lower = luma[row + i, col + j], luma[row + SIDE - 1 - i, col + j]
            vertical[0, j] += WAVES[0, i] * (upper + lower)
            vertical[1, j] += WAVES[1, i] * (upper - lower)
            vertical[2, j] += WAVES[2, i] * (upper + lower)
            vertical[3, j] += WAVES[3, i] * (upper - lower)
    for k in range(COUNT):
        total = float32(0)
        for j in range(SIDE):
            total += WAVES[ACROSS[k], j] * vertical[DOWN[k], j]
        coefficients[k] = total


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
        _block(luma, places[i, 0], places[i, 1], vertical, coefficients[i])


def _cpu(luma: np.ndarray, places: np.ndarray) -> np.ndarray:
    coefficients = np.empty((len(places), COUNT), np.float32)
    _cpu_loop(luma, places, coefficients)
    return coefficients


def _cuda_grid(luma: np.ndarray, places: np.ndarray, coefficients: np.ndarray) -> None:
    i = cuda.grid(1)
    if i < len(places):
        vertical = cuda.local.array((4, SIDE), float32)
        _block(luma, places[i, 0], places[i, 1], vertical, coefficients[i])


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
