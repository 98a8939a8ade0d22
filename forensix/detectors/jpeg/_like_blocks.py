"""Whether what sets a region apart follows from its content alone.

A filter over a whole picture acts on some content only: denoising and sharpening above a threshold
leave smooth parts as they are, an adaptive contrast changes some brightnesses most, a vignette the corners.
Where the picture had been a JPEG, traces of that save then survive in one kind of content and are lost in
another, and a region of either kind looks as if it had a history of its own. But then blocks of the same
content elsewhere have that history too. Those around a pasted region do not.
"""

from __future__ import annotations

import numpy as np

from forensix.signal.block_dct import SIDE, block_dct

ALIKE = 12  # blocks elsewhere that each block is compared with
MARGIN = 2  # blocks around a region that are not elsewhere: regions are outlined roughly
MOST_INSIDE, MOST_ELSEWHERE = 4000, 40_000  # blocks looked at
FEWEST_ELSEWHERE = 30
# Of the region's blocks, so many may have like blocks elsewhere that deviate as it does. It is more in one
# forgery of thirty, and in nearly all pictures filtered as a whole but those darkened towards the corners.
MOST_EXPLAINED = 0.13
RADII = 2.0  # what half the picture's side counts for, beside standard deviations of the content


def block_content(
    luma: np.ndarray, *, offset: tuple[int, int] = (0, 0), shape: tuple[int, int]
) -> np.ndarray:
    """What a block holds (detail, detail with that around it, brightness), and how far out it is.

    Parameters
    ----------
    luma : (rows, cols) real, 0-255
    offset : (down, right) of the grid, 0-7 each
    shape : blocks wanted; those that the picture does not fill are 0

    Returns
    -------
    (block rows, block cols, 4) float32
        The first three divided by their standard deviations over the picture; the last is the distance
        from its middle, `RADII` at the middle of a side.
    """
    from scipy.ndimage import uniform_filter

    blocks = block_dct(luma, offset=offset)
    mean = blocks[..., 0, 0]
    detail = np.log(np.abs(blocks).sum(axis=(2, 3)) - np.abs(mean) + SIDE)
    told = np.stack([detail, uniform_filter(detail, 3), mean], axis=-1)
    told /= told.std(axis=(0, 1)) + 1e-6
    content = np.zeros((*shape, told.shape[-1] + 1), np.float32)
    rows, cols = min(shape[0], told.shape[0]), min(shape[1], told.shape[1])
    content[:rows, :cols, :-1] = told[:rows, :cols]
    down, right = (np.linspace(-RADII, RADII, side) for side in shape)
    content[..., -1] = np.hypot(down[:, None], right)
    return content


def explained_share(
    deviation: np.ndarray, region: np.ndarray, judged: np.ndarray, content: np.ndarray
) -> float:
    """Share of a region's blocks whose like blocks elsewhere deviate from the rest as it does.

    Parameters
    ----------
    deviation : (block rows, block cols) real
        Positive where a block deviates, negative where it is like most of the picture.
    region, judged : (block rows, block cols) bool
    content : (block rows, block cols, n) float
        As from :func:`block_content`.

    Returns
    -------
    float
        0 to 1; 0 where there is too little to compare with.
    """
    from scipy.ndimage import binary_dilation
    from scipy.spatial import cKDTree

    elsewhere = _some(judged & ~binary_dilation(region, iterations=MARGIN), MOST_ELSEWHERE)
    inside = _some(judged & region, MOST_INSIDE)
    if len(elsewhere) < FEWEST_ELSEWHERE or not len(inside):
        return 0.0
    flat = content.reshape(-1, content.shape[-1])
    _, alike = cKDTree(flat[elsewhere]).query(flat[inside], k=ALIKE)
    return float(np.mean(deviation.ravel()[elsewhere][alike].mean(axis=1) > 0))


def explained_by_content(
    deviation: np.ndarray, region: np.ndarray, judged: np.ndarray, content: np.ndarray
) -> bool:
    """True where a region deviates as its content does elsewhere; see :func:`explained_share`."""
    return explained_share(deviation, region, judged, content) > MOST_EXPLAINED


def _some(chosen: np.ndarray, most: int) -> np.ndarray:
    """Places of chosen blocks, evenly thinned out to `most`."""
    places = np.flatnonzero(chosen)
    return places[np.linspace(0, len(places) - 1, most).astype(np.int64)] if len(places) > most else places
