"""Evidence for and against an earlier compression: per block, and per region."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from forensix.detectors.jpeg._ghost_tables import (
    LARGEST_LEVEL,
    TOLERANCE,
    Sizes,
    fitted_sizes,
    level_counts,
    likelihood_table,
)

LARGEST_STEP = 64
# Blocks of like activity share one model of their coefficients' distribution.
MOST_GROUPS, BLOCKS_PER_GROUP = 4, 400
# As many blocks of a group, evenly spread over it, determine the model.
ENOUGH_BLOCKS = 8000

# Levels from here on count as an edge's when the next block has nearly the same.
LEAST_REPEATED = 3

# Blocks are gathered into tiles of 2 x 2: 16 pixels, against Farid's window of 17.
TILE = 2
# About 4.0626 ** n connected regions of n tiles hold a given tile (the growth rate of
# polyominoes); each of them is a test that could have succeeded by chance.
LOG_GROWTH = math.log(4.0626)


class Coefficients:
    """The quantized coefficients of one grid, and how they are distributed.

    Parameters
    ----------
    levels : (rows, cols, 8, 8) int16
    lattice : (8, 8)
        The step the levels count in, grey levels.
    noise : (8, 8)
        Standard deviation of what came between an earlier quantization and this
        one (rounding to pixels, a second compression on another grid).
    usable : (rows, cols) bool
        Blocks that can tell: not clipped. The others give no evidence.
    """

    def __init__(
        self, levels: np.ndarray, lattice: np.ndarray, noise: np.ndarray, usable: np.ndarray
    ) -> None:
        self.shape = (levels.shape[0], levels.shape[1])
        self.lattice = np.asarray(lattice, np.float64).ravel()
        self.noise = np.asarray(noise, np.float64).ravel()
        kept = np.array(levels, np.int16)
        kept[~usable, :, :] = 0
        kept[..., 0, 0] = 0
        # Two readings of the picture: what a test may use, and everything but the mean,
        # which places a region better once it is known.
        self.independent = independent_levels(kept).reshape(-1, 64)
        self.all = kept.reshape(-1, 64)
        activity = np.abs(self.all).astype(np.float32) @ self.lattice.astype(np.float32)
        known = np.flatnonzero(activity > 0)
        known = known[np.argsort(activity[known], kind="stable")]
        count = int(np.clip(len(known) // BLOCKS_PER_GROUP, 1, MOST_GROUPS))
        self.groups = [part for part in np.array_split(known, count) if len(part)]
        self.seen = [
            level_counts(self.all[group[:: max(1, len(group) // ENOUGH_BLOCKS)]]) for group in self.groups
        ]
        self.sizes = [fitted_sizes(seen, self.lattice) for seen in self.seen]

    def evidence(self, steps: np.ndarray, view: str, *, everything: bool = False) -> np.ndarray:
        """Sum of what the coefficients of each block say about an earlier quantization.

        Parameters
        ----------
        steps : (hypotheses, 64)
        view : "ratio", "before" or "never"
            The log-likelihood ratio; the evidence that the block was quantized so
            before, less the tolerance for the model's faults; the evidence that it
            was not, likewise.
        everything : bool
            Use frequencies that neighbouring blocks repeat, too: to place, not to test.

        Returns
        -------
        (rows, cols, hypotheses) float32, nats
        """
        from forensix.native.ghost_difference import ghost_difference

        levels = self.all if everything else self.independent
        total = np.zeros((len(levels), len(steps)), np.float32)
        for group, sizes in zip(self.groups, self.sizes, strict=True):
            inside = levels[group]
            largest = int(np.clip(np.abs(inside).max(initial=1), 1, LARGEST_LEVEL))
            table = _favour(view, *self._table(steps, sizes, largest))
            total[group] = ghost_difference(inside, table)
        return total.reshape(*self.shape, -1)

    def own_steps(self) -> np.ndarray:
        """(64,) int: for each frequency the earlier step that fits the whole picture best.

        For histories whose table is of no IJG quality, as in most cameras; 1 where no
        step fits better than none.
        """
        if not self.groups:
            return np.ones(64, np.int64)
        steps = np.repeat(np.arange(1, LARGEST_STEP + 1)[:, None], 64, axis=1)
        seen = np.sum(self.seen, axis=0)
        table = _favour("before", *self._table(steps, fitted_sizes(seen, self.lattice), LARGEST_LEVEL))
        fit = np.einsum("kn,knh->kh", seen.astype(np.float64), table[:, 1:])
        return np.where(fit.max(axis=1) > 0, 1 + fit.argmax(axis=1), 1)

    def _table(
        self, steps: np.ndarray, sizes: Sizes, largest: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return likelihood_table(self.lattice, steps, sizes=sizes, noise=self.noise, largest=largest)


def independent_levels(levels: np.ndarray) -> np.ndarray:
    """A copy without the levels that a neighbouring block merely repeats, which become 0.

    Evidence adds up only over independent remainders of a division. Over a gradient, as
    in a clear sky, the mean and the two lowest frequencies are the same in many blocks;
    so are the frequencies along one axis where an edge follows it from block to block.
    Small levels are kept there: among them neighbours agree often by chance, and to drop
    those that do would distort their distribution.

    levels : (rows, cols, 8, 8) int
    """
    kept = np.array(levels, np.int16)
    kept[..., 0, 0] = kept[..., 0, 1] = kept[..., 1, 0] = 0
    for along, frequencies in ((1, kept[..., 2:, 0]), (0, kept[..., 0, 2:])):
        line = np.moveaxis(frequencies, along, 0)
        size = np.abs(line)
        alike = np.abs(np.diff(line, axis=0)) <= np.maximum(size[1:] // 4, 1)
        alike &= (size[1:] >= LEAST_REPEATED) & (size[:-1] >= LEAST_REPEATED)
        line[1:][alike] = 0
        line[:-1][alike] = 0
    return kept


def _favour(view: str, ratio: np.ndarray, before: np.ndarray, never: np.ndarray) -> np.ndarray:
    """The lookup table of one view; what says nothing (0) stays 0."""
    if view == "before":
        return np.where(ratio != 0, ratio - TOLERANCE * before[:, None], 0)
    if view == "never":
        return np.where(ratio != 0, -ratio - TOLERANCE * never[:, None], 0)
    return ratio


def tiles(evidence: np.ndarray) -> np.ndarray:
    """Sums over 2 x 2 blocks: (ceil(rows / 2), ceil(cols / 2), hypotheses)."""
    rows, cols = evidence.shape[0] % TILE, evidence.shape[1] % TILE
    full = np.pad(evidence, ((0, rows), (0, cols), (0, 0)))
    pairs = full[0::2] + full[1::2]
    sums: np.ndarray = pairs[:, 0::2] + pairs[:, 1::2]
    return sums


class Support(NamedTuple):
    """The connected region that speaks loudest for a hypothesis.

    nats : its evidence, less the logarithm of the number of regions that could have
        been looked at; the number of false alarms is at most exp(-nats)
    tiles : (rows, cols) bool, where it is
    """

    nats: float
    tiles: np.ndarray


def strongest_region(tile_evidence: np.ndarray, *, tests: float) -> Support:
    """The best connected region of positive tiles, a contrario.

    Were the hypothesis wrong, a region's likelihood ratio would be 1 on average, so it
    exceeds ``exp(t)`` with a probability of at most ``exp(-t)`` (Markov); times the
    number of regions of n tiles, and of other tests, this bounds the expected number of
    false alarms, whatever the dependence between them.

    Parameters
    ----------
    tile_evidence : (rows, cols) float, nats
    tests : float
        How many hypotheses (qualities, grid offsets) are tested in the same picture.
    """
    from scipy import ndimage

    labels, count = ndimage.label(tile_evidence > 0)
    fixed = math.log(tests) + 2 * math.log(tile_evidence.size)
    if count == 0:
        return Support(-fixed, np.zeros(tile_evidence.shape, bool))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    sums = np.bincount(labels.ravel(), weights=tile_evidence.ravel(), minlength=count + 1)[1:]
    nats = sums - LOG_GROWTH * sizes
    best = int(nats.argmax())
    where: np.ndarray = np.equal(labels, best + 1)
    return Support(float(nats[best] - fixed), where)
