"""Which blocks of a shifted grid carry the traces of an earlier compression on it.

Under that compression the first harmonic of a coefficient, ``cos(2 pi x / step)``, has a
mean that the noise of the later compression decides; without it, the mean that it has on
the grids which mirror this one. Either way its variance is about one half, so that the
log-likelihood ratio is close to linear in it, and no single coefficient can say much.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forensix.detectors.jpeg._grid_phase import mirrors
from forensix.detectors.jpeg._shifted_search import (
    FREQUENCIES,
    GRIDS,
    QUALITIES,
    WINDOWS,
    Candidate,
    amplitudes,
)
from forensix.signal.block_dct import SIDE, dct_basis

CLASSES = 4  # of blocks, by how busy they are
# Coefficients that the expected amplitude weighs as much as, when the measured one is taken.
PRIOR_COUNT = 20.0
PARTS_OF_AMPLITUDE = (1.0, 0.7, 0.5)  # of the expected one, tried first
ROUNDS = 2
AROUND = 5  # blocks on a side
LARGEST_AMPLITUDE = 0.95
LOUDEST = 6.0  # nats, of one block
CONNECTIVE = float(np.log(2.638))  # polygons on a square lattice grow 2.638-fold per unit of perimeter
FALSE_ALARMS = 1e-3
REGIONS_EXAMINED = 12
DISPERSION_SIDE = 4  # blocks on a side of the windows whose spread is compared with that of their blocks
FEWEST = 16  # blocks
TABLES_TRIED = GRIDS * len(QUALITIES) * len(WINDOWS)


@dataclass(frozen=True, eq=False)
class ShiftedMap:
    """What the blocks of one shifted grid say.

    candidate : the grid and the steps
    evidence : (rows, cols) float32, nats a block for an earlier compression on the grid
    belief : (rows, cols) float32, the neighbours' included
    judged : (rows, cols) bool
    majority : "with" or "without" that compression
    regions : (rows, cols) int32, the parts that evidently differ from the majority, from 1
    log10_alarms : of the most evident part, base-10 logarithm; None without any part
    amplitude : mean first harmonic, 0 to 1, of the blocks with that compression
    """

    candidate: Candidate
    evidence: np.ndarray
    belief: np.ndarray
    judged: np.ndarray
    majority: str
    regions: np.ndarray
    log10_alarms: float | None
    amplitude: float


def low_coefficients(pixels: np.ndarray, grid: int) -> np.ndarray:
    """(frequencies, rows, cols) float32: the DCT coefficients compared, of the blocks of one grid.

    As many rows and columns of blocks as every grid has.
    """
    vertical, horizontal = np.array(FREQUENCIES).T
    basis = dct_basis()[: vertical.max() + 1].astype(np.float32)
    down, right = divmod(grid, SIDE)
    rows, cols = ((length - SIDE + 1) // SIDE for length in pixels.shape)
    inside = pixels[down : down + rows * SIDE, right : right + cols * SIDE].reshape(rows, SIDE, cols * SIDE)
    half = np.matmul(basis, inside).reshape(rows, len(basis), cols, SIDE) @ basis.T
    return np.ascontiguousarray(half.transpose(1, 3, 0, 2)[vertical, horizontal])


class _Harmonics:
    """The first harmonics of the blocks of one grid.

    values, kept : (frequencies, blocks) float32; kept is 1 where a coefficient tells, else 0
    activity : (blocks,) float32
    """

    def __init__(self, pixels: np.ndarray, grid: int, steps: np.ndarray, usable: np.ndarray | None) -> None:
        coefficients = low_coefficients(pixels, grid)
        self.shape = coefficients.shape[1:]
        step = steps[:, None, None].astype(np.float32)
        size = np.abs(coefficients)
        kept = (size > step / 2) & (step > 1)
        # Where the mean stays within half a step it says the same thing again.
        kept[0] = step[0] > 1
        kept[0, 1:] &= np.abs(np.diff(coefficients[0], axis=0)) > step[0] / 2
        kept[0, :, 1:] &= np.abs(np.diff(coefficients[0], axis=1)) > step[0] / 2
        if usable is not None:
            kept &= usable[: self.shape[0], : self.shape[1]]
        self.kept = kept.reshape(len(steps), -1).astype(np.float32)
        size *= (2 * np.pi) / step
        self.values = np.cos(size, out=size).reshape(len(steps), -1)
        self.values *= self.kept
        self.activity = np.abs(coefficients[1:]).sum(axis=0).ravel()

    def ordered(self, order: np.ndarray) -> _Harmonics:
        """The same, its blocks in another order."""
        self.values, self.kept = self.values[:, order], self.kept[:, order]
        return self

    def means(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and number of each frequency's harmonics over the blocks chosen, (blocks,) float32."""
        number = self.kept @ chosen
        return (self.values @ chosen) / np.maximum(number, 1), number


