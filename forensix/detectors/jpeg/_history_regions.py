"""Which regions of blocks deviate from the rest's history, and how likely chance makes such."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CONNECTIVE = float(np.log(2.638))  # polygons on a square lattice grow 2.638-fold per unit of perimeter
BLOCK_DOUBT = 0.01  # chance that a block follows neither history, whatever the model says
TABLES_TRIED = 100
FALSE_ALARMS = 1e-3  # regions per picture that chance may give
REGIONS_EXAMINED = 12
CELLS = (1, 2, 4)  # blocks on a side of the cells that regions are made of
WIDEST = 4.5  # blocks, standard deviation of the Gaussian that faint evidence is pooled with
LEAST_AROUND = 0.2  # of the blocks around must tell something, to show what they say together


@dataclass(frozen=True)
class Regions:
    """Regions that deviate.

    numbers : (block rows, block cols) int32; 0, or the number of a region
    false_alarms : log10 of the number of false alarms of the regions, most certain first
    candidate : log10 of that number for the best region, decided on or not; None without one
    """

    numbers: np.ndarray
    false_alarms: tuple[float, ...]
    candidate: float | None


def smallest_region(power: float, blocks: int) -> float:
    """Blocks in the smallest square that can stand out, at `power` nats a block; infinite without any."""
    if power <= 0:
        return float("inf")
    sizes = []
    for cell in CELLS:
        # Solves n * power = ln(choices) + 4 sqrt(n) * CONNECTIVE / cell.
        choices = np.log(_choices(blocks) / FALSE_ALARMS)
        edge = 2 * CONNECTIVE / cell
        sizes.append(((edge + np.sqrt(edge**2 + power * choices)) / power) ** 2)
    return float(min(sizes))


def _choices(blocks: int) -> float:
    return blocks * TABLES_TRIED * len(CELLS)


def doubted(evidence: np.ndarray) -> np.ndarray:
    """Log-likelihood ratios when a share BLOCK_DOUBT of blocks follows the other hypothesis anyway."""
    ratio = np.exp(np.clip(evidence, -30, 30))
    bent = ((1 - BLOCK_DOUBT) * ratio + BLOCK_DOUBT) / ((1 - BLOCK_DOUBT) + BLOCK_DOUBT * ratio)
    result: np.ndarray = np.log(bent).astype(np.float32)
    return result


def deviating(evidence: np.ndarray, judge: Callable[[np.ndarray], float]) -> Regions:
    """Keep the regions that chance would give in fewer than FALSE_ALARMS pictures.

    Parameters
    ----------
    evidence : (block rows, block cols) float32
        Nats; positive speaks for deviation.
    judge : callable
        Nats for the deviation of a region, given as (block rows, block cols) bool,
        with a density of its own.

    For a region fixed in advance, the chance of a log-likelihood ratio above s is at
    most exp(-s). There are about ``blocks * 2.638 ** perimeter`` regions to choose from;
    of cells of several blocks there are fewer, so that faint evidence suffices for coarse
    outlines. The ratio used is the smaller of two: the sum of `evidence`, and `judge`'s.
    """
    found = []
    for cell in CELLS:
        found.extend(_candidates(evidence, judge, cell))
    found.sort(key=lambda one: one[0])
    numbers = np.zeros(evidence.shape, np.int32)
    certain = []
    for value, inside in found:
        # What overlaps a region that is more certain is the same region again.
        if value < np.log10(FALSE_ALARMS) and not (numbers[inside] > 0).any():
            certain.append(value)
            numbers[inside] = len(certain)
    return Regions(numbers, tuple(certain), found[0][0] if found else None)


def _candidates(
    evidence: np.ndarray, judge: Callable[[np.ndarray], float], cell: int
) -> list[tuple[float, np.ndarray]]:
    from scipy import ndimage

    from forensix.native.two_label_field import two_label_field

    belief = two_label_field(pooled(evidence, cell), coupling=CONNECTIVE)
    labels, count = ndimage.label(belief > 0)
    labels = spread(labels, cell, evidence.shape)
    strength = ndimage.sum_labels(evidence, labels, np.arange(1, count + 1)) if count else np.zeros(0)
    found = []
    for k in np.argsort(-strength, kind="stable")[:REGIONS_EXAMINED]:
        inside = labels == k + 1
        choices = np.log(_choices(evidence.size)) + perimeter(labels[::cell, ::cell] == k + 1) * CONNECTIVE
        found.append((float((choices - min(strength[k], judge(inside))) / np.log(10)), inside))
    return found


def pooled(values: np.ndarray, cell: int) -> np.ndarray:
    """Sums over cells of `cell` x `cell` blocks; those at the right and lower edge have fewer."""
    rows, cols = (np.arange(0, length, cell) for length in values.shape)
    sums: np.ndarray = np.add.reduceat(np.add.reduceat(values, rows, axis=0), cols, axis=1)
    return sums


def spread(values: np.ndarray, cell: int, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of :func:`pooled`'s division: a value for every block."""
    return np.repeat(np.repeat(values, cell, axis=0), cell, axis=1)[: shape[0], : shape[1]]


def perimeter(inside: np.ndarray) -> int:
    """Number of cell sides between a region and its surroundings, the picture's edge left out."""
    down = np.count_nonzero(inside[1:] != inside[:-1])
    return int(down + np.count_nonzero(inside[:, 1:] != inside[:, :-1]))


def shading(
    evidence: np.ndarray, belief: np.ndarray, judged: np.ndarray, *, smallest: float
) -> tuple[np.ndarray, np.ndarray]:
    """What to show, and where: the beliefs, or for faint evidence its mean around each block, nats.

    judged : (rows, cols) bool, blocks that tell something
    smallest : blocks of the smallest region that can stand out; the wider, the fainter
    Returns the nats, and bool: where the blocks around tell enough to show them.
    """
    from scipy.ndimage import gaussian_filter

    reach = min(np.sqrt(smallest) / 8, WIDEST)
    if reach < 1:
        return belief, judged
    mean = gaussian_filter(evidence, reach) * np.float32(4 * reach * reach)
    return mean, gaussian_filter(judged.astype(np.float32), reach) > LEAST_AROUND


def score(found: Regions) -> float:
    """Logistic in the number of false alarms, 0.5 at the decision threshold."""
    return score_of(np.inf if found.candidate is None else found.candidate)


def score_of(log10_alarms: float) -> float:
    """The same from the base-10 logarithm of the number of false alarms."""
    certainty = np.clip(np.log10(FALSE_ALARMS) - log10_alarms, -9, 60)
    return float(1 / (1 + np.exp(-certainty / 3)))


def map_values(belief: np.ndarray, inside: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """A heat map: above 0.5 exactly in the regions decided on, NaN where nothing could be judged."""
    chance = 1 / (1 + np.exp(-np.clip(belief, -30, 30)))
    values = np.where(inside, 0.5 + 0.5 * np.maximum(chance, 0.02), 0.5 * chance)
    return np.where(judged, values, np.nan)
