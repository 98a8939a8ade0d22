"""Noise at equal brightness: what is measured, what is compared, and what is decided."""

import cv2
import numpy as np
import pytest

import forensix
from forensix.detectors.camera import noise_level as method
from forensix.errors import NotApplicable, ParameterError
from forensix.signal import noise_strength as noise
from tests.reference.noise_strength import strengths


def picture(rows=640, cols=704, *, times=1.0, seed=1):
    """Smooth shapes with noise that grows with the light; in a disc so many times as strong."""
    random = np.random.RandomState(seed)
    shapes = cv2.GaussianBlur(random.standard_normal((rows, cols)).astype(np.float32), (0, 0), 40)
    light = 128 + 45 * shapes / shapes.std()
    row, col = np.indices((rows, cols))
    disc = (row - 260) ** 2 + (col - 400) ** 2 < 110**2
    sigma = (1 + light / 100) * np.where(disc, times, 1)
    values = np.clip(light, 30, 220)[..., None] + sigma[..., None] * random.standard_normal((rows, cols, 3))
    return np.clip(np.rint(values), 0, 255).astype(np.uint8), disc


def test_cells_are_what_the_pixels_say():
    random = np.random.RandomState(2)
    rgb = random.randint(0, 256, (32, 47, 3)).astype(np.uint8)
    luma = random.uniform(0, 255, (32, 47)).astype(np.float32)
    cells = noise.noise_cells(rgb, luma)
    np.testing.assert_allclose(cells.strength, strengths(rgb[:, :40], luma[:, :40]), rtol=1e-4, atol=1e-4)
    assert cells.light[2, 1] == pytest.approx(luma[16:24, 8:16].mean(), rel=1e-4)
    clipped = ((rgb[16:24, 8:16] <= 3) | (rgb[16:24, 8:16] >= 252)).any(axis=2)
    assert cells.clipped[2, 1] == pytest.approx(clipped.mean())


def test_sizes_must_fit():
    with pytest.raises(ParameterError, match="16"):
        noise.noise_cells(np.zeros((15, 40, 3), np.uint8), np.zeros((15, 40), np.float32))


def test_noise_that_only_follows_the_light_is_no_difference():
    rgb, _ = picture()
    cells = noise.noise_cells(rgb, forensix.open(rgb).luma)
    bright, dark = cells.light > 170, cells.light < 90
    assert cells.strength[bright, 0].mean() > 1.3 * cells.strength[dark, 0].mean()
    against = noise.against_equal_places(cells)
    assert abs(np.nanmean(against[bright, 0]) - np.nanmean(against[dark, 0])) < 0.05


def test_places_without_noise_are_not_compared():
    rgb, _ = picture()
    rgb[100:200, 100:300] = 120
    cells = noise.noise_cells(rgb, forensix.open(rgb).luma)
    against = noise.against_equal_places(cells)
    assert np.isnan(against[14:24, 14:36]).all() and np.isfinite(against[30:, 50:]).mean() > 0.95


def test_window_means_leave_out_what_was_not_compared():
    random = np.random.RandomState(4)
    against = random.standard_normal((40, 48, 10)).astype(np.float32)
    against[random.uniform(size=(40, 48)) < 0.3] = np.nan
    means, judged, stride = method.window_means(against)
    assert judged.all() and stride == 1
    np.testing.assert_allclose(
        means[3, 5], np.nanmean(against[6:22, 10:26], axis=(0, 1)), rtol=1e-4, atol=1e-6
    )
    against[:16, :16] = np.nan
    assert not method.window_means(against)[1][0, 0]


@pytest.mark.parametrize("times", [0.25, 4.0])
def test_other_noise_is_found_where_it_is(times):
    rgb, disc = picture(times=times)
    finding = method.detect(forensix.open(rgb))
    assert finding.score > 0.5
    ratio = finding.measurements["noise_ratio"]
    assert times / 1.3 < ratio < 0.5 if times < 1 else 2 < ratio < 1.3 * times
    marked = finding.heatmap.full_size(*disc.shape) > 0.5
    assert 2 * (marked & disc).sum() / (marked.sum() + disc.sum()) > 0.7
    assert finding.regions and "times as strong" in finding.explanation


def test_the_same_noise_everywhere_is_calm():
    finding = method.detect(forensix.open(picture()[0]))
    assert finding.score <= 0.5 and not finding.regions
    assert np.nanmax(finding.heatmap.values) <= 0.5 and "No area" in finding.explanation


def test_a_picture_without_noise_says_nothing():
    rgb, _ = picture()
    denoised = np.dstack([cv2.GaussianBlur(rgb[..., k], (0, 0), 12) for k in range(3)])
    finding = method.detect(forensix.open(denoised))
    assert finding.score is None and finding.heatmap is None and "took its noise" in finding.explanation


@pytest.mark.parametrize("value", [0, 17, 255])
def test_flat_pictures_say_nothing(value):
    flat = np.full((300, 300, 3), value, np.uint8)
    flat[0, 0] = (1, 2, 3)
    assert method.detect(forensix.open(flat)).score is None


def test_a_picture_of_few_windows_says_nothing():
    finding = method.detect(forensix.open(picture(times=4.0)[0][:384, :384]))
    assert finding.score is None and "too small" in finding.explanation


def test_patterns_and_pure_noise_are_calm():
    checks = np.indices((320, 320)).sum(axis=0)[..., None] % 2 * np.array([200, 150, 90])
    noisy = np.random.RandomState(5).randint(20, 230, (320, 320, 3))
    for odd in (checks, noisy):
        assert (method.detect(forensix.open(odd.astype(np.uint8))).score or 0) <= 0.5


def test_small_and_grey_pictures_do_not_apply():
    for wrong, why in (((255, 400, 3), "256"), ((300, 300), "colours")):
        with pytest.raises(NotApplicable, match=why):
            method.detect(forensix.open(np.zeros(wrong, np.uint8)))
