"""The keypoints of SURF: maxima of box-filtered Hessians in place and size.

References
----------
.. [1] Bay, H., Ess, A., Tuytelaars, T. and Van Gool, L. (2008). Speeded-up robust features (SURF).
   Computer Vision and Image Understanding 110(3), 346-359. DOI 10.1016/j.cviu.2007.09.014
.. [2] Brown, M. and Lowe, D. (2002). Invariant features from interest point groups. BMVC, 253-262.
   DOI 10.5244/C.16.23
"""

from __future__ import annotations

import numpy as np
from numba import int64, njit, void
from numba.types import Array, float32, float64

from forensix.errors import ParameterError

# Weight of the mixed derivative, so that boxes keep the balance of Gaussians (section 3.2).
MIXED = 0.9
# Standard deviation of the Gaussian that the smallest filter, 9 pixels wide, stands for.
SMALLEST = 9
SMALLEST_SCALE = 1.2
_Plane = Array(float64, 2, "C", readonly=True)


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
