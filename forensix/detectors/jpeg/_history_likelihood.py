"""Likelihood of blocks, and of regions, as quantized once or twice.

A coefficient's level says little by itself: how likely it is depends on how busy its
surroundings are. So every coefficient is put into a class by the mean absolute level of
the same frequency in the blocks around it, each class has its own density (a mixture of
Gaussians, fitted to the picture), and both hypotheses use that density, scaled so that
both expect the mean level that was seen. What is left to tell them apart is the comb.

Mean values (DC) have no such density; over a few steps theirs is even, and the comb of
the first step shows in it directly.
"""

from __future__ import annotations

import numpy as np

from forensix.detectors.jpeg._primary_steps import (
    CLEAN_NOISE,
    CLIPPED_NOISE,
    LARGEST_STEP,
    SMOOTH_NOISE,
    fit_mixture,
    gaussian_levels,
    noise_distribution,
    twice_quantized_levels,
    without_zeros,
)

LEVELS = 61  # absolute levels 0 to 60 are looked at, larger ones say nothing
ACTIVITIES = 24
LOWEST_MEAN, HIGHEST_MEAN = 0.01, 60.0  # mean absolute level at the outer edges of the activities
CLEAN, SMOOTH, CLIPPED = range(3)  # kinds of blocks, by the noise of their coefficients
GROUPS = (CLEAN_NOISE, SMOOTH_NOISE, CLIPPED_NOISE)
DOUBTS = (0.01, 0.04, 0.04)  # least chance, by group, that a coefficient does not follow its block's history
MOST_DOUBT = 0.5
CLASSES = ACTIVITIES * len(GROUPS)
SCALES = np.geomspace(0.05, 250, 50)  # of the Gaussians, in units of the last step
LEAST_SCALE = 10  # index of the first that gives other levels than 0 often enough
SPREAD = 0.7  # of log scale around an activity's own, before the picture is looked at
PRIOR_COUNT = 40.0  # how many coefficients that expectation weighs as much as
FIT_ROUNDS, REGION_ROUNDS = 12, 30  # of expectation maximisation
AROUND = 5  # blocks on a side of the surroundings
SHIFTS = np.arange(-30, 31)
LARGEST_MEAN_VALUE = 1100  # of a block, as DCT coefficient
LEAST_MEAN_GAIN = 30.0  # nats over one quantization that the first step of mean values must bring


