"""Lateral chromatic aberration: the lens measured, and what does not go with it found."""

import io
import json

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import forensix
from forensix.detectors.camera import _lens_cells as cells
from forensix.detectors.camera import _lens_model as model
from forensix.detectors.camera import _lens_windows as windows
from forensix.detectors.camera import chromatic_aberration as method
from forensix.errors import NotApplicable
from tests.reference import lens_cells as reference

ROWS, COLS = 900, 1200


def scene(seed=1, rows=ROWS, cols=COLS):
    """Spots and their shades, in tints that change slowly; no fringes."""
    random = np.random.RandomState(seed)
    spots = cv2.GaussianBlur(random.standard_normal((rows, cols)).astype(np.float32), (0, 0), 4)
    shades = cv2.GaussianBlur(
        np.digitize(spots / spots.std(), (-0.8, 0.2, 1)).astype(np.float32), (0, 0), 0.8
    )
    tints = cv2.resize(
        random.uniform(0.6, 1, (4, 5, 3)).astype(np.float32), (cols, rows), interpolation=cv2.INTER_CUBIC
    )
    return 30 + 60 * shades[..., None] * tints


def through_lens(picture, red=(0.0, 0.0), blue=(0.0, 0.0)):
    """Red and blue magnified by (linear, cubic), pixels at half a diagonal; 8 bits, with noise."""
    rows, cols = picture.shape[:2]
    half = np.hypot(rows, cols) / 2
    down, right = np.indices((rows, cols))
    down, right = down - (rows - 1) / 2, right - (cols - 1) / 2
    square = (down**2 + right**2) / half**2
    seen = picture.copy()
    for channel, (linear, cubic) in ((0, red), (2, blue)):
        if linear or cubic:
            back = 1 - (linear + cubic * square) / half
            places = [down * back + (rows - 1) / 2, right * back + (cols - 1) / 2]
            # Splines: OpenCV's cubic interpolation moves edges by up to a tenth of a pixel itself.
            seen[..., channel] = ndimage.map_coordinates(picture[..., channel], places, mode="mirror")
    noisy = seen + np.random.RandomState(7).normal(0, 1, seen.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def photo():
    return through_lens(scene(), (1.4, 0.4), (-1.0, 0.5))


def test_products_are_those_of_the_pixels():
    rgb = np.random.RandomState(3).randint(0, 256, (101, 140, 3)).astype(np.uint8)
    rgb[40:60] = 128
    found = cells.cell_products(rgb)
    squared, crossed, energy, pixels = reference.products(rgb)
    assert found.reduction == 2 and found.side == 32
    for ours, theirs in (
        (found.green, squared), (found.crossed, crossed), (found.energy, energy), (found.pixels, pixels),
    ):  # fmt: skip
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-3 * np.abs(theirs).max())
    half = np.hypot(101, 140) / 2
    np.testing.assert_allclose(found.places[1, 2] * half, [48 - 50.5, 80 - 70])


