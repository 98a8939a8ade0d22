"""What up-sampling repeats in a spectrum: peaks on its lattice, and phases that agree a lattice vector apart.

Up-sampling repeats the spectrum of the small grid at 1/2 (twice: 1/4) of a cycle per pixel; the layers
after it weaken the copies but keep their phase. In a photo phases so far apart have nothing to do with each
other, but for what the mosaic of its sensor and halved colour planes repeat.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from forensix.signal.spectra import frequencies

LITTLE = 1e-2  # power, squared grey levels: below what rounding to whole levels leaves (1/12)
# Multiples of 1/2, 1/4, 1/8 and 1/3 cycles per pixel, where up-sampling repeats itself.
LATTICE = {"half": 2, "quarter": 4, "eighth": 8, "third": 3, "sixteenth": 16}
# Down and across, in parts of a cycle per pixel, and what they are called.
SHIFTS = {
    "rows": (2, 0),
    "columns": (0, 2),
    "both": (2, 2),
    "quarter-rows": (4, 0),
    "quarter-columns": (0, 4),
}
LOWEST = 0.08  # cycles per pixel: the pictures' own large features are left out
FLOOR = 0.01


def phase_products(spectra: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean product of unit phasors a shift apart, of each window.

    Parameters
    ----------
    spectra : (n, planes, side, side // 2 + 1) complex64
    corners : (n, 2) int
        Where each window lies: its phases are counted from the picture's own corner.

    Returns
    -------
    products : (n, planes, len(SHIFTS)) complex64
    counts : (len(SHIFTS),) int
        Coefficients that each is a mean of.
    """
    size = np.abs(spectra)
    units = np.divide(spectra, size, out=np.zeros_like(spectra), where=size > 0)
    products, counts = [], []
    for rows, cols in SHIFTS.values():
        product = _half_products(units, rows, cols)
        turn = sum(corners[:, axis] / parts for axis, parts in enumerate((rows, cols)) if parts)
        products.append(product.mean(axis=2) * np.exp(-2j * np.pi * turn)[:, None])
        counts.append(product.shape[2])
    return np.stack(products, axis=2).astype(np.complex64), np.array(counts)


def _half_products(units: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Products of each low frequency (below 1/4 along the shift, above 0) and the one a shift higher; (n, planes, m).

    What is higher along the shift repeats these; what is negative mirrors them. Taken all together, the two
    halves would cancel wherever up-sampling keeps to the middle of pixels.
    """
    side, half = units.shape[2], units.shape[3] - 1
    down, across = frequencies(side)
    low = np.hypot(down, across) > LOWEST
    if not cols:
        step = side // rows
        upper, lower = ((down > 0) & (down < 0.25) & low, (down < 0) & (down > -0.25) & (across > 0) & low)
        above, below = (np.roll(units, turn, axis=2) for turn in (-step, step))
        first = units[:, :, upper] * above[:, :, upper].conj()
        # Of frequencies to the left only the mirror image is stored.
        second = units[:, :, lower].conj() * below[:, :, lower]
        return np.concatenate([first, second], axis=2)
    kept = np.s_[:, :, :, 1 : side // 4]
    right = side // cols
    if right < half:
        other = units[:, :, :, 1 + right : side // 4 + right].conj()
    else:
        # X(-r, -c) is the conjugate of X(r, c): rows turned round, the first in its place.
        turned = np.roll(units[:, :, ::-1], 1 + (side // rows if rows else 0), axis=2)
        other = turned[:, :, :, half - 1 : half - side // 4 : -1]
    return np.asarray((units[kept] * other)[:, :, low[:, 1 : side // 4]])


def phase_numbers(products: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Logarithm of how far phases agree over a picture's windows, less what chance gives.

    products, counts : as from :func:`phase_products`
    Returns (planes * len(SHIFTS),) float64.
    """
    mean = np.abs(products.mean(axis=0)) ** 2
    kept = np.maximum(mean - 1 / (counts * len(products)), 0)
    return np.asarray(0.5 * np.log(kept + FLOOR**2).ravel(), dtype=np.float64)


def lattice_peaks(power: np.ndarray) -> np.ndarray:
    """How far log power at multiples of simple frequencies stands above its neighbourhood.

    power : (n, side, side // 2 + 1) float32; returns (n, len(LATTICE))
    """
    side = power.shape[-2]
    logs = np.log(power + LITTLE)
    out = []
    for points, around in _lattice(side):
        rows, cols = points
        near, far = around
        out.append((logs[:, rows, cols] - logs[:, near, far].mean(axis=2)).mean(axis=1))
    return np.stack(out, axis=1)


@cache
def _lattice(side: int) -> list[tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]]:
    """Coefficients on each lattice and not on a coarser one, and those around each of them."""
    taken: set[tuple[int, int]] = set()
    out = []
    offsets = np.array([(i, j) for i in range(-4, 5) for j in range(-4, 5) if max(abs(i), abs(j)) >= 3])
    for parts in LATTICE.values():
        points = []
        for i in range(parts):
            for j in range(parts // 2 + 1):
                row, col = round(i * side / parts) % side, round(j * side / parts)
                signed = row - side if row > side // 2 else row
                if (row, col) in taken or np.hypot(signed, col) < 0.2 * side:
                    continue
                taken.add((row, col))
                points.append((row, col))
        at = np.array(points)
        around = at[:, None, :] + offsets
        rows, cols = around[..., 0], around[..., 1]
        over = cols > side // 2
        rows, cols = np.where(over, -rows, rows), np.where(over, side - cols, cols)
        rows, cols = np.where(cols < 0, -rows, rows), np.abs(cols)
        out.append(((at[:, 0], at[:, 1]), (rows % side, cols)))
    return out
