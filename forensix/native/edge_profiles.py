"""Values of a plane on both sides of edges, each the mean of a short line parallel to its edge."""

from __future__ import annotations

import numpy as np
from numba import njit, void
from numba.types import Array, float32, float64

from forensix.errors import ParameterError
from forensix.native.bilinear import bilinear


def edge_profiles(
    plane: np.ndarray, places: np.ndarray, across: np.ndarray, along: np.ndarray, *, scale: float = 1.0
) -> np.ndarray:
    """Sample a plane across edges.

    Parameters
    ----------
    plane : (rows, cols) float32
        One value for each square of `scale` x `scale` pixels.
    places : (n, 4) float32
        Row and column of each place, and the direction across its edge there as a unit
        vector (down, right); pixels.
    across : (k,) float32
        Distances from the place across the edge, pixels.
    along : (m,) float32
        Shifts along the edge over which the mean is taken, pixels.

    Returns
    -------
    (n, k) float32
        Bilinear between cells; what lies outside the plane takes the nearest cell's value.

    Raises
    ------
    ParameterError
        On shapes that do not fit, an empty plane or places that are not finite.
    """
    plane, places, across, along = (
        np.ascontiguousarray(a, np.float32) for a in (plane, places, across, along)
    )
    if plane.ndim != 2 or plane.size == 0 or places.ndim != 2 or places.shape[1] != 4:
        raise ParameterError(f"plane is 2-D and places (n, 4), got {plane.shape} and {places.shape}")
    if across.ndim != 1 or along.ndim != 1 or not along.size or not scale > 0:
        raise ParameterError("across and along are 1-D, along is not empty, and scale is above 0")
    if not (np.isfinite(places).all() and np.isfinite(across).all() and np.isfinite(along).all()):
        raise ParameterError("places and distances must be finite")
    profiles = np.empty((len(places), across.size), np.float32)
    _loop(plane, places, across, along, float(scale), profiles)
    return profiles


@njit(cache=True, nogil=True, error_model="numpy")
def _between(plane: np.ndarray, row: np.float32, col: np.float32) -> np.float32:
    rows, cols = plane.shape
    row = np.float32(min(max(row, np.float32(0)), np.float32(rows - 1)))
    col = np.float32(min(max(col, np.float32(0)), np.float32(cols - 1)))
    return bilinear(plane, row, col)


@njit(
    void(
        Array(float32, 2, "C", readonly=True),
        Array(float32, 2, "C", readonly=True),
        Array(float32, 1, "C", readonly=True),
        Array(float32, 1, "C", readonly=True),
        float64,
        float32[:, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _loop(
    plane: np.ndarray,
    places: np.ndarray,
    across: np.ndarray,
    along: np.ndarray,
    scale: float,
    profiles: np.ndarray,
) -> None:
    shift = np.float32(0.5 / scale - 0.5)
    finer, share = np.float32(1 / scale), np.float32(1 / along.size)
    for place in range(places.shape[0]):
        down, right = places[place, 2] * finer, places[place, 3] * finer
        row, col = places[place, 0] * finer + shift, places[place, 1] * finer + shift
        for k in range(across.size):
            total = np.float32(0)
            for m in range(along.size):
                r = row + across[k] * down + along[m] * right
                c = col + across[k] * right - along[m] * down
                total += _between(plane, r, c)
            profiles[place, k] = total * share
