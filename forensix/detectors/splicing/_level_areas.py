"""Areas in which levels are empty that the rest of the picture has, or the other way about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forensix.detectors.splicing._level_cells import LEVELS, emptiness, expected_counts
from forensix.detectors.splicing._level_patterns import (
    HEAPED,
    THINNED,
    EvenLevels,
    Pattern,
    even_levels,
    pattern_odds,
    patterns,
)

CERTAIN = 2.0  # nats, of a level of a cell that counts as empty, or as filled
LEAST_VOTES = 6  # cells in which a level must be empty
USUAL = 0.01  # of cells in which a level is empty by chance, at least
RARE = -9.0  # natural logarithm of the chance of a level's votes
MOST_ODDS = 12.0  # nats one cell may have for or against
COUPLING = 3.0  # nats that two neighbours cost which differ
LEAST_CELLS = 4
MOST_CANDIDATES = 8  # areas that are examined, the largest
LEAST_PIXELS = 20.0  # expected at a level, inside and outside each, to compare it there
# What counts of a pattern in an area: levels it thins and levels it heaps, seen inside and not outside, as
# shares of what the neighbours let expect; and how often chance shows them so. Of 200 000 levels of
# parts of photos and scans 0.01 % and 1 % looked so, and in the worst picture 0.2 % and 7 %.
LEAST_PATTERN = 30.0  # pixels
SEEN_HEAPED, EVEN = 1.35, 1.2
THINNED_BY_CHANCE, HEAPED_BY_CHANCE = 0.005, 0.1
TRIED = 3  # patterns, the most evident ones, whose areas are examined
LEAST_WEIGHT = 20.0  # nats over all cells
EMPTY, FILLED = 0.2, 0.6  # share of the expected pixels
BY_CHANCE = 0.002  # of the levels compared that differ so where nothing was done; 20 times what photos have


@dataclass(frozen=True, eq=False)
class LevelArea:
    """A connected area whose pattern of levels differs from that of the rest.

    cells : (rows, cols) bool
    emptied : whether levels are empty in it that the rest has; False where it has levels
        that are empty in the rest
    levels : (channels, 256) bool, those levels; of a pattern also those that it heaps
    pattern : the curve that explains them, one of few that are tried; None where none was asked for
    compared : how many levels, of all channels, could be compared
    against : how many levels differ the other way about
    ragged : share of the levels of single cells, among those that could be judged, that are
        empty where levels ought to be filled: high in pictures whose levels are ragged all over
    log10_alarms : log10 of the number of such areas that chance would give in a picture
    log10_chance : the same for one given area and pattern
    """

    cells: np.ndarray
    emptied: bool
    levels: np.ndarray
    compared: int
    against: int
    ragged: float
    log10_alarms: float
    log10_chance: float
    pattern: Pattern | None = None

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self.cells))


@dataclass(frozen=True, eq=False)
class LevelField:
    """How the cells of a picture stand to the levels that are empty in many of them.

    odds : (rows, cols) float32, nats for "these levels are empty here"; 0 where not told
    chosen : (channels, 256) bool, the levels
    told : (rows, cols) bool, cells in which some levels can be judged at all
    empty, filled : (rows, cols) int64, how many levels of all channels are surely one or the other
    """

    odds: np.ndarray
    chosen: np.ndarray
    told: np.ndarray
    empty: np.ndarray
    filled: np.ndarray

    def raggedness(self, cells: np.ndarray) -> float:
        """Share of the levels of given single cells that are empty, among those that could be judged."""
        empty, filled = int(self.empty[cells].sum()), int(self.filled[cells].sum())
        return empty / max(empty + filled, 1)


def level_field(channels: Sequence[np.ndarray]) -> LevelField:
    """Levels that are empty in more cells than chance would have them, and where they are.

    channels : of (rows, cols, 256) uint16 each, as from ``level_counts``
    """
    shape = channels[0].shape[:2]
    odds, told = np.zeros(shape, np.float32), np.zeros(shape, bool)
    empty, filled = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    chosen = np.zeros((len(channels), LEVELS), bool)
    for number, cells in enumerate(channels):
        nats = emptiness(cells)
        yes, no = nats > CERTAIN, nats < -CERTAIN
        empty += np.count_nonzero(yes, axis=-1)
        filled += np.count_nonzero(no, axis=-1)
        told |= (nats != 0).any(axis=-1)
        chosen[number] = _often_empty(np.count_nonzero(yes, axis=(0, 1)), np.count_nonzero(no, axis=(0, 1)))
        odds += nats[..., chosen[number]].sum(axis=-1)
    return LevelField(np.clip(odds, -MOST_ODDS, MOST_ODDS), chosen, told, empty, filled)


def _often_empty(empty: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """Levels that are empty in more cells than chance would have them; (256,) bool.

    empty, filled : (256,) int, in how many cells each level is
    """
    from scipy.special import bdtrc

    judged = empty + filled
    known = judged >= LEAST_VOTES
    shares = empty[known] / judged[known]
    usual = min(max(USUAL, 2 * float(np.median(shares))), 0.2) if shares.size else USUAL
    rare = np.zeros(LEVELS, bool)
    enough = known & (empty >= LEAST_VOTES)
    rare[enough] = np.log(bdtrc(empty[enough] - 1, judged[enough], usual) + 1e-300) < RARE
    return rare


def level_areas(channels: Sequence[np.ndarray], field: LevelField) -> list[LevelArea]:
    """Connected areas that differ from the rest, whatever their weight, the rarest first.

    They are looked for twice: by levels that are empty in many cells, whatever curve did it,
    and by the levels that one of the known patterns thins and heaps. So two may overlap.
    """
    areas = []
    for inside, rest, emptied in _candidates(field.odds, field.told):
        areas.append(_compared(channels, field, inside, rest, emptied=emptied))
    even = [even_levels(counts) for counts in channels]
    odds = pattern_odds(even).reshape(*field.told.shape, -1)
    np.clip(odds, -MOST_ODDS, MOST_ODDS, out=odds)
    for number in _evident(odds):
        cells = np.ascontiguousarray(odds[..., number])
        for inside, rest, emptied in _candidates(cells, cells != 0):
            areas.append(_told_by_pattern(even, field, inside, rest, emptied=emptied, number=number))
    return sorted(areas, key=lambda area: area.log10_alarms)


def _evident(odds: np.ndarray) -> list[int]:
    """The TRIED patterns for which most speaks in the means of 3 x 3 cells, if anything does.

    odds : (rows, cols, patterns)
    """
    import cv2

    weights = np.zeros(odds.shape[-1])
    for number in range(odds.shape[-1]):
        if (odds[..., number] > 0).any():
            smooth = cv2.blur(
                np.ascontiguousarray(odds[..., number]), (3, 3), borderType=cv2.BORDER_REPLICATE
            )
            weights[number] = np.maximum(smooth, 0).sum() if (smooth < 0).any() else 0
    best = np.argsort(-weights)[:TRIED]
    return [int(number) for number in best if weights[number] > LEAST_WEIGHT]


def _candidates(odds: np.ndarray, told: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Connected areas of the rarer label, the rest without a ring around them, and whether the label is 1."""
    from scipy import ndimage

    from forensix.native.two_label_field import two_label_field
    from forensix.signal.regions import label_regions

    belief = two_label_field(odds, coupling=COUPLING)
    emptied = bool((belief[told] > 0).sum() <= (belief[told] < 0).sum())
    rarer = (belief if emptied else -belief) > 0
    labels, count = label_regions(ndimage.binary_opening(rarer), minimum_cells=LEAST_CELLS)
    for number in range(1, min(count, MOST_CANDIDATES) + 1):
        inside = ndimage.binary_dilation(
            labels == number, iterations=2, mask=rarer
        )  # what the opening took off
        yield inside, ~rarer & ~ndimage.binary_dilation(inside), emptied


