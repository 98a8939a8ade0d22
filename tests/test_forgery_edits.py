"""The edits: what they change, and that they change nothing else."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from forensix.errors import ForgeryError, ParameterError
from forensix.forgery import copy_move, remove, splice
from forensix.forgery.blend import feather_weights, membrane
from forensix.forgery.generators import UPSAMPLINGS, generate
from forensix.forgery.making import make
from forensix.forgery.photo import PhotoShelf
from forensix.forgery.recipe import Recipe
from forensix.forgery.removal import METHODS
from forensix.forgery.seeds import stream
from forensix.forgery.shapes import SHAPES, Region, draw_region
from forensix.forgery.traces import BAYER, OPERATIONS, change_trace, demosaic
from forensix.forgery.transform import cut_out
from tests.forgery_photos import picture, save_photos

CASES = [
    ("copy-move", {"area": 0.03}),
    ("copy-move", {"area": 0.02, "copies": 2, "blend": "feather", "feather": 3.5}),
    (
        "copy-move",
        {"area": 0.03, "rotation": 23, "scale": 1.2, "shear": 0.1, "blend": "feather", "feather": 2},
    ),
    ("copy-move", {"area": 0.03, "mirror": True, "blend": "poisson", "gain": 1.1, "bias": -12}),
    ("copy-move", {"area": 0.03, "noise": 4}),
    ("copy-move", {"area": 0.03, "scale": 0.7, "shape": "smooth", "interpolation": "lanczos"}),
    ("splicing", {"area": 0.05, "grid": "on"}),
    ("splicing", {"area": 0.05, "grid": "off", "shape": "rectangle", "blend": "feather", "feather": 6}),
    ("splicing", {"area": 0.06, "rotation": -15, "scale": 0.8, "blend": "poisson"}),
    *[("removal", {"method": method, "area": 0.01}) for method in METHODS],
    ("removal", {"method": "clone-stamp", "area": 0.03, "brush": 9, "hardness": 0.2}),
    *[("trace", {"operation": operation, "area": 0.06}) for operation in OPERATIONS],
    *[("generator", {"upsampling": up, "whole": False, "area": 0.1}) for up in UPSAMPLINGS],
]
CHAINS = [
    "edit, png",
    "jpeg:80, edit, crop:3:5, tiff",
    "edit, resize:0.7, png",
    "camera-jpeg, edit, resize:1.3:bicubic, bmp",
]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return save_photos(tmp_path_factory.mktemp("photos"), names=("astronaut.png", "coffee.png"))


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)))
def test_outside_mask_and_margin_forgery_and_twin_are_equal(photos, number, case):
    """Read back from the files' own bytes, so that nothing on the way is left out."""
    kind, parameters = case
    recipe = Recipe(
        name="one", kind=kind, seed=11, index=number, host=photos[number % 2],
        donor=photos[1 - number % 2] if kind == "splicing" else "", size=(240, 248),
        chain=CHAINS[number % len(CHAINS)], parameters=parameters,
    )  # fmt: skip
    made = make(recipe, PhotoShelf().read)
    forged, twin, marks = (
        np.array(Image.open(io.BytesIO(made.files[role][1]))) for role in ("forged", "twin", "mask")
    )
    assert forged.shape == twin.shape == (*marks.shape, 3)
    mask = marks == 255
    differs = np.any(forged != twin, axis=2)
    far = ndimage.distance_transform_edt(~mask) > made.facts["margin"]
    assert not np.any(differs & far)
    assert 0.001 < mask.mean() < 0.4
    assert differs[mask].mean() > 0.2, "the mask claims more than was changed"


def test_a_plain_copy_is_the_original_moved():
    image = picture("coffee.png")
    edit = copy_move(image, rng=stream(1, "copy"), area=0.04, blend="paste")
    top, left, *_ = edit.details["source_box"]
    (to_top, to_left, *_), pad = edit.details["copy_boxes"][0], 1
    down, across = to_top + pad - top, to_left + pad - left
    rows, cols = np.nonzero(edit.mask)
    assert np.array_equal(edit.image[rows, cols], image[rows - down, cols - across])
    assert np.array_equal(edit.source[rows - down, cols - across], np.ones(rows.size, bool))
    assert edit.mask.sum() == edit.source.sum()
    assert not np.any(edit.mask & edit.source)


def test_noise_is_added_to_the_copies_and_moves_nothing():
    image = picture("coffee.png")
    plain, noisy = (copy_move(image, rng=stream(1, "copy"), area=0.04, noise=sigma) for sigma in (0, 4))
    assert np.array_equal(plain.mask, noisy.mask)
    added = noisy.image[noisy.mask].astype(float) - plain.image[noisy.mask]
    assert abs(added.mean()) < 0.2 and 3.5 < added.std() < 4.3
    assert np.array_equal(noisy.image[~noisy.mask], plain.image[~noisy.mask])


