"""Likelihood of blocks, and of regions, as quantized once or twice.

A coefficient's level says little by itself: how likely it is depends on how busy its
surroundings are. So every coefficient is put into a class by the mean absolute level of
the same frequency in the blocks around it, each class has its own density (a mixture of
Gaussians, fitted to the picture), and both hypotheses use that density, scaled so that
both expect the mean level that was seen. What is left to tell them apart is the comb.
"""

from __future__ import annotations

import numpy as np

from forensix.detectors.jpeg._primary_steps import fit_mixture, gaussian_levels, twice_quantized_levels

LEVELS = 61  # absolute levels 0 to 60 are looked at, larger ones say nothing
CLASSES = 24
LOWEST_MEAN, HIGHEST_MEAN = 0.01, 60.0  # mean absolute level at the classes' outer edges
SCALES = np.geomspace(0.05, 250, 50)  # of the Gaussians, in units of the last step
SPREAD = 0.7  # of log scale around a class's own, before the picture is looked at
PRIOR_COUNT = 40.0  # how many coefficients that expectation weighs as much as
DOUBT = 0.01  # chance that a coefficient follows the other hypothesis, whatever the block's history
AROUND = 5  # blocks on a side of the surroundings
SHIFTS = np.arange(-30, 31)


def activity_classes(levels: np.ndarray) -> np.ndarray:
    """Class of every coefficient by the mean level around it, itself left out.

    levels : (frequencies, block rows, block cols) non-negative
    Returns the same shape, uint8, 0 (quiet) to CLASSES - 1.
    """
    from scipy.ndimage import uniform_filter

    inside = AROUND * AROUND
    classes = np.empty(levels.shape, np.uint8)
    slope = (CLASSES - 2) / np.log(HIGHEST_MEAN / LOWEST_MEAN)
    for f, plane in enumerate(levels):
        own = plane.astype(np.float32)
        mean = (uniform_filter(own, AROUND, mode="reflect") * inside - own) / (inside - 1)
        rank = slope * np.log(np.maximum(mean, 1e-6) / LOWEST_MEAN) + 1
        classes[f] = np.clip(rank, 0, CLASSES - 1)
    return classes


def class_means() -> np.ndarray:
    """(CLASSES,) the mean level each class stands for."""
    edges = np.geomspace(LOWEST_MEAN, HIGHEST_MEAN, CLASSES - 1)
    return np.concatenate([[LOWEST_MEAN / 2], np.sqrt(edges[1:] * edges[:-1]), [HIGHEST_MEAN]])


