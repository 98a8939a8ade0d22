"""Seams of pastes, told by outlines followed as a whole."""

import functools
import io

import cv2
import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.detectors.splicing import _seam_model as models
from forensix.detectors.splicing import _seam_outlines as paths
from forensix.detectors.splicing import edge_blur
from forensix.detectors.splicing._seam_features import seam_places
from forensix.errors import NotApplicable, ParameterError


def opened(pixels, kind="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return forensix.open(buffer.getvalue())


def slanted_step(sigma, side=256):
    """A step from 60 to 180 along a slanted line, blurred."""
    row, col = np.indices((side, side))
    step = np.where(0.3 * row + col > 170, 180, 60).astype(np.float32)
    step = cv2.GaussianBlur(step, (0, 0), sigma) if sigma else step
    return np.repeat(np.rint(step).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0, 4.0])
def test_the_width_of_an_edge_is_that_of_its_blur(sigma):
    places = seam_places(slanted_step(sigma))
    strong = places.steepness > 0.8 * places.steepness.max()
    assert np.median(places.widths[strong]) == pytest.approx(sigma, rel=0.15)


def test_the_direction_is_across_the_edge():
    places = seam_places(slanted_step(1.5))
    strong = places.steepness > 0.8 * places.steepness.max()
    down, right = places.across[strong][:, 2:].T
    expected = np.array([0.3, 1.0]) / np.hypot(0.3, 1.0)
    assert np.abs(down * expected[0] + right * expected[1]).min() > 0.98


def test_large_pictures_are_reduced_and_told_in_their_own_pixels():
    small = slanted_step(1.5)
    large = np.repeat(np.repeat(small, 8, axis=0), 8, axis=1)[:, :1600]
    places = seam_places(large)
    assert places.reduction == 2 and places.cell == 8
    assert places.inputs.shape[:2] == (large.shape[0] // 16 * 2, large.shape[1] // 16 * 2)


def test_a_paste_of_other_detail_raises_the_odds_along_its_seam():
    pixels, shape = paste()
    odds, calm = edge_blur.seams(pixels).odds, edge_blur.seams(host()).odds
    edge = cv2.morphologyEx(shape, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)) > 0
    cells = edge.reshape(edge.shape[0] // 4, 4, edge.shape[1] // 4, 4).any(axis=(1, 3))
    assert odds[cells].mean() > calm[cells].mean() + 0.7


def host():
    from skimage import data

    return np.ascontiguousarray(data.coffee()[:400, :600])


@functools.cache
def paste(sigma=1.0):
    """A disc of a smooth, noisy picture in the coffee cup's."""
    from skimage import data

    donor = cv2.resize(data.astronaut(), (600, 400)).astype(np.float32)
    shape = cv2.circle(np.zeros((400, 600), np.uint8), (300, 200), 90, 1, -1)
    cover = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), sigma)[..., None]
    return np.rint(cover * donor + (1 - cover) * host()).astype(np.uint8), shape


def ring_model(limit):
    """Trees that say 4 nats where the first input exceeds 0.5, and of outlines what their mean is above 1."""
    places = models.Trees(
        np.zeros((1, 1), np.int32), np.full((1, 1), 0.5, np.float32), np.array([[-4, 4]], np.float32), 0.0
    )
    wholes = models.Trees(
        np.zeros((1, 1), np.int32), np.ones((1, 1), np.float32), np.array([[-2, 2]], np.float32), 0.0
    )
    return models.SeamModel(places, wholes, limit)


def ring_places(monkeypatch, radius=20, centre=(50, 60), shape=(100, 120)):
    row, col = np.indices(shape)
    ring = np.abs(np.hypot(row - centre[0], col - centre[1]) - radius) < 1.2
    inputs = np.zeros((*shape, 66), np.float32)
    inputs[..., 0] = ring
    across = np.stack([4.0 * row, 4.0 * col, 0 * row, 0 * col + 1], -1).astype(np.float32)
    made = edge_blur.Places(inputs, across, 1)
    monkeypatch.setattr(edge_blur, "seam_places", lambda rgb: made)
    return ring


def found_in_a_ring(monkeypatch, *, limit):
    ring_places(monkeypatch)
    monkeypatch.setattr(edge_blur, "shipped_model", lambda: ring_model(limit))
    monkeypatch.setattr(edge_blur, "LEAST_EDGES", -1.0)
    noise = np.random.default_rng(5).integers(0, 256, (400, 480, 3)).astype(np.uint8)
    return edge_blur.detect(opened(noise))


