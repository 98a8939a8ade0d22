"""Both twins of the table sum against one plain reference."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.ghost_difference import ghost_difference
from tests.reference.ghost_difference import ghost_difference as reference

RANDOM = np.random.RandomState(20260101)


def table(coefficients, rows, qualities):
    made = RANDOM.normal(size=(coefficients, rows, qualities)).astype(np.float32)
    made[:, 0] = 0
    return made


CASES = {
    "mixed": (RANDOM.randint(-9, 10, (23, 64)), table(64, 6, 7)),
    "sparse": (RANDOM.randint(-9, 10, (40, 64)) * (RANDOM.rand(40, 64) < 0.1), table(64, 12, 50)),
    "all zero": (np.zeros((5, 64), int), table(64, 3, 4)),
    "extremes": (np.array([[-32768, 32767, -1, 1, 0]]), table(5, 3, 2)),
    "one level, one quality": (RANDOM.randint(-2, 3, (8, 3)), table(3, 2, 1)),
    "no blocks": (np.zeros((0, 64), int), table(64, 3, 4)),
}

IN_THE_SIMULATOR = """
import numpy as np
from numba import cuda
from forensix.native import device
from forensix.native.ghost_difference import ghost_difference
from tests.test_native_ghost_difference import CASES, reference

fresh = cuda.device_array
cuda.device_array = lambda shape, dtype: cuda.to_device(np.full(shape, np.nan, dtype))
for name, (levels, table) in CASES.items():
    with device.using("cuda"):
        found = ghost_difference(levels[:6], table[:, :, :5])
    np.testing.assert_allclose(found, reference(levels[:6], table[:, :, :5]), atol=1e-4, err_msg=name)
print("agreed on", len(CASES))
"""


@pytest.fixture
def poisoned_memory(monkeypatch):
    """Fill every fresh output with NaN, so a cell that nothing wrote cannot look right."""
    monkeypatch.setattr("numpy.empty", lambda shape, dtype=float, **_: np.full(shape, np.nan, dtype))


@pytest.mark.parametrize("case", CASES)
def test_cpu_twin_agrees_with_the_reference(case, poisoned_memory):
    levels, lookup = CASES[case]
    found = ghost_difference(levels, lookup)
    assert found.dtype == np.float32 and found.shape == (len(levels), lookup.shape[2])
    np.testing.assert_allclose(found, reference(levels, lookup), atol=1e-4)


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
    assert done.stdout.strip() == f"agreed on {len(CASES)}", done.stderr


def test_what_does_not_fit_is_refused():
    with pytest.raises(ParameterError, match="do not fit"):
        ghost_difference(np.zeros((4, 63)), table(64, 3, 2))
    with pytest.raises(ParameterError, match="do not fit"):
        ghost_difference(np.zeros((4, 64)), np.zeros((64, 1, 2)))
    with pytest.raises(ParameterError, match="level 0"):
        ghost_difference(np.zeros((4, 64)), np.ones((64, 3, 2)))


def test_arguments_stay_as_they_were():
    levels, lookup = CASES["mixed"]
    before = levels.copy(), lookup.copy()
    levels.flags.writeable = lookup.flags.writeable = False
    ghost_difference(levels, lookup)
    np.testing.assert_array_equal(levels, before[0])
    np.testing.assert_array_equal(lookup, before[1])
