"""The JPEG grid: votes against a plain statement of the paper, and decisions on real pixels."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy import stats

import forensix
from forensix.detectors.jpeg import ghosts, grid
from forensix.detectors.jpeg._grid_votes import (
    NO_VOTE,
    cell_votes,
    grid_votes,
    grown_regions,
    log10_tail,
    main_grid,
    most_zeros,
)
from forensix.detectors.jpeg._grid_windows import hold_of, window_votes
from forensix.errors import NotApplicable, ParameterError
from forensix.signal.block_dct import block_dct, inverse_block_dct
from tests.encodings import opened, png, saved
from tests.reference.block_zeros import block_zeros

BOX = (96, 160, 120, 136)  # top, left, rows, cols of every paste below


@pytest.fixture(scope="module")
def scene():
    return np.ascontiguousarray(skimage.data.astronaut()[:288, :448])


@pytest.fixture(scope="module")
def other():
    return np.ascontiguousarray(skimage.data.chelsea()[:288, :448])


def pasted(host, donor, box=BOX):
    top, left, rows, cols = box
    made = host.copy()
    made[top : top + rows, left : left + cols] = donor[top : top + rows, left : left + cols]
    return made


def share_inside(finding, shape):
    """Share of the paste that the heatmap marks, and share of the marked outside it."""
    top, left, rows, cols = BOX
    marked = np.nan_to_num(finding.heatmap.full_size(*shape)) > 0.5
    inside = marked[top : top + rows, left : left + cols]
    return inside.mean(), 1 - inside.sum() / max(marked.sum(), 1)


# --- votes


def plain_votes(luma, beneath=None):
    """Every pixel asks all the blocks around it; no forensix."""
    counts = block_zeros(luma).astype(int)
    votes = np.full(luma.shape, 64)
    for row in range(luma.shape[0]):
        for col in range(luma.shape[1]):
            best = {}
            for r in range(max(row - 7, 0), min(row, counts.shape[0] - 1) + 1):
                for c in range(max(col - 7, 0), min(col, counts.shape[1] - 1) + 1):
                    if beneath is None or (r % 8 != beneath // 8 and c % 8 != beneath % 8):
                        best.setdefault(counts[r, c], []).append((r, c))
            if best and max(best) < 63 and len(best[max(best)]) == 1:
                r, c = best[max(best)][0]
                votes[row, col] = r % 8 * 8 + c % 8
    return votes


PICTURES = {
    "noise": np.random.RandomState(1).randint(0, 9, (20, 27)),
    "saved": opened(saved(skimage.data.astronaut()[100:124, 200:230], 70))[..., 1],
    "flat": np.full((9, 16), 77),
    "half flat": np.where(np.arange(24) < 11, 50, np.random.RandomState(2).randint(0, 99, (17, 24))),
    "checkerboard": np.indices((12, 19)).sum(axis=0) % 2 * 40,
    "one block": np.random.RandomState(3).randint(0, 20, (8, 8)),
}


@pytest.mark.parametrize("beneath", [None, 0, 43])
@pytest.mark.parametrize("name", PICTURES)
def test_votes_agree_with_a_plain_statement(name, beneath):
    luma = PICTURES[name].astype(float)
    found = most_zeros(block_zeros(luma), beneath=beneath)
    np.testing.assert_array_equal(found, plain_votes(luma, beneath))


def test_votes_of_a_picture_are_those_of_its_zeros():
    luma = PICTURES["saved"].astype(float)
    np.testing.assert_array_equal(grid_votes(luma), plain_votes(luma))
    with pytest.raises(ParameterError, match="at least 8x8"):
        grid_votes(np.zeros((7, 20)))


@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, 0), (5, 6), (7, 7)])
@pytest.mark.parametrize("quality", [60, 90])
def test_the_main_grid_is_where_jpeg_put_it(scene, down, right, quality):
    luma = opened(saved(scene, quality))[-down % 8 :, -right % 8 :].mean(axis=2)
    found, alarms = main_grid(grid_votes(luma))
    assert divmod(found, 8) == (down, right) and alarms < -100


def test_a_picture_never_compressed_has_no_main_grid(scene):
    _, alarms = main_grid(grid_votes(scene[..., 1]))
    assert alarms > -1


def test_cells_count_their_votes():
    votes = np.random.RandomState(4).randint(0, 65, (21, 35)).astype(np.uint8)
    tallies = cell_votes(votes)
    assert tallies.shape == (65, 2, 4)
    np.testing.assert_array_equal(tallies[:, 1, 2], np.bincount(votes[8:16, 16:24].ravel(), minlength=65))
    np.testing.assert_array_equal(tallies.sum(axis=0), 64)


def test_windows_sum_their_cells():
    tallies = np.random.RandomState(5).randint(0, 2, (65, 13, 17)).astype(np.uint8)
    votes, cast = window_votes(tallies)
    assert votes.shape == (64, 2, 3)
    np.testing.assert_array_equal(votes[:, 1, 2], tallies[:64, 4:12, 8:16].sum(axis=(1, 2)))
    np.testing.assert_array_equal(cast, votes.sum(axis=0))
    assert hold_of(np.zeros((65, 9, 9), np.uint8), 3) == (0.0, 0.0)


# --- chance


@pytest.mark.parametrize(("trials", "successes"), [(1, 1), (10, 2), (100, 9), (900, 30), (50, 50)])
def test_the_bound_is_above_the_binomial_tail_and_near_it(trials, successes):
    exact = stats.binom.logsf(successes - 1, trials, 1 / 64) / np.log(10)
    found = log10_tail(trials, successes)
    assert exact <= found + 1e-9 <= exact + 1.5


def test_no_more_than_expected_is_no_evidence():
    np.testing.assert_array_equal(log10_tail(np.array([0, 640, 64]), np.array([0, 10, 0])), 0)


def test_random_votes_make_no_region():
    for seed in range(10):
        votes = np.random.RandomState(seed).randint(0, 64, (160, 200)).astype(np.uint8)
        tallies = cell_votes(np.kron(votes[:20, :25], np.ones((8, 8), np.uint8)))
        assert not any(grown_regions(tallies, g, pixels=32000, limit=0.0) for g in range(64))


def test_a_planted_region_is_grown():
    votes = np.random.RandomState(6).randint(0, 64, (20, 25)).astype(np.uint8)
    votes[5:11, 8:14] = 29
    tallies = cell_votes(np.kron(votes, np.ones((8, 8), np.uint8)))
    (region,) = grown_regions(tallies, 29, pixels=32000, limit=-3.0)
    assert region.grid == 29 and region.cells[5:11, 8:14].all() and region.cells.sum() < 50
    assert region.log10_alarms == pytest.approx(
        2 * np.log10(64) + 2 * np.log10(32000) - 36 * np.log10(64), abs=12
    )


# --- resaving


def test_resaving_quantizes_and_leaves_the_rest_alone(scene):
    luma = scene[:45, :53, 0].astype(np.float32)
    again = grid.resaved(luma, offset=(3, 6), quality=60)
    np.testing.assert_array_equal(again[:3], luma[:3])
    np.testing.assert_array_equal(again[:, 46 + 6 :], luma[:, 46 + 6 :])
    assert again.min() >= 0 and again.max() <= 255 and (again == np.rint(again)).all()
    levels = block_dct(again, offset=(3, 6)) / 1.0
    table = grid.ijg_table(60)
    assert np.abs(levels / table - np.rint(levels / table)).mean() < 0.06


def test_the_inverse_undoes_the_dct():
    luma = np.random.RandomState(7).randint(0, 256, (16, 24)).astype(np.float32)
    np.testing.assert_allclose(inverse_block_dct(block_dct(luma)), luma, atol=1e-3)


# --- the decision


@pytest.mark.parametrize("host_quality", [None, 85])
@pytest.mark.parametrize("encode", [png, lambda pixels: saved(pixels, 98)])
def test_a_paste_on_another_grid_is_found(scene, other, host_quality, encode):
    host = opened(saved(scene, host_quality)) if host_quality else scene
    donor = np.roll(opened(saved(other, 70)), (3, 5), (0, 1))
    finding = grid.detect(forensix.open(encode(pasted(host, donor))))
    inside, stray = share_inside(finding, scene.shape[:2])
    assert finding.score > 0.5 and finding.measurements["region_grid"] == [3, 5]
    assert finding.measurements["difference"] in ("foreign", "beneath")
    assert inside > 0.6 and stray < 0.25
    assert "row 3, column 5" in finding.explanation


def test_a_paste_beneath_the_grid_of_the_file_is_found(scene, other):
    donor = np.roll(opened(saved(other, 60)), (3, 5), (0, 1))
    finding = grid.detect(forensix.open(saved(pasted(scene, donor), 95)))
    assert finding.score > 0.5
    assert finding.measurements["difference"] == "beneath"
    assert finding.measurements["region_grid"] == [3, 5]


@pytest.mark.parametrize("quality", [60, 85, 95])
def test_a_paste_without_a_grid_is_found(scene, other, quality):
    finding = grid.detect(forensix.open(png(pasted(opened(saved(other, quality)), scene))))
    inside, stray = share_inside(finding, scene.shape[:2])
    assert finding.score > 0.5 and finding.measurements["difference"] == "missing"
    assert inside > 0.6 and stray < 0.25
    assert "no trace of the JPEG grid" in finding.explanation


@pytest.mark.parametrize("qualities", [(), (50,), (75,), (90,), (98,), (100,)])
@pytest.mark.parametrize("encode", [png, lambda pixels: saved(pixels, 85)])
def test_an_untouched_picture_stays_silent(scene, qualities, encode):
    pixels = scene
    for quality in qualities:
        pixels = opened(saved(pixels, quality))[3:, 2:]
    finding = grid.detect(forensix.open(encode(np.ascontiguousarray(pixels))))
    assert finding.score <= 0.5 and not finding.regions
    assert np.nanmax(finding.heatmap.values) <= 0.5


def test_the_grid_of_a_cropped_picture_is_measured(scene):
    cropped = opened(saved(scene, 75))[3:, 2:]
    measured = grid.detect(forensix.open(png(cropped))).measurements
    assert measured["main_grid"] == [5, 6] and measured["earlier_grid"] is None
    again = grid.detect(forensix.open(saved(cropped, 97)))
    assert again.measurements["main_grid"] == [0, 0]
    assert again.measurements["earlier_grid"] == [5, 6]
    assert again.score <= 0.5 and "cropped and saved again" in again.explanation


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("encode", [png, lambda pixels: saved(pixels, 80)])
def test_a_flat_picture_cannot_tell(value, encode):
    finding = grid.detect(forensix.open(encode(np.full((96, 104, 3), value, np.uint8))))
    assert finding.score is None and finding.heatmap is None
    assert "nothing can be said" in finding.explanation


def test_a_picture_too_small_is_refused():
    with pytest.raises(NotApplicable, match="smaller than 64"):
        grid.detect(forensix.open(png(np.zeros((63, 90, 3), np.uint8))))


def test_the_same_picture_gives_the_same_finding(scene, other):
    data = png(pasted(scene, np.roll(opened(saved(other, 70)), (3, 5), (0, 1))))
    first, second = (grid.detect(forensix.open(data)) for _ in range(2))
    assert first.to_dict() == second.to_dict() and first.heatmap == second.heatmap


def test_no_vote_is_beyond_the_grids():
    assert NO_VOTE == 64


def test_blocks_of_changing_size_as_of_heif_are_no_paste(scene):
    """Some blocks all over the picture have zeros on one grid, and in one corner most have."""
    jpeg = opened(saved(scene, 80))
    rows, cols = (length // 8 for length in scene.shape[:2])
    chosen = np.random.default_rng(7).random((rows, cols)) < 0.15
    corner = chosen.copy()
    corner[6:18, 6:18] = True
    only = np.zeros_like(corner)
    only[6:18, 6:18] = True

    def mixed(blocks):
        inside = np.kron(blocks, np.ones((8, 8), bool))
        picture = scene.copy()
        picture[: 8 * rows, : 8 * cols][inside] = jpeg[: 8 * rows, : 8 * cols][inside]
        return grid.detect(forensix.open(png(np.ascontiguousarray(picture[3:, 2:]))))

    assert mixed(only).score > 0.5
    assert mixed(corner).score <= 0.5 and not mixed(corner).regions


@pytest.mark.parametrize("angle", [0.5, 0.8])
def test_a_jpeg_turned_as_a_whole_has_no_foreign_parts(angle):
    import cv2
    from skimage import data

    stream = io.BytesIO()
    Image.fromarray(data.astronaut()).save(stream, "JPEG", quality=70)
    rgb = np.asarray(Image.open(stream).convert("RGB"))
    turn = cv2.getRotationMatrix2D((256, 256), angle, 1.0)
    straightened = cv2.warpAffine(rgb, turn, (512, 512), flags=cv2.INTER_CUBIC)[16:-16, 16:-16]
    evidence = forensix.open(np.ascontiguousarray(straightened))
    finding = grid.detect(evidence)
    assert finding.score is None and finding.regions == () and finding.measurements["drifting_grid"]
    assert "turned" in finding.explanation
    assert not (np.nan_to_num(finding.heatmap.values) > 0.5).any()
    assert grid.analysis_of(evidence).hints == ()
    ghost = ghosts.detect(evidence)
    assert ghost.score is None and ghost.explanation == finding.explanation
