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
SIZES = (0, 1, 5, 6, 7, 8, 9, 10, 11, 12)
SHARES = (2, 3, 4)
CLIPPED = 14
FLOOR = 0.05  # grey levels, so that nothing at all has a logarithm
QUANTILES = (0.05, 0.25, 0.5)
MOST_CLIPPED = 0.5  # of a window's samples; beyond, nothing can be said of it
LEAST_CELLS = 64
STRIP = 64  # rows of cells at a time
REACH = 6  # grey levels


@dataclass(frozen=True, eq=False)
class FillModel:
    """A perceptron with one hidden layer of rectifiers; the output is in nats.

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

    def log_odds(self, inputs: np.ndarray) -> np.ndarray:
        """(count, inputs) -> (count,) float32."""
        units = ((inputs - self.centre) / self.scale) @ self.hidden + self.hidden_bias
        odds: np.ndarray = np.maximum(units, 0) @ self.output + np.float32(self.output_bias)
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
    sizes = np.log(planes[..., SIZES] + np.float32(FLOOR))
    return np.concatenate([sizes, planes[..., SHARES]], axis=-1)


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
    from scipy import ndimage

    wide: np.ndarray = ndimage.uniform_filter1d(planes, WINDOW, axis=0, mode="nearest")
    wide = ndimage.uniform_filter1d(wide, WINDOW, axis=1, mode="nearest")
    return np.maximum(wide, 0)


def surroundings(features: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Quantiles of each feature over a picture's usable cells: (3, 13) float32.

    At most some 20 000 cells are looked at.
    """
    cells = features[usable]
    cells = cells[:: max(1, len(cells) // 20_000)]
    quantiles: np.ndarray = np.quantile(cells, QUANTILES, axis=0).astype(np.float32)
    return quantiles


def inputs_of(cells: np.ndarray, windows: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Features of a cell and its window, and how far these are above the picture's quantiles.

    cells, windows : (count, 13); quantiles : (3, 13); returns (count, 65) float32
    """
    return np.concatenate([cells, windows, *(windows - row for row in quantiles)], axis=1)


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
        Nats; NaN where more than half of the samples nearby are clipped, and everywhere
        when fewer than 64 cells are left to compare with.
    """
    model = load_model() if model is None else model
    cells, windows = local_features(planes), local_features(windowed(planes))
    usable = windowed(planes[..., CLIPPED]) <= MOST_CLIPPED
    odds = np.full(usable.shape, np.nan, np.float32)
    if np.count_nonzero(usable) < LEAST_CELLS:
        return odds
    quantiles = surroundings(windows, usable)
    for row in range(0, len(odds), STRIP):  # 65 inputs a cell add up
        strip = np.s_[row : row + STRIP]
        part = usable[strip]
        if part.any():
            inputs = inputs_of(cells[strip][part], windows[strip][part], quantiles)
            odds[strip][part] = model.log_odds(inputs)
    return odds
