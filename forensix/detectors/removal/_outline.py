"""The outline of a hole some of whose copied fragments are known.

Anchors are sparse, and small or partly blended pieces have none that match. So around the
known fragments every pixel looks for the place whose residual is most like its own, by
PatchMatch. In an untouched picture neighbours find places of no relation; in a fill they
find places that lie to one another as they do themselves.
"""

from __future__ import annotations

import numpy as np

from forensix.detectors.removal._self_matches import Matches, residual
from forensix.detectors.removal._targets import CopiedHole, closed, part_side

RADIUS = 3  # pixels, of the patches compared
SWEEPS = 3
APART = 7  # pixels; nearer places overlap and agree for that reason
MOST_TARGETS = 60_000
LEAST_PAD = 16  # pixels around the known part
SOURCES = 640  # pixels around the hole, where matches are looked for
REACH = 3  # pixels, within which neighbours are asked
AGREEING = 32  # of the 48 neighbours; untouched photos: 18 at one place in ten
LEAST_PART = 40  # pixels of a coherent part
LINK = 4  # pixels between coherent parts that belong together
LEAST_USABLE = 1000  # pixels to look for pieces in
CLOSING = 0.8  # of the side of its parts, up to which gaps are closed


def outlined(hole: CopiedHole, rgb: np.ndarray, matches: Matches | None = None) -> np.ndarray:
    """The hole around its known fragments: (rows, cols) bool.

    Parameters
    ----------
    hole : CopiedHole
    rgb : (rows, cols, 3) uint8
    matches : Matches
        Of the picture's anchors; those too few for a fragment are tried as well.

    References
    ----------
    Barnes, Shechtman, Finkelstein, Goldman, "PatchMatch", ACM TOG 28(3), 2009.
    https://doi.org/10.1145/1531326.1531330
    """
    import cv2

    mask = hole.mask(*rgb.shape[:2])
    near, far = _windows(mask)
    known = np.ascontiguousarray(mask[far])
    inside = tuple(slice(n.start - f.start, n.stop - f.start) for n, f in zip(near, far, strict=True))
    inner = np.zeros(known.shape, bool)
    inner[RADIUS:-RADIUS, RADIUS:-RADIUS] = True
    usable = inner & (cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    targets = np.zeros(known.shape, bool)
    targets[inside] = True
    targets &= inner & (cv2.erode(known.astype(np.uint8), np.ones((2 * RADIUS + 3,) * 2, np.uint8)) == 0)
    if usable.sum() < LEAST_USABLE or not 0 < targets.sum() <= 2 * MOST_TARGETS:
        return mask
    offsets = known_offsets(hole, far)
    if matches is not None:
        _add_matches(offsets, matches, far)
    field = _matched(residual(rgb[far]), targets, usable, offsets)[inside]
    coherent = agreement(field) >= AGREEING
    mask[near] = _joined(coherent & inner[inside], known[inside])
    return mask


def known_offsets(hole: CopiedHole, window: tuple[slice, slice]) -> np.ndarray:
    """From the fragments' pixels in a window to where they were taken from, 0 elsewhere: (rows, cols, 2) int32."""
    offsets = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start, 2), np.int32)
    for fragment, other in zip(hole.fragments, hole.others, strict=True):
        rows, cols = fragment.window(other)
        corner = np.array([rows.start - window[0].start, cols.start - window[1].start])
        place = np.argwhere(fragment.mask) + corner
        place = place[((place >= 0) & (place < offsets.shape[:2])).all(axis=1)]
        offsets[place[:, 0], place[:, 1]] = np.array(fragment.offset) * (-1 if other else 1)
    return offsets


