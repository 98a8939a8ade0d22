"""Areas in which red and blue lie otherwise than the lens puts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.camera._lens_cells import Shifts
from forensix.detectors.camera._lens_model import SmoothField
from forensix.detectors.camera._window_verdict import window_sums

SIDES = (6, 8, 12, 16)  # cells, of the windows looked at
OUTLINE = 3  # cells, side of the square around each for the outline
LEAST_CLEAR = 0.3  # of a clear cell; with less around, nothing is said
OUTLYING = 1.0  # standard deviations, from which on a cell counts less: about a median of the window's cells
FEWEST = 12  # cells of a window that must be known, in each channel that speaks
FLOOR = 0.035  # pixels of the reduced picture, by which real lenses and contents stray from a smooth field
MOST_KEPT = 1.2  # of the lens's shift; less of it is left where compression took the colours' detail
LARGEST = 0.4  # of the picture; beyond it, which part is the foreign one cannot be said
SHARPNESS = 8.0  # nats that the map leans by where it is plain
NEAR = 3  # cells around the worst window to which its area may reach


@dataclass(frozen=True, eq=False)
class LocalShifts:
    """One channel's shifts in all windows of one size; arrays go by the window's first cell.

    shift : (rows, cols, 2) float64, mean, pixels
    expected : (rows, cols, 2) float64, what the smooth field gives there
    precision : (rows, cols, 2, 2) float64, inverse covariance of `shift`
    known : (rows, cols) bool
    """

    shift: np.ndarray
    expected: np.ndarray
    precision: np.ndarray
    known: np.ndarray

    @property
    def astray(self) -> np.ndarray:
        """(rows, cols) float64: squared standard deviations from what the lens could give, 0 where unknown.

        That is anything from no shift to a little more than the lens's: demosaicking and
        compression pull colours back to the luma's edges, here more, there less.
        """
        pulled = (self.precision @ self.expected[..., None])[..., 0]
        along = (pulled * self.shift).sum(axis=-1)
        kept = np.clip(along / np.maximum((pulled * self.expected).sum(axis=-1), 1e-9), 0, MOST_KEPT)
        away = self.shift - kept[..., None] * self.expected
        squared = ((self.precision @ away[..., None])[..., 0] * away).sum(axis=-1)
        return np.where(self.known, squared, 0.0)


@dataclass(frozen=True, eq=False)
class LensVerdict:
    """The window that strays most from the lens, and the area around it that strays alike.

    distance : of that window, standard deviations, of red and blue together
    area : (rows, cols) bool, cells
    nats : (rows, cols) float64, leaning to that window's shift rather than the lens's; NaN where unknown
    apart : (2,) float64, pixels between the shifts in the window and the lens's, red and blue
    """

    distance: float
    area: np.ndarray
    nats: np.ndarray
    apart: np.ndarray


def cell_sums(shifts: Shifts, field: SmoothField) -> np.ndarray:
    """What :func:`local_shifts` needs of each cell, summed over all rows above and columns before.

    Returns
    -------
    (rows + 1, cols + 1, 23) float64
    """
    left = shifts.shift - field.expected
    away = np.einsum("...i,...ij,...j->...", left, shifts.information, left) / field.scale
    weights = 1 / np.maximum(np.sqrt(away) / OUTLYING, 1) / field.scale
    information = shifts.information * weights[..., None, None]
    a, b, c = information[..., 0, 0], information[..., 0, 1], information[..., 1, 1]
    p, q = (information[..., i, 0] * left[..., 0] + information[..., i, 1] * left[..., 1] for i in (0, 1))
    e, f = (
        information[..., i, 0] * field.expected[..., 0] + information[..., i, 1] * field.expected[..., 1]
        for i in (0, 1)
    )
    parts = (shifts.known, a, b, c, p, q, e, f, p * p, p * q, q * q, p * a, p * b, p * c, q * a, q * b, q * c)
    whole = np.zeros((a.shape[0] + 1, a.shape[1] + 1, 23))
    whole[1:, 1:] = np.stack([*parts, a * a, a * b, a * c, b * b, b * c, c * c], -1)
    return whole.cumsum(axis=0).cumsum(axis=1)


def local_shifts(sums: np.ndarray, side: int, floor: float) -> LocalShifts:
    """Means over all windows of side x side cells.

    Their covariance is the sum of what single cells are known by, of how much they scatter in
    the window itself (so that one strange edge cannot speak for all), and of `floor` squared.

    sums : from :func:`cell_sums`
    floor : pixels
    """
    windows = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    number, a, b, c, p, q, e, f = (windows[..., k] for k in range(8))
    ridge = 1e-3 * (a + c) + 1e-9
    inverse = _inverse(_symmetric(a + ridge, b, c + ridge))
    strayed = (inverse @ np.stack([p, q], -1)[..., None])[..., 0]
    expected = (inverse @ np.stack([e, f], -1)[..., None])[..., 0]
    scatter = _scatter(windows[..., 8:], strayed) * (number / np.maximum(number - 4, 1))[..., None, None]
    covariance = inverse + inverse @ scatter @ inverse + floor**2 * np.eye(2)
    return LocalShifts(expected + strayed, expected, _inverse(covariance), number > FEWEST - 0.5)


def _scatter(windows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Sum over each window of the outer squares of what its cells pull beside its mean.

    A cell of information ((a, b), (b, c)) that pulls (p, q) pulls (p - a x - b y, q - b x - c y)
    beside a mean of (x, y); squared and multiplied out.

    windows : (rows, cols, 15) float64, sums of products of two of a, b, c, p, q
    """
    pp, pq, qq, pa, pb, pc, qa, qb, qc, aa, ab, ac, bb, bc, cc = (windows[..., k] for k in range(15))
    x, y = mean[..., 0], mean[..., 1]
    first = pp - 2 * (x * pa + y * pb) + x * x * aa + 2 * x * y * ab + y * y * bb
    last = qq - 2 * (x * qb + y * qc) + x * x * bb + 2 * x * y * bc + y * y * cc
    off = pq - x * (pb + qa) - y * (pc + qb) + x * x * ab + x * y * (ac + bb) + y * y * bc
    return _symmetric(np.maximum(first, 0), off, np.maximum(last, 0))


