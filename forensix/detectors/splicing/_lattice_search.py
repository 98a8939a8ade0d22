"""Where a picture has the lattice of an interpolation: the search in windows, and the place of what is found.

Scalings whose trace falls on a multiple of 1/16 cycle a pixel (by 0.8, 1.6 or 2, for
instance) cannot be told from the blocks of a codec, and are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from forensix.errors import ParameterError
from forensix.signal.interpolation import (
    WINDOW,
    line_strength,
    repeats_itself,
    strongest_lattice,
    telling_bins,
    tests_per_window,
    unevenness,
)
from forensix.signal.scaling import (
    FINER,
    FREQUENCIES,
    beside_blocks,
    fine_detail,
    fine_strength,
    log_chance,
    scaling_strength,
    strongest_scaling,
)

# log10 of the number of false alarms, decided on below. Turned parts may have any pair of
# frequencies, and textures of untouched photos reach -3.9; scaled ones have pairs along the axes.
DECISION_TURNED, DECISION_SCALED = -4.5, -3.5
MOST_TURNED, MOST_SCALED = 200, 250  # windows
# Where so much of what can tell has one lattice, the whole picture was resampled; where more than
# what is usually pasted has, it may have been: a camera or a codec hides the rest of the trace.
WHOLE, LARGEST_PART = 0.4, 0.3
NOTHING = 9.0  # log10 of the number of false alarms that stands for: nothing to be seen
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
ALMOST = -1.0  # decades of margin, of a window elsewhere that has a lattice
UNTOUCHED = 0.02  # of a window that may have the lattice
ONE_PART = 0.6  # of the cells that have it: what is scattered was not pasted
REACH = 4 * math.pi  # times the square of that: cells that an average reaches
BORDER = 4  # cells left out around the part
MOST_TRIED = 3  # frequencies: of several that a part has, not all can be placed
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


def resampling(luma: np.ndarray) -> Resampling:
    """Look for the lattice of an interpolation in windows of 256 x 256 pixels.

    Parameters
    ----------
    luma : (rows, cols) real, 0-255, at least 256 x 256

    References
    ----------
    M. Kirchner 2008, doi 10.1145/1411328.1411333; the pair of lines at right angles and its
    test against chance are our own.
    """
    if luma.ndim != 2 or min(luma.shape) < WINDOW:
        raise ParameterError(f"luma must be 2-D and at least {WINDOW} on a side, got {luma.shape}")
    values = np.ascontiguousarray(luma, np.float32)
    down, across = fine_detail(values)
    searches = (_scaled((across, down)), _turned(values, (across, down)))
    # Pairs along the axes first: what is scaled also has pairs between them, which say less.
    found = [
        trace
        for search in searches
        for trace in sorted(search, key=lambda each: -each.margin)
        if trace.margin > 0
    ]
    judged = float(np.mean([trace.log10_alarms < NOTHING for trace in searches[1]]))
    first: Resampling | None = None
    tried: list[tuple[float, float]] = []
    for trace in found:
        if len(tried) == MOST_TRIED or any(math.dist(trace.frequency, other) < OTHERS for other in tried):
            continue
        tried.append(trace.frequency)
        window = values[trace.top : trace.top + WINDOW, trace.left : trace.left + WINDOW]
        if not repeats_itself(window, trace.frequency):
            located = _located(trace, values, judged)
            if _others(located.present, [each for search in searches for each in search]):
                located = replace(located, elsewhere=True)
            if located.present.any() and not located.whole:
                return located
            first = located if first is None else first
    if first is not None:
        return first
    rest = [trace for search in searches for trace in search if trace.margin <= 0]
    best = max(rest or found, key=lambda each: each.margin)
    nowhere = np.zeros((max(1, luma.shape[0] // CELL), max(1, luma.shape[1] // CELL)), bool)
    margin = min(best.margin, 0.0)
    return Resampling(best.log10_alarms, margin, best.frequency, nowhere, None, 0.0, False, judged)


@dataclass(frozen=True, eq=False)
class _Trace:
    """The strongest pair of frequencies of a window, and the maps in which the two show.

    details : fine detail along the rows and along the columns, whatever the maps
    """

    top: int
    left: int
    frequency: tuple[float, float]
    log10_alarms: float
    margin: float
    maps: tuple[np.ndarray, np.ndarray]
    details: tuple[np.ndarray, np.ndarray]


def _turned(luma: np.ndarray, details: tuple[np.ndarray, np.ndarray]) -> list[_Trace]:
    """Pairs at right angles, in any direction."""
    uneven, telling = unevenness(luma), telling_bins()
    places = window_places((luma.shape[0], luma.shape[1]), most=MOST_TURNED, step=WINDOW // 2)
    tests = math.log(tests_per_window(telling) * len(places))
    traces = []
    for top, left in places:
        pair = strongest_lattice(uneven[top : top + WINDOW, left : left + WINDOW], telling)
        alarms = (tests - 2 * pair.strength) / math.log(10) if pair.strength > 0 else NOTHING
        margin = DECISION_TURNED - alarms
        traces.append(_Trace(top, left, pair.frequency, alarms, margin, (uneven, uneven), details))
    return traces


def _scaled(details: tuple[np.ndarray, np.ndarray]) -> list[_Trace]:
    """Pairs along the two axes, as of what was scaled and not turned."""
    across, down = details
    places = window_places((across.shape[0], across.shape[1]), most=MOST_SCALED, step=WINDOW * 3 // 8)
    tests = math.log(FREQUENCIES * len(places))
    traces = []
    for top, left in places:
        strength, frequency = strongest_scaling((down, across), top, left)
        alarms = (tests + log_chance(strength)) / math.log(10)
        margin = DECISION_SCALED - alarms
        traces.append(_Trace(top, left, (0.0, frequency), alarms, margin, details, details))
    return traces


def _located(trace: _Trace, luma: np.ndarray, judged: float) -> Resampling:
    sigma = SIGMA_BESIDE_BLOCKS if trace.frequency[0] == 0 and beside_blocks(trace.frequency[1]) else SIGMA
    strength = line_strength(trace.maps, trace.frequency, cell=CELL, sigma=sigma)
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


def _others(present: np.ndarray, traces: list[_Trace]) -> bool:
    """Whether windows away from the part have a lattice, of whatever frequency."""
    return any(trace.margin > ALMOST and _away(present, trace.top, trace.left) for trace in traces)


def _away(present: np.ndarray, top: int, left: int) -> bool:
    """Whether a window has next to nothing of the part, not even at its rim: what is strong reaches far."""
    cells = np.s_[top // CELL : (top + WINDOW) // CELL, left // CELL : (left + WINDOW) // CELL]
    return bool(present[cells].mean() < UNTOUCHED)


def _in_windows(present: np.ndarray, trace: _Trace) -> bool:
    """Whether a pair along the axes shows in windows away from the part, more than others near it."""
    if trace.frequency[0] != 0:
        return False
    across, down = trace.details
    place, aside = abs(trace.frequency[1]) * FINER * WINDOW, round(2 * OTHERS * FINER * WINDOW)
    excess = []
    for top, left in window_places((across.shape[0], across.shape[1]), most=MOST_TURNED, step=WINDOW // 2):
        if _away(present, top, left):
            pair = scaling_strength((down, across), top, left)
            here, less, more = (
                float(pair[max(at - 1, 0) : at + 2].max(initial=0))
                for at in (round(place), round(place) - aside, round(place) + aside)
            )
            excess.append(here - (less + more) / 2)
    if len(excess) < FEW_WINDOWS:
        return False
    return float(np.mean(excess)) > WINDOW_DEVIATIONS * WINDOW_DEVIATION / math.sqrt(len(excess) / 2)


def _elsewhere(present: np.ndarray, strength: np.ndarray, trace: _Trace, sigma: float) -> bool:
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


def window_places(shape: tuple[int, int], *, most: int, step: int) -> list[tuple[int, int]]:
    """Corners of windows that cover the picture, a step apart unless there are too many."""
    while True:
        down, across = (_corners(size, step) for size in shape)
        if down.size * across.size <= most or step >= WINDOW:
            return [(int(top), int(left)) for top in down for left in across]
        step = min(WINDOW, step * 6 // 5)


def _corners(size: int, step: int) -> np.ndarray:
    """Where windows begin along one axis: evenly, from edge to edge, at most `step` apart."""
    count = math.ceil((size - WINDOW) / step) + 1
    corners: np.ndarray = np.linspace(0, size - WINDOW, count).astype(int)
    return corners
