"""What a place looks like that may lie on a seam: how steep at which scale, what detail on both sides.

Blurring an edge once more changes its gradient the less, the wider it was: the gradients at several scales
hold its width. Of a paste, the ramp has one width all along, whatever the depth of the scene; on a soft
ramp two noises are mixed, and their mean is weaker than either; and the detail differs from side to side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

CELL = 4  # pixels: one place each
MOST_PIXELS = 2_000_000  # larger pictures are reduced
LEVELS = ((1, 0.7), (1, 1.0), (2, 0.8), (2, 1.4), (4, 1.0), (8, 1.0))  # how far reduced, then how far blurred
NEAR = np.array([-5, -2.5, 0, 2.5, 5], np.float32)
FAR = np.array([-24, -12, -6, 0, 6, 12, 24], np.float32)
STEP = np.array([-8, -5, -3, -1.5, -0.5, 0.5, 1.5, 3, 5, 8], np.float32)
BESIDE = np.array([-6, 6], np.float32)
RELATIVE = 12  # the first inputs, given relative to the picture's own edges too
STEEPNESS, FLOOR = 11, 0.3
FINE, COARSE = 1.155, 3.08  # pixels that the second and the fourth of LEVELS blur
WIDEST = 12.0  # pixels, of an edge
EDGES = 0.25  # of the places, the steepest: the picture's own edges


@dataclass(frozen=True, eq=False)
class Places:
    """One place in each cell of 4 x 4 pixels: the steepest.

    inputs : (rows, cols, features) float32
    across : (rows, cols, 4) float32, row, column and direction across the edge (down, right)
    reduction : times that the picture was reduced before
    """

    inputs: np.ndarray
    across: np.ndarray
    reduction: int

    @property
    def cell(self) -> int:
        """Pixels of the picture as it came."""
        return CELL * self.reduction

    @property
    def steepness(self) -> np.ndarray:
        """(rows, cols) float32, grey levels a pixel (of the reduced picture) at the finest scales."""
        return np.exp(self.inputs[..., STEEPNESS]) - FLOOR

    @property
    def widths(self) -> np.ndarray:
        """(rows, cols) float32, of the blur at each edge as a Gaussian sigma in pixels of the picture as it came.

        A step of width w, blurred by s, is as steep as its height over the root of w^2 + s^2: two
        scales give w.
        """
        # Of places reduced by two, a gradient is twice that of the pixels.
        ratio = np.exp(self.inputs[..., 1] + self.inputs[..., 2]) * 2
        squares = ratio * ratio
        wide = (COARSE**2 - squares * FINE**2) / np.maximum(squares - 1, 0.02)
        return np.sqrt(np.clip(wide, 0.0, WIDEST**2)) * np.float32(self.reduction)


def reduction_of(rows: int, cols: int) -> int:
    return int(np.ceil(np.sqrt(rows * cols / MOST_PIXELS)))


def seam_places(rgb: np.ndarray) -> Places:
    """Describe one place in each cell.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8, at least 64 x 64
    """
    import cv2

    reduction = max(1, reduction_of(*rgb.shape[:2]))
    if reduction > 1:
        size = (rgb.shape[1] // reduction, rgb.shape[0] // reduction)
        whole = rgb[: size[1] * reduction, : size[0] * reduction]
        rgb = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    rows, cols = (side // 8 * 8 for side in rgb.shape[:2])
    colours = cv2.cvtColor(np.ascontiguousarray(rgb[:rows, :cols]), cv2.COLOR_RGB2YCrCb)
    luma = colours[..., 0].astype(np.float32)
    chroma = cv2.resize(colours[..., 1:], (cols // 2, rows // 2), interpolation=cv2.INTER_AREA).astype(
        np.float32
    )
    reduced = {1: luma}
    for level in (2, 4, 8):
        reduced[level] = _halved(reduced[level // 2])
    steep = {(level, sigma): _gradient(reduced[level], sigma) for level, sigma in LEVELS}
    across, coherence = _placed(steep, chroma)
    inputs = _inputs(across.reshape(-1, 4), coherence.ravel(), luma, chroma, steep)
    return Places(np.moveaxis(inputs.reshape(-1, *across.shape[:2]), 0, -1), across, reduction)


def _halved(plane: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA)


def _blurred(plane: np.ndarray, sigma: float) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(plane, (0, 0), sigma)


def _gradient(plane: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Size, rightwards and downwards."""
    import cv2

    smooth = _blurred(plane, sigma)
    right, down = cv2.Sobel(smooth, -1, 1, 0, scale=0.125), cv2.Sobel(smooth, -1, 0, 1, scale=0.125)
    return cv2.magnitude(right, down), right, down


