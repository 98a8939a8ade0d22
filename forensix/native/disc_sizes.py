"""What a dozen small complex filters answer at every pixel, as bytes.

Each part of a filter is even or odd from top to bottom and from left to right, as those of a
disc are. So four pixels that mirror each other are added or subtracted first, and weighed once.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import float32, int64, njit, void
from numba.types import Array, boolean, uint8

from forensix.errors import ParameterError

FILTERS = 12
REACH = 6
# Pixels of a row at once, for which the sums stay in the cache.
SPAN = 512


def disc_sizes(image: np.ndarray, taps: np.ndarray, *, scale: float, level: float) -> np.ndarray:
    """The average that the first filter gives, and the square roots of the others' absolute answers.

    Parameters
    ----------
    image : (rows, cols) float32
        Continued beyond its border by its mirror image.
    taps : (12, 13, 13) complex
        They weigh the pixels where they lie. The real and the imaginary part of each are even or odd in
        either direction; the first is real.
    scale : float
        Of the square roots.
    level : float
        Added to the first filter's average.

    Returns
    -------
    (rows, cols, 12) uint8
        Rounded, and cut to 0-255.

    Raises
    ------
    ParameterError
        For an image that is not 2-D, filters of another shape, or without that symmetry.
    """
    if image.ndim != 2:
        raise ParameterError(f"image must be 2-D, got shape {image.shape}")
    side = 2 * REACH + 1
    if taps.shape != (FILTERS, side, side):
        raise ParameterError(f"taps must be {(FILTERS, side, side)}, got {taps.shape}")
    weights, planes, counts = _by_symmetry(np.asarray(taps, np.complex128).tobytes())
    padded = np.pad(np.ascontiguousarray(image, np.float32), REACH, mode="symmetric")
    share = 1 / float(taps[0].real.sum())
    out = np.empty((*image.shape, FILTERS), np.uint8)
    _filter(padded, weights, np.abs(weights).max(axis=(0, 3)) > 0, planes, counts, share, scale, level, out)
    return out


@lru_cache(maxsize=4)
def _by_symmetry(raw: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lower right quarters of the filters' parts, for even and odd rows and columns each.

    Parameters
    ----------
    raw : the taps as of :func:`disc_sizes`, complex128, as bytes: they are few and always the same

    Returns
    -------
    weights : (4, 7, 7, n) float32
        0 where there are fewer than n parts.
    planes : (4, n) int64
        The filter's number, more by 12 for its imaginary part.
    counts : (4,) int64
        How many parts.
    """
    side = 2 * REACH + 1
    taps = np.frombuffer(raw, np.complex128).reshape(FILTERS, side, side)
    parts = [*enumerate(taps.real), *enumerate(taps.imag, start=FILTERS)]
    found: list[list[tuple[int, np.ndarray]]] = [[], [], [], []]
    for plane, part in parts:
        if np.abs(part).max() < 1e-9:
            continue
        odd = [np.abs(part + np.flip(part, axis)).max() < 1e-9 for axis in (0, 1)]
        even = [np.abs(part - np.flip(part, axis)).max() < 1e-9 for axis in (0, 1)]
        if not all(o != e for o, e in zip(odd, even, strict=True)):
            raise ParameterError("each part of a filter must be even or odd in either direction")
        found[2 * odd[0] + odd[1]].append((plane, part[REACH:, REACH:]))
    counts = np.array([len(each) for each in found])
    weights = np.zeros((4, REACH + 1, REACH + 1, counts.max()), np.float32)
    planes = np.zeros((4, counts.max()), np.int64)
    for kind, each in enumerate(found):
        for number, (plane, quarter) in enumerate(each):
            weights[kind, :, :, number], planes[kind, number] = quarter, plane
    return weights, planes, counts.astype(np.int64)


@njit(
    void(
        Array(float32, 2, "C", readonly=True),
        Array(float32, 4, "C", readonly=True),
        Array(boolean, 2, "C", readonly=True),
        Array(int64, 2, "C", readonly=True),
        Array(int64, 1, "C", readonly=True),
        float32,
        float32,
        float32,
        Array(uint8, 3, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _filter(padded, weights, used, planes, counts, share, scale, level, out):
    sums = np.empty((2 * FILTERS, SPAN), np.float32)
    lines = np.empty(SPAN + 2 * REACH, np.float32)
    both = np.empty(SPAN, np.float32)
    for row in range(out.shape[0]):
        for left in range(0, out.shape[1], SPAN):
            n = min(SPAN, out.shape[1] - left)
            for k in range(2 * FILTERS):
                for i in range(n):
                    sums[k, i] = 0
            for down in range(REACH + 1):
                for kind in range(4):
                    # Of the middle row and column there is only one.
                    if down == 0 and kind >= 2:
                        break
                    if kind % 2 == 0:
                        sign = float32(0 if down == 0 else -1 if kind == 2 else 1)
                        above = padded[row + REACH - down, left : left + n + 2 * REACH]
                        below = padded[row + REACH + down, left : left + n + 2 * REACH]
                        for i in range(n + 2 * REACH):
                            lines[i] = below[i] + sign * above[i]
                    for across in range(kind % 2, REACH + 1):
                        if not used[down, across]:
                            break
                        sign = float32(0 if across == 0 else -1 if kind % 2 == 1 else 1)
                        before = lines[REACH - across : REACH - across + n]
                        after = lines[REACH + across : REACH + across + n]
                        for i in range(n):
                            both[i] = after[i] + sign * before[i]
                        for part in range(counts[kind]):
                            weight, plane = weights[kind, down, across, part], sums[planes[kind, part]]
                            for i in range(n):
                                plane[i] += weight * both[i]
            for k in range(FILTERS):
                real, imaginary = sums[k], sums[FILTERS + k]
                for i in range(n):
                    both[i] = scale * np.sqrt(np.sqrt(real[i] * real[i] + imaginary[i] * imaginary[i]))
                if k == 0:
                    for i in range(n):
                        both[i] = share * real[i] + level
                for i in range(n):
                    out[row, left + i, k] = min(max(both[i] + float32(0.5), float32(0)), float32(255))
