import functools
import io

import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.detectors.removal import (
    _chance,
    _fragments,
    _ordinary,
    _outline,
    _screens,
    _self_matches,
    _targets,
)
from forensix.detectors.removal import exemplar_fill as exemplar
from forensix.errors import NotApplicable, ParameterError
from tests.hostile import saved


@functools.cache
def photo(name="astronaut"):
    """A photo with some grain, as a camera gives it: the shipped ones are scaled and smooth."""
    from skimage import data

    pixels = getattr(data, name)().astype(float)
    grain = np.random.default_rng(3).normal(0, 2, pixels.shape)
    pixels = np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8)
    pixels.flags.writeable = False
    return pixels


def luma(pixels):
    return pixels.astype(np.float32) @ np.float32([0.299, 0.587, 0.114])


def patched(pixels, top=100, left=150, side=72, tile=24):
    """A square hole covered with tiles, each from a place of its own around it."""
    generator = np.random.default_rng(8)
    filled, hole = pixels.copy(), np.zeros(pixels.shape[:2], bool)
    hole[top : top + side, left : left + side] = True
    for row in range(top, top + side, tile):
        for col in range(left, left + side, tile):
            from_row, from_col = generator.integers(200, 400, 2)
            filled[row : row + tile, col : col + tile] = pixels[
                from_row : from_row + tile, from_col : from_col + tile
            ]
    return filled, hole


def png(pixels):
    return forensix.open(saved(pixels, "PNG"))


def f1(found, truth):
    return 2 * np.count_nonzero(found & truth) / (np.count_nonzero(found) + np.count_nonzero(truth))


def test_finds_a_hole_covered_with_tiles():
    filled, hole = patched(photo())
    finding = exemplar.detect(png(filled))
    assert finding.score > 0.7
    assert f1(finding.heatmap.full_size(*hole.shape) > 0.5, hole) > 0.85
    assert {region.role for region in finding.regions} == {"tampered", "source"}
    assert "pieces copied" in finding.explanation
    hole_said = finding.measurements["holes"][0]
    assert hole_said["certain"]
    for piece in hole_said["pieces"]:
        (top, left, rows, cols), (from_top, from_left, *_) = piece["copy"], piece["source"]
        middle = np.s_[2 : rows - 2, 2 : cols - 2]
        there = [filled[r : r + rows, c : c + cols][middle] for r, c in ((top, left), (from_top, from_left))]
        assert (there[0] == there[1]).mean() > 0.8 and hole[top : top + rows, left : left + cols].mean() > 0.8


def test_finds_a_healed_patch():
    """Copied with another brightness: the residual is the same."""
    filled, hole = photo().copy(), np.zeros(photo().shape[:2], bool)
    filled[100:164, 60:124] = np.clip(photo()[332:396, 300:364].astype(int) + 12, 0, 255)
    hole[100:164, 60:124] = True
    hole[332:396, 300:364] = True
    found = exemplar.find_copied_holes(filled, luma(filled))
    assert found.holes
    fragment = found.holes[0][0].fragments[0]
    assert fragment.offset in ((232, 240), (-232, -240))
    assert not found.holes[0][0].certain
    assert "cannot be told" in exemplar.detect(png(filled)).explanation
    assert f1(found.holes[0][0].mask(*hole.shape) | found.holes[0][0].sources(*hole.shape), hole) > 0.8


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
@pytest.mark.parametrize("grain", [True, False])
def test_silent_on_untouched_photos(name, grain):
    from skimage import data

    finding = exemplar.detect(png(photo(name) if grain else getattr(data, name)()))
    assert finding.score < 0.5 and finding.regions == ()
    assert (finding.heatmap.values <= 0.5).all()


@pytest.mark.parametrize("name", ["brick", "grass", "gravel"])
def test_texture_alone_does_not_fire(name):
    from skimage import data

    finding = exemplar.detect(png(getattr(data, name)()))
    assert finding.score < 0.5 and finding.regions == ()


