"""The filter bank of the dense path against plain correlation."""

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.disc_sizes import SPAN, disc_sizes
from forensix.signal.dense_features import polar_filters, zernike_filters
from tests.reference import disc_sizes as reference

IMAGES = {
    "noise": lambda shape: np.random.default_rng(1).uniform(-128, 127, shape),
    "saturated": lambda shape: np.full(shape, 127.0),
    "black": lambda shape: np.full(shape, -128.0),
    "checkerboard": lambda shape: np.indices(shape).sum(axis=0) % 2 * 255.0 - 128,
    "ramp": lambda shape: np.indices(shape)[1] * 0.3 - 100,
}
BANKS = {"zernike": zernike_filters, "polar": polar_filters}


def taps_of(bank):
    return np.array([taps for *_, taps in BANKS[bank]()])


@pytest.fixture
def poisoned_memory(monkeypatch):
    """Fresh outputs hold a value that every test's picture avoids somewhere, so a cell nothing wrote shows."""
    empty = np.empty

    def poisoned(shape, dtype=float, **kept):
        made = empty(shape, dtype, **kept)
        made[...] = 251
        return made

    monkeypatch.setattr("numpy.empty", poisoned)


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("shape", [(9, SPAN + 14), (1, 40), (30, 3), (14, 17)])
def test_sizes_are_those_of_plain_correlation(bank, image, shape, poisoned_memory):
    picture, taps = IMAGES[image](shape).astype(np.float32), taps_of(bank)
    found = disc_sizes(picture, taps, scale=8.0, level=128)
    wanted = reference.disc_sizes(picture, taps, scale=8.0, level=128)
    assert found.shape == wanted.shape and found.dtype == np.uint8
    # Rounded; the square root of a sum that is 0 but for float32's rounding is not quite 0.
    assert np.abs(found - wanted).max() < 0.8


def test_filters_without_symmetry_are_refused():
    taps = taps_of("zernike")
    taps[3, 2, 4] += 0.1
    with pytest.raises(ParameterError, match="even or odd"):
        disc_sizes(np.zeros((9, 9), np.float32), taps, scale=8.0, level=128)
    with pytest.raises(ParameterError, match="taps"):
        disc_sizes(np.zeros((9, 9), np.float32), taps[:11], scale=8.0, level=128)
    with pytest.raises(ParameterError, match="2-D"):
        disc_sizes(np.zeros((9, 9, 3), np.float32), taps, scale=8.0, level=128)
