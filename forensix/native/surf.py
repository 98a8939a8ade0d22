"""SURF: maxima of box-filtered Hessians, their direction, and descriptors of Haar wavelet responses.

The integral image is bilinear between its samples, which makes the sum over a box whose
edges lie between pixels exact (a pixel cut by the edge counts by the share inside).

References
----------
.. [1] Bay, H., Ess, A., Tuytelaars, T. and Van Gool, L. (2008). Speeded-up robust features (SURF).
   Computer Vision and Image Understanding 110(3), 346-359. DOI 10.1016/j.cviu.2007.09.014
.. [2] Brown, M. and Lowe, D. (2002). Invariant features from interest point groups. BMVC, 253-262.
   DOI 10.5244/C.16.23
"""

from __future__ import annotations

import math

import numpy as np
from numba import boolean, int64, njit, void
from numba.types import Array, float32, float64

from forensix.errors import ParameterError

LENGTH = 64
# Weight of the mixed derivative, so that boxes keep the balance of Gaussians (section 3.2).
MIXED = 0.9
# Standard deviation of the Gaussian that the smallest filter, 9 pixels wide, stands for.
SMALLEST = 9
SMALLEST_SCALE = 1.2
# Of the descriptor: samples on a side, of a part, and the weight's standard deviation in scales.
SAMPLES = 20
PART = 5
SPREAD = 3.3
# Of the direction: the sector of 60 degrees moves on by one of so many steps.
DIRECTIONS = 72
SECTOR = 12

_Plane = Array(float64, 2, "C", readonly=True)
_Line = Array(float64, 1, "C", readonly=True)


