"""SURF by its definition: filters as arrays, boxes as weighted sums of pixels, neighbours by sorting."""

import numpy as np
from scipy import ndimage


def filters(size):
    """The second derivatives by row, by column and mixed, as arrays of box heights."""
    lobe, half = size // 3, size // 2
    down = np.zeros((size, size))
    beside = np.abs(np.arange(size) - half) < lobe
    down[:, beside] = 1
    down[lobe : 2 * lobe, beside] = -2
    mixed = np.zeros((size, size))
    for side in (-1, 1):
        for end in (-1, 1):
            rows = half + side * np.arange(1, lobe + 1)
            cols = half + end * np.arange(1, lobe + 1)
            mixed[np.ix_(rows, cols)] = side * end
    return down, down.T, mixed


def box_hessian(image, size):
    parts = [ndimage.correlate(image.astype(float), kernel, mode="constant") for kernel in filters(size)]
    rr, cc, rc = (part / size**2 for part in parts)
    determinant, trace = rr * cc - (0.9 * rc) ** 2, rr + cc
    valid = np.zeros(image.shape, bool)
    half = size // 2
    valid[half : image.shape[0] - half, half : image.shape[1] - half] = True
    return np.where(valid, determinant, 0), np.where(valid, trace, 0)


def hessian_maxima(image, sizes, step, threshold):
    responses = [box_hessian(image, size) for size in sizes]
    stack = np.stack([determinant[::step, ::step] for determinant, _ in responses])
    found = []
    for layer, row, col in np.argwhere(stack > threshold):
        margin = sizes[min(layer + 1, len(sizes) - 1)] // 2 + step
        if layer in (0, len(sizes) - 1) or not all(
            margin <= place * step < size - margin
            for place, size in zip((row, col), image.shape, strict=True)
        ):
            continue
        cube = stack[layer - 1 : layer + 2, row - 1 : row + 2, col - 1 : col + 2]
        if np.sort(cube.ravel())[-2] >= cube[1, 1, 1]:
            continue
        slope, bend = derivatives(cube)
        up, down, across = -np.linalg.solve(bend, slope)
        if max(abs(up), abs(down), abs(across)) >= 1:
            continue
        size = sizes[layer] + up * (sizes[layer + 1] - sizes[layer])
        sign = 1 if responses[layer][1][row * step, col * step] > 0 else -1
        found.append(
            ((row + down) * step, (col + across) * step, 1.2 * size / 9, stack[layer, row, col], sign)
        )
    return np.array(found).reshape(-1, 5)


def derivatives(cube):
    slope = np.array([np.take(cube, 2, axis)[1, 1] - np.take(cube, 0, axis)[1, 1] for axis in range(3)]) / 2
    bend = np.zeros((3, 3))
    for i in range(3):
        bend[i, i] = np.take(cube, 2, i)[1, 1] + np.take(cube, 0, i)[1, 1] - 2 * cube[1, 1, 1]
        for j in range(i):
            plane = np.take(cube, 1, 3 - i - j)
            bend[i, j] = bend[j, i] = (plane[2, 2] + plane[0, 0] - plane[2, 0] - plane[0, 2]) / 4
    return slope, bend


def share(low, high, size):
    """How much of each of `size` unit pixels lies between two places."""
    edges = np.arange(size)
    return np.clip(np.minimum(high, edges + 1) - np.maximum(low, edges), 0, 1)


def wavelets(image, row, col, half):
    row = min(max(row + 0.5, half), image.shape[0] - half)
    col = min(max(col + 0.5, half), image.shape[1] - half)
    above, below = share(row - half, row, image.shape[0]), share(row, row + half, image.shape[0])
    left, right = share(col - half, col, image.shape[1]), share(col, col + half, image.shape[1])
    return (above + below) @ image @ (right - left), (below - above) @ image @ (left + right)


def direction(image, row, col, scale):
    places = [(i, j) for i in range(-6, 7) for j in range(-6, 7) if i * i + j * j < 36]
    responses = np.array(
        [
            np.exp(-(i * i + j * j) / (2 * 2.0**2))
            * np.array(wavelets(image, row + i * scale, col + j * scale, 2 * scale))
            for i, j in places
        ]
    )
    degrees = np.rad2deg(np.arctan2(responses[:, 1], responses[:, 0])) % 360
    sums = [responses[(degrees - 5 * k) % 360 < 60].sum(axis=0) for k in range(72)]
    across, down = max(sums, key=lambda both: np.hypot(*both))
    return np.arctan2(down, across)


def descriptor(image, row, col, scale, angle):
    along = np.array([np.sin(angle), np.cos(angle)])
    aside = np.array([np.cos(angle), -np.sin(angle)])
    out = np.zeros((4, 4, 4))
    for i in range(20):
        for j in range(20):
            v, u = i - 9.5, j - 9.5
            place = np.array([row, col]) + scale * (u * along + v * aside)
            across, down = wavelets(image, *place, scale)
            weight = np.exp(-(u * u + v * v) / (2 * 3.3**2))
            du, dv = weight * np.array([down, across]) @ along, weight * np.array([down, across]) @ aside
            out[i // 5, j // 5] += du, dv, abs(du), abs(dv)
    return out.ravel() / np.linalg.norm(out)
