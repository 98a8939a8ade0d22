"""Rectangles cut in: areas whose four straight borders are one pixel sharp.

A rectangle selected in an editor, copied and pasted has borders that are exactly
horizontal and vertical, and whose every step from outside to inside happens between two
neighbouring pixels. Lenses, demosaicking and slightly tilted scenes see to it that
nothing photographed has four such borders. The picture is its own control: how often
steps of that kind occur by chance is counted in it, apart for every phase of the 8 x 8
grid, since block borders of a JPEG are sharp too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.method import Method
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.drawings import is_drawn
from forensix.signal.rarity import in_words
from forensix.signal.regions import box_intersection

METHOD = Method(
    name="cut-rectangles",
    family="splicing",
    question="Does an area have four straight borders that are one pixel sharp, as a pasted rectangle has?",
    applies_to="Photographs of at least 64 x 64 pixels in any format",
    reference=(
        "A. Desolneux, L. Moisan, J.-M. Morel, Meaningful Alignments, International Journal of Computer "
        "Vision 40(1), 2000, doi 10.1023/A:1026593302236 (the test against chance; the cue is our own)"
    ),
    kind="splicing",
)

RUN = 8  # pixels along a border that are judged together
APART = 3  # parallel lines on either side that a border must surpass
SHARPNESS = 2.0  # times
LEAST_STEP = 3.0  # grey levels
FLOOR = 1.0  # grey levels added to the neighbours' steps, so that flat areas do not divide by nothing
HIT_RATE = 0.5  # of the runs along a pasted border that are expected to be sharp
LEAST_CHANCE = 2e-3  # of a sharp run anywhere; pictures seldom hold enough runs to know a smaller one
LEAST_SIDE = 64  # pixels
LEAST_BORDER = 5.0  # nats, each of the four
TOGETHER = 4  # runs that chance may make sharp together
BEYOND = 6  # runs beyond a corner in which a border should have ended
MARGIN = 16  # pixels along the picture's edge, where captions and frames lie
# Around a photo with a frame almost everything has one grey level.
LEAST_FRAMED, FRAME_DEPTH, FRAME_SHARE = 0.25, 4.0, 0.9
MOST_RECTANGLES = 8
LINES = 40  # of each direction that are combined to rectangles
PHASES = 8
DECISION = -3.0  # log10 of the number of false alarms: chance gives one in a thousand pictures
STRONG_LINE = 15.0  # nats
EVEN = (
    "Large parts of the picture are perfectly even, as in a drawing, a chart or a screen, where rectangles "
    "with sharp borders are no sign of a change."
)
PAGE = 12  # strong lines, from which on a picture is a page or a screen rather than a photo


@dataclass(frozen=True)
class Rectangle:
    """A rectangle with sharp borders.

    box : (top, left, rows, cols)
    false_alarms : log10 of the number of such rectangles that chance would give in a picture
    """

    box: tuple[int, int, int, int]
    false_alarms: float


def sharp_runs(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the picture steps sharply from one column to the next.

    Parameters
    ----------
    luma : (rows, cols) float32
        0-255.

    Returns
    -------
    hits : (rows // RUN, cols) bool
        True where the mean step between columns c - 1 and c, over RUN rows, is more than
        SHARPNESS times as large as that between any of the next columns.
    chances : (cols,) float64
        How often that happens in this picture, for columns of the same phase modulo 8;
        half as much again, to be on the safe side.
    """
    runs, cols = luma.shape[0] // RUN, luma.shape[1]
    steps = np.zeros((runs, cols), np.float32)
    for run in range(runs):
        rows = luma[run * RUN : (run + 1) * RUN]
        steps[run, 1:] = np.abs(rows[:, 1:] - rows[:, :-1]).mean(axis=0)
    around = np.zeros_like(steps)
    for shift in range(1, APART + 1):
        np.maximum(around[:, shift:], steps[:, :-shift], out=around[:, shift:])
        np.maximum(around[:, :-shift], steps[:, shift:], out=around[:, :-shift])
    hits = (steps > SHARPNESS * (around + FLOOR)) & (steps > LEAST_STEP)
    phase = np.arange(cols) % PHASES
    chances = np.array([hits[:, phase == p].mean() if (phase == p).any() else 0 for p in range(PHASES)])
    return hits, np.clip(1.5 * chances, LEAST_CHANCE, 0.9 * HIT_RATE)[phase]


