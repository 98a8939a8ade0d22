"""Pieces that occur twice with equal values, and how much they say.

Where a phone or a compressor has smoothed the noise away, few points stand out whose surroundings
could be compared. But a copied pixel equals its source in every channel, and so do its neighbours
at the same offset. What such an equality is worth depends on how well the pixels are foretold from
their neighbours (:mod:`forensix.native.exact_patches`): in clipped and even areas nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensix.detectors.removal._chance import Chance
from forensix.detectors.removal._fragments import (
    MOST_GROUPS,
    Fragment,
    groups,
)
from forensix.detectors.removal._self_matches import Matches

LEAST_BITS = 12.0  # of a patch
MOST_PARTNERS = 4  # a patch that occurs more often is part of a pattern
MOST_KEYS = 2_000_000
MOST_PAIRS = 40_000  # after thinning
PATCH = 5  # pixels, as in the kernel
NEAREST = PATCH  # pixels; nearer patches overlap
AROUND = 14  # pixels around a patch, up to which its piece reaches
BEFORE = 16  # pixels above and to the left, by which the prediction has settled
MOST_PIECES = 40
# Bits a pixel, taken off: in even blocks of a JPEG all that happens happens at their corners, which the
# prediction does not know to be at every eighth pixel (6 bits for 64 pixels, in up to three channels).
KNOWN = 0.3
PERIOD = 8  # pixels
OVERLAP, REPEATED = 0.3, 0.8  # shares of a piece's pixels, and of what they say
RARE = -1.0  # log10


def exact_matches(rgb: np.ndarray, table: np.ndarray) -> Matches:
    """Pairs of equal patches of 5 x 5 pixels, at most one for each offset and small square.

    rgb : (rows, cols, 3) uint8
    table : (3, 16, 81) float32, as from ``error_table``
    """
    from forensix.native.exact_patches import patch_keys

    one_in = 1
    while rgb.shape[0] * rgb.shape[1] > one_in * MOST_KEYS:
        one_in *= 2
    keys, at = patch_keys(rgb, table, least=LEAST_BITS, one_in=one_in)
    order = np.argsort(keys)
    keys, at = keys[order], at[order]
    first = np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), bool), keys[1:] != keys[:-1]]))
    size = np.diff(np.append(first, len(keys)))
    several = (size > 1) & (size <= MOST_PARTNERS)
    first, size = first[several], size[several]
    found = [np.empty((0, 2), np.int64)]
    for one in range(MOST_PARTNERS):
        for other in range(one + 1, MOST_PARTNERS):
            start = first[size > other]
            found.append(np.sort(np.stack([at[start + one], at[start + other]], axis=1), axis=1))
    pairs = np.concatenate(found)
    places, others = (np.stack(np.divmod(pairs[:, side], rgb.shape[1]), axis=1) for side in (0, 1))
    far = np.abs(places - others).max(axis=1, initial=0) >= NEAREST
    return thinned(places[far].astype(np.int32), others[far].astype(np.int32))


def thinned(places: np.ndarray, others: np.ndarray) -> Matches:
    """One match for each offset and square, of squares large enough that no more than MOST_PAIRS are left."""
    square = 2
    while True:
        what = np.column_stack([others - places, places // square])
        kept = np.sort(np.unique(what, axis=0, return_index=True)[1])
        if len(kept) <= MOST_PAIRS or square >= 8:
            kept = kept[:: -(-len(kept) // MOST_PAIRS)] if len(kept) else kept
            return Matches(places[kept], others[kept])
        square *= 2


def exact_pieces(rgb: np.ndarray, matches: Matches, table: np.ndarray) -> list[Fragment]:
    """The pieces that equal patches form, those that say most first.

    rgb : (rows, cols, 3) uint8
    matches : as from :func:`exact_matches`
    """
    found = []
    for group in groups(matches)[:MOST_GROUPS]:
        places = matches.places[group]
        down, right = (matches.others[group[0]] - places[0]).tolist()
        piece = equal_piece(rgb, places, (down, right), table)
        if piece is not None:
            found.append(piece)
    return sorted(found, key=lambda piece: -piece.bits)


def equal_piece(
    rgb: np.ndarray, places: np.ndarray, offset: tuple[int, int], table: np.ndarray
) -> Fragment | None:
    """The piece of equal values that some equal patches belong to.

    places : (count, 2) int, the patches' middles
    Returns None when it has nothing in common with them.
    """
    import cv2

    box = np.ones((PATCH, PATCH), np.uint8)
    low = np.maximum(places.min(axis=0) - AROUND, np.maximum(0, -np.array(offset)))
    high = np.minimum(places.max(axis=0) + AROUND + 1, np.array(rgb.shape[:2]) - np.maximum(0, offset))
    equal, bits = equality(rgb, low, high, offset, table)
    whole = cv2.erode(equal, box, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    whole[cv2.blur(bits, (PATCH, PATCH)) < LEAST_BITS / PATCH**2] = 0
    seeds = np.zeros(equal.shape, np.uint8)
    seeds[places[:, 0] - low[0], places[:, 1] - low[1]] = 1
    # Farther from them a pattern goes on, whose patches occur more often.
    whole &= cv2.dilate(seeds, np.ones((2 * AROUND + 1,) * 2, np.uint8))
    count, labels = cv2.connectedComponents(cv2.dilate(whole, box), connectivity=4)
    kept = np.zeros(count, bool)
    kept[labels[seeds > 0]] = True
    kept[0] = False
    mask = kept[labels]
    if not mask.any():
        return None
    down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    cut = mask[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    said = float(bits[mask].sum()) - KNOWN * int(np.count_nonzero(mask))
    return Fragment(int(low[0] + down[0]), int(low[1] + across[0]), cut, offset, 0, said)


def equality(
    rgb: np.ndarray, low: np.ndarray, high: np.ndarray, offset: tuple[int, int], table: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where a window equals the one at an offset, and how much its pixels say at the place where they say less.

    low, high : (2,) int, corners of the window
    Returns (rows, cols) uint8, 0 or 1, and (rows, cols) float32, bits.
    """
    from forensix.native.exact_patches import pixel_bits

    windows, bits = [], []
    for corner, end in ((low, high), (low + offset, high + offset)):
        top, left = np.maximum(0, corner - BEFORE)
        wide = np.ascontiguousarray(rgb[top : end[0], left : end[1]])
        bits.append(pixel_bits(wide, table)[corner[0] - top :, corner[1] - left :])
        windows.append(wide[corner[0] - top :, corner[1] - left :])
    return (windows[0] == windows[1]).all(axis=2).astype(np.uint8), np.minimum(*bits)


