import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage import data

import forensix
from forensix.detectors.jpeg import double_quantization, ghosts, grid
from forensix.detectors.jpeg._like_blocks import block_content, explained_by_content, explained_share
from tests.encodings import opened, png, saved


def sharpened_above_a_threshold(pixels):
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.UnsharpMask(2, 120, 8)))


def brightened_shadows(pixels):
    dark = pixels.mean(axis=2, keepdims=True) < 90
    return np.where(dark, np.minimum(pixels * 1.15, 255), pixels).astype(np.uint8)


def denoised(pixels):
    return cv2.bilateralFilter(np.ascontiguousarray(pixels), 5, 12, 2)


def says_filtered(module, file):
    finding = module.detect(forensix.open(file))
    dark = not (np.nan_to_num(finding.heatmap.values) > 0.5).any()
    return finding.score is None and finding.regions == () and dark and "filtered" in finding.explanation


@pytest.mark.parametrize("edit", [sharpened_above_a_threshold, brightened_shadows])
def test_a_filter_over_the_whole_picture_is_no_local_change_to_double_quantization(edit):
    filtered = saved(edit(opened(saved(data.coffee(), 75))), 92)
    assert says_filtered(double_quantization, filtered)


@pytest.mark.parametrize("edit", [denoised, brightened_shadows])
@pytest.mark.parametrize("last", ["png", "jpeg"])
def test_a_filter_over_the_whole_picture_is_no_local_change_to_ghosts(edit, last):
    pixels = edit(opened(saved(data.astronaut(), 75)))
    assert says_filtered(ghosts, png(pixels) if last == "png" else saved(pixels, 92))


def test_a_filter_over_the_whole_picture_is_no_local_change_to_the_grid():
    pixels = brightened_shadows(opened(saved(data.chelsea(), 85)))
    assert says_filtered(grid, png(pixels))


@pytest.mark.parametrize("module", [double_quantization, ghosts])
def test_the_same_filter_inside_a_part_is_one(module):
    once = opened(saved(data.astronaut(), 75))
    part = np.s_[160:352, 96:320]
    forged = once.copy()
    forged[part] = brightened_shadows(sharpened_above_a_threshold(once))[part]
    finding = module.detect(forensix.open(saved(forged, 92)))
    assert finding.score > 0.9
    found = np.nan_to_num(finding.heatmap.full_size(*once.shape[:2])) > 0.5
    assert found[part].sum() > 0.8 * found.sum()


def scene(rows=40, cols=60):
    """Deviation by place alone, by content alone, and the content: random detail."""
    rng = np.random.default_rng(5)
    content = rng.normal(size=(rows, cols, 3)).astype(np.float32)
    region = np.zeros((rows, cols), bool)
    region[10:22, 20:40] = True
    content[region, 0] += 2  # busier than most
    by_place = np.where(region, 3.0, -3.0)
    by_content = np.where(content[..., 0] > 1, 3.0, -3.0)
    return region, content, by_place, by_content


def test_what_follows_content_is_told_from_what_follows_place():
    region, content, by_place, by_content = scene()
    judged = np.ones(region.shape, bool)
    assert explained_share(by_place, region, judged, content) == 0
    assert explained_share(by_content, region, judged, content) > 0.5
    assert explained_by_content(by_content, region, judged, content)


def test_too_little_elsewhere_explains_nothing():
    region, content, _, by_content = scene()
    assert explained_share(by_content, region, region, content) == 0
    assert explained_share(by_content, np.zeros_like(region), ~region, content) == 0


def test_content_is_that_of_the_grid_asked_for():
    luma = np.random.default_rng(1).uniform(0, 255, (64, 80)).astype(np.float32)
    luma[:, 40:] = 128
    content = block_content(luma, shape=(8, 10))
    assert content.shape == (8, 10, 4)
    assert content[:, :5, 0].min() > content[:, 6:, 0].max()
    shifted = block_content(luma[3:, 5:], shape=(8, 10))
    np.testing.assert_allclose(block_content(luma, offset=(3, 5), shape=(8, 10))[:7, :9], shifted[:7, :9])
    assert not content[..., 3].min() > content[3, 4, 3]  # nearest to the middle
    assert (shifted[7, :, :3] == 0).all()


def test_a_flat_picture_has_content_too():
    assert np.isfinite(block_content(np.full((64, 64), 90.0, np.float32), shape=(8, 8))).all()
