"""The SURF kernels against filters, boxes and neighbours written out, and on degenerate pictures."""

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from forensix.errors import ParameterError
from forensix.native.surf import box_hessian, hessian_maxima
from forensix.native.surf_descriptors import describe
from tests.reference import surf as reference

SIZES = [9, 15, 21, 27]


def integral(image):
    return np.pad(image.astype(float).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))


def spot(width):
    return -np.exp(-(np.hypot(*np.mgrid[-50:51, -55:56]) ** 2) / (2 * width**2))


def pictures():
    generator = np.random.default_rng(7)
    yield "smooth noise", ndimage.gaussian_filter(generator.normal(0, 1, (61, 83)), 2.5)
    yield "noise", generator.normal(0, 0.2, (48, 41))
    yield "photo", skimage.data.camera()[150:220, 200:290] / 255 - 0.5
    yield "spot", spot(2.6)[20:-20, 21:-20]
    yield "a strip", generator.normal(0, 0.2, (28, 120))


@pytest.mark.parametrize("size", [9, 15, 27])
@pytest.mark.parametrize("name, image", list(pictures()))
def test_responses_are_those_of_the_filters(name, image, size):
    got, want = box_hessian(integral(image), size=size), reference.box_hessian(image, size)
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("name, image", list(pictures()))
def test_maxima_are_those_of_a_plain_search(name, image, step):
    got = hessian_maxima(integral(image), sizes=SIZES, step=step, threshold=1e-5)
    want = reference.hessian_maxima(image, SIZES, step, 1e-5)
    assert len(got) == len(want)
    got, want = (np.array(sorted(rows.round(3).tolist())) for rows in (got, want))
    np.testing.assert_allclose(got, want, atol=2e-3)
    assert len(got) > 0 or step == 2


def test_a_spot_has_one_maximum_at_its_place_and_its_scale_grows_with_it():
    scales = []
    for width in (2.5, 5.0):
        found = hessian_maxima(integral(spot(width)), sizes=list(range(9, 70, 6)), step=1, threshold=1e-3)
        assert len(found) == 1
        row, col, scale, _, sign = found[0]
        assert (row, col) == (pytest.approx(50, abs=0.05), pytest.approx(55, abs=0.05))
        assert sign == 1
        scales.append(scale)
    assert scales[1] / scales[0] == pytest.approx(2, rel=0.1)
    assert scales[0] == pytest.approx(2.5, rel=0.25)
    bright = hessian_maxima(integral(-spot(2.5)), sizes=SIZES, step=1, threshold=1e-3)
    assert bright[0, 4] == -1


@pytest.mark.parametrize("name, image", list(pictures()))
def test_directions_and_descriptors_are_those_of_pixel_sums(name, image):
    generator = np.random.default_rng(3)
    points = generator.uniform(0, np.array(image.shape) - 1, (3, 2))
    scales = generator.uniform(1.2, 3.0, 3)
    angles, descriptors = describe(integral(image), points, scales)
    for (row, col), scale, angle, got in zip(points, scales, angles, descriptors, strict=True):
        want = reference.direction(image, row, col, scale)
        assert abs(np.angle(np.exp(1j * (angle - want)))) < 1e-6
        np.testing.assert_allclose(got, reference.descriptor(image, row, col, scale, angle), atol=1e-5)
    assert np.linalg.norm(descriptors, axis=1) == pytest.approx(1, abs=1e-5)


def test_given_directions_are_kept():
    image = dict(pictures())["photo"]
    points, scales = np.array([[30.0, 40.0]]), np.array([2.0])
    angles, descriptors = describe(integral(image), points, scales, angles=np.array([0.7]))
    assert angles == [0.7]
    np.testing.assert_allclose(descriptors[0], reference.descriptor(image, 30, 40, 2, 0.7), atol=1e-5)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((40, 40)),
        np.full((40, 40), 0.5),
        np.full((1, 200), 0.3),
        np.full((9, 9), 1.0),
        np.indices((64, 64)).sum(axis=0) % 2 - 0.5,
        np.tile(np.arange(60) / 60, (60, 1)),
        np.zeros((1, 1)),
    ],
)
def test_pictures_without_spots_have_no_maxima(image):
    assert hessian_maxima(integral(image), sizes=SIZES, step=1, threshold=1e-6).shape == (0, 5)


def test_flat_places_have_no_descriptor():
    _, descriptors = describe(integral(np.full((80, 80), 0.7)), np.array([[40.0, 40.0]]), np.array([2.0]))
    assert not descriptors.any()


def test_more_maxima_than_expected_are_all_found():
    tiles = np.tile(np.pad(np.ones((3, 3)), 4), (12, 12))
    found = hessian_maxima(integral(tiles), sizes=SIZES, step=1, threshold=1e-6)
    assert len(found) == len(reference.hessian_maxima(tiles, SIZES, 1, 1e-6))


def test_what_cannot_be_used_is_refused():
    with pytest.raises(ParameterError, match="9, 15, 21"):
        box_hessian(np.zeros((50, 50)), size=10)
    with pytest.raises(ParameterError, match="3 sizes"):
        hessian_maxima(np.zeros((50, 50)), sizes=[9, 15], step=1, threshold=1e-5)
    with pytest.raises(ParameterError, match="sixth"):
        describe(np.zeros((31, 31)), np.array([[15.0, 15.0]]), np.array([6.0]))
