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

from forensix.signal.agreement import FEWEST_CORNERS
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


# Quantiles 0.7 and 0.99 over the 796 pairs of alike places that half of 700 untouched
# pictures of more than 60 cameras offered: straight from the camera, cut out and saved again,
# and scanned from film. The other half was kept to measure false alarms on.
TAILS = {
    "places": Tail(start=1.30, slope=0.52),
    "likeness": Tail(start=-0.32, slope=11.0),
    "structure": Tail(start=0.95, slope=1.19),
    "coarse": Tail(start=0.92, slope=1.18),
    "level": Tail(start=1.02, slope=0.98),
    "rigid": Tail(start=2.64, slope=0.65),
    "tones": Tail(start=-0.78, slope=9.7),
    "ground": Tail(start=0.72, slope=2.06),
}
# What a region without ground to compare is taken to show of it.
UNKNOWN_GROUND = 0.5
# Of the same pictures, one in 10 ** (SUM_SLOPE * (sum - SUM_START)) offers a pair with a larger
# sum of surprises, after the number of tests is allowed for.
SUM_START = 1.8
SUM_SLOPE = 0.5
# Expected false alarms an image at the decision.
ALARMS = 0.01
# A copy's ground correlates above 0.68 in 99 of 100 forgeries, also after JPEG.
LEAST_GROUND = 0.5
MOST_CLIPPED = 0.3
# Pixels: on fewer, smooth blocks of a JPEG agree by chance.
LEAST_AREA = 400
# Nor does its coarser structure miss by more than 0.55 of its size.
MOST_COARSE_MISS = 0.6


def surprises(region: CopiedRegion) -> dict[str, float]:
    """Each measurement's surprise, 0 to 4, had the two places merely been alike."""
    agreement = region.agreement
    values = {
        "places": math.log(max(region.group.count, 1)),
        "likeness": -region.group.distance,
        "structure": math.atanh(min(max(agreement.structure, 0.0), 0.9999)),
        "coarse": -math.log(agreement.coarse_miss + 1e-3),
        "level": -math.log(agreement.level_miss + 1e-3),
        "rigid": -math.log(agreement.shear + 2e-3),
        "tones": -agreement.two_tone,
    }
    found = {name: TAILS[name].surprise(value) for name, value in values.items()}
    found["ground"] = (
        UNKNOWN_GROUND
        if agreement.ground is None
        else TAILS["ground"].surprise(math.atanh(min(max(agreement.ground, 0.0), 0.9999)))
    )
    return found


def contradicted(region: CopiedRegion) -> bool:
    """True where something speaks against a copy however alike the two places are.

    Either the ground between the edges or the coarser structure differs, which a likeness
    photographed twice does and a copy does not; or most of the region is burnt out or drawn
    in black and white, as captions are, and one letter is as good as another; or the
    region is too small to tell.
    """
    agreement = region.agreement
    ground = agreement.ground is not None and agreement.ground < LEAST_GROUND
    coarse = agreement.corners >= FEWEST_CORNERS and agreement.coarse_miss > MOST_COARSE_MISS
    return ground or coarse or agreement.clipped > MOST_CLIPPED or region.area < LEAST_AREA


def log10_alarms(region: CopiedRegion, *, tests: int) -> float:
    """Base-10 logarithm of the expected number of pairs so alike in an untouched photo.

    The surprises of all measurements are added as in Fisher's combination [2]_; since
    they are not independent, the sum's own tail over untouched photos gives the chance, and
    the number of groups of matches that were tried multiplies it [1]_: a picture that
    repeats itself has many.
    """
    total = 0.0 if contradicted(region) else sum(surprises(region).values())
    return math.log10(max(tests, 1)) - SUM_SLOPE * max(total - SUM_START, 0.0)
