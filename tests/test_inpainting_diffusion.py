import functools
import io

import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.detectors.removal import _fill_likelihood as likelihood
from forensix.detectors.removal import _fill_regions as areas
from forensix.detectors.removal import inpainting_diffusion as diffusion
from forensix.errors import NotApplicable, ParameterError
from tests.hostile import saved

CENTRE, RADIUS = (180, 200), 40


@functools.cache
def photo(name="astronaut"):
    from skimage import data

    pixels = np.ascontiguousarray(getattr(data, name)())
    pixels.flags.writeable = False
    return pixels


def disc(shape, centre=CENTRE, radius=RADIUS):
    i, j = np.ogrid[: shape[0], : shape[1]]
    return (i - centre[0]) ** 2 + (j - centre[1]) ** 2 <= radius**2


def harmonic(pixels, hole):
    """A hole filled by relaxing Laplace's equation: of a tool that the model was not fitted to."""
    rows, cols = (np.flatnonzero(hole.any(axis=axis)) for axis in (1, 0))
    window = np.s_[rows[0] - 1 : rows[-1] + 2, cols[0] - 1 : cols[-1] + 2]
    filled, inside = pixels[window].astype(float), hole[window]
    filled[inside] = filled[inside].mean(axis=0)
    for _ in range(1500):
        around = filled[:-2, 1:-1] + filled[2:, 1:-1] + filled[1:-1, :-2] + filled[1:-1, 2:]
        filled[1:-1, 1:-1][inside[1:-1, 1:-1]] = around[inside[1:-1, 1:-1]] / 4
    whole = pixels.copy()
    whole[window] = np.rint(filled)
    return whole


def by_opencv(pixels, hole, flag):
    import cv2

    return cv2.inpaint(pixels, hole.astype(np.uint8), 5, getattr(cv2, flag))


def png(pixels):
    return forensix.open(saved(pixels, "PNG"))


def f1(found, truth):
    return 2 * np.count_nonzero(found & truth) / (np.count_nonzero(found) + np.count_nonzero(truth))


@pytest.mark.parametrize("tool", ["INPAINT_TELEA", "INPAINT_NS", "harmonic"])
@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_finds_a_filled_hole(name, tool):
    hole = disc(photo(name).shape)
    filled = harmonic(photo(name), hole) if tool == "harmonic" else by_opencv(photo(name), hole, tool)
    finding = diffusion.detect(png(filled))
    assert finding.score > 0.9
    assert f1(finding.heatmap.full_size(*hole.shape) > 0.5, hole) > 0.88
    assert len(finding.regions) == 1 and finding.regions[0].role == "tampered"
    assert "hole filled" in finding.explanation


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_silent_on_untouched_photos(name):
    finding = diffusion.detect(png(photo(name)))
    assert finding.score < 0.5
    assert finding.regions == ()
    assert np.nanmax(finding.heatmap.values) <= 0.5


def test_light_compression_leaves_some_of_it():
    hole = disc(photo().shape)
    buffer = io.BytesIO()
    Image.fromarray(by_opencv(photo(), hole, "INPAINT_NS")).save(buffer, "JPEG", quality=97)
    finding = diffusion.detect(forensix.open(buffer.getvalue()))
    assert finding.score > 0.5
    assert f1(finding.heatmap.full_size(*hole.shape) > 0.5, hole) > 0.8
    buffer = io.BytesIO()
    Image.fromarray(photo()).save(buffer, "JPEG", quality=97)
    assert diffusion.detect(forensix.open(buffer.getvalue())).score < 0.5


def test_two_holes_are_two_regions():
    holes = disc(photo().shape) | disc(photo().shape, (400, 380), 32)
    finding = diffusion.detect(png(by_opencv(photo(), holes, "INPAINT_NS")))
    assert len(finding.regions) == 2
    assert finding.explanation.startswith("2 regions")


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((64, 64, 3)),
        np.full((80, 90, 3), 255),
        np.full((80, 90, 3), (90, 120, 60)),
        np.repeat(np.indices((128, 128)).sum(axis=0)[..., None] % 2 * 255, 3, axis=2),
    ],
)
def test_cannot_tell_without_content(pixels):
    found = diffusion.filled_holes(pixels.astype(np.uint8))
    assert not found.mask.any() and found.holes == ()


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_in_noise_and_gradients(seed):
    generator = np.random.default_rng(seed)
    i, j = np.mgrid[:192, :256]
    ramp = np.stack([40 + i / 2 + j / 4, 60 + j / 3, 90 + i / 3], axis=-1)
    for strength in (0, 0.7, 5):
        pixels = np.rint(ramp + generator.normal(0, strength, ramp.shape)).astype(np.uint8)
        assert not diffusion.filled_holes(pixels).mask.any()


