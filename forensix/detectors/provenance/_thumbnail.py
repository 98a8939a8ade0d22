"""Does the EXIF thumbnail show the picture it is in?

Cameras pad thumbnails of another shape with black bars, frame them a little wider or
narrower than the picture, or squeeze them. So shape and content are compared with some
room: content by the best correlation of the thumbnail's middle with the picture, over
small changes of size and place and over quarter turns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_BAR = 14.0  # grey levels; a row that is nowhere brighter may be part of a black bar
_SMALLEST = 24  # rows or columns of thumbnail that are left between the bars
_TOLERANCE = 0.04  # relative difference of aspect ratios, beyond that of one pixel
_MIDDLE = 0.6  # of the thumbnail's sides, for the part that is looked for in the picture
_SCALES = np.arange(0.8, 1.26, 0.075)
_LARGEST = 120  # rows or columns compared; larger thumbnails are reduced
_FLAT = 2.0  # standard deviation, grey levels


@dataclass(frozen=True)
class Likeness:
    """Thumbnail against picture.

    same_shape : True where the shapes agree but for a pixel, with or without black bars
    correlation : of the grey levels at the best fit; None where either is flat
    """

    same_shape: bool
    correlation: float | None


def likeness(thumbnail: np.ndarray, picture: np.ndarray, *, size: tuple[int, int]) -> Likeness | None:
    """Compare a thumbnail with the picture.

    Parameters
    ----------
    thumbnail : (rows, cols, 3) uint8
    picture : (rows, cols) float
        The picture's luma, reduced to any size.
    size : (width, height)
        Of the picture, pixels.

    Returns
    -------
    Likeness or None
        None where too little of the thumbnail is left between black bars.
    """
    grey = thumbnail.astype(np.float32).mean(axis=2)
    inside = without_bars(grey)
    if min(inside.shape) < _SMALLEST:
        return None
    same = any(_same_shape(view.shape, size) for view in (inside, without_bars(grey, pairs=True), grey))
    return Likeness(same, best_correlation(inside, picture))


def without_bars(grey: np.ndarray, *, pairs: bool = False) -> np.ndarray:
    """The part of a thumbnail inside its black bars; with `pairs`, only bars of one width on both sides."""
    for axis in (0, 1):
        bright = grey.max(axis=1 - axis) > _BAR
        if not bright.any():
            return grey[:0]
        first, last = int(np.argmax(bright)), int(np.argmax(bright[::-1]))
        if pairs:
            first = last = min(first, last) if abs(first - last) <= 2 else 0
        grey = np.take(grey, range(first, grey.shape[axis] - last), axis=axis)
    return grey


def _same_shape(shape: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Equal aspect ratios, lying or standing, up to a pixel and a half of the thumbnail."""
    own, wanted = max(shape) / min(shape), max(size) / min(size)
    return max(own / wanted, wanted / own) <= 1 + _TOLERANCE + 1.5 / min(shape)


def best_correlation(inside: np.ndarray, picture: np.ndarray) -> float | None:
    """Correlation of the middle of a thumbnail with the picture where it fits best; None if either is flat."""
    import cv2

    shrink = min(1.0, _LARGEST / max(inside.shape))
    rows, cols = (max(1, round(extent * shrink)) for extent in inside.shape)
    inside = cv2.resize(np.ascontiguousarray(inside, np.float32), (cols, rows), interpolation=cv2.INTER_AREA)
    top, left = (int(extent * (1 - _MIDDLE) / 2) for extent in (rows, cols))
    middle = np.ascontiguousarray(inside[top : rows - top, left : cols - left], np.float32)
    whole = np.ascontiguousarray(picture, np.float32)
    if min(middle.std(), whole.std()) < _FLAT:
        return None
    best = -1.0
    lying = (rows > cols) != (whole.shape[0] > whole.shape[1])
    for turns in (1, 3) if lying else (0, 2):
        turned = np.ascontiguousarray(np.rot90(whole, turns))
        for scale in _SCALES:
            wanted = max(round(cols * scale), middle.shape[1]), max(round(rows * scale), middle.shape[0])
            reduced = cv2.resize(turned, wanted, interpolation=cv2.INTER_AREA)
            found = cv2.matchTemplate(reduced, middle, cv2.TM_CCOEFF_NORMED)
            best = max(best, float(found[np.isfinite(found)].max(initial=-1.0)))
    return min(best, 1.0)