def degenerate():
    i, j = np.indices((160, 200))
    yield "flat", np.full((160, 200), 90)
    yield "white", np.full((160, 200), 255)
    yield "checkerboard", (i + j) % 2 * 255
    yield "blocks", (i // 8 + j // 8) % 2 * 200
    yield "stripes", j // 5 % 2 * 180
    yield "ramp", i + j // 4
    yield "noise", np.random.default_rng(4).integers(0, 256, (160, 200))
    yield "tiles", np.tile(np.random.default_rng(5).integers(0, 256, (4, 4)), (40, 50))


@pytest.mark.parametrize("name, plane", list(degenerate()))
def test_nothing_in_degenerate_pictures(name, plane):
    finding = exemplar.detect(png(np.repeat(plane.astype(np.uint8)[..., None], 3, axis=2)))
    assert finding.regions == ()
    assert finding.score is None or finding.score <= 0.5


def test_a_drawing_is_null_not_zero():
    drawing = np.full((128, 128, 3), 240, np.uint8)
    drawing[20:40, 20:40] = drawing[70:90, 60:80] = 30
    finding = exemplar.detect(png(drawing))
    assert finding.score is None and "even" in finding.explanation


def test_every_listed_pair_is_alike_and_every_exact_copy_is_listed():
    """Against plain loops over the anchors."""
    pixels = photo()[:128, :128].copy()
    pixels[80:110, 70:110] = pixels[10:40, 20:60]
    plane = luma(pixels)
    places = [tuple(place) for place in _self_matches.anchors(plane).tolist()]
    inner = [(r, c) for r, c in places if 16 <= r < 34 and 26 <= c < 54]
    matches = _self_matches.self_matches(plane)
    listed = set(map(tuple, np.hstack([matches.places, matches.others]).tolist()))
    assert len(inner) > 10
    expected = {(r, c, r + 70, c + 50) for r, c in inner}
    assert expected <= {(r, c, r + 70, c + 50) for r, c in places if (r + 70, c + 50) in places}
    assert expected <= listed
    blurless = _self_matches.residual(plane)
    for r, c, s, d in listed:
        one, two = blurless[r - 3 : r + 4, c - 3 : c + 4], blurless[s - 3 : s + 4, d - 3 : d + 4]
        assert np.abs(one - two).mean() < 0.25 * (np.abs(one).mean() + np.abs(two).mean()) / 2


def test_the_residual_of_a_window_is_that_of_the_picture():
    window = (slice(40, 90), slice(0, 33))
    whole = _self_matches.residual(photo())[window]
    np.testing.assert_allclose(_self_matches.residual_at(photo(), window), whole, atol=1e-3)


def test_chance_is_counted_in_the_picture():
    mask = np.ones((20, 20), bool)
    hole = _targets.CopiedHole((_fragments.Fragment(5, 5, mask, (40, 3), 9),), (False,), 15.0)
    calm = _chance.log10_alarms(hole, sizes=[9], size=10**6)
    busy = _chance.log10_alarms(hole, sizes=[9] + 300 * [3] + 300 * [2], size=10**6)
    # Sixteen discs, two ways to match; each further anchor of a group is had by 0.5 in 10 of those of two.
    assert calm == pytest.approx(np.log10(2 * 16) + 7 * np.log10(0.05))
    assert busy > 1
    larger = _targets.CopiedHole((_fragments.Fragment(5, 5, mask, (40, 3), 20),), (False,), 15.0)
    assert _chance.log10_alarms(larger, sizes=[20], size=10**6) == pytest.approx(
        np.log10(2 * 16) + 18 * np.log10(0.05)
    )


def test_a_second_piece_in_the_disc_counts_by_the_disc():
    mask = np.ones((20, 20), bool)
    pieces = [_fragments.Fragment(5, 5, mask, (40, 3), 9), _fragments.Fragment(5, 30, mask, (60, 8), 3)]
    alone = _targets.CopiedHole(tuple(pieces[:1]), (False,), 30.0)
    both = _targets.CopiedHole(tuple(pieces), (False, False), 30.0)
    share = 2 * np.pi * 30**2 / 10**6
    gain = [_chance.log10_alarms(hole, sizes=[9, 3], size=10**6) for hole in (both, alone)]
    assert gain[1] == pytest.approx(np.log10(2 * 16) + np.log10(2) + 7 * np.log10(1.5 / 11))
    assert gain[0] == pytest.approx(
        np.log10(2 * 16) + 7 * np.log10(0.05) + np.log10(2 * 0.05) + np.log10(share)
    )


def test_the_tail_of_a_product_is_that_of_random_numbers():
    drawn = np.random.default_rng(2).random((200_000, 4)).prod(axis=1)
    values = np.log10([0.2, 0.9, 0.1, 0.3])
    expected = np.log10((drawn <= 10 ** values.sum()).mean())
    assert _chance.log10_product_tail(values) == pytest.approx(expected, abs=0.02)
    assert _chance.log10_product_tail(np.full(46, np.log10(0.5))) > -0.1
    assert _chance.log10_product_tail(np.zeros(5)) == _chance.log10_product_tail(np.zeros(0)) == 0
    assert -1000 < _chance.log10_product_tail(np.array([-500.0, -500.0])) < -990


def test_the_box_of_a_large_fragment_is_its_own():
    """One that is looked at again and again, always larger, lies where its mask says."""
    pixels = np.random.default_rng(9).integers(90, 110, (300, 900, 3)).astype(np.uint8)
    pixels[200:240] = pixels[20:60]
    places = np.array([[30, 440], [40, 450], [36, 445]])
    piece = _fragments.grown_fragment(pixels, places, (180, 0))
    assert piece.top >= 0 and piece.left >= 0
    assert 16 <= piece.top <= 22 and 36 <= len(piece.mask) <= 44
    assert piece.mask.shape[1] >= 300


def test_a_printed_caption_is_no_copy():
    pixels = photo().copy()
    pixels[-28:] = 20
    glyph = np.random.default_rng(6).integers(0, 2, (5, 8)).repeat(4, axis=0).repeat(4, axis=1) * 220
    for left in (20, 200, 400):
        pixels[-24:-4, left : left + 32] = np.maximum(glyph, 20)[..., None]
    assert exemplar.detect(png(pixels)).score < 0.5
    piece = _fragments.Fragment(486, 20, np.ones((20, 32), bool), (0, 180), 9)
    assert exemplar.is_lettering(piece, luma(pixels))
    higher = _fragments.Fragment(300, 20, np.ones((20, 32), bool), (186, 180), 9)
    assert not exemplar.is_lettering(higher, luma(pixels))


def test_the_lattice_tells_the_copy_from_the_source():
    """A picture that was a JPEG: its copy lies off the lattice of blocks."""
    buffer = io.BytesIO()
    Image.fromarray(photo()).save(buffer, "JPEG", quality=85)
    pixels = np.array(Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"))
    hole = np.zeros(pixels.shape[:2], bool)
    hole[101:181, 60:140] = True
    pixels[101:181, 60:140] = pixels[330:410, 303:383]
    found = exemplar.find_copied_holes(pixels, luma(pixels))
    assert found.holes[0][0].certain
    assert f1(found.holes[0][0].mask(*hole.shape), hole) > 0.8
    assert f1(found.holes[0][0].sources(*hole.shape), np.roll(hole, (229, 243), (0, 1))) > 0.8


def test_a_fragment_of_one_row_has_no_even_share():
    assert exemplar.even_share(np.zeros((1, 30), np.float32)) == 0


def test_gaps_are_closed_up_to_their_size():
    mask = np.zeros((60, 80), bool)
    mask[20:40, 20:38] = mask[20:40, 44:60] = True
    assert _targets.closed(mask, gap=9)[30, 38:44].all()
    assert not _targets.closed(mask, gap=5)[30, 40:42].any()
    assert not _targets.closed(np.zeros((5, 5), bool), gap=9).any()


def test_too_small_does_not_apply():
    with pytest.raises(NotApplicable, match="64 x 64"):
        exemplar.detect(png(photo()[:63]))
    with pytest.raises(ParameterError, match="one size"):
        exemplar.find_copied_holes(photo(), luma(photo())[1:])


def known_tile():
    """A hole of tiles, and as much of it as one of them gives away."""
    filled, truth = patched(photo())
    generator = np.random.default_rng(8)
    row, col = generator.integers(200, 400, 2)
    tile = _fragments.Fragment(100, 150, np.ones((24, 24), bool), (int(row) - 100, int(col) - 150), 9)
    return filled, truth, tile


def test_the_outline_reaches_the_other_tiles():
    filled, truth, tile = known_tile()
    for fragment, other in (
        (tile, False),
        (
            _fragments.Fragment(
                100 + tile.offset[0], 150 + tile.offset[1], tile.mask, (-tile.offset[0], -tile.offset[1]), 9
            ),
            True,
        ),
    ):
        hole = _targets.CopiedHole((fragment,), (other,), 15.0)
        assert f1(hole.mask(*truth.shape), truth) < 0.3
        found = _outline.outlined(hole, filled, _self_matches.self_matches(luma(filled)))
        assert f1(found, truth) > 0.9


def test_the_outline_of_a_whole_hole_stays():
    filled, truth = photo().copy(), np.zeros(photo().shape[:2], bool)
    filled[100:148, 150:198] = photo()[300:348, 260:308]
    truth[100:148, 150:198] = True
    piece = _fragments.Fragment(102, 152, np.ones((44, 44), bool), (200, 110), 9)
    found = _outline.outlined(_targets.CopiedHole((piece,), (False,), 30.0), filled)
    assert f1(found, truth) > 0.9


def test_known_offsets_of_a_window():
    piece = _fragments.Fragment(4, 6, np.ones((5, 7), bool), (30, -2), 9)
    hole = _targets.CopiedHole((piece,), (True,), 9.0)
    offsets = _outline.known_offsets(hole, (slice(36, 60), slice(0, 8)))
    expected = np.zeros((24, 8, 2), int)
    expected[:3, 4:8] = -30, 2
    assert np.array_equal(offsets, expected)


def test_agreement_counts_the_neighbours_of_one_offset():
    offsets = np.arange(20 * 20 * 2, dtype=np.int32).reshape(20, 20, 2)
    offsets[5:12, 5:12] = 3, 4
    count = _outline.agreement(offsets)
    assert count[8, 8] == 48 and count[5, 5] == 15 and count[0, 0] == 0


def test_a_hole_in_a_tiny_picture_stays_as_it_is():
    piece = _fragments.Fragment(4, 4, np.ones((20, 20), bool), (30, 30), 9)
    hole = _targets.CopiedHole((piece,), (False,), 30.0)
    pixels = photo()[:30, :30]
    assert np.array_equal(_outline.outlined(hole, pixels), hole.mask(30, 30))


def test_small_pieces_of_little_content_whole_blocks_away_are_a_jpeg_repeating_itself():
    i = np.mgrid[:60, :60][0]
    waves = (120 + 9 * np.cos(np.pi * (i % 8 + 0.5) / 8)).astype(np.float32)
    noise = np.random.default_rng(3).normal(120, 8, (60, 60)).astype(np.float32)
    mask = np.ones((20, 20), bool)
    for luma_of, down, side, expected in (
        (waves, 48, 20, True),
        (waves, 47, 20, False),
        (waves, 48, 40, False),
        (noise, 48, 20, False),
        (noise, 48, 7, True),
    ):
        piece = _fragments.Fragment(5, 5, np.ones((side, side), bool), (down, -96), 6)
        assert exemplar.is_block_content(piece, luma_of) == expected
    assert _ordinary.coefficients_in(waves[3:23, 5:25], mask) == pytest.approx(400 / 64)
    assert _ordinary.coefficients_in(waves[3:23, 5:25], ~mask) == 0


def test_separate_copies_are_not_bridged():
    one = np.zeros((400, 400), bool)
    one[10:60, 10:60] = True
    parts = one | np.roll(one, (150, 200), (0, 1))
    assert _targets.part_side(parts) == pytest.approx(50)
    assert _targets.part_side(np.zeros((4, 4), bool)) == 0
    speck = one.copy()
    speck[300, 300] = True
    assert _targets.part_side(speck) == pytest.approx(50, abs=0.1)
    pieces = tuple(
        _fragments.Fragment(top, left, np.ones((50, 50), bool), (150 + top, 3), 40)
        for top, left in ((10, 10), (10, 200), (200, 100))
    )
    hole = _targets.CopiedHole(pieces, (False, False, False), 200.0)
    assert hole.mask(500, 400).sum() == pytest.approx(3 * 2500, rel=0.05)


def printed(grey, *, period, angle, blur, grain):
    """A photo through a screen of clustered dots, scanned: (rows, cols, 3) uint8."""
    from scipy import ndimage

    row, col = np.indices(grey.shape)
    turn = np.deg2rad(angle)
    down = (row * np.cos(turn) + col * np.sin(turn)) / period
    across = (col * np.cos(turn) - row * np.sin(turn)) / period
    dots = (np.cos(2 * np.pi * down) + np.cos(2 * np.pi * across)) / 4 + 0.5
    scan = ndimage.gaussian_filter((grey / 255 > dots) * 255.0, blur)
    scan += np.random.default_rng(2).normal(0, grain, scan.shape)
    return np.repeat(np.clip(np.rint(scan), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("period, angle, blur, grain", [(6, 45, 1, 0), (8, 15, 1.2, 2), (4, 0, 0.7, 1)])
def test_a_print_cannot_be_judged(period, angle, blur, grain):
    from skimage import data

    screened = printed(data.camera()[:256, :320], period=period, angle=angle, blur=blur, grain=grain)
    finding = exemplar.detect(png(screened))
    assert finding.score is None and finding.regions == () and "screen of dots" in finding.explanation
    assert _screens.screen_share(luma(photo())) < 0.1


def test_a_print_within_a_photo_is_left_out():
    from skimage import data

    filled, hole = patched(photo())
    filled[:, :128] = printed(data.camera()[:512, :128], period=6, angle=45, blur=1, grain=0)
    assert 0.1 < _screens.screen_share(luma(filled)) < 0.5
    found = exemplar.find_copied_holes(filled, luma(filled))
    assert (found.matches.places[:, 1] >= 128).all()
    assert f1(found.holes[0][0].mask(*hole.shape), hole) > 0.8


def test_noise_has_no_lattice():
    row, col = np.indices((64, 64))
    assert _screens.has_lattice(
        (30 * np.cos(2 * np.pi * row / 7) * np.cos(2 * np.pi * col / 9)).astype(np.float32)
    )
    assert not _screens.has_lattice(np.random.default_rng(1).normal(0, 9, (64, 64)).astype(np.float32))
    assert not _screens.has_lattice(np.zeros((64, 64), np.float32))
