"""What an ensemble of decision trees says of many sets of inputs."""

from __future__ import annotations

import numpy as np
from numba import njit, void
from numba.types import Array, float32, int32

from forensix.errors import ParameterError

BLOCK = 512  # sets of inputs that go through all trees together: as many as stay in the cache


def tree_sums(
    inputs: np.ndarray, asked: np.ndarray, thresholds: np.ndarray, leaves: np.ndarray
) -> np.ndarray:
    """The sum over all trees of the leaf that each set of inputs falls into.

    All trees are complete and of one depth, so that node i leads to 2 i + 1 and 2 i + 2 and
    nothing needs to branch; a leaf higher up is one whose descendants all say the same.

    Parameters
    ----------
    inputs : (features, n) float32
    asked : (trees, 2 ** depth - 1) int32
        Which feature each node asks for.
    thresholds : (trees, 2 ** depth - 1) float32
        To the first side go those that have at most this much; NaN goes to the second.
    leaves : (trees, 2 ** depth) float32

    Returns
    -------
    (n,) float32

    Raises
    ------
    ParameterError
        On shapes that do not fit, or a feature that is not there.
    """
    inputs, thresholds, leaves = (np.ascontiguousarray(a, np.float32) for a in (inputs, thresholds, leaves))
    asked = np.ascontiguousarray(asked, np.int32)
    if inputs.ndim != 2 or asked.ndim != 2 or thresholds.shape != asked.shape or leaves.ndim != 2:
        raise ParameterError(f"inputs and trees are 2-D, got {inputs.shape} and {asked.shape}")
    depth = leaves.shape[1].bit_length() - 1
    if leaves.shape != (len(asked), 2**depth) or asked.shape[1] != 2**depth - 1:
        raise ParameterError(f"{asked.shape[1]} nodes and {leaves.shape[1]} leaves make no complete tree")
    if asked.size and not 0 <= asked.min() <= asked.max() < len(inputs):
        raise ParameterError("a node asks for a feature that is not there")
    sums = np.empty(inputs.shape[1], np.float32)
    _loop(inputs, asked, thresholds, leaves, sums)
    return sums


@njit(
    void(
        Array(float32, 2, "C", readonly=True),
        Array(int32, 2, "C", readonly=True),
        Array(float32, 2, "C", readonly=True),
        Array(float32, 2, "C", readonly=True),
        float32[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _loop(
    inputs: np.ndarray, asked: np.ndarray, thresholds: np.ndarray, leaves: np.ndarray, sums: np.ndarray
) -> None:
    trees, inner = asked.shape
    for first in range(0, sums.size, BLOCK):
        last = min(first + BLOCK, sums.size)
        sums[first:last] = 0
        for tree in range(trees):
            features, limits, values = asked[tree], thresholds[tree], leaves[tree]
            for item in range(first, last):
                node = 0
                while node < inner:
                    node = 2 * node + 2 - int(inputs[features[node], item] <= limits[node])
                sums[item] += values[node - inner]
