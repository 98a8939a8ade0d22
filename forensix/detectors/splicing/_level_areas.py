"""Areas in which levels are empty that the rest of the picture has, or the other way about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensix.detectors.splicing._level_cells import LEVELS, emptiness, expected_counts

CERTAIN = 2.0  # nats, of a level of a cell that counts as empty, or as filled
LEAST_VOTES = 6  # cells in which a level must be empty
USUAL = 0.01  # of cells in which a level is empty by chance, at least
RARE = -9.0  # natural logarithm of the chance of a level's votes
MOST_ODDS = 12.0  # nats one cell may have for or against
COUPLING = 3.0  # nats that two neighbours cost which differ
LEAST_CELLS = 4
LEAST_PIXELS = 20.0  # expected at a level, inside and outside each, to compare it there
EMPTY, FILLED = 0.2, 0.6  # share of the expected pixels
BY_CHANCE = 0.002  # of the levels compared that differ so where nothing was done; 20 times what photos have


@dataclass(frozen=True, eq=False)
class LevelArea:
    """A connected area whose pattern of levels differs from that of the rest.

    cells : (rows, cols) bool
    emptied : whether levels are empty in it that the rest has; False where it has levels
        that are empty in the rest
    levels : (channels, 256) bool, those levels
    compared : how many levels, of all channels, could be compared
    against : how many levels differ the other way about
    ragged : share of the levels of single cells, among those that could be judged, that are
        empty where levels ought to be filled: high in pictures whose levels are ragged all over
    log10_alarms : log10 of the number of such areas that chance would give in a picture
    """

    cells: np.ndarray
    emptied: bool
    levels: np.ndarray
    compared: int
    against: int
    ragged: float
    log10_alarms: float

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self.cells))


@dataclass(frozen=True, eq=False)
class LevelField:
    """How the cells of a picture stand to the levels that are empty in many of them.

    odds : (rows, cols) float32, nats for "these levels are empty here"; 0 where not told
    chosen : (channels, 256) bool, the levels
    told : (rows, cols) bool, cells in which some levels can be judged at all
    """

    odds: np.ndarray
    chosen: np.ndarray
    told: np.ndarray


def level_field(channels: Sequence[np.ndarray]) -> LevelField:
    """Levels that are empty in more cells than chance would have them, and where they are.

    channels : of (rows, cols, 256) uint16 each, as from ``level_counts``
    """
    shape = channels[0].shape[:2]
    odds, told = np.zeros(shape, np.float32), np.zeros(shape, bool)
    chosen = np.zeros((len(channels), LEVELS), bool)
    for number, cells in enumerate(channels):
        nats = emptiness(cells)
        told |= (nats != 0).any(axis=-1)
        chosen[number] = _often_empty(nats)
        odds += nats[..., chosen[number]].sum(axis=-1)
    return LevelField(np.clip(odds, -MOST_ODDS, MOST_ODDS), chosen, told)


def _often_empty(nats: np.ndarray) -> np.ndarray:
    from scipy.special import bdtrc

    empty = (nats > CERTAIN).sum(axis=(0, 1))
    judged = empty + (nats < -CERTAIN).sum(axis=(0, 1))
    known = judged >= LEAST_VOTES
    shares = empty[known] / judged[known]
    usual = max(USUAL, 2 * float(np.median(shares))) if shares.size else USUAL
    usual = min(usual, 0.2)
    rare = np.zeros(nats.shape[-1], bool)
    enough = known & (empty >= LEAST_VOTES)
    rare[enough] = np.log(bdtrc(empty[enough] - 1, judged[enough], usual) + 1e-300) < RARE
    return rare


def level_areas(channels: Sequence[np.ndarray], field: LevelField) -> list[LevelArea]:
    """Connected areas that differ from the rest, whatever their weight, the rarest first."""
    from scipy import ndimage

    from forensix.native.two_label_field import two_label_field
    from forensix.signal.regions import label_regions

    belief = two_label_field(field.odds, coupling=COUPLING)
    emptied = bool((belief[field.told] > 0).sum() <= (belief[field.told] < 0).sum())
    labels, count = label_regions(
        ndimage.binary_opening((belief if emptied else -belief) > 0), minimum_cells=LEAST_CELLS
    )
    areas = []
    for number in range(1, count + 1):
        inside = labels == number
        rest = (labels == 0) & ~ndimage.binary_dilation(inside)
        areas.append(_compared(channels, inside & field.told, rest, inside, emptied))
    return sorted(areas, key=lambda area: area.log10_alarms)


def _compared(
    channels: Sequence[np.ndarray], inside: np.ndarray, rest: np.ndarray, cells: np.ndarray, emptied: bool
) -> LevelArea:
    levels = np.zeros((len(channels), LEVELS), bool)
    compared = against = empty = filled = 0
    for number, counts in enumerate(channels):
        shares, known = [], np.ones(LEVELS, bool)
        for part in (inside, rest) if emptied else (rest, inside):
            own = counts[part]
            expected = expected_counts(own).sum(axis=0)
            # Summed over cells and not of the sum, so that bright and dark cells do not make up for each other.
            known &= expected >= LEAST_PIXELS
            shares.append(own.sum(axis=0) / np.maximum(expected, 1))
        levels[number] = known & (shares[0] < EMPTY) & (shares[1] > FILLED)
        against += int(np.count_nonzero(known & (shares[1] < EMPTY) & (shares[0] > FILLED)))
        compared += int(np.count_nonzero(known))
        nats = emptiness(counts[rest if emptied else inside])
        empty += int(np.count_nonzero(nats > CERTAIN))
        filled += int(np.count_nonzero(nats < -CERTAIN))
    alarms = _log10_alarms(int(levels.sum()), compared, cells)
    return LevelArea(cells, emptied, levels, compared, against, empty / max(empty + filled, 1), alarms)


def _log10_alarms(differing: int, compared: int, cells: np.ndarray) -> float:
    """Expected number of areas with as many differing levels, where each differs with BY_CHANCE."""
    from scipy.stats import binom

    tests = 2 * np.log10(cells.size)  # boxes of cells, by their corners
    return float(tests + binom.logsf(differing - 1, compared, BY_CHANCE) / np.log(10)) if compared else 3.0
