"""Both twins of the periodicity sums against one plain reference."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.period_sums import period_sums
from tests.reference.period_sums import period_sums as reference

PLANES = {
    "noise": lambda shape: np.random.RandomState(3).normal(0, 9, shape).astype(np.float32),
    "large": lambda shape: np.random.RandomState(4).normal(0, 1e5, shape).astype(np.float32),
    "zeros": lambda shape: np.zeros(shape, np.float32),
    "infinite": lambda shape: np.full(shape, np.inf, np.float32),
    "holes": lambda shape: np.where(np.indices(shape).sum(0) % 3, np.float32(5), np.float32(np.nan)),
    "checkerboard": lambda shape: (np.indices(shape).sum(0) % 2 * 7).astype(np.float32),
}
STEPS = np.array([2.0, 3.0, 7.0])
TABLE = np.cos(2 * np.pi * np.arange(80)[:, None] / 4 / STEPS).astype(np.float32)

IN_THE_SIMULATOR = """
import numpy as np
from numba import cuda
from forensix.native import device
from tests.test_native_period_sums import PLANES, TABLE, period_sums, reference

cuda.device_array = lambda shape, dtype: cuda.to_device(np.full(shape, np.nan, dtype))
for name, plane in PLANES.items():
    image = plane((16, 16))
    with device.using("cuda"):
        ours = period_sums(image, TABLE[:, :1], [0, 8], [8], blocks=1, fineness=4.0)
    wanted = reference(image, TABLE[:, :1], [0, 8], [8], blocks=1, fineness=4.0)
    np.testing.assert_allclose(ours, wanted, atol=1e-4, err_msg=name)
print("agreed on", len(PLANES))
"""


@pytest.fixture
def poisoned_memory(monkeypatch):
    monkeypatch.setattr("numpy.empty", lambda shape, dtype=float, **_: np.full(shape, np.nan, dtype))


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize("tops, lefts, blocks", [([0], [0], 1), ([0, 16], [8], 2), ([8], [0, 8, 24], 1)])
def test_cpu_twin_agrees_with_the_reference(name, tops, lefts, blocks, poisoned_memory):
    plane = PLANES[name]((33, 41))
    ours = period_sums(plane, TABLE, tops, lefts, blocks=blocks, fineness=4.0)
    wanted = reference(plane, TABLE, tops, lefts, blocks=blocks, fineness=4.0)
    assert ours.shape == wanted.shape
    np.testing.assert_allclose(ours, wanted, atol=1e-4)


def test_cuda_twin_agrees_with_the_reference_in_the_simulator():
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_SIMULATOR],
        cwd=Path(__file__).parent.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == f"agreed on {len(PLANES)}", done.stderr


def test_no_tiles_give_no_sums():
    assert period_sums(np.zeros((8, 8)), TABLE, [], [], blocks=1, fineness=4.0).shape == (0, 0, 64, 3)


@pytest.mark.parametrize(
    "plane, tops, lefts, blocks",
    [
        (np.zeros((16, 16)), [8], [0], 2),
        (np.zeros((16, 16)), [-8], [0], 1),
        (np.zeros((16, 16)), [4], [0], 1),
        (np.zeros((16, 16)), [0], [0], 0),
        (np.zeros(16), [0], [0], 1),
    ],
)
def test_refuses_tiles_that_do_not_fit(plane, tops, lefts, blocks):
    with pytest.raises(ParameterError):
        period_sums(plane, TABLE, tops, lefts, blocks=blocks, fineness=4.0)
