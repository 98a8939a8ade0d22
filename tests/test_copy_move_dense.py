"""Copy-move by the dense field: made forgeries are found, originals and hostile pictures are not called."""

import numpy as np
import pytest
import skimage.data

import forensix
from forensix.detectors.copy_move import dense
from forensix.errors import NotApplicable, ParameterError
from forensix.signal.copied_region import sides
from tests.test_copy_move_keypoints import f1, hostile, jpeg, marked, pasted, png


def found(data):
    return dense.detect(forensix.open(data))


@pytest.mark.parametrize(
    ("change", "quality"), [({}, None), ({}, 80), ({"turn": 30.0}, 90), ({"mirror": True}, 90)]
)
def test_a_copy_is_found_and_outlined(change, quality):
    forged, truth = pasted(skimage.data.astronaut(), **change)
    finding = found(png(forged) if quality is None else jpeg(forged, quality))
    assert finding.score > 0.9
    assert f1(marked(finding, forged.shape), truth) > 0.8
    assert finding.regions and "has its copy" in finding.explanation


@pytest.mark.parametrize(("change", "scale"), [({"scale": 1.4}, 1.4), ({"scale": 0.8, "turn": 10.0}, 0.8)])
def test_a_resized_copy_is_found_by_the_thorough_preset(change, scale):
    forged, truth = pasted(skimage.data.astronaut(), side=130, **change)
    finding = dense.detect(forensix.open(jpeg(forged, 92)), preset="thorough")
    assert finding.score > 0.9
    assert f1(marked(finding, forged.shape), truth) > 0.8
    measured = finding.measurements["pairs"][0]["scale"]
    assert min(measured, 1 / measured) == pytest.approx(min(scale, 1 / scale), abs=0.03)


def test_a_large_resized_copy_is_found_at_a_reduced_size():
    forged, truth = pasted(skimage.data.astronaut(), source=(20, 150), target=(300, 20), side=190, scale=0.75)
    finding = found(jpeg(forged, 92))
    assert finding.score > 0.9
    assert f1(marked(finding, forged.shape), truth) > 0.8
    assert finding.measurements["pairs"][0]["scale"] == pytest.approx(4 / 3, abs=0.03)


def test_small_copies_of_another_size_are_left_to_the_thorough_preset():
    forged, _ = pasted(skimage.data.astronaut(), side=130, scale=0.8, turn=10.0)
    assert found(jpeg(forged, 92)).score < 0.5


@pytest.mark.parametrize("features", ["zernike", "polar", "dct"])
def test_every_kind_of_features_finds_a_plain_copy(features):
    forged, truth = pasted(skimage.data.astronaut())
    luma = forensix.open(jpeg(forged, 85)).luma
    best = dense.find_pairs(luma, features=features)[0]
    assert best.is_copy
    source, target = sides(best.region, luma.shape)
    assert f1(source | target, truth) > 0.8


@pytest.mark.parametrize(("features", "sees"), [("zernike", True), ("polar", True), ("dct", False)])
def test_moments_find_a_turned_copy_and_the_dct_does_not(features, sees):
    forged, _ = pasted(skimage.data.astronaut(), turn=40.0)
    pairs = dense.find_pairs(forensix.open(jpeg(forged, 90)).luma, features=features)
    assert any(pair.is_copy for pair in pairs) is sees


def test_every_place_that_was_pasted_several_times_is_marked():
    image = skimage.data.astronaut().copy()
    truth = np.zeros(image.shape[:2], bool)
    truth[60:124, 200:264] = True
    for row, col in [(300, 20), (400, 120), (20, 430)]:
        image[row : row + 64, col : col + 64] = image[60:124, 200:264]
        truth[row : row + 64, col : col + 64] = True
    finding = found(png(image))
    assert f1(marked(finding, image.shape), truth) > 0.85


def test_a_copy_of_a_smooth_place_is_found():
    rng = np.random.default_rng(4)
    rows, cols = np.mgrid[:400, :400]
    smooth = 120 + 40 * np.sin(rows / 90) * np.cos(cols / 120) + rng.normal(0, 2, (400, 400))
    smooth[250:330, 260:340] = smooth[40:120, 50:130]
    image = np.clip(np.rint(smooth), 0, 255).astype(np.uint8)
    finding = found(png(image))
    truth = np.zeros((400, 400), bool)
    truth[250:330, 260:340] = truth[40:120, 50:130] = True
    assert finding.score > 0.9
    assert f1(marked(finding, image.shape), truth) > 0.8


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket", "camera"])
def test_untouched_photos_are_not_called(name):
    finding = found(jpeg(getattr(skimage.data, name)(), 90))
    assert finding.score < 0.5
    assert np.nanmax(finding.heatmap.values) <= 0.5
    assert finding.regions == ()


@pytest.mark.parametrize("name", list(hostile()))
def test_pictures_without_a_copy_are_never_called(name):
    finding = found(png(hostile()[name]))
    assert finding.score is None or finding.score < 0.5
    assert finding.regions == ()
    assert not (finding.heatmap.values > 0.5).any()
    assert finding.explanation


def test_a_flat_picture_cannot_be_told():
    finding = found(png(hostile()["flat"]))
    assert finding.score is None
    assert "Cannot tell" in finding.explanation


@pytest.mark.parametrize("shape", [(1, 4000), (63, 500)])
def test_tiny_pictures_do_not_apply(shape):
    with pytest.raises(NotApplicable, match="64 x 64"):
        found(png(np.zeros(shape, np.uint8)))


def test_the_same_picture_gives_the_same_finding():
    data = jpeg(pasted(skimage.data.astronaut(), turn=20.0)[0], 85)
    assert found(data) == found(data)


def test_find_pairs_refuses_what_it_cannot_use():
    with pytest.raises(ParameterError, match="at least 64"):
        dense.find_pairs(np.zeros((10, 200), np.float32))
    with pytest.raises(ParameterError, match="zernike, polar, dct"):
        dense.find_pairs(np.zeros((100, 200), np.float32), features="sift")
    for zoom in (0.1, 1.5, float("nan")):
        with pytest.raises(ParameterError, match="zooms"):
            dense.find_pairs(np.zeros((100, 200), np.float32), zooms=(zoom,))