def is_pattern(rgb: np.ndarray, piece: Fragment, table: np.ndarray) -> bool:
    """Whether what a piece says it says again a few pixels further on: a drawn slope, a screen of dots.

    rgb : (rows, cols, 3) uint8
    table : (3, 16, 81) float32, as from ``error_table``
    """
    part, mask = rgb[piece.window()], piece.mask
    corner = np.array([piece.top, piece.left])
    said = equality(rgb, corner, corner + mask.shape, (0, 0), table)[1]
    for down in range(PERIOD + 1):
        for right in range(-PERIOD, PERIOD + 1):
            if (down == 0 and right <= 0) or down >= len(mask) or abs(right) >= mask.shape[1]:
                continue
            rows = slice(down, None), slice(None, len(mask) - down)
            width = mask.shape[1] - abs(right)
            cols = slice(max(0, right), max(0, right) + width), slice(max(0, -right), max(0, -right) + width)
            both = mask[rows[0], cols[0]] & mask[rows[1], cols[1]]
            if np.count_nonzero(both) < OVERLAP * piece.area:
                continue
            equal = (part[rows[0], cols[0]] == part[rows[1], cols[1]])[both].all(axis=1)
            bits = said[rows[0], cols[0]][both]
            if bits[equal].sum() > REPEATED * bits.sum() > 0:
                return True
    return False


def remarkable(exact: Sequence[Fragment], bits: Sequence[float]) -> list[Fragment]:
    """The pieces that say more than chance gives even once in the picture, most first.

    bits : of all pieces

    The others lie together, where the picture repeats itself: it means nothing that many are near each other.
    """
    chance = Chance(pairs=0, threes=0, bits=tuple(bits))
    order = sorted(exact, key=lambda piece: -piece.bits)[:MOST_PIECES]
    return [piece for piece in order if chance.log10_equal(np.array(piece.bits)) < RARE]


def joined(found: Sequence[Fragment], exact: Sequence[Fragment]) -> list[Fragment]:
    """Fragments of both kinds; those of one offset that overlap are one."""
    merged = list(found)
    for piece in exact:
        for index, known in enumerate(merged):
            turned = piece if piece.offset == known.offset else piece.swapped()
            if turned.offset == known.offset and known.overlaps(turned):
                merged[index] = known.united(turned)
                break
        else:
            merged.append(piece)
    return merged
