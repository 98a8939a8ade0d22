"""Compression count: the statistics against oracles, and the decision on files with a known past."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

import forensix
from forensix.detectors.jpeg import _digits, _first_steps, _grid_phase, _mosaic, compression_count
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence.jpeg_quality import ijg_table
from tests.reference import jpeg_history as oracle


def saved(pixels, quality, **more):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, **more)
    return stream.getvalue()


def opened(data):
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.fixture(scope="module")
def scene():
    """A photo without a JPEG past: reduced by a factor that is no simple fraction."""
    photo = Image.fromarray(skimage.data.rocket())
    return np.array(photo.resize((517, 345), Image.Resampling.LANCZOS))


@pytest.fixture(scope="module")
def other():
    photo = Image.fromarray(skimage.data.astronaut())
    return np.array(photo.resize((467, 467), Image.Resampling.LANCZOS))


def history(data):
    jpeg = forensix.open(data).jpeg
    return compression_count.compression_history(jpeg.coefficients[0], jpeg.quantization[0])


def finding(data):
    return compression_count.detect(forensix.open(data))


# The mosaic


def test_a_mosaic_of_coefficients_is_made_of_whole_blocks_of_the_picture():
    rng = np.random.default_rng(1)
    levels = rng.integers(-3, 4, (40, 61, 8, 8)).astype(np.int16)
    steps = rng.integers(1, 9, (8, 8))
    mosaic = _mosaic.of_coefficients(levels, steps)
    assert (mosaic.rows, mosaic.cols) == (4, 7)
    chosen = mosaic.levels(levels)
    np.testing.assert_allclose(mosaic.blocks(), chosen * steps.ravel(), atol=1e-3)
    assert np.all(np.diff(mosaic.down) > 0) and mosaic.down[-1] + mosaic.rows < 40
    block = levels[mosaic.down[2] + 1, mosaic.right[5] + 3].ravel()
    row = (2 * mosaic.rows + 1) * _mosaic.TILES * mosaic.cols + 5 * mosaic.cols + 3
    np.testing.assert_array_equal(chosen[row], block)


def test_a_mosaic_of_pixels_keeps_the_grid():
    rng = np.random.default_rng(2)
    luma = rng.uniform(0, 255, (201, 333)).astype(np.float32)
    mosaic = _mosaic.of_pixels(luma)
    whole = mosaic.pixels.reshape(8, 8 * (mosaic.rows + 1), 8, 8 * (mosaic.cols + 1))
    top, left = 8 * mosaic.down[3], 8 * mosaic.right[6]
    part = luma[top : top + whole.shape[1], left : left + whole.shape[3]]
    np.testing.assert_allclose(whole[3, :, 6], part - 128)


@pytest.mark.parametrize("shape", [(16, 100), (100, 16), (1, 1)])
def test_a_small_picture_has_no_mosaic(shape):
    assert _mosaic.of_coefficients(np.zeros((*shape, 8, 8), np.int16), np.ones((8, 8), int)) is None
    assert _mosaic.of_pixels(np.zeros((8 * shape[0], 8 * shape[1]), np.float32)) is None


# Shifted grids


@pytest.fixture(scope="module")
def small_mosaic():
    rng = np.random.default_rng(3)
    return _mosaic.of_pixels(rng.uniform(0, 255, (140, 140)).astype(np.float32))


@pytest.mark.parametrize("frequency", [(0, 0), (0, 1), (3, 2), (7, 0)])
def test_windowed_coefficients_are_those_of_the_window(small_mosaic, frequency):
    found = _grid_phase.windowed_coefficient(small_mosaic, frequency)
    patch = small_mosaic.pixels[:24, :24].astype(float)
    expected = oracle.window_coefficients(patch, *frequency)[:17, :17]
    np.testing.assert_allclose(found[:17, :17], expected, atol=2e-3)


def test_step_power_is_a_periodogram(small_mosaic):
    found = _grid_phase.step_power(small_mosaic, (0, 1))
    plane = small_mosaic.inside(_grid_phase.windowed_coefficient(small_mosaic, (0, 1)))
    for down, right in [(0, 0), (3, 6)]:
        values = np.rint(plane[:, :, down, :, :, right].ravel() * 4) / 4
        values = values[values != 0]
        steps = np.array([2, 5, 8, 16])  # these are frequencies of the transform
        exact = oracle.power_at_steps(values, steps[[0, 2, 3]])
        np.testing.assert_allclose(found[8 * down + right][[2, 8, 16]], exact, rtol=1e-3, atol=1e-3)
    assert np.all(found[:, :2] == 0)


def test_counts_of_small_coefficients(small_mosaic):
    frequencies = _grid_phase.OFTEN_ZERO[0][:2]
    found = _grid_phase._small_counts(small_mosaic, frequencies)
    expected = np.zeros((64, 64))
    for frequency in frequencies:
        inside = small_mosaic.inside(_grid_phase.windowed_coefficient(small_mosaic, frequency))
        small = np.abs(inside) <= _grid_phase.SMALL
        for down in range(8):
            for right in range(8):
                expected[8 * down + right] += small[:, :, down, :, :, right].mean(axis=(1, 3)).ravel()
    np.testing.assert_allclose(found, expected)


def test_every_shift_is_compared_with_its_mirror_images():
    mirrors = _grid_phase.mirrors()
    assert mirrors[8 * 2 + 3] == ((2, 5), (6, 3), (6, 5))
    assert mirrors[8 * 0 + 3] == ((0, 5),)
    assert mirrors[8 * 4 + 4] == ((0, 4), (4, 0))
    assert mirrors[0] == ()


def test_the_excess_is_antisymmetric_and_zero_where_it_cannot_be_told(small_mosaic):
    excess = _grid_phase.zero_excess(small_mosaic)
    assert np.all(excess[::4, ::4] == 0)
    np.testing.assert_allclose(excess[0, 1:4], -excess[0, :4:-1], atol=1e-9)


# The same grid


@pytest.mark.parametrize(("first", "last"), [(1, 5), (3, 5), (7, 4), (5, 2), (2, 7)])
def test_expected_histograms_are_those_of_a_simulation(first, last):
    rng = np.random.default_rng(4)
    values = rng.laplace(0, 12, 400_000)
    expected = _first_steps.expected_histograms(values, last, np.array([first]), 12)[0] / len(values)
    simulated = oracle.twice_quantized(rng.laplace(0, 12, 400_000), first, last, _first_steps.NOISE, 12, rng)
    np.testing.assert_allclose(expected, simulated, atol=0.006)


def test_the_smooth_correction_is_the_best_one():
    rng = np.random.default_rng(5)
    expected = np.stack([np.exp(-np.arange(20) / 4.0), 1 + np.cos(np.arange(20))])
    observed = rng.poisson(900 * np.exp(-np.arange(20) / 6.0)).astype(float)
    found = _first_steps.smooth_deviance(observed, expected + 1e-3)
    for model, deviance in zip(expected + 1e-3, found, strict=True):
        assert deviance == pytest.approx(oracle.poisson_deviance(observed, model), rel=0.02, abs=0.1)


def test_divisors_of_the_last_step_cannot_be_told():
    steps = _first_steps.telling_steps(6)
    assert not {1, 2, 3, 6} & set(steps) and {4, 5, 7, 12} <= set(steps)


# The decision


@pytest.mark.parametrize("quality", [60, 75, 90, 95])
def test_one_compression_is_not_taken_for_two(scene, other, quality):
    for photo in (scene, other):
        found = finding(saved(photo, quality))
        assert found.score < 0.5, found.explanation
        assert found.measurements["compressions_at_least"] == 1


@pytest.mark.parametrize(("first", "last"), [(70, 90), (60, 80), (85, 75), (88, 70), (90, 95)])
def test_two_compressions_on_one_grid(scene, first, last):
    past = history(saved(opened(saved(scene, first)), last))
    assert past.aligned.strength > 1 and past.count == 2
    assert past.aligned.quality is None or abs(past.aligned.quality - first) <= 3


@pytest.mark.parametrize(("first", "last", "cut"), [(70, 90, (3, 5)), (75, 85, (1, 6)), (80, 85, (2, 2))])
def test_two_compressions_on_shifted_grids(scene, first, last, cut):
    cropped = opened(saved(scene, first))[cut[0] :, cut[1] :]
    past = history(saved(np.ascontiguousarray(cropped), last))
    assert past.shifted.strength > 1
    assert past.shifted.shift == (8 - cut[0], 8 - cut[1])


def test_three_compressions_on_two_grids(scene):
    cropped = np.ascontiguousarray(opened(saved(scene, 70))[3:, 2:])
    found = finding(saved(opened(saved(cropped, 85)), 92))
    assert found.measurements["compressions_at_least"] == 3
    assert found.measurements["shifted_grid"]["grid"] == [5, 6]
    assert "row 5, column 6" in found.explanation and "same grid" in found.explanation


def test_the_verdict_says_what_was_found(scene):
    found = finding(saved(opened(saved(scene, 70)), 90))
    assert found.score > 0.9
    assert "at quality about 70 on the same grid" in found.explanation
    assert found.measurements["same_grid"]["previous_steps"]
    assert found.measurements["shifted_grid"]["grid"] is None


def test_below_one_half_a_coarse_file_says_less_than_a_fine_one(scene):
    assert finding(saved(scene, 95)).score < finding(saved(scene, 50)).score < 0.5


# What cannot be judged


def test_a_flat_picture_tells_nothing():
    found = finding(saved(np.full((200, 200, 3), 90, np.uint8), 80))
    assert found.score is None and "too little detail" in found.explanation


@pytest.mark.parametrize("make", [np.zeros, np.ones])
def test_black_and_saturated_pictures_tell_nothing(make):
    assert finding(saved((255 * make((160, 160, 3))).astype(np.uint8), 90)).score is None


def test_a_checkerboard_is_no_double_compression():
    board = np.kron(np.indices((40, 40)).sum(axis=0) % 2, np.ones((5, 5))) * 200
    found = finding(saved(np.stack([board.astype(np.uint8)] * 3, axis=2), 85))
    assert found.score is None or found.score <= 0.5


def test_small_and_other_files_are_refused(scene):
    with pytest.raises(NotApplicable, match="136 x 136"):
        finding(saved(scene[:100, :300], 80))
    with pytest.raises(NotApplicable, match="136 x 136"):
        finding(saved(scene[:1, :300], 80))
    with pytest.raises(NotApplicable, match="not a JPEG file"):
        compression_count.detect(forensix.open(scene))


def test_wrong_shapes_are_refused():
    with pytest.raises(ParameterError, match="levels"):
        compression_count.compression_history(np.zeros((20, 20, 64), np.int16), np.ones((8, 8), int))


@pytest.mark.parametrize("more", [{"progressive": True}, {"subsampling": 0}, {"optimize": True}])
def test_the_coding_of_the_file_does_not_matter(scene, more):
    once = opened(saved(scene, 70))
    assert finding(saved(once, 90, **more)).score > 0.9


def test_grey_files(scene):
    once = opened(saved(scene, 70))[:, :, 1]
    found = finding(saved(once, 90))
    assert found.score is not None and found.measurements["fine_chroma_share"] is None


def test_steps_above_255(scene):
    jpeg = forensix.open(saved(scene, 50)).jpeg
    past = compression_count.compression_history(jpeg.coefficients[0] // 4, jpeg.quantization[0] * 40)
    assert np.isfinite(past.aligned.strength) and np.isfinite(past.shifted.strength)


# First digits and fine chroma


def test_digits_that_follow_the_law_do_not_diverge():
    law = np.log10(1 + 1 / (0.2 + np.arange(1, 10) ** 1.5))
    law /= law.sum()
    levels = np.repeat(np.arange(1, 10), np.rint(50_000 * law).astype(int))
    levels = levels[: len(levels) // 63 * 63].reshape(-1, 63)
    table = np.concatenate([np.zeros((len(levels), 1), int), levels], axis=1)
    assert _digits.benford_divergence(table) < 1e-3
    assert _digits.benford_divergence(np.where(table == 3, 5, table)) > 0.05
    assert _digits.benford_divergence(np.zeros((500, 64), int)) is None


def test_subsampling_takes_fine_chroma_away():
    rng = np.random.default_rng(6)
    levels = rng.integers(1, 5, (200, 8, 8))
    assert _digits.fine_chroma_share(levels.reshape(-1, 64)) == pytest.approx((32 / 63, 32 / 63))
    levels[:, :, 4:] = 0
    vertical, horizontal = _digits.fine_chroma_share(levels.reshape(-1, 64))
    assert horizontal == 0 and vertical > 0.5
    assert _digits.fine_chroma_share(np.zeros((200, 64), int)) is None


def test_tables_of_the_first_compression_are_libjpegs():
    np.testing.assert_array_equal(_grid_phase.first_tables()[55], ijg_table(75))
