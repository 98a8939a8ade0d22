"""The fitted numbers of the spectral fingerprint: weighted sums, a threshold, a distance, for each encoding."""

from __future__ import annotations

import io
from collections.abc import Mapping
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
    weights : (k, n) of the standardized numbers, in groups: over all numbers, over spectra alone, over sequences
        alone. In each first the sum that all generators have in common, then one for each generator learnt
    groups : (k,) int, to which group each sum belongs
    offsets, units : (k,) for each sum, what one photo in a hundred exceeds, and how much more than one in ten
    threshold : of the margin, from which a picture is called generated
    precision : (n, n) inverse covariance within a kind of picture
    centres : (k, n) standardized means: real photos, reduced or not, and the generators learnt
    farthest : Mahalanobis distance to the nearest centre, beyond which a picture is like nothing learnt
    kinds : names of the centres
    bands : (3, n), which 5, 50 and 95 of a hundred real photos lie below; to look at only
    """

    names: tuple[str, ...]
    mean: np.ndarray
    spread: np.ndarray
    weights: np.ndarray
    groups: np.ndarray
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

        The mean over the groups of the common sum, and half as much of the largest of all, so that a generator
        that was learnt is recognised by its own marks too.
        """
        heights = self.sums(numbers)
        count = int(self.groups.max()) + 1
        above = np.zeros(heights.shape[:-1])
        for group in range(count):
            of_group = heights[..., self.groups == group]
            above += (of_group[..., 0] + LARGEST * of_group.max(axis=-1)) / count
        over: np.ndarray = above - self.threshold
        return over

    def distance(self, numbers: np.ndarray) -> np.ndarray:
        """Distance to the nearest centre over the farthest that is known; above 1 it is like nothing learnt."""
        apart = self.standardized(numbers)[..., None, :] - self.centres
        squares = ((apart @ self.precision) * apart).sum(axis=-1)
        far: np.ndarray = np.sqrt(squares.min(axis=-1)) / self.farthest
        return far


_ARRAYS = ("mean", "spread", "weights", "groups", "offsets", "units", "precision", "centres", "bands")
_NUMBERS = ("threshold", "farthest")
_WORDS = ("names", "kinds")


def save(models: Mapping[str, OriginModel]) -> bytes:
    """The content of the model file: one model for each of ENCODINGS."""
    stream = io.BytesIO()
    content: dict[str, Any] = {}
    for encoding, model in models.items():
        content |= {f"{encoding}.{name}": np.array(getattr(model, name)) for name in _WORDS}
        content |= {f"{encoding}.{name}": getattr(model, name).astype(np.float32) for name in _ARRAYS}
        content |= {f"{encoding}.{name}": np.float64(getattr(model, name)) for name in _NUMBERS}
    np.savez_compressed(stream, **content)
    return stream.getvalue()


def load(content: bytes) -> dict[str, OriginModel]:
    """The models of a file, by encoding; ParameterError when it is none."""
    out = {}
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            for encoding in ENCODINGS:
                fields: dict[str, Any] = {n: stored[f"{encoding}.{n}"].astype(np.float64) for n in _ARRAYS}
                fields |= {n: float(stored[f"{encoding}.{n}"]) for n in _NUMBERS}
                fields |= {n: tuple(str(word) for word in stored[f"{encoding}.{n}"]) for n in _WORDS}
                out[encoding] = OriginModel(**fields)
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise ParameterError(f"not a model of the spectral fingerprint: {error}") from error
    return out


@cache
def _models() -> dict[str, OriginModel]:
    return load(resources.files("forensix.models").joinpath(MODEL).read_bytes())


def shipped(encoding: str = "lossless") -> OriginModel:
    """The model in forensix/models for pictures stored like this."""
    if encoding not in ENCODINGS:
        raise ParameterError(f"encoding must be one of {', '.join(ENCODINGS)}, got {encoding!r}")
    return _models()[encoding]
