"""The residual co-occurrence method: windows, the search for an area, and decisions."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageFilter

import forensix
from forensix.detectors.camera import _foreign_region as areas
from forensix.detectors.camera import residual_cooccurrence as method
from forensix.errors import NotApplicable, ParameterError


def resaved(rgb, quality):
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream).convert("RGB"))


@pytest.fixture(scope="module")
def forged():
    """A disc that was smoothed, in a picture of four mirrored ones."""
    quarter = skimage.data.coffee()
    half = np.concatenate([quarter, quarter[:, ::-1]], axis=1)
    photo = np.concatenate([half, half[::-1]])
    rows, cols = np.indices(photo.shape[:2])
    disc = (rows - 400) ** 2 + (cols - 600) ** 2 < 170**2
    smooth = Image.fromarray(np.roll(photo, 137, axis=1)).filter(ImageFilter.GaussianBlur(2))
    return np.where(disc[..., None], np.array(smooth), photo), disc


def test_windows_hold_their_cells():
    counts = np.random.RandomState(1).randint(0, 9, (11, 13, 3, 2, 25)).astype(np.uint16)
    features, known = areas.window_features(counts, stride=2)
    assert features.shape == (2, 3, 150)
    window = counts[2:10, 4:12].sum(axis=(0, 1))
    expected = np.sqrt(window / window.sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(features[1, 2], expected.ravel(), rtol=1e-6)
    assert known[1, 2] == pytest.approx(window[0].sum(axis=-1).min() / (2 * 256 * 64))
    with pytest.raises(ParameterError, match="window"):
        areas.window_features(counts[:7], stride=1)


def test_empty_windows_are_not_known():
    features, known = areas.window_features(np.zeros((9, 9, 3, 2, 25), np.uint16), stride=1)
    assert not features.any() and not known.any()


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_cells_are_the_mean_of_their_windows(stride):
    values = np.random.RandomState(2).standard_normal((3, 4))
    values[0, 0] = np.nan
    shape = (8 + 2 * stride, 8 + 3 * stride + 1)
    found = areas.spread(values, stride, shape)
    for cell in np.ndindex(8 + 2 * stride, 8 + 3 * stride):
        covering = [
            values[i, j]
            for i, j in np.ndindex(3, 4)
            if 0 <= cell[0] - i * stride < 8 and 0 <= cell[1] - j * stride < 8 and np.isfinite(values[i, j])
        ]
        if covering:
            assert found[cell] == pytest.approx(np.mean(covering))
        else:
            assert np.isnan(found[cell])


def test_a_planted_area_is_found_and_measured():
    random = np.random.RandomState(3)
    points = random.standard_normal((20, 30, 4))
    planted = np.zeros((20, 30), bool)
    planted[5:11, 12:20] = True
    points[planted] += [6, 0, -3, 0]
    distance, region, evidence = areas.most_foreign_region(points.reshape(-1, 4), np.ones((20, 30), bool))
    assert (region == planted).mean() > 0.98
    assert distance == pytest.approx(np.sqrt(45 / 2), rel=0.15)  # scatter 1 of the rest, 1 added
    assert (evidence[planted] > 0).mean() > 0.95


def test_scattered_groups_are_no_area():
    random = np.random.RandomState(4)
    points = random.standard_normal((20, 30, 4))
    points[random.rand(20, 30) < 0.15] += [6, 0, -3, 0]
    distance, _, _ = areas.most_foreign_region(points.reshape(-1, 4), np.ones((20, 30), bool))
    assert distance < 3


def test_equal_windows_have_no_foreign_area():
    distance, region, _ = areas.most_foreign_region(np.zeros((600, 4)), np.ones((20, 30), bool))
    assert distance == 0 and not region.any()


def test_a_foreign_area_is_decided_on(forged):
    made, disc = forged
    finding = method.detect(forensix.open(made))
    marked = np.nan_to_num(finding.heatmap.full_size(*disc.shape)) > 0.5
    assert finding.score > 0.5 and finding.regions
    assert 2 * (marked & disc).sum() / (marked.sum() + disc.sum()) > 0.7
    assert "another fine structure" in finding.explanation


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
@pytest.mark.parametrize("quality", [None, 75])
def test_an_untouched_picture_stays_dark(name, quality):
    rgb = getattr(skimage.data, name)()
    finding = method.detect(forensix.open(rgb if quality is None else resaved(rgb, quality)))
    assert finding.score <= 0.5 and not finding.regions
    assert np.nanmax(finding.heatmap.values) <= 0.5


@pytest.mark.parametrize("colour", [(0, 0, 1), (255, 254, 255), (90, 120, 255)])
def test_a_clipped_picture_cannot_tell(colour):
    finding = method.detect(forensix.open(np.full((300, 400, 3), colour, np.uint8)))
    assert finding.score is None and finding.heatmap is None and "Too little" in finding.explanation


def test_one_clipped_channel_clips_a_cell():
    rgb = np.full((35, 50, 3), 90, np.uint8)
    rgb[16:20, 32:48, 2] = 255
    rgb[0, 0, 1] = 3
    shares = areas.clipped_cells(rgb)
    expected = np.zeros((2, 3))
    expected[1, 2], expected[0, 0] = 0.25, 1 / 256
    np.testing.assert_allclose(shares, expected)


def test_grey_shadows_and_highlights_are_colourless_but_grey_things_are_not():
    rgb = np.full((32, 64, 3), 120, np.uint8)
    rgb[:16, :16] = 12
    rgb[:16, 16:32] = (240, 241, 239)
    rgb[:16, 32:48] = (12, 14, 20)
    shares = areas.colourless_cells(rgb)
    np.testing.assert_array_equal(shares, [[1, 1, 0, 0], [0, 0, 0, 0]])


def test_an_area_whose_colour_was_taken_out_in_shadow_is_not_foreign():
    rgb = np.clip(np.random.default_rng(3).normal(90, 12, (640, 640, 3)), 0, 255).astype(np.uint8)
    rgb[200:420, 220:460] = rgb[200:420, 220:460, 1:2] // 6
    found = method.residual_cooccurrence(rgb)
    assert found.distance < method.DECISION
    assert np.isnan(found.evidence[20, 21])


def test_window_means_are_means_of_cells():
    cells = np.random.RandomState(7).rand(11, 13)
    means = areas.window_means(cells, stride=2)
    assert means.shape == (2, 3) and means[1, 2] == pytest.approx(cells[2:10, 4:12].mean())


@pytest.mark.parametrize("kind", ["flat", "noise", "checkerboard"])
def test_degenerate_pictures_raise_no_alarm(kind):
    rgb = {
        "flat": np.full((300, 400, 3), 128),
        "noise": np.random.RandomState(5).randint(9, 240, (300, 400, 3)),
        "checkerboard": (np.indices((300, 400)).sum(axis=0) % 2 * 99 + 50)[..., None] * np.ones(3),
    }[kind].astype(np.uint8)
    rgb[..., 0] += 1
    assert method.detect(forensix.open(rgb)).score <= 0.5


def test_a_grey_picture_is_refused():
    with pytest.raises(NotApplicable, match="colours"):
        method.detect(forensix.open(skimage.data.camera()))


def test_a_small_picture_is_refused():
    with pytest.raises(NotApplicable, match="256"):
        method.detect(forensix.open(np.zeros((255, 900, 3), np.uint8)))


def test_the_cost_is_bounded_by_the_number_of_windows():
    assert areas.window_stride(60, 80) == 2 and areas.window_stride(187, 250) == 6
    assert areas.window_stride(16, 16) == 1
