"""Parts of a picture that are alike after a plain shift, by the order of their blocks' content.

References
----------
.. [1] Fridrich, J., Soukal, D. and Lukas, J. (2003). Detection of copy-move forgery in digital
   images. Proc. Digital Forensic Research Workshop.
.. [2] Popescu, A. C. and Farid, H. (2004). Exposing digital forgeries by detecting duplicated
   image regions. Technical report TR2004-515, Dartmouth College.
"""

from __future__ import annotations

import math

import numpy as np

from forensix.errors import ParameterError
from forensix.signal.match_groups import MatchGroup

SIDE = 16
MIDDLE = 8
# Half the side of the window in which a block must stand out to take part, pixels.
APART = 2
# Steps of the coefficients, grey levels, and how much a block must change down and across alike to
# be compared with them: an edge or a slope is like any other part of itself. The fine steps tell
# faint texture apart, the coarse ones outlast compression.
QUANTIZERS = ((6.0, 6.0), (20.0, 30.0))
REACH = 8
FEWEST = 5
MOST_POINTS = 400
# Matches with one shift belong together within so many pixels.
TOGETHER = 32
# Blocks have no distance on the scale of keypoints' descriptors: one that says nothing.
NO_DISTANCE = 1.0
STRIP = 256


def standing_out(luma: np.ndarray) -> np.ndarray:
    """Blocks whose middle has the largest or smallest diagonal coefficient of all around.

    Every overlapping block is looked at, but of neighbours that hold nearly the same only
    one goes on. As its own content says which, a copy's blocks and its source's are the same ones,
    wherever they lie. The coefficient is the one of frequency (1, 1) of the middle 8 x 8 pixels.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255, at least 16 x 16

    Returns
    -------
    (n, 2) int32
        Rows and columns of the top left pixels, from the top left one on.
    """
    import cv2

    wave = np.cos(np.pi * (2 * np.arange(MIDDLE) + 1) / (2 * MIDDLE)) * math.sqrt(2 / MIDDLE)
    wave = wave.astype(np.float32)
    inset = (SIDE - MIDDLE) // 2
    window = np.ones((2 * APART + 1, 2 * APART + 1), np.uint8)
    rows, cols = luma.shape[0] - SIDE + 1, luma.shape[1] - SIDE + 1
    found = []
    for top in range(0, rows, STRIP):
        # APART more rows on either side, so that the strips' edges do not show.
        first, last = max(top - APART, 0), min(top + STRIP + APART, rows)
        part = np.ascontiguousarray(luma[first : last + SIDE - 1], np.float32)
        diagonal = cv2.sepFilter2D(part, cv2.CV_32F, wave, wave, anchor=(0, 0))
        diagonal = np.ascontiguousarray(diagonal[inset : inset + last - first, inset : inset + cols])
        stands = (diagonal == cv2.dilate(diagonal, window)) | (diagonal == cv2.erode(diagonal, window))
        stands &= np.abs(diagonal) > 0.5
        stands = stands[top - first : top - first + STRIP]
        found.append(np.argwhere(stands) + np.array([top, 0]))
    return np.concatenate(found).astype(np.int32)


def shifted_groups(luma: np.ndarray, *, nearest: float, most: int) -> tuple[list[MatchGroup], int]:
    """Groups of blocks that a shift brings to blocks alike, the largest first.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255
    nearest : float
        Shortest shift, pixels.
    most : int
        At most this many shifts are followed up.

    Returns
    -------
    groups : list of MatchGroup
    blocks : int
        How many blocks were compared.
    """
    from forensix.native.block_order import low_frequencies

    if luma.ndim != 2 or min(luma.shape) < SIDE:
        raise ParameterError(f"luma must be 2-D and at least {SIDE} on a side, got {luma.shape}")
    places = standing_out(luma)
    coefficients = low_frequencies(luma, places)
    # Pairs alike at both steps count twice.
    pairs = np.concatenate([_alike(coefficients, places, step, least, nearest) for step, least in QUANTIZERS])
    one, other = places[pairs[:, 0]], places[pairs[:, 1]]
    weight = _closeness(coefficients[pairs[:, 0]], coefficients[pairs[:, 1]])
    groups = []
    for chosen in _commonest(other - one, weight, luma.shape, most=most):
        groups += _together(one[chosen], other[chosen], weight[chosen])
    groups.sort(key=lambda weighted: -weighted[0])
    return [group for _, group in groups], len(places)


