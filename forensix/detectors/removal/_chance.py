"""How often chance alone would give what looks like a hole filled with copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forensix.detectors.removal._fragments import FEWEST, Fragment

if TYPE_CHECKING:
    from forensix.detectors.removal._targets import CopiedHole

RADII = 12.0 * 1.25 ** np.arange(16)  # pixels, of the discs that are tried as holes
# Groups added to those counted in the picture, so that a picture with hardly any chance
# match does not make chance impossible.
PRIOR_GROWN, PRIOR_PAIRS = 0.5, 10.0
# Bits that an equal piece must exceed to be counted, how fast their number falls at the most, and the
# ranks between which that is looked at. A hole has few pieces of the highest ranks.
LEAST_BITS, LEAST_FALL = 40.0, 20.0
HIGH, LOW = 25, 100


@dataclass(frozen=True)
class Chance:
    """How often matches that are no copies form groups in a picture.

    pairs : how many groups of two or more there are
    threes : how many of these have more
    bits : how much pieces say that occur twice to the pixel
    """

    pairs: int
    threes: int
    bits: tuple[float, ...] = ()

    def log10_pieces(self, pieces: Sequence[Fragment]) -> np.ndarray:
        """log10 of the number of pieces like these that chance gives, for each; the rarer of two counts."""
        anchors = self.log10_groups(np.array([piece.anchors for piece in pieces], float))
        equal = self.log10_equal(np.array([piece.bits for piece in pieces], float))
        both: np.ndarray = np.minimum(anchors, equal) + np.log10(2)
        return both

    def log10_equal(self, bits: np.ndarray) -> np.ndarray:
        """log10 of the number of equal pieces that say as much, by how fast they get fewer in the picture.

        Beyond that of rank HIGH their number falls as it does from rank LOW to there.
        """
        ranked = np.maximum(np.sort(np.append(self.bits, [LEAST_BITS] * LOW))[::-1], LEAST_BITS)
        high, low = float(ranked[HIGH - 1]), float(ranked[LOW - 1])
        fall = max(LEAST_FALL, (high - low) / np.log(LOW / HIGH))
        count = 1 + min(HIGH, sum(value > LEAST_BITS for value in self.bits))
        equal: np.ndarray = np.log10(count) - (bits - high) / fall / np.log(10)
        return equal

    def log10_groups(self, anchors: np.ndarray) -> np.ndarray:
        """log10 of the number of groups of so many anchors that chance gives, for each.

        Groups grow by one more as often as those of two have grown to three or more.
        """
        further = np.log10(min(0.9, (self.threes + PRIOR_GROWN) / (self.pairs + PRIOR_PAIRS)))
        groups: np.ndarray = np.log10(self.pairs + 1) + (np.asarray(anchors) - 2) * further
        return groups


def log10_share(radius: float, size: int) -> float:
    """log10 of how often one of two places falls into a disc, at most 0."""
    return float(min(0.0, np.log10(2 * np.pi * radius**2 / size)))


def log10_alarms(hole: CopiedHole, *, sizes: list[int], bits: Sequence[float] = (), size: int) -> float:
    """log10 of how many such holes chance would give in the picture.

    The rarest fragment may lie anywhere; the others count together (Fisher's method), each by
    how seldom chance brings such a group into the same disc.

    sizes : of all groups of two and more matches in the picture
    bits : what its equal pieces say
    size : pixels of the picture
    """
    chance = chance_besides(hole.fragments, sizes, bits)
    rarity = np.sort(chance.log10_pieces(hole.fragments))
    rest = np.minimum(0, rarity[1:] + log10_share(hole.radius, size))
    return float(np.log10(len(RADII)) + rarity[0] + log10_product_tail(rest))


def log10_product_tail(log10_values: np.ndarray) -> float:
    """log10 of how often so many even random numbers of 0 to 1 have a product as small as these.

    The bare product would make many values of one half rare.

    References
    ----------
    R. A. Fisher, Statistical Methods for Research Workers, 1925, section 21.1.
    """
    from scipy.special import gammaln

    total = -float(log10_values.sum()) * np.log(10)
    if total <= 0:
        return 0.0
    terms = np.arange(len(log10_values))
    logs = terms * np.log(total) - gammaln(terms + 1)
    tail = logs.max() + np.log(np.exp(logs - logs.max()).sum()) - total
    return float(min(0.0, tail / np.log(10)))


def chance_besides(copies: Sequence[Fragment], sizes: list[int], bits: Sequence[float] = ()) -> Chance:
    """What chance gives in a picture, judged by its groups of matches and equal pieces but the copies.

    sizes, bits : as for :func:`log10_alarms`
    """
    count = sum(piece.anchors > 0 for piece in copies)
    grown = sum(n >= FEWEST for n in sizes)
    rest = np.sort(np.asarray(bits, float))
    for piece in copies:
        below = int(np.searchsorted(rest, piece.bits, side="right")) if piece.bits > 0 else 0
        rest = np.delete(rest, below - 1) if below else rest
    return Chance(pairs=max(0, len(sizes) - count), threes=max(0, grown - count), bits=tuple(rest.tolist()))
