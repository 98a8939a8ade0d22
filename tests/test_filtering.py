"""Areas that were filtered where the rest was not."""

import functools
import io

import cv2
import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.detectors.splicing import _filter_features as traces
from forensix.detectors.splicing import _filter_model as models
from forensix.detectors.splicing import filtering
from forensix.errors import NotApplicable, ParameterError
from tests.reference import filter_traces as reference


@functools.cache
def photo(name="coffee"):
    from skimage import data

    pixels = np.ascontiguousarray(getattr(data, name)())
    pixels.flags.writeable = False
    return pixels


def opened(pixels, kind="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return forensix.open(buffer.getvalue())


def partly(pixels, changed, box):
    result = pixels.copy()
    result[box] = changed[box]
    return result


FILTERS = {
    "median 3": lambda pixels: cv2.medianBlur(pixels, 3),
    "median 5": lambda pixels: cv2.medianBlur(pixels, 5),
    "Gaussian": lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 1.2),
}


def test_planes_are_what_the_paper_says():
    green = np.random.default_rng(3).integers(90, 160, (96, 96)).astype(np.uint8)
    green[32:64, 32:64] = cv2.medianBlur(green, 3)[32:64, 32:64]
    planes = traces.cell_planes(green)[1, 1]
    cell = (32, 32, 32)
    residuals = (
        reference.median_residual(green, 3),
        reference.median_residual(green, 5),
        reference.predictor_residual(green),
    )
    for n, residual in enumerate(residuals):
        own = planes[n * traces.SUMS : (n + 1) * traces.SUMS]
        assert own[0] == pytest.approx(reference.moment(residual, cell, ((0, 0), (0, 0))), rel=1e-4)
        assert own[1] == pytest.approx(np.abs(residual[32:64, 32:64]).mean(), rel=1e-4)
        for lag, pair in enumerate(traces.LAGS):
            assert own[2 + lag] == pytest.approx(reference.moment(residual, cell, pair), rel=1e-3, abs=1e-3)
    shares = planes[len(residuals) * traces.SUMS :]
    assert shares[0] == pytest.approx(np.mean(residuals[0][32:64, 32:64] == 0))
    power, small = reference.band_traces(green, (32, 32, 32), traces.BANDS, traces.SMALL)
    np.testing.assert_allclose(shares[len(traces.SHARES) :: 2], power, rtol=1e-4)
    np.testing.assert_allclose(shares[len(traces.SHARES) + 1 :: 2], small, atol=0.02)


def test_strips_make_no_difference(monkeypatch):
    green = np.random.default_rng(4).integers(0, 256, (200, 130)).astype(np.uint8)
    whole = traces.cell_planes(green)
    monkeypatch.setattr(traces, "STRIP", 64)
    np.testing.assert_allclose(traces.cell_planes(green), whole, rtol=1e-5, atol=1e-4)


def test_the_autoregression_solves_the_yule_walker_equations():
    correlations = np.array([0.5, 0.3, -0.1, 0.05, 0.02])
    expected = reference.autoregression(correlations, traces.RIDGE)
    np.testing.assert_allclose(traces.autoregression(np.stack([correlations] * 3)), [expected] * 3, rtol=1e-6)


def test_the_shipped_numbers_fit_the_features():
    model = models.shipped_model()
    assert model.hidden.shape[0] == 4 * traces.FEATURES == model.centre.size
    assert model.output.shape[1] == len(models.KINDS)
    for name in model.__annotations__:
        sizes = np.abs(getattr(model, name))
        assert (
            np.isfinite(sizes).all() and not ((sizes > 0) & (sizes < 1e-30)).any()
        )  # subnormal ones are slow
    assert models.shipped_weights().shape == (11,)


@functools.cache
def textured(seed=3):
    """Detail of many scales and sensor noise, and no filter anywhere; (768, 768) uint8."""
    rng = np.random.default_rng(seed)
    picture = 120 + rng.normal(0, 2, (768, 768)).astype(np.float32)
    for sigma, strength in ((1.0, 5.0), (3.0, 40.0), (12.0, 300.0)):
        grain = rng.normal(0, 1, picture.shape).astype(np.float32)
        picture += strength * cv2.GaussianBlur(grain, (0, 0), sigma)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


@pytest.mark.parametrize("options", [{}, {"quality": 95}, {"quality": 90}])
@pytest.mark.parametrize("kind", list(FILTERS))
def test_a_filtered_part_is_found_where_it_is(kind, options):
    pixels, box = textured(), np.s_[256:480, 192:448]
    forged = partly(pixels, FILTERS[kind](pixels), box)
    evidence = opened(forged, "JPEG", **options) if options else opened(forged)
    finding = filtering.detect(evidence)
    assert finding.score > 0.5 and "smoothed by a filter" in finding.explanation
    found, truth = finding.heatmap.full_size(*pixels.shape) > 0.5, np.zeros(pixels.shape, bool)
    truth[box] = True
    assert 2 * np.count_nonzero(found & truth) / (found.sum() + truth.sum()) > 0.6
    top, left, rows, cols = finding.regions[0].box
    assert 220 <= top <= 300 and 150 <= left <= 240 and rows <= 290 and cols <= 320


@pytest.mark.parametrize("size", [3, 5])
def test_the_filter_is_named(size):
    pixels = photo("coffee")
    finding = filtering.detect(opened(partly(pixels, cv2.medianBlur(pixels, size), np.s_[64:288, 160:384])))
    assert finding.measurements["areas"][0]["filter"] == f"median {size}"
    assert f"a median of {size} x {size} pixels" in finding.explanation


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_photos_stay_dark(name):
    for evidence in (opened(photo(name)), opened(photo(name), "JPEG", quality=85)):
        finding = filtering.detect(evidence)
        assert finding.score <= 0.5 and not finding.regions
        assert np.nanmax(finding.heatmap.values, initial=0) <= 0.5


@pytest.mark.parametrize("kind", list(FILTERS))
def test_a_picture_filtered_as_a_whole_is_not_reported(kind):
    finding = filtering.detect(opened(FILTERS[kind](textured())))
    assert finding.score <= 0.5 and not finding.regions


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_pictures_cannot_be_told(level):
    finding = filtering.detect(opened(np.full((300, 300, 3), level, np.uint8)))
    assert finding.score is None and finding.explanation.startswith("Cannot tell")
    assert np.isnan(finding.heatmap.values).all()


def test_noise_and_checks_are_no_filter():
    rng = np.random.default_rng(8)
    noise = rng.integers(0, 256, (320, 320, 3)).astype(np.uint8)
    down, across = np.indices((320, 320))
    checks = np.repeat(((down // 9 + across // 9) % 2 * 200 + 20).astype(np.uint8)[..., None], 3, axis=2)
    for pixels in (noise, checks):
        finding = filtering.detect(opened(pixels))
        assert finding.score is None or finding.score <= 0.5


def test_what_does_not_apply_says_why():
    with pytest.raises(NotApplicable, match="256 x 256"):
        filtering.detect(opened(np.zeros((255, 600, 3), np.uint8)))
    with pytest.raises(NotApplicable, match="WEBP"):
        filtering.detect(opened(np.ascontiguousarray(photo()), "WEBP", quality=90))
    with pytest.raises(ParameterError, match="64 x 64"):
        filtering.filtering(np.zeros((1, 300), np.uint8))
    with pytest.raises(ParameterError, match="uint8"):
        traces.cell_planes(np.zeros((64, 64), np.float32))
