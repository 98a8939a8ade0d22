"""The noise residual, its cleaning and the correlation peak against plain references."""

import math

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.wavelet_noise import local_wiener, wavelet_noise
from forensix.signal.peak_energy import Peak, Surface, cross_correlation, excess_energy, log10_chance
from forensix.signal.sensor_noise import (
    evened,
    linear_share,
    sensor_noise,
    weighted_light,
    without_periods,
    zero_mean,
)
from tests.reference import sensor_noise as reference

IMAGES = {
    "noise": lambda shape: np.random.RandomState(1).normal(128, 20, shape),
    "faint noise": lambda shape: np.random.RandomState(2).normal(100, 1, shape),
    "flat": lambda shape: np.full(shape, 77.0),
    "saturated": lambda shape: np.full(shape, 255.0),
    "checkerboard": lambda shape: np.indices(shape).sum(axis=0) % 2 * 255.0,
    "ramp": lambda shape: np.indices(shape)[1] * 3.0,
}
SHAPES = [(16, 16), (17, 30), (40, 9), (1, 21), (21, 1), (3, 2), (1, 1)]


@pytest.fixture
def poisoned_memory(monkeypatch):
    monkeypatch.setattr("numpy.empty", lambda shape, dtype=float, **_: np.full(shape, np.nan, dtype))


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_residual_agrees_with_the_reference(shape, image, poisoned_memory):
    picture = IMAGES[image](shape)
    found = wavelet_noise(picture)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, reference.wavelet_noise(picture), atol=2e-4)


def test_another_sigma_and_integer_pixels():
    picture = np.random.RandomState(3).randint(0, 256, (24, 31)).astype(np.uint8)
    before = picture.copy()
    np.testing.assert_allclose(
        wavelet_noise(picture, sigma=2.0), reference.wavelet_noise(picture, 2.0), atol=2e-4
    )
    np.testing.assert_array_equal(picture, before)


def test_the_transform_is_daubechies_own():
    import pywt

    from forensix.native.wavelet_noise import HIGH, LOW

    np.testing.assert_allclose(LOW, pywt.Wavelet("db4").rec_lo, atol=1e-7)
    np.testing.assert_allclose(HIGH, pywt.Wavelet("db4").rec_hi, atol=1e-7)


def test_faint_noise_stays_and_a_strong_edge_goes():
    noise = np.random.RandomState(4).normal(0, 1, (128, 128))
    picture = np.where(np.arange(128) < 64, 40, 200) + noise
    residual = wavelet_noise(picture)
    # All but the coarsest sixteenth of a sixteenth of white noise are details.
    assert np.corrcoef(residual[:, :40].ravel(), noise[:, :40].ravel())[0, 1] > 0.97
    assert np.abs(residual[:, 60:68]).mean() < 4


@pytest.mark.parametrize("shape", [(9, 9), (1, 7), (12, 5)])
def test_local_wiener_agrees(shape, poisoned_memory):
    values = np.random.RandomState(5).normal(0, 3, shape)
    np.testing.assert_allclose(
        local_wiener(values, variance=4.0), reference.noise_part(values, 4.0), rtol=1e-5
    )


@pytest.mark.parametrize("bad", [np.zeros(5), np.zeros((0, 4)), np.zeros((2, 2, 2))])
def test_what_is_no_image_is_refused(bad):
    for call in (wavelet_noise, lambda x: local_wiener(x, variance=1.0), without_periods):
        with pytest.raises(ParameterError):
            call(bad)
    with pytest.raises(ParameterError):
        wavelet_noise(np.zeros((8, 8)), sigma=0)


@pytest.mark.parametrize("shape", [(12, 14), (13, 7), (1, 6), (6, 1)])
def test_zero_mean_agrees_and_leaves_none(shape):
    noise = np.random.RandomState(6).normal(3, 1, shape) + np.arange(shape[1])
    found = zero_mean(noise)
    np.testing.assert_allclose(found, reference.zero_mean(noise), atol=1e-5)
    if min(shape) > 1:
        assert max(np.abs(found[r::2, c::2].mean(axis=0)).max() for r in (0, 1) for c in (0, 1)) < 1e-5


@pytest.mark.parametrize("shape", [(16, 16), (15, 12), (12, 15), (11, 9), (2, 3)])
def test_the_spectrum_is_flattened_as_on_the_torus(shape):
    noise = np.random.RandomState(7).normal(0, 1, shape)
    noise += 4 * np.cos(2 * np.pi * 3 * np.arange(shape[1]) / shape[1])
    found = without_periods(noise)
    np.testing.assert_allclose(found, reference.without_periods(noise), atol=1e-4)
    assert found.shape == shape


