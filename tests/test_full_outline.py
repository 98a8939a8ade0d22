"""Regions found on cells are outlined on pixels; copies by whole pixels settle on whole shifts."""

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

import forensix
from forensix.detectors.copy_move import dense
from forensix.detectors.copy_move._pairs import reduced
from forensix.signal.affine import apply
from forensix.signal.copied_region import core, examine, sides
from forensix.signal.full_outline import full_outlines
from forensix.signal.further_copies import further_copies
from forensix.signal.match_groups import MatchGroup
from forensix.signal.whole_pixels import snapped
from tests.test_copy_move_keypoints import f1, marked, png


def picture(zoom=2):
    luma = skimage.data.camera().astype(np.float32)
    rng = np.random.default_rng(0)
    large = ndimage.zoom(luma, zoom, order=1)
    return np.clip(large + rng.normal(0, 2, large.shape), 0, 255).astype(np.float32)


def group(box, shift):
    top, left, rows, cols = box
    points = np.stack(np.mgrid[top : top + rows : 4, left : left + cols : 4], axis=-1).reshape(-1, 2)
    source = points.astype(np.float64)
    return MatchGroup(np.c_[np.eye(2), shift], source, source + shift, 20, 1.0, False)


def test_a_copy_found_on_cells_is_outlined_on_pixels():
    image = picture()
    image[301:431, 701:861] = image[121:251, 301:461]
    region = examine(reduced(image, 2), [group((65, 160, 50, 60), (90.0, 200.0))], inner=True)[0]
    box, mask = full_outlines(image, region, 2)
    found = np.zeros(image.shape, bool)
    found[box[0] : box[0] + box[2], box[1] : box[1] + box[3]] = mask
    truth = np.zeros(image.shape, bool)
    truth[301:431, 701:861] = truth[121:251, 301:461] = True
    assert f1(found, truth) > 0.97


def test_a_large_picture_has_a_map_of_pixels(monkeypatch):
    monkeypatch.setattr(dense, "LARGEST_GRID", 300_000)
    image = picture()
    image[301:431, 701:861] = image[121:251, 301:461]
    truth = np.zeros(image.shape, bool)
    truth[301:431, 701:861] = truth[121:251, 301:461] = True
    finding = dense.detect(forensix.open(png(image.astype(np.uint8))))
    assert finding.parameters["grid_cell"] == 2
    assert finding.heatmap.cell == 1 and finding.score > 0.5
    assert f1(marked(finding, image.shape), truth) > 0.95


@pytest.mark.parametrize(
    "linear", [((1, 0), (0, 1)), ((0, -1), (1, 0)), ((-1, 0), (0, -1)), ((1, 0), (0, -1)), ((0, 1), (1, 0))]
)
def test_whole_moves_settle_on_whole_shifts(linear):
    image = picture(1)
    exact = np.c_[np.array(linear, float), np.zeros(2)]
    points = np.argwhere(np.ones((60, 60), bool)) + np.array([100, 200])
    exact[:, 2] = np.array([300.0, 300.0]) - apply(exact, np.array([[130.0, 230.0]]))[0]
    moved = apply(exact, points.astype(float)).astype(int)
    image[moved[:, 0], moved[:, 1]] = image[points[:, 0], points[:, 1]]
    near = exact + np.array([[0.01, -0.008, 0.9], [0.006, 0.012, -1.1]])
    np.testing.assert_array_equal(snapped(image, near, points), exact)


def test_a_turned_copy_is_not_snapped():
    image = picture(1)
    turn = np.deg2rad(20)
    given = np.array([[np.cos(turn), -np.sin(turn), 50], [np.sin(turn), np.cos(turn), -20]])
    points = np.argwhere(np.ones((40, 40), bool)) + 100
    assert snapped(image, given, points) is given
    slight = np.array([[1.02, 0.0, 40.3], [0.0, 1.02, 60.4]])
    shown = ndimage.affine_transform(image, slight[:, :2], slight[:, 2], order=3)
    both = np.hstack([shown, image])
    across = slight + np.array([[0, 0, 0], [0, 0, image.shape[1]]])
    assert snapped(both, across, points) is across


def test_the_core_leaves_the_rim_out_but_never_most_of_the_region():
    square = np.zeros((80, 80), bool)
    square[10:70, 10:70] = True
    inner = core(square)
    assert inner[17:63, 17:63].all() and not inner[:16].any()
    thin = np.zeros((80, 80), bool)
    thin[40:46, 5:75] = True
    assert 0.3 < np.count_nonzero(core(thin)) / np.count_nonzero(thin) < 1


def test_further_copies_of_a_place_are_found_and_nothing_else_is():
    image = picture(1)
    for row, col in [(60, 400), (300, 60), (420, 420)]:
        image[row : row + 60, col : col + 60] = image[150:210, 200:260]
    region = examine(image, [group((160, 210, 40, 40), (-90.0, 200.0))], inner=True)[0]
    shifts = {tuple((g.target - g.source)[0].astype(int)) for g in further_copies(image, region)}
    assert shifts == {(150, -140), (270, 220)}
    source, target = sides(region, image.shape)
    assert source[180, 230] and target[90, 430]


def test_nothing_is_further_copied_in_a_flat_place():
    image = np.full((200, 200), 90.0, np.float32)
    region = examine(picture(1), [group((160, 210, 40, 40), (0.0, 0.0))])
    assert region == []
    grown = examine(_with_one_copy(), [group((160, 210, 40, 40), (-90.0, 200.0))], inner=True)[0]
    assert further_copies(np.pad(image, ((0, 312), (0, 312)), mode="edge"), grown) == []


def _with_one_copy():
    image = picture(1)
    image[60:120, 400:460] = image[150:210, 200:260]
    return image