def _symmetric(first: np.ndarray, off: np.ndarray, last: np.ndarray) -> np.ndarray:
    """(..., 2, 2) matrices from their entries."""
    matrices = np.empty((*first.shape, 2, 2))
    matrices[..., 0, 0], matrices[..., 1, 1] = first, last
    matrices[..., 0, 1] = matrices[..., 1, 0] = off
    return matrices


def _inverse(matrices: np.ndarray) -> np.ndarray:
    """Of symmetric (..., 2, 2); ten times as fast as the general one."""
    first, off, last = matrices[..., 0, 0], matrices[..., 0, 1], matrices[..., 1, 1]
    determinant = first * last - off**2
    return _symmetric(last / determinant, -off / determinant, first / determinant)


def lens_verdict(
    shifts: tuple[Shifts, Shifts], fields: tuple[SmoothField, SmoothField], reduction: int
) -> LensVerdict | None:
    """The area whose colours are displaced least like the rest's; None where no window could tell.

    reduction : pixels of the picture along the side of one of the reduced picture
    """
    shape = shifts[0].known.shape
    floor = FLOOR * reduction
    sums = [cell_sums(*channel) for channel in zip(shifts, fields, strict=True)]
    worst, place, told = 0.0, (0, 0, 0), False
    apart: list[np.ndarray] = []
    for side in SIDES:
        if side > min(shape):
            break
        both = [local_shifts(channel, side, floor) for channel in sums]
        told |= any(bool(local.known.any()) for local in both)
        astray = both[0].astray + both[1].astray
        row, col = np.unravel_index(int(np.argmax(astray)), astray.shape)
        if astray[row, col] > worst:
            worst, place = float(astray[row, col]), (side, int(row), int(col))
            apart = [(local.shift - local.expected)[row, col] * local.known[row, col] for local in both]
    if not told or not worst:
        return None
    nats = _outline_nats(shifts, fields, apart)
    area = _area(np.nan_to_num(nats) > 0, *place)
    return LensVerdict(float(np.sqrt(worst)), area, nats, np.linalg.norm(apart, axis=1))


def _outline_nats(
    shifts: tuple[Shifts, Shifts], fields: tuple[SmoothField, SmoothField], apart: list[np.ndarray]
) -> np.ndarray:
    """Around each cell: above 0 where the shifts are nearer to the worst window's than to the lens's.

    Cell by cell, since in a window over an outline the larger part would win.
    """
    along = np.zeros(shifts[0].known.shape)
    weight = np.zeros(shifts[0].known.shape)
    for channel, field, away in zip(shifts, fields, apart, strict=True):
        length = float(away @ away)
        if length == 0:
            continue
        share = np.clip((channel.shift - field.expected) @ away / length, -1, 2)
        clearness = (channel.information @ away) @ away / field.scale
        clearness /= 1 + clearness
        along += clearness * share
        weight += clearness
    around = (OUTLINE // 2, OUTLINE // 2)
    along, weight = (window_sums(np.pad(part, around), OUTLINE) for part in (along, weight))
    nats = np.clip(SHARPNESS * (along / np.maximum(weight, 1e-9) - 0.5), -SHARPNESS, SHARPNESS)
    return np.where(weight > LEAST_CLEAR, nats, np.nan)


def _area(alike: np.ndarray, side: int, row: int, col: int) -> np.ndarray:
    """The cells alike that hang together with the worst window; that window where there are none."""
    from scipy import ndimage

    window = np.zeros(alike.shape, bool)
    window[row : row + side, col : col + side] = True
    near = ndimage.binary_dilation(window, iterations=NEAR + side // 2)
    groups, _ = ndimage.label(alike & near)
    kept = np.unique(groups[window & (groups > 0)])
    area: np.ndarray = np.isin(groups, kept) & (groups > 0)
    area = ndimage.binary_fill_holes(area)
    return area if area.any() else window
