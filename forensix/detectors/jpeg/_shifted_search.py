"""Which grid beside the file's own was a picture, or a part of it, compressed on before?

Coefficients that were quantized once lie near the multiples of that step, even after a
second compression on another grid has blurred them (integer periodicity). How well they
do is summed per tile of the picture for all 64 grids and the steps of many tables, and
compared with the grids that are mirror images of each: whatever the second compression or
the content of the picture does to one of them, it does to the others.

References
----------
T. Bianchi, A. Piva, "Image Forgery Localization via Block-Grained Analysis of JPEG
Artifacts", IEEE TIFS 7(3), 2012, doi 10.1109/TIFS.2012.2187516 (non-aligned quantization
in parts of a picture); "Detection of Nonaligned Double JPEG Compression Based on Integer
Periodicity Maps", IEEE TIFS 7(2), 2012, doi 10.1109/TIFS.2011.2170836 (periodicity).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forensix.detectors.jpeg._grid_phase import mirrors, self_mirrored
from forensix.evidence.jpeg_quality import ijg_table
from forensix.signal.block_dct import SIDE, dct_basis

GRIDS = SIDE * SIDE
# (vertical, horizontal) of the coefficients compared; the first few of them in all 64 grids.
FREQUENCIES = (
    (0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (3, 0), (1, 2), (2, 1),
    (4, 0), (3, 1), (2, 2), (1, 3), (0, 4),
)  # fmt: skip
SEARCHED = 8
QUALITIES = tuple(range(98, 39, -1))
FINENESS = 4.0
LARGEST = 1100  # of a mean value, as DCT coefficient
LARGEST_AC = 300
TILE = 8  # blocks on a side
PIXELS_SEARCHED = 1_200_000
# A frequency tells about a step from this amplitude of the first harmonic on.
LEAST_AMPLITUDE = 0.05
WINDOWS = (2, 4, 8)  # tiles on a side
# The second compression leaves traces on the grids half a block away, which have no mirror image
# of their own; what differs between these by less than this factor proves nothing.
HALFWAY_DOUBT = 3.0
HALFWAY_RANK = 2.0  # less, where grids are only put in order
# Sums of fewer coefficients than this many are not judged by how they vary.
FEWEST = 8.0


@dataclass(frozen=True, eq=False)
class Candidate:
    """A grid, and the steps once used on it.

    grid : 8 * down + right, where its blocks begin
    steps : (frequencies,) int
    quality : the IJG quality of the steps
    excess : standard deviations by which they fit better than on other grids
    log10_alarms : base-10 logarithm of the number of grids, tables and windows that would
        fit as well by chance
    """

    grid: int
    steps: np.ndarray
    quality: int
    excess: float
    log10_alarms: float


@lru_cache(maxsize=1)
def tables() -> np.ndarray:
    """(QUALITIES, frequencies) int: the steps of each quality."""
    rows, cols = np.array(FREQUENCIES).T
    return np.stack([ijg_table(quality)[rows, cols] for quality in QUALITIES])


@lru_cache(maxsize=1)
def mirror_weights() -> np.ndarray:
    """(64, 64) float32: a grid less the mean of its mirror images; 0 for the file's own."""
    weights = np.eye(GRIDS, dtype=np.float32)
    for grid, others in enumerate(mirrors()):
        for down, right in others:
            weights[grid, SIDE * down + right] = -1 / len(others)
    weights[0] = 0
    return weights


@lru_cache(maxsize=1)
def controls() -> np.ndarray:
    """(64, 64) float32: of which grids' spread a grid is judged by, as weights of a mean.

    Not itself, its mirror images, nor the file's own.
    """
    allowed = np.ones((GRIDS, GRIDS), np.float32)
    for grid, others in enumerate(mirrors()):
        allowed[grid, [grid, 0, *(SIDE * down + right for down, right in others)]] = 0
    return allowed / allowed.sum(axis=1, keepdims=True)