@pytest.mark.parametrize(("grid", "whole"), [("on", True), ("off", False)])
def test_copies_lie_on_the_grid_or_off_it(grid, whole):
    edit = copy_move(picture("astronaut.png"), rng=stream(2, grid), area=0.03, copies=3, grid=grid)
    top, left, *_ = edit.details["source_box"]
    for to_top, to_left, *_ in edit.details["copy_boxes"]:
        moved = (to_top + 1 - top) % 8 == 0 and (to_left + 1 - left) % 8 == 0
        assert moved is whole


def test_a_patch_is_turned_counter_clockwise_and_mirrored_first():
    image = picture("astronaut.png")
    region = Region(np.ones((50, 70), bool), 60, 80)
    original = image[60:110, 80:150]
    exact = cut_out(image, region, rotation=90, mirror=True)
    assert not exact.resampled
    assert np.array_equal(exact.pixels, np.rot90(original[:, ::-1]))
    # The general way gives the same within interpolation, and nothing else comes near.
    general = cut_out(image, region, rotation=90.01, mirror=True)
    assert general.resampled
    inner = np.s_[6:-6, 6:-6]
    rows, cols = (min(a, b) for a, b in zip(general.mask.shape, (70, 50), strict=True))
    assert abs(rows - 70) <= 1 and abs(cols - 50) <= 1

    def alike(wanted):
        pair = general.pixels[:rows, :cols][inner], wanted[:rows, :cols][inner]
        return np.corrcoef([part.astype(float).ravel() for part in pair])[0, 1]

    # Up to half a pixel of shift is the price of the general way.
    assert alike(np.rot90(original[:, ::-1])) > 0.93
    assert max(alike(np.rot90(original)), alike(np.rot90(original[:, ::-1], 3))) < 0.8


def test_scaling_and_shearing_move_pixels_where_they_should():
    image = np.zeros((200, 200, 3), np.uint8)
    image[::8] = 255
    doubled = cut_out(image, Region(np.ones((64, 64), bool), 60, 60), scale=2.0, interpolation="linear")
    assert all(abs(side - 128) <= 1 for side in doubled.mask.shape)
    period = np.abs(np.fft.rfft(doubled.pixels[:, 64, 0] - doubled.pixels[:, 64, 0].mean(), 1024)).argmax()
    assert abs(1024 / period - 16) < 0.5
    sheared = cut_out(image, Region(np.ones((64, 64), bool), 60, 60), shear=0.5)
    first, last = (np.flatnonzero(sheared.mask[row]).mean() for row in (2, 61))
    assert 27 < last - first < 31


def test_feather_weights_fall_linearly_across_the_border():
    mask = np.zeros((9, 40), bool)
    mask[:, 20:] = True
    row = feather_weights(mask, 4.0)[4]
    expected = np.clip(0.5 + (np.arange(40) - 19.5) / 8, 0, 1)
    np.testing.assert_allclose(row[:36], expected[:36], atol=1e-6)
    assert np.array_equal(feather_weights(mask, 4.0) >= 0.5, mask)


def test_membrane_solves_laplaces_equation():
    rng = np.random.default_rng(2)
    mask = np.zeros((24, 30), bool)
    mask[4:20, 5:25] = True
    mask[10:14, 12:16] = False
    values = ndimage.gaussian_filter(rng.normal(0, 60, (24, 30)), 2).astype(np.float32)
    index = -np.ones(mask.shape, int)
    index[mask] = np.arange(mask.sum())
    matrix, right = lil_matrix((mask.sum(), mask.sum())), np.zeros(mask.sum())
    for row, col in np.argwhere(mask):
        matrix[index[row, col], index[row, col]] = 4
        for near in ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)):
            if mask[near]:
                matrix[index[row, col], index[near]] = -1
            else:
                right[index[row, col]] += values[near]
    exact = values.copy()
    exact[mask] = spsolve(matrix.tocsr(), right)
    found = membrane(np.where(mask, 1e6, values)[..., None].astype(np.float32), mask)[..., 0]
    assert np.array_equal(found[~mask], values[~mask])
    assert np.abs(found - exact).max() < 0.02 * np.ptp(values)


