"""Which blocks of a shifted grid carry the traces of an earlier compression on it.

Under that compression the first harmonic of a coefficient, ``cos(2 pi x / step)``, has a
mean that the noise of the later compression decides; without it, the mean that it has on
the grids which mirror this one. Either way its variance is about one half, so that the
log-likelihood ratio is close to linear in it, and no single coefficient can say much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.jpeg._grid_phase import mirrors, self_mirrored
from forensix.detectors.jpeg._shifted_model import Harmonics, Model
from forensix.detectors.jpeg._shifted_search import (
    FREQUENCIES,
    GRIDS,
    HALFWAY_DOUBT,
    QUALITIES,
    WINDOWS,
    Candidate,
    amplitudes,
)
from forensix.signal.block_dct import SIDE, dct_basis

PARTS_OF_AMPLITUDE = (1.0, 0.7, 0.5)  # of the expected one, tried first
ROUNDS = 2
AROUND = 5  # blocks on a side
LOUDEST = 6.0  # nats, of one block
CONNECTIVE = float(np.log(2.638))  # polygons on a square lattice grow 2.638-fold per unit of perimeter
FALSE_ALARMS = 1e-3
REGIONS_EXAMINED = 12
DISPERSION_SIDE = 4  # blocks on a side of the windows whose spread is compared with that of their blocks
FEWEST = 16  # blocks
LEAST_POWER = 0.02  # nats that a block must give on average to be judged
MOST_COMPARED = 1500  # blocks compared on all grids
# A grid must fit so many times as much better than usual as the next best one, and by so many
# standard deviations of all.
LEAST_LEAD, LEAST_DEVIATIONS = 1.5, 6.0
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
    from scipy.ndimage import binary_dilation

    own = Harmonics(pixels, candidate.grid, candidate.steps, usable)
    mirrored = [
        Harmonics(pixels, SIDE * down + right, candidate.steps, usable)
        for down, right in mirrors()[candidate.grid]
    ]
    model = Model(own, mirrored, amplitudes(candidate.steps, noise))
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
    judged = power > LEAST_POWER
    against = [model.evidence(seen)[0] for seen in mirrored]
    found = np.count_nonzero(judged & (belief > 0))
    majority = "with" if found > np.count_nonzero(judged) / 2 else "without"
    regions, alarms = _decide(nats, power, belief, against, majority)
    if majority == "with" and np.count_nonzero(regions) > np.count_nonzero(belief > 0):
        # Much of the rest says too little to be judged block by block, yet evidently lacks the
        # traces: what differs is the smaller part.
        majority = "without"
        regions, alarms = _decide(nats, power, belief, against, majority)
    # Beliefs run on through places that say nothing; regions do not.
    regions[~binary_dilation(judged, iterations=2)] = 0
    chosen = regions > 0 if majority == "without" else judged & (belief > 0)
    if regions.any() and not stands_alone(pixels, candidate, model.gain.mean(axis=0), chosen):
        regions[:] = 0
        alarms = None
    amplitude = float(np.sqrt(np.square(model.gain).mean()))
    return ShiftedMap(candidate, nats, belief, judged, majority, regions, alarms, amplitude)


def stands_alone(pixels: np.ndarray, candidate: Candidate, gain: np.ndarray, chosen: np.ndarray) -> bool:
    """True where the steps fit the blocks chosen on this grid far better than on every other.

    Strong earlier compressions on the file's own grid, and its own, leave clusters on the
    grids one pixel off and half a block off; but then on several of them.

    chosen : (rows, cols) bool, blocks of the candidate's grid
    """
    places = np.argwhere(chosen)
    places = places[:: max(1, len(places) // MOST_COMPARED)] * SIDE
    vertical, horizontal = np.array(FREQUENCIES).T
    basis = dct_basis().astype(np.float32)
    transform = np.einsum("ka,kb->abk", basis[vertical], basis[horizontal]).reshape(SIDE * SIDE, -1)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (SIDE, SIDE))
    step = candidate.steps.astype(np.float32)
    fit = np.zeros(GRIDS)
    for grid in range(1, GRIDS):
        down, right = divmod(grid, SIDE)
        blocks = windows[places[:, 0] + down, places[:, 1] + right].reshape(len(places), -1)
        coefficients = blocks @ transform
        kept = (np.abs(coefficients) > step / 2) & (step > 1)
        kept[:, 0] = step[0] > 1
        fit[grid] = ((np.cos(2 * np.pi / step * coefficients) * kept) @ gain).sum()
    others = np.delete(fit, [0, candidate.grid])
    usual, most = float(np.median(others)), float(others.max())
    lead = float(fit[candidate.grid]) - usual
    if self_mirrored().ravel()[candidate.grid]:
        lead /= HALFWAY_DOUBT
    return lead > LEAST_LEAD * (most - usual) and lead > LEAST_DEVIATIONS * float(others.std())


def _first_guess(model: Model) -> np.ndarray:
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
