"""Generated parts: found where they were pasted, dark where a picture is all photo or all generated."""

import numpy as np
import pytest

import forensix
from forensix.detectors.synthetic import part
from forensix.detectors.synthetic._part_region import LEAST_REGION, part_region
from forensix.errors import NotApplicable, ParameterError
from forensix.forgery.generators import generate
from tests.hostile import saved
from tests.special_pictures import PICTURES


def photo(name="astronaut"):
    from skimage import data

    return np.ascontiguousarray(getattr(data, name)())


def png(pixels):
    return forensix.open(saved(np.ascontiguousarray(pixels), "PNG"))


def pasted():
    """A photo with a rectangle that a made decoder drew."""
    pixels = photo("retina")[300:940, 300:1020]
    made = generate(pixels, rng=np.random.default_rng(0), upsampling="decoder", stages=1, model=2).image
    mask = np.zeros(pixels.shape[:2], bool)
    mask[220:420, 240:480] = True
    return np.where(mask[..., None], made, pixels), made, mask


def test_a_generated_part_is_found_where_it_is():
    pixels, _, mask = pasted()
    found = part.detect(png(pixels))
    assert found.score > 0.5 and found.decided
    marked = found.heatmap.full_size(*mask.shape) > 0.5
    assert (marked & mask).sum() / (marked | mask).sum() > 0.4
    assert {region.role for region in found.regions} == {"tampered"}
    assert "photo" in found.explanation and found.measurements["share"] > 0.05


@pytest.mark.parametrize("name", ["astronaut", "coffee", "retina", "rocket"])
def test_photos_stay_dark(name):
    found = part.detect(png(photo(name)))
    assert found.score is None or found.score <= 0.5
    assert not found.regions
    assert found.heatmap is None or np.nanmax(found.heatmap.values) <= 0.5


def test_a_picture_generated_as_a_whole_stays_dark():
    found = part.detect(png(pasted()[1]))
    assert found.score is None or found.score <= 0.5
    assert not found.regions


def test_a_rest_that_is_no_photo_is_nothing_to_compare_with(monkeypatch):
    monkeypatch.setattr(part, "PHOTO_LIKE", -100.0)
    found = part.detect(png(pasted()[0]))
    assert found.score is None and found.heatmap is None and "nothing against which" in found.explanation


def test_where_it_does_not_apply():
    with pytest.raises(NotApplicable, match="lossy"):
        part.detect(forensix.open(saved(photo(), "JPEG", quality=95)))
    with pytest.raises(NotApplicable, match="320"):
        part.detect(png(np.zeros((319, 900, 3), np.uint8)))
    with pytest.raises(NotApplicable, match="colours"):
        part.detect(png(photo("camera")))


@pytest.mark.parametrize("kind", ["flat", "black", "noise", "checkerboard", *PICTURES])
def test_what_is_no_photograph_raises_no_alarm(kind):
    if kind in PICTURES:
        pixels = PICTURES[kind]()
    elif kind == "noise":
        pixels = np.random.default_rng(0).integers(0, 256, (400, 500, 3), np.uint8)
    else:
        pixels = np.full((400, 500, 3), (0, 0, 0) if kind == "black" else (200, 60, 60), np.uint8)
    if kind == "checkerboard":
        pixels[(np.indices((400, 500)).sum(axis=0) // 8) % 2 == 0] = (10, 200, 30)
    try:
        found = part.detect(png(pixels))
    except NotApplicable:
        return
    assert found.score is None or found.score <= 0.5
    assert found.explanation


def test_a_photo_shown_in_a_screen_is_not_told_from_a_generated_part():
    screen = np.full((900, 1200, 3), 245, np.uint8)
    screen[::30, :] = (40, 60, 110)
    screen[200:700, 300:812] = photo()[:500]
    found = part.detect(png(screen))
    assert found.score is None and "screens" in found.explanation


def test_only_what_stands_out_upwards_counts():
    rng = np.random.default_rng(1)
    heights, judged = rng.normal(-4, 1, (30, 30)), np.ones((30, 30), bool)
    calm = part_region(heights, judged, stride=2)
    heights[5:12, 5:12] += 8
    up = part_region(heights, judged, stride=2)
    truth = np.zeros_like(judged)
    truth[5:12, 5:12] = True
    assert up.distance > 6 > 2.5 > calm.distance
    assert (up.region & truth).sum() / (up.region | truth).sum() > 0.7
    assert up.nats[8, 8] > 0 > up.nats[20, 20]
    heights[5:12, 5:12] -= 16
    assert part_region(heights, judged, stride=2).distance < 3


def test_half_a_picture_and_a_few_windows_are_no_part():
    heights, judged = np.full((20, 20), -4.0), np.ones((20, 20), bool)
    heights[:10] = 4
    assert part_region(heights, judged, stride=2).distance == 0
    heights[:] = -4
    heights[3, 3] = 40
    found = part_region(heights, judged, stride=2)
    assert found.distance == 0 or found.region.sum() >= LEAST_REGION
    assert part_region(heights, np.zeros_like(judged), stride=1).distance == 0


def test_the_model_survives_its_file():
    model = part.shipped()
    again = part.PartModel.load(model.save())
    features = np.random.default_rng(2).random((3, model.mean.size), np.float32)
    np.testing.assert_allclose(again.heights(features), model.heights(features))
    for content in (b"", b"PK nothing", np.zeros(3).tobytes()):
        with pytest.raises(ParameterError, match="not a model"):
            part.PartModel.load(content)
    with pytest.raises(ParameterError, match="numbers"):
        model.heights(np.zeros(3))


def test_residuals_are_counted_once_for_all_methods_of_a_picture():
    from forensix.detectors.camera._residual_cells import residual_cells
    from forensix.native.residual_histograms import residual_histograms

    evidence = png(photo())
    counts = residual_cells(evidence)
    assert residual_cells(evidence) is counts and not counts.flags.writeable
    np.testing.assert_array_equal(counts, residual_histograms(evidence.rgb))
    assert residual_cells(png(photo()[:400])) is not counts
