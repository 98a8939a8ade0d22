"""Which side of a copied pair another trace names: that one was pasted, the other is its source."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from forensix.finding import Finding

# Of the pasted side, what another trace must cover; of what that trace marks there, what must
# lie on that side; of the source, what it may cover at most.
COVERED, OWN, UNCOVERED = 0.8, 0.5, 0.1
# Of the source, moved as the pair is, what must fall on the pasted side.
MOVED_ONTO = 0.5


def shifts_of(findings: Iterable[Finding]) -> list[tuple[int, int]]:
    """How the pairs that were decided on lie to each other, both ways: (rows, cols) in pixels."""
    found = set()
    for finding in findings:
        for pair in finding.measurements.get("pairs", ()):
            if pair["log10_expected_false_alarms"] < math.log10(finding.parameters["alarms_per_image"]):
                down, across = (round(value) for value in pair["shift"])
                found |= {(down, across), (-down, -across)}
    return sorted(found)


def sources(copied: np.ndarray, named: np.ndarray, shifts: Iterable[tuple[int, int]]) -> np.ndarray:
    """Parts of a copy-move mask that are the source of a part which another trace names.

    Parameters
    ----------
    copied : (rows, cols) bool
        Both sides of every copied pair.
    named : (rows, cols) bool
        What methods mark that look for other traces.
    shifts : of (int, int)
        From one side of a pair to the other, rows and columns.

    Returns
    -------
    (rows, cols) bool
    """
    from scipy import ndimage

    out = np.zeros(copied.shape, bool)
    if not (named & copied).any():
        return out
    labels, count = ndimage.label(copied)
    others, _ = ndimage.label(named)
    windows = ndimage.find_objects(labels)
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    covered = np.bincount(labels[named], minlength=count + 1) / areas
    reach = np.bincount(others.ravel())
    pasted = np.zeros(count + 1, bool)
    for part in 1 + np.flatnonzero(covered[1:] >= COVERED):
        window = windows[part - 1]
        touching = np.unique(others[window][(labels[window] == part) & named[window]])
        pasted[part] = covered[part] * areas[part] >= OWN * reach[touching].sum()
    if not pasted.any():
        return out
    told = pasted[labels]
    for part in 1 + np.flatnonzero(covered[1:] <= UNCOVERED):
        window = windows[part - 1]
        rows, cols = np.nonzero(labels[window] == part)
        rows, cols = rows + window[0].start, cols + window[1].start
        if any(_falls_on(told, rows + down, cols + across) for down, across in shifts):
            out[rows, cols] = True
    return out


def _falls_on(told: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> bool:
    inside = (rows >= 0) & (rows < told.shape[0]) & (cols >= 0) & (cols < told.shape[1])
    return bool(np.count_nonzero(told[rows[inside], cols[inside]]) >= MOVED_ONTO * rows.size)
