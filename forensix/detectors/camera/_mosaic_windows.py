"""Where the pattern of a picture's own filter array is missing: cells, windows, and its presence at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.camera._window_verdict import SIDES, Windows, window_sums
from forensix.signal.mosaic_trace import GREEN_DIAGONALS

LEVELS = 8  # classes of blocks by the strength of their residuals
FEWEST = 200  # blocks that can tell
MOST_AWAY = 4.0  # median absolute deviations at which a contrast is cut
RIDGE = 0.02  # of the mean variance
NEAR = 3  # blocks around the windows decided on, to which their area may reach
SURE = 8.0  # standard deviations of the sign test
LEAST_CONTRAST = (
    0.08  # natural logarithm; generated pictures reach .05, photos straight from an array .09 to 2
)
ABLE = 3.0  # standard deviations that must be expected of a block's surroundings
ERROR = 0.15  # of what is expected, by which it may be wrong


@dataclass(frozen=True, eq=False)
class Trace:
    """The pattern of the whole picture.

    diagonal : median contrast between the diagonals of green, natural logarithm
    significance : by how many standard deviations the signs of that contrast are one-sided
    blocks : that could tell
    """

    diagonal: float
    significance: float
    blocks: int

    @property
    def present(self) -> bool:
        """True where chance, generators and codecs hardly leave as much."""
        return self.significance >= SURE and abs(self.diagonal) >= LEAST_CONTRAST


@dataclass(frozen=True, eq=False)
class MosaicCells:
    """Per block of 8 x 8 pixels, (rows, cols) float64, 0 where it cannot tell.

    found : how much of the picture's pattern, over the variance
    expected : what the picture's other blocks of the kind have
    variance : of `found`
    """

    found: np.ndarray
    expected: np.ndarray
    variance: np.ndarray


def whole_trace(contrasts: np.ndarray, told: np.ndarray) -> Trace:
    """Whether green was measured on one diagonal of the lattices, all over the picture.

    A sign test: without an array, each block's contrast has either sign as often. Generators
    and codecs leave faint periods too, so that the contrast must also have a size.

    contrasts : (rows, cols, 15) float32
    told : (rows, cols) bool, blocks that are neither clipped nor flat
    """
    diagonals = contrasts[told][:, GREEN_DIAGONALS]
    if diagonals.size < FEWEST:
        return Trace(0.0, 0.0, int(diagonals.size))
    balance = float(np.mean(np.sign(diagonals), dtype=np.float64))
    return Trace(float(np.median(diagonals)), abs(balance) * float(np.sqrt(diagonals.size)), diagonals.size)


def mosaic_cells(contrasts: np.ndarray, level: np.ndarray, told: np.ndarray) -> MosaicCells:
    """Project every block on the pattern of the picture itself.

    The direction is the best linear one to tell the picture's median contrasts from none.
    What is expected is learned for blocks of equally strong residuals: rounding hides the
    pattern where they are weak.

    contrasts : (rows, cols, 5) float32, those of one kind (rows, columns or diagonals), since a
        pattern out of place changes the signs of two of the three kinds, and keeps the third
    level : (rows, cols) float32
    told : (rows, cols) bool
    """
    points = contrasts[told].astype(np.float64)
    centre = np.median(points, axis=0)
    spread = 1.4826 * np.median(np.abs(points - centre), axis=0) + 1e-6
    scatter = np.cov(np.clip(points, centre - MOST_AWAY * spread, centre + MOST_AWAY * spread).T)
    scatter += RIDGE * np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    along = points @ np.linalg.solve(scatter, centre)
    order = np.argsort(level[told], kind="stable")
    expected, variance = np.zeros(along.size), np.ones(along.size)
    for part in np.array_split(order, LEVELS):
        median = float(np.median(along[part]))
        # Not cut closer than where the opposite pattern would lie.
        deviation = 1.4826 * float(np.median(np.abs(along[part] - median))) + 1e-6
        reach = max(deviation, abs(median) / 2)
        expected[part], variance[part] = max(median, 0.0), deviation**2
        along[part] = np.clip(along[part], median - MOST_AWAY * reach, median + MOST_AWAY * reach)
    cells = [np.zeros(told.shape) for _ in range(3)]
    for cell, values in zip(cells, (along * expected, expected**2, expected**2), strict=True):
        cell[told] = values / variance
    return MosaicCells(*cells)


def missing_windows(kinds: list[MosaicCells]) -> list[Windows]:
    """How strongly the pattern is missing from every window of every size.

    Where there is no pattern, all three kinds of contrasts are missing, and where it is out of
    place, two; edges and textures that hide one kind leave the others. A window is therefore
    as strong as its second kind.

    kinds : of rows, columns and diagonals
    """
    windows: list[Windows] = []
    scatters = [dispersion(cells, SIDES[0]) for cells in kinds]
    for side in SIDES:
        if side > min(kinds[0].found.shape):
            break
        strengths, utmosts = [], []
        for cells, scatter in zip(kinds, scatters, strict=True):
            found, expected = window_sums(cells.found, side), window_sums(cells.expected, side)
            variance = window_sums(cells.variance, side) * scatter
            spread = np.sqrt(np.maximum(variance, 1e-9) + (ERROR * expected) ** 2)
            strengths.append((expected - np.maximum(found, 0)) / spread)
            utmosts.append(expected / spread)
        windows.append(Windows(side, _middle(*strengths), _middle(*utmosts)))
    return windows


def _middle(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    """The second largest of three, place by place."""
    middle: np.ndarray = np.maximum(np.minimum(first, second), np.minimum(np.maximum(first, second), third))
    return middle


def dispersion(cells: MosaicCells, side: int) -> float:
    """By how much window sums scatter more than independent blocks would; at least 1."""
    found, expected, variance = (
        window_sums(part, side)[::side, ::side] for part in (cells.found, cells.expected, cells.variance)
    )
    able = variance > 0
    if np.count_nonzero(able) < 8:
        return 1.0
    away = (found - expected)[able] / np.sqrt(variance[able])
    return max(1.0, float((1.4826 * np.median(np.abs(away - np.median(away)))) ** 2))


def lack(kinds: list[MosaicCells], side: int) -> np.ndarray:
    """How much of the pattern is lacking around every block, in the kind of contrast that lacks most.

    Parameters
    ----------
    kinds : of rows, columns and diagonals
    side : blocks, of the square around each

    Returns
    -------
    (rows, cols) float64
        0 to 1; NaN where nothing of the pattern could be expected.
    """
    import cv2

    best = np.full(kinds[0].found.shape, np.nan)
    for cells in kinds:
        found, expected, variance = (
            cv2.boxFilter(part, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
            for part in (cells.found, cells.expected, cells.variance)
        )
        able = expected > ABLE * np.sqrt(np.maximum(variance, 1e-9))
        share = np.clip(1 - found / np.maximum(expected, 1e-9), 0, 1)
        best = np.fmax(best, np.where(able, share, np.nan))
    return best


def outline(decided: np.ndarray, lacking: np.ndarray) -> np.ndarray:
    """The area that belongs to the windows decided on: connected blocks that lack more than half of the pattern.

    decided : (rows, cols) bool
    lacking : (rows, cols) float64, from :func:`lack`

    Returns (rows, cols) bool; the windows themselves where no such area is left.
    """
    from scipy import ndimage

    if not decided.any():
        return decided
    near = ndimage.binary_dilation(decided, iterations=NEAR)
    area = near & (np.nan_to_num(lacking) > 0.5)
    groups, _ = ndimage.label(area)
    kept = np.unique(groups[decided & area])
    area = ndimage.binary_fill_holes(ndimage.binary_opening(np.isin(groups, kept[kept > 0]), iterations=2))
    return area if area.any() else decided