def test_a_shift_is_measured_to_a_twentieth_of_a_pixel():
    picture = scene(rows=320, cols=320)
    by = np.float32([[1, 0, 0.7], [0, 1, -0.4]])
    picture[..., 0] = cv2.warpAffine(
        picture[..., 0], by, (320, 320), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    shifts = cells.channel_shifts(cells.cell_products(np.rint(picture).astype(np.uint8)), 0)
    assert shifts.known.mean() > 0.8
    weights = np.linalg.inv(shifts.information.sum(axis=(0, 1)))
    mean = weights @ np.einsum("abij,abj->i", shifts.information, shifts.shift)
    np.testing.assert_allclose(mean, [-0.4, 0.7], atol=0.05)


def test_edges_count_only_across_themselves():
    wave = 128 + 50 * np.sign(np.sin(np.arange(256) / 5))
    rgb = np.broadcast_to(
        cv2.GaussianBlur(wave[None].astype(np.float32), (0, 0), 1.2)[..., None], (256, 256, 3)
    )
    shifts = cells.channel_shifts(cells.cell_products(np.rint(rgb).astype(np.uint8)), 1)
    along, across = shifts.information[..., 0, 0], shifts.information[..., 1, 1]
    assert shifts.known.all() and (along < 1e-3 * across).all()


def test_the_lens_is_recovered(photo):
    found = method.lens_shifts(photo)
    assert found.measurable and not found.cropped
    truth = np.array([0, 0, 1.4, 0.4, -1.0, 0.5])
    values = np.concatenate([found.lens.centre, found.lens.coefficients.ravel()])
    deviations = np.sqrt(np.diag(found.lens.covariance))
    assert (np.abs(values - truth) < 3.5 * deviations + 0.03).all()
    assert (deviations < 0.1).all()
    corner = found.lens.coefficients.sum(axis=1)
    np.testing.assert_allclose(corner, [1.8, -0.5], atol=0.08)


def test_what_is_stated_is_in_pixels(photo):
    finding = method.detect(forensix.open(photo))
    stated = finding.measurements
    json.dumps(dict(stated), allow_nan=False)
    assert stated["red_linear_interval"][0] < stated["red_linear"] < stated["red_linear_interval"][1]
    np.testing.assert_allclose(stated["centre"], [ROWS / 2, COLS / 2], atol=40)
    assert not stated["probably_cropped"] and "cropped" not in finding.explanation
    assert finding.score <= 0.5 and not finding.regions and np.nanmax(finding.heatmap.values) <= 0.5


def test_a_crop_shows_in_the_centre():
    whole = through_lens(scene(), (3.0, 0.6), (-2.0, 0.3))
    finding = method.detect(forensix.open(np.ascontiguousarray(whole[:600, :640])))
    stated = finding.measurements
    assert stated["probably_cropped"] and "part of a larger one" in finding.explanation
    np.testing.assert_allclose(stated["centre"], [ROWS / 2, COLS / 2], atol=60)
    assert finding.score <= 0.5


def pasted(photo, source, target, radius=130):
    forged = photo.copy()
    down, right = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = down**2 + right**2 <= radius**2
    part = tuple(slice(place - radius, place + radius + 1) for place in target)
    origin = tuple(slice(place - radius, place + radius + 1) for place in source)
    forged[part][disc] = photo[origin][disc]
    mask = np.zeros(photo.shape[:2], bool)
    mask[part] = disc
    return forged, mask


def test_what_came_from_another_radius_is_found():
    photo = through_lens(scene(), (3.0, 0.0), (-2.5, 0.0))
    assert method.detect(forensix.open(photo)).score <= 0.5
    forged, mask = pasted(photo, (250, 220), (600, 950))
    finding = method.detect(forensix.open(forged))
    assert finding.score > 0.5 and "another place" in finding.explanation
    marked = finding.heatmap.full_size(*mask.shape) > 0.5
    assert 2 * (marked & mask).sum() / (marked.sum() + mask.sum()) > 0.7
    assert finding.measurements["red_apart"] > 1.5
    boxes = np.zeros_like(mask)
    for region in finding.regions:
        top, left, rows, cols = region.box
        boxes[top : top + rows, left : left + cols] = True
    assert boxes[marked].all()


def test_less_shift_than_the_lens_gives_is_no_alarm():
    """Compression and demosaicking pull colours back to the luma, here more, there less."""
    strong, weak = (through_lens(scene(), (part * 2, 0.0), (-part * 2, 0.0)) for part in (1, 0.4))
    mixed = strong.copy()
    mixed[500:800, 700:1000] = weak[500:800, 700:1000]
    assert method.detect(forensix.open(mixed)).score <= 0.5


def test_a_corrected_lens_says_nothing():
    finding = method.detect(forensix.open(through_lens(scene())))
    assert finding.score is None and finding.heatmap is None
    assert "no colour fringes" in finding.explanation


def test_subsampled_colours_shrink_and_do_not_alarm(photo):
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "JPEG", quality=90, subsampling=2)
    finding = method.detect(forensix.open(stream.getvalue()))
    assert 0.8 < finding.measurements["red_linear"] + finding.measurements["red_cubic"] < 1.9
    assert finding.score is None or finding.score <= 0.5


@pytest.mark.parametrize("value", [0, 100, 255])
def test_flat_pictures_have_too_few_edges(value):
    flat = np.full((520, 600, 3), value, np.uint8)
    flat[0, 0] = (1, 2, 3)
    finding = method.detect(forensix.open(flat))
    assert finding.score is None and "Too few edges" in finding.explanation


def test_odd_pictures_raise_no_alarm():
    random = np.random.RandomState(5)
    checks = (np.indices((544, 544)).sum(axis=0) // 3 % 2)[..., None] * np.array([90, 80, 60]) + 60
    noise = random.randint(10, 240, (544, 544, 3))
    long = scene(rows=512, cols=2500)
    for odd in (checks, noise, long):
        assert (method.detect(forensix.open(np.rint(odd).astype(np.uint8))).score or 0) <= 0.5


def test_small_and_grey_pictures_do_not_apply(photo):
    with pytest.raises(NotApplicable, match="512 x 512"):
        method.detect(forensix.open(np.ascontiguousarray(photo[:511])))
    with pytest.raises(NotApplicable, match="none"):
        method.detect(forensix.open(np.ascontiguousarray(photo[..., 1])))


def test_tied_errors_widen_the_interval():
    slopes, residuals = np.ones((400, 1)), np.random.RandomState(2).standard_normal(40).repeat(10)
    apart = model._tied_covariance(slopes, residuals, np.arange(400))[0, 0]
    tied = model._tied_covariance(slopes, residuals, np.arange(40).repeat(10))[0, 0]
    assert 7 < tied / apart < 14


def test_window_means_weigh_cells_by_what_they_know():
    shifts = cells.Shifts(np.zeros((6, 6, 2)), np.zeros((6, 6, 2, 2)))
    shifts.shift[:3], shifts.information[:3] = (1.0, 0.0), 4 * np.eye(2)
    shifts.shift[3:], shifts.information[3:] = (0.0, 1.0), 1 * np.eye(2)
    field = model.SmoothField(np.zeros((6, 6, 2)), np.ones((6, 6)), 1.0)
    local = windows.local_shifts(windows.cell_sums(shifts, field), 6, 0.1)
    assert local.known.all() and local.shift.shape == (1, 1, 2)
    # Of the first half a single cell lies two standard deviations off, and counts half.
    np.testing.assert_allclose(local.shift[0, 0], [2 / 3, 1 / 3], atol=1e-2)
    assert local.astray[0, 0] > 0
