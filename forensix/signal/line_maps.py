"""How strong a pair of lines is in each place of a picture."""

from __future__ import annotations

import numpy as np

from forensix.signal.interpolation import LATTICE, WINDOW


def line_strength(
    detail: tuple[np.ndarray, np.ndarray], frequency: tuple[float, float], *, cell: int, sigma: float
) -> np.ndarray:
    """How strong the pair of lines is around every cell, and the noise it must stand out from.

    The map is brought to rest at either frequency and averaged; what remains is compared
    with what remains at four frequencies six window bins away.

    Parameters
    ----------
    detail : two of (rows, cols) float32, from :func:`unevenness` or ``fine_detail``
        In which to look for the frequency, and for that at right angles to it.
    frequency : (vertical, horizontal), cycles a pixel
    cell : int
        Pixels a side of the cells of the result.
    sigma : float
        Of the Gaussian average, in cells.

    Returns
    -------
    (rows // cell, cols // cell) float32
        Over the noise; about 1 where nothing repeats.
    """
    vertical, horizontal = frequency
    away = 6 / WINDOW
    power = noise = np.zeros(())
    for part, (v, h) in zip(detail, ((vertical, horizontal), (-horizontal, vertical)), strict=True):
        beside = [(v + down, h + across) for down in (away, -away) for across in (away, -away)]
        here, *others = _resting_powers(without_blocks(part), [(v, h), *beside], cell, sigma)
        power = power + here
        noise = noise + np.mean(others, axis=0)
    floor = max(float(np.median(noise)), 1e-12)
    strength: np.ndarray = (power / np.maximum(noise, floor / 4)).astype(np.float32)
    return strength


def without_blocks(detail: np.ndarray) -> np.ndarray:
    """The map without what repeats every 16 pixels: the blocks of codecs, whose lines are near many others.

    The pattern is the whole map's, and as strong in each place as the map is on average around.
    """
    import cv2

    rows, cols = (size // LATTICE for size in detail.shape)
    part = np.ascontiguousarray(detail[: rows * LATTICE, : cols * LATTICE])
    pattern = part.reshape(rows, LATTICE, cols, LATTICE).mean(axis=(0, 2))
    around = cv2.blur(part, (WINDOW // 4 + 1, WINDOW // 4 + 1))
    around /= np.float32(max(float(pattern.mean()), 1e-9))
    return np.asarray(part - np.tile(pattern, (rows, cols)) * around)


def _resting_powers(
    detail: np.ndarray, frequencies: list[tuple[float, float]], cell: int, sigma: float
) -> list[np.ndarray]:
    """Of each frequency the power of the map brought to rest at it, averaged around each cell."""
    import cv2

    rows, cols = (size // cell for size in detail.shape)
    vertical, horizontal = np.array(frequencies).T
    # Along rows first: within a cell, as real products, then from cell to cell.
    within = np.exp(-2j * np.pi * np.arange(cell)[:, None] * horizontal)
    both = np.concatenate([within.real, within.imag], axis=1).astype(np.float32)
    strips = np.ascontiguousarray(detail[: rows * cell, : cols * cell]).reshape(-1, cell) @ both
    lines = (strips[:, : len(vertical)] + 1j * strips[:, len(vertical) :]).reshape(rows, cell, cols, -1)
    down = np.exp(-2j * np.pi * np.arange(rows * cell)[:, None] * vertical).astype(np.complex64)
    summed = np.einsum("rkcf,rkf->frc", lines, down.reshape(rows, cell, -1))
    summed *= np.exp(-2j * np.pi * cell * np.arange(cols) * horizontal[:, None])[:, None].astype(np.complex64)
    powers = []
    for one in summed:
        real, imaginary = (
            cv2.GaussianBlur(np.ascontiguousarray(side), (0, 0), sigma) for side in (one.real, one.imag)
        )
        powers.append(np.asarray(real**2 + imaginary**2))
    return powers
