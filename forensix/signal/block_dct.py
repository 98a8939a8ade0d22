"""The 8 x 8 block DCT of JPEG, on whole pictures."""

from __future__ import annotations

import numpy as np

from forensix.errors import ParameterError

SIDE = 8


def dct_basis() -> np.ndarray:
    """(8, 8) float64, orthonormal: row u is the cosine of frequency u."""
    frequency = np.arange(SIDE)[:, None]
    basis = np.sqrt(2 / SIDE) * np.cos(np.pi * (2 * np.arange(SIDE) + 1) * frequency / (2 * SIDE))
    basis[0] /= np.sqrt(2)
    return basis


def block_dct(luma: np.ndarray, *, offset: tuple[int, int] = (0, 0)) -> np.ndarray:
    """DCT coefficients of every whole 8 x 8 block of one grid, as JPEG scales them.

    Parameters
    ----------
    luma : (rows, cols) any real dtype
        0-255; 128 is subtracted, as JPEG does.
    offset : (down, right)
        Where the grid begins, 0-7 each: the first block's top left pixel.

    Returns
    -------
    (block rows, block cols, 8, 8) float32
        ``[r, c, u, v]``: vertical frequency u, horizontal frequency v; [0, 0] is the
        mean, -1024 to 1016. Pixels outside whole blocks are left out.

    Raises
    ------
    ParameterError
        When `luma` is not 2-D or holds no whole block.
    """
    down, right = offset
    if not (0 <= down < SIDE and 0 <= right < SIDE):
        raise ParameterError(f"a grid offset lies within 0-7, got {offset}")
    rows = (luma.shape[0] - down) // SIDE if luma.ndim == 2 else 0
    cols = (luma.shape[1] - right) // SIDE if luma.ndim == 2 else 0
    if rows < 1 or cols < 1:
        raise ParameterError(f"no whole 8x8 block at offset {offset} in an image of shape {luma.shape}")
    basis = dct_basis().astype(np.float32)
    pixels = luma[down : down + rows * SIDE, right : right + cols * SIDE].astype(np.float32) - np.float32(128)
    vertical = np.matmul(basis, pixels.reshape(rows, SIDE, cols * SIDE))
    both = vertical.reshape(rows, SIDE, cols, SIDE) @ basis.T
    return np.ascontiguousarray(both.transpose(0, 2, 1, 3))


def inverse_block_dct(coefficients: np.ndarray) -> np.ndarray:
    """The pixels of blocks: (block rows, block cols, 8, 8) to (rows, cols) float32, 128 added."""
    rows, cols = coefficients.shape[:2]
    basis = dct_basis().astype(np.float32)
    pixels = basis.T @ coefficients.astype(np.float32) @ basis + np.float32(128)
    return np.ascontiguousarray(pixels.transpose(0, 2, 1, 3)).reshape(rows * SIDE, cols * SIDE)
