"""Error levels: a picture without a score."""

import numpy as np
import pytest
import skimage.data
from scipy.fft import dctn, idctn

import forensix
from forensix.detectors.jpeg import error_levels as method
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence.jpeg_quality import LUMINANCE


def by_hand(luma, quality):
    """Block by block, from the standard's table; no forensix but that table."""
    table = np.clip((LUMINANCE * (200 - 2 * quality) + 50) // 100, 1, 255)
    out = np.zeros(luma.shape)
    for top in range(0, luma.shape[0] - 7, 8):
        for left in range(0, luma.shape[1] - 7, 8):
            block = luma[top : top + 8, left : left + 8].astype(float)
            coefficients = np.rint(dctn(block - 128, norm="ortho") / table) * table
            again = np.clip(np.rint(idctn(coefficients, norm="ortho") + 128), 0, 255)
            out[top : top + 8, left : left + 8] = np.abs(again - block)
    return out


def test_is_the_change_of_a_second_save():
    luma = skimage.data.camera()[100:137, 200:250]
    found = method.error_levels(luma, quality=75)
    wanted = by_hand(luma, 75)
    assert found.shape == luma.shape and found.dtype == np.float32
    # A rounding that falls on the other side of a half moves a pixel by one level.
    assert np.mean(np.abs(found - wanted) > 0.01) < 0.01
    assert not found[32:].any() and not found[:, 48:].any()


def test_what_was_saved_so_before_hardly_changes():
    luma = skimage.data.camera()[:256, :256]
    once = method.resaved(luma, quality=90)
    assert method.error_levels(once).mean() < method.error_levels(luma).mean() / 4


def test_draws_a_dark_map_and_never_scores():
    finding = forensix.scan(skimage.data.astronaut()[:200, :201], detectors=["error-levels"]).findings[0]
    assert finding.score is None and finding.log10_lr is None
    assert "no evidence" in finding.explanation
    values = finding.heatmap.full_size(200, 201)
    assert values.shape == (200, 201) and 0 < values.max() <= 0.5


def test_is_run_for_those_who_ask_only():
    assert "error-levels" not in forensix.detectors.in_preset("standard")
    assert "error-levels" in forensix.detectors.in_preset("thorough")


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_flat_pictures_do_not_change(grey):
    assert not method.error_levels(np.full((16, 24), grey, np.uint8)).any()


def test_refuses_less_than_a_block():
    with pytest.raises(ParameterError):
        method.error_levels(np.zeros((7, 30)))
    with pytest.raises(NotApplicable):
        method.detect(forensix.open(np.zeros((4, 40, 3), np.uint8)))
