"""Another grid beneath the file's own: the search, the map, and the decision on real pixels."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy.fft import dctn

import forensix
from forensix.detectors.jpeg import _shifted_map, _shifted_model, _shifted_search
from forensix.detectors.jpeg import nonaligned_quantization as nonaligned
from forensix.errors import NotApplicable, ParameterError

BOX = (112, 160, 176, 208)  # top, left, rows, cols of every paste below


def saved(pixels, quality, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, **options)
    return stream.getvalue()


def opened(data):
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.fixture(scope="module")
def scene():
    return np.ascontiguousarray(skimage.data.astronaut()[:448])


@pytest.fixture(scope="module")
def other():
    return np.ascontiguousarray(skimage.data.coffee()[:400, :600])


def pasted(host, donor, *, shift=(0, 0)):
    """The donor's box, moved by `shift` in the donor, put into the host."""
    top, left, rows, cols = BOX
    made = host.copy()
    made[top : top + rows, left : left + cols] = donor[top - shift[0] :, left - shift[1] :][:rows, :cols]
    return made


def overlap(finding, shape, box=BOX):
    """Share of the box that the map marks, and share of the marked that lies outside it."""
    top, left, rows, cols = box
    marked = np.nan_to_num(finding.heatmap.full_size(*shape)) > 0.5
    inside = marked[top : top + rows, left : left + cols]
    return inside.mean(), 1 - inside.sum() / max(marked.sum(), 1)


# --- the parts


def test_planes_are_the_transform_of_every_window():
    pixels = np.random.default_rng(0).normal(0, 40, (24, 32)).astype(np.float32)
    for frequency in _shifted_search.FREQUENCIES:
        plane = _shifted_search.coefficient_plane(pixels, frequency)
        for row, col in ((0, 0), (5, 11), (16, 24)):
            wanted = dctn(pixels[row : row + 8, col : col + 8].astype(float), norm="ortho")[frequency]
            assert plane[row, col] == pytest.approx(wanted, abs=1e-3)


def test_low_coefficients_are_those_of_the_grid():
    pixels = np.random.default_rng(1).normal(0, 40, (31, 40)).astype(np.float32)
    found = _shifted_model.low_coefficients(pixels, 8 * 3 + 5)
    assert found.shape == (len(_shifted_search.FREQUENCIES), 3, 4)
    block = dctn(pixels[11:19, 21:29].astype(float), norm="ortho")
    for nth, frequency in enumerate(_shifted_search.FREQUENCIES):
        assert found[nth, 1, 2] == pytest.approx(block[frequency], abs=1e-3)


def test_gathered_tiles_hold_every_window_of_theirs():
    pixels = np.arange(200 * 300, dtype=np.float32).reshape(200, 300)
    tops, lefts = np.array([0, 128]), np.array([64, 192])
    mosaic, new_tops, new_lefts = _shifted_search.gathered(pixels, tops, lefts)
    for top, new_top in zip(tops, new_tops, strict=True):
        for left, new_left in zip(lefts, new_lefts, strict=True):
            np.testing.assert_array_equal(
                mosaic[new_top : new_top + 71, new_left : new_left + 71],
                pixels[top : top + 71, left : left + 71],
            )


def test_noise_without_clusters_has_no_amplitude():
    assert not _shifted_search.amplitudes(np.array([1, 2, 8]), np.array([0.1, 5.0, 50.0])).any()
    assert _shifted_search.amplitudes(np.array([16]), np.array([0.5]))[0] > 0.9


def test_over_dispersion_of_independent_blocks_is_one():
    generator = np.random.default_rng(2)
    power = np.full((64, 64), 2.0, np.float32)
    alone = generator.normal(0, 2, power.shape).astype(np.float32)
    together = np.kron(generator.normal(0, 2, (16, 16)), np.ones((4, 4))).astype(np.float32)
    everywhere = np.ones(power.shape, bool)
    assert _shifted_map.over_dispersion(alone, power, everywhere) < 1.3
    assert _shifted_map.over_dispersion(together, power, everywhere) > 8


# --- whole pictures and parts