def test_even_picture_is_null_not_zero():
    pixels = np.full((96, 96, 3), (90, 120, 60), np.uint8)
    finding = diffusion.detect(png(pixels))
    assert finding.score is None and finding.heatmap is None
    assert "too dark" in finding.explanation


@pytest.mark.parametrize(
    "evidence, reason",
    [
        (lambda: png(photo()[:63]), "64 x 64"),
        (lambda: png(photo()[..., 0]), "no three"),
        (lambda: png(np.repeat(photo()[..., :1], 3, axis=2)), "all the same"),
    ],
)
def test_says_where_it_does_not_apply(evidence, reason):
    with pytest.raises(NotApplicable, match=reason):
        diffusion.detect(evidence())


@pytest.mark.parametrize(
    "kind, options, reason",
    [("JPEG", {"quality": 80}, "at quality 80"), ("WEBP", {}, "WEBP compression"), ("GIF", {}, "palette")],
)
def test_formats_that_cover_the_trace(kind, options, reason):
    buffer = io.BytesIO()
    Image.fromarray(photo()).save(buffer, kind, **options)
    with pytest.raises(NotApplicable, match=reason):
        diffusion.detect(forensix.open(buffer.getvalue()))


def test_refuses_what_is_no_colour_picture():
    with pytest.raises(ParameterError):
        diffusion.filled_holes(np.zeros((100, 100), np.uint8))


def test_a_region_is_measured_against_its_ring():
    odds = np.full((60, 80), -4.0, np.float32)
    odds[20:32, 30:50] = 4.0
    odds[5:9, 5:9] = np.nan
    field, labels, regions = areas.fill_regions(odds)
    assert len(regions) == 1
    region = regions[0]
    assert (region.cells, region.mean, region.ring, region.elsewhere) == (240, 4.0, -4.0, 0.0)
    assert region.edge == pytest.approx((240 - 10 * 18) / (4 * np.sqrt(240)))
    mask = areas.hole_pixels(field, labels, [region.label], 240, 320)
    truth = np.zeros((240, 320), bool)
    truth[80:128, 120:200] = True
    assert f1(mask, truth) > 0.95


def test_rises_with_size_and_contrast():
    def weight(**changes):
        traits = {"label": 1, "cells": 60, "mean": 4.0, "ring": -4.0, "edge": 0.9, "elsewhere": 0.001}
        return diffusion.region_log_odds(areas.FillRegion(**{**traits, **changes}))

    plain = weight()
    assert weight(cells=200) > plain > weight(cells=10)
    assert weight(mean=5.0) > plain > weight(ring=-1.0)
    assert plain > weight(elsewhere=0.1) and plain > weight(edge=1.5)


def test_the_model_of_one_picture_is_the_perceptron():
    model = likelihood.load_model()
    generator = np.random.default_rng(4)
    cells, windows = generator.normal(size=(2, 50, 13))
    quantiles = generator.normal(size=(3, 13))
    inputs = np.concatenate([cells, windows, *(windows - row for row in quantiles)], axis=1)
    units = ((inputs - model.centre) / model.scale) @ model.hidden + model.hidden_bias
    expected = np.maximum(units, 0) @ model.output + model.output_bias
    judge = model.against(quantiles.astype(np.float32))
    got = judge.log_odds(cells.astype(np.float32), windows.astype(np.float32))
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)


def test_the_outermost_cells_are_not_judged():
    from forensix.native.fill_traces import fill_traces

    odds = likelihood.fill_log_odds(fill_traces(photo()))
    assert np.isnan(odds[[0, -1]]).all() and np.isnan(odds[:, [0, -1]]).all()
    assert np.isfinite(odds[1:-1, 1:-1]).mean() > 0.5


def test_a_region_must_stand_out_from_a_crowd():
    crowd = [2.0 - 0.1 * n for n in range(40)]
    assert diffusion.least_log_odds(crowd[:16]) == diffusion.DECISION
    assert diffusion.least_log_odds(crowd) == pytest.approx(2.0 - 1.6 + np.log(1700))
    assert diffusion.least_log_odds([9.0] + 40 * [-20.0]) == diffusion.DECISION


def test_a_crowd_of_smooth_regions_cannot_be_told(monkeypatch):
    """As flat blocks of a video codec all over a photo."""
    pixels = photo()
    for row in range(40, 480, 60):
        for col in range(40, 480, 60):
            pixels = by_opencv(pixels, disc(pixels.shape, (row, col), 14), "INPAINT_NS")
    monkeypatch.setattr(diffusion, "region_log_odds", lambda region: 1.5 + 0.001 * region.cells)
    finding = diffusion.detect(png(pixels))
    assert finding.measurements["smooth_regions"] >= 17
    assert finding.score is None and finding.regions == () and "all over the picture" in finding.explanation
