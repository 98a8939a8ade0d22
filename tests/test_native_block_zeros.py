"""Both twins of the zero count against one plain reference."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.block_zeros import block_zeros
from tests.reference.block_zeros import block_zeros as reference

IMAGES = {
    "noise": lambda shape: np.random.RandomState(20250101).randint(0, 8, shape),
    "bright noise": lambda shape: np.random.RandomState(1).randint(200, 256, shape),
    "fractions": lambda shape: np.random.RandomState(2).uniform(0, 4, shape),
    "zeros": np.zeros,
    "saturated": lambda shape: np.full(shape, 255),
    "checkerboard": lambda shape: np.indices(shape).sum(axis=0) % 2 * 2 - 1,
    "ramp": lambda shape: np.indices(shape)[1] * 3,
}
SHAPES = [(8, 8), (9, 17), (24, 9), (8, 40)]

IN_THE_SIMULATOR = """
import numpy as np
from numba import cuda
from forensix.native import device
from tests.test_native_block_zeros import IMAGES, block_zeros, reference

cuda.device_array = lambda shape, dtype: cuda.to_device(np.full(shape, 255, dtype))
for name, image in IMAGES.items():
    luma = image((9, 12)).astype(float)
    with device.using("cuda"):
        np.testing.assert_array_equal(block_zeros(luma), reference(luma), err_msg=name)
print("agreed on", len(IMAGES))
"""


@pytest.fixture
def poisoned_memory(monkeypatch):
    """Fill every fresh output with 0xFF, so a cell that nothing wrote cannot look right."""

    def poisoned(shape, dtype=float, **_):
        return np.full(shape, 255, dtype)

    monkeypatch.setattr("numpy.empty", poisoned)


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_cpu_twin_agrees_with_the_reference(shape, image, poisoned_memory):
    luma = IMAGES[image](shape).astype(float)
    found = block_zeros(luma)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, reference(luma))


def test_cuda_twin_agrees_with_the_reference_in_the_simulator():
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_SIMULATOR],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == f"agreed on {len(IMAGES)}", done.stderr


def test_a_tie_is_no_zero():
    """Coefficient (4, 4) of this block is exactly 0.5 on paper; rounding must not decide."""
    luma = np.zeros((8, 8))
    luma[0, 0], luma[0, 1] = 2, -2
    assert reference(luma)[0, 0] == block_zeros(luma)[0, 0]
    assert block_zeros(luma, threshold=0.5 + 1e-6)[0, 0] > block_zeros(luma)[0, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64])
def test_any_real_dtype_will_do(dtype):
    luma = np.random.RandomState(3).randint(0, 9, (12, 20))
    np.testing.assert_array_equal(block_zeros(luma.astype(dtype)), reference(luma.astype(float)))


@pytest.mark.parametrize("shape", [(7, 9), (9, 7), (8,), (8, 8, 3)])
def test_what_holds_no_block_is_refused(shape):
    with pytest.raises(ParameterError, match="at least 8x8"):
        block_zeros(np.zeros(shape))