def _add_matches(offsets: np.ndarray, matches: Matches, window: tuple[slice, slice]) -> None:
    """Write the offsets of single matches around their anchors, both ways, where none is known."""
    known = offsets[..., 0] | offsets[..., 1]
    for places, others in ((matches.places, matches.others), (matches.others, matches.places)):
        at = places - [s.start for s in window]
        within = ((at >= RADIUS) & (at < np.array(known.shape) - RADIUS)).all(axis=1)
        for (row, col), away in zip(at[within].tolist(), (others - places)[within], strict=True):
            patch = np.s_[row - RADIUS : row + RADIUS + 1, col - RADIUS : col + RADIUS + 1]
            offsets[patch][known[patch] == 0] = away


def _windows(core: np.ndarray) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the hole may reach, and where its pieces may come from."""
    down, across = np.flatnonzero(core.any(axis=1)), np.flatnonzero(core.any(axis=0))
    top, bottom, left, right = int(down[0]), int(down[-1]) + 1, int(across[0]), int(across[-1]) + 1
    area = int(np.count_nonzero(core))
    pad = 24 + max(bottom - top, right - left)
    while pad > LEAST_PAD and (bottom - top + 2 * pad) * (right - left + 2 * pad) - area > MOST_TARGETS:
        pad = int(0.9 * pad)

    def around(reach: int) -> tuple[slice, slice]:
        rows, cols = core.shape
        return (
            slice(max(0, top - reach), min(rows, bottom + reach)),
            slice(max(0, left - reach), min(cols, right + reach)),
        )

    return around(pad), around(pad + SOURCES)


def _matched(left: np.ndarray, targets: np.ndarray, usable: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """For each target pixel how far away its best match is: (rows, cols, 2) int32."""
    from forensix.native.patch_fill import match_sweep

    places = np.argwhere(targets).astype(np.int32)
    row, col = places[:, 0], places[:, 1]
    choices = np.flatnonzero(usable)
    drawn = choices[np.random.default_rng(1).integers(len(choices), size=len(places))]
    random = np.column_stack((drawn // usable.shape[1], drawn % usable.shape[1]))
    own = np.empty((*usable.shape, 2), np.int32)
    own[..., 0], own[..., 1] = np.arange(usable.shape[0])[:, None], np.arange(usable.shape[1])
    field = own + offsets
    to = np.clip(field[row, col], 0, np.array(usable.shape) - 1)
    given = offsets[row, col].any(axis=1) & usable[to[:, 0], to[:, 1]]
    field[row, col] = np.where(given[:, None], to, random)
    cost = np.full(usable.shape, np.inf, np.float32)
    for sweep in range(SWEEPS):
        back = sweep % 2 == 1
        match_sweep(
            left, places, usable, field, cost, radius=RADIUS, seed=sweep + 1, backwards=back, apart=APART
        )
    return field - own


def agreement(offsets: np.ndarray) -> np.ndarray:
    """How many of a pixel's neighbours have its offset: (rows, cols) int32."""
    rows, cols = offsets.shape[:2]
    wide = np.pad(offsets, ((REACH, REACH), (REACH, REACH), (0, 0)), constant_values=np.int32(2**30))
    count = np.zeros((rows, cols), np.int32)
    for down in range(2 * REACH + 1):
        for across in range(2 * REACH + 1):
            count += (wide[down : down + rows, across : across + cols] == offsets).all(axis=-1)
    return count - 1


def _joined(coherent: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The coherent parts that hang together with what is known, their gaps closed."""
    import cv2
    from scipy import ndimage

    labels, _ = ndimage.label(coherent)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    parts = (sizes >= LEAST_PART)[labels].astype(np.uint8)
    parts = cv2.dilate(parts, _disc(2 * REACH + 1)) | known.astype(np.uint8)
    labels, count = ndimage.label(cv2.dilate(parts, _disc(2 * LINK + 1)))
    kept = np.zeros(count + 1, bool)
    kept[labels[known]] = True
    kept[0] = False
    mask = (parts > 0) & kept[labels]
    return closed(mask, gap=int(CLOSING * part_side(mask)) | 1)


def _disc(size: int) -> np.ndarray:
    import cv2

    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