def _told_by_pattern(
    channels: Sequence[EvenLevels],
    field: LevelField,
    inside: np.ndarray,
    rest: np.ndarray,
    *,
    emptied: bool,
    number: int,
) -> LevelArea:
    """An area compared with the rest at the levels that a pattern thins or heaps."""
    tried, ratios = patterns()
    levels = np.zeros((len(channels), LEVELS), bool)
    seen, compared, against = np.zeros(2, int), np.zeros(2, int), 0
    curved, plain = (inside, rest) if emptied else (rest, inside)
    for channel, even in enumerate(channels):
        own, much = even.ratios(curved)
        other, more = even.ratios(plain)
        known = np.minimum(much, more) >= LEAST_PATTERN
        thinned, heaped = known & (ratios[number] <= THINNED), known & (ratios[number] >= HEAPED)
        gaps = thinned & (own < EMPTY) & (other > FILLED)
        peaks = heaped & (own > SEEN_HEAPED) & (other < EVEN)
        against += int(np.count_nonzero(thinned & (other < EMPTY) & (own > FILLED)))
        levels[channel] = gaps | peaks
        seen += gaps.sum(), peaks.sum()
        compared += thinned.sum(), heaped.sum()
    chance = _log10_chance(int(seen[0]), int(compared[0]), THINNED_BY_CHANCE)
    chance += _log10_chance(int(seen[1]), int(compared[1]), HEAPED_BY_CHANCE)
    # Boxes of cells, by their corners, and patterns.
    alarms = chance + 2 * float(np.log10(inside.size)) + float(np.log10(len(tried)))
    return LevelArea(
        inside, emptied, levels, int(compared.sum()), against, field.raggedness(plain), alarms, chance, tried[number]
    )  # fmt: skip


def _compared(
    channels: Sequence[np.ndarray], field: LevelField, inside: np.ndarray, rest: np.ndarray, *, emptied: bool
) -> LevelArea:
    """An area compared with the rest at all levels."""
    levels = np.zeros((len(channels), LEVELS), bool)
    compared = against = 0
    told = inside & field.told
    parts = (told, rest) if emptied else (rest, told)
    for number, counts in enumerate(channels):
        shares, known = [], np.ones(LEVELS, bool)
        for part in parts:
            own = counts[part]
            expected = expected_counts(own).sum(axis=0)
            # Summed over cells and not of the sum, so that bright and dark cells do not make up for each other.
            known &= expected >= LEAST_PIXELS
            shares.append(own.sum(axis=0) / np.maximum(expected, 1))
        levels[number] = known & (shares[0] < EMPTY) & (shares[1] > FILLED)
        against += int(np.count_nonzero(known & (shares[1] < EMPTY) & (shares[0] > FILLED)))
        compared += int(np.count_nonzero(known))
    chance = _log10_chance(int(levels.sum()), compared, BY_CHANCE)
    alarms = chance + 2 * float(np.log10(inside.size))  # boxes of cells, by their corners
    return LevelArea(inside, emptied, levels, compared, against, field.raggedness(parts[1]), alarms, chance)


def _log10_chance(differing: int, compared: int, by_chance: float) -> float:
    """log10 of the chance that as many levels differ, where each does with a given chance."""
    from scipy.special import bdtrc

    return float(np.log10(bdtrc(differing - 1, compared, by_chance) + 1e-300)) if differing else 0.0