def class_counts(levels: np.ndarray, classes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(frequencies, CLASSES, LEVELS) float64: how often each level occurs in each class.

    levels, classes : (frequencies, block rows, block cols); chosen : (block rows, block cols) bool
    """
    counts = np.empty((len(levels), CLASSES, LEVELS))
    for f in range(len(levels)):
        cell = classes[f][chosen].astype(np.int64) * (LEVELS + 1) + np.minimum(levels[f][chosen], LEVELS)
        whole = np.bincount(cell, minlength=CLASSES * (LEVELS + 1)).reshape(CLASSES, LEVELS + 1)
        counts[f] = whole[:, :LEVELS]
    return counts


class HistoryModel:
    """Densities of some frequencies under both hypotheses, for one pair of tables.

    first, last : (frequencies,) int, quantization steps; first differs from last
    """

    def __init__(self, first: np.ndarray, last: np.ndarray) -> None:
        cases = len(first)
        once = gaussian_levels(SCALES, LEVELS)
        self.shapes = {
            "once": np.broadcast_to(once, (cases, *once.shape)),
            "twice": twice_quantized_levels(SCALES, first, last, LEVELS),
        }
        level = np.arange(400)
        mean_once = gaussian_levels(SCALES, 400) @ level
        mean_twice = twice_quantized_levels(SCALES, first, last, 400) @ level
        # Beyond the last level nothing is counted; there the steps hardly matter any more.
        mean_twice = np.maximum.accumulate(np.where(SCALES > 60, mean_once, mean_twice), axis=1)
        self.means = {"once": np.broadcast_to(mean_once, (cases, SCALES.size)), "twice": mean_twice}

    def ratios(self, counts: np.ndarray, majority: str) -> np.ndarray:
        """log P(level | twice) - log P(level | once) for every class.

        counts : (frequencies, CLASSES, LEVELS), of blocks most of which have the history
        `majority`, "once" or "twice"; the classes' densities are fitted to them.

        Returns (frequencies, CLASSES, LEVELS + 1) float32, nats, the last column 0.
        """
        minority = "once" if majority == "twice" else "twice"
        prior = self._scaled(_prior_weights(), majority, class_means())
        shapes = self.shapes[majority]
        counts = counts + PRIOR_COUNT * (prior @ shapes)
        weights = prior
        for _ in range(30):
            weights = weights * ((counts / np.maximum(weights @ shapes, 1e-12)) @ np.swapaxes(shapes, 1, 2))
            weights /= np.maximum(weights.sum(axis=2, keepdims=True), 1e-300)
        expected = np.matmul(weights, self.means[majority][:, :, None])[:, :, 0]
        mass = {
            majority: weights @ shapes,
            minority: self._scaled(weights, minority, expected) @ self.shapes[minority],
        }
        once, twice = mass["once"], mass["twice"]
        ratios = np.zeros((*once.shape[:2], LEVELS + 1), np.float32)
        ratios[:, :, :LEVELS] = np.log(
            ((1 - DOUBT) * twice + DOUBT * once + 1e-9) / ((1 - DOUBT) * once + DOUBT * twice + 1e-9)
        )
        return ratios

    def _scaled(self, weights: np.ndarray, history: str, wanted: np.ndarray) -> np.ndarray:
        """The densities stretched so that their mean level under `history` is as wanted.

        weights : (frequencies or 1, classes, scales); wanted : (frequencies or 1, classes)
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
        place = np.clip(scale + shift[:, :, None], 0, SCALES.size - 1)
        below = np.minimum(place.astype(np.int64), SCALES.size - 2)
        above = place - below
        result = np.zeros(weights.shape)
        f, c = np.indices(weights.shape[:2])
        for j in range(SCALES.size):
            np.add.at(result, (f, c, below[:, :, j]), weights[:, :, j] * (1 - above[:, :, j]))
            np.add.at(result, (f, c, below[:, :, j] + 1), weights[:, :, j] * above[:, :, j])
        return result

    def region_evidence(self, counts: np.ndarray) -> float:
        """Log-likelihood of a region as quantized twice less that as quantized once, nats.

        counts : (frequencies, LEVELS) of the region's blocks. Each hypothesis fits its own
        density to the region, so that an unusual texture is not taken for a history.
        """
        best = {}
        for history in ("once", "twice"):
            shapes = self.shapes[history][:, ::2]
            weights = fit_mixture(counts, shapes, rounds=60)
            fitted = (1 - DOUBT) * np.matmul(weights[:, None], shapes)[:, 0] + DOUBT / LEVELS
            best[history] = float((counts * np.log(fitted)).sum())
        return best["twice"] - best["once"]


def _prior_weights() -> np.ndarray:
    """(1, 1, scales) a bell in log scale, around the middle of SCALES."""
    place = np.log(SCALES / SCALES[SCALES.size // 2])
    bell = np.exp(-0.5 * (place / SPREAD) ** 2)
    return np.broadcast_to(bell / bell.sum(), (1, CLASSES, SCALES.size))


def block_evidence(levels: np.ndarray, classes: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """Sum of the coefficients' log-likelihood ratios, per block.

    levels, classes : (frequencies, block rows, block cols); ratios as from HistoryModel.ratios
    Returns (block rows, block cols) float32, nats; positive speaks for two quantizations.
    """
    total = np.zeros(levels.shape[1:], np.float32)
    for f in range(len(levels)):
        total += ratios[f][classes[f], np.minimum(levels[f], LEVELS)]
    return total
