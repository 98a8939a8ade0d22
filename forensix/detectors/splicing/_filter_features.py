"""What filters leave in the fine structure of a picture, per block of 64 x 64 pixels.

The median of a median is nearly the median itself, so what another median would still
change is small, sparse and oddly correlated. Kang, Stamm, Peng and Liu describe that
residual by the coefficients of an autoregressive model, which JPEG compression disturbs
less than the streaks a median leaves in the pixels. Here the same is done with three
residuals (median 3 x 3, median 5 x 5, a linear predictor), to tell filters from each other.
What softer filters take away is told better by the cosine transform of 8 x 8 blocks: how much
power is left in each band of frequencies, and how many coefficients are next to nothing.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from forensix.errors import ParameterError

CELL = 32  # pixels; a block is 2 x 2 cells
BLOCK = 2 * CELL
STRIP = 64  # rows worked on at a time: what fits in the processor's cache
ORDER = 5  # of the autoregressive model
# Pairs of shifts (down, across) whose products are averaged, the picture being as good as
# its mirror image; the first ORDER lie along rows and columns.
LAGS = (
    ((0, 1), (1, 0)),
    ((0, 2), (2, 0)),
    ((0, 3), (3, 0)),
    ((0, 4), (4, 0)),
    ((0, 5), (5, 0)),
    ((1, 1), (1, -1)),
    ((2, 2), (2, -2)),
    ((1, 2), (2, -1)),
)
REACH = 5  # pixels, of the shifts
MARGIN = REACH + 2  # and of the median of 5 x 5
RESIDUALS = ("median 3", "median 5", "predictor")
SUMS = 2 + len(LAGS)  # per residual: squares, sizes, products
SHARES = ("unchanged by median 3", "step 0", "step 1", "clipped")
CLIPPED_AT = len(RESIDUALS) * SUMS + SHARES.index("clipped")
DCT = 8  # pixels, side of the blocks of the cosine transform
BANDS = 11  # by the sum of the two frequencies: 1, 2, ..., 10, and 11 to 14 together
SMALL = 1.0  # grey levels, below which a coefficient is next to nothing
PLANES = len(RESIDUALS) * SUMS + len(SHARES) + 2 * BANDS
FEATURES = len(RESIDUALS) * SUMS + 2 * ORDER + len(SHARES) - 1 + 2 * BANDS
FLOOR = 0.02  # squared grey levels, so that nothing at all has a logarithm
BAND_FLOOR = 0.05  # the same for the power of a band
RIDGE = 0.01
QUANTILES = (0.1, 0.5, 0.9)
LEAST_BLOCKS = 24  # of a picture, to compare with
CLIPPED = 3, 252  # grey levels
LEAST_POWER = 0.15  # squared grey levels, of the predictor: a block has detail
MOST_CLIPPED = 0.2  # of a block's pixels


def cell_planes(green: np.ndarray) -> np.ndarray:
    """Means over cells of 32 x 32 pixels of residuals' squares, sizes and products, and of frequencies' power.

    Parameters
    ----------
    green : (rows, cols) uint8
        At least 32 x 32; the green channel, which shares its fine structure with the luminance.

    Returns
    -------
    (rows // 32, cols // 32, 56) float32
        Grey levels squared, grey levels, or shares.

    Raises
    ------
    ParameterError
        When `green` is of another type or smaller.
    """
    if green.ndim != 2 or green.dtype != np.uint8 or min(green.shape) < CELL:
        raise ParameterError(
            f"green must be (rows, cols) uint8, {CELL} x {CELL} or more, got {green.shape} {green.dtype}"
        )
    rows, cols = green.shape[0] // CELL, green.shape[1] // CELL
    planes = np.empty((rows, cols, PLANES), np.float32)
    padded = np.pad(green[: rows * CELL, : cols * CELL], MARGIN, mode="reflect")
    for top in range(0, rows * CELL, STRIP):
        bottom = min(top + STRIP, rows * CELL)
        strip = np.ascontiguousarray(padded[top : bottom + 2 * MARGIN])
        planes[top // CELL : bottom // CELL] = _strip_planes(strip)
    return planes


def _strip_planes(strip: np.ndarray) -> np.ndarray:
    """The planes of a strip that has MARGIN pixels more on every side."""
    import cv2

    level = strip.astype(np.float32)
    threes = cv2.medianBlur(strip, 3).astype(np.float32) - level
    fives = cv2.medianBlur(strip, 5).astype(np.float32) - level
    cross = np.array([[-0.25, 0.5, -0.25], [0.5, -1.0, 0.5], [-0.25, 0.5, -0.25]], np.float32)
    linear = cv2.filter2D(level, cv2.CV_32F, cross)
    means = [plane for residual in (threes, fives, linear) for plane in _moments(residual)]
    inner = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
    step = np.abs(level[:, 1:] - level[:, :-1])[MARGIN:-MARGIN, MARGIN : -MARGIN + 1]
    low, high = CLIPPED
    shares = (threes[inner] == 0, step == 0, step == 1, (strip[inner] < low) | (strip[inner] > high))
    means += [_cell_means(share.astype(np.float32)) for share in shares]
    return np.concatenate([np.stack(means, axis=-1), _band_planes(level[inner])], axis=-1)


def _band_planes(level: np.ndarray) -> np.ndarray:
    """Per cell, the mean square of the cosine coefficients in each band, and the share that is small.

    level : (rows, cols) float32, whole cells
    Returns (rows // 32, cols // 32, 22) float32: power and share by turns, band after band.
    """
    from forensix.signal.block_dct import block_dct

    coefficients = block_dct(level).reshape(-1, DCT * DCT)
    averages = _band_averages()
    power = np.square(coefficients) @ averages
    small = (np.abs(coefficients) < SMALL).astype(np.float32) @ averages
    both = np.stack([power, small], axis=-1).reshape(level.shape[0] // DCT, level.shape[1] // DCT, 2 * BANDS)
    across = CELL // DCT
    rows, cols = both.shape[0] // across, both.shape[1] // across
    means: np.ndarray = both.reshape(rows, across, cols, across, 2 * BANDS).mean(axis=(1, 3))
    return means


@cache
def _band_averages() -> np.ndarray:
    """(64, bands) float32: what each coefficient weighs in the mean of its band."""
    down, across = np.indices((DCT, DCT))
    band = np.minimum(down + across - 1, BANDS - 1).ravel()
    members = (band[:, None] == np.arange(BANDS)).astype(np.float32)
    averages: np.ndarray = members / members.sum(axis=0)
    return averages


def _moments(residual: np.ndarray) -> list[np.ndarray]:
    """Mean square, mean size and mean products at LAGS of the inner part of a residual."""
    inner = np.ascontiguousarray(residual[MARGIN:-MARGIN, MARGIN:-MARGIN])
    rows, cols = inner.shape
    moments = [_cell_means(inner * inner), _cell_means(np.abs(inner))]
    products = np.empty_like(inner)
    for pair in LAGS:
        shifted = [
            residual[MARGIN + down : MARGIN + down + rows, MARGIN + across : MARGIN + across + cols]
            for down, across in pair
        ]
        np.add(shifted[0], shifted[1], out=products)
        np.multiply(products, inner, out=products)
        moments.append(_cell_means(products) / 2)
    return moments


def _cell_means(values: np.ndarray) -> np.ndarray:
    import cv2

    size = (values.shape[1] // CELL, values.shape[0] // CELL)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))


def block_planes(planes: np.ndarray) -> np.ndarray:
    """Means over blocks of 2 x 2 cells, overlapping by one; (rows - 1, cols - 1, planes)."""
    down = planes[:-1] + planes[1:]
    blocks: np.ndarray = (down[:, :-1] + down[:, 1:]) / 4
    return blocks


def block_features(blocks: np.ndarray) -> np.ndarray:
    """What a block is judged by: sizes and correlations of its residuals.

    blocks : (..., 56) float32, as from :func:`block_planes`
    Returns (..., 65) float32: per residual the logarithm of its power (of the medians', over
    the predictor's), its mean over its root mean square, its correlations at LAGS; for the
    two medians the autoregressive coefficients; the shares; and per band of frequencies the logarithm of
    its power and how much of it is next to nothing.
    """
    power = [blocks[..., n * SUMS] + np.float32(FLOOR) for n in range(len(RESIDUALS))]
    parts = [np.log(power[2]), np.log(power[0] / power[2]), np.log(power[1] / power[2])]
    for n, own in enumerate(power):
        parts.append(blocks[..., n * SUMS + 1] / np.sqrt(own))
        correlations = blocks[..., n * SUMS + 2 : (n + 1) * SUMS] / own[..., None]
        parts += list(np.moveaxis(correlations, -1, 0))
        if n < 2:
            parts += list(np.moveaxis(autoregression(correlations[..., :ORDER]), -1, 0))
    start = len(RESIDUALS) * SUMS
    parts += [blocks[..., start + n] for n in range(len(SHARES) - 1)]
    bands = blocks[..., start + len(SHARES) :]
    for n in range(BANDS):
        parts += [np.log(bands[..., 2 * n] + np.float32(BAND_FLOOR)), bands[..., 2 * n + 1]]
    return np.stack(parts, axis=-1).astype(np.float32)


def autoregression(correlations: np.ndarray) -> np.ndarray:
    """Coefficients of the autoregressive model with given correlations at distances 1, 2, ...

    correlations : (..., order); returns (..., order) float64 (Yule-Walker, a little ridge)
    """
    order = correlations.shape[-1]
    extended = np.concatenate([np.ones((*correlations.shape[:-1], 1)), correlations], axis=-1)
    apart = np.abs(np.subtract.outer(np.arange(order), np.arange(order)))
    matrices = extended[..., apart] + RIDGE * np.eye(order)
    solved: np.ndarray = np.linalg.solve(matrices, correlations[..., None].astype(np.float64))[..., 0]
    return solved


def surroundings(features: np.ndarray) -> np.ndarray:
    """Quantiles of the features over the blocks of a picture; (3, 65) float32.

    features : (count, 65)
    """
    return np.asarray(np.quantile(features, QUANTILES, axis=0), np.float32)


def compared(features: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Features, and how far they are above the picture's quantiles; (..., 65) -> (..., 260) float32."""
    return np.concatenate([features, *(features - row for row in quantiles)], axis=-1)


def judged(blocks: np.ndarray) -> np.ndarray:
    """Which blocks have enough detail, not clipped, to be judged; (...,) bool.

    blocks : (..., 56) float32, as from :func:`block_planes`
    """
    power, clipped = blocks[..., 2 * SUMS], blocks[..., CLIPPED_AT]
    told: np.ndarray = (power > LEAST_POWER) & (clipped < MOST_CLIPPED)
    return told
