"""The pattern of a colour filter array: found, named, and missed where it is missing."""

import io

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

import forensix
from forensix.detectors.camera import _mosaic_windows as mosaic
from forensix.detectors.camera import demosaicing as method
from forensix.errors import NotApplicable, ParameterError
from forensix.signal import mosaic_trace as trace
from tests.reference import mosaic_trace as reference

ARRAYS = ("RGGB", "GRBG", "GBRG", "BGGR")
# OpenCV names an array by its second row, from the second pixel on.
OPENCV = {"RGGB": "BG", "GRBG": "GB", "GBRG": "GR", "BGGR": "RG"}


def scene(rows=400, cols=600):
    """A photo with the noise of a sensor, before it went through an array."""
    photo = skimage.data.coffee()[:rows, :cols].astype(float)
    noisy = 20 + 0.8 * photo + 3 * np.random.RandomState(3).standard_normal(photo.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def edge_directed(rgb, array):
    red = reference.FIRST_ROWS[array]
    raw = rgb[..., 1].copy()
    raw[red[0] :: 2, red[1] :: 2] = rgb[red[0] :: 2, red[1] :: 2, 0]
    raw[1 - red[0] :: 2, 1 - red[1] :: 2] = rgb[1 - red[0] :: 2, 1 - red[1] :: 2, 2]
    return cv2.cvtColor(raw, getattr(cv2, f"COLOR_Bayer{OPENCV[array]}2RGB_EA"))


def pasted(host, donor):
    rows, cols = np.indices(host.shape[:2])
    disc = (rows - 200) ** 2 + (cols - 350) ** 2 < 110**2
    return np.where(disc[..., None], donor, host), disc


def stored(rgb, kind, **options):
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, kind, **options)
    return forensix.open(stream.getvalue())


def test_residuals_are_those_of_the_pixels():
    rgb = np.random.RandomState(1).randint(0, 256, (19, 34, 3)).astype(np.uint8)
    found = trace.lattice_residuals(rgb)
    np.testing.assert_allclose(found, reference.lattice_residuals(rgb), rtol=1e-4)
    with pytest.raises(ParameterError, match="16"):
        trace.lattice_residuals(rgb[:15])


def test_contrasts_have_the_sign_of_the_larger():
    residuals = np.ones((2, 2, 5, 2, 2), np.float32)
    residuals[..., 0, 0] = 4
    found, level = trace.contrasts(residuals)
    np.testing.assert_allclose(found, np.log(4.1 / 1.1) / 2, rtol=1e-5)
    np.testing.assert_allclose(level, (np.log(4.1) + 3 * np.log(1.1)) / 4, rtol=1e-5)
    moved, _ = trace.contrasts(residuals[..., ::-1])
    np.testing.assert_allclose(moved.reshape(2, 2, 5, 3), found.reshape(2, 2, 5, 3) * [1, -1, -1], rtol=1e-5)


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("demosaic", [reference.demosaicked, edge_directed])
def test_arrays_are_named(array, demosaic):
    found = method.mosaic_pattern(demosaic(scene(304, 304), array))
    assert found.trace.present and found.array == array
    assert not found.area.any()


@pytest.mark.parametrize(("donor", "words"), [("none", "does not show it"), ("GBRG", "one row out of place")])
def test_what_does_not_belong_to_the_pattern_is_found(donor, words):
    other = scene()[:, ::-1]
    if donor != "none":
        other = edge_directed(np.ascontiguousarray(other), donor)
    rgb, disc = pasted(edge_directed(scene(), "RGGB"), other)
    finding = method.detect(forensix.open(rgb))
    assert finding.score > 0.5 and finding.measurements["array"] == "RGGB"
    assert words in finding.explanation and "RGGB" in finding.explanation
    marked = finding.heatmap.full_size(*disc.shape) > 0.5
    assert 2 * (marked & disc).sum() / (marked.sum() + disc.sum()) > 0.6
    assert marked.sum() == sum(region.area for region in finding.regions)


def test_a_whole_pattern_is_calm():
    finding = method.detect(forensix.open(edge_directed(scene(), "GRBG")))
    assert finding.score <= 0.5 and not finding.regions
    assert np.nanmax(finding.heatmap.values) <= 0.5
    assert finding.measurements["array"] == "GRBG" and "no area lacks it" in finding.explanation


def test_a_large_picture_is_sampled_first(monkeypatch):
    seen = []
    full = trace.lattice_residuals
    monkeypatch.setattr(method, "lattice_residuals", lambda rgb: seen.append(rgb.shape) or full(rgb))
    tiled = np.tile(scene(400, 600), (3, 2, 1))
    assert method.mosaic_pattern(tiled).area is None
    assert seen == [(1024, 1024, 3)]


@pytest.mark.parametrize(
    "change",
    [lambda rgb: rgb, lambda rgb: cv2.resize(rgb, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_CUBIC)],
)
def test_without_a_pattern_nothing_is_said(change):
    plain = scene() if change(scene()).shape == scene().shape else edge_directed(scene(), "RGGB")
    finding = method.detect(forensix.open(change(plain)))
    assert finding.score is None and finding.heatmap is None and "no pattern" in finding.explanation


def test_generated_periods_in_all_colours_are_no_array():
    row, col = np.indices((304, 304))
    grey = np.random.RandomState(2).normal(128, 4, (304, 304)) * 1.0
    grey[(row + col) % 2 == 0] += 0.02
    assert not method.mosaic_pattern(np.dstack([np.rint(grey)] * 3).astype(np.uint8)).trace.present


@pytest.mark.parametrize("value", [0, 90, 255])
def test_flat_pictures_say_nothing(value):
    flat = np.full((300, 300, 3), value, np.uint8)
    flat[0, 0] = (1, 2, 3)
    finding = method.detect(forensix.open(flat))
    assert finding.score is None and "too little" in finding.explanation


def test_checkerboards_and_noise_raise_no_alarm():
    checks = (np.indices((304, 304)).sum(axis=0) % 2)[..., None] * np.array([90, 80, 60]) + 60
    noisy = np.random.RandomState(5).randint(10, 240, (304, 304, 3))
    for odd in (checks, noisy):
        assert (method.detect(forensix.open(odd.astype(np.uint8))).score or 0) <= 0.5


def test_lossy_small_and_grey_pictures_do_not_apply():
    rgb = edge_directed(scene(304, 304), "RGGB")
    assert method.detect(stored(rgb, "JPEG", quality=99, subsampling=0)).measurements["array"] == "RGGB"
    for wrong, why in (
        (stored(rgb, "JPEG", quality=95), "JPEG compression at quality 95"),
        (stored(rgb, "WEBP"), "WEBP compression"),
        (forensix.open(rgb[:200]), "256 x 256"),
        (forensix.open(rgb[..., 1]), "grey"),
    ):
        with pytest.raises(NotApplicable, match=why):
            method.detect(wrong)


def test_lack_is_none_where_all_is_as_expected():
    ones = np.ones((20, 20))
    there = [mosaic.MosaicCells(9 * ones, 9 * ones, 9 * ones)] * 3
    assert not mosaic.lack(there, 5).any()
    gone = mosaic.MosaicCells(0 * ones, 9 * ones, 9 * ones)
    assert (mosaic.lack([*there[:2], gone], 5) == 1).all()
    empty = mosaic.MosaicCells(0 * ones, 0 * ones, 0 * ones)
    assert np.isnan(mosaic.lack([empty] * 3, 5)).all()
