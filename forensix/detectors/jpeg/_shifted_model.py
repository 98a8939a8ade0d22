"""The first harmonics of the blocks of a shifted grid, and what is expected of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from forensix.detectors.jpeg._shifted_search import FREQUENCIES
from forensix.signal.block_dct import SIDE, dct_basis

CLASSES = 4  # of blocks, by how busy they are
# Coefficients that the expected amplitude weighs as much as, when the measured one is taken.
PRIOR_COUNT = 20.0
LARGEST_AMPLITUDE = 0.95


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


class Harmonics:
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

    def ordered(self, order: np.ndarray) -> Harmonics:
        """The same, its blocks in another order."""
        self.values, self.kept = self.values[:, order], self.kept[:, order]
        return self

    def means(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and number of each frequency's harmonics over the blocks chosen, (blocks,) float32."""
        number = self.kept @ chosen
        return (self.values @ chosen) / np.maximum(number, 1), number


class Model:
    """What is expected of each frequency and class of blocks, and the evidence that follows.

    Blocks are held in the order of their activity, so that the classes are slices.
    """

    def __init__(self, own: Harmonics, mirrored: list[Harmonics], expected: np.ndarray) -> None:
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

    def evidence(self, seen: Harmonics) -> tuple[np.ndarray, np.ndarray]:
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