def test_an_outline_beyond_the_limit_is_decided_on_and_filled(monkeypatch):
    finding = found_in_a_ring(monkeypatch, limit=1.0)
    assert finding.score > 0.5 and len(finding.regions) >= 1
    top, left, rows, cols = finding.regions[0].box
    assert abs(top - 120) <= 12 and abs(left - 160) <= 12 and abs(rows - 164) <= 24 and abs(cols - 164) <= 24
    full = finding.heatmap.full_size(400, 480)
    row, col = np.indices((400, 480))
    inside = np.hypot(row - 202, col - 242) < 70
    outside = np.hypot(row - 202, col - 242) > 100
    assert (full[inside] > 0.5).all() and (full[outside] <= 0.5).all()
    assert "seam of a paste" in finding.explanation


def test_below_the_limit_nothing_is_marked(monkeypatch):
    finding = found_in_a_ring(monkeypatch, limit=20.0)
    assert 0 < finding.score < 0.5 and not finding.regions
    assert np.nanmax(finding.heatmap.values) <= 0.5


def test_outlines_lie_apart():
    rng = np.random.default_rng(4)
    odds = rng.normal(0, 2, (80, 90)).astype(np.float32)
    inputs = rng.normal(0, 1, (80, 90, 66)).astype(np.float32)
    found = paths.outlines(odds, edge_blur.Places(inputs, np.zeros((80, 90, 4), np.float32), 1))
    assert 1 <= len(found) <= paths.MOST_OUTLINES
    assert all(np.isfinite(outline.traits).all() for outline in found)
    for k, one in enumerate(found):
        for other in found[:k]:
            mine, theirs = (set(zip(*each.cells(odds.shape), strict=True)) for each in (one, other))
            assert len(mine & theirs) <= 0.5 * min(len(mine), len(theirs))


@pytest.mark.parametrize("name", ["coffee", "astronaut", "chelsea", "rocket", "camera"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_untouched_photos_are_not_decided_on(name, kind):
    from skimage import data

    pixels = getattr(data, name)()
    finding = edge_blur.detect(opened(pixels, kind))
    assert finding.score is None or finding.score <= 0.5
    assert not finding.regions and np.nanmax(finding.heatmap.values) <= 0.5


HOSTILE = {
    "flat": np.full((256, 256, 3), 90, np.uint8),
    "white": np.full((256, 256, 3), 255, np.uint8),
    "noise": np.random.default_rng(1).integers(0, 256, (300, 200, 3)).astype(np.uint8),
    "checkerboard": np.repeat((np.indices((257, 263)).sum(0) % 2 * 255).astype(np.uint8)[..., None], 3, 2),
    "thin": np.random.default_rng(2).integers(0, 256, (192, 2000, 3)).astype(np.uint8),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_pictures_that_are_no_photos_are_not_decided_on(name):
    finding = edge_blur.detect(opened(HOSTILE[name]))
    assert finding.score is None or finding.score <= 0.5
    assert not finding.regions


@pytest.mark.parametrize("name", ["flat", "white"])
def test_without_edges_it_cannot_tell(name):
    finding = edge_blur.detect(opened(HOSTILE[name]))
    assert finding.score is None and finding.explanation.startswith("Cannot tell")


def test_small_pictures_are_refused():
    with pytest.raises(NotApplicable, match="192"):
        edge_blur.detect(opened(np.zeros((191, 400, 3), np.uint8)))
    with pytest.raises(ParameterError):
        edge_blur.seams(np.zeros((60, 400, 3), np.uint8))
    with pytest.raises(ParameterError):
        edge_blur.seams(np.zeros((100, 100), np.uint8))


def test_the_shipped_numbers_fit_the_inputs():
    model = models.shipped_model()
    places = seam_places(slanted_step(1.0))
    assert model.places.log_odds(places.inputs).shape == places.inputs.shape[:2]
    assert model.places.asked.max() < places.inputs.shape[-1]
    found = paths.outlines(model.places.log_odds(places.inputs), places)
    assert model.outlines.asked.max() < found[0].traits.size
    assert np.isfinite(model.limit)
