"""Which filter a block went through: a small perceptron, fitted to blocks filtered in known ways."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

MODEL = "filter_traces.npz"
# In the order of the model's outputs.
KINDS = ("none", "median 3", "median 5", "Gaussian", "bilateral", "denoised")


@dataclass(frozen=True, eq=False)
class FilterModel:
    """A perceptron with one hidden layer of rectifiers.

    centre, scale : (features,) float32, taken off and divided by first
    hidden, hidden_bias : (features, units), (units,)
    output, output_bias : (units, kinds), (kinds,)
    """

    centre: np.ndarray
    scale: np.ndarray
    hidden: np.ndarray
    hidden_bias: np.ndarray
    output: np.ndarray
    output_bias: np.ndarray

    def log_likelihoods(self, features: np.ndarray) -> np.ndarray:
        """(..., features) -> (..., kinds) float32, nats, up to a constant per block."""
        units = ((features - self.centre) / self.scale) @ self.hidden + self.hidden_bias
        weights: np.ndarray = np.maximum(units, 0) @ self.output + self.output_bias
        return weights


def filtered_log_odds(likelihoods: np.ndarray) -> np.ndarray:
    """Of any filter against none; (..., kinds) -> (...,), nats."""
    odds: np.ndarray = np.logaddexp.reduce(likelihoods[..., 1:], axis=-1) - likelihoods[..., 0]
    return odds


@cache
def shipped_model() -> FilterModel:
    """The numbers shipped with the package; see models/filter_traces.md."""
    data = resources.files("forensix.models").joinpath(MODEL).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return FilterModel(**{name: file[name].astype(np.float32) for name in FilterModel.__annotations__})


@cache
def shipped_weights() -> np.ndarray:
    """What the traits of an area weigh, and a constant: (11,) float64."""
    data = resources.files("forensix.models").joinpath(MODEL).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return np.asarray(file["area_weights"], np.float64)
