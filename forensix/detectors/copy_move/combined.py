"""Copy-move, all paths together: one answer for the reader, and whether the paths agree."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from forensix.detectors.method import Method
from forensix.errors import NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Status, expand_cells

METHOD = Method(
    name="copy-move",
    family="copy_move",
    question="Taking all copy-move paths together: is a part of the picture a copy of another part?",
    applies_to="Pictures that at least one copy-move path applies to",
    reference=(
        "V. Christlein et al., An Evaluation of Popular Copy-Move Forgery Detection Approaches, IEEE TIFS "
        "7(6), 2012, doi 10.1109/TIFS.2012.2218597"
    ),
    kind="copy-move",
    takes=("findings",),
)

# Intersection over union from which two paths are said to find the same places: half of
# what either marks.
SAME_PLACES = 1 / 3
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five")


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boolean arrays of one shape; 0 where both are empty."""
    union = np.count_nonzero(one | other)
    return float(np.count_nonzero(one & other) / union) if union else 0.0


def detect(evidence: Evidence, *, preset: str = "standard", findings: tuple[Finding, ...]) -> Finding:
    """Sum up what the paths found.

    The score is that of the path surest of a copy: each asks for so few false alarms an
    image that together they stay rare, which the calibration of this finding counts.

    Parameters
    ----------
    findings : of the paths that ran before, with their maps

    Raises
    ------
    NotApplicable
        When none of the paths applies, with the reason of the first.
    """
    ran = [f for f in findings if f.status is Status.RAN]
    if not ran:
        raise NotApplicable(findings[0].reason if findings and findings[0].reason else "no path was run")
    spoke = sorted((f for f in ran if f.score is not None), key=lambda f: -(f.score or 0.0))
    decided = [f for f in spoke if f.decided]
    masks = {f.detector: _mask(f, evidence.height, evidence.width) for f in decided}
    shared = {
        (one, other): round(overlap(masks[one], masks[other]), 3) for one, other in combinations(masks, 2)
    }
    return METHOD.finding(
        score=spoke[0].score if spoke else None,
        explanation=_explain(ran, spoke, decided, shared),
        measurements={
            "paths": {_path(f.detector): f.score for f in ran},
            "overlaps": [
                {"paths": [_path(name) for name in pair], "intersection_over_union": value}
                for pair, value in shared.items()
            ],
        },
        regions=spoke[0].regions if spoke else (),
        parameters={"same_places_from": round(SAME_PLACES, 3)},
        heatmap=_together(decided or spoke, evidence.height, evidence.width),
    )


def _path(detector: str) -> str:
    return detector.removeprefix("copy-move-")


def _mask(finding: Finding, rows: int, cols: int) -> np.ndarray:
    """Where a path decides on a copy; (rows, cols) bool."""
    if finding.heatmap is None:
        return np.zeros((rows, cols), bool)
    return expand_cells(finding.heatmap.values > 0.5, finding.heatmap.cell, rows, cols)


def _together(findings: list[Finding], rows: int, cols: int) -> Heatmap | None:
    """The largest value that any of the paths gives each cell of the finest of their maps."""
    maps = [f.heatmap for f in findings if f.heatmap is not None]
    if not maps:
        return None
    cell = min(each.cell for each in maps)
    height, width = -(-rows // cell), -(-cols // cell)
    values = np.full((height, width), np.nan, np.float32)
    for each in maps:
        np.fmax(values, _on_grid(each, cell, height, width), out=values)
    return Heatmap(values, cell)


def _on_grid(heatmap: Heatmap, cell: int, height: int, width: int) -> np.ndarray:
    """The map's value at the centre of each of (height, width) cells of another size."""
    row = np.minimum((np.arange(height) * cell + cell // 2) // heatmap.cell, heatmap.values.shape[0] - 1)
    col = np.minimum((np.arange(width) * cell + cell // 2) // heatmap.cell, heatmap.values.shape[1] - 1)
    chosen: np.ndarray = heatmap.values[:, col][row]
    return chosen


def _explain(
    ran: list[Finding], spoke: list[Finding], decided: list[Finding], shared: dict[tuple[str, str], float]
) -> str:
    if not decided:
        return _nothing(ran, spoke)
    best = decided[0]
    agree = [f for f in decided[1:] if _shared(shared, best, f) >= SAME_PLACES]
    apart = [f for f in decided[1:] if f not in agree]
    silent = [f for f in ran if f not in decided]
    said = [f"{_listed([best])}: {best.explanation}"]
    if agree:
        least = min(_shared(shared, best, f) for f in agree)
        said.append(f"{_listed(agree)} found the same places independently (at least {least:.0%} in common).")
    if apart:
        said.append(f"{_listed(apart)} found a copy in other places or outlines it otherwise.")
    if silent:
        said.append(f"{_listed(silent)} did not decide on a copy.")
    return " ".join(said)


def _shared(shared: dict[tuple[str, str], float], one: Finding, other: Finding) -> float:
    pair = (one.detector, other.detector)
    return shared.get(pair, shared.get(pair[::-1], 0.0))


def _nothing(ran: list[Finding], spoke: list[Finding]) -> str:
    count = NUMBERS[len(ran)] if len(ran) < len(NUMBERS) else str(len(ran))
    paths = f"{count} {'path' if len(ran) == 1 else 'paths'} ({', '.join(_path(f.detector) for f in ran)})"
    if not spoke:
        return f"{paths} looked for copies, and none can tell: {ran[0].explanation}"
    alike = [f for f in spoke if f.measurements.get("alike_pairs")]
    if alike:
        return f"{paths} looked for copies and none decided on one. {alike[0].explanation}"
    return f"{paths} looked for copies and found no two places alike."


def _listed(findings: list[Finding]) -> str:
    names: list[Any] = [_path(f.detector) for f in findings]
    joined = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return joined[0].upper() + joined[1:]
