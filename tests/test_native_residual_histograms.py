"""The histograms of residual sequences against one plain reference."""

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.residual_histograms import residual_histograms
from tests.reference.residual_histograms import residual_histograms as reference
from tests.reference.residual_histograms import sequence_classes

RANDOM = np.random.RandomState(20261122)
IMAGES = {
    "noise": RANDOM.randint(0, 256, (19, 34, 3)),
    "faint": 100 + RANDOM.randint(0, 3, (32, 32, 3)),
    "flat": np.full((17, 16, 3), 77),
    "black": np.zeros((16, 16, 3)),
    "white": np.full((16, 17, 3), 255),
    "half white": np.where(np.arange(20)[:, None] < 9, 250, 255) * np.ones((20, 20, 3)),
    "checkerboard": (np.indices((16, 20)).sum(axis=0) % 2 * 9 + 40)[..., None] * np.ones(3),
    "ramp": (np.indices((22, 18))[1] * 5 + 3)[..., None] * np.array([1, 1, 0]),
}


@pytest.mark.parametrize("name", IMAGES)
def test_counts_agree_with_a_plain_statement(name, monkeypatch):
    rgb = IMAGES[name].astype(np.uint8)
    monkeypatch.setattr("numpy.empty", lambda shape, dtype=float, **_: np.full(shape, 255, dtype))
    found = residual_histograms(rgb)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, reference(rgb))


def test_there_are_25_kinds_of_sequences():
    assert len(set(sequence_classes().values())) == 25


def test_a_flat_picture_has_one_kind_and_a_clipped_one_none():
    assert np.count_nonzero(residual_histograms(np.full((48, 48, 3), 90, np.uint8))[1, 1, 0, 0]) == 1
    assert not residual_histograms(np.full((48, 48, 3), 255, np.uint8))[:, :, 0].any()


def test_a_read_only_picture_is_left_alone():
    rgb = IMAGES["noise"].astype(np.uint8)
    rgb.flags.writeable = False
    np.testing.assert_array_equal(residual_histograms(rgb), residual_histograms(rgb[:, ::1].copy()))


@pytest.mark.parametrize(
    "rgb", [np.zeros((15, 40, 3), np.uint8), np.zeros((40, 40), np.uint8), np.zeros((40, 40, 3))]
)
def test_what_it_cannot_count_is_refused(rgb):
    with pytest.raises(ParameterError, match="must"):
        residual_histograms(rgb)
