"""The descriptors of SURF: directions and sums of Haar wavelet responses around keypoints.

The integral image is bilinear between its samples, which makes the sum over a box whose
edges lie between pixels exact (a pixel cut by the edge counts by the share inside).

References
----------
.. [1] Bay, H., Ess, A., Tuytelaars, T. and Van Gool, L. (2008). Speeded-up robust features (SURF).
   Computer Vision and Image Understanding 110(3), 346-359. DOI 10.1016/j.cviu.2007.09.014
"""

from __future__ import annotations

import math

import numpy as np
from numba import boolean, njit, void
from numba.types import Array, float32, float64

from forensix.errors import ParameterError

LENGTH = 64
# Samples on a side, of a part, and the weight's standard deviation in scales (section 4.2).
SAMPLES = 20
PART = 5
SPREAD = 3.3
# Of the direction: the sector of 60 degrees moves on by one of so many steps (section 4.1).
DIRECTIONS = 72
SECTOR = 12

_Plane = Array(float64, 2, "C", readonly=True)
_Line = Array(float64, 1, "C", readonly=True)


def describe(
    integral: np.ndarray, points: np.ndarray, scales: np.ndarray, *, angles: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Directions and descriptors of points.

    Parameters
    ----------
    integral : (rows + 1, cols + 1) float64
    points : (n, 2) float64
        (row, col), pixel centres at integers.
    scales : (n,) float64
        Pixels; at most a sixth of the image's shorter side.
    angles : (n,) float64, optional
        Directions to describe the points in; by default the dominant one of each.

    Returns
    -------
    angles : (n,) float64
        Radians, from the column axis towards the row axis.
    descriptors : (n, 64) float32
        For each of 4 x 4 parts (across the direction, then along it) the sums of the
        wavelet responses along and across the direction and of their absolute values;
        of unit length, or 0 where the picture is flat.
    """
    integral = np.ascontiguousarray(integral, np.float64)
    points, scales = np.ascontiguousarray(points, np.float64), np.ascontiguousarray(scales, np.float64)
    if len(points) and 6 * scales.max() > min(integral.shape) - 1:
        raise ParameterError(f"scales may be a sixth of the image's side, got {scales.max():.1f}")
    directions = np.zeros(len(points)) if angles is None else np.array(angles, np.float64)
    descriptors = np.zeros((len(points), LENGTH), np.float32)
    weights = np.exp(-((np.arange(SAMPLES) - (SAMPLES - 1) / 2) ** 2) / (2 * SPREAD**2))
    sums = np.zeros((DIRECTIONS, 2))
    _describe_loop(integral, points, scales, weights, sums, angles is None, directions, descriptors)
    return directions, descriptors


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_above(integral, row, col):
    """The integral image between its samples."""
    i, j = min(int(row), integral.shape[0] - 2), min(int(col), integral.shape[1] - 2)
    r, c = row - i, col - j
    upper = integral[i, j] + c * (integral[i, j + 1] - integral[i, j])
    lower = integral[i + 1, j] + c * (integral[i + 1, j + 1] - integral[i + 1, j])
    return upper + r * (lower - upper)


@njit(cache=True, nogil=True, error_model="numpy")
def _wavelets(integral, row, col, half):
    """Haar wavelet responses along columns and rows, 2 * half wide, moved inside the image."""
    # Pixel (0, 0) is the unit square from (0, 0) of the integral image: its centre is at (0.5, 0.5).
    row = min(max(row + 0.5, half), integral.shape[0] - 1 - half)
    col = min(max(col + 0.5, half), integral.shape[1] - 1 - half)
    top, bottom, left, right = row - half, row + half, col - half, col + half
    top_left, top_right = _sum_above(integral, top, left), _sum_above(integral, top, right)
    bottom_left, bottom_right = _sum_above(integral, bottom, left), _sum_above(integral, bottom, right)
    middle = _sum_above(integral, bottom, col) - _sum_above(integral, top, col)
    across = bottom_right - top_right + bottom_left - top_left - 2 * middle
    middle = _sum_above(integral, row, right) - _sum_above(integral, row, left)
    down = bottom_right - bottom_left + top_right - top_left - 2 * middle
    return across, down


@njit(cache=True, nogil=True, error_model="numpy")
def _direction(integral, row, col, scale, sums):
    """Direction of the largest sum of responses in a sector of 60 degrees, radius 6 scales."""
    sums[:] = 0
    for i in range(-6, 7):
        for j in range(-6, 7):
            if i * i + j * j >= 36:
                continue
            across, down = _wavelets(integral, row + i * scale, col + j * scale, 2 * scale)
            weight = math.exp(-(i * i + j * j) / 8.0)
            turn = math.atan2(down, across) / (2 * math.pi)
            place = math.floor(turn * DIRECTIONS) % DIRECTIONS
            sums[place, 0] += weight * across
            sums[place, 1] += weight * down
    best, angle = -1.0, 0.0
    for first in range(DIRECTIONS):
        across, down = 0.0, 0.0
        for k in range(SECTOR):
            across += sums[(first + k) % DIRECTIONS, 0]
            down += sums[(first + k) % DIRECTIONS, 1]
        length = across * across + down * down
        if length > best:
            best, angle = length, math.atan2(down, across)
    return angle


@njit(
    void(
        _Plane,
        _Plane,
        _Line,
        _Line,
        Array(float64, 2, "C"),
        boolean,
        Array(float64, 1, "C"),
        Array(float32, 2, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _describe_loop(integral, points, scales, weights, sums, find_direction, angles, descriptors):
    for n in range(len(points)):
        row, col, scale = points[n, 0], points[n, 1], scales[n]
        if find_direction:
            angles[n] = _direction(integral, row, col, scale, sums)
        cosine, sine = math.cos(angles[n]), math.sin(angles[n])
        out = descriptors[n]
        for i in range(SAMPLES):
            v = (i - SAMPLES / 2 + 0.5) * scale
            for j in range(SAMPLES):
                u = (j - SAMPLES / 2 + 0.5) * scale
                across, down = _wavelets(
                    integral, row + u * sine + v * cosine, col + u * cosine - v * sine, scale
                )
                weight = weights[i] * weights[j]
                along = weight * (cosine * across + sine * down)
                aside = weight * (cosine * down - sine * across)
                part = ((i // PART) * 4 + j // PART) * 4
                out[part] += along
                out[part + 1] += aside
                out[part + 2] += abs(along)
                out[part + 3] += abs(aside)
        length = 0.0
        for k in range(LENGTH):
            length += out[k] * out[k]
        # Rounding of the sums leaves a trace of a response even where the picture is flat.
        if length > 1e-12 * scale**4:
            for k in range(LENGTH):
                out[k] /= math.sqrt(length)
        else:
            out[:] = 0
