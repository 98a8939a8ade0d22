"""Made decoders: a small network as decoders of latents have them, fitted to each photo.

Each stage doubles the picture: repetition, a 3 x 3 convolution from all channels to all, group normalization, a bent
line (SiLU), a second convolution and bent line, and a 3 x 3 convolution to colours. All but the last have random
weights; the last is fitted by least squares to what the stage is to show, so that the picture is
sharp and what is left of the lattice is what such a network cannot avoid.
"""

from __future__ import annotations

import numpy as np

from forensix.errors import ParameterError
from forensix.forgery.seeds import stream

LATENT = 12  # channels: the picture so far, and the detail of three of the four pixels
CHANNELS = 8
GROUPS = 2
SAMPLES = 12_000  # pixels that the last convolution is fitted on
RIDGE = 1e-3
MOST_STAGES = 3


class Decoder:
    """A decoder with random weights, the same for every picture but for the last layer.

    Parameters
    ----------
    stages : int
        1 to 3 doublings.
    model : int
        Which random weights.
    """

    def __init__(self, *, stages: int = 1, model: int = 0) -> None:
        if not 1 <= stages <= MOST_STAGES:
            raise ParameterError(f"stages must be 1 to {MOST_STAGES}, got {stages}")
        self.stages = stages
        rng = stream(model, "generator", "decoder")
        self.layers = [
            tuple(_orthogonal(rng, 9 * channels) for channels in (LATENT, CHANNELS)) for _ in range(stages)
        ]

    def run(self, picture: np.ndarray, rng: np.random.Generator, grain: float) -> np.ndarray:
        """The picture as the decoder would draw it.

        Parameters
        ----------
        picture : (rows, cols, 3) float32
            0-255, sides multiples of 2**stages.
        rng : of the noise in the features and the pixels fitted on
        grain : float
            Grey levels of detail that does not get through, and of the noise that takes its place.

        Returns
        -------
        (rows, cols, 3) float32
        """
        pyramid = [picture]
        for _ in range(self.stages - 1):
            pyramid.append(_halved(pyramid[-1]))
        shown = _halved(pyramid[-1])
        for layers, wanted in zip(self.layers, reversed(pyramid), strict=True):
            shown = _stage(shown, wanted, layers, rng, grain)
        return shown


def _stage(
    shown: np.ndarray,
    wanted: np.ndarray,
    layers: tuple[np.ndarray, ...],
    rng: np.random.Generator,
    grain: float,
) -> np.ndarray:
    """One doubling, from the picture drawn so far and what detail the latents hold of the next."""
    # Detail of the four pixels that become one, as far as it is stronger than a camera's grain.
    parts = [wanted[row::2, col::2] for row, col in np.ndindex(2, 2)]
    mean = sum(parts) / 4
    details = [_shrunk_to_strong(part - mean, grain) for part in parts[:3]]
    noise = [grain / 2 * rng.standard_normal(part.shape).astype(np.float32) for part in details]
    latent = np.concatenate([shown - 128, *(d + n for d, n in zip(details, noise, strict=True))], axis=2) / 32
    features = np.repeat(np.repeat(latent, 2, axis=0), 2, axis=1)
    for weights in layers:
        features = _bent(_normalized(_neighbours(features) @ weights))
    columns = _neighbours(features)
    # What the readout can see of colours is not bent away: it also gets the repeated picture.
    plain = np.repeat(np.repeat(shown, 2, axis=0), 2, axis=1)
    columns = np.concatenate([columns, _neighbours(plain - 128) / 32], axis=2).reshape(plain.size // 3, -1)
    chosen = rng.integers(0, len(columns), SAMPLES)
    known, aim = columns[chosen], wanted.reshape(-1, 3)[chosen] - 128
    square = known.T @ known
    square += RIDGE * np.trace(square) / len(square) * np.eye(len(square), dtype=np.float32)
    readout = np.linalg.solve(square, known.T @ aim)
    drawn: np.ndarray = (columns @ readout + 128).reshape(plain.shape).astype(np.float32)
    return drawn


def _orthogonal(rng: np.random.Generator, size: int) -> np.ndarray:
    """(size, CHANNELS) float32 random weights with orthogonal columns."""
    basis, _ = np.linalg.qr(rng.standard_normal((size, CHANNELS)))
    return np.asarray(basis.astype(np.float32) * 2)


def _neighbours(features: np.ndarray) -> np.ndarray:
    """(rows, cols, 9 * channels): each pixel's 3 x 3 neighbourhood."""
    rows, cols = features.shape[:2]
    padded = np.pad(features, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    return np.concatenate(
        [padded[row : row + rows, col : col + cols] for row, col in np.ndindex(3, 3)], axis=2
    )


def _normalized(features: np.ndarray) -> np.ndarray:
    """Group normalization: each group of channels with mean 0 and variance 1."""
    rows, cols, channels = features.shape
    groups = features.reshape(rows * cols, GROUPS, channels // GROUPS)
    mean, spread = groups.mean(axis=(0, 2), keepdims=True), groups.std(axis=(0, 2), keepdims=True)
    return np.asarray(((groups - mean) / (spread + 1e-3)).reshape(features.shape))


def _bent(features: np.ndarray) -> np.ndarray:
    """SiLU."""
    return np.asarray(features / (1 + np.exp(-np.clip(features, -30, 30))))


def _halved(picture: np.ndarray) -> np.ndarray:
    return np.asarray((picture[::2, ::2] + picture[1::2, ::2] + picture[::2, 1::2] + picture[1::2, 1::2]) / 4)


def _shrunk_to_strong(detail: np.ndarray, grain: float) -> np.ndarray:
    return np.asarray(np.sign(detail) * np.maximum(np.abs(detail) - grain, 0))
