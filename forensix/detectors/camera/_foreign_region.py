"""Windows of residual sequences, and the connected area of them that differs most from the rest."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from forensix.errors import ParameterError

MODEL = "residual_projection.npz"
CELLS = 8  # a window is 8 x 8 cells of 16 pixels
WINDOWS = 1200  # about as many are looked at, whatever the size
FEWEST_WINDOWS = 60
CELL = 16  # pixels
KNOWN = 0.5  # share of a window's sequences that must be counted
MOST_CLIPPED = 0.1  # share of a window's pixels with a channel that is
BLACK, WHITE = 3, 252
# Cameras take the colour out of deep shadow and of highlights. Where so many of a window's pixels are
# grey, to so many levels, and dark or bright, how colours follow each other is that step's work.
MOST_COLOURLESS, GREY = 0.3, 2
DARK, BRIGHT = 40, 215
SEEDS = (6, 7)  # places tried, down and across
ROUNDS = 8
PRIOR = 30.0  # windows that the learned scatter counts for
LEAST_REGION = 6  # windows
LARGEST_SHARE = 0.4  # of the windows; of two halves neither is foreign
LEAST_REST = 0.25  # share of the windows that must remain to compare with
LIMIT = 20.0  # nats a window can say for either side


@dataclass(frozen=True)
class Projection:
    """Directions in which sources differ more than the parts of one picture.

    mean : (150,) float64
    directions : (150, n) float64
        Scaled so that windows of one picture scatter with variance 1.
    """

    mean: np.ndarray
    directions: np.ndarray


@dataclass(frozen=True, eq=False)
class ForeignRegion:
    """The area that differs most from the rest.

    distance : between the means of area and rest, in standard deviations of the rest; 0
        where there is no such area
    cells : (cell rows, cell cols) bool, the area
    evidence : (cell rows, cell cols) float64, nats for the area's source against the
        rest's; NaN where no window could be judged
    windows : windows judged
    """

    distance: float
    cells: np.ndarray
    evidence: np.ndarray
    windows: int


@cache
def shipped_projection() -> Projection:
    """The projection learned on untouched photos; see models/residual_projection.md."""
    data = resources.files("forensix.models").joinpath(MODEL).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return Projection(file["mean"].astype(np.float64), file["directions"].astype(np.float64))


def window_stride(cell_rows: int, cell_cols: int) -> int:
    """Cells from one window to the next: 1 in small pictures, 2 at 1.2 Mpx, 6 at 12 Mpx."""
    return max(1, round(float(np.sqrt(cell_rows * cell_cols / WINDOWS))))


def window_features(counts: np.ndarray, *, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Square roots of the histograms of every window.

    Parameters
    ----------
    counts : (cell rows, cell cols, planes, directions, bins) uint16
        As from :func:`~forensix.native.residual_histograms.residual_histograms`.
    stride : int
        Cells.

    Returns
    -------
    features : (rows, cols, planes * directions * bins) float32
        Of unit length within each histogram.
    known : (rows, cols) float64
        Share of the luma's sequences that were not left out, 0 to 1.
    """
    if min(counts.shape[:2]) < CELLS:
        raise ParameterError(f"the picture must hold a window of {CELLS} x {CELLS} cells, got {counts.shape}")
    total = _sums(_sums(counts, stride).swapaxes(0, 1), stride).swapaxes(0, 1)
    sequences = total.sum(axis=-1, keepdims=True)
    features = np.sqrt(total / np.maximum(sequences, 1), dtype=np.float32)
    known = sequences[:, :, 0, :, 0].min(axis=-1) / (2 * 256 * CELLS**2)
    return features.reshape(*features.shape[:2], -1), known


def clipped_cells(rgb: np.ndarray) -> np.ndarray:
    """Share of every cell's pixels with a channel near black or white.

    One clipped channel is enough to change how the colour differences look.

    rgb : (rows, cols, 3) uint8; returns (rows // 16, cols // 16) float32
    """
    return _shares(rgb, _clipped)[0]


def colourless_cells(rgb: np.ndarray) -> np.ndarray:
    """Share of every cell's pixels in shadow or highlights whose channels are alike; shapes as above."""
    return _shares(rgb, _colourless)[0]


