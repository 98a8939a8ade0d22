"""Which blocks of a JPEG do not share the history of most of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.jpeg import _history_likelihood as likelihood
from forensix.detectors.jpeg import _primary_steps as primary
from forensix.errors import ParameterError

SIDE = 8
# The first AC frequencies in zig-zag order, as (vertical, horizontal).
# fmt: off
FREQUENCIES = np.array([
    (0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0), (4, 0), (3, 1), (2, 2), (1, 3), (0, 4)])
# fmt: on
BEYOND_ROUNDING = 2.5  # coefficients larger than this are not rounding errors of the last decoding
SMOOTH_BELOW = 4  # where blocks have fewer such coefficients, samples round alike
LEAST_DETAIL = 0.5  # where blocks have fewer, the picture is flat
MOST_CLIPPED = 0.05  # of a block's samples; clipping more of them bends all coefficients too much
FEWEST_CLEAN_BLOCKS = 500  # to estimate the first steps from these alone
CONNECTIVE = float(np.log(2.638))  # polygons on a square lattice grow 2.638-fold per unit of perimeter
BLOCK_DOUBT = 0.01  # chance that a block follows neither history, whatever the model says
TABLES_TRIED = 100
FALSE_ALARMS = 1e-3  # regions per picture that chance may give
REGIONS_EXAMINED = 12
LEAST_WEIGHT = 0.05  # nats a block's coefficients must be able to tell


@dataclass(frozen=True)
class HistoryMap:
    """Where a JPEG's blocks agree with the history of most of it.

    steps : what is known of the first quantization
    mean_value_step : first step of the mean values (DC), 0 when it cannot be told
    majority : "once" or "twice", the history of most blocks; None when no earlier
        quantization shows anywhere
    evidence : (block rows, block cols) float32, nats; positive speaks against the
        majority's history, 0 for blocks that cannot be judged
    belief : the same with the neighbours' evidence
    judged : (block rows, block cols) bool
    regions : (block rows, block cols) int32; 0, or the number of a region that deviates
    false_alarms : log10 of the number of false alarms of the regions, most certain first
    candidate : log10 of that number for the best region, decided on or not; None without one
    detailed : number of blocks that are neither flat, clipped nor cut by the picture's edge
    smallest : share of the picture that a deviating region must have to be found, about
    """

    steps: primary.PrimarySteps
    mean_value_step: int
    majority: str | None
    evidence: np.ndarray
    belief: np.ndarray
    judged: np.ndarray
    regions: np.ndarray
    false_alarms: tuple[float, ...]
    candidate: float | None
    detailed: int
    smallest: float


def history_map(
    coefficients: np.ndarray, quantization: np.ndarray, *, whole: np.ndarray, clipped: np.ndarray
) -> HistoryMap:
    """Compare every block with both histories: quantized once, quantized twice.

    Parameters
    ----------
    coefficients : (block rows, block cols, 8, 8) int16
        Quantized luma coefficients, ``[..., vertical, horizontal]``.
    quantization : (8, 8) int
        The steps in the file.
    whole : (block rows, block cols) bool
        Blocks that the picture fills; the others are left out.
    clipped : (block rows, block cols) float
        Share of each block's samples at or near black or white.

    Returns
    -------
    HistoryMap

    Raises
    ------
    ParameterError
        On shapes that do not fit.

    References
    ----------
    T. Bianchi, A. Piva, IEEE TIFS 7(3), 2012, doi 10.1109/TIFS.2012.2187516 (the model of
    doubly quantized coefficients, the likelihood ratio summed over frequencies).
    """
    if coefficients.ndim != 4 or coefficients.shape[2:] != (SIDE, SIDE) or quantization.shape != (SIDE, SIDE):
        raise ParameterError(
            f"coefficients are (rows, cols, 8, 8) and steps (8, 8), got {coefficients.shape}, {quantization.shape}"
        )
    if not whole.shape == clipped.shape == coefficients.shape[:2]:
        raise ParameterError(
            f"whole and clipped must have one value a block, got {whole.shape}, {clipped.shape}"
        )
    # A block is judged by its surroundings: to choose blocks by their own levels would bend
    # the histograms of these.
    number = surroundings(detail(coefficients, quantization))
    usable = whole & (clipped <= MOST_CLIPPED)
    detailed = int(np.count_nonzero(usable & (number >= LEAST_DETAIL)))
    kinds = np.full(whole.shape, likelihood.CLEAN, np.uint8)
    kinds[number < SMOOTH_BELOW] = likelihood.SMOOTH
    kinds[clipped > 0] = likelihood.CLIPPED
    blocks = _Blocks(coefficients, quantization, usable, kinds)
    known = blocks.first_steps()
    telling = (known.steps > 1) & (known.steps != blocks.last)
    if not telling.any():
        nothing = np.zeros(whole.shape, np.float32)
        none = nothing.astype(np.int32)
        return HistoryMap(known, 0, None, nothing, nothing, nothing > 0, none, (), None, detailed, np.inf)
    return _compare(blocks, known, telling, detailed)


def detail(coefficients: np.ndarray, quantization: np.ndarray) -> np.ndarray:
    """(block rows, block cols) uint8: AC coefficients of each block that are more than rounding errors."""
    least = np.floor(BEYOND_ROUNDING / np.maximum(quantization, 1)).astype(np.int16)
    least[0, 0] = np.iinfo(np.int16).max
    number = np.empty(coefficients.shape[:2], np.uint8)
    for row, blocks in enumerate(coefficients):
        number[row] = ((blocks > least) | (blocks < -least)).reshape(-1, SIDE * SIDE).sum(axis=1)
    return number


def surroundings(values: np.ndarray) -> np.ndarray:
    """Mean of the eight neighbours, mirrored at the edges; float32."""
    from scipy.ndimage import uniform_filter

    own = values.astype(np.float32)
    mean: np.ndarray = (9 * uniform_filter(own, 3, mode="mirror") - own) / 8
    return mean


class _Blocks:
    """The levels of a picture's blocks, and which of them can be used for what."""

    def __init__(
        self, coefficients: np.ndarray, quantization: np.ndarray, usable: np.ndarray, kinds: np.ndarray
    ) -> None:
        self.levels = np.stack([np.abs(coefficients[:, :, v, u]) for v, u in FREQUENCIES])
        # Steps above 255 (16-bit tables) leave hardly anything but zeros, whatever they are.
        self.last = np.clip(quantization[FREQUENCIES[:, 0], FREQUENCIES[:, 1]], 1, 255).astype(np.int64)
        self.mean_levels = coefficients[:, :, 0, 0]
        self.mean_last = int(np.clip(quantization[0, 0], 1, 255))
        self.usable = usable
        self.kinds = kinds
        # Equal neighbours say the same thing once.
        self.new_mean = usable.copy()
        self.new_mean[1:] &= self.mean_levels[1:] != self.mean_levels[:-1]
        self.new_mean[:, 1:] &= self.mean_levels[:, 1:] != self.mean_levels[:, :-1]

    def first_steps(self) -> primary.PrimarySteps:
        clean = self.usable & (self.kinds == likelihood.CLEAN)
        chosen = clean if np.count_nonzero(clean) >= FEWEST_CLEAN_BLOCKS else self.usable
        top = primary.LEVELS
        counts = [np.bincount(np.minimum(p[chosen], top), minlength=top + 1)[:top] for p in self.levels]
        return primary.estimate_primary_steps(np.stack(counts), self.last, FREQUENCIES)

    def first_mean_step(self) -> int:
        chosen = self.new_mean & (self.kinds == likelihood.CLEAN)
        return likelihood.mean_value_step(self.mean_levels[chosen], self.mean_last)

    def mean_evidence(self, first: int) -> np.ndarray:
        """(block rows, block cols) float32, nats; what the mean values say for two quantizations."""
        total = np.zeros(self.usable.shape, np.float32)
        if first > 1 and first != self.mean_last:
            groups = range(len(likelihood.GROUPS))
            step = np.array([first])
            ratios = np.concatenate([likelihood.mean_value_ratios(step, self.mean_last, g) for g in groups])
            level = np.minimum(np.abs(self.mean_levels), ratios.shape[1] - 1)
            total[self.new_mean] = ratios[self.kinds, level][self.new_mean]
        return total


