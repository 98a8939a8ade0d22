"""Block coefficients, their order and the pairs alike in it, against one plain reference."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native import block_order
from tests.reference import block_order as reference

IMAGES = {
    "noise": lambda shape: np.random.default_rng(1).integers(0, 256, shape),
    "fractions": lambda shape: np.random.default_rng(2).uniform(0, 4, shape),
    "zeros": np.zeros,
    "saturated": lambda shape: np.full(shape, 255),
    "checkerboard": lambda shape: np.indices(shape).sum(axis=0) % 2 * 255,
    "ramp": lambda shape: np.indices(shape)[1] * 3,
}

IN_THE_SIMULATOR = """
import numpy as np
from numba import cuda
from forensix.native import device
from tests.test_native_block_order import IMAGES, block_order, every_place, reference

cuda.device_array = lambda shape, dtype: cuda.to_device(np.full(shape, np.nan, dtype))
for name, image in IMAGES.items():
    luma = image((18, 19)).astype(float)
    places = every_place(luma.shape)
    with device.using("cuda"):
        found = block_order.low_frequencies(luma, places)
    np.testing.assert_allclose(found, reference.low_frequencies(luma, places), atol=2e-3, err_msg=name)
print("agreed on", len(IMAGES))
"""


def every_place(shape):
    return np.argwhere(np.ones((shape[0] - 15, shape[1] - 15), bool)).astype(np.int32)


@pytest.fixture
def poisoned_memory(monkeypatch):
    """Fill every fresh output with values that no result has, so a cell that nothing wrote shows."""
    empty = np.empty

    def poisoned(shape, dtype=float, **kept):
        made = empty(shape, dtype, **kept)
        made[...] = np.nan if np.issubdtype(made.dtype, np.floating) else np.iinfo(made.dtype).max
        return made

    monkeypatch.setattr("numpy.empty", poisoned)


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("shape", [(16, 16), (17, 30), (31, 16)])
def test_cpu_twin_agrees_with_the_reference(image, shape, poisoned_memory):
    luma = IMAGES[image](shape).astype(float)
    places = every_place(shape)
    found = block_order.low_frequencies(luma, places)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, reference.low_frequencies(luma, places), atol=2e-3)


def test_cuda_twin_agrees_with_the_reference_in_the_simulator():
    root = Path(__file__).parent.parent
    simulated = {"NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_SIMULATOR],
        cwd=root,
        env={**os.environ, **simulated},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.strip() == f"agreed on {len(IMAGES)}", done.stderr


def some_blocks(count, spread, seed=0):
    rng = np.random.default_rng(seed)
    coefficients = (rng.normal(0, spread, (count, 9))).astype(np.float32)
    return coefficients, rng.integers(0, 60, (count, 2)).astype(np.int32)


@pytest.mark.parametrize(("count", "spread"), [(1, 1), (400, 6), (400, 900), (300, 0)])
def test_order_is_lexicographic_and_stable(count, spread, poisoned_memory):
    coefficients, _ = some_blocks(count, spread)
    keys = block_order.packed(coefficients, step=8.0)
    order = block_order.lexicographic_order(keys)
    assert order.tolist() == reference.order(reference.fields(coefficients, 8.0))


def test_order_uses_all_digits():
    keys = np.random.default_rng(3).integers(0, 2**63, 500, dtype=np.uint64)
    np.testing.assert_array_equal(block_order.lexicographic_order(keys), np.argsort(keys, kind="stable"))
    assert len(block_order.lexicographic_order(np.zeros(0, np.uint64))) == 0


@pytest.mark.parametrize(("spread", "reach"), [(5, 3), (9, 8), (0, 2)])
def test_alike_pairs_are_those_of_the_reference(spread, reach, poisoned_memory):
    coefficients, places = some_blocks(250, spread, seed=4)
    keys = block_order.packed(coefficients, step=8.0)
    order = block_order.lexicographic_order(keys)
    found = block_order.alike_pairs(keys, order, places, reach=reach, nearest=20.0)
    wanted = reference.alike_pairs(reference.fields(coefficients, 8.0), places, reach, 20.0)
    assert len(wanted) > 20
    assert [tuple(pair) for pair in found.tolist()] == wanted


@pytest.mark.parametrize(
    ("shape", "places", "message"),
    [
        ((15, 40), [[0, 0]], "16x16"),
        ((40,), [[0, 0]], "16x16"),
        ((20, 20), [[5, 0]], "inside"),
        ((20, 20), [[0, -1]], "inside"),
        ((20, 20), [0, 1], "places"),
    ],
)
def test_what_holds_no_block_is_refused(shape, places, message):
    with pytest.raises(ParameterError, match=message):
        block_order.low_frequencies(np.zeros(shape), np.array(places))