def border_evidence(hits: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Cumulated log-likelihood ratio of a pasted border against chance.

    Sharp runs come in groups where something straight was photographed, so a hit counts
    in full only once in TOGETHER runs.

    Returns (runs + 1, cols) float64, nats.
    """
    full = np.log(HIT_RATE / chances)
    miss = np.log((1 - HIT_RATE) / (1 - chances))
    cumulated = np.zeros((len(hits) + 1, hits.shape[1]))
    since = np.full(hits.shape[1], TOGETHER)
    for run, hit in enumerate(hits):
        fresh = hit & (since >= TOGETHER)
        cumulated[run + 1] = cumulated[run] + np.where(fresh, full, np.where(hit, 0, miss))
        since = np.where(fresh, 1, since + 1)
    return cumulated


def straight_lines(cumulated: np.ndarray) -> tuple[np.ndarray, int]:
    """Columns with a stretch of sharp runs, the LINES strongest in order, and how many are strong."""
    lowest = np.minimum.accumulate(cumulated, axis=0)
    strength = (cumulated - lowest).max(axis=0)
    strength[:MARGIN] = strength[strength.size - MARGIN :] = 0
    columns = np.argsort(-strength, kind="stable")[:LINES]
    return np.sort(columns[strength[columns] > LEAST_BORDER]), int(np.count_nonzero(strength > STRONG_LINE))


def side_evidence(
    cumulated: np.ndarray, starts: np.ndarray, ends: np.ndarray, lines: np.ndarray
) -> np.ndarray:
    """Evidence that a line is a border between two positions and no further.

    cumulated : as from border_evidence; starts, ends : (stretches,) pixels along the lines;
    lines : (lines,) columns
    Returns (stretches, lines) float64, nats. What sharp runs there are just beyond the ends
    counts against: a border of something drawn or built goes on.
    """
    last = len(cumulated) - 1
    first = -(-starts // RUN)
    final = np.maximum(ends // RUN, first)
    at = cumulated[:, lines]
    inside = at[final] - at[first]
    before = at[np.maximum(first - 1, 0)] - at[np.maximum(first - 1 - BEYOND, 0)]
    after = at[np.minimum(final + 1 + BEYOND, last)] - at[np.minimum(final + 1, last)]
    evidence: np.ndarray = inside - np.maximum(before, 0) - np.maximum(after, 0)
    return evidence


def cut_rectangles(luma: np.ndarray) -> tuple[list[Rectangle], int]:
    """Rectangles with four sharp borders.

    Parameters
    ----------
    luma : (rows, cols) float32
        0-255.

    Returns
    -------
    rectangles : list
        Most certain first, none sharing area with a better one.
    lines : int
        How many strong straight lines the picture has.

    Raises
    ------
    ParameterError
        When `luma` is not 2-D.
    """
    if luma.ndim != 2:
        raise ParameterError(f"luma must be 2-D, got shape {luma.shape}")
    across = border_evidence(*sharp_runs(luma))
    down = border_evidence(*sharp_runs(np.ascontiguousarray(luma.T)))
    (columns, upright), (rows, level) = straight_lines(across), straight_lines(down)
    (lefts, rights), (tops, bottoms) = _pairs(columns), _pairs(rows)
    if not lefts.size or not tops.size:
        return [], upright + level
    sides = [
        side_evidence(across, tops, bottoms, lefts),
        side_evidence(across, tops, bottoms, rights),
        side_evidence(down, lefts, rights, tops).T,
        side_evidence(down, lefts, rights, bottoms).T,
    ]
    height, width = luma.shape
    choices = np.log(height * (height - 1) / 2) + np.log(width * (width - 1) / 2)
    false_alarms = (choices - np.sum(sides, axis=0)) / np.log(10)
    false_alarms[np.min(sides, axis=0) < LEAST_BORDER] = np.inf
    boxes = tops, lefts, bottoms - tops, rights - lefts
    return _best_apart(luma, false_alarms, boxes), upright + level


def _pairs(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every two lines at least LEAST_SIDE apart, the lesser first."""
    first, second = np.triu_indices(lines.size, 1)
    far = lines[second] - lines[first] >= LEAST_SIDE
    return lines[first[far]], lines[second[far]]


def _best_apart(luma: np.ndarray, false_alarms: np.ndarray, boxes: tuple[np.ndarray, ...]) -> list[Rectangle]:
    tops, lefts, heights, widths = boxes
    chosen: list[Rectangle] = []
    order = np.argsort(false_alarms, axis=None)
    for index in order[: np.count_nonzero(np.isfinite(false_alarms))]:
        vertical, horizontal = np.unravel_index(index, false_alarms.shape)
        box = (
            int(tops[vertical]),
            int(lefts[horizontal]),
            int(heights[vertical]),
            int(widths[horizontal]),
        )
        if not any(box_intersection(box, other.box) for other in chosen) and not framed(luma, box):
            chosen.append(Rectangle(box, float(false_alarms[vertical, horizontal])))
        if len(chosen) == MOST_RECTANGLES:
            break
    return chosen


def framed(luma: np.ndarray, box: tuple[int, int, int, int]) -> bool:
    """Whether a box is the picture itself, and what lies around it an even frame."""
    top, left, rows, cols = box
    if rows * cols < LEAST_FRAMED * luma.size:
        return False
    beside = luma[top : top + rows]
    parts = luma[:top], luma[top + rows :], beside[:, :left], beside[:, left + cols :]
    around = np.concatenate([part.ravel() for part in parts])
    return bool(np.mean(np.abs(around - np.median(around)) < FRAME_DEPTH) > FRAME_SHARE)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for rectangles that were cut in.

    Raises
    ------
    NotApplicable
        When the image is smaller than 64 x 64 pixels.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    found, lines = cut_rectangles(evidence.luma)
    certain = [rectangle for rectangle in found if rectangle.false_alarms < DECISION]
    drawn = bool(certain) and lines < PAGE and is_drawn(evidence.luma)
    page = drawn or lines >= PAGE
    best = found[0].false_alarms if found else 10.0
    regions = [] if page else [Region(r.box, "tampered", r.box[2] * r.box[3]) for r in certain]
    return METHOD.finding(
        score=None if page else float(1 / (1 + np.exp(np.clip((best - DECISION) / 3, -60, 60)))),
        explanation=EVEN if drawn else _explanation(certain, lines),
        measurements={
            "rectangles": [{"box": r.box, "log10_false_alarms": r.false_alarms} for r in found],
            "strong_lines": lines,
        },
        regions=regions,
        parameters={"log10_false_alarms": DECISION, "sharpness": SHARPNESS},
        heatmap=_heatmap(regions, evidence.height, evidence.width),
    )


def _explanation(certain: list[Rectangle], lines: int) -> str:
    if lines >= PAGE:
        return (
            f"{lines} long straight lines are one pixel sharp: this looks like a page or a screen, where such "
            "lines are no sign of a change."
        )
    if not certain:
        return "No rectangle has four straight borders that are one pixel sharp."
    top, left, rows, cols = certain[0].box
    return (
        f"A rectangle of {cols} x {rows} pixels at row {top}, column {left} has four straight borders that are "
        f"one pixel sharp, as a pasted selection has; {in_words(certain[0].false_alarms)}."
    )


def _heatmap(regions: list[Region], height: int, width: int) -> Heatmap:
    """0.1 where nothing was found, 0.95 inside the rectangles; one cell a pixel only if there are any."""
    if not regions:
        return Heatmap(np.full((-(-height // RUN), -(-width // RUN)), 0.1, np.float32), RUN)
    values = np.full((height, width), 0.1, np.float32)
    for region in regions:
        top, left, rows, cols = region.box
        values[top : top + rows, left : left + cols] = 0.95
    return Heatmap(values)
