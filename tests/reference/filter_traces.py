"""Means of a filter residual's moments over cells, stated plainly. Imports nothing of forensix."""

import numpy as np


def median_residual(picture, size):
    """Median over size x size pixels minus the picture; borders repeat the edge pixels."""
    reach = size // 2
    padded = np.pad(picture.astype(float), reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    return np.median(windows, axis=(2, 3)) - picture


def predictor_residual(picture):
    result = np.zeros(picture.shape)
    level = picture.astype(float)
    for i in range(1, picture.shape[0] - 1):
        for j in range(1, picture.shape[1] - 1):
            sides = level[i - 1, j] + level[i + 1, j] + level[i, j - 1] + level[i, j + 1]
            corners = level[i - 1, j - 1] + level[i - 1, j + 1] + level[i + 1, j - 1] + level[i + 1, j + 1]
            result[i, j] = sides / 2 - corners / 4 - level[i, j]
    return result


def moment(residual, cell, pair):
    """Mean over a cell (top, left, side) of the residual times the mean of its two shifted values."""
    top, left, side = cell
    total = 0.0
    for i in range(top, top + side):
        for j in range(left, left + side):
            total += residual[i, j] * sum(residual[i + di, j + dj] for di, dj in pair) / 2
    return total / side**2


def autoregression(correlations, ridge):
    """Yule-Walker by the textbook."""
    order = len(correlations)
    r = [1.0, *correlations]
    matrix = [[r[abs(i - j)] + (ridge if i == j else 0) for j in range(order)] for i in range(order)]
    return np.linalg.solve(np.array(matrix), np.array(correlations))


def band_traces(picture, cell, bands, small):
    """Of the cosine coefficients of a cell's 8 x 8 blocks, per band: mean square, and share below `small`."""
    from scipy.fft import dctn

    top, left, side = cell
    squares, shares = [[] for _ in range(bands)], [[] for _ in range(bands)]
    for i in range(top, top + side, 8):
        for j in range(left, left + side, 8):
            block = dctn(picture[i : i + 8, j : j + 8].astype(float) - 128, norm="ortho")
            for down in range(8):
                for across in range(8):
                    if down + across:
                        band = min(down + across, bands) - 1
                        squares[band].append(block[down, across] ** 2)
                        shares[band].append(abs(block[down, across]) < small)
    return [np.mean(each) for each in squares], [np.mean(each) for each in shares]
