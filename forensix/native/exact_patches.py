"""Patches of a picture that occur in it again with equal values, and how much they say.

How much a pixel says is minus the logarithm of how often the picture itself errs so when each pixel
is foretold from those before it, where as much is going on: next to nothing in clipped and even
areas, several bits in noise.

References
----------
.. [1] Weinberger, M. J., Seroussi, G. and Sapiro, G. (2000). The LOCO-I lossless image compression
   algorithm. IEEE TIP 9(8), 1309-1324. DOI 10.1109/83.855427 (the prediction, and errors by context)
.. [2] Karp, R. M. and Rabin, M. O. (1987). Efficient randomized pattern-matching algorithms. IBM
   Journal of Research and Development 31(2), 249-260. DOI 10.1147/rd.312.0249 (rolling hashes)
"""

from __future__ import annotations

import numpy as np
from numba import int64, njit, void
from numba.types import Array, float32, int32, uint8, uint64

from forensix.errors import ParameterError

PATCH = 5  # pixels, side
KINDS = 16  # of surroundings, by how much is going on
LARGEST = 40  # error; what is larger counts as this
UNIT = 16  # of a bit, in the sums
_BAND = 64  # rows
_SEEN = 2_000_000  # pixels, beyond which not every band goes into the table


def error_table(rgb: np.ndarray) -> np.ndarray:
    """What each error of the prediction says in a picture.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8, C-contiguous

    Returns
    -------
    (3, 16, 81) float32
        Bits, for green, red less green and blue less green; by what is going on around, and
        by the error from -40 to 40.

    Raises
    ------
    ParameterError
        If `rgb` is of another type.
    """
    _check(rgb)
    counts = np.zeros((3, KINDS, 2 * LARGEST + 1), np.int64)
    step = _BAND * max(1, rgb.shape[0] * rgb.shape[1] // _SEEN)
    for top in range(0, rgb.shape[0], step):
        _count(rgb[top : top + _BAND], _kinds(), counts)
    often = counts + 0.05
    bits: np.ndarray = -np.log2(often / often.sum(axis=2, keepdims=True))
    return bits.astype(np.float32)


def pixel_bits(rgb: np.ndarray, table: np.ndarray) -> np.ndarray:
    """How much each pixel says, foretold from those above and to the left of it: (rows, cols) float32, bits.

    table : as from :func:`error_table`
    """
    _check(rgb)
    bits = np.empty(rgb.shape[:2], np.float32)
    _bits(rgb, _kinds(), _units(table), bits)
    return bits


def patch_keys(
    rgb: np.ndarray, table: np.ndarray, *, least: float, one_in: int = 1, most: int = 3_000_000
) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of the 5 x 5 patches that say enough.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8, C-contiguous
    table : (3, 16, 81) float32
        As from :func:`error_table`.
    least : float
        Bits that the pixels of a patch must say together.
    one_in : int
        A power of two. One patch in so many is taken, by its hash: of equal patches all or none.
    most : int
        No more are taken.

    Returns
    -------
    keys : (count,) uint64
    places : (count,) int64
        Index of the patch's middle in the picture, row by row.
    """
    _check(rgb)
    if one_in < 1 or one_in & (one_in - 1):
        raise ParameterError(f"one_in must be a power of two, got {one_in}")
    if min(rgb.shape[:2]) < PATCH:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    room = min(most, rgb.shape[0] * rgb.shape[1])
    keys, places = np.empty(room, np.uint64), np.empty(room, np.int64)
    found = np.zeros(1, np.int64)
    _keys(rgb, _kinds(), _units(table), int(least * UNIT), one_in - 1, keys, places, found)
    return keys[: found[0]], places[: found[0]]


def _check(rgb: np.ndarray) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.flags.c_contiguous:
        raise ParameterError(f"rgb must be (rows, cols, 3) uint8, C-contiguous, got {rgb.shape}, {rgb.dtype}")


def _kinds() -> np.ndarray:
    """Number of the surroundings for each sixteenth of what is going on: (1024,) uint8."""
    size = np.arange(1024) / 16
    return np.minimum(np.floor(2 * np.log2(4 * size + 1)), KINDS - 1).astype(np.uint8)


def _units(table: np.ndarray) -> np.ndarray:
    return np.rint(table * UNIT).astype(np.int32)


@njit(cache=True, nogil=True, error_model="numpy")
def _foretold(west, north, corner):
    """The median of the two neighbours and the plane through the three [1]_."""
    low, high = min(west, north), max(west, north)
    return min(max(west + north - corner, low), high)


@njit(cache=True, nogil=True, error_model="numpy")
def _row(rgb, row, kinds, activity, errors, kind):
    """Errors of the prediction in one row, clipped and from 0 on, and the kind of each pixel's surroundings.

    activity : (cols,) int32, of the rows above, in sixteenths; brought up to this row
    """
    cols = rgb.shape[1]
    up = max(row - 1, 0)
    left = int32(0)
    for col in range(cols):
        back = max(col - 1, 0)
        around = (
            activity[max(col - 2, 0)]
            + activity[back]
            + 2 * activity[col]
            + activity[min(col + 1, cols - 1)]
            + activity[min(col + 2, cols - 1)]
        )
        kind[col] = kinds[min((around // 6 + left) >> 1, len(kinds) - 1)]
        size = int32(0)
        base = base_w = base_n = base_c = int32(0)
        for part in range(3):
            channel = 1 if part == 0 else 0 if part == 1 else 2
            here, west = int32(rgb[row, col, channel]), int32(rgb[row, back, channel])
            north, corner = int32(rgb[up, col, channel]), int32(rgb[up, back, channel])
            if part == 0:
                base, base_w, base_n, base_c = here, west, north, corner
            else:
                here, west, north, corner = here - base, west - base_w, north - base_n, corner - base_c
            miss = here - _foretold(west, north, corner)
            size += abs(miss)
            errors[part, col] = min(max(miss, -LARGEST), LARGEST) + LARGEST
        errors[3, col] = min(size, 500)
        left = (left + 16 * min(size, 500)) >> 1
    for col in range(cols):
        activity[col] = (activity[col] + 16 * int32(errors[3, col])) >> 1


_PICTURE = Array(uint8, 3, "C", readonly=True)
_TABLE = Array(int32, 3, "C", readonly=True)
_LOOKUP = Array(uint8, 1, "C", readonly=True)


@njit(void(_PICTURE, _LOOKUP, int64[:, :, ::1]), cache=True, nogil=True, error_model="numpy")
def _count(rgb, kinds, counts):
    cols = rgb.shape[1]
    activity, errors = np.zeros(cols, np.int32), np.empty((4, cols), np.int16)
    kind = np.empty(cols, np.uint8)
    for row in range(rgb.shape[0]):
        _row(rgb, row, kinds, activity, errors, kind)
        for part in range(3):
            for col in range(cols):
                counts[part, kind[col], errors[part, col]] += 1


@njit(void(_PICTURE, _LOOKUP, _TABLE, float32[:, ::1]), cache=True, nogil=True, error_model="numpy")
def _bits(rgb, kinds, table, bits):
    cols = rgb.shape[1]
    activity, errors = np.zeros(cols, np.int32), np.empty((4, cols), np.int16)
    kind = np.empty(cols, np.uint8)
    for row in range(rgb.shape[0]):
        _row(rgb, row, kinds, activity, errors, kind)
        for col in range(cols):
            total = int32(0)
            for part in range(3):
                total += table[part, kind[col], errors[part, col]]
            bits[row, col] = np.float32(total) / np.float32(UNIT)


@njit(cache=True, nogil=True, error_model="numpy")
def _mixed(value):
    """Every bit of the result depends on every bit of a 64-bit number."""
    value ^= value >> uint64(30)
    value *= uint64(0xBF58476D1CE4E5B9)
    value ^= value >> uint64(27)
    value *= uint64(0x94D049BB133111EB)
    return value ^ (value >> uint64(31))


@njit(
    void(_PICTURE, _LOOKUP, _TABLE, int64, uint64, Array(uint64, 1, "C"), Array(int64, 1, "C"), int64[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _keys(rgb, kinds, table, least, skipped, keys, places, found):
    rows, cols = rgb.shape[0], rgb.shape[1]
    across, down = uint64(0x9E3779B97F4A7C15), uint64(0xD6E8FEB86659FD93)
    gone = across * across * across * across * across  # the weight of what has left a sum of five
    activity, errors = np.zeros(cols, np.int32), np.empty((4, cols), np.int16)
    kind = np.empty(cols, np.uint8)
    colour = np.empty(cols, np.uint64)
    hashes, sums = np.zeros((PATCH, cols), np.uint64), np.zeros((PATCH, cols), np.int32)
    bits, total = np.empty(cols, np.int32), np.zeros(cols, np.int32)
    count = 0
    for row in range(rows):
        _row(rgb, row, kinds, activity, errors, kind)
        slot = row % PATCH
        for col in range(cols):
            bits[col] = (
                table[0, kind[col], errors[0, col]]
                + table[1, kind[col], errors[1, col]]
                + table[2, kind[col], errors[2, col]]
            )
            packed = (uint64(rgb[row, col, 0]) << uint64(16)) | (uint64(rgb[row, col, 1]) << uint64(8))
            colour[col] = _mixed((packed | uint64(rgb[row, col, 2])) + uint64(1))
        run, said = uint64(0), int32(0)
        for col in range(cols):
            run = run * across + colour[col]
            said += bits[col]
            if col >= PATCH:
                run -= colour[col - PATCH] * gone
                said -= bits[col - PATCH]
            hashes[slot, col] = run
            total[col] += said - sums[slot, col]
            sums[slot, col] = said
        if row < PATCH - 1:
            continue
        for col in range(PATCH - 1, cols):
            if total[col] < least:
                continue
            whole = uint64(0)
            for back in range(PATCH):
                whole = whole * down + hashes[(row + 1 + back) % PATCH, col]
            whole = _mixed(whole)
            if whole & skipped or count >= len(keys):
                continue
            keys[count] = whole
            places[count] = (row - PATCH // 2) * cols + col - PATCH // 2
            count += 1
    found[0] = count
