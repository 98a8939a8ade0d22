"""The lattice that interpolation leaves: local (resampling) and in the whole picture (resized)."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

import forensix
from forensix.detectors.splicing import _lattice_search, resampling, resized
from forensix.errors import NotApplicable, ParameterError
from forensix.signal import interpolation, scaling
from tests.reference import interpolation as reference

RNG = np.random.default_rng(5)


def textured(rows=512, cols=768, seed=3):
    """A picture with detail of many scales, as a sensor would give it: no interpolation anywhere."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((rows, cols), np.float32)
    for sigma, strength in ((1.0, 5.0), (3.0, 40.0), (12.0, 300.0)):
        picture += strength * cv2.GaussianBlur(
            rng.normal(0, 1, (rows, cols)).astype(np.float32), (0, 0), sigma
        )
    picture += rng.normal(0, 0.7, (rows, cols)).astype(np.float32)
    return np.rint(np.clip(picture + 120, 0, 255)).astype(np.float32)


def turned(picture, factor, angle):
    rows, cols = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((cols / 2, rows / 2), angle, factor)
    moved = cv2.warpAffine(
        picture, matrix, (cols, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.rint(np.clip(moved, 0, 255))


def saved(tmp_path, luma, name="picture.png", **options):
    path = tmp_path / name
    Image.fromarray(np.dstack([luma.astype(np.uint8)] * 3)).save(path, **options)
    return forensix.open(path)


def test_predictability_is_the_residual_of_the_fixed_predictor():
    luma = RNG.integers(100, 120, (9, 13)).astype(np.float32)
    np.testing.assert_allclose(
        interpolation.predictability(luma), reference.predictability(luma), rtol=2e-4, atol=1e-30
    )


def test_fine_detail_is_the_eighth_difference_over_its_surroundings():
    luma = RNG.integers(90, 130, (23, 17)).astype(np.float32)
    for found, wanted in zip(scaling.fine_detail(luma), reference.fine_detail(luma), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("factor", [1.1, 1.2, 1.4, 1.7])
def test_the_line_of_a_scaled_window_is_where_it_must_be(factor):
    window = turned(textured(300, 300), factor, 0)[20:276, 20:276].astype(np.float32)
    (strengths,), _ = scaling.scaling_strength(scaling.fine_detail(window), [(0, 0)])
    strength, frequency = scaling.strongest_scaling(strengths, scaling.telling_frequencies())
    assert abs(frequency - abs(1 / factor - 1)) < 0.004
    assert scaling.log_chance(strength) < -15


def test_chance_of_a_pair_is_that_of_exponential_variables():
    pairs = 2 * np.sqrt(RNG.exponential(size=200_000) * RNG.exponential(size=200_000))
    for strength in (2.0, 5.0, 8.0):
        assert np.exp(scaling.log_chance(strength)) == pytest.approx(np.mean(pairs > strength), rel=0.12)
    assert scaling.log_chance(0.0) == 0.0


def test_lines_in_noise_are_rare():
    noise = RNG.normal(100, 10, (256, 256)).astype(np.float32)
    down, across = scaling.fine_detail(noise)
    alone, against = scaling.scaling_lines(across, [(0, 0)])
    assert alone.mean() == pytest.approx(1, abs=0.4)
    assert not against[0, scaling.on_blocks()].any()  # one window cannot be compared
    (strengths,), _ = scaling.scaling_strength((down, across), [(0, 0)])
    assert scaling.log_chance(scaling.strongest_scaling(strengths, scaling.telling_frequencies())[0]) > -10


def test_odd_differences_lie_half_a_pixel_before_the_even_ones():
    step = np.repeat(np.array([[100.0, 140.0]], np.float32), 12, axis=1).repeat(24, axis=0)
    _, even = scaling.fine_detail(step)
    _, odd = scaling.fine_detail(step, order=scaling.ODD)
    row = odd[12]
    np.testing.assert_allclose(
        row[1:12], row[23:12:-1], atol=1e-3
    )  # symmetric about the step before pixel 12
    np.testing.assert_allclose(even[12, 1:12], even[12, 22:11:-1], atol=1e-3)
    with pytest.raises(ParameterError, match="order"):
        scaling.fine_detail(step, order=9)


@pytest.mark.parametrize("beside", [0.0, 0.5])
def test_a_part_twice_as_large_stands_out_from_the_rest(beside):
    """Every second pixel lies on one of the original, or all lie a quarter beside them."""
    picture = textured(900, 1100)
    matrix = np.array([[2.0, 0.0, beside - 300], [0.0, 2.0, beside - 300]])
    doubled = cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=cv2.INTER_CUBIC)
    forged = picture.copy()
    forged[320:640, 401:720] = np.rint(np.clip(doubled, 0, 255))[320:640, 401:720]
    found = _lattice_search.resampling(forged)
    mask = np.zeros(picture.shape, bool)
    mask[320:640, 401:720] = True
    inside = np.kron(found.present, np.ones((16, 16), bool))
    assert not found.whole and abs(abs(found.frequency[1]) - 0.5) < 0.005
    assert 2 * np.count_nonzero(inside & mask[:896, :1088]) / (inside.sum() + mask.sum()) > 0.7
    whole = _lattice_search.resampling(doubled[310:900, 310:1100].round())
    assert whole.whole or not whole.present.any()


def test_lines_compare_each_bin_with_the_ring_around_it():
    window = RNG.random((interpolation.WINDOW, interpolation.WINDOW)).astype(np.float32)
    over = interpolation.lines(window)
    for vertical, horizontal in ((40, 57), (200, 3), (128, 128)):
        assert over[vertical, horizontal] == pytest.approx(
            reference.line(window, vertical, horizontal), rel=1e-3
        )


def test_a_turned_spectrum_has_each_frequency_at_a_right_angle():
    spectrum = RNG.random((16, 16))
    back = interpolation.turned(spectrum)
    for vertical in range(16):
        for horizontal in range(16):
            assert back[vertical, horizontal] == spectrum[-horizontal % 16, vertical]


def test_telling_bins_leave_out_codec_sensor_and_scene():
    telling = interpolation.telling_bins()
    assert not telling[0, 0] and not telling[128, 128] and not telling[128, 0]  # mean, filter array
    assert not telling[32, 0] and not telling[0, 16] and not telling[96, 224]  # multiples of 1/16
    assert not telling[5, 5] and telling[40, 57] and telling[2, 41]
    assert not telling[0, 41] and not telling[41, 0]  # along an axis: scaled, not turned


@pytest.mark.parametrize(("factor", "angle"), [(1.2, 0.0), (1.5, 0.0), (0.8, 0.0), (1.0, 5.0), (1.2, 12.0)])
def test_the_transformation_is_among_those_named(factor, angle):
    wave = np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))]) / factor
    alias = (wave + 0.5) % 1 - 0.5
    named = interpolation.transformations((float(alias[0]), float(alias[1])))
    assert any(abs(f - factor) < 1e-3 and abs(a - angle) < 0.1 for f, a in named)


