"""Which blocks of a JPEG do not share the history of most of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from forensix.detectors.jpeg import _faint_history as faint
from forensix.detectors.jpeg import _history_likelihood as likelihood
from forensix.detectors.jpeg import _history_regions as regions
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
LEAST_HINT = 20.0  # nats of all frequencies together
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
    judged : (block rows, block cols) bool; by their own levels, or where these are faint by
        those around
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
    histories = _histories(blocks)
    if histories is not None:
        history = _compare(blocks, histories, detailed)
        # A hint of an earlier save that only a part could have had, and no part that had it.
        hint = histories.known.gains.sum() < LEAST_HINT and history.majority == "once"
        if not hint or history.false_alarms:
            return history
    nothing = np.zeros(whole.shape, np.float32)
    none = nothing.astype(np.int32)
    unknown = primary.PrimarySteps(np.zeros(len(FREQUENCIES), int), np.zeros(len(FREQUENCIES)), None)
    return HistoryMap(unknown, 0, None, nothing, nothing, nothing > 0, none, (), None, detailed, np.inf)


def detail(coefficients: np.ndarray, quantization: np.ndarray) -> np.ndarray:
    """(block rows, block cols) uint8: AC coefficients of each block that are more than rounding errors."""
    least = np.floor(BEYOND_ROUNDING / np.maximum(quantization, 1)).astype(np.int16)
    least[0, 0] = np.iinfo(np.int16).max
    number = np.empty(coefficients.shape[:2], np.uint8)
    for row, blocks in enumerate(coefficients):
        number[row] = ((blocks > least) | (blocks < -least)).reshape(-1, SIDE * SIDE).sum(axis=1)
    return number


def flat(coefficients: np.ndarray) -> np.ndarray:
    """(block rows, block cols) bool: blocks without any AC coefficient."""
    found = np.empty(coefficients.shape[:2], bool)
    for row, blocks in enumerate(coefficients):
        found[row] = ~blocks.reshape(-1, SIDE * SIDE)[:, 1:].any(axis=1)
    return found


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
        self.coefficients, self.quantization = coefficients, quantization
        self.choose(FREQUENCIES)
        self.mean_levels = coefficients[:, :, 0, 0]
        self.mean_last = int(np.clip(quantization[0, 0], 1, 255))
        self.usable = usable
        self.kinds = kinds
        # Equal neighbours say the same thing once.
        self.new_mean = usable.copy()
        self.new_mean[1:] &= self.mean_levels[1:] != self.mean_levels[:-1]
        self.new_mean[:, 1:] &= self.mean_levels[:, 1:] != self.mean_levels[:, :-1]
        # All samples of a flat block round alike, which moves its mean by up to half a grey level, and
        # its mean's coefficient by up to 4: no gap between the multiples of most first steps is that wide.
        self.new_mean &= ~flat(coefficients)

    def choose(self, frequencies: np.ndarray) -> None:
        """Look at these AC frequencies from now on."""
        self.frequencies = frequencies
        self.levels = np.stack([np.abs(self.coefficients[:, :, v, u]) for v, u in frequencies])
        # Steps above 255 (16-bit tables) leave hardly anything but zeros, whatever they are.
        last = self.quantization[frequencies[:, 0], frequencies[:, 1]]
        self.last = np.clip(last, 1, 255).astype(np.int64)

    def counts(self, top: int) -> np.ndarray:
        """(frequencies, top): how often the levels 0 to top - 1 occur in blocks without disturbance."""
        clean = self.usable & (self.kinds == likelihood.CLEAN)
        chosen = clean if np.count_nonzero(clean) >= FEWEST_CLEAN_BLOCKS else self.usable
        return np.stack(
            [np.bincount(np.minimum(p[chosen], top), minlength=top + 1)[:top] for p in self.levels]
        )

    def mean_gains(self) -> np.ndarray:
        chosen = self.new_mean & (self.kinds == likelihood.CLEAN)
        return likelihood.mean_value_gains(self.mean_levels[chosen], self.mean_last)

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


@dataclass(frozen=True)
class _Histories:
    """The two histories to tell apart: quantized by these steps before, or not.

    telling : (frequencies,) bool, those whose first step leaves a trace
    """

    known: primary.PrimarySteps
    telling: np.ndarray
    mean_step: int
    model: likelihood.HistoryModel


def _histories(blocks: _Blocks) -> _Histories | None:
    """What the blocks may have been quantized with before; None when nothing shows."""
    known = primary.estimate_primary_steps(blocks.counts(primary.LEVELS), blocks.last, FREQUENCIES)
    telling = (known.steps > 1) & (known.steps != blocks.last)
    mean_gains = blocks.mean_gains()
    coarser = known.steps[telling] > blocks.last[telling]
    if known.quality is None or 2 * np.count_nonzero(coarser) <= coarser.size:
        blocks.choose(faint.FREQUENCIES)
        finer, mean_step = faint.finer_steps(blocks.counts(likelihood.LEVELS), blocks.last, mean_gains)
        # One frequency that is odd by itself is no match for a table.
        if finer.known and finer.gains.sum() > known.gains.sum():
            telling = (finer.steps > 1) & (finer.steps != blocks.last)
            model: likelihood.HistoryModel = faint.FaintModel(finer.steps[telling], blocks.last[telling])
            return _Histories(finer, telling, mean_step, model)
        blocks.choose(FREQUENCIES)
    if not telling.any():
        return None
    model = likelihood.HistoryModel(known.steps[telling], blocks.last[telling])
    return _Histories(known, telling, likelihood.mean_value_step(mean_gains), model)


class _Comparison:
    """The two histories compared on a picture's blocks."""

    def __init__(self, blocks: _Blocks, histories: _Histories) -> None:
        self.usable = blocks.usable
        self.levels = blocks.levels[histories.telling]
        self.classes = likelihood.activity_classes(self.levels, blocks.kinds)
        self.means = blocks.mean_evidence(histories.mean_step)
        self.model = histories.model

    def for_twice(self, chosen: np.ndarray) -> float:
        """Evidence of a region, with a density of its own, for two quantizations; nats."""
        counts = likelihood.class_counts(self.levels, self.classes, chosen & self.usable)
        return self.model.region_evidence(counts) + float(self.means[chosen].sum())

    def against_region(self, majority: str, chosen: np.ndarray) -> float:
        return -self.for_twice(chosen) if majority == "twice" else self.for_twice(chosen)

    def against(self, majority: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Evidence and belief of every block against a history, and which blocks tell anything."""
        from forensix.native.two_label_field import two_label_field

        sign = -1 if majority == "twice" else 1
        agreeing = self.usable
        for _ in range(2):
            # The second time without the blocks that deviate, so that they do not bend the densities.
            ratios = self.model.ratios(likelihood.class_counts(self.levels, self.classes, agreeing), majority)
            nats = likelihood.block_evidence(self.levels, self.classes, ratios) + self.means
            evidence = regions.doubted(sign * np.where(self.usable, nats, 0))
            belief = two_label_field(evidence, coupling=regions.CONNECTIVE)
            agreeing = self.usable & (belief < 0)
        weight = likelihood.block_evidence(self.levels, self.classes, np.abs(ratios)) + np.abs(self.means)
        return evidence, belief, self.usable & (weight > LEAST_WEIGHT)


def _compare(blocks: _Blocks, histories: _Histories, detailed: int) -> HistoryMap:
    comparison = _Comparison(blocks, histories)
    order = ("twice", "once") if comparison.for_twice(blocks.usable) > 0 else ("once", "twice")
    for majority in order:
        evidence, belief, judged = comparison.against(majority)
        found = regions.deviating(evidence, partial(comparison.against_region, majority))
        inside = found.numbers > 0
        # What deviates is the smaller part of what can be judged; else the other part is.
        if np.count_nonzero(judged & inside) <= np.count_nonzero(judged) / 2:
            break
    # Evidence a block gives for the majority; one of another history would give about as much against.
    power = 0.0
    if judged.any():
        whole = abs(comparison.for_twice(judged)) / np.count_nonzero(judged)
        power = min(whole, -float(np.mean(evidence[judged])))
    smallest = regions.smallest_region(power, evidence.size)
    shade, shown = regions.shading(evidence, belief, judged, smallest=smallest)
    return HistoryMap(
        steps=histories.known,
        mean_value_step=histories.mean_step,
        majority=majority,
        evidence=evidence,
        belief=shade,
        judged=shown | inside,
        regions=found.numbers,
        false_alarms=found.false_alarms,
        candidate=found.candidate,
        detailed=detailed,
        smallest=smallest / evidence.size,
    )
