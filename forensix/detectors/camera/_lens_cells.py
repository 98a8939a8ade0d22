"""How far red and blue lie beside green, cell by cell: sub-pixel shifts by least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CELL = 16  # pixels of the reduced picture, side of a cell
MOST = 3_200_000  # pixels of the reduced picture, about
LEAST_REDUCTION = 2  # most JPEG files store the colours at half the size; what is finer is luma alone
SOFTENED = 1.0  # pixels, standard deviation
BROAD = 9  # pixels, side of the mean that is taken away
CLIPPED = 4  # grey levels from either end; there edges seem to move
REACH = 5  # pixels around clipped ones that they spoil
DERIVATIVE = (
    np.array([1, -8, 0, 8, -1], np.float32) / 12
)  # of fourth order: a simple difference is 15 % short
CHANNELS = (0, 2)  # red and blue, against green


@dataclass(frozen=True, eq=False)
class CellProducts:
    """Sums of products over each cell, from which its shifts follow.

    green : (rows, cols, 3, 3) float32, of green, its derivative along rows and along columns
    crossed : (2, rows, cols, 3) float32, of red and of blue with these three
    energy : (2, rows, cols) float32, of red and of blue with themselves
    pixels : (rows, cols) float32, used of each cell
    places : (rows, cols, 2) float64, of the cells' centres from the picture's centre, in half diagonals
    reduction : pixels of the picture along the side of a pixel of the reduced one
    half_diagonal : of the picture, pixels
    """

    green: np.ndarray
    crossed: np.ndarray
    energy: np.ndarray
    pixels: np.ndarray
    places: np.ndarray
    reduction: int
    half_diagonal: float

    @property
    def side(self) -> int:
        """Of a cell, in pixels of the picture."""
        return CELL * self.reduction


@dataclass(frozen=True, eq=False)
class Shifts:
    """How far one channel lies beside green.

    shift : (rows, cols, 2) float64, pixels of the picture down and to the right; 0 where unknown
    information : (rows, cols, 2, 2) float64, inverse of its covariance, pixels to the -2; of a
        single edge it counts only across that edge. 0 where unknown
    """

    shift: np.ndarray
    information: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """(rows, cols) bool."""
        known: np.ndarray = self.information[..., 0, 0] + self.information[..., 1, 1] > 0
        return known


def cell_products(rgb: np.ndarray) -> CellProducts:
    """Reduce a picture, take its low frequencies away, and sum products over its cells.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        At least 64 x 64.
    """
    import cv2

    rows, cols = rgb.shape[:2]
    factor = max(LEAST_REDUCTION, int(np.ceil(np.sqrt(rows * cols / MOST))))
    factor = min(factor, min(rows, cols) // CELL)
    side = CELL * factor
    size = (cols // side * CELL, rows // side * CELL)
    part = rgb[: size[1] * factor, : size[0] * factor]
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    inside = cv2.inRange(small, (CLIPPED,) * 3, (255 - CLIPPED,) * 3)
    used = (cv2.erode(inside, np.ones((REACH, REACH), np.uint8)) > 0).astype(np.float32)
    red, green, blue = (_detail(plane) for plane in cv2.split(small))
    alone = np.ones(1, np.float32)
    signals = [
        green,
        cv2.sepFilter2D(green, -1, alone, DERIVATIVE),
        cv2.sepFilter2D(green, -1, DERIVATIVE, alone),
    ]
    masked = [signal * used for signal in signals]
    squared = np.stack([np.stack([_totals(a * b) for b in signals], -1) for a in masked], -2)
    crossed = np.stack([np.stack([_totals(other * a) for a in masked], -1) for other in (red, blue)])
    energy = np.stack([_totals(other * other * used) for other in (red, blue)])
    places, half = _places(rows, cols, side)
    return CellProducts(squared, crossed, energy, _totals(used), places, factor, half)


def _totals(values: np.ndarray) -> np.ndarray:
    """Sums over the cells."""
    import cv2

    cells = (values.shape[1] // CELL, values.shape[0] // CELL)
    means = cv2.resize(values, cells, interpolation=cv2.INTER_AREA).reshape(cells[::-1])
    return means * np.float32(CELL**2)


def _places(rows: int, cols: int, side: int) -> tuple[np.ndarray, float]:
    """The cells' centres from the picture's, in half diagonals, and half a diagonal in pixels."""
    half = float(np.hypot(rows, cols)) / 2
    down = ((np.arange(rows // side) + 0.5) * side - rows / 2) / half
    right = ((np.arange(cols // side) + 0.5) * side - cols / 2) / half
    return np.stack(np.meshgrid(down, right, indexing="ij"), -1), half


def _detail(plane: np.ndarray) -> np.ndarray:
    """One channel, softened a little, without its low frequencies; float32."""
    import cv2

    soft = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), SOFTENED)
    detail: np.ndarray = soft - cv2.blur(soft, (BROAD, BROAD))
    return detail


LEAST_USED = 0.6  # of a cell's pixels
LEAST_EXPLAINED = 0.8  # of the channel's variance in a cell, by green and its shift
LEAST_GAIN = 0.2  # of the channel over green: weaker ones, and edges of the opposite sign, are other things
FARTHEST = 3.0  # pixels of the reduced picture; the linear form of a shift holds no farther
ROUNDING = 0.025  # square grey levels that the residual has at least, of the 8 bits
MISFIT = 0.01  # of the channel's variance that stays unexplained at least: textures of a colour of their own
TIED = 8.0  # neighbouring pixels that say the same


def channel_shifts(products: CellProducts, channel: int) -> Shifts:
    """Where each cell's red or blue lies, by least squares.

    The channel is taken as green times a gain, moved: to first order a linear combination of
    green and its two derivatives.

    Parameters
    ----------
    channel : 0 for red, 1 for blue
    """
    green = products.green.astype(np.float64)
    crossed, energy = (
        products.crossed[channel].astype(np.float64),
        products.energy[channel].astype(np.float64),
    )
    factors = np.linalg.solve(green + 1e-3 * np.eye(3), crossed[..., None])[..., 0]
    left_over = np.maximum(energy - (factors * crossed).sum(axis=-1), 0)
    gain = factors[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.nan_to_num(-factors[..., 1:] / gain[..., None], posinf=np.inf, neginf=-np.inf)
    known = (
        (products.pixels >= LEAST_USED * CELL**2)
        & (left_over <= (1 - LEAST_EXPLAINED) * energy)
        & (gain > LEAST_GAIN)
        & (np.abs(shift).max(axis=-1) < FARTHEST)
    )
    variance = (left_over + MISFIT * energy) / np.maximum(products.pixels, 1) + ROUNDING
    across = green[..., 1:, 1:] - green[..., 1:, :1] * green[..., :1, 1:] / (green[..., :1, :1] + 1e-3)
    # So that rounding leaves nothing negative along an edge, where next to nothing is known.
    across += 1e-4 * np.trace(across, axis1=-2, axis2=-1)[..., None, None] * np.eye(2)
    information = (gain**2 / variance / TIED / products.reduction**2)[..., None, None] * across
    return Shifts(
        np.where(known[..., None], shift, 0.0) * products.reduction,
        np.where(known[..., None, None], information, 0.0),
    )
