"""Pieces of a picture that occur in it twice, wherever they lie and however small they are.

Copied pieces agree in what no two photographed things share: the noise. So the comparison is
made in the residual that a slight blur leaves, and for anchors first: the local extrema of a
band-pass, which lie in the copy where they lie in the source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIGMA = 1.5  # pixels, of the blur that the residual is taken from
REACH = 8  # pixels, beyond which the blur sees nothing
PATCH = 7  # pixels, side of the patch at an anchor
LEAST_PEAK = 0.8  # grey levels
TABLES = 3
KEYS = 9  # numbers a patch is sorted by, per table
STEP = 5.0  # grey levels times patch pixels' square root, width of a bin
NEAREST = 5  # pixels; nearer patches overlap and agree for that reason
MOST_ANCHORS = 250_000
MOST_IN_BIN = 6  # members that are paired with one another
MOST_PARTNERS = 6  # a place with more is part of a pattern
ALIKE = 0.25  # difference of two patches' residuals over their size
FLOOR = 0.4  # grey levels, of rounding


@dataclass(frozen=True, eq=False)
class Matches:
    """Pairs of places with the same residual.

    places : (count, 2) int32, row and column
    others : (count, 2) int32, of the partner; each pair is listed once, the earlier place first
    """

    places: np.ndarray
    others: np.ndarray


NONE = Matches(np.empty((0, 2), np.int32), np.empty((0, 2), np.int32))


def residual(plane: np.ndarray) -> np.ndarray:
    """What a slight blur takes away: (rows, cols[, channels]) float32."""
    import cv2

    pixels = plane.astype(np.float32)
    blurred = cv2.GaussianBlur(pixels, (0, 0), SIGMA)
    left: np.ndarray = np.subtract(pixels, blurred, out=blurred)
    return left


def residual_at(rgb: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
    """The residual in a window of a picture, as the whole picture has it."""
    top, left = (max(0, s.start - REACH) for s in window)
    part = residual(rgb[top : window[0].stop + REACH, left : window[1].stop + REACH])
    inner: np.ndarray = part[window[0].start - top :, window[1].start - left :]
    return inner[: window[0].stop - window[0].start, : window[1].stop - window[1].start]


def anchors(luma: np.ndarray) -> np.ndarray:
    """Rows and columns of the local extrema of a band-pass: (count, 2) int32, in reading order.

    luma : (rows, cols) float32, 0-255
    """
    import cv2

    band = cv2.GaussianBlur(luma, (0, 0), 0.8) - cv2.GaussianBlur(luma, (0, 0), 1.6)
    box = np.ones((3, 3), np.uint8)
    peak = (band >= cv2.dilate(band, box)) & (band > LEAST_PEAK)
    peak |= (band <= cv2.erode(band, box)) & (band < -LEAST_PEAK)
    margin = PATCH // 2
    inner = np.zeros_like(peak)
    inner[margin : peak.shape[0] - margin, margin : peak.shape[1] - margin] = True
    found = np.argwhere(peak & inner).astype(np.int32)
    if len(found) > MOST_ANCHORS:  # the strongest are found again in a copy, any choice by place would not
        strength = np.abs(band[found[:, 0], found[:, 1]])
        found = found[strength >= np.partition(strength, -MOST_ANCHORS)[-MOST_ANCHORS]]
    return found


def patches(plane: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The PATCH x PATCH values around each place: (count, PATCH**2)."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (PATCH, PATCH), axis=(0, 1))
    margin = PATCH // 2
    taken: np.ndarray = windows[places[:, 0] - margin, places[:, 1] - margin]
    return taken.reshape(len(places), PATCH * PATCH)


def self_matches(luma: np.ndarray) -> Matches:
    """Anchors whose surroundings occur twice.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255
    """
    places = anchors(luma)
    if len(places) < 2:
        return NONE
    left = residual(luma)
    pairs = candidates(patches(luma, places), places)
    good = np.zeros(len(pairs), bool)
    for start in range(0, len(pairs), 50_000):
        part = pairs[start : start + 50_000]
        one, other = (patches(left, places[part[:, side]]) for side in (0, 1))
        apart = np.abs(one - other).mean(axis=1)
        size = (np.abs(one) + np.abs(other)).mean(axis=1) / 2
        good[start : start + 50_000] = apart < ALIKE * (size - FLOOR)
    pairs = pairs[good]
    partners = np.bincount(pairs.ravel(), minlength=len(places))
    pairs = pairs[(partners[pairs] <= MOST_PARTNERS).all(axis=1)]
    return Matches(places[pairs[:, 0]], places[pairs[:, 1]])


def candidates(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Pairs of patches that fall into the same bin: (count, 2) int, indices, without repeats.

    Bins are of a few projections of the patch on its low frequencies, their mean left out,
    several times with other projections: a small difference spoils some of the tables only.
    """
    coefficients = values @ low_frequencies()
    generator = np.random.default_rng(1)
    found = []
    for _ in range(TABLES):
        turn = np.linalg.qr(generator.normal(size=(coefficients.shape[1],) * 2))[0].astype(np.float32)
        turned = coefficients @ turn / np.float32(STEP)
        shift = generator.random(turned.shape[1]).astype(np.float32)
        all_of = np.arange(len(places))
        pairs, crowded = pairs_in_bins(bin_keys(turned[:, :KEYS] + shift[:KEYS]), all_of)
        found.append(pairs)
        # Where many look alike, as in faint texture, finer bins tell them apart.
        fine = 2 * turned[crowded] + shift
        found.append(pairs_in_bins(bin_keys(fine), crowded)[0])
    pairs = np.sort(np.concatenate(found), axis=1)
    far = np.abs(places[pairs[:, 0]] - places[pairs[:, 1]]).max(axis=1) >= NEAREST
    pairs = pairs[far]
    unique = np.unique(pairs[:, 0] * np.int64(len(places)) + pairs[:, 1])
    return np.stack(np.divmod(unique, len(places)), axis=1)


def bin_keys(scaled: np.ndarray) -> np.ndarray:
    """One number for each row of bins, the same for the same bins: (count,) int64."""
    weights = np.random.default_rng(2).integers(1, 2**62, scaled.shape[1], dtype=np.int64) | 1
    keys: np.ndarray = np.floor(scaled).astype(np.int64) @ weights  # wraps around, as a hash may
    return keys


def pairs_in_bins(keys: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of members with the same key, and the members of bins too full to pair.

    keys, members : (count,) int
    Returns (pairs, 2) and (crowded,) int.
    """
    order = np.argsort(keys, kind="stable")
    ordered, who = keys[order], members[order]
    size = np.unique(ordered, return_counts=True)[1]
    full = np.repeat(size > MOST_IN_BIN, size)
    kept, names = ordered[~full], who[~full]
    found = [np.empty((0, 2), np.int64)]
    for lag in range(1, MOST_IN_BIN):
        same = np.flatnonzero(kept[lag:] == kept[:-lag])
        found.append(np.stack([names[same], names[same + lag]], axis=1))
    return np.concatenate(found), who[full]


def low_frequencies() -> np.ndarray:
    """The lowest frequencies of the patch's cosine transform but the mean: (PATCH**2, 14) float32."""
    at = np.arange(PATCH)
    cosines = np.array([np.cos(np.pi * (at + 0.5) * k / PATCH) for k in range(5)])
    cosines /= np.linalg.norm(cosines, axis=1, keepdims=True)
    pairs = [(i, j) for i in range(5) for j in range(5) if 0 < i + j <= 4]
    return np.stack([np.outer(cosines[i], cosines[j]).ravel() for i, j in pairs], axis=1).astype(np.float32)
