"""Equal patches: the kernel against plain loops, and what is made of them."""

import numpy as np
import pytest

from forensix.detectors.removal import _exact_copies as exact
from forensix.detectors.removal import exemplar_fill as exemplar
from forensix.detectors.removal._chance import Chance
from forensix.detectors.removal._fragments import Fragment
from forensix.errors import ParameterError
from forensix.native import exact_patches as kernel
from tests.reference import exact_patches as reference
from tests.test_exemplar_fill import f1, luma

PLANES = {
    "noise": lambda rng: rng.integers(100, 112, (22, 27, 3)),
    "flat": lambda rng: np.full((22, 27, 3), 70),
    "saturated": lambda rng: np.where(rng.random((22, 27, 1)) < 0.5, 255, 0) + np.zeros((1, 1, 3)),
    "checkerboard": lambda rng: np.indices((22, 27)).sum(axis=0)[..., None] % 2 * np.full(3, 200),
    "one row": lambda rng: rng.integers(0, 256, (1, 30, 3)),
    "copied": lambda rng: np.tile(rng.integers(90, 130, (11, 9, 3)), (2, 3, 1)),
}


@pytest.fixture(params=list(PLANES))
def plane(request):
    return np.ascontiguousarray(PLANES[request.param](np.random.default_rng(7)).astype(np.uint8))


def test_table_and_bits_are_those_of_the_reference(plane):
    table = kernel.error_table(plane)
    np.testing.assert_allclose(table, reference.error_table(plane), rtol=1e-5)
    np.testing.assert_allclose(kernel.pixel_bits(plane, table), reference.pixel_bits(plane, table), atol=1e-4)


def test_equal_patches_that_say_enough_share_a_key(plane):
    table = kernel.error_table(plane)
    wanted = reference.equal_patches(plane, reference.pixel_bits(plane, table), 12)
    keys, places = kernel.patch_keys(plane, table, least=12)
    found = {}
    for key, place in zip(keys.tolist(), places.tolist(), strict=True):
        found.setdefault(key, []).append(place)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, wanted))


def test_one_in_so_many_is_taken_by_its_content():
    pixels = np.random.default_rng(1).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    pixels[35:55, 30:60] = pixels[5:25, 2:32]
    table = kernel.error_table(pixels)
    keys, places = kernel.patch_keys(pixels, table, least=12, one_in=8)
    assert 56 * 76 / 16 < len(keys) < 56 * 76 / 4
    here = {p for p in places.tolist() if 7 <= p // 80 < 23 and 4 <= p % 80 < 30}
    assert len(here) > 20 and {p + 30 * 80 + 28 for p in here} <= set(places.tolist())
    assert len(kernel.patch_keys(pixels, table, least=12, most=50)[0]) == 50
    with pytest.raises(ParameterError, match="power of two"):
        kernel.patch_keys(pixels, table, least=12, one_in=3)
    with pytest.raises(ParameterError, match="uint8"):
        kernel.error_table(pixels[:, ::2])


def smooth(seed=2, rows=200, cols=260):
    """A picture without grain: what a phone leaves of a photo."""
    import cv2

    rng = np.random.default_rng(seed)
    wide = (
        cv2.GaussianBlur(rng.normal(0, 90, (rows, cols, 3)), (0, 0), 5) + np.linspace(60, 190, cols)[:, None]
    )
    return np.clip(np.rint(wide), 0, 255).astype(np.uint8)


def test_a_copy_without_grain_is_found_by_its_equality():
    pixels, truth = smooth(), np.zeros((200, 260), bool)
    pixels[120:150, 40:80] = pixels[31:61, 167:207]
    truth[120:150, 40:80] = True
    found = exemplar.find_copied_holes(pixels, luma(pixels))
    assert found.holes and found.holes[0][1] < -20
    piece = max(found.holes[0][0].fragments, key=lambda fragment: fragment.bits)
    assert piece.bits > 500 and piece.offset in ((-89, 127), (89, -127))
    assert max(f1(truth, np.roll(both, 0)) for both in sides(piece, truth.shape)) > 0.9
    assert not exemplar.find_copied_holes(smooth(), luma(smooth())).holes


def sides(piece, shape):
    for other in (False, True):
        mask = np.zeros(shape, bool)
        mask[piece.window(other)] = piece.mask
        yield mask


def test_even_areas_say_nothing():
    pixels = smooth()
    pixels[:80] = 255
    pixels[150:] = 20
    table = kernel.error_table(pixels)
    assert kernel.pixel_bits(pixels, table)[10:70, 10:].max() < 0.2
    matches = exact.exact_matches(pixels, table)
    assert not (matches.places[:, 0] < 75).any()
    assert exemplar.find_copied_holes(pixels, luma(pixels)).holes == ()


def test_thinning_keeps_one_match_of_a_square():
    row, col = np.divmod(np.arange(100), 10)
    places = np.stack([row, col], axis=1).astype(np.int32)
    kept = exact.thinned(places, places + np.int32([30, 40]))
    assert len(kept.places) == 25
    assert (kept.others - kept.places == [30, 40]).all()
    assert len(exact.thinned(places[:0], places[:0]).places) == 0


def test_chance_falls_as_the_pictures_own_equal_pieces_do():
    calm, busy = Chance(0, 0), Chance(0, 0, tuple(np.linspace(400, 100, 120)))
    few, many = (float(chance.log10_equal(np.array(500.0))) for chance in (calm, busy))
    assert few == pytest.approx(-(500 - 40) / 20 / np.log(10))
    assert many > 0.5
    pieces = [
        Fragment(0, 0, np.ones((5, 5), bool), (9, 9), 9, 0.0),
        Fragment(0, 0, np.ones((5, 5), bool), (9, 9), 0, 500.0),
    ]
    both = calm.log10_pieces(pieces)
    assert both[0] == pytest.approx(calm.log10_groups(np.array(9)) + np.log10(2))
    assert both[1] == pytest.approx(few + np.log10(2))


def test_pieces_of_one_offset_that_overlap_are_one():
    first = Fragment(10, 10, np.ones((6, 6), bool), (40, 0), 5, 0.0)
    second = Fragment(54, 12, np.ones((6, 8), bool), (-40, 0), 0, 200.0)
    apart = Fragment(90, 12, np.ones((6, 8), bool), (-40, 0), 0, 90.0)
    one, other = exact.joined([first], [second, apart])
    assert (one.top, one.left, one.mask.shape, one.area) == (10, 10, (10, 10), 6 * 6 + 6 * 8 - 2 * 4)
    assert (one.anchors, one.bits, one.offset) == (5, 200.0, (40, 0))
    assert other is apart


def test_a_pattern_repeats_itself():
    row, col = np.indices((60, 60))
    ramp = np.repeat((row + col // 4)[..., None], 3, axis=2).astype(np.uint8)
    piece = Fragment(10, 10, np.ones((20, 25), bool), (3, -12), 0, 300.0)
    table = kernel.error_table(ramp)
    assert exact.is_pattern(ramp, piece, table)
    other = smooth(rows=60, cols=60)
    assert not exact.is_pattern(other, piece, kernel.error_table(other))
    other[:, 12:] = 128  # even but for a rim that says all
    assert not exact.is_pattern(other, piece, kernel.error_table(other))
