"""The fitted numbers of the spectral fingerprint: weighted sums, a threshold, a distance."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from forensix.errors import ParameterError

MODEL = "spectral_origin.npz"
ENCODINGS = ("lossless", "jpeg")  # how a picture was stored last, of the bands
LARGEST = 0.5
CLIP = 5.0  # spreads: no single number of a picture counts for more


@dataclass(frozen=True, eq=False)
class OriginModel:
    """What tells generated from photographed pictures.

    names : what each number is
    mean, spread : (n,) of real photos
    weights : (k, n) of the standardized numbers: first the sum that all generators have in common,
        then one for each generator learnt
    offsets, units : (k,) for each sum, what one photo in a hundred exceeds, and how much more than one in ten
    threshold : of the margin, from which a picture is called generated
    precision : (n, n) inverse covariance within a kind of picture
    centres : (k, n) standardized means: real photos in one encoding each, and the generators learnt
    farthest : Mahalanobis distance to the nearest centre, beyond which a picture is like nothing learnt
    kinds : names of the centres
    bands : (2, 3, n) for each of ENCODINGS, which 5, 50 and 95 of a hundred real photos lie below; to look at only
    """

    names: tuple[str, ...]
    mean: np.ndarray
    spread: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    units: np.ndarray
    threshold: float
    precision: np.ndarray
    centres: np.ndarray
    farthest: float
    kinds: tuple[str, ...]
    bands: np.ndarray

    def standardized(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers of pictures, (..., n), in spreads from the mean of real photos."""
        if numbers.shape[-1] != len(self.names):
            raise ParameterError(f"the model is for {len(self.names)} numbers, got {numbers.shape[-1]}")
        scaled: np.ndarray = np.clip((numbers - self.mean) / self.spread, -CLIP, CLIP)
        return scaled

    def sums(self, numbers: np.ndarray) -> np.ndarray:
        """The sums of each picture, (..., k): 0 where one photo in a hundred lies beyond, -1 at one in ten."""
        heights: np.ndarray = (self.standardized(numbers) @ self.weights.T - self.offsets) / self.units
        return heights

    def margin(self, numbers: np.ndarray) -> np.ndarray:
        """How far a picture lies above the threshold; (...).

        The common sum, and half as much of the largest of all, so that a generator that
        was learnt is recognised by its own marks too.
        """
        heights = self.sums(numbers)
        above: np.ndarray = heights[..., 0] + LARGEST * heights.max(axis=-1) - self.threshold
        return above

    def distance(self, numbers: np.ndarray) -> np.ndarray:
        """Distance to the nearest centre over the farthest that is known; above 1 it is like nothing learnt."""
        apart = self.standardized(numbers)[..., None, :] - self.centres
        squares = ((apart @ self.precision) * apart).sum(axis=-1)
        far: np.ndarray = np.sqrt(squares.min(axis=-1)) / self.farthest
        return far

    def save(self) -> bytes:
        """The content of the model file."""
        stream = io.BytesIO()
        content: dict[str, Any] = {"names": np.array(self.names), "kinds": np.array(self.kinds)}
        content |= {name: getattr(self, name).astype(np.float32) for name in _ARRAYS}
        content |= {name: np.float64(getattr(self, name)) for name in _NUMBERS}
        np.savez_compressed(stream, **content)
        return stream.getvalue()

    @classmethod
    def load(cls, content: bytes) -> OriginModel:
        """From the content of a model file; ParameterError when it is none."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                fields: dict[str, Any] = {name: stored[name].astype(np.float64) for name in _ARRAYS}
                fields |= {name: float(stored[name]) for name in _NUMBERS}
                fields |= {name: tuple(str(word) for word in stored[name]) for name in ("names", "kinds")}
                return cls(**fields)
        except (OSError, EOFError, ValueError, KeyError) as error:
            raise ParameterError(f"not a model of the spectral fingerprint: {error}") from error


_ARRAYS = ("mean", "spread", "weights", "offsets", "units", "precision", "centres", "bands")
_NUMBERS = ("threshold", "farthest")


@cache
def shipped() -> OriginModel:
    """The model in forensix/models."""
    return OriginModel.load(resources.files("forensix.models").joinpath(MODEL).read_bytes())