class _Model:
    """What is expected of each frequency and class of blocks, and the evidence that follows.

    Blocks are held in the order of their activity, so that the classes are slices.
    """

    def __init__(self, own: _Harmonics, mirrored: list[_Harmonics], expected: np.ndarray) -> None:
        self.shape = own.shape
        self.order = np.argsort(own.activity, kind="stable")
        self.own = own.ordered(self.order)
        self.mirrored = [seen.ordered(self.order) for seen in mirrored]
        edges = np.arange(CLASSES + 1) * len(self.order) // CLASSES
        self.classes = [slice(start, stop) for start, stop in pairwise(edges)]
        self.without = np.array([self._without(inside) for inside in self.classes])
        self.expected = expected
        self.gain = np.tile(expected, (CLASSES, 1))

    def _without(self, inside: slice) -> np.ndarray:
        """(frequencies,) mean harmonic on the mirrored grids, of one class."""
        total = sum(seen.values[:, inside].sum(axis=1) for seen in self.mirrored)
        number = sum(seen.kept[:, inside].sum(axis=1) for seen in self.mirrored)
        mean: np.ndarray = np.divide(total, number + PRIOR_COUNT)
        return mean

    def learn(self, chosen: np.ndarray) -> None:
        """Take the amplitudes from the blocks chosen; each class leans on all, all on what was expected."""
        weight = chosen.ravel()[self.order].astype(np.float32)
        total, number = self.own.means(weight)
        overall = (number * total + PRIOR_COUNT * self.expected) / (number + PRIOR_COUNT)
        only = np.zeros_like(weight)
        for nth, inside in enumerate(self.classes):
            only[:] = 0
            only[inside] = weight[inside]
            mean, count = self.own.means(only)
            taken = (count * mean + PRIOR_COUNT * overall) / (count + PRIOR_COUNT)
            self.gain[nth] = np.clip(taken - self.without[nth], 0, LARGEST_AMPLITUDE) * (self.expected > 0)

    def evidence(self, seen: _Harmonics) -> tuple[np.ndarray, np.ndarray]:
        """(rows, cols) nats of each block for the compression, and how many it would give on average."""
        nats, power = np.empty(self.order.shape, np.float32), np.empty(self.order.shape, np.float32)
        for nth, inside in enumerate(self.classes):
            gain, without = self.gain[nth].astype(np.float32), self.without[nth].astype(np.float32)
            values, kept = seen.values[:, inside], seen.kept[:, inside]
            power[inside] = np.square(gain) @ kept
            nats[inside] = (2 * gain) @ values - (2 * gain * without) @ kept - power[inside]
        return self._placed(nats), self._placed(power)

    def _placed(self, values: np.ndarray) -> np.ndarray:
        placed = np.empty_like(values)
        placed[self.order] = values
        return placed.reshape(self.shape)


def shifted_map(
    pixels: np.ndarray, candidate: Candidate, *, noise: np.ndarray, usable: np.ndarray | None = None
) -> ShiftedMap:
    """Tell the blocks of a shifted grid with traces of an earlier compression from those without.

    Parameters
    ----------
    pixels : (rows, cols) float32, luma less 128
    candidate : from :func:`~forensix.detectors.jpeg._shifted_search.candidates`
    noise : (frequencies,) float64, standard deviation that the later compression left
    usable : (rows, cols) bool or None
        Blocks of that grid that are not clipped; at least as many as all grids have.
    """
    own = _Harmonics(pixels, candidate.grid, candidate.steps, usable)
    mirrored = [
        _Harmonics(pixels, SIDE * down + right, candidate.steps, usable)
        for down, right in mirrors()[candidate.grid]
    ]
    model = _Model(own, mirrored, amplitudes(candidate.steps, noise))
    likely = _first_guess(model)
    nats, power = model.evidence(own)
    belief = np.zeros(nats.shape, np.float32)
    for _ in range(ROUNDS):
        if np.count_nonzero(likely) < FEWEST:
            break
        model.learn(likely)
        nats, power = model.evidence(own)
        belief = _field(nats)
        likely = belief > 0
    judged = power > 0
    count = np.count_nonzero(judged)
    majority = "with" if np.count_nonzero(judged & (belief > 0)) > count / 2 else "without"
    against = [model.evidence(seen)[0] for seen in mirrored]
    regions, alarms = _decide(nats, power, belief, against, majority)
    amplitude = float(np.sqrt(np.square(model.gain).mean()))
    return ShiftedMap(candidate, nats, belief, judged, majority, regions, alarms, amplitude)


