"""What a colour filter array leaves: on its lattices, pixels follow from their neighbours unequally well.

Behind such an array a pixel measures one of three colours. The others are interpolated, and
an interpolated value lies closer to its neighbours than a measured one does. Of the four
lattices of 2 x 2 pixels, green is measured on two that touch by their corners, red and blue
on one each. How the lattices of a block differ is described by three contrasts: between the
rows, between the columns, and between the diagonals. A pattern that lies one column farther
changes the signs of the second and third, one row farther of the first and third.
"""

from __future__ import annotations

import numpy as np

from forensix.errors import ParameterError

BLOCK = 8  # pixels
PLANES = ("red", "green", "blue", "red - green", "blue - green")
ROWS, COLUMNS, DIAGONALS = 0, 1, 2
GREEN_DIAGONALS = 1 * 3 + DIAGONALS  # where it stands among the 15 contrasts
LEAST = 0.1  # grey levels, added so that a flat lattice has a logarithm
BLACK, WHITE = 2, 253
# By the lattice (row, column) on which red is measured: the first two rows of the array.
NAMES = {(0, 0): "RGGB", (0, 1): "GRBG", (1, 0): "GBRG", (1, 1): "BGGR"}


def lattice_residuals(rgb: np.ndarray) -> np.ndarray:
    """How far pixels lie from the mean of their four neighbours, for each lattice of each block.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        At least 16 x 16.

    Returns
    -------
    (rows // 8, cols // 8, 5, 2, 2) float32
        Mean absolute residual of red, green, blue, red - green and blue - green, grey levels.

    References
    ----------
    A. C. Gallagher, T. Chen, "Image authentication by detecting traces of demosaicing", CVPR
    Workshops, 2008, doi 10.1109/CVPRW.2008.4562984; P. Ferrara, T. Bianchi, A. De Rosa, A. Piva,
    "Image forgery localization via fine-grained analysis of CFA artifacts", IEEE TIFS 7(5), 2012,
    doi 10.1109/TIFS.2012.2202227.
    """
    import cv2

    if rgb.ndim != 3 or rgb.shape[2] != 3 or min(rgb.shape[:2]) < 2 * BLOCK:
        raise ParameterError(f"rgb must be (rows, cols, 3), at least 16 x 16, got {rgb.shape}")
    rows, cols = (side // BLOCK for side in rgb.shape[:2])
    rgb = rgb[: rows * BLOCK, : cols * BLOCK]
    green = np.ascontiguousarray(rgb[..., 1])
    kernel = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], np.float32) / 4
    found = np.empty((rows, cols, len(PLANES), 2, 2), np.float32)
    half = BLOCK // 2
    for number in range(len(PLANES)):
        channel = np.ascontiguousarray(rgb[..., (0, 1, 2, 0, 2)[number]])
        plane = channel if number < 3 else cv2.subtract(channel, green, dtype=cv2.CV_32F)
        residual = cv2.filter2D(plane, cv2.CV_32F, kernel)
        np.abs(residual, out=residual)
        for row, col in NAMES:
            lattice = np.ascontiguousarray(residual[row::2, col::2])
            found[:, :, number, row, col] = cv2.resize(
                lattice, (lattice.shape[1] // half, lattice.shape[0] // half), interpolation=cv2.INTER_AREA
            )
    return found


def contrasts(residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differences between the lattices of every block, and how strong its residuals are.

    residuals : (rows, cols, 5, 2, 2) float32, from :func:`lattice_residuals`

    Returns
    -------
    contrasts : (rows, cols, 15) float32
        For each plane: first row minus second, first column minus second, and the diagonal
        from the top left minus the other, of natural logarithms.
    level : (rows, cols) float32
        Mean logarithm of the residuals of green.
    """
    logs = np.log(residuals + np.float32(LEAST))
    first, second, third, fourth = (logs[..., row, col] for row, col in NAMES)
    three = (
        first + second - third - fourth,
        first + third - second - fourth,
        first + fourth - second - third,
    )
    stacked = np.stack(three, axis=-1) / np.float32(2)
    return stacked.reshape(*stacked.shape[:2], -1), logs[:, :, 1].mean(axis=(2, 3))


def clipped_blocks(rgb: np.ndarray) -> np.ndarray:
    """(rows // 8, cols // 8) bool: blocks with a channel near black or white anywhere."""
    import cv2

    rows, cols = (side // BLOCK for side in rgb.shape[:2])
    part = np.ascontiguousarray(rgb[: rows * BLOCK, : cols * BLOCK])
    inside = np.asarray(cv2.inRange(part, (BLACK + 1,) * 3, (WHITE - 1,) * 3))
    found: np.ndarray = (inside == 0).reshape(rows, BLOCK, cols, BLOCK).any(axis=(1, 3))
    return found


def array_name(rgb: np.ndarray, *, diagonal: float) -> str:
    """Which of the four filter arrays it was, by interpolating the picture again from each.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        A part of the picture whose first row and column are even ones of the picture.
    diagonal : float
        The green contrast between diagonals: green was measured on the diagonal through the
        top left pixel where it is positive.

    Returns
    -------
    str
        "RGGB", "GRBG", "GBRG" or "BGGR": the colours of the first two rows.

    References
    ----------
    M. Kirchner, "Efficient estimation of CFA pattern configuration in digital camera images",
    Media Forensics and Security II, SPIE 7541, 2010, doi 10.1117/12.838741.
    """
    candidates = [place for place in NAMES if (sum(place) % 2 == 1) == (diagonal > 0)]
    errors = {place: _again(rgb.astype(np.float32), place) for place in candidates}
    return NAMES[min(candidates, key=lambda place: errors[place])]


def _again(rgb: np.ndarray, red: tuple[int, int]) -> float:
    """Least error, over two ways to interpolate, of the picture made again from what an array measures."""
    import cv2

    blue = (1 - red[0], 1 - red[1])
    mosaic = rgb[..., 1].copy()
    mosaic[red[0] :: 2, red[1] :: 2] = rgb[red[0] :: 2, red[1] :: 2, 0]
    mosaic[blue[0] :: 2, blue[1] :: 2] = rgb[blue[0] :: 2, blue[1] :: 2, 2]
    linear = np.zeros((5, 5), np.float32)
    linear[1:4, 1:4] = 0.25
    linear[1:4, 2] = linear[2, 1:4] = 0
    cross = np.array([[0.25, 0, 0.25], [0, 0, 0], [0.25, 0, 0.25]], np.float32)
    gradient = np.zeros((5, 5), np.float32)  # of the measured colour, Malvar et al. 2004
    gradient[2, 2], gradient[0, 2], gradient[4, 2], gradient[2, 0], gradient[2, 4] = 6, -1.5, -1.5, -1.5, -1.5
    plain = cv2.filter2D(mosaic, cv2.CV_32F, cross)
    sharpened = plain + cv2.filter2D(mosaic, cv2.CV_32F, gradient) / 8
    errors = []
    for guess in (plain, sharpened):
        at_red = np.abs(guess - rgb[..., 2])[red[0] :: 2, red[1] :: 2]
        at_blue = np.abs(guess - rgb[..., 0])[blue[0] :: 2, blue[1] :: 2]
        errors.append(float(np.median(at_red) + np.median(at_blue)))
    return min(errors)