def unfit_cells(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both :func:`clipped_cells` and :func:`colourless_cells`, in one reading of the picture."""
    clipped, colourless = _shares(rgb, _clipped, _colourless)
    return clipped, colourless


def _clipped(least: np.ndarray, most: np.ndarray) -> np.ndarray:
    found: np.ndarray = (least <= BLACK) | (most >= WHITE)
    return found


def _colourless(least: np.ndarray, most: np.ndarray) -> np.ndarray:
    found: np.ndarray = (most - least <= GREY) & ((most <= DARK) | (least >= BRIGHT))
    return found


def _shares(rgb: np.ndarray, *questions: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> list[np.ndarray]:
    """For each question, the share of every cell's pixels of which it is true.

    Questions are asked with each pixel's least and largest channel.
    """
    rows, cols = rgb.shape[0] // CELL, rgb.shape[1] // CELL
    shares = [np.zeros((rows, cols), np.float32) for _ in questions]
    for row in range(rows):
        strip = rgb[row * CELL : (row + 1) * CELL, : cols * CELL]
        red, green, blue = (strip[..., channel] for channel in range(3))
        least = np.minimum(np.minimum(red, green), blue)
        most = np.maximum(np.maximum(red, green), blue)
        for share, told in zip(shares, questions, strict=True):
            share[row] = told(least, most).reshape(CELL, cols, CELL).mean(axis=(0, 2))
    return shares


def window_means(cells: np.ndarray, *, stride: int) -> np.ndarray:
    """Mean over every window of a quantity known per cell; (rows, cols) float64."""
    windows = np.lib.stride_tricks.sliding_window_view(cells, (CELLS, CELLS))[::stride, ::stride]
    means: np.ndarray = windows.mean(axis=(2, 3))
    return means


def _sums(counts: np.ndarray, stride: int) -> np.ndarray:
    """Sums of CELLS entries along the first axis, every `stride`."""
    cumulated = np.zeros((len(counts) + 1, *counts.shape[1:]), np.int32)
    np.cumsum(counts, axis=0, out=cumulated[1:])
    sums: np.ndarray = (cumulated[CELLS:] - cumulated[:-CELLS])[::stride]
    return sums


def most_foreign_region(
    points: np.ndarray, judged: np.ndarray, *, stride: int = 2
) -> tuple[float, np.ndarray, np.ndarray]:
    """The connected area whose windows lie farthest from those of the rest.

    Two Gaussians with one scatter matrix are fitted by expectation maximisation, once
    from each of a lattice of places; the scatter is learned from the picture itself, with
    the identity as prior. What wins is not the likeliest fit but the one whose largest
    connected area lies farthest from the rest, measured by the scatter of all the rest:
    where the same kind of content lies elsewhere too, that scatter is large.

    Parameters
    ----------
    points : (windows, n) float64
        Projected features of the judged windows, in row order.
    judged : (rows, cols) bool

    Returns
    -------
    distance : float
    region : (rows, cols) bool
    evidence : (rows, cols) float64
        NaN outside `judged`.
    """
    from scipy import ndimage

    placed = np.zeros((*judged.shape, points.shape[1]))
    placed[judged] = points
    none = np.where(judged, 0.0, np.nan)
    best = (0.0, np.zeros_like(judged), none)
    for row in np.unique(np.linspace(1, judged.shape[0] - 2, SEEDS[0]).astype(int)):
        for col in np.unique(np.linspace(1, judged.shape[1] - 2, SEEDS[1]).astype(int)):
            around = np.s_[row - 1 : row + 2, col - 1 : col + 2]
            if not judged[row, col]:
                continue
            ratios = _two_sources(points, placed[around][judged[around]].mean(axis=0))
            if ratios is None:
                continue
            evidence = none.copy()
            evidence[judged] = np.clip(ratios, -LIMIT, LIMIT)
            region = _largest_area(evidence, judged)
            rest = judged & ~ndimage.binary_dilation(region, iterations=max(1, CELLS // (2 * stride)))
            distance = _distance(points, region[judged], rest[judged])
            if distance > best[0]:
                best = (distance, region, evidence)
    return best


def _two_sources(points: np.ndarray, start: np.ndarray) -> np.ndarray | None:
    """Nats for the second of two Gaussians with one scatter; None where the fit comes to nothing."""
    count, dimensions = points.shape
    squares = points.T @ points
    prior = PRIOR * np.eye(dimensions)
    scatter, share = np.eye(dimensions), 0.1
    first, second = points.mean(axis=0), start
    for _ in range(ROUNDS):
        weights = np.linalg.solve(scatter, second - first)
        ratios = (points - (first + second) / 2) @ weights + np.log(share / (1 - share))
        belongs = 1 / (1 + np.exp(-np.clip(ratios, -30, 30)))
        size = float(belongs.sum())
        if not 4 <= size <= LARGEST_SHARE * count:
            return None
        share = size / count
        second = belongs @ points / size
        first = (1 - belongs) @ points / (count - size)
        between = size * np.outer(second, second) + (count - size) * np.outer(first, first)
        scatter = (squares - between + prior) / (count + PRIOR)
    found: np.ndarray = ratios
    return found


def _largest_area(evidence: np.ndarray, judged: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    from forensix.signal.regions import label_regions

    covered = np.maximum(ndimage.uniform_filter(judged.astype(float), 3), 1e-3)
    smooth = ndimage.uniform_filter(np.nan_to_num(evidence), 3) / covered
    labels, _ = label_regions((smooth > 0) & judged)
    area: np.ndarray = labels == 1
    return area


def _distance(points: np.ndarray, inside: np.ndarray, rest: np.ndarray) -> float:
    """Distance of the means, in standard deviations of the rest; never less than 1 each."""
    if inside.sum() < LEAST_REGION or rest.sum() < LEAST_REST * inside.size:
        return 0.0
    apart = points[inside].mean(axis=0) - points[rest].mean(axis=0)
    scatter = np.eye(apart.size) + np.cov(points[rest].T)
    return float(np.sqrt(apart @ np.linalg.solve(scatter, apart)))


def fit_windows(counts: np.ndarray, clipped: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Features of windows all over a picture, bool: which are neither unknown nor clipped, and their stride.

    counts, clipped : as for :func:`foreign_region`
    """
    stride = window_stride(*counts.shape[:2])
    features, known = window_features(counts, stride=stride)
    judged = (known >= KNOWN) & (window_means(clipped, stride=stride) <= MOST_CLIPPED)
    return features, judged, stride


def foreign_region(
    counts: np.ndarray, clipped: np.ndarray, colourless: np.ndarray, projection: Projection
) -> ForeignRegion:
    """The area whose residual sequences differ most from those of the rest.

    Parameters
    ----------
    counts : (cell rows, cell cols, planes, directions, bins) uint16
    clipped, colourless : (cell rows, cell cols) float32
        As from :func:`clipped_cells` and :func:`colourless_cells`.
    projection : Projection

    Returns
    -------
    ForeignRegion
    """
    features, judged, stride = fit_windows(counts, clipped)
    judged &= window_means(colourless, stride=stride) <= MOST_COLOURLESS
    windows = int(judged.sum())
    shape = (counts.shape[0], counts.shape[1])
    if windows < FEWEST_WINDOWS or min(judged.shape) < 3:
        return ForeignRegion(0.0, np.zeros(shape, bool), np.full(shape, np.nan), windows)
    points = (features[judged].astype(np.float64) - projection.mean) @ projection.directions
    distance, region, evidence = most_foreign_region(points, judged, stride=stride)
    inside = np.where(region, evidence, np.where(judged, -LIMIT, np.nan))
    with np.errstate(invalid="ignore"):
        cells = spread(inside, stride, shape) > 0
    return ForeignRegion(distance, cells, spread(evidence, stride, shape), windows)


def spread(values: np.ndarray, stride: int, shape: tuple[int, int]) -> np.ndarray:
    """Mean, at every cell, of the windows that cover it; NaN where there is none."""
    total, covered = np.zeros(shape), np.zeros(shape)
    known = np.isfinite(values)
    filled = np.nan_to_num(values)
    rows, cols = ((side - 1) * stride + 1 for side in values.shape)
    for down in range(CELLS):
        for right in range(CELLS):
            place = np.s_[down : down + rows : stride, right : right + cols : stride]
            total[place] += filled
            covered[place] += known
    if stride > 1:  # the far edge, which no window reaches
        total[rows + CELLS - 1 :], covered[rows + CELLS - 1 :] = (
            total[rows + CELLS - 2],
            covered[rows + CELLS - 2],
        )
        total[:, cols + CELLS - 1 :] = total[:, [cols + CELLS - 2]]
        covered[:, cols + CELLS - 1 :] = covered[:, [cols + CELLS - 2]]
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.where(covered > 0, total / np.maximum(covered, 1), np.nan)
    return mean
