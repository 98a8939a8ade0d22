"""How much each cell of a picture looks like a hole that diffusion has filled.

The averages of :mod:`forensix.native.fill_traces` in windows of 12 x 12 pixels, and how they
compare with the rest of the same picture, go through a small perceptron. It was fitted to
holes filled in photos and to untouched photos; its card says how.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

MODEL = "diffusion_fill.json"
CELL = 4  # pixels, as in the kernel
WINDOW = 3  # cells
# Planes that are compared by their size, and those that are shares already.
SIZES = (slice(0, 2), slice(5, 13))
SHARES = slice(2, 5)
CLIPPED = 14
FLOOR = 0.05  # grey levels, so that nothing at all has a logarithm
QUANTILES = (0.05, 0.25, 0.5)
MOST_CLIPPED = 0.5  # of a window's samples; beyond, nothing can be said of it
LEAST_CELLS = 64
STRIP = 16  # rows of cells at a time
REACH = 6  # grey levels


@dataclass(frozen=True, eq=False)
class FillModel:
    """A perceptron with one hidden layer of rectifiers; the output is in nats.

    Its 65 inputs are the features of a cell, of its window, and how far the latter are above each
    of the picture's QUANTILES.

    centre, scale : (inputs,) float32, taken off and divided by first
    hidden, hidden_bias : (inputs, units), (units,)
    output, output_bias : (units,), float
    """

    centre: np.ndarray
    scale: np.ndarray
    hidden: np.ndarray
    hidden_bias: np.ndarray
    output: np.ndarray
    output_bias: float

    def against(self, quantiles: np.ndarray) -> PictureModel:
        """The same for the cells of one picture, by the quantiles of its windows: (3, 13) float32.

        What a cell is compared with is the same for all, so it goes into the bias once.
        """
        weights = (self.hidden / self.scale[:, None]).astype(np.float64)
        cells, windows, *compared = np.split(weights, 2 + len(quantiles))
        bias = self.hidden_bias - self.centre @ weights
        bias = bias - sum(row @ part for row, part in zip(quantiles, compared, strict=True))
        return PictureModel(
            cells=cells.astype(np.float32),
            windows=(windows + sum(compared)).astype(np.float32),
            bias=bias.astype(np.float32),
            output=self.output,
            output_bias=np.float32(self.output_bias),
        )


@dataclass(frozen=True, eq=False)
class PictureModel:
    """A :class:`FillModel` for one picture, without what is the same for all of its cells.

    cells, windows : (13, units) float32
    bias, output : (units,) float32
    output_bias : float32
    """

    cells: np.ndarray
    windows: np.ndarray
    bias: np.ndarray
    output: np.ndarray
    output_bias: np.float32

    def log_odds(self, cells: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Features of cells and of their windows, both (count, 13) -> (count,) float32, nats."""
        units = cells @ self.cells
        units += windows @ self.windows
        units += self.bias
        odds: np.ndarray = np.maximum(units, 0, out=units) @ self.output
        odds += self.output_bias
        return odds


@cache
def load_model() -> FillModel:
    """The shipped perceptron."""
    numbers = json.loads(resources.files("forensix.models").joinpath(MODEL).read_bytes())
    names = ("centre", "scale", "hidden", "hidden_bias", "output")
    arrays = {name: np.array(numbers[name], np.float32) for name in names}
    return FillModel(**arrays, output_bias=float(numbers["output_bias"]))


def local_features(planes: np.ndarray) -> np.ndarray:
    """Logarithms of sizes, and shares, of the planes that are looked at.

    planes : (rows, cols, 15) float32, as from ``fill_traces``
    Returns (rows, cols, 13) float32.
    """
    features = np.concatenate([planes[..., part] for part in (*SIZES, SHARES)], axis=-1)
    sizes = features[..., : -planes[..., SHARES].shape[-1]]
    sizes += np.float32(FLOOR)
    np.log(sizes, out=sizes)
    return features


def exposure_limits(rgb: np.ndarray) -> tuple[list[int], list[int]]:
    """The least and the largest value of each channel that is taken to be exposed properly.

    Cameras clip below 255 too, softly; so what lies within REACH levels of nearly the
    darkest or the brightest value of the picture is left out, and 0-2 and 253-255 always.
    """
    step = max(1, int(np.sqrt(rgb.shape[0] * rgb.shape[1] / 250_000)))
    low, high = np.percentile(rgb[::step, ::step].reshape(-1, 3), (0.1, 99.9), axis=0)
    return [max(3, int(v) + 3) for v in low], [min(252, int(v) - REACH) for v in high]


def windowed(planes: np.ndarray) -> np.ndarray:
    """Mean over WINDOW x WINDOW cells around each; beyond the edges the edge cells count again."""
    import cv2

    wide = cv2.blur(planes, (WINDOW, WINDOW), borderType=cv2.BORDER_REPLICATE)
    return np.maximum(wide, 0, out=wide)


def surroundings(features: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Quantiles of each feature over a picture's usable cells: (3, 13) float32.

    At most some 20 000 cells are looked at.
    """
    cells = features[usable]
    cells = cells[:: max(1, len(cells) // 20_000)]
    quantiles: np.ndarray = np.quantile(cells, QUANTILES, axis=0).astype(np.float32)
    return quantiles


def fill_log_odds(planes: np.ndarray, *, model: FillModel | None = None) -> np.ndarray:
    """Log-odds of a filled hole for each cell.

    Parameters
    ----------
    planes : (rows, cols, 15) float32
        As from ``fill_traces``.
    model : FillModel
        The shipped one if not given.

    Returns
    -------
    (rows, cols) float32
        Nats; NaN where more than half of the samples nearby are clipped, along the picture's edges,
        and everywhere when fewer than 64 cells are left to compare with.
    """
    model = load_model() if model is None else model
    wide = windowed(planes)
    usable = wide[..., CLIPPED] <= MOST_CLIPPED
    odds = np.full(usable.shape, np.nan, np.float32)
    if np.count_nonzero(usable) < LEAST_CELLS:
        return odds
    windows = local_features(wide)
    judge = model.against(surroundings(windows, usable))
    for row in range(0, len(odds), STRIP):  # stays in the cache
        strip = np.s_[row : row + STRIP]
        cells = local_features(planes[strip])
        found = judge.log_odds(*(part.reshape(-1, part.shape[-1]) for part in (cells, windows[strip])))
        odds[strip] = np.where(usable[strip], found.reshape(usable[strip].shape), np.float32(np.nan))
    # Beyond the edges pixels repeat: the outermost cells look two to five times as often filled.
    odds[[0, -1]] = odds[:, [0, -1]] = np.nan
    return odds
