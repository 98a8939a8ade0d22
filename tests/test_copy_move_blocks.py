"""Copy-move by blocks: plain copies are found, also small ones in large pictures; originals are not called."""

import cv2
import numpy as np
import pytest
import skimage.data

import forensix
from forensix.detectors.copy_move import blocks
from forensix.errors import NotApplicable, ParameterError
from forensix.signal.block_matches import shifted_groups, standing_out
from tests.test_copy_move_keypoints import f1, hostile, jpeg, marked, pasted, png


def found(data):
    return blocks.detect(forensix.open(data))


@pytest.mark.parametrize("quality", [None, 95, 85])
def test_a_plain_copy_is_found_and_outlined(quality):
    forged, truth = pasted(skimage.data.astronaut())
    finding = found(png(forged) if quality is None else jpeg(forged, quality))
    assert finding.score > 0.9
    assert f1(marked(finding, forged.shape), truth) > 0.8
    assert "twice, 270 rows and 160 columns apart" in finding.explanation
    best = finding.measurements["pairs"][0]
    np.testing.assert_allclose(np.abs(best["shift"]), (270, 160), atol=0.3)


def large_photo():
    """A photo of 2.2 Mpx with detail in every pixel: the small one enlarged, with noise of its own."""
    rng = np.random.default_rng(5)
    image = cv2.resize(skimage.data.astronaut(), (1500, 1500), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(image + rng.normal(0, 3, image.shape)), 0, 255).astype(np.uint8)


def test_a_small_copy_in_a_large_picture_is_found_at_full_size():
    image = large_photo()
    side, (row, col), (down, right) = 64, (303, 607), (701, -402)
    rows, cols = np.mgrid[:side, :side]
    disc = np.hypot(rows - side / 2, cols - side / 2) < side / 2
    truth = np.zeros(image.shape[:2], bool)
    piece = image[row : row + side, col : col + side].copy()
    for top, left in ((row, col), (row + down, col + right)):
        image[top : top + side, left : left + side][disc] = piece[disc]
        truth[top : top + side, left : left + side] |= disc
    finding = found(png(image))
    assert finding.parameters["grid_cell"] == 2
    assert finding.score > 0.9
    assert f1(marked(finding, image.shape), truth) > 0.75
    np.testing.assert_allclose(finding.measurements["pairs"][0]["shift"], (down, right), atol=0.3)


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


@pytest.mark.parametrize("name", ["checkerboard", "brick wall", "brick photo"])
def test_repeats_are_reported_as_such(name):
    assert "repeats" in found(png(hostile()[name])).explanation


def test_a_flat_picture_cannot_be_told():
    finding = found(png(hostile()["flat"]))
    assert finding.score is None
    assert "too smooth" in finding.explanation


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (63, 500), (40, 40)])
def test_tiny_pictures_do_not_apply(shape):
    with pytest.raises(NotApplicable, match="64 x 64"):
        found(png(np.zeros(shape, np.uint8)))


def test_the_same_picture_gives_the_same_finding():
    data = jpeg(pasted(skimage.data.astronaut())[0], 85)
    assert found(data) == found(data)


def test_blocks_that_stand_out_do_so_wherever_they_lie(monkeypatch):
    luma = skimage.data.camera().astype(np.float32)
    every = standing_out(luma)
    moved = standing_out(luma[37:, 51:])
    inner = {(r - 37, c - 51) for r, c in every.tolist() if r >= 39 and c >= 53}
    assert {(r, c) for r, c in moved.tolist() if r >= 2 and c >= 2} == inner
    assert len(inner) > 500
    monkeypatch.setattr("forensix.signal.block_matches.STRIP", 50)
    np.testing.assert_array_equal(standing_out(luma), every)
    assert len(standing_out(np.full((80, 80), 200, np.float32))) == 0


def test_groups_name_the_shift_and_hold_the_copy():
    forged, truth = pasted(skimage.data.astronaut())
    luma = cv2.cvtColor(forged, cv2.COLOR_RGB2GRAY).astype(np.float32)
    groups, count = shifted_groups(luma, nearest=24.0, most=4)
    assert count > 1000
    np.testing.assert_array_equal(groups[0].transform, [[1, 0, 270], [0, 1, -160]])
    row, col = groups[0].source.astype(int).T
    assert truth[row, col].mean() > 0.9
    np.testing.assert_allclose(groups[0].source + np.array([270, -160]), groups[0].target, atol=1)


def test_find_pairs_refuses_what_it_cannot_use():
    small = np.zeros((10, 200), np.float32)
    with pytest.raises(ParameterError, match="at least 64"):
        blocks.find_pairs(small, grid=small)
    with pytest.raises(ParameterError, match="at least 16"):
        shifted_groups(small, nearest=24.0, most=4)
