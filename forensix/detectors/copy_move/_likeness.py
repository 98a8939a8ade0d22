"""From how far two regions agree to the number of false alarms: a copy or a likeness?

References
----------
.. [1] Desolneux, A., Moisan, L. and Morel, J.-M. (2008). From Gestalt Theory to Image Analysis:
   A Probabilistic Approach. Springer. DOI 10.1007/978-0-387-74378-3
.. [2] Fisher, R. A. (1925). Statistical Methods for Research Workers, sections 21.1 (combination of
   probabilities) and 35 (transformed correlation).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from forensix.signal.agreement import FEWEST_CORNERS
from forensix.signal.copied_region import CopiedRegion, self_overlap


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


@dataclass(frozen=True)
class Tails:
    """What untouched photos offer to one way of finding pairs.

    each : the tail of every measurement that counts
    sum_start, sum_slope : one photo in ``10 ** (sum_slope * (sum - sum_start))`` offers a pair
        with a larger sum of surprises, after the number of tests is allowed for
    most_two_tone : a region more of whose variance two grey values explain decides nothing
    needs_detail : True when a region without fine detail to compare decides nothing
    """

    each: Mapping[str, Tail]
    sum_start: float
    sum_slope: float
    most_two_tone: float = 1.0
    needs_detail: bool = False


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
KEYPOINTS = Tails(TAILS, sum_start=1.8, sum_slope=0.5)
# The same of SURF, whose descriptors lie nearer each other: fitted by
# benchmarks/copy_move_keypoint_tails.py to untouched pictures of half of the scenes. What
# is measured on the regions themselves stays as it is.
SURF = Tails(
    TAILS | {"places": Tail(start=1.76, slope=0.82), "likeness": Tail(start=-0.14, slope=19.2)},
    sum_start=1.8,
    sum_slope=0.5,
)
# The same of the dense path, which measures away from the rim: fitted by
# benchmarks/copy_move_dense_tails.py to what 367 untouched pictures of half of the cameras and
# scenes offered; one of them, a rack of sewing thread, offers most.
DENSE = Tails(
    {
        "places": Tail(start=0.60, slope=1.05),
        "level": Tail(start=1.49, slope=0.98),
        "rigid": Tail(start=3.82, slope=0.83),
        "ground": Tail(start=0.90, slope=1.27),
        "finest": Tail(start=1.58, slope=1.78),
    },
    sum_start=-1.5,
    sum_slope=0.45,
    most_two_tone=0.9,
    needs_detail=True,
)
# The same of the block path: the tails from what 368 untouched pictures of half of the cameras
# offered, of which few offer anything near. Hence the sum's tail is set, not fitted, with
# the largest sums of both halves in view: one in a hundred is granted a sum of 5, which one of the
# 368 exceeds, and 3 of 274 of the other half.
BLOCKS = Tails(
    {
        "places": Tail(start=2.24, slope=1.61),
        "level": Tail(start=0.95, slope=1.18),
        "rigid": Tail(start=2.74, slope=0.58),
        "ground": Tail(start=1.13, slope=3.00),
        "finest": Tail(start=1.19, slope=1.53),
    },
    sum_start=0.0,
    sum_slope=0.4,
    most_two_tone=0.9,
    needs_detail=True,
)
# What a region without ground or fine detail to compare is taken to show of it.
UNKNOWN_GROUND = 0.5
# Expected false alarms an image at the decision.
ALARMS = 0.01
# A copy's ground correlates above 0.68 in 99 of 100 forgeries, also after JPEG.
LEAST_GROUND = 0.5
MOST_CLIPPED = 0.3
# Nor does its coarser structure miss by more than 0.55 of its size.
MOST_COARSE_MISS = 0.6
# Letters on a sign: two flat tones, nothing between their edges to compare, and little of the area
# in corners, of which small things that were copied are full; or hardly anything but the two tones.
LETTERED, MOST_CORNERS, PRINTED = 0.84, 0.4, 0.92
# Pixels: on fewer, smooth blocks of a JPEG agree by chance.
LEAST_AREA = 400
# Without corners, so many: smooth blocks of a coarsely quantized JPEG are the same to the last
# bit, and some nine of them lie side by side in two places of untouched pictures.
LEAST_SMOOTH_AREA = 1600
# Share of the source that its copy may cover.
MOST_OVERLAP = 0.3


def values(region: CopiedRegion) -> dict[str, float | None]:
    """The measurements as tails are fitted to them, larger for a copy; None where there is nothing to measure."""
    agreement = region.agreement
    return {
        "places": math.log(max(region.group.count, 1)),
        "likeness": -region.group.distance,
        "structure": _stretched(agreement.structure),
        "coarse": -math.log(agreement.coarse_miss + 1e-3),
        "level": -math.log(agreement.level_miss + 1e-3),
        "rigid": -math.log(agreement.shear + 2e-3),
        "tones": -agreement.two_tone,
        "ground": None if agreement.ground is None else _stretched(agreement.ground),
        "finest": None if agreement.finest is None else _stretched(agreement.finest),
    }


def _stretched(correlation: float) -> float:
    """Fisher's transformation of a correlation [2]_."""
    return math.atanh(min(max(correlation, 0.0), 0.9999))


