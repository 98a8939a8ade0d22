"""Parts of a picture that look like parts of its smaller self: candidate copies of another size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from forensix.errors import ParameterError
from forensix.signal.dense_field import likeness_field
from forensix.signal.field_regions import group_field
from forensix.signal.match_groups import MatchGroup

# One row and one column in so many looks for its likeness.
STRIDE = 4
# Below this side a reduced picture says nothing.
LEAST_SIDE = 48


def resized_groups(
    luma: np.ndarray,
    zooms: Sequence[float],
    *,
    features: Callable[[np.ndarray], np.ndarray],
    reduction: int = 1,
    nearest: float = 24.0,
) -> list[MatchGroup]:
    """Groups of matches between a picture and itself made smaller, in the picture's own pixels.

    A copy that is larger or smaller than its source has the source's size, or the source the
    copy's, in one of the smaller pictures.

    Parameters
    ----------
    luma : (rows, cols) float32
    zooms : 0.25 to 1 each
        How much smaller.
    features : as in :mod:`forensix.signal.dense_features`
    reduction : int
        Everything is done on averages of so many pixels in each direction: that much less
        can be seen, in a fraction of the time.
    nearest : float
        Least distance of a match, pixels.
    """
    if reduction < 1 or any(not 0.25 <= zoom <= 1 for zoom in zooms):
        raise ParameterError(f"zooms must be 0.25 to 1 and reduction positive, got {zooms}, {reduction}")
    base = _smaller(luma, 1 / reduction)
    if not zooms or min(base.shape) < LEAST_SIDE:
        return []
    exact = np.array(luma.shape) / base.shape
    here, found = features(base), []
    for zoom in zooms:
        small = _smaller(base, zoom)
        targets = features(small)
        apart = nearest / reduction
        matches, _ = likeness_field(here, stride=STRIDE, nearest=apart, targets=targets, zoom=zoom)
        back = np.array(base.shape) / small.shape
        groups = group_field((matches + 0.5) * back - 0.5, stride=STRIDE, nearest=apart)
        found += [_enlarged(group, exact) for group in groups]
    return found


def _smaller(image: np.ndarray, factor: float) -> np.ndarray:
    import cv2

    rows, cols = (max(1, round(factor * side)) for side in image.shape)
    if (rows, cols) == image.shape:
        return np.ascontiguousarray(image, np.float32)
    even = np.ascontiguousarray(image, np.float32)
    return np.asarray(cv2.resize(even, (cols, rows), interpolation=cv2.INTER_AREA))


def _enlarged(group: MatchGroup, factor: np.ndarray) -> MatchGroup:
    """The group in the pixels of a picture that is larger by a factor in each direction."""
    # The centre of pixel p lies at (p + 0.5) * factor - 0.5 there.
    half = (factor - 1) / 2
    linear = group.transform[:, :2] * factor[:, None] / factor
    shift = group.transform[:, 2] * factor + half - linear @ half
    return replace(
        group,
        transform=np.c_[linear, shift],
        source=group.source * factor + half,
        target=group.target * factor + half,
    )
