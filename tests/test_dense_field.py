"""Zernike features, the field of matches and its linear parts, against independent statements."""

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from forensix.signal.affine import apply
from forensix.signal.dense_features import zernike_features
from forensix.signal.dense_field import likeness_field
from forensix.signal.field_regions import fitting_error, group_field, shifts


def luma():
    return ndimage.gaussian_filter(skimage.data.camera().astype(np.float32), 1)[:240, :260]


def test_the_field_finds_a_shifted_copy():
    image = luma().copy()
    image[20:90, 10:90] = image[100:170, 150:230]
    matches, differences = likeness_field(zernike_features(image))
    assert matches.shape == (80, 87, 2)
    rows, cols = (3 * n for n in np.mgrid[9:27, 6:27])
    right = (matches[9:27, 6:27] == np.stack([rows + 80, cols + 140], axis=-1)).all(axis=-1)
    assert right.mean() > 0.9
    assert (differences[9:27, 6:27][right] == 0).all()
    away = matches - 3 * np.stack(np.mgrid[:80, :87], axis=-1)
    assert (np.hypot(away[..., 0], away[..., 1]) >= 24).all()
    group = group_field(matches, stride=3, nearest=24.0)[0]
    centre = group.source.mean(axis=0, keepdims=True)
    by = apply(group.transform, centre) - centre
    assert np.abs(np.abs(by) - [80, 140]).max() < 0.5 and not group.mirrored


def test_fitting_error_is_that_of_the_plane_through_each_window():
    rng = np.random.default_rng(3)
    shift = rng.normal(0, 5, (20, 24, 2)).cumsum(axis=0)
    found = fitting_error(shift)
    rows, cols = np.mgrid[-3:4, -3:4]
    design = np.c_[rows.ravel(), cols.ravel(), np.ones(49)]
    for row, col in [(5, 5), (10, 12), (16, 20)]:
        window = shift[row - 3 : row + 4, col - 3 : col + 4].reshape(49, 2)
        _, residual, *_ = np.linalg.lstsq(design, window, rcond=None)
        assert found[row, col] == pytest.approx(residual.sum() / 49)


def test_a_turned_field_is_one_group_and_noise_is_none():
    rows, cols = (3 * n for n in np.mgrid[:60, :60])
    turn = np.array([[0.9, -0.3], [0.3, 0.9]])
    places = np.stack([rows, cols], axis=-1) @ turn.T + [40.0, 90.0]
    matches = np.rint(places).astype(np.int32)
    groups = group_field(matches, stride=3, nearest=10.0)
    np.testing.assert_allclose(groups[0].transform[:, :2], turn, atol=0.01)
    noise = np.random.default_rng(0).integers(0, 180, (60, 60, 2)).astype(np.int32)
    assert group_field(noise, stride=3, nearest=10.0) == []
    assert shifts(matches, stride=3).shape == (60, 60, 2)