def activity_classes(levels: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Class of every coefficient: by the mean level around it, itself left out, and its block's kind.

    levels : (frequencies, block rows, block cols) non-negative
    kinds : (block rows, block cols) uint8, CLEAN, SMOOTH or CLIPPED
    Returns the shape of `levels`, uint8: kind * ACTIVITIES + activity (0 is quiet), and CLASSES,
    which is none, for coefficients of blocks not CLEAN that are 0 or as in the block to the
    left or above: smooth areas repeat themselves, and say the same thing only once.
    """
    from scipy.ndimage import uniform_filter

    inside = AROUND * AROUND
    classes = np.empty(levels.shape, np.uint8)
    slope = (ACTIVITIES - 2) / np.log(HIGHEST_MEAN / LOWEST_MEAN)
    for f, plane in enumerate(levels):
        own = plane.astype(np.float32)
        mean = (uniform_filter(own, AROUND, mode="reflect") * inside - own) / (inside - 1)
        rank = slope * np.log(np.maximum(mean, 1e-6) / LOWEST_MEAN) + 1
        classes[f] = np.clip(rank, 0, ACTIVITIES - 1)
        classes[f] += np.uint8(ACTIVITIES) * kinds
        repeated = own == 0
        repeated[1:] |= plane[1:] == plane[:-1]
        repeated[:, 1:] |= plane[:, 1:] == plane[:, :-1]
        classes[f][(kinds != CLEAN) & repeated] = CLASSES
    return classes


def activity_means() -> np.ndarray:
    """(ACTIVITIES,) the mean level each activity stands for."""
    edges = np.geomspace(LOWEST_MEAN, HIGHEST_MEAN, ACTIVITIES - 1)
    return np.concatenate([[LOWEST_MEAN / 2], np.sqrt(edges[1:] * edges[:-1]), [HIGHEST_MEAN]])


def class_counts(levels: np.ndarray, classes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(frequencies, CLASSES, LEVELS) float64: how often each level occurs in each class.

    levels, classes : (frequencies, block rows, block cols); chosen : (block rows, block cols) bool
    """
    counts = np.empty((len(levels), CLASSES, LEVELS))
    for f in range(len(levels)):
        cell = classes[f][chosen].astype(np.int32) * (LEVELS + 1) + np.minimum(levels[f][chosen], LEVELS)
        whole = np.bincount(cell, minlength=(CLASSES + 1) * (LEVELS + 1)).reshape(CLASSES + 1, LEVELS + 1)
        counts[f] = whole[:CLASSES, :LEVELS]
    return counts


class HistoryModel:
    """Densities of some AC frequencies under both hypotheses, for one pair of tables.

    first, last : (frequencies,) int, quantization steps; first differs from last
    """

    def __init__(self, first: np.ndarray, last: np.ndarray) -> None:
        twice = twice_quantized_levels(SCALES, first, last, LEVELS, noises=GROUPS)
        self.groups = [_GroupModel(shapes, doubt) for shapes, doubt in zip(twice, DOUBTS, strict=True)]

    def ratios(self, counts: np.ndarray, majority: str) -> np.ndarray:
        """log P(level | twice) - log P(level | once) for every class.

        counts : (frequencies, CLASSES, LEVELS), of blocks most of which have the history
        `majority`, "once" or "twice"; the classes' densities are fitted to them.

        Returns (frequencies, CLASSES + 1, LEVELS + 1) float32, nats, the last row and column 0.
        """
        parts = np.split(counts, len(self.groups), axis=1)
        ratios = [group.ratios(part, majority) for group, part in zip(self.groups, parts, strict=True)]
        return np.concatenate([*ratios, np.zeros_like(ratios[0][:, :1])], axis=1)

    def region_evidence(self, counts: np.ndarray) -> float:
        """Log-likelihood of a region as quantized twice less that as quantized once, nats.

        counts : (frequencies, CLASSES, LEVELS) of the region's blocks. Each hypothesis fits
        its own density to the region, so that an unusual texture is not taken for a history.
        """
        parts = np.split(counts, len(self.groups), axis=1)
        return sum(
            group.region_evidence(part.sum(axis=1)) for group, part in zip(self.groups, parts, strict=True)
        )


class _GroupModel:
    """As HistoryModel, for blocks of one kind of noise."""

    zeros = True  # the level 0 is evidence too
    stretched = True  # the minority's density is made to have the mean that was seen

    def __init__(self, twice: np.ndarray, doubt: float) -> None:
        once = gaussian_levels(SCALES, LEVELS)
        self.doubt = doubt
        self.shapes = {"once": np.broadcast_to(once, twice.shape), "twice": twice}
        # A mean level of some tens hardly depends on the steps any more.
        few = SCALES < LEVELS / 4
        mean_once = gaussian_levels(SCALES, 800) @ np.arange(800)
        mean_twice = np.where(few, twice @ np.arange(LEVELS), mean_once)
        self.means = {
            "once": np.broadcast_to(mean_once, mean_twice.shape),
            "twice": np.maximum.accumulate(mean_twice, axis=1),
        }

    def ratios(self, counts: np.ndarray, majority: str) -> np.ndarray:
        minority = "once" if majority == "twice" else "twice"
        prior = self._scaled(_prior_weights(), majority, activity_means())
        shapes = self.shapes[majority]
        seen = counts
        counts = counts + PRIOR_COUNT * (prior @ shapes)
        turned = np.ascontiguousarray(np.swapaxes(shapes, 1, 2))
        weights = prior
        for _ in range(FIT_ROUNDS if seen.any() else 0):
            weights = weights * ((counts / np.maximum(weights @ shapes, 1e-12)) @ turned)
            weights /= np.maximum(weights.sum(axis=2, keepdims=True), 1e-300)
        other = weights
        if self.stretched:
            expected = np.matmul(weights, self.means[majority][:, :, None])[:, :, 0]
            other = self._scaled(weights, minority, expected)
        mass = {majority: weights @ shapes, minority: other @ self.shapes[minority]}
        if not self.zeros:
            seen = seen * (np.arange(LEVELS) > 0)
            mass = {history: _given_not_zero(part) for history, part in mass.items()}
        # A frequency whose step was estimated wrongly, or whose noise is worse than thought,
        # shows it by levels that do not fit the majority; it is trusted accordingly.
        doubt = self._share_of(seen, mass[minority], mass[majority])
        ratios = np.zeros((*counts.shape[:2], LEVELS + 1), np.float32)
        ratios[:, :, :LEVELS] = doubted_ratio(mass["twice"], mass["once"], doubt[:, None, None])
        return ratios

    def _share_of(self, counts: np.ndarray, mass: np.ndarray, other: np.ndarray) -> np.ndarray:
        """(frequencies,) share of the levels that follow `mass` rather than `other`, at least self.doubt."""
        share = np.full(len(counts), 0.05)
        number = np.maximum(counts.sum(axis=(1, 2)), 1)
        for _ in range(12):
            part = share[:, None, None] * mass
            part /= np.maximum(part + (1 - share[:, None, None]) * other, 1e-12)
            share = (counts * part).sum(axis=(1, 2)) / number
        return np.clip(share, self.doubt, MOST_DOUBT)

    def _scaled(self, weights: np.ndarray, history: str, wanted: np.ndarray) -> np.ndarray:
        """The densities stretched so that their mean level under `history` is as wanted.

        weights : (frequencies or 1, activities, scales); wanted : (frequencies or 1, activities)
        """
        means = self.means[history]
        weights = np.broadcast_to(weights, (len(means), *weights.shape[1:]))
        wanted = np.broadcast_to(wanted, weights.shape[:2])
        scale = np.arange(SCALES.size)
        moved = means[:, np.clip(scale[:, None] + SHIFTS, 0, SCALES.size - 1)]
        reached = np.maximum.accumulate(weights @ moved, axis=2)
        upper = np.clip((reached < wanted[:, :, None]).sum(axis=2), 1, SHIFTS.size - 1)
        low, high = (np.take_along_axis(reached, (upper - k)[:, :, None], 2)[:, :, 0] for k in (1, 0))
        part = np.clip((wanted - low) / np.maximum(high - low, 1e-12), 0, 1)
        shift = SHIFTS[upper - 1] + part
        source = scale - shift[:, :, None]
        below = np.clip(np.floor(source), 0, SCALES.size - 2).astype(np.int64)
        above = np.clip(source - below, 0, 1)
        result: np.ndarray = (1 - above) * np.take_along_axis(weights, below, 2)
        result += above * np.take_along_axis(weights, below + 1, 2)
        result[(source < 0) | (source > SCALES.size - 1)] = 0
        # What was stretched beyond either end stays at that end.
        end = np.where(shift > 0, SCALES.size - 1, 0)[:, :, None]
        rest = np.take_along_axis(result, end, 2) + np.maximum(1 - result.sum(axis=2, keepdims=True), 0)
        np.put_along_axis(result, end, rest, 2)
        return result

    def region_evidence(self, counts: np.ndarray) -> float:
        if not counts[:, 1:].any():
            return 0.0
        best = {}
        for history in ("once", "twice"):
            shapes = without_zeros(self.shapes[history][:, LEAST_SCALE::2])
            weights = fit_mixture(counts[:, 1:], shapes, rounds=REGION_ROUNDS)
            fitted = (1 - self.doubt) * np.matmul(weights[:, None], shapes)[:, 0] + self.doubt / LEVELS
            best[history] = float((counts[:, 1:] * np.log(fitted)).sum())
        return best["twice"] - best["once"]


def _given_not_zero(mass: np.ndarray) -> np.ndarray:
    """The chance of each level among those other than 0; that of 0 is 1 and tells nothing."""
    result = mass / np.maximum(mass[..., 1:].sum(axis=-1, keepdims=True), 1e-12)
    result[..., 0] = 1
    return result


def doubted_ratio(twice: np.ndarray, once: np.ndarray, doubt: np.ndarray | float) -> np.ndarray:
    """Log-likelihood ratio when a share `doubt` follows the other hypothesis anyway."""
    ratio: np.ndarray = np.log(
        ((1 - doubt) * twice + doubt * once + 1e-9) / ((1 - doubt) * once + doubt * twice + 1e-9)
    )
    return ratio


def _prior_weights() -> np.ndarray:
    """(1, ACTIVITIES, scales) a bell in log scale, around the middle of SCALES."""
    place = np.log(SCALES / SCALES[SCALES.size // 2])
    bell = np.exp(-0.5 * (place / SPREAD) ** 2)
    return np.broadcast_to(bell / bell.sum(), (1, ACTIVITIES, SCALES.size))


def block_evidence(levels: np.ndarray, classes: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """Sum of the AC coefficients' log-likelihood ratios, per block.

    levels, classes : (frequencies, block rows, block cols); ratios as from HistoryModel.ratios
    Returns (block rows, block cols) float32, nats; positive speaks for two quantizations.
    """
    total = np.zeros(levels.shape[1:], np.float32)
    for f in range(len(levels)):
        flat = classes[f].astype(np.int32) * (LEVELS + 1) + np.minimum(levels[f], LEVELS)
        total += ratios[f].ravel()[flat]
    return total


def mean_value_ratios(first: np.ndarray, last: int, group: int) -> np.ndarray:
    """log P(DC level | twice) - log P(DC level | once), for several first steps.

    first : (steps,) int, positive; last : the step in the file; group : CLEAN, SMOOTH or CLIPPED
    Returns (steps, absolute levels) float64, nats. The density is taken to be even.
    """
    from forensix.native.quantized_twice import quantized_twice

    bins = LARGEST_MEAN_VALUE // last + 2
    even = np.arange(2 * LARGEST_MEAN_VALUE + 2 * int(first.max()) + 4 * last) / (2 * LARGEST_MEAN_VALUE)
    steps = np.concatenate([[0], first])
    noise = noise_distribution(GROUPS[group])
    mass = quantized_twice(even[None], 0 * steps, steps, np.full(steps.size, last), noise, bins=bins)
    return doubted_ratio(mass[1:], mass[0], DOUBTS[group])


def mean_value_gains(levels: np.ndarray, last: int) -> np.ndarray:
    """What each first quantization step of the mean values (DC) gains over one quantization, nats.

    levels : (blocks,) int, quantized, of clean blocks that differ from their neighbours
    last : the step in the file
    Returns (LARGEST_STEP + 1,) float64, by step; 0 for those that leave no trace. Over a few
    steps, mean values have an even density, against which the comb of the first step shows.
    """
    first = np.arange(2, LARGEST_STEP + 1)
    ratios = mean_value_ratios(first, last, CLEAN)
    counts = np.bincount(np.abs(levels), minlength=ratios.shape[1])[: ratios.shape[1]]
    gains = np.zeros(LARGEST_STEP + 1)
    gains[first] = np.log(0.2 + 0.8 * np.exp(ratios)) @ counts
    gains[min(last, LARGEST_STEP)] *= last > LARGEST_STEP
    return gains


def mean_value_step(gains: np.ndarray) -> int:
    """First quantization step of the mean values, or 0 when none can be told."""
    best = int(np.argmax(gains))
    return best if gains[best] > LEAST_MEAN_GAIN else 0
