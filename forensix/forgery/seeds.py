"""Random streams that depend on what is drawn, never on when or where."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from forensix.errors import ParameterError


def stream(seed: int, *key: str | int) -> np.random.Generator:
    """The random stream of one purpose.

    Two calls with the same seed and key give the same stream on any machine, in any
    order and on any number of workers; streams of different keys are independent.

    Parameters
    ----------
    seed : int
        Not negative.
    key : str or int
        What the stream is for, for example ``("copy-move", 12, "shape")``.

    Raises
    ------
    ParameterError
        If the seed is negative.

    References
    ----------
    Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011
    (Philox). https://doi.org/10.1145/2063384.2063405
    """
    if seed < 0:
        raise ParameterError(f"a seed must not be negative, got {seed}")
    digest = hashlib.sha256(json.dumps(key).encode()).digest()
    words = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4))
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=words)))
