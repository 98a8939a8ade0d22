"""The spectra against plain statements of them, the model's file, and what gets no score."""

from dataclasses import replace

import numpy as np
import pytest

import forensix
from forensix.detectors.synthetic import _features
from forensix.detectors.synthetic import spectral_fingerprint as spectral
from forensix.detectors.synthetic._origin_model import OriginModel, shipped
from forensix.errors import NotApplicable, ParameterError
from forensix.forgery.generators import generate
from forensix.signal import spectra
from tests.hostile import saved
from tests.reference.spectrum import ring_power


def photo(name="astronaut"):
    from skimage import data

    return np.ascontiguousarray(getattr(data, name)())


def encoded(pixels, quality=None):
    return forensix.open(saved(pixels, "JPEG", quality=quality) if quality else saved(pixels, "PNG"))


def test_azimuthal_profile_against_the_reference():
    rng = np.random.default_rng(0)
    window = rng.normal(0, 3, (32, 32)).astype(np.float32)
    edges = (0.05, 0.2, 0.35, 0.5, 0.71)
    found = spectra.tapered_spectra(window[None])
    power = np.abs(found) ** 2
    profile = spectra.azimuthal_profile(power, edges)[0]
    np.testing.assert_allclose(profile, ring_power(window, spectra.taper(32), edges), rtol=1e-4)


def test_white_noise_has_the_power_of_its_variance():
    windows = np.random.default_rng(1).normal(0, 2, (20, 128, 128)).astype(np.float32)
    power = np.abs(spectra.tapered_spectra(windows)) ** 2
    assert spectra.azimuthal_profile(power, (0.1, 0.4)).mean() == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("shape", [(128, 128), (128, 4000), (3000, 4000), (300, 257), (9000, 128)])
def test_windows_lie_inside_and_are_not_too_many(shape):
    corners = np.array(spectra.window_corners(*shape))
    assert 1 <= len(corners) <= 48 and corners.min() >= 0
    assert (corners + 128 <= np.array(shape)).all()
    assert len(np.unique(corners, axis=0)) == len(corners)


def test_a_window_larger_than_the_picture_is_refused():
    with pytest.raises(ParameterError, match="does not fit"):
        spectra.window_corners(100, 500)


def test_numbers_are_named_and_finite():
    rng = np.random.default_rng(2)
    for windows in (
        rng.integers(0, 256, (3, 128, 128, 3), np.uint8),
        np.zeros((2, 128, 128, 3), np.uint8),
        np.full((2, 128, 128, 3), 255, np.uint8),
    ):
        numbers = _features.picture_numbers(windows, np.zeros((len(windows), 2), int))
        assert numbers.shape == (len(_features.names()),) and np.isfinite(numbers).all()


def test_lattice_peaks_and_alternation_are_seen():
    rng = np.random.default_rng(3)
    plain = rng.normal(128, 6, (4, 128, 128, 3))
    striped = plain + 3 * (-1.0) ** np.arange(128)[:, None]
    corners = np.zeros((4, 2), int)
    calm, high = (
        dict(zip(_features.names(), _features.picture_numbers(p.astype(np.uint8), corners), strict=True))
        for p in (plain, striped)
    )
    assert high["peak-half"] > calm["peak-half"] + 1
    doubled = np.kron(plain[:, ::2, ::2], np.ones((1, 2, 2, 1)))
    steps = dict(
        zip(_features.names(), _features.picture_numbers(doubled.astype(np.uint8), corners), strict=True)
    )
    assert steps["steps-half"] > calm["steps-half"] + 2


def test_steps_keep_their_phase_wherever_the_window_lies():
    scene = np.random.default_rng(4).integers(0, 256, (160, 160, 3), np.uint8)
    scene[7::8] //= 2
    here = _features.folded_steps(scene[None, :128, :128], np.array([[0, 0]]))
    there = _features.folded_steps(scene[None, 5:133, 3:131], np.array([[5, 3]]))
    np.testing.assert_allclose(here, there, atol=0.15)
    assert np.argmax(here[0, 0]) == np.argmax(there[0, 0])


def test_the_model_survives_its_file():
    model = shipped()
    again = OriginModel.load(model.save())
    numbers = np.random.default_rng(5).normal(model.mean, model.spread, (3, len(model.names)))
    np.testing.assert_allclose(again.margin(numbers), model.margin(numbers), rtol=1e-5)
    np.testing.assert_allclose(again.distance(numbers), model.distance(numbers), rtol=1e-3)
    assert model.names == tuple(_features.names())
    for content in (b"", b"PK nothing", np.zeros(3).tobytes()):
        with pytest.raises(ParameterError, match="not a model"):
            OriginModel.load(content)
    with pytest.raises(ParameterError, match="numbers"):
        model.margin(np.zeros(3))


def test_score_is_half_at_the_threshold_and_rises():
    scores = [spectral.score_of(margin) for margin in np.linspace(-20, 20, 201)]
    assert scores == sorted(scores) and spectral.score_of(0.0) == pytest.approx(0.5)
    assert scores[0] >= spectral.LOWEST and scores[-1] <= 1


def test_rebuilding_a_photo_raises_its_score():
    pixels = photo("astronaut")
    made = generate(pixels, rng=np.random.default_rng(0), upsampling="nearest", stages=1, model=3).image
    before, after = (spectral.detect(encoded(p)).measurements["margin"] for p in (pixels, made))
    assert after > before + 1


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "retina"])
@pytest.mark.parametrize("quality", [None, 80])
def test_photos_are_not_called_synthetic(name, quality):
    found = spectral.detect(encoded(photo(name), quality))
    assert found.score is None or found.score <= 0.5
    assert (found.score is None) == (name == "chelsea"), "of 300 x 451 pixels, with too few windows"


def test_of_small_pictures_nothing_is_said():
    found = spectral.detect(encoded(photo("astronaut")[:256, :300]))
    assert found.score is None and "too much to tell" in found.explanation


def test_a_picture_unlike_everything_gets_no_score(monkeypatch):
    monkeypatch.setattr(spectral, "shipped", lambda: replace(shipped(), farthest=1e-3))
    found = spectral.detect(encoded(photo()))
    assert found.score is None and "unlike" in found.explanation


@pytest.mark.parametrize("kind", ["flat", "drawing", "noise", "checkerboard"])
def test_what_is_no_photograph_is_not_called_synthetic(kind):
    pixels = np.full((512, 512, 3), (200, 60, 60), np.uint8)
    if kind == "drawing":
        pixels[100:300, 50:400] = (20, 90, 200)
        pixels[:, ::97] = 0
    elif kind == "noise":
        pixels = np.random.default_rng(0).integers(0, 256, pixels.shape, np.uint8)
    elif kind == "checkerboard":
        pixels[(np.indices((512, 512)).sum(axis=0) // 8) % 2 == 0] = (10, 200, 30)
    found = spectral.detect(encoded(pixels))
    assert found.score is None or found.score <= 0.5
    if kind in ("flat", "drawing"):
        assert found.score is None and "texture" in found.explanation


def test_small_and_grey_pictures_are_not_applicable():
    with pytest.raises(NotApplicable, match="256"):
        spectral.detect(encoded(np.zeros((255, 600, 3), np.uint8)))
    with pytest.raises(NotApplicable, match="grey"):
        spectral.detect(encoded(photo("camera")))