def _closeness(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Weight of pairs of blocks, 1 to 20: a copy's coefficients are nearer than a likeness's; (n,)."""
    miss = np.linalg.norm(a - b, axis=1) / (np.linalg.norm(a, axis=1) + np.linalg.norm(b, axis=1))
    return np.asarray(1 / (0.05 + np.minimum(miss, 0.95)))


def _alike(
    coefficients: np.ndarray, places: np.ndarray, step: float, least: float, nearest: float
) -> np.ndarray:
    """Indices of the pairs of blocks alike at one step of the coefficients; (pairs, 2) int64."""
    from forensix.native.block_order import FREQUENCIES, alike_pairs, lexicographic_order, packed

    squared = np.square(coefficients)
    down, across = np.array(FREQUENCIES, dtype=bool).T
    enough = (squared[:, down].sum(axis=1) > least**2) & (squared[:, across].sum(axis=1) > least**2)
    index = np.flatnonzero(enough)
    keys = packed(coefficients[index], step=step)
    pairs = alike_pairs(keys, lexicographic_order(keys), places[index], reach=REACH, nearest=nearest)
    return np.asarray(index[pairs])


def _commonest(
    shift: np.ndarray, weight: np.ndarray, shape: tuple[int, int], *, most: int
) -> list[np.ndarray]:
    """The pairs of each of the heaviest shifts, to a pixel; indices of (n, 2) int shifts."""
    cols = 2 * shape[1] + 2
    bins = (shift[:, 0].astype(np.int64) + 1) * cols + shift[:, 1] + shape[1]
    order = np.argsort(bins, kind="stable")
    values, start = np.unique(bins[order], return_index=True)
    if not len(values):
        return []
    ends = np.append(start[1:], len(bins))
    votes = np.add.reduceat(weight[order], start)
    around = np.array([down * cols + across for down in (-1, 0, 1) for across in (-1, 0, 1)])
    total, count = np.zeros(len(values)), np.zeros(len(values), np.int64)
    for step in around:
        at = np.minimum(np.searchsorted(values, values + step), len(values) - 1)
        there = values[at] == values + step
        total += np.where(there, votes[at], 0)
        count += np.where(there, (ends - start)[at], 0)
    left = count >= FEWEST
    candidates = np.flatnonzero(left)
    chosen: list[np.ndarray] = []
    for i in candidates[np.argsort(-total[candidates], kind="stable")]:
        if len(chosen) == most:
            break
        if left[i]:
            near = np.searchsorted(values, values[i] + around)
            near = near[near < len(values)]
            near = near[np.isin(values[near], values[i] + around)]
            left[near] = False
            chosen.append(np.concatenate([order[start[k] : ends[k]] for k in near]))
    return chosen


def _together(one: np.ndarray, other: np.ndarray, weight: np.ndarray) -> list[tuple[float, MatchGroup]]:
    """Groups of pairs whose first blocks lie near each other, with their weights; all have nearly one shift."""
    import cv2

    cell = (one - one.min(axis=0)) // TOGETHER
    taken = np.zeros(cell.max(axis=0) + 1, np.uint8)
    taken[cell[:, 0], cell[:, 1]] = 1
    _, label = cv2.connectedComponents(taken, connectivity=8)
    label = label[cell[:, 0], cell[:, 1]]
    groups = []
    for part in np.flatnonzero(np.bincount(label) >= FEWEST):
        inside = np.flatnonzero(label == part)
        # Blocks overlap: as many places as blocks lie apart.
        count = min(len(np.unique(side[inside] // SIDE, axis=0)) for side in (one, other))
        if count < FEWEST:
            continue
        shift = np.median(other[inside] - one[inside], axis=0)
        picked = inside[np.linspace(0, len(inside) - 1, min(len(inside), MOST_POINTS)).astype(np.int64)]
        source, target = (side[picked] + (SIDE - 1) / 2 for side in (one, other))
        group = MatchGroup(np.c_[np.eye(2), shift], source, target, count, NO_DISTANCE, False)
        groups.append((count * float(np.median(weight[inside])), group))
    return groups
