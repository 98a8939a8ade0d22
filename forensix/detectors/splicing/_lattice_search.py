"""Where a picture has the lattice of an interpolation: the search in windows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from forensix.detectors.splicing._lattice_place import (
    CELL,
    OTHERS,
    Resampling,
    Trace,
    Windows,
    located,
    others,
)
from forensix.errors import ParameterError
from forensix.signal.interpolation import (
    ALONG_AXES,
    PATTERN,
    WINDOW,
    repeats_itself,
    strongest_lattice,
    telling_bins,
    tests_per_window,
    unevenness,
)
from forensix.signal.scaling import (
    BAND,
    FREQUENCIES,
    ODD,
    doubling,
    fine_detail,
    log_chance,
    scaling_strength,
    strongest_scaling,
    telling_frequencies,
)

# log10 of the number of false alarms, decided on below. Textures of untouched photos reach -3.9 where a
# pair may have any direction, and -5.1 along the axes. At half a cycle, compared with the rest, they reach
# -5.0, but for one where a lattice mast alone shows what the mosaic of the sensor left (-10.7).
DECISION_TURNED, DECISION_SCALED, DECISION_DOUBLED = -4.5, -6.0, -12.5
MOST_TURNED, MOST_SCALED = 200, 250  # windows
NOTHING = 9.0  # log10 of the number of false alarms that stands for: nothing to be seen
MOST_TRIED = 3  # frequencies of each search: of several that a part has, not all can be placed

Maps = tuple[np.ndarray, np.ndarray]


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
    # What the rest does not have first; then what the whole picture may have; pairs along the axes
    # before others, as what is scaled also has pairs between them, which say less.
    beyond, doubled, alone = _scaled(values)
    turned = _turned(values)
    judged = float(np.mean([trace.log10_alarms < NOTHING for trace in turned]))
    first: Resampling | None = None
    for search in (beyond, doubled, alone, turned):
        for trace in _to_try(search, values):
            found = located(trace, values, judged)
            if others(found.present, [*beyond, *turned]):
                found = replace(found, elsewhere=True)
            if found.present.any() and not found.whole:
                return found
            if search is not doubled:
                first = found if first is None else first
    if first is not None:
        return first
    traces = [*beyond, *doubled, *alone, *turned]
    best = max([trace for trace in traces if trace.margin <= 0] or traces, key=lambda each: each.margin)
    nowhere = np.zeros((max(1, luma.shape[0] // CELL), max(1, luma.shape[1] // CELL)), bool)
    margin = min(best.margin, 0.0)
    return Resampling(best.log10_alarms, margin, best.frequency, nowhere, None, 0.0, False, judged)


def _to_try(traces: list[Trace], luma: np.ndarray) -> Iterator[Trace]:
    """Those decided on, the strongest first, one of each frequency; not what the picture itself repeats."""
    tried: list[tuple[float, float]] = []
    for trace in sorted(traces, key=lambda each: -each.margin):
        if trace.margin <= 0 or len(tried) == MOST_TRIED:
            return
        if all(math.dist(trace.frequency, other) >= OTHERS for other in tried):
            tried.append(trace.frequency)
            window = luma[trace.top : trace.top + WINDOW, trace.left : trace.left + WINDOW]
            pattern = ALONG_AXES if trace.windows is not None else PATTERN
            if not repeats_itself(window, trace.frequency, pattern=pattern):
                yield trace


def _turned(luma: np.ndarray) -> list[Trace]:
    """Pairs at right angles, in any direction."""
    uneven, telling = unevenness(luma), telling_bins()
    places = window_places((luma.shape[0], luma.shape[1]), most=MOST_TURNED, step=WINDOW // 2)
    tests = math.log(tests_per_window(telling) * len(places))
    traces = []
    for top, left in places:
        pair = strongest_lattice(uneven[top : top + WINDOW, left : left + WINDOW], telling)
        alarms = (tests - 2 * pair.strength) / math.log(10) if pair.strength > 0 else NOTHING
        traces.append(Trace(top, left, pair.frequency, alarms, DECISION_TURNED - alarms, (uneven, uneven)))
    return traces


def _scaled(luma: np.ndarray) -> tuple[list[Trace], list[Trace], list[Trace]]:
    """Pairs along the two axes, as of what was scaled and not turned.

    Returns those that stand out from the rest of the picture, away from the frequencies of codec
    blocks and on them, and those that stand out in a window.
    """
    corners = window_places((luma.shape[0], luma.shape[1]), most=MOST_SCALED, step=WINDOW * 3 // 8)
    places = [(top // BAND * BAND, left // BAND * BAND) for top, left in corners]
    down, across = fine_detail(luma)
    alone, against = scaling_strength((down, across), places)
    within = _traces(Windows(places, alone), telling_frequencies(), (across, down))
    beyond = _traces(Windows(places, against), telling_frequencies(), (across, down))
    doubled = _traces(Windows(places, against), doubling(), (across, down), doubled=True)
    down, across = fine_detail(luma, order=ODD)
    _, against = scaling_strength((down, across), places, odd=True)
    doubled += _traces(Windows(places, against), doubling(), (across, down), doubled=True)
    return beyond, doubled, within


def _traces(windows: Windows, telling: np.ndarray, maps: Maps, *, doubled: bool = False) -> list[Trace]:
    tests = math.log(FREQUENCIES * len(windows.places))
    traces = []
    for (top, left), one in zip(windows.places, windows.strength, strict=True):
        strongest, frequency = strongest_scaling(one, telling)
        alarms = (tests + log_chance(strongest)) / math.log(10)
        margin = (DECISION_DOUBLED if doubled else DECISION_SCALED) - alarms
        traces.append(Trace(top, left, (0.0, frequency), alarms, margin, maps, windows, doubled))
    return traces


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
