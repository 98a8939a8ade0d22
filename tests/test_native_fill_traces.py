import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.fill_traces import PLANES, fill_traces
from tests.reference import fill_traces as reference


def pictures():
    generator = np.random.default_rng(11)
    yield "noise", generator.integers(0, 256, (41, 55, 3), dtype=np.uint8)
    i, j = np.mgrid[:64, :48]
    yield "smooth", np.stack([2 * i + j, i + 2 * j, 3 * i], axis=-1).astype(np.uint8)
    yield "flat", np.full((16, 16, 3), 77, np.uint8)
    yield "checkerboard", np.repeat(((i + j) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)
    yield "one cell", generator.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    yield "a strip", generator.integers(0, 256, (4, 301, 3), dtype=np.uint8)


@pytest.mark.parametrize("name, rgb", list(pictures()))
def test_agrees_with_whole_planes(name, rgb):
    got = fill_traces(rgb)
    assert got.shape == (rgb.shape[0] // 4, rgb.shape[1] // 4, len(PLANES))
    np.testing.assert_allclose(got, reference.fill_traces(rgb), rtol=2e-4, atol=2e-4)


def test_what_counts_as_clipped_is_said_by_channel():
    rgb = np.zeros((8, 8, 3), np.uint8)
    rgb[...] = (10, 100, 240)
    clipped = PLANES.index("clipped")
    assert fill_traces(rgb)[..., clipped].max() == 0
    shares = fill_traces(rgb, darkest=(11, 11, 11), brightest=(252, 252, 239))[..., clipped]
    np.testing.assert_allclose(shares, 2 / 3)
    np.testing.assert_allclose(fill_traces(rgb, darkest=(10, 100, 240))[..., clipped], 0)


@pytest.mark.parametrize("part", [np.s_[::2, ::2], np.s_[:, ::-1], np.s_[::-1]])
def test_takes_views(part):
    rgb = np.random.default_rng(2).integers(0, 256, (40, 44, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fill_traces(rgb[part]), fill_traces(np.ascontiguousarray(rgb[part])))


@pytest.mark.parametrize(
    "rgb", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((3, 9, 3), np.uint8)]
)
def test_refuses_other_arrays(rgb):
    with pytest.raises(ParameterError, match="uint8"):
        fill_traces(rgb)


def test_refuses_limits_of_other_channels():
    with pytest.raises(ParameterError, match="three channels"):
        fill_traces(np.zeros((8, 8, 3), np.uint8), darkest=(1, 2), brightest=(3, 4))