def _first_guess(model: _Model) -> np.ndarray:
    """(rows, cols) bool: blocks whose surroundings speak for the compression.

    Under the part of the expected amplitudes that finds most evidence.
    """
    from scipy.ndimage import uniform_filter

    best, found = -1.0, np.zeros(model.shape, bool)
    for part in PARTS_OF_AMPLITUDE:
        model.gain[:] = part * model.expected
        nats, _ = model.evidence(model.own)
        around = uniform_filter(np.clip(nats, -LOUDEST, LOUDEST), AROUND)
        total = float(around[around > 0].sum())
        if total > best:
            best, found = total, around > 0
    return found


def _field(nats: np.ndarray) -> np.ndarray:
    from forensix.native.two_label_field import two_label_field

    return two_label_field(np.clip(nats, -LOUDEST, LOUDEST), coupling=CONNECTIVE)


def _decide(
    nats: np.ndarray, power: np.ndarray, belief: np.ndarray, against: list[np.ndarray], majority: str
) -> tuple[np.ndarray, float | None]:
    """The parts that differ from the majority more than chance explains, and the best one's alarms.

    The evidence of a part is what it has beyond the best of the mirrored grids there, and is
    divided by how much more the majority's windows vary than independent blocks would.
    """
    from scipy import ndimage

    sign = -1 if majority == "with" else 1
    labels, count = ndimage.label(sign * belief > 0)
    regions = np.zeros(belief.shape, np.int32)
    if not count:
        return regions, None
    rest = sign * belief <= 0
    dispersion = over_dispersion(nats, power, rest)
    strength = ndimage.sum_labels(sign * nats, labels, np.arange(1, count + 1))
    found = []
    for nth in np.argsort(-strength, kind="stable")[:REGIONS_EXAMINED]:
        inside = labels == nth + 1
        told = float(strength[nth])
        if sign > 0:
            told -= max([0.0, *(float(other[inside].sum()) for other in against)])
        choices = np.log(belief.size * TABLES_TRIED) + _perimeter(inside) * CONNECTIVE
        found.append(((choices - told / dispersion) / np.log(10), nth + 1))
    found.sort()
    for number, (alarms, label) in enumerate(found, start=1):
        if alarms < np.log10(FALSE_ALARMS):
            regions[labels == label] = number
    return regions, float(found[0][0])


def over_dispersion(nats: np.ndarray, power: np.ndarray, chosen: np.ndarray) -> float:
    """By which factor sums over windows vary more than their blocks would if they were independent; 1 or more.

    power : (rows, cols), half the variance that each block's nats should have
    """
    side = DISPERSION_SIDE
    rows, cols = (length // side * side for length in nats.shape)
    if not rows or not cols:
        return 1.0

    def sums(values: np.ndarray) -> np.ndarray:
        tiles = values[:rows, :cols].reshape(rows // side, side, cols // side, side)
        total: np.ndarray = tiles.sum(axis=(1, 3), dtype=np.float64)
        return total

    full = sums(chosen) == side * side
    spread = sums(2 * power)[full]
    told = spread > 1e-6
    if np.count_nonzero(told) < FEWEST:
        return 1.0
    mean = float(sums(nats)[full][told].sum() / spread[told].sum())
    excess = np.square(sums(nats)[full][told] - mean * spread[told]) / spread[told]
    return max(1.0, float(excess.mean()))


def _perimeter(inside: np.ndarray) -> int:
    """Number of cell sides between a part and the rest, the picture's edge left out."""
    down = np.count_nonzero(inside[1:] != inside[:-1])
    return int(down + np.count_nonzero(inside[:, 1:] != inside[:, :-1]))
