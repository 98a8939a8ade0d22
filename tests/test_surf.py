"""SURF keypoints: the published properties, mirrors, and copies found by them."""

import cv2
import numpy as np
import pytest
import skimage.data

import forensix
from forensix.detectors.copy_move import keypoints as by_keypoints
from forensix.detectors.copy_move import surf
from forensix.errors import NotApplicable, ParameterError
from forensix.signal.keypoints import match_within
from forensix.signal.surf import SURF, octave_filters, surf_keypoints
from tests.test_copy_move_keypoints import f1, hostile, jpeg, marked, pasted, png


def photo(name):
    image = getattr(skimage.data, name)()
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return grey[:360, :360].astype(np.float32)


def turned(image, degrees=0.0, scale=1.0):
    """The image about its centre, and where a point (row, col) goes, as a (2, 3) array."""
    centre = ((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, degrees, scale)
    size = image.shape[::-1]
    moved = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return moved, np.c_[matrix[::-1, 1::-1], matrix[::-1, 2]]


def repeated(one, other, transform, shape, *, border=30):
    """Of the keypoints that stay in the picture, the share found again in place and size, and the share
    of those whose nearest descriptor of all is at that place."""
    place = one.points @ transform[:, :2].T + transform[:, 2]
    kept = np.flatnonzero(((place > border) & (place < np.array(shape) - border)).all(axis=1))
    scale = np.sqrt(abs(np.linalg.det(transform[:, :2])))
    apart = np.hypot(*(place[kept, None] - other.points[None]).transpose(2, 0, 1))
    sizes = np.abs(np.log(one.sizes[kept, None] * scale / other.sizes[None]))
    again = ((apart < 1.5 * max(scale, 1)) & (sizes < np.log(1.4))).any(axis=1)
    alike = one.descriptors[kept] @ other.descriptors.T
    alike[one.kinds[kept, None] != other.kinds] = -1
    nearest = apart[np.arange(len(kept)), alike.argmax(axis=1)] < 4
    return again.mean(), nearest[again].mean()


@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee", "chelsea"])
@pytest.mark.parametrize(
    ("change", "least", "matched"),
    [
        ({"degrees": 90.0}, 0.8, 0.9),
        ({"degrees": 30.0}, 0.4, 0.6),
        ({"degrees": 200.0}, 0.4, 0.6),
        ({"scale": 1.4}, 0.5, 0.8),
        ({"scale": 0.8}, 0.35, 0.7),
    ],
)
def test_keypoints_are_found_again_and_matched_after_a_turn_or_another_scale(name, change, least, matched):
    image = photo(name)
    moved, transform = turned(image, **change)
    one, other = (surf_keypoints(part, threshold=1e-4, doubled=False) for part in (image, moved))
    assert min(len(one), len(other)) > 100
    again, nearest = repeated(one, other, transform, image.shape)
    assert again > least
    assert nearest > matched


@pytest.mark.parametrize("name", ["astronaut", "camera"])
def test_keypoints_are_found_again_after_blur_and_noise(name):
    image = photo(name)
    one = surf_keypoints(image, threshold=1e-4, doubled=False)
    noisy = image + np.random.default_rng(0).normal(0, 3, image.shape).astype(np.float32)
    for changed, least, matched in ((cv2.GaussianBlur(image, (0, 0), 1.2), 0.5, 0.8), (noisy, 0.8, 0.9)):
        other = surf_keypoints(changed, threshold=1e-4, doubled=False)
        again, nearest = repeated(one, other, np.eye(2, 3), image.shape)
        assert again > least
        assert nearest > matched


def test_directions_turn_with_the_picture():
    image = photo("astronaut")
    one, other = surf_keypoints(image), surf_keypoints(np.ascontiguousarray(np.rot90(image)))
    place = np.stack([image.shape[1] - 1 - one.points[:, 1], one.points[:, 0]], axis=1)
    apart = np.hypot(*(place[:, None] - other.points[None]).transpose(2, 0, 1))
    same = apart.min(axis=1) < 0.1
    turn = other.angles[apart.argmin(axis=1)[same]] - one.angles[same]
    assert np.median(np.abs(np.angle(np.exp(1j * (turn + np.pi / 2))))) < 1e-3
    assert same.mean() > 0.7


def test_upright_ones_tell_apart_what_is_turned():
    image = photo("camera")
    moved, transform = turned(image, degrees=90)
    one, other = surf_keypoints(image, upright=True), surf_keypoints(moved, upright=True)
    again, nearest = repeated(one, other, transform, image.shape)
    assert again > 0.8
    assert nearest < 0.1
    again, nearest = repeated(one, one, np.eye(2, 3), image.shape)
    assert nearest > 0.99
    assert (one.angles == np.pi / 2).all()


@pytest.mark.parametrize("upright", [False, True])
def test_mirrored_descriptors_are_those_of_the_mirrored_picture(upright):
    image = photo("camera")
    here = surf_keypoints(image, upright=upright)
    there = surf_keypoints(np.ascontiguousarray(image[:, ::-1]), upright=upright)
    place = np.stack([here.points[:, 0], image.shape[1] - 1 - here.points[:, 1]], axis=1)
    apart = np.hypot(*(place[:, None] - there.points[None]).transpose(2, 0, 1))
    same, partner = apart.min(axis=1) < 0.2, apart.argmin(axis=1)
    miss = np.linalg.norm(SURF.mirrored(here.descriptors) - there.descriptors[partner], axis=1)
    assert same.sum() > 200
    assert np.median(miss[same]) < 0.01
    assert np.median(np.linalg.norm(here.descriptors - there.descriptors[partner], axis=1)[same]) > 0.2


def test_dark_and_bright_never_match():
    image = photo("astronaut")
    image[200:280, 40:120] = image[40:120, 200:280]
    image[200:280, 240:320] = 255 - image[40:120, 200:280]
    points = surf_keypoints(image)
    matches = match_within(points)
    assert set(np.unique(points.kinds)) == {-1, 1}
    assert (points.kinds[matches.source] == points.kinds[matches.target]).all()
    shift = points.points[matches.target] - points.points[matches.source]
    assert (np.abs(shift - (160, -160)).max(axis=1) < 1).sum() > 50


def test_filters_are_those_of_the_paper():
    assert octave_filters(doubled=False)[:3] == [
        (1, [9, 15, 21, 27]),
        (2, [15, 27, 39, 51]),
        (4, [27, 51, 75, 99]),
    ]
    assert octave_filters(doubled=True)[0] == (1, [15, 21, 27, 33, 39])


def test_keypoints_are_limited_in_order_and_repeat_themselves():
    image = photo("coffee")
    every, some = surf_keypoints(image), surf_keypoints(image, limit=300)
    assert len(some) == 300 < len(every)
    assert (np.diff(some.points[:, 0]) >= 0).all()
    np.testing.assert_array_equal(every.descriptors, surf_keypoints(image).descriptors)
    np.testing.assert_allclose(np.linalg.norm(every.descriptors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (8, 90), (9, 9), (20, 300)])
def test_small_and_flat_pictures_have_no_keypoints(shape):
    for value in (0, 255):
        points = surf_keypoints(np.full(shape, value, np.uint8))
        assert len(points) == 0
        assert points.descriptors.shape == (0, 64)


def test_three_dimensions_are_refused():
    with pytest.raises(ParameterError, match="2-D"):
        surf_keypoints(np.zeros((20, 20, 3), np.uint8))


@pytest.mark.parametrize(
    ("change", "quality"), [({}, 75), ({"turn": 30.0}, 85), ({"scale": 0.8}, 85), ({"mirror": True}, 90)]
)
def test_a_copy_is_found_and_outlined(change, quality):
    forged, truth = pasted(skimage.data.astronaut(), **change)
    finding = surf.detect(forensix.open(jpeg(forged, quality)))
    assert finding.detector == "copy-move-surf"
    assert finding.score > 0.9
    assert f1(marked(finding, forged.shape), truth) > 0.8


def test_upright_keypoints_find_what_was_not_turned():
    luma = cv2.cvtColor(pasted(skimage.data.astronaut())[0], cv2.COLOR_RGB2GRAY).astype(np.float32)
    pairs, _ = by_keypoints.find_pairs(luma, features="surf-upright")
    assert pairs[0].is_copy
    np.testing.assert_allclose(pairs[0].region.transform[:, :2], np.eye(2), atol=0.02)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "camera"])
def test_untouched_photos_are_not_called(name):
    finding = surf.detect(forensix.open(jpeg(getattr(skimage.data, name)(), 90)))
    assert finding.score < 0.5
    assert np.nanmax(finding.heatmap.values) <= 0.5


@pytest.mark.parametrize("name", list(hostile()))
def test_pictures_without_a_copy_are_never_called(name):
    finding = surf.detect(forensix.open(png(hostile()[name])))
    assert finding.score is None or finding.score < 0.5
    assert finding.regions == ()


def test_unknown_keypoints_and_tiny_pictures_are_refused():
    with pytest.raises(ParameterError, match="sift, surf, surf-upright"):
        by_keypoints.find_pairs(np.zeros((80, 80), np.float32), features="orb")
    with pytest.raises(NotApplicable, match="64 x 64"):
        surf.detect(forensix.open(png(np.zeros((40, 40), np.uint8))))