def amplitudes(steps: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """First harmonic of what is left of clusters at multiples of a step, 0 to 1.

    steps : (..., frequencies); noise : (frequencies,) standard deviations
    """
    left = np.exp(-2 * np.square(np.pi * noise / np.maximum(steps, 1)))
    told: np.ndarray = np.where((steps > 1) & (left >= LEAST_AMPLITUDE), left, 0.0)
    return told


def coefficient_plane(pixels: np.ndarray, frequency: tuple[int, int]) -> np.ndarray:
    """(rows, cols) float32: one DCT coefficient of the 8 x 8 window that begins at each pixel."""
    import cv2

    basis = dct_basis().astype(np.float32)
    vertical, horizontal = frequency
    plane: np.ndarray = cv2.sepFilter2D(
        pixels, cv2.CV_32F, basis[horizontal], basis[vertical], anchor=(0, 0), borderType=cv2.BORDER_REFLECT
    )
    return plane


def cosine_table(steps: np.ndarray, *, mean: bool) -> np.ndarray:
    """(bins, steps) float32: the first harmonic of each step, for sizes in 1 / FINENESS.

    Where a coefficient other than the mean would have become 0, which is a multiple of
    every step, it counts nothing.
    """
    size = np.arange(int((LARGEST if mean else LARGEST_AC) * FINENESS))[:, None] / FINENESS
    values = np.cos(2 * np.pi * size / steps)
    if not mean:
        values *= size > steps / 2
    return values.astype(np.float32)


def tile_places(length: int) -> np.ndarray:
    """Where tiles begin along an axis, all that fit."""
    return np.arange((length - SIDE + 1) // (TILE * SIDE)) * (TILE * SIDE)


def gathered(
    pixels: np.ndarray, tops: np.ndarray, lefts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tiles that begin at these rows and columns, set side by side, and where they begin there.

    Each has a margin of one block below and to the right, less one pixel.
    """
    side = (TILE + 1) * SIDE
    within = np.arange(side)
    rows, cols = (
        np.minimum(starts[:, None] + within, length - 1).ravel()
        for starts, length in zip((tops, lefts), pixels.shape, strict=True)
    )
    return pixels[rows[:, None], cols], np.arange(len(tops)) * side, np.arange(len(lefts)) * side


def fits(pixels: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """How well the steps of each quality fit each grid in each tile.

    Parameters
    ----------
    pixels : (rows, cols) float32, luma less 128, neither rounded nor clipped
    noise : (frequencies,) float64
        Standard deviation that the file's own compression leaves on other grids.

    Returns
    -------
    (tile rows, tile cols, 64, qualities) float32
        Sum of the first harmonics, weighted by their expected amplitudes, less the mean
        over the grids that mirror it. Where the picture is large, of some tiles only.
    """
    from forensix.native.period_sums import period_sums

    tops, lefts = (tile_places(length) for length in pixels.shape)
    # Of a large picture, every second (third ...) row and column of tiles.
    times = len(tops) * len(lefts) * (TILE * SIDE) ** 2 / PIXELS_SEARCHED
    down = max(1, int(np.ceil(np.sqrt(times))))
    across = max(1, int(np.ceil(times / down)))
    pixels, tops, lefts = gathered(pixels, tops[down // 2 :: down], lefts[across // 2 :: across])
    weight = amplitudes(tables(), noise)
    total = np.zeros((len(tops), len(lefts), GRIDS, len(QUALITIES)), np.float32)
    for f in range(SEARCHED):
        steps, column = np.unique(tables()[:, f], return_inverse=True)
        told = np.flatnonzero(np.bincount(column, weights=weight[:, f]) > 0)
        if not told.size:
            continue
        table = cosine_table(steps[told], mean=f == 0)
        plane = coefficient_plane(pixels, FREQUENCIES[f])
        sums = period_sums(plane, table, tops, lefts, blocks=TILE, fineness=FINENESS)
        spread = np.zeros((len(told), len(QUALITIES)), np.float32)
        place = np.searchsorted(told, column).clip(0, len(told) - 1)
        spread[place, np.arange(len(QUALITIES))] = weight[:, f]
        total += sums @ spread
    return np.matmul(mirror_weights(), total)


def excesses(fit: np.ndarray, least: np.ndarray) -> np.ndarray:
    """By how many standard deviations of the other grids each grid fits better.

    fit : (..., 64, qualities), a sum over a window
    least : (qualities,) variance below which the spread of the others is not believed
    """
    variance = np.matmul(controls(), np.square(fit))
    told: np.ndarray = fit / np.sqrt(np.maximum(variance, least))
    return told


def windows(fit: np.ndarray, side: int) -> np.ndarray:
    """Sums over windows of side x side tiles that overlap by half."""
    step = max(side // 2, 1)
    sums = np.cumsum(np.pad(fit, ((1, 0), (0, 0), (0, 0), (0, 0)))[:], axis=0, dtype=np.float32)
    down = sums[side::step] - sums[:-side:step]
    sums = np.cumsum(np.pad(down, ((0, 0), (1, 0), (0, 0), (0, 0))), axis=1, dtype=np.float32)
    across: np.ndarray = sums[:, side::step] - sums[:, :-side:step]
    return across


def candidates(fit: np.ndarray, noise: np.ndarray, *, most: int) -> list[Candidate]:
    """The grids that fit best in any window, the most evident first, one table each."""
    from scipy.special import log_ndtr

    weight = np.square(amplitudes(tables(), noise)[:, :SEARCHED]).sum(axis=1)
    least = (FEWEST * weight + 1e-3).astype(np.float32)
    best = np.zeros((GRIDS, len(QUALITIES)))
    tests = 0
    levels = [fit.sum(axis=(0, 1))[None, None]]
    levels += [
        windows(fit, side) for side in WINDOWS if side < max(fit.shape[:2]) and side <= min(fit.shape[:2])
    ]
    for level in levels:
        tests += level.shape[0] * level.shape[1] * GRIDS * len(QUALITIES)
        np.maximum(best, excesses(level, least).max(axis=(0, 1)), out=best)
    best[self_mirrored().ravel()] /= HALFWAY_RANK
    found = []
    for grid in np.argsort(-best.max(axis=1))[:most]:
        quality = int(best[grid].argmax())
        excess = float(best[grid, quality])
        alarms = float((np.log(tests) + log_ndtr(-excess)) / np.log(10))
        found.append(Candidate(int(grid), tables()[quality], QUALITIES[quality], excess, alarms))
    return found