def _placed(
    steep: Mapping[tuple[int, float], tuple[np.ndarray, ...]], chroma: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The steepest place of every cell with the direction across, and how much it is the only one."""
    import cv2

    size = steep[1, 1.0][0]
    rows, cols = size.shape[0] // CELL, size.shape[1] // CELL
    cells = size.reshape(rows, CELL, cols, CELL).swapaxes(1, 2).reshape(rows, cols, CELL * CELL)
    place = cells.argmax(axis=2)
    _, right, down = steep[2, 0.8]
    xx, yy, xy = right * right, down * down, right * down
    for channel in range(2):
        _, right, down = _gradient(np.ascontiguousarray(chroma[..., channel]), 1.4)
        xx, yy, xy = xx + right * right, yy + down * down, xy + right * down
    xx, yy, xy = (_halved(_blurred(v, 1.5)) for v in (xx, yy, xy))
    turn = 0.5 * cv2.phase(xx - yy, 2 * xy)
    coherence = cv2.magnitude(xx - yy, 2 * xy) / (xx + yy + 1e-3)
    row, col = np.indices((rows, cols), np.float32) * CELL
    return np.stack([row + place // CELL, col + place % CELL, np.sin(turn), np.cos(turn)], -1).astype(
        np.float32
    ), coherence


def _inputs(
    places: np.ndarray,
    coherence: np.ndarray,
    luma: np.ndarray,
    chroma: np.ndarray,
    steep: Mapping[tuple[int, float], tuple[np.ndarray, ...]],
) -> np.ndarray:
    from forensix.native.edge_profiles import edge_profiles

    one = np.zeros(1, np.float32)
    sizes = [
        np.log(
            edge_profiles(steep[level][0], places, one, np.array([-1, 0, 1], np.float32), scale=level[0])[
                :, 0
            ]
            + FLOOR
        )
        for level in LEVELS
    ]
    told = [a - b for a, b in pairwise(sizes)]
    detail, centres = _detail(places, luma, chroma)
    told += centres
    told = [*told, sizes[1]]  # RELATIVE so far
    strong = sizes[1] >= np.quantile(sizes[1], 1 - EDGES)
    relative = [column - np.median(column[strong]) for column in told]
    told += [*relative, coherence, sizes[3], *detail]
    told += _colours(places, chroma)
    profile = edge_profiles(luma, places, STEP, np.array([-2, 0, 2], np.float32))
    step = np.abs(profile[:, -1] - profile[:, 0]) + 2
    told += [np.abs(profile[:, 5 + k] - profile[:, 4 - k]) / step for k in range(4)]
    return np.stack([*told, np.log(step)]).astype(np.float32, copy=False)


def _detail(
    places: np.ndarray, luma: np.ndarray, chroma: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Fine detail on the place against both sides of it, and on the place itself."""
    from forensix.native.edge_profiles import edge_profiles

    fine, rough = _blurred(luma, 1.0), _blurred(luma, 2.0)
    residues = (chroma - _blurred(chroma, 1.0)) ** 2
    told, centres = [], []
    for energy in ((luma - fine) ** 2, (fine - rough) ** 2, residues[..., 0] + residues[..., 1]):
        half = _halved(energy) if energy.shape == luma.shape else np.ascontiguousarray(energy)
        for plane, scale, offsets in ((half, 2, NEAR), (_halved(half), 4, FAR)):
            logs = np.log(_blurred(plane, 0.8) + 0.02)
            beside = edge_profiles(logs, places, offsets, np.array([-6, 0, 6], np.float32), scale=scale)
            middle = len(offsets) // 2
            for k in range(1, 3):
                one, other = beside[:, middle - k], beside[:, middle + k]
                told += [
                    beside[:, middle] - np.minimum(one, other),
                    beside[:, middle] - np.maximum(one, other),
                ]
            if scale == 4:
                told += [np.abs(beside[:, 5] - beside[:, 1]), np.abs(beside[:, 6] - beside[:, 0])]
            centres.append(beside[:, middle])
    return told, centres


def _colours(places: np.ndarray, chroma: np.ndarray) -> list[np.ndarray]:
    """Steps of colour, and how steep at which scale."""
    from forensix.native.edge_profiles import edge_profiles

    along = np.array([-2, 0, 2], np.float32)
    planes = [np.ascontiguousarray(chroma[..., channel]) for channel in range(2)]
    told, sizes = [], []
    for plane in planes:
        beside = edge_profiles(plane, places, BESIDE, along, scale=2)
        told.append(np.abs(beside[:, 1] - beside[:, 0]))
    for scale in (2, 4, 8):
        size = np.hypot(_gradient(planes[0], 0.8)[0], _gradient(planes[1], 0.8)[0])
        sizes.append(
            np.log(edge_profiles(size, places, np.zeros(1, np.float32), along, scale=scale)[:, 0] + 0.2)
        )
        planes = [_halved(plane) for plane in planes]
    return [*told, sizes[0], sizes[0] - sizes[1], sizes[1] - sizes[2]]