class _Comparison:
    """The two histories compared on a picture's blocks, given the first steps."""

    def __init__(
        self, blocks: _Blocks, known: primary.PrimarySteps, telling: np.ndarray, mean_step: int
    ) -> None:
        self.usable = blocks.usable
        self.levels = blocks.levels[telling]
        self.classes = likelihood.activity_classes(self.levels, blocks.kinds)
        self.means = blocks.mean_evidence(mean_step)
        self.model = likelihood.HistoryModel(known.steps[telling], blocks.last[telling])

    def for_twice(self, chosen: np.ndarray) -> float:
        """Evidence of a region, with a density of its own, for two quantizations; nats."""
        counts = likelihood.class_counts(self.levels, self.classes, chosen & self.usable)
        return self.model.region_evidence(counts) + float(self.means[chosen].sum())

    def against(self, majority: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Evidence and belief of every block against a history, and which blocks tell anything."""
        from forensix.native.two_label_field import two_label_field

        sign = -1 if majority == "twice" else 1
        agreeing = self.usable
        for _ in range(2):
            # The second time without the blocks that deviate, so that they do not bend the densities.
            ratios = self.model.ratios(likelihood.class_counts(self.levels, self.classes, agreeing), majority)
            nats = likelihood.block_evidence(self.levels, self.classes, ratios) + self.means
            evidence = doubted(sign * np.where(self.usable, nats, 0))
            belief = two_label_field(evidence, coupling=CONNECTIVE)
            agreeing = self.usable & (belief < 0)
        weight = likelihood.block_evidence(self.levels, self.classes, np.abs(ratios)) + np.abs(self.means)
        return evidence, belief, self.usable & (weight > LEAST_WEIGHT)


def _compare(blocks: _Blocks, known: primary.PrimarySteps, telling: np.ndarray, detailed: int) -> HistoryMap:
    mean_step = blocks.first_mean_step()
    comparison = _Comparison(blocks, known, telling, mean_step)
    histories = ("twice", "once") if comparison.for_twice(blocks.usable) > 0 else ("once", "twice")
    for majority in histories:
        evidence, belief, judged = comparison.against(majority)
        regions, certain, candidate = _decide(
            comparison, evidence, belief, sign=-1 if majority == "twice" else 1
        )
        # What deviates is the smaller part of what can be judged; else the other part is.
        if np.count_nonzero(judged & (regions > 0)) <= np.count_nonzero(judged) / 2:
            break
    # Evidence a block gives for the majority; one of another history would give about as much against.
    power = 0.0
    if judged.any():
        whole = abs(comparison.for_twice(judged)) / np.count_nonzero(judged)
        power = min(whole, -float(np.mean(evidence[judged])))
    smallest = smallest_region(power, evidence.size) / evidence.size
    judged |= regions > 0
    return HistoryMap(
        known, mean_step, majority, evidence, belief, judged, regions, certain, candidate, detailed, smallest
    )


def smallest_region(power: float, blocks: int) -> float:
    """Blocks in the smallest square that can stand out, at `power` nats a block; infinite without any."""
    if power <= 0:
        return float("inf")
    # Solves n * power = ln(choices) + 4 sqrt(n) * CONNECTIVE.
    choices = np.log(blocks * TABLES_TRIED / FALSE_ALARMS)
    side = (2 * CONNECTIVE + np.sqrt(4 * CONNECTIVE**2 + power * choices)) / power
    return float(side**2)


def doubted(evidence: np.ndarray) -> np.ndarray:
    """Log-likelihood ratios when a share BLOCK_DOUBT of blocks follows the other hypothesis anyway."""
    ratio = np.exp(np.clip(evidence, -30, 30))
    bent = ((1 - BLOCK_DOUBT) * ratio + BLOCK_DOUBT) / ((1 - BLOCK_DOUBT) + BLOCK_DOUBT * ratio)
    result: np.ndarray = np.log(bent).astype(np.float32)
    return result


def _decide(
    comparison: _Comparison, evidence: np.ndarray, belief: np.ndarray, *, sign: int
) -> tuple[np.ndarray, tuple[float, ...], float | None]:
    """Keep the regions that chance would give in fewer than FALSE_ALARMS pictures.

    For a region fixed in advance, the chance of a log-likelihood ratio above s is at
    most exp(-s). There are about ``blocks * 2.638 ** perimeter`` regions to choose from.
    The ratio used is the smaller of two: that of the blocks' classes, and that of the
    region as a whole with a density of its own.
    """
    from scipy import ndimage

    labels, count = ndimage.label(belief > 0)
    strength = ndimage.sum_labels(evidence, labels, np.arange(1, count + 1)) if count else np.zeros(0)
    found = []
    for k in np.argsort(-strength, kind="stable")[:REGIONS_EXAMINED]:
        inside = labels == k + 1
        nats = min(strength[k], sign * comparison.for_twice(inside))
        choices = np.log(evidence.size * TABLES_TRIED) + _perimeter(inside) * CONNECTIVE
        found.append((float((choices - nats) / np.log(10)), k + 1))
    found.sort()
    certain = [(value, label) for value, label in found if value < np.log10(FALSE_ALARMS)]
    regions = np.zeros(labels.shape, np.int32)
    for number, (_, label) in enumerate(certain, start=1):
        regions[labels == label] = number
    return regions, tuple(value for value, _ in certain), found[0][0] if found else None


def _perimeter(inside: np.ndarray) -> int:
    """Number of cell sides between a region and its surroundings, the picture's edge left out."""
    down = np.count_nonzero(inside[1:] != inside[:-1])
    return int(down + np.count_nonzero(inside[:, 1:] != inside[:, :-1]))
