"""From matching anchors to copied fragments with their outlines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forensix.detectors.removal._self_matches import FLOOR, Matches, residual_at

NEAR = 12  # pixels between anchors of one fragment
FEWEST = 3  # anchors of a fragment
BOX = 5  # pixels, over which the two residuals are compared
MARGIN = 24  # pixels by which a fragment may exceed its anchors before it is looked at again
UNLIKE = 0.45  # difference of the residuals over their size, at which a fragment ends
EVEN = 0.15  # grey levels of residual; less is alike everywhere
MOST_GROUPS = 200
GROWTHS = 5
MOST_SIDE = 640  # pixels; a fragment's anchors may lie farther apart
SHIFT = 4  # pixels
EXACT = 0.15  # of the difference from itself a few pixels further
ITSELF = 0.7  # difference over size, below which a piece repeats itself


@dataclass(frozen=True, eq=False)
class Fragment:
    """A piece of the picture that occurs twice.

    top, left : of the box of one occurrence
    mask : (rows, cols) bool, cut to that box
    offset : (down, right) to the other occurrence
    anchors : how many anchors agree on it
    bits : how much those of its pixels say that are equal at both
    """

    top: int
    left: int
    mask: np.ndarray
    offset: tuple[int, int]
    anchors: int
    bits: float = 0.0

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))

    def window(self, other: bool = False) -> tuple[slice, slice]:
        """Index of one occurrence, or of the other, in the picture's arrays."""
        down, right = self.offset if other else (0, 0)
        rows, cols = self.mask.shape
        return (
            slice(self.top + down, self.top + down + rows),
            slice(self.left + right, self.left + right + cols),
        )

    def swapped(self) -> Fragment:
        """The same with the occurrences in the other order."""
        down, right = self.offset
        return replace(self, top=self.top + down, left=self.left + right, offset=(-down, -right))

    def overlaps(self, piece: Fragment) -> bool:
        """Whether the first occurrences have pixels in common."""
        low = max(self.top, piece.top), max(self.left, piece.left)
        high = (
            min(self.top + self.mask.shape[0], piece.top + piece.mask.shape[0]),
            min(self.left + self.mask.shape[1], piece.left + piece.mask.shape[1]),
        )
        if high[0] <= low[0] or high[1] <= low[1]:
            return False
        own, others = (
            part.mask[low[0] - part.top : high[0] - part.top, low[1] - part.left : high[1] - part.left]
            for part in (self, piece)
        )
        return bool((own & others).any())

    def united(self, piece: Fragment) -> Fragment:
        """Both together; `piece` has the same offset."""
        top, left = min(self.top, piece.top), min(self.left, piece.left)
        bottom = max(part.top + part.mask.shape[0] for part in (self, piece))
        right = max(part.left + part.mask.shape[1] for part in (self, piece))
        mask = np.zeros((bottom - top, right - left), bool)
        for part in (self, piece):
            rows, cols = part.window()
            mask[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left] |= part.mask
        return Fragment(top, left, mask, self.offset, self.anchors + piece.anchors, self.bits + piece.bits)

    def box(self, other: bool = False) -> list[int]:
        """Top, left, rows and cols of one occurrence, or of the other."""
        return [int(s.start) for s in self.window(other)] + list(self.mask.shape)