def test_finds_a_part_that_came_from_a_jpeg_off_the_grid(scene, other):
    shift = (3, 6)
    finding = nonaligned.detect(
        forensix.open(saved(pasted(other, opened(saved(scene, 70)), shift=shift), 92))
    )
    inside, outside = overlap(finding, other.shape[:2])
    assert finding.score > 0.9 and finding.measurements["grid"] == list(shift)
    assert abs(finding.measurements["previous_quality"] - 70) <= 2
    assert inside > 0.8 and outside < 0.15
    assert "row 3, column 6" in finding.explanation and finding.regions


def test_finds_the_part_that_lacks_the_grid_of_a_cropped_picture(scene, other):
    made = pasted(opened(saved(scene, 75)), other)[2:, 5:]
    finding = nonaligned.detect(forensix.open(saved(made, 93)))
    top, left, rows, cols = BOX
    inside, outside = overlap(finding, made.shape[:2], (top - 2, left - 5, rows, cols))
    assert finding.score > 0.9 and finding.measurements["majority"] == "with"
    assert finding.measurements["grid"] == [6, 3] and inside > 0.7 and outside < 0.2


def test_says_nothing_against_their_untouched_twins(scene, other):
    cropped = nonaligned.detect(forensix.open(saved(opened(saved(scene, 75))[2:, 5:], 93)))
    once = nonaligned.detect(forensix.open(saved(other, 92)))
    again = nonaligned.detect(forensix.open(saved(opened(saved(other, 80)), 92)))
    for finding in (cropped, once, again):
        assert finding.score <= 0.5 and not finding.regions
        assert finding.heatmap is None or np.nanmax(finding.heatmap.values) <= 0.5
    assert "whole picture" in cropped.explanation and cropped.measurements["grid"] == [6, 3]
    assert once.measurements.get("grid") is None


def test_abstains_where_no_earlier_grid_could_show(scene):
    finding = nonaligned.detect(forensix.open(saved(scene, 8)))
    assert finding.score is None and "nothing can be said" in finding.explanation


@pytest.mark.parametrize("name", ["flat", "black", "white", "noise", "checkerboard", "ramp"])
def test_survives_pictures_without_content(name):
    rows, cols = np.indices((160, 176))
    grey = {
        "flat": np.full(rows.shape, 120),
        "black": np.zeros(rows.shape),
        "white": np.full(rows.shape, 255),
        "noise": np.random.default_rng(5).integers(0, 256, rows.shape),
        "checkerboard": (rows + cols) % 2 * 255,
        "ramp": cols + rows / 4,
    }[name].astype(np.uint8)
    finding = nonaligned.detect(forensix.open(saved(np.dstack([grey] * 3), 90)))
    assert finding.score is None or finding.score <= 0.5


def test_refuses_what_it_cannot_read(scene):
    stream = io.BytesIO()
    Image.fromarray(scene).save(stream, "PNG")
    with pytest.raises(NotApplicable, match="coefficients"):
        nonaligned.detect(forensix.open(stream.getvalue()))
    with pytest.raises(NotApplicable, match="smaller than 144"):
        nonaligned.detect(forensix.open(saved(scene[:143], 90)))
    with pytest.raises(ParameterError):
        nonaligned.nonaligned_map(np.zeros((144, 100), np.float32), np.ones(15))


def test_grey_and_progressive_files_are_read_too(scene, other):
    made = pasted(other, opened(saved(scene, 70)), shift=(1, 4))
    grey = np.asarray(Image.fromarray(made).convert("L"))
    for data in (saved(grey, 93), saved(made, 93, progressive=True, subsampling=0)):
        finding = nonaligned.detect(forensix.open(data))
        assert finding.score > 0.5 and finding.measurements["grid"] == [1, 4]


def test_what_has_the_grid_in_a_picture_without_detail_is_the_part(scene):
    """Where only the part can be judged, the rest is not called changed."""
    rows = np.indices((400, 600))[0]
    sky = np.dstack([90 + rows / 5 + by for by in (0, 20, 60)]).astype(np.uint8)
    sky[:, :30] = np.random.default_rng(3).integers(80, 160, (400, 30, 3))
    finding = nonaligned.detect(forensix.open(saved(pasted(sky, opened(saved(scene, 70)), shift=(3, 6)), 92)))
    inside, outside = overlap(finding, sky.shape[:2])
    assert finding.score is None or finding.score <= 0.5 or (inside > 0.5 and outside < 0.3)
