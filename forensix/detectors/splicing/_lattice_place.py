"""Where the lattice of an interpolation is, and whether the rest of the picture has it, too."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from forensix.signal.interpolation import WINDOW
from forensix.signal.line_maps import line_strength
from forensix.signal.scaling import FINER, beside_blocks, fine_strength

# Where so much of what can tell has one lattice, the whole picture was resampled; where more than
# what is usually pasted has, it may have been: a camera or a codec hides the rest of the trace.
WHOLE, LARGEST_PART = 0.4, 0.3
CELL = 16
SIGMA, SIGMA_BESIDE_BLOCKS = 1.5, 2.5  # cells; more, to tell lines from those of blocks near them
# Of two lines, each exponential over the floor of four neighbours, 1 in 1000 exceeds this.
PRESENT = 6.0
# Around what was pasted, the pair of lines is as strong as others near it: strengths above PRESENT
# cut, with a deviation of 0.8 in each of the areas that the average of a cell reaches. Where the
# whole picture was resampled, but shows it in parts only, it is stronger.
DEVIATION, LEAST_EXCESS, DEVIATIONS = 0.8, 0.3, 1.5
OTHERS = 4 / WINDOW  # cycles a pixel further and less far
# The same of pairs along the axes in whole windows, which show fainter ones.
FEW_WINDOWS, WINDOW_DEVIATION, WINDOW_DEVIATIONS = 8, 1.4, 2.5
APART = WINDOW // 2  # pixels between windows that are nearly independent
ALMOST = -1.0  # decades of margin, of a window elsewhere that has a lattice
UNTOUCHED = 0.02  # of a window that may have the lattice
ONE_PART = 0.6  # of the cells that have it: what is scattered was not pasted
REACH = 4 * math.pi  # times the square of that: cells that an average reaches
BORDER = 4  # cells left out around the part
# A cell could tell if it is about as lively as most of those that have the lattice, or well above
# what rounding makes of a smooth surface.
LIVELY = 0.5, 20  # times, of that percentile
ROUGH = 0.6  # grey levels, mean size of fourth differences
# The average of a cell reaches beyond the part: where that is strong, cells weaker by so much are outside.
FAINTER = 0.2


@dataclass(frozen=True)
class Resampling:
    """Where a picture has the lattice of an interpolation.

    log10_alarms : base-10 logarithm of the number of false alarms of the strongest lattice
    margin : how far that is beyond the decision, decades; negative if it is not
    frequency : (vertical, horizontal) cycles a pixel of that lattice
    present : (rows // 16, cols // 16) bool, cells around which the lattice is there
    strength : (rows // 16, cols // 16) float32, see :func:`line_strength`; None without a lattice
    share : of the cells lively enough to tell, those that have the lattice
    elsewhere : True where traces of the lattice show in the other cells, too
    judged : share of the windows with enough detail to tell
    """

    log10_alarms: float
    margin: float
    frequency: tuple[float, float]
    present: np.ndarray
    strength: np.ndarray | None
    share: float
    elsewhere: bool
    judged: float

    @property
    def whole(self) -> bool:
        """True where the lattice is, or may be, the whole picture's."""
        return self.strength is not None and (self.share >= LARGEST_PART or self.elsewhere)


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of the picture, and how strong the pairs along the axes are in each.

    places : (top, left) of each
    strength : (windows, 257) float32, see ``scaling_strength``
    """

    places: list[tuple[int, int]]
    strength: np.ndarray


@dataclass(frozen=True, eq=False)
class Trace:
    """The strongest pair of frequencies of a window, and the maps in which the two show.

    windows : for pairs along the axes, all of them
    doubled : whether a codec's blocks have such lines, too, and they stand out from those of the rest
    """

    top: int
    left: int
    frequency: tuple[float, float]
    log10_alarms: float
    margin: float
    maps: tuple[np.ndarray, np.ndarray]
    windows: Windows | None = None
    doubled: bool = False


def located(trace: Trace, luma: np.ndarray, judged: float) -> Resampling:
    sigma = SIGMA_BESIDE_BLOCKS if trace.frequency[0] == 0 and beside_blocks(trace.frequency[1]) else SIGMA
    strength = line_strength(trace.maps, trace.frequency, cell=CELL, sigma=sigma)
    if trace.doubled:
        strength /= max(1.0, float(np.median(strength)))
    present = _joined(strength > PRESENT)
    share = _share(present, fine_strength(luma, cell=CELL))
    elsewhere = (
        _scattered(present) or _elsewhere(present, strength, trace, sigma) or _in_windows(present, trace)
    )
    if present.any():
        present = _joined(strength > max(PRESENT, FAINTER * float(np.median(strength[present]))))
    return Resampling(
        trace.log10_alarms, trace.margin, trace.frequency, present, strength, share, elsewhere, judged
    )


def _joined(present: np.ndarray) -> np.ndarray:
    """Cells with the lattice as connected parts, without gaps and single cells."""
    from scipy import ndimage

    closed = ndimage.binary_closing(np.pad(present, 3), np.ones((3, 3)), iterations=2)[3:-3, 3:-3]
    joined: np.ndarray = ndimage.binary_opening(ndimage.binary_fill_holes(closed), np.ones((2, 2)))
    return joined


def _share(present: np.ndarray, rough: np.ndarray) -> float:
    """Of the cells that could show the lattice, those that do; 1 where only they could."""
    if not present.any():
        return 0.0
    times, percentile = LIVELY
    able = rough >= min(times * float(np.percentile(rough[present], percentile)), ROUGH)
    return int(np.count_nonzero(able & present)) / max(int(np.count_nonzero(able)), 1)


def _scattered(present: np.ndarray) -> bool:
    """Whether the cells lie in many places and not mostly in one."""
    from scipy import ndimage

    labels, count = ndimage.label(present)
    sizes = np.bincount(labels.ravel())[1:]
    return count > 1 and bool(sizes.max() < ONE_PART * sizes.sum())


def others(present: np.ndarray, traces: list[Trace]) -> bool:
    """Whether windows away from the part have a lattice, of whatever frequency."""
    return any(trace.margin > ALMOST and _away(present, trace.top, trace.left) for trace in traces)


def _away(present: np.ndarray, top: int, left: int) -> bool:
    """Whether a window has next to nothing of the part, not even at its rim: what is strong reaches far."""
    cells = np.s_[top // CELL : (top + WINDOW) // CELL, left // CELL : (left + WINDOW) // CELL]
    return bool(present[cells].mean() < UNTOUCHED)


def _in_windows(present: np.ndarray, trace: Trace) -> bool:
    """Whether a pair along the axes shows in windows away from the part, more than others near it."""
    if trace.windows is None or trace.doubled:
        return False
    place, aside = (round(f * FINER * WINDOW) for f in (abs(trace.frequency[1]), 2 * OTHERS))
    last = FINER * WINDOW // 2
    excess = []
    for (top, left), pair in zip(trace.windows.places, trace.windows.strength, strict=True):
        if _away(present, top, left):
            here, less, more = (
                float(pair[last - np.abs(last - np.arange(at - 1, at + 2))].max())  # mirrored at half a cycle
                for at in (place, place - aside, place + aside)
            )
            excess.append(here - (less + more) / 2)
    if len(excess) < FEW_WINDOWS:
        return False
    # Windows that overlap say the same.
    area = present.size * CELL**2 / len(trace.windows.places)
    apart = len(excess) * min(area / APART**2, 1.0) / 2
    return float(np.mean(excess)) > WINDOW_DEVIATIONS * WINDOW_DEVIATION / math.sqrt(apart)


def _elsewhere(present: np.ndarray, strength: np.ndarray, trace: Trace, sigma: float) -> bool:
    """Whether the lattice, faintly, is also where it was not found: more than others near it."""
    from scipy import ndimage

    away = ~ndimage.binary_dilation(present, iterations=BORDER)
    if not away.any():
        return False
    size = math.hypot(*trace.frequency)
    means = []
    for farther in (-OTHERS, OTHERS):
        near = trace.frequency[0] * (1 + farther / size), trace.frequency[1] * (1 + farther / size)
        other = line_strength(trace.maps, near, cell=CELL, sigma=sigma)
        means.append(float(np.minimum(other[away], PRESENT).mean()))
    excess = float(np.minimum(strength[away], PRESENT).mean()) - sum(means) / 2
    areas = np.count_nonzero(away) / (REACH * sigma**2)
    return excess > max(LEAST_EXCESS, DEVIATIONS * DEVIATION / math.sqrt(areas))
