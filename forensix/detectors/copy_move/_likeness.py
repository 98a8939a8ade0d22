"""From how far two regions agree to the number of false alarms: a copy or a likeness?

References
----------
.. [1] Desolneux, A., Moisan, L. and Morel, J.-M. (2008). From Gestalt Theory to Image Analysis:
   A Probabilistic Approach. Springer. DOI 10.1007/978-0-387-74378-3
.. [2] Fisher, R. A. (1925). Statistical Methods for Research Workers, section 21.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from forensix.signal.copied_region import CopiedRegion


@dataclass(frozen=True)
class Tail:
    """How a measurement is distributed over the pairs that untouched photos offer.

    The chance that a pair in an untouched photo agrees at least as well as `value` is
    ``10 ** -(slope * (value - start))``, and 1 below `start`.
    """

    start: float
    slope: float

    def surprise(self, value: float) -> float:
        """Minus the base-10 logarithm of that chance, at most 4: no tail is known farther out."""
        return min(max(self.slope * (value - self.start), 0.0), 4.0)


# Fitted to the candidates that 390 untouched photos of 60 cameras offered (1305 pairs of
# alike places, lettering left out): quantiles 0.5 to 0.998 of each measurement.
TAILS = {
    "places": Tail(start=1.3, slope=0.62),
    "likeness": Tail(start=-0.42, slope=11.0),
    "structure": Tail(start=1.05, slope=2.4),
    "coarse": Tail(start=1.2, slope=1.8),
    "level": Tail(start=1.1, slope=1.5),
    "filled": Tail(start=0.9, slope=0.85),
}
# The same photos' sum of surprises: 10 ** -(SUM_SLOPE * (sum - SUM_START)) of the pairs
# reach it.
SUM_START = 1.9
SUM_SLOPE = 0.42
# Expected false alarms an image at the decision.
ALARMS = 0.01


def surprises(region: CopiedRegion) -> dict[str, float]:
    """Each measurement's surprise, 0 to 4, had the two places merely been alike."""
    agreement = region.agreement
    values = {
        "places": math.log(max(region.group.count, 1)),
        "likeness": -region.group.distance,
        "structure": math.atanh(min(max(agreement.structure, 0.0), 0.9999)),
        "coarse": -math.log(agreement.coarse_miss + 1e-3),
        "level": -math.log(agreement.level_miss + 1e-3),
        "filled": -math.log(1.001 - min(agreement.filled, 1.0)),
    }
    return {name: TAILS[name].surprise(value) for name, value in values.items()}


def log10_alarms(region: CopiedRegion, *, tests: int) -> float:
    """Base-10 logarithm of the expected number of pairs so alike in an untouched photo.

    The surprises of all measurements are added as in Fisher's combination [2]_; since
    they are not independent, the sum's own tail over untouched photos gives the chance, and
    the number of pairs that were tried multiplies it [1]_. Lettering is the exception
    that the photos do not cover: the same letter twice is alike in everything but its ground,
    so a two-toned region never counts as more than an even bet.
    """
    total = sum(surprises(region).values())
    chance = -SUM_SLOPE * max(total - SUM_START, 0.0)
    return chance + math.log10(max(tests, 1))
