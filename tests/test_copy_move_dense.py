"""Copy-move by the dense field: made forgeries are found, originals and hostile pictures are not called."""

import numpy as np
import pytest
import skimage.data

import forensix
from forensix.detectors.copy_move import dense
from forensix.errors import NotApplicable, ParameterError
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