def test_a_period_is_taken_away_and_nothing_comes_of_nothing():
    noise = np.random.RandomState(8).normal(0, 1, (128, 128)).astype(np.float32)
    wave = 2 * np.cos(2 * np.pi * np.add.outer(np.arange(128), np.arange(128)) / 8)
    assert abs(np.mean(without_periods(noise + wave) * wave)) < 0.3 * np.mean(wave**2)
    assert not without_periods(np.full((32, 32), 5.0)).any()
    assert not sensor_noise(np.full((32, 32), 5.0)).any()


def test_noise_is_weighted_with_its_local_variance():
    noise = np.random.RandomState(13).normal(0, 1, (30, 41)) * np.linspace(0.2, 5, 41)
    np.testing.assert_allclose(evened(noise), reference.evened(noise), rtol=1e-4)
    assert not evened(np.zeros((9, 9))).any()


def test_light_counts_until_it_saturates():
    light = weighted_light(np.array([[0, 100, 243, 247.5, 252, 255]], np.float32))
    np.testing.assert_allclose(light, [[0, 100, 243, 123.75, 0, 0]])
    assert linear_share(np.tile(np.random.RandomState(9).normal(0, 1, 50), (60, 1))) == 1
    assert linear_share(np.zeros((4, 4))) == 0
    assert linear_share(np.random.RandomState(9).normal(0, 1, (200, 200))) < 0.03


def test_the_surface_agrees_with_shifting_by_hand():
    generator = np.random.RandomState(10)
    fingerprint, pattern = generator.normal(0, 1, (24, 31)), generator.normal(0, 1, (13, 17))
    surface = cross_correlation(pattern, fingerprint)
    np.testing.assert_allclose(surface, reference.correlation(pattern, fingerprint), atol=1e-3)
    for row, col in [(0, 0), (23, 30), (12, 3)]:
        assert Surface(surface).at(row, col).pce == pytest.approx(
            reference.pce(surface.astype(float), row, col), rel=1e-4
        )


def test_a_crop_is_found_where_it_was_cut_and_a_negative_has_a_sign():
    fingerprint = np.random.RandomState(11).normal(0, 1, (60, 80)).astype(np.float32)
    cut = fingerprint[21:45, 33:70]
    surface = Surface(cross_correlation(cut, fingerprint))
    peak = surface.highest(60 - 24 + 1, 80 - 37 + 1)
    assert (peak.row, peak.col) == (21, 33) and peak.pce > 300
    assert surface.highest(37, 44, besides=peak).pce < 40
    assert Surface(cross_correlation(-cut, fingerprint)).at(21, 33).pce == pytest.approx(-peak.pce, rel=1e-3)
    assert surface.at(21 - 60, 33 + 80) == peak


def test_a_peak_where_strong_lies_over_strong_is_less_rare():
    generator = np.random.RandomState(15)
    fingerprint, pattern = generator.normal(0, 1, (80, 90)), generator.normal(0, 1, (30, 40))
    fingerprint[20:35, 30:50] *= 8  # what an edge left there
    pattern[5:20, 10:30] *= 8
    surface = Surface(cross_correlation(pattern, fingerprint))
    assert surface.highest(51, 51).pce > 40
    over = Peak(0.0, 15, 20)
    inside = np.s_[15:45, 20:60]
    expected = np.sum(pattern**2 * fingerprint[inside] ** 2) / np.sum(pattern**2) / np.mean(fingerprint**2)
    assert excess_energy(pattern, fingerprint, over) == pytest.approx(expected)
    assert expected > 8
    assert excess_energy(pattern, fingerprint, Peak(0.0, 50, 50)) < 1
    peak = surface.highest(51, 51)
    excess = excess_energy(pattern, fingerprint, peak)
    assert surface.chance(peak, 2601) < -4 < -2 < surface.chance(peak, 2601, excess=excess)
    assert excess_energy(np.zeros((5, 5)), fingerprint, over) == 1


def test_surfaces_of_nothing_and_too_small_ones():
    assert Surface(np.zeros((30, 30))).at(0, 0).pce == 0
    alone = np.zeros((30, 30))
    alone[3, 4] = -2
    assert Surface(alone).at(3, 4).pce == -1e12
    with pytest.raises(ParameterError):
        Surface(np.zeros((21, 30)))
    with pytest.raises(ParameterError):
        cross_correlation(np.zeros((30, 30)), np.zeros((30, 29)))


def test_chance_follows_the_normal_law_and_the_number_of_places():
    assert log10_chance(1.959964**2, 1) == pytest.approx(math.log10(0.025), abs=1e-5)
    assert log10_chance(25, 1000) == pytest.approx(log10_chance(25, 1) + 3)
    assert log10_chance(-9, 10) == 1
    assert log10_chance(35**2 - 1e-6, 1) == pytest.approx(log10_chance(35**2, 1), abs=0.01)
    values = np.random.RandomState(12).normal(0, 1, (300, 300)).astype(np.float32)
    assert -2.5 < log10_chance(Surface(values).highest(300, 300).pce, values.size) < 0.5
