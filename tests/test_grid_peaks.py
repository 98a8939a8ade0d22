"""Alternating steps: found on doubled pictures, not on blocks, mosaics or nothing."""

import cv2
import numpy as np
import pytest

import forensix
from forensix.detectors.synthetic import grid_peaks
from forensix.errors import NotApplicable, ParameterError
from forensix.forgery.generators import UPSAMPLINGS, generate
from tests.hostile import saved
from tests.reference.alternation import alternating_depth


def photo(name="astronaut"):
    from skimage import data

    return np.ascontiguousarray(getattr(data, name)())


def encoded(pixels, quality=None):
    return forensix.open(saved(pixels, "JPEG", quality=quality) if quality else saved(pixels, "PNG"))


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_finds_made_generators(upsampling):
    edit = generate(photo("coffee")[:384, :512], rng=np.random.default_rng(1), upsampling=upsampling, model=3)
    found = grid_peaks.detect(encoded(edit.image))
    assert found.score > 0.6 and found.measurements["height"] > grid_peaks.DECISION
    assert "alternat" in found.explanation or "by turns" in found.explanation


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket", "camera", "brick"])
@pytest.mark.parametrize("quality", [None, 95, 75, 50])
def test_silent_on_photos(name, quality):
    assert grid_peaks.detect(encoded(photo(name), quality)).score <= 0.5


@pytest.mark.parametrize("factor", [0.4, 0.5, 0.61, 0.75])
def test_silent_on_reduced_photos(factor):
    small = cv2.resize(photo(), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    for quality in (None, 80):
        assert grid_peaks.detect(encoded(small, quality)).score <= 0.5


def test_depth_against_the_reference():
    rng = np.random.default_rng(0)
    steps = 2 + 0.3 * rng.random(400)
    steps[1::2] *= 1.2
    found = grid_peaks.alternation(steps.astype(np.float32))
    assert abs(found.depth) == pytest.approx(abs(alternating_depth(steps + grid_peaks.SOFT)), rel=0.15)
    assert found.height > 10


def test_blocks_are_allowed_for():
    rng = np.random.default_rng(0)
    steps = 2 + 0.1 * rng.random(800)
    steps[7::8] *= 1.6  # block borders
    found = grid_peaks.alternation(steps.astype(np.float32))
    assert found.blocks > 0.05 and found.height < 1
    shifted = grid_peaks.alternation(np.roll(steps, 3).astype(np.float32))
    assert shifted.height < 1


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((200, 200, 3), 255, np.uint8),
        np.zeros((128, 128), np.uint8),
        np.kron(np.eye(2, dtype=np.uint8)[np.arange(16) % 2][:, np.arange(16) % 2] * 255, np.ones((16, 16), np.uint8)),
        np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8),
    ],
)  # fmt: skip
def test_odd_pictures_raise_no_alarm(pixels):
    found = grid_peaks.detect(encoded(pixels))
    assert found.score is None or found.score <= 0.5


def test_repeated_rows_and_columns_are_no_generator():
    found = grid_peaks.detect(encoded(np.kron(photo("page"), np.ones((2, 2), np.uint8))))
    assert found.score is None and "twice" in found.explanation


def test_too_small_is_not_applicable():
    with pytest.raises(NotApplicable, match="128"):
        grid_peaks.detect(encoded(np.zeros((127, 500, 3), np.uint8)))
    with pytest.raises(ParameterError, match="1-D"):
        grid_peaks.alternation(np.zeros((4, 4), np.float32))
