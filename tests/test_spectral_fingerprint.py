"""The spectra against plain statements of them, the model's file, and what gets no score."""

from dataclasses import replace

import numpy as np
import pytest

import forensix
from forensix.detectors.synthetic import _features, _lattice
from forensix.detectors.synthetic import spectral_fingerprint as spectral
from forensix.detectors.synthetic._origin_model import ENCODINGS, load, save, shipped
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


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_model_survives_its_file(encoding):
    model = shipped(encoding)
    again = load(save({name: shipped(name) for name in ENCODINGS}))[encoding]
    numbers = np.random.default_rng(5).normal(model.mean, model.spread, (3, len(model.names)))
    np.testing.assert_allclose(again.margin(numbers), model.margin(numbers), rtol=1e-5)
    np.testing.assert_allclose(again.distance(numbers), model.distance(numbers), rtol=1e-3)
    assert model.names == tuple(_features.names())
    assert set(model.groups) == {0, 1, 2} and model.groups.shape == (len(model.weights),)
    with pytest.raises(ParameterError, match="numbers"):
        model.margin(np.zeros(3))


def test_a_margin_is_the_mean_over_groups_of_sums():
    model = shipped()
    heights = model.sums(model.mean)
    expected = [
        heights[model.groups == group][0] + 0.5 * heights[model.groups == group].max() for group in range(3)
    ]
    assert model.margin(model.mean) == pytest.approx(np.mean(expected) - model.threshold)


def test_what_is_no_model_is_refused():
    for content in (b"", b"PK nothing", np.zeros(3).tobytes()):
        with pytest.raises(ParameterError, match="not a model"):
            load(content)
    with pytest.raises(ParameterError, match="encoding"):
        shipped("webp")


def full_phases(window, corner, down, across):
    """The plain statement of `phase_products`, from the whole spectrum."""
    side = len(window)
    spectrum = np.fft.fft2((window - window.mean()) * spectra.taper(side))
    units = spectrum / np.abs(spectrum)
    f = np.fft.fftfreq(side)
    moved = np.roll(units, (-round(side * down), -round(side * across)), (0, 1))
    along = f[None, :] if across else f[:, None]
    low = np.hypot(f[:, None], f[None, :]) > _lattice.LOWEST
    kept = low & (along > 0) & (along < 0.25) & np.ones_like(low)
    turn = corner[0] * down + corner[1] * across
    return (units * moved.conj())[kept].mean() * np.exp(-2j * np.pi * turn)


def test_phase_products_against_the_plain_statement():
    rng = np.random.default_rng(6)
    windows = rng.normal(0, 1, (2, 1, 128, 128)).astype(np.float32)
    corners = np.array([[3, 5], [8, 2]])
    found, _ = _lattice.phase_products(spectra.tapered_spectra(windows), corners)
    for at, (rows, cols) in enumerate(_lattice.SHIFTS.values()):
        for window in range(2):
            expected = full_phases(
                windows[window, 0], corners[window], 1 / rows if rows else 0, 1 / cols if cols else 0
            )
            # Some coefficients on the borders of the half spectrum are counted once more.
            assert abs(found[window, 0, at] - expected) < 6e-3


def test_doubling_makes_phases_agree():
    small = np.random.default_rng(7).normal(128, 20, (4, 64, 64, 3))
    plain = np.random.default_rng(8).normal(128, 20, (4, 128, 128, 3))
    corners = np.zeros((4, 2), int)
    doubled = np.kron(small, np.ones((1, 2, 2, 1)))
    told = [
        dict(
            zip(
                _features.names(),
                _features.picture_numbers(np.uint8(np.clip(p, 0, 255)), corners),
                strict=True,
            )
        )
        for p in (plain, doubled)
    ]
    for shift in ("rows", "columns"):
        assert told[1][f"phases-luma-{shift}"] > told[0][f"phases-luma-{shift}"] + 2


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
    monkeypatch.setattr(spectral, "shipped", lambda encoding: replace(shipped(encoding), farthest=1e-3))
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