def surprises(region: CopiedRegion, tails: Tails = KEYPOINTS) -> dict[str, float]:
    """Each measurement's surprise, 0 to 4, had the two places merely been alike."""
    found = values(region)
    out = {}
    for name, tail in tails.each.items():
        value = found[name]
        out[name] = UNKNOWN_GROUND if value is None else tail.surprise(value)
    return out


def contradicted(region: CopiedRegion, tails: Tails = KEYPOINTS) -> bool:
    """True where something speaks against a copy however alike the two places are.

    Either the ground between the edges or the coarser structure differs, which a likeness
    photographed twice does and a copy does not; or much of the region is black or burnt out
    and the rest has no noise to compare; or it is drawn in two tones, as captions and signs are,
    and one letter is as good as another; or the region is too small to tell, or smooth and moved
    by whole blocks of 8 x 8 pixels; or most of it is its own likeness, as of a straight edge
    that was moved along itself.
    """
    agreement = region.agreement
    ground = agreement.ground is not None and agreement.ground < LEAST_GROUND
    coarse = agreement.corners >= FEWEST_CORNERS and agreement.coarse_miss > MOST_COARSE_MISS
    clear = (1 - agreement.clipped) * region.area
    # In a night photo half of a copy may be black, and the noise of the other half tells.
    burnt = agreement.clipped > MOST_CLIPPED and (agreement.ground is None or clear < LEAST_SMOOTH_AREA)
    drawn = burnt or agreement.two_tone > tails.most_two_tone or _lettered(region)
    blank = tails.needs_detail and agreement.finest is None and agreement.ground is None
    smooth = agreement.corners < FEWEST_CORNERS
    least = LEAST_SMOOTH_AREA if smooth else LEAST_AREA
    if ground or coarse or drawn or blank or region.area < least or (smooth and _on_the_grid(region)):
        return True
    return self_overlap(region) > MOST_OVERLAP


def _lettered(region: CopiedRegion) -> bool:
    """Whether a region may hold a letter, which is printed the same in many places."""
    agreement = region.agreement
    least = LETTERED if agreement.corners < MOST_CORNERS * region.area else PRINTED
    return agreement.ground is None and agreement.two_tone > least


def _on_the_grid(region: CopiedRegion) -> bool:
    """Whether the places are whole blocks of 8 x 8 pixels apart.

    The smooth blocks of a JPEG have few different contents, and the same ones follow each other in
    every gradient alike. Of copies one in 64 happens to be moved so.
    """
    middle = region.group.source.mean(axis=0)
    row, col = region.transform[:, :2] @ middle + region.transform[:, 2] - middle
    return all(abs(shift - 8 * round(shift / 8)) < 0.1 for shift in (row, col))


def log10_alarms(region: CopiedRegion, *, tests: int, tails: Tails = KEYPOINTS) -> float:
    """Base-10 logarithm of the expected number of pairs so alike in an untouched photo.

    The surprises of all measurements are added as in Fisher's combination [2]_; since
    they are not independent, the sum's own tail over untouched photos gives the chance, and
    the number of groups of matches that were tried multiplies it [1]_: a picture that
    repeats itself has many.
    """
    if contradicted(region, tails):
        return math.log10(max(tests, 1))
    total = sum(surprises(region, tails).values())
    return math.log10(max(tests, 1)) - tails.sum_slope * max(total - tails.sum_start, 0.0)
