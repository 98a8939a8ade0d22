"""Copies of another size: the groups lie in the pixels of the picture they came from."""

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from forensix.errors import ParameterError
from forensix.signal.affine import apply, inverse
from forensix.signal.dense_features import zernike_features
from forensix.signal.resized_groups import resized_groups


def forged(scale, *, side=180):
    luma = ndimage.zoom(skimage.data.camera().astype(np.float32), 1.5, order=3)
    placed = np.array([[scale, 0.0, 380.0], [0.0, scale, 60.0]])
    rows, cols = np.mgrid[0 : round(scale * side), 0 : round(scale * side)]
    there = np.stack([rows.ravel() + 400, cols.ravel() + 400], axis=1).astype(float)
    placed[:, 2] = 400 - scale * np.array([100.0, 290.0])
    back = apply(inverse(placed), there)
    luma[there[:, 0].astype(int), there[:, 1].astype(int)] = ndimage.map_coordinates(luma, back.T, order=3)
    return luma, placed


@pytest.mark.parametrize(("scale", "zoom", "reduction"), [(1.3, 0.77, 1), (0.75, 0.77, 1), (1.45, 0.68, 2)])
def test_the_transformation_is_that_of_the_copy(scale, zoom, reduction):
    luma, placed = forged(scale)
    group = resized_groups(luma, (zoom,), features=zernike_features, reduction=reduction)[0]
    grows = np.linalg.det(group.transform[:, :2]) > 1
    wanted = placed if grows == (scale > 1) else inverse(placed)
    miss = np.hypot(*(apply(wanted, group.source) - group.target).T)
    assert np.median(miss) < 2.5 * reduction
    assert np.abs(apply(group.transform, group.source) - apply(wanted, group.source)).max() < 4 * reduction


def test_nothing_is_found_in_noise_or_without_zooms():
    noise = np.random.default_rng(0).normal(128, 30, (200, 260)).astype(np.float32)
    assert resized_groups(noise, (0.8,), features=zernike_features) == []
    assert resized_groups(noise, (), features=zernike_features) == []
    assert resized_groups(noise[:70], (0.8,), features=zernike_features, reduction=2) == []


@pytest.mark.parametrize(
    ("zooms", "reduction"), [((0.1,), 1), ((1.2,), 1), ((float("nan"),), 1), ((0.8,), 0)]
)
def test_impossible_sizes_are_refused(zooms, reduction):
    with pytest.raises(ParameterError, match="zooms"):
        resized_groups(np.zeros((99, 99), np.float32), zooms, features=zernike_features, reduction=reduction)
