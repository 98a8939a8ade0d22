"""Evidence for and against an earlier compression: per block, and per region."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from forensix.detectors.jpeg._ghost_tables import TOLERANCE, laplacian_scales, likelihood_table
from forensix.native.ghost_difference import ghost_difference

# Coefficients above this level are left to the smaller ones, of which there are more.
LARGEST_LEVEL = 48
LARGEST_STEP = 64
# Blocks of like activity share one model of their coefficients' distribution.
MOST_GROUPS, BLOCKS_PER_GROUP = 4, 400

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
        flat = levels.reshape(-1, 64).astype(np.int16)
        flat[~usable.ravel()] = 0
        # The mean of a block changes so slowly over smooth areas that what is left of it
        # after division is the same for many blocks: no independent evidence.
        flat[:, 0] = 0
        self.levels = flat
        activity = np.abs(flat).astype(np.float32) @ self.lattice.astype(np.float32)
        known = np.flatnonzero(activity > 0)
        known = known[np.argsort(activity[known], kind="stable")]
        count = int(np.clip(len(known) // BLOCKS_PER_GROUP, 1, MOST_GROUPS))
        self.groups = [part for part in np.array_split(known, count) if len(part)]
        self.scales = [laplacian_scales(flat[group], self.lattice) for group in self.groups]

    def evidence(self, steps: np.ndarray, *views: str) -> list[np.ndarray]:
        """Sum of what the coefficients of each block say about an earlier quantization.

        Parameters
        ----------
        steps : (hypotheses, 64)
        views : "ratio", "before" or "never"
            The log-likelihood ratio; the evidence that the block was quantized so
            before, less the tolerance for the model's faults; the evidence that it
            was not, likewise.

        Returns
        -------
        one (rows, cols, hypotheses) float32 per view, nats
        """
        sums = [np.zeros((len(self.levels), len(steps)), np.float32) for _ in views]
        for group, scales in zip(self.groups, self.scales, strict=True):
            levels = np.ascontiguousarray(self.levels[group])
            ratio, before, never = self._table(levels, steps, scales)
            for view, total in zip(views, sums, strict=True):
                table = _favour(view, ratio, before, never)
                total[group] = ghost_difference(levels, table)
        return [total.reshape(*self.shape, -1) for total in sums]

    def own_steps(self) -> np.ndarray:
        """(64,) int: for each frequency the earlier step that fits the whole picture best.

        For histories whose table is of no IJG quality, as in most cameras; 1 where no
        step fits better than none.
        """
        if not self.groups:
            return np.ones(64, np.int64)
        steps = np.repeat(np.arange(1, LARGEST_STEP + 1)[:, None], 64, axis=1)
        levels = self.levels[np.concatenate(self.groups)]
        ratio, before, never = self._table(levels, steps, laplacian_scales(levels, self.lattice))
        table = _favour("before", ratio, before, never)
        sizes = np.minimum(np.abs(levels), table.shape[1] - 1)
        seen = np.stack([np.bincount(column, minlength=table.shape[1]) for column in sizes.T])
        fit = np.einsum("kn,knh->kh", seen.astype(np.float64), table)
        return np.where(fit.max(axis=1) > 0, 1 + fit.argmax(axis=1), 1)

    def _table(
        self, levels: np.ndarray, steps: np.ndarray, scales: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        largest = int(np.clip(np.abs(levels).max(initial=1), 1, LARGEST_LEVEL))
        return likelihood_table(self.lattice, steps, scales=scales, noise=self.noise, largest=largest)


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
    tiles : its size
    """

    nats: float
    tiles: int


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
        return Support(-fixed, 0)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    sums = np.bincount(labels.ravel(), weights=tile_evidence.ravel(), minlength=count + 1)[1:]
    nats = sums - LOG_GROWTH * sizes
    best = int(nats.argmax())
    return Support(float(nats[best] - fixed), int(sizes[best]))