@pytest.mark.parametrize("pattern", BAYER)
def test_demosaicing_keeps_the_samples_of_its_pattern(pattern):
    image = picture("chelsea.png", 64)
    result = demosaic(image, stream(0), pattern=pattern)
    for place, colour in enumerate(pattern):
        own = np.s_[2 + place // 2 : -2 : 2, 2 + place % 2 : -2 : 2, "rgb".index(colour)]
        assert np.array_equal(result[own], image[own])
    assert np.any(result != image)


@pytest.mark.parametrize(
    "operation", ["median", "gaussian", "bilateral", "sharpen", "gamma", "jpeg", "demosaic"]
)
def test_a_local_trace_equals_the_operation_on_the_whole_picture(operation):
    """Inside the mask it is what the operation alone would give, grids included."""
    image = picture("rocket.jpg")
    edit = change_trace(image, rng=stream(8, operation), operation=operation, area=0.05)
    whole = OPERATIONS[operation].apply(image, stream(0))
    assert np.array_equal(edit.image[edit.mask], whole[edit.mask])


def test_a_made_generator_repeats_its_grid_and_its_weights():
    image = picture("astronaut.png")
    one = generate(image, rng=stream(1), upsampling="nearest", model=0)
    again = generate(image, rng=stream(1), upsampling="nearest", model=0)
    other = generate(image, rng=stream(1), upsampling="nearest", model=1)
    assert one.whole
    assert np.array_equal(one.image, again.image)
    assert np.any(one.image != other.image)
    # Nearest-neighbour doubling: the two pixels of a pair are closer than those of two pairs.
    grey = one.image.astype(float).mean(axis=2)
    within = np.abs(grey[:, 0::2] - grey[:, 1::2])[4:-4, 4:-4].mean()
    between = np.abs(grey[:, 1:-1:2] - grey[:, 2::2])[4:-4, 4:-4].mean()
    assert within < 0.8 * between
    grey = image.astype(float).mean(axis=2)
    own = (
        np.abs(grey[:, 0::2] - grey[:, 1::2])[4:-4, 4:-4].mean()
        / np.abs(grey[:, 1:-1:2] - grey[:, 2::2])[4:-4, 4:-4].mean()
    )
    assert 0.95 < own < 1.05


def test_streams_depend_on_their_key_only():
    first = stream(4, "copy-move", 1, "edit").random(3)
    stream(4, "copy-move", 2, "edit").random(100)
    assert np.array_equal(first, stream(4, "copy-move", 1, "edit").random(3))
    others = [stream(4, "copy-move", 2, "edit"), stream(5, "copy-move", 1, "edit"), stream(4, "copy-move", 1)]
    assert all(np.any(first != other.random(3)) for other in others)
    with pytest.raises(ParameterError, match="negative"):
        stream(-1)


@pytest.mark.parametrize("shape", SHAPES)
def test_regions_have_about_the_area_asked_for_and_stay_inside(shape):
    image = picture("motorcycle_left.png")
    for number in range(5):
        region = draw_region(image, rng=stream(6, shape, number), shape=shape, area=0.05)
        full = region.full(256, 256)
        assert 0.5 < full.mean() / 0.05 < 2.5
        assert not (full[:2].any() or full[-2:].any() or full[:, :2].any() or full[:, -2:].any())
        assert ndimage.label(full)[1] == 1
        json.dumps(region.box)


FLAT = np.full((128, 128, 3), 77, np.uint8)


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (lambda: copy_move(FLAT, rng=stream(0)), "flat"),
        (lambda: remove(FLAT, rng=stream(0)), "flat"),
        (lambda: splice(picture("coffee.png"), FLAT, rng=stream(0)), "flat"),
        (lambda: change_trace(FLAT, rng=stream(0)), "flat"),
        (lambda: copy_move(picture("coffee.png", 40), rng=stream(0)), "too small"),
        (lambda: remove(picture("coffee.png", 80), rng=stream(0), area=0.001), "too small for the shape"),
        (lambda: copy_move(picture("coffee.png", 96), rng=stream(0), area=0.25, copies=8), "no room"),
        (lambda: generate(picture("coffee.png", 96), rng=stream(0), stages=3), "too small"),
    ],
)
def test_pictures_that_cannot_carry_it_are_refused(edit, word):
    with pytest.raises(ForgeryError, match=word):
        edit()


@pytest.mark.parametrize(
    "edit",
    [
        lambda image: copy_move(image, rng=stream(0), blend="glue"),
        lambda image: copy_move(image, rng=stream(0), copies=0),
        lambda image: copy_move(image, rng=stream(0), noise=-1.0),
        lambda image: copy_move(image, rng=stream(0), scale=9.0),
        lambda image: copy_move(image, rng=stream(0), shape="star"),
        lambda image: copy_move(image, rng=stream(0), area=0.9),
        lambda image: copy_move(image[..., 0], rng=stream(0)),
        lambda image: copy_move(image.astype(np.uint16), rng=stream(0)),
        lambda image: splice(image, image, rng=stream(0), tone=3),
        lambda image: remove(image, rng=stream(0), method="magic"),
        lambda image: change_trace(image, rng=stream(0), operation="magic"),
        lambda image: change_trace(image, rng=stream(0), operation="median", sigma=3),
        lambda image: change_trace(image, rng=stream(0), operation="median", size=4),
        lambda image: change_trace(image, rng=stream(0), operation="jpeg", quality=0),
        lambda image: generate(image, rng=stream(0), upsampling="magic"),
    ],
)
def test_wrong_arguments_are_refused(edit):
    image = picture("coffee.png")
    before = image.copy()
    with pytest.raises(ParameterError):
        edit(image)
    assert np.array_equal(image, before)