def box_hessian(integral: np.ndarray, *, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Determinant and trace of the box-filtered Hessian at every pixel.

    Parameters
    ----------
    integral : (rows + 1, cols + 1) float64
        ``integral[i, j]`` is the sum of the image's first i rows and j columns.
    size : int
        Side of the filter, an odd multiple of 3; it stands for a Gaussian of standard
        deviation ``1.2 * size / 9``.

    Returns
    -------
    determinant, trace : (rows, cols) float32
        Of second derivatives per filter area; 0 where the filter leaves the image.

    Raises
    ------
    ParameterError
        If `size` is none of 9, 15, 21, ...
    """
    _check([size])
    shape = (integral.shape[0] - 1, integral.shape[1] - 1)
    determinant, trace = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    integral = np.ascontiguousarray(integral, np.float64)
    lines = np.empty((3, integral.shape[1]))
    for row in range(size // 2, shape[0] - size // 2):
        _hessian_row(integral, row, size, lines, determinant[row], trace[row])
    return determinant, trace


def hessian_maxima(integral: np.ndarray, *, sizes: list[int], step: int, threshold: float) -> np.ndarray:
    """Where the determinant is larger than at all 26 neighbours in place and filter size [1]_.

    Parameters
    ----------
    integral : (rows + 1, cols + 1) float64
    sizes : list of int
        Sides of the filters of one octave, evenly spaced, at least three.
    step : int
        Every so manieth row and column is looked at.
    threshold : float
        Smallest determinant.

    Returns
    -------
    (n, 5) float64
        Row, column and scale (pixels; the standard deviation that the filter stands for),
        interpolated by a quadratic through the neighbours [2]_; the determinant; and the sign of
        the trace: 1 for dark on bright, -1 for bright on dark. By filter size within rows.
    """
    _check(sizes)
    if len(sizes) < 3 or step < 1 or not threshold > 0:
        raise ParameterError(
            f"needs 3 sizes, a step of 1 and a threshold above 0, got {sizes}, {step}, {threshold}"
        )
    integral = np.ascontiguousarray(integral, np.float64)
    lines = np.empty((3, integral.shape[1]))
    room = 1024 + integral.size // (50 * step * step)
    while True:
        found = np.zeros((room, 5))
        # Of each filter, the three rows of responses in use.
        responses = np.zeros((2, len(sizes), 3, integral.shape[1] - 1), np.float32)
        count = _maxima_loop(integral, np.array(sizes), step, threshold, lines, *responses, found)
        if count <= room:
            return found[:count]
        room = count


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


def _check(sizes: list[int]) -> None:
    if any(size < SMALLEST or size % 6 != 3 for size in sizes):
        raise ParameterError(f"filters are 9, 15, 21, ... pixels wide, got {sizes}")


@njit(
    void(_Plane, int64, int64, Array(float64, 2, "C"), Array(float32, 1, "C"), Array(float32, 1, "C")),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _hessian_row(integral, row, size, lines, determinant, trace):
    """Fill in one row, where the filter fits."""
    lobe, half, wide = size // 3, size // 2, (size // 3) // 2
    cols = integral.shape[1]
    across, down, mixed = lines[0], lines[1], lines[2]
    one, other = integral[row - lobe + 1], integral[row + lobe]
    for col in range(cols):
        across[col] = other[col] - one[col]
    top, upper, lower, bottom = (
        integral[row - half],
        integral[row - wide],
        integral[row + wide + 1],
        integral[row + half + 1],
    )
    for col in range(cols):
        down[col] = bottom[col] - top[col] - 3 * (lower[col] - upper[col])
    top, upper, lower, bottom = (
        integral[row - lobe],
        integral[row],
        integral[row + 1],
        integral[row + 1 + lobe],
    )
    for col in range(cols):
        mixed[col] = upper[col] - top[col] - bottom[col] + lower[col]
    area = 1.0 / (size * size)
    count = cols - 1 - 2 * half
    # What lies at a fixed distance from the pixel, as arrays of its own: so the loop runs in vectors.
    x0, x1, x2, x3 = across, across[half - wide :], across[half + wide + 1 :], across[2 * half + 1 :]
    y0, y1 = down[half - lobe + 1 :], down[half + lobe :]
    m0, m1, m2, m3 = mixed[half - lobe :], mixed[half:], mixed[half + 1 :], mixed[half + 1 + lobe :]
    into, sign = determinant[half:], trace[half:]
    for k in range(count):
        xx = (x3[k] - x0[k] - 3 * (x2[k] - x1[k])) * area
        yy = (y1[k] - y0[k]) * area
        xy = (m1[k] - m0[k] - m3[k] + m2[k]) * (MIXED * area)
        into[k] = xx * yy - xy * xy
        sign[k] = xx + yy


@njit(cache=True, nogil=True, error_model="numpy")
def _is_largest(responses, layer, below, col, step):
    """Whether all 26 neighbours (filter sizes, rows in a cycle of three, columns) are smaller."""
    middle = (below + 2) % 3
    value = responses[layer, middle, col]
    for i in range(layer - 1, layer + 2):
        for j in range(3):
            for k in range(col - step, col + step + 1, step):
                if responses[i, j, k] >= value and not (i == layer and j == middle and k == col):
                    return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _offset(responses, layer, below, col, step):
    """Where the quadratic through the neighbours is largest: rows, columns, layers away."""
    fine, here, coarse = responses[layer - 1], responses[layer], responses[layer + 1]
    c, b, a = below, (below + 2) % 3, (below + 1) % 3
    left, right = col - step, col + step
    value = here[b, col]
    gr = 0.5 * (here[c, col] - here[a, col])
    gc = 0.5 * (here[b, right] - here[b, left])
    gs = 0.5 * (coarse[b, col] - fine[b, col])
    rr = here[c, col] + here[a, col] - 2 * value
    cc = here[b, right] + here[b, left] - 2 * value
    ss = coarse[b, col] + fine[b, col] - 2 * value
    rc = 0.25 * (here[c, right] - here[c, left] - here[a, right] + here[a, left])
    rs = 0.25 * (coarse[c, col] - coarse[a, col] - fine[c, col] + fine[a, col])
    cs = 0.25 * (coarse[b, right] - coarse[b, left] - fine[b, right] + fine[b, left])
    # The inverse of the symmetric 3 x 3 matrix, by its cofactors.
    m00, m01, m02 = cc * ss - cs * cs, cs * rs - rc * ss, rc * cs - cc * rs
    m11, m12, m22 = rr * ss - rs * rs, rc * rs - rr * cs, rr * cc - rc * rc
    size = rr * m00 + rc * m01 + rs * m02
    if size == 0:
        return 1.0, 1.0, 1.0
    return (
        -(m00 * gr + m01 * gc + m02 * gs) / size,
        -(m01 * gr + m11 * gc + m12 * gs) / size,
        -(m02 * gr + m12 * gc + m22 * gs) / size,
    )


@njit(
    int64(
        _Plane,
        Array(int64, 1, "C"),
        int64,
        float64,
        Array(float64, 2, "C"),
        Array(float32, 3, "C"),
        Array(float32, 3, "C"),
        Array(float64, 2, "C"),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _maxima_loop(integral, sizes, step, threshold, lines, responses, traces, found):
    """How many maxima there are; the first of them are written."""
    rows, cols = integral.shape[0] - 1, integral.shape[1] - 1
    count = 0
    for middle in range(-step, rows, step):
        # The row after the one whose maxima are looked for.
        row, place = middle + step, (middle // step + 1) % 3
        for layer in range(len(sizes)):
            half = sizes[layer] // 2
            if half <= row < rows - half:
                _hessian_row(
                    integral, row, sizes[layer], lines, responses[layer, place], traces[layer, place]
                )
            else:
                responses[layer, place] = 0
        for layer in range(1, len(sizes) - 1):
            margin = sizes[layer + 1] // 2 + step
            if not margin <= middle < rows - margin:
                continue
            for col in range(-(-margin // step) * step, cols - margin, step):
                # place is that of the row below: the next of the cycle of three is the row above.
                centre = responses[layer, (place + 2) % 3]
                value = centre[col]
                if value <= threshold or value <= centre[col - step] or value <= centre[col + step]:
                    continue
                if not _is_largest(responses, layer, place, col, step):
                    continue
                down, across, up = _offset(responses, layer, place, col, step)
                if abs(down) >= 1 or abs(across) >= 1 or abs(up) >= 1:
                    continue
                if count < len(found):
                    size = sizes[layer] + up * (sizes[layer + 1] - sizes[layer])
                    found[count, 0] = middle + down * step
                    found[count, 1] = col + across * step
                    found[count, 2] = size * (SMALLEST_SCALE / SMALLEST)
                    found[count, 3] = value
                    found[count, 4] = 1.0 if traces[layer, (place + 2) % 3, col] > 0 else -1.0
                count += 1
    return count


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