def groups(matches: Matches) -> list[np.ndarray]:
    """Indices of two or more matches with one offset that lie near each other, largest groups first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    if len(matches.places) < 2:
        return []
    # Offsets lie so far apart in the third coordinate that only equal ones can be near.
    _, number = np.unique(matches.others - matches.places, axis=0, return_inverse=True)
    points = np.column_stack([matches.places, number.ravel() * (4.0 * NEAR)])
    pairs = cKDTree(points).query_pairs(NEAR, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(len(points),) * 2)
    count, label = connected_components(graph, directed=False)
    sizes = np.bincount(label, minlength=count)
    order = np.argsort(label, kind="stable")
    parts = np.split(order, np.cumsum(sizes)[:-1])
    return sorted((part for part in parts if len(part) >= 2), key=lambda part: -len(part))


def grown_fragment(rgb: np.ndarray, places: np.ndarray, offset: tuple[int, int]) -> Fragment | None:
    """The piece around some anchors whose residual occurs again at an offset.

    rgb : (rows, cols, 3) uint8
    places : (count, 2) int, the anchors
    Returns None when the anchors are not on it.
    """
    import cv2

    rows, cols = rgb.shape[:2]
    first = np.maximum(0, -np.array(offset))
    last = np.array([rows, cols]) - np.maximum(0, offset)
    reach = np.array([MARGIN, MARGIN])
    for _ in range(GROWTHS):
        low = np.maximum(places.min(axis=0) - reach, first)
        high = np.minimum(places.max(axis=0) + reach + 1, last)
        window = (slice(low[0], high[0]), slice(low[1], high[1]))
        here = residual_at(rgb, window)
        rest = (
            slice(low[0] + offset[0], high[0] + offset[0]),
            slice(low[1] + offset[1], high[1] + offset[1]),
        )
        there = residual_at(rgb, rest)
        apart = cv2.blur(np.abs(here - there).mean(axis=2), (BOX, BOX))
        size = cv2.blur((np.abs(here) + np.abs(there)).mean(axis=2) / 2, (BOX, BOX))
        same = ((apart < UNLIKE * np.maximum(size - FLOOR, FLOOR)) & (size > EVEN)).astype(np.uint8)
        same = cv2.morphologyEx(same, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        count, labels = cv2.connectedComponents(same, connectivity=4)
        votes = np.bincount(labels[places[:, 0] - low[0], places[:, 1] - low[1]], minlength=count)
        votes[0] = 0
        if not votes.any():
            return None
        mask = labels == int(votes.argmax())
        at_rim = [mask[0].any(), mask[:, 0].any(), mask[-1].any(), mask[:, -1].any()]
        stuck = [low[0] == first[0], low[1] == first[1], high[0] == last[0], high[1] == last[1]]
        if not any(r and not s for r, s in zip(at_rim, stuck, strict=True)):
            break
        if (high - low).max() > MOST_SIDE:
            break
        reach = reach + (high - low) // 2
    if repeats_itself(here, mask, float(np.abs(here - there)[mask].mean())):
        return None
    down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    cut = mask[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    return Fragment(int(low[0] + down[0]), int(low[1] + across[0]), cut, offset, int(votes.max()))


def repeats_itself(left: np.ndarray, mask: np.ndarray, differ: float) -> bool:
    """Whether a piece looks the same a few pixels further on: a straight line, or a fine pattern.

    Such a piece matches many places of an untouched picture, unless it is the same there
    by far more than it repeats itself.

    left : (rows, cols, 3) float32, residual
    mask : (rows, cols) bool
    differ : mean difference from the residual at the other place, grey levels
    """
    for down, right in ((SHIFT, 0), (0, SHIFT), (SHIFT, SHIFT), (SHIFT, -SHIFT)):
        moved = np.roll(left, (down, right), axis=(0, 1))
        inside = mask & np.roll(mask, (down, right), axis=(0, 1))
        apart, size = np.abs(left - moved)[inside], np.abs(left)[inside]
        if not size.size or differ < EXACT * max(float(apart.mean()), FLOOR):
            continue
        if apart.mean() < ITSELF * max(float(size.mean()), FLOOR):
            return True
    return False


def fragments(rgb: np.ndarray, matches: Matches, grouped: list[np.ndarray]) -> list[Fragment]:
    """All fragments that at least FEWEST anchors agree on, those with most anchors first.

    rgb : (rows, cols, 3) uint8
    grouped : as from :func:`groups`
    """
    found = []
    for group in grouped[:MOST_GROUPS]:
        if len(group) < FEWEST:
            break
        places = matches.places[group]
        down, right = (matches.others[group[0]] - places[0]).tolist()
        fragment = grown_fragment(rgb, places, (down, right))
        if fragment is not None and fragment.anchors >= FEWEST:
            found.append(fragment)
    return found
