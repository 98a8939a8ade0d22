"""A PNG that was a JPEG: the likelihood against an oracle, grid and quality of pictures with a known past."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

import forensix
from forensix.detectors.jpeg import was_jpeg
from forensix.errors import NotApplicable, ParameterError
from tests.reference import jpeg_history as oracle


@pytest.fixture(scope="module")
def scene():
    photo = Image.fromarray(skimage.data.rocket())
    return np.array(photo.resize((517, 345), Image.Resampling.LANCZOS))


def jpeg(pixels, quality=None, **more):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **({"quality": quality} if quality else {}), **more)
    return np.array(Image.open(io.BytesIO(stream.getvalue())).convert("RGB"))


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def finding(pixels):
    return was_jpeg.detect(forensix.open(png(pixels)))


def test_the_likelihood_is_that_of_a_lattice():
    coefficients = np.zeros((3, 64))
    coefficients[:, 5] = [12.0, -7.25, 30.5]
    found, number = was_jpeg.step_likelihood(coefficients)
    assert number[5] == 3 and number.sum() == 3
    for step in (1, 2, 6, 15):
        expected = sum(
            oracle.lattice_log_density(value, step, was_jpeg.NOISE, was_jpeg.STRAYS)
            for value in coefficients[:, 5]
        )
        assert found[5, step - 1] == pytest.approx(expected, abs=1e-3)
    assert np.all(found[:5] == 0), "zeros are multiples of every step and must not count"


@pytest.mark.parametrize(
    ("quality", "cut", "subsampling"),
    [(50, (0, 0), 2), (62, (1, 7), 0), (75, (3, 5), 2), (88, (4, 4), 1), (95, (6, 2), 2), (97, (0, 3), 0)],
)
def test_grid_and_quality_are_found(scene, quality, cut, subsampling):
    found = finding(np.ascontiguousarray(jpeg(scene, quality, subsampling=subsampling)[cut[0] :, cut[1] :]))
    assert found.score > 0.5
    assert found.measurements["grid"] == [-cut[0] % 8, -cut[1] % 8]
    assert abs(found.measurements["previous_quality"] - quality) <= 2
    assert f"quality about {found.measurements['previous_quality']}" in found.explanation


def test_tables_that_are_not_libjpegs_are_said_to_be_others(scene):
    table = (4 + np.add.outer(np.arange(8), 3 * np.arange(8))[::-1]).ravel().tolist()
    found = finding(jpeg(scene, qtables=[table, table]))
    assert found.measurements["previous_quality"] is None and "not libjpeg's" in found.explanation
    steps = np.array(found.measurements["steps"])
    told = steps > 1
    assert told.sum() > 40
    np.testing.assert_array_equal(steps[told], np.reshape(table, (8, 8))[told])


def test_an_untouched_picture_is_left_in_peace(scene):
    found = finding(scene)
    assert found.score is None and found.measurements["grid"] is None
    assert "no trace" in found.explanation


def test_a_resized_jpeg_tells_nothing(scene):
    small = Image.fromarray(jpeg(scene, 70)).resize((401, 271), Image.Resampling.LANCZOS)
    assert finding(np.array(small)).score is None


def test_grey_and_alpha_pictures(scene):
    once = jpeg(scene[:, :, 1], 70)
    assert finding(once[:, :, 0]).measurements["previous_quality"] == 70
    assert finding(np.dstack([once, np.full(once.shape[:2], 200, np.uint8)])).measurements["grid"] == [0, 0]


@pytest.mark.parametrize("value", [0, 90, 255])
def test_flat_pictures_tell_nothing(value):
    assert finding(np.full((160, 200, 3), value, np.uint8)).score is None


def test_a_checkerboard_tells_nothing():
    board = (np.kron(np.indices((50, 50)).sum(axis=0) % 2, np.ones((5, 5))) * 255).astype(np.uint8)
    assert finding(board).score is None


def test_drawn_pictures_tell_nothing():
    rng = np.random.default_rng(8)
    drawn = np.kron(rng.integers(0, 4, (25, 25)) * 60, np.ones((11, 11))).astype(np.uint8)
    assert finding(drawn).score is None


def test_jpeg_and_lossy_files_are_refused(scene):
    stream = io.BytesIO()
    Image.fromarray(scene).save(stream, "JPEG")
    with pytest.raises(NotApplicable, match="is a JPEG"):
        was_jpeg.detect(forensix.open(stream.getvalue()))
    stream = io.BytesIO()
    Image.fromarray(scene).save(stream, "WEBP", quality=80)
    with pytest.raises(NotApplicable, match="WEBP quantizes"):
        was_jpeg.detect(forensix.open(stream.getvalue()))


def test_small_pictures_and_wrong_shapes_are_refused(scene):
    with pytest.raises(NotApplicable, match="136 x 136"):
        finding(scene[:135])
    with pytest.raises(NotApplicable, match="136 x 136"):
        finding(scene[:1, :400])
    with pytest.raises(ParameterError, match="luma"):
        was_jpeg.jpeg_past(scene)
