"""First quantizations finer than the last one: combs too faint for one frequency alone.

Where the first step is the smaller, every last level still takes in one or two (or two or
three) multiples of it, and the levels differ in how many. The busy low levels are few then,
and no single frequency tells its first step. What makes up for it: the steps of all
frequencies come from one table of libjpeg, known but for its quality, so that frequencies
that say little each say much together; and the level 0, which depends on the texture more
than on the history, is left out.

References
----------
T. Bianchi, A. Piva, "Image Forgery Localization via Block-Grained Analysis of JPEG
Artifacts", IEEE TIFS 7(3), 2012, doi 10.1109/TIFS.2012.2187516 (the model of doubly
quantized coefficients). F. Galvan, G. Puglisi, A. R. Bruna, S. Battiato, "First
Quantization Matrix Estimation From Double Compressed JPEG Images", IEEE TIFS 9(8), 2014,
doi 10.1109/TIFS.2014.2307581 (small first steps from filtered histograms).
"""

from __future__ import annotations

import numpy as np

from forensix.detectors.jpeg import _history_likelihood as likelihood
from forensix.detectors.jpeg import _primary_steps as primary
from forensix.evidence.jpeg_quality import ZIGZAG, ijg_table

# (vertical, horizontal), the first AC frequencies in zig-zag order: to find the table, to judge by it.
FREQUENCIES = np.stack(np.divmod(ZIGZAG[1:36], 8), axis=1)
SOUGHT = 20
QUALITIES = range(99, 39, -1)
SHARES = (0.3, 0.6, 0.95)  # of coefficients quantized twice, that are tried
LEAST_GAIN = 8.0  # nats over one quantization that a table must bring
SCALES = likelihood.SCALES[likelihood.LEAST_SCALE :: 2]


def table_gains(counts: np.ndarray, last: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Log-likelihood gain over one quantization of each of QUALITIES' tables as the first, nats.

    counts : (frequencies, likelihood.LEVELS) how often each absolute level occurs
    last : (frequencies,) steps in the file
    Returns (QUALITIES,) float64. Each hypothesis fits a density of its own (a mixture of
    Gaussians) to all that was seen; the level 0 is left out.
    """
    rows, columns = frequencies[:, 0], frequencies[:, 1]
    tables = np.stack([ijg_table(quality)[rows, columns] for quality in QUALITIES])
    row = np.broadcast_to(np.arange(len(last)), tables.shape)
    # Steps as in the file leave no trace, and neither does a step of 1.
    telling = (tables > 1) & (tables != last) & (tables <= primary.LARGEST_STEP)
    pairs, place = np.unique(row[telling] * 256 + tables[telling], return_inverse=True)
    gains = np.zeros(tables.shape)
    if pairs.size:
        gains[telling] = _pair_gains(counts, last, pairs // 256, pairs % 256)[place]
    return np.asarray(gains.sum(axis=1))


def _pair_gains(counts: np.ndarray, last: np.ndarray, row: np.ndarray, first: np.ndarray) -> np.ndarray:
    seen = counts[:, 1:]
    single = primary.without_zeros(primary.gaussian_levels(SCALES, likelihood.LEVELS))
    once = primary.fit_mixture(seen, single[None], rounds=30) @ single
    levels = max(int(np.flatnonzero(seen.any(axis=0)).max(initial=0)) + 2, 8)
    clean = (primary.CLEAN_NOISE,)
    double = primary.without_zeros(
        primary.twice_quantized_levels(SCALES, first, last[row], levels, noises=clean)[0]
    )
    weights = primary.fit_mixture(seen[row, : levels - 1], double, rounds=30)
    twice = np.matmul(weights[:, None], double)[:, 0]
    ratio = twice / np.maximum(once[row, : levels - 1], 1e-12)
    tried = [(seen[row, : levels - 1] * np.log1p(share * (ratio - 1))).sum(axis=1) for share in SHARES]
    gains: np.ndarray = np.max(tried, axis=0)
    return gains


def finer_steps(
    counts: np.ndarray, last: np.ndarray, mean_gains: np.ndarray
) -> tuple[primary.PrimarySteps, int]:
    """The table of libjpeg that most of the picture was quantized with before, all frequencies together.

    counts : (len(FREQUENCIES), likelihood.LEVELS); last : (len(FREQUENCIES),)
    mean_gains : what each step of the mean values gains, as from likelihood.mean_value_gains
    Returns the steps, and that of the mean values. Steps are 0, and the quality None, where
    no table brings LEAST_GAIN.
    """
    gains = table_gains(counts[:SOUGHT], last[:SOUGHT], FREQUENCIES[:SOUGHT])
    mean_steps = np.array([ijg_table(quality)[0, 0] for quality in QUALITIES])
    gains += mean_gains[mean_steps]
    best = int(np.argmax(gains))
    if gains[best] < LEAST_GAIN:
        nothing = np.zeros(len(last))
        return primary.PrimarySteps(nothing.astype(int), nothing, None), 0
    quality = QUALITIES[best]
    steps = ijg_table(quality)[FREQUENCIES[:, 0], FREQUENCIES[:, 1]]
    share = np.full(len(last), gains[best] / len(last))
    return primary.PrimarySteps(steps, share, quality), int(mean_steps[best])


class FaintModel(likelihood.HistoryModel):
    """As HistoryModel, from levels other than 0 alone, and densities that are not stretched.

    With few levels the mean says more about the level 0 than about the density: to match
    it would bend the comb that is looked for.
    """

    def __init__(self, first: np.ndarray, last: np.ndarray) -> None:
        super().__init__(first, last)
        for group in self.groups:
            group.zeros, group.stretched = False, False
