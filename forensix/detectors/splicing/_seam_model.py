"""Boosted trees that know seams: for single places, and for whole outlines."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

MODEL = "edge_seams.npz"
MEAN_WEIGHT = 2.0


@dataclass(frozen=True, eq=False)
class Trees:
    """Complete trees of one depth, as of :func:`forensix.native.tree_sums.tree_sums`, and a constant.

    asked, thresholds : (trees, 2 ** depth - 1)
    leaves : (trees, 2 ** depth)
    """

    asked: np.ndarray
    thresholds: np.ndarray
    leaves: np.ndarray
    base: float

    def log_odds(self, inputs: np.ndarray) -> np.ndarray:
        """(..., features) -> (...,) float32, nats."""
        from forensix.native.tree_sums import tree_sums

        columns = np.moveaxis(inputs, -1, 0).reshape(inputs.shape[-1], -1)
        sums = tree_sums(columns, self.asked, self.thresholds, self.leaves) + np.float32(self.base)
        return sums.reshape(inputs.shape[:-1])


@dataclass(frozen=True, eq=False)
class SeamModel:
    """places : whether a place lies on a seam; outlines : whether an outline is one.

    limit : the weight of outlines that untouched photos do not exceed
    """

    places: Trees
    outlines: Trees
    limit: float

    def weights(self, traits: np.ndarray) -> np.ndarray:
        """(n, traits) -> (n,) float32: what the trees say of outlines, and once more the mean of their places.

        The mean, the first trait, ranks pictures best; the trees know which outlines untouched photos have too.
        """
        return self.outlines.log_odds(traits) + np.float32(MEAN_WEIGHT) * traits[:, 0].astype(np.float32)


@cache
def shipped_model() -> SeamModel:
    """The numbers shipped with the package; see models/edge_seams.md."""
    data = resources.files("forensix.models").joinpath(MODEL).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return unpacked(dict(file))


def unpacked(numbers: dict[str, np.ndarray]) -> SeamModel:
    """From the arrays of the file."""

    def trees(name: str) -> Trees:
        parts = (numbers[f"{name}_{part}"] for part in ("asked", "thresholds", "leaves"))
        asked, thresholds, leaves = (np.ascontiguousarray(part) for part in parts)
        return Trees(asked.astype(np.int32), thresholds, leaves, float(numbers[f"{name}_base"]))

    return SeamModel(trees("places"), trees("outlines"), float(numbers["limit"]))