@pytest.mark.parametrize(("factor", "angle"), [(1.2, 0.0), (1.4, 0.0), (0.85, 0.0), (1.0, 7.0)])
def test_a_pasted_part_that_was_resampled_is_found_where_it_is(tmp_path, factor, angle):
    picture = textured()
    mask = np.zeros(picture.shape, bool)
    mask[120:400, 200:500] = True
    forged = np.where(mask, turned(picture, factor, angle), picture)
    finding = resampling.detect(saved(tmp_path, forged))
    assert finding.score > 0.8
    found = np.kron(finding.heatmap.values > 0.5, np.ones((16, 16), bool))
    both = np.count_nonzero(found & mask)
    assert 2 * both / (found.sum() + mask.sum()) > 0.8
    box = finding.regions[0].box
    assert 80 <= box[0] <= 160 and 160 <= box[1] <= 240


def test_an_untouched_picture_stays_dark(tmp_path):
    evidence = saved(tmp_path, textured())
    for method in (resampling, resized):
        finding = method.detect(evidence)
        assert finding.score < 0.5 and not finding.regions
    assert np.nanmax(resampling.detect(evidence).heatmap.values) <= 0.5


@pytest.mark.parametrize("factor", [0.85, 1.3])
def test_a_picture_resized_as_a_whole_is_history_and_no_change(tmp_path, factor):
    picture = cv2.resize(textured(640, 900), None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    evidence = saved(tmp_path, np.rint(np.clip(picture, 0, 255)))
    local, whole = resampling.detect(evidence), resized.detect(evidence)
    assert local.score < 0.5 and np.nanmax(local.heatmap.values) <= 0.5
    assert whole.score > 0.85
    assert any(abs(f - factor) < 0.02 for f, _ in whole.measurements["magnification_and_rotation"])


def test_half_smooth_pictures_resized_as_a_whole_are_not_taken_for_pasted(tmp_path):
    picture = textured(640, 900)
    picture[:, 450:] = cv2.GaussianBlur(picture, (0, 0), 6)[:, 450:]
    larger = cv2.resize(picture, None, fx=1.2, fy=1.2, interpolation=cv2.INTER_CUBIC)
    finding = resampling.detect(saved(tmp_path, np.rint(np.clip(larger, 0, 255))))
    assert finding.score < 0.5


def test_patterns_are_no_interpolation(tmp_path):
    down, across = np.indices((512, 512))
    for period in (7, 10.6):
        dots = 100 + 60 * np.sin(2 * np.pi * down / period) * np.sin(2 * np.pi * across / period)
        dots += np.random.default_rng(1).normal(0, 2, dots.shape)
        assert resampling.detect(saved(tmp_path, np.rint(np.clip(dots, 0, 255)))).score < 0.5
    checks = 255.0 * ((down // 9 + across // 9) % 2)
    score = resampling.detect(saved(tmp_path, checks)).score
    assert score is None or score < 0.5


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_pictures_cannot_be_told(tmp_path, level):
    evidence = saved(tmp_path, np.full((300, 300), level, np.float32))
    for method in (resampling, resized):
        finding = method.detect(evidence)
        assert finding.score is None and finding.explanation.startswith("Cannot tell")


def test_noise_is_no_interpolation(tmp_path):
    assert resampling.detect(saved(tmp_path, RNG.integers(0, 256, (400, 300)).astype(np.float32))).score < 0.5


def test_what_does_not_apply_says_why(tmp_path):
    with pytest.raises(NotApplicable, match="256 x 256"):
        resampling.detect(saved(tmp_path, textured(255, 600)))
    webp = saved(tmp_path, textured(300, 300), "picture.webp", quality=80)
    with pytest.raises(NotApplicable, match="WEBP"):
        resized.detect(webp)
    with pytest.raises(ParameterError, match="256"):
        resampling.resampling(np.zeros((10, 300), np.float32))
    with pytest.raises(ParameterError, match="2-D"):
        interpolation.predictability(np.zeros((4, 4, 3), np.float32))


@pytest.mark.parametrize("shape", [(256, 256), (300, 451), (3000, 4000), (257, 9000)])
def test_windows_cover_the_picture(shape):
    places = _lattice_search.window_places(shape, most=200, step=128)
    assert len(places) <= 200
    for axis, size in enumerate(shape):
        starts = sorted({place[axis] for place in places})
        assert starts[0] == 0 and starts[-1] == size - 256
        assert all(after - before <= 256 for before, after in pairwise(starts))


def test_a_photo_pasted_into_itself_larger(tmp_path):
    """A free photo, with a part magnified by 1.2 and turned by 5 degrees."""
    coffee = cv2.cvtColor(data.coffee(), cv2.COLOR_RGB2GRAY).astype(np.float32)
    mask = np.zeros(coffee.shape, bool)
    mask[60:200, 60:220] = True
    finding = resampling.detect(saved(tmp_path, np.where(mask, turned(coffee, 1.2, 5.0), coffee)))
    assert finding.score > 0.9 and len(finding.regions) == 1


def test_a_lattice_in_a_third_of_the_picture_names_no_part(tmp_path):
    """As where a camera scaled the whole picture, and its noise reduction hid the rest of the trace."""
    picture = textured()
    forged = np.where(np.arange(picture.shape[1]) < 270, turned(picture, 1.2, 0), picture)
    finding = resampling.detect(saved(tmp_path, forged))
    assert finding.score <= 0.5 and not finding.regions
    assert "no single part" in finding.explanation
