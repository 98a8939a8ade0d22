"""The features of the dense path against independent statements, and what they withstand."""

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from forensix.errors import ParameterError
from forensix.signal.dense_features import KINDS, polar_filters, zernike_filters, zigzag
from tests.reference import dense_features as reference

REFERENCES = {"zernike": reference.zernike, "polar": reference.polar, "dct": reference.dct}
TURNED = ("zernike", "polar")


def luma():
    return ndimage.gaussian_filter(skimage.data.camera().astype(np.float32), 1)[:240, :260]


def test_every_kind_has_a_reference():
    assert set(KINDS) == set(REFERENCES)


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_those_of_the_reference(kind):
    image = luma()
    features = KINDS[kind](image).astype(float)
    assert features.shape == (240, 260, 12)
    for row, col in [(0, 0), (3, 257), (100, 120), (57, 201), (180, 40), (239, 130)]:
        wanted = REFERENCES[kind](image, row, col)
        # One in the last place where the rounding of float32 sums decides.
        assert np.abs(features[row, col] - wanted).max() <= 1
        assert (features[row, col] != wanted).sum() <= 2


@pytest.mark.parametrize(("filters", "least"), [(zernike_filters, 0.3), (polar_filters, 0.35)])
def test_filters_have_unit_norm_and_no_sum_and_are_nearly_orthogonal(filters, least):
    taps = np.array([taps.ravel() for _, _, taps in filters()])
    gram = np.abs(taps @ taps.conj().T)
    np.testing.assert_allclose(np.diag(gram), 1)
    assert (gram - np.eye(len(taps))).max() < least
    assert np.abs(taps[1:].sum(axis=1)).max() < 1e-9


def test_the_zernike_filters_go_up_to_order_five():
    names = [(n, m) for n, m, _ in zernike_filters()]
    assert names == [(n, m) for n in range(6) for m in range(n + 1) if (n - m) % 2 == 0]


@pytest.mark.parametrize("kind", TURNED)
def test_features_stay_the_same_when_the_picture_is_turned_or_mirrored(kind):
    image = luma()
    features = KINDS[kind](image).astype(int)
    inner = np.s_[20:-20, 20:-20]
    for change in (np.rot90, np.fliplr, lambda array: np.swapaxes(array, 0, 1)):
        turned = KINDS[kind](np.ascontiguousarray(change(image))).astype(int)
        assert np.abs(turned[inner] - change(features)[inner]).max() <= 1


@pytest.mark.parametrize("kind", TURNED)
@pytest.mark.parametrize("degrees", [10, 37, 45])
def test_features_change_little_at_angles_between(kind, degrees):
    image = luma()
    turned = ndimage.rotate(image, degrees, reshape=False, order=3, mode="reflect")
    inner = np.s_[80:160, 80:180]
    before = KINDS[kind](image).astype(np.float32)
    wanted = np.stack(
        [ndimage.rotate(before[..., k], degrees, reshape=False, order=1) for k in range(12)], axis=-1
    )
    miss = np.abs(KINDS[kind](turned) - wanted)[inner].mean()
    elsewhere = np.abs(np.roll(before, 40, axis=1) - wanted)[inner].mean()
    assert miss < 2.5
    assert miss < elsewhere / 5


def test_the_dct_does_change_when_the_picture_is_turned():
    image = luma()
    turned = KINDS["dct"](np.ascontiguousarray(np.rot90(image))).astype(int)
    assert np.abs(turned - np.rot90(KINDS["dct"](image)).astype(int))[20:-20, 20:-20].mean() > 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(30, 40), (1, 50), (3, 2)])
def test_features_of_flat_and_saturated_pictures(kind, shape):
    for value in (0.0, 128.0, 255.0):
        features = KINDS[kind](np.full(shape, value, np.float32))
        assert np.ptp(features.reshape(-1, 12), axis=0).max() == 0
        assert set(features[0, 0, 1:].tolist()) <= {0, 128}
        assert abs(int(features[0, 0, 0]) - value) <= 1
    with pytest.raises(ParameterError, match="2-D"):
        KINDS[kind](np.zeros((4, 4, 3), np.float32))


def test_zigzag_is_jpegs_order():
    wanted = [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0)]
    assert zigzag(10) == wanted
