"""JPEG ghosts: Farid's maps, the likelihood tables, and the decision on real pixels."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy import stats
from scipy.fft import dctn

import forensix
from forensix.detectors.jpeg import ghosts
from forensix.detectors.jpeg._ghost_evidence import Coefficients, independent_levels, strongest_region, tiles
from forensix.detectors.jpeg._ghost_search import later_noise, unclipped_blocks
from forensix.detectors.jpeg._ghost_tables import Sizes, fitted_sizes, level_counts, likelihood_table
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence.jpeg_quality import ijg_table
from forensix.signal.block_dct import block_dct
from forensix.signal.cell_average import box_average
from tests.encodings import opened, png, saved

BOX = (96, 160, 128, 128)  # top, left, rows, cols of every paste below


@pytest.fixture(scope="module")
def scene():
    return np.ascontiguousarray(skimage.data.astronaut()[:288, :448])


@pytest.fixture(scope="module")
def other():
    return np.ascontiguousarray(skimage.data.chelsea()[:288, :448])


def pasted(host, donor):
    top, left, rows, cols = BOX
    made = host.copy()
    made[top : top + rows, left : left + cols] = donor[top : top + rows, left : left + cols]
    return made


def share_inside(finding, shape):
    """Share of the paste that the heatmap marks, and share of the marked outside it."""
    top, left, rows, cols = BOX
    marked = np.nan_to_num(finding.heatmap.full_size(*shape)) > 0.5
    inside = marked[top : top + rows, left : left + cols]
    return inside.mean(), 1 - inside.sum() / max(marked.sum(), 1)


# --- Farid's maps


def plain_ghost_maps(luma, qualities, offset, window):
    """Farid's equations 3 and 6 on requantized blocks, pixel by pixel; no forensix."""
    down, right = offset
    rows, cols = (luma.shape[0] - down) // 8, (luma.shape[1] - right) // 8
    inside = luma[down : down + 8 * rows, right : right + 8 * cols] - 128.0
    blocks = dctn(inside.reshape(rows, 8, cols, 8), axes=(1, 3), norm="ortho")
    maps = []
    for quality in qualities:
        step = ijg_table(quality)[None, :, None, :]
        error = ((blocks - step * np.round(blocks / step)) ** 2).sum(axis=(1, 3))
        full = np.kron(error, np.ones((8, 8)))
        reach = window // 2
        # The mean over window x window pixels centred between the block's middle pixels.
        averaged = np.empty_like(error)
        for r in range(rows):
            for c in range(cols):
                weights = [
                    np.clip(
                        np.minimum(np.arange(n) + 1, 8 * k + 4 + window / 2)
                        - np.maximum(np.arange(n), 8 * k + 4 - window / 2),
                        0,
                        1,
                    )
                    for n, k in ((8 * rows, r), (8 * cols, c))
                ]
                weight = np.outer(*weights)
                averaged[r, c] = (weight * full).sum() / weight.sum()
        assert reach >= 0
        maps.append(averaged)
    maps = np.array(maps)
    return (maps - maps.min(axis=0)) / (maps.max(axis=0) - maps.min(axis=0))


@pytest.mark.parametrize("offset", [(0, 0), (3, 6)])
@pytest.mark.parametrize("window", [17, 8, 24])
def test_maps_agree_with_a_plain_statement_of_the_paper(scene, offset, window):
    luma = scene[40:90, 200:243].mean(axis=2)
    qualities = [55, 70, 91]
    found = ghosts.ghost_maps(luma, qualities, offset=offset, window=window)
    np.testing.assert_allclose(found, plain_ghost_maps(luma, qualities, offset, window), atol=2e-4)


@pytest.mark.parametrize("quality", [60, 75, 88])
def test_the_ghost_is_at_the_quality_of_the_earlier_compression(scene, quality):
    luma = opened(saved(scene[..., 1], quality))[..., 0]
    maps = ghosts.ghost_maps(luma)
    curve = np.nanmean(maps, axis=(1, 2))
    near = np.abs(np.array(ghosts.QUALITIES) - quality) <= 6
    assert np.array(ghosts.QUALITIES)[near][curve[near].argmin()] == quality


def test_a_flat_picture_has_no_curve():
    assert np.isnan(ghosts.ghost_maps(np.full((40, 48), 128.0), [60, 70])).all()


@pytest.mark.parametrize("quality", [0, 101])
def test_maps_refuse_what_they_cannot_use(quality):
    with pytest.raises(ParameterError, match="quality"):
        ghosts.ghost_maps(np.zeros((16, 16)), [quality])
    with pytest.raises(ParameterError, match="whole 8x8 block"):
        ghosts.ghost_maps(np.zeros((7, 90)), [70])
    with pytest.raises(ParameterError, match="offset"):
        ghosts.ghost_maps(np.zeros((16, 16)), [70], offset=(8, 0))
    with pytest.raises(ParameterError, match="one quality"):
        ghosts.ghost_maps(np.zeros((16, 16)), [])


# --- the model


def test_block_dct_agrees_with_scipy():
    luma = np.random.RandomState(5).randint(0, 256, (29, 43)).astype(np.float32)
    found = block_dct(luma, offset=(2, 5))
    plain = dctn(luma[2:26, 5:37].reshape(3, 8, 4, 8) - 128.0, axes=(1, 3), norm="ortho")
    np.testing.assert_allclose(found, plain.transpose(0, 2, 1, 3), atol=1e-3)


def simulated(scale, before, lattice, noise, count=200_000, seed=3):
    """Levels of Laplacian coefficients, quantized once, or twice with noise in between."""
    random = np.random.RandomState(seed)
    value = random.laplace(0, scale, count)
    if before:
        value = before * np.round(value / before) + random.normal(0, noise, count)
    return np.abs(np.round(value / lattice)).astype(int)


@pytest.mark.parametrize(
    ("before", "lattice", "scale"), [(10, 4, 15.0), (7, 2, 6.0), (12, 5, 8.0), (16, 1, 20.0)]
)
def test_likelihood_ratio_is_that_of_simulated_histograms(before, lattice, scale):
    noise, largest = 0.4, 20
    ratios, expected_before, expected_never = likelihood_table(
        np.full(64, lattice),
        np.full((1, 64), before),
        sizes=Sizes(np.full(64, scale), np.zeros(64)),
        noise=np.full(64, noise),
        largest=largest,
    )
    once = np.bincount(simulated(scale, None, lattice, noise), minlength=largest + 1)[1 : largest + 1]
    twice = np.bincount(simulated(scale, before, lattice, noise), minlength=largest + 1)[1 : largest + 1]
    once_share, twice_share = (
        once / simulated_nonzero(scale, None, lattice, noise),
        twice / simulated_nonzero(scale, before, lattice, noise),
    )
    often = (once > 1000) & (ratios[0, 1:-1, 0] != 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        truth = np.log((0.98 * twice_share + 0.02 * once_share) / (0.98 * once_share + 0.02 * twice_share))
    np.testing.assert_allclose(ratios[0, 1:-1, 0][often], truth[often], atol=0.2)
    assert often.sum() >= 4 and expected_before[0, 0] > 0.1 and expected_never[0, 0] > 0.1
    assert ratios[0, 0, 0] == ratios[0, -1, 0] == 0


def simulated_nonzero(*arguments):
    return np.count_nonzero(simulated(*arguments))


def test_a_step_that_leaves_no_trace_says_nothing():
    """The lattice itself, its divisors, and steps too fine for the noise."""
    for before, lattice in [(4, 4), (2, 4), (1, 1), (1, 8)]:
        ratios, *_ = likelihood_table(
            np.full(64, lattice),
            np.full((1, 64), before),
            sizes=Sizes(np.full(64, 9.0), np.zeros(64)),
            noise=np.full(64, 0.5),
            largest=12,
        )
        assert not ratios.any(), (before, lattice)


@pytest.mark.parametrize(
    ("draw", "shape"),
    [
        (lambda random: random.exponential(9.0, 60_000), 0.0),
        (lambda random: 9.0 / 0.6 * random.pareto(1 / 0.6, 60_000), -0.6),
        (lambda random: np.sqrt(random.exponential(81.0, 60_000) / 0.6 + 56.25) - 7.5, 0.6),
    ],
)
def test_the_law_of_simulated_sizes_is_recovered(draw, shape):
    """Inverse sampling: Pareto's law, and exp(-r - 0.6 r^2) with r in units of 9."""
    levels = np.rint(draw(np.random.RandomState(4)) / 2).astype(np.int16)[:, None]
    # A law for each of 64 frequencies is fitted at once; here they are all the same one.
    sizes = fitted_sizes(np.repeat(level_counts(np.minimum(levels, 4000)), 64, axis=0), np.full(64, 2.0))
    assert set(sizes.shape) == {shape}
    np.testing.assert_allclose(sizes.scale, 9.0, rtol=0.15)


def test_level_counts_are_histograms():
    levels = np.random.RandomState(6).randint(-60, 61, (500, 3)).astype(np.int16)
    counts = level_counts(levels)
    for frequency in range(3):
        for level in (1, 7, 48):
            assert counts[frequency, level - 1] == np.count_nonzero(np.abs(levels[:, frequency]) == level)
        assert counts[frequency, -1] == np.count_nonzero(np.abs(levels[:, frequency]) > 48)


def test_repeated_levels_are_left_out():
    levels = np.random.RandomState(7).randint(-2, 3, (6, 7, 8, 8)).astype(np.int16)
    levels[2, 1:5, 3, 0] = [9, 10, -10, 4]  # the first two follow an edge from left to right
    levels[2:4, 6, 0, 5] = 7  # and these one from top to bottom
    levels[5, 1:3, 3, 3] = 12  # not along an axis
    expected = levels.copy()
    expected[..., 0, 0] = expected[..., 0, 1] = expected[..., 1, 0] = 0
    expected[2, 1:3, 3, 0] = expected[2:4, 6, 0, 5] = 0
    np.testing.assert_array_equal(independent_levels(levels), expected)


def test_own_steps_are_those_of_the_earlier_table():
    random = np.random.RandomState(8)
    table = random.randint(5, 30, (8, 8))
    earlier = table * np.round(random.laplace(0, 40, (40, 50, 8, 8)) / table)
    levels = np.round(earlier + random.normal(0, 0.3, earlier.shape)).astype(np.int16)
    found = Coefficients(levels, np.ones((8, 8)), np.full((8, 8), 0.5), np.ones((40, 50), bool)).own_steps()
    np.testing.assert_array_equal(found[1:], table.ravel()[1:])


# --- regions


def test_tiles_sum_to_the_whole():
    evidence = np.random.RandomState(1).normal(size=(7, 10, 3)).astype(np.float32)
    found = tiles(evidence)
    assert found.shape == (4, 5, 3)
    np.testing.assert_allclose(found[1, 2], evidence[2:4, 4:6].sum(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=(0, 1)), evidence.sum(axis=(0, 1)), rtol=1e-4)


def test_chance_regions_are_rarer_than_allowed():
    """Under the null, where each tile's likelihood ratio has mean 1, regions stay below 0 nats."""
    shift = 1.5  # the log-likelihood ratio of a normal shift d is normal(-d^2/2, d)
    found = [
        strongest_region(
            stats.norm.rvs(-(shift**2) / 2, shift, size=(40, 50), random_state=seed), tests=1
        ).nats
        for seed in range(40)
    ]
    assert max(found) < 0


def test_a_planted_region_is_found():
    field = np.full((40, 50), -1.0)
    field[10:15, 20:26] = 4.0
    support = strongest_region(field, tests=102)
    np.testing.assert_array_equal(support.tiles, field > 0)
    assert support.nats == pytest.approx(30 * (4 - np.log(4.0626)) - np.log(102) - 2 * np.log(2000))


def test_clipped_blocks_are_left_out():
    rgb = np.full((27, 35, 3), 100, np.uint8)
    rgb[9, 20, 1], rgb[26, 0, 0], rgb[3, 3], rgb[10, 3, 2] = 255, 255, 0, 255
    usable = unclipped_blocks(rgb, (4, 5), (0, 0))
    expected = np.zeros((4, 5), bool)
    expected[:3, :4] = True
    expected[1, 2] = expected[0, 0] = False
    np.testing.assert_array_equal(usable, expected)


def test_box_average_at_the_border_counts_what_is_there():
    blocks = np.arange(12.0).reshape(3, 4)
    assert box_average(blocks, 24)[0, 0] == pytest.approx(np.mean([0, 1, 4, 5]))
    np.testing.assert_array_equal(box_average(blocks, 8), blocks)


def test_later_noise_is_that_of_a_second_compression(scene):
    grey = scene[..., 1]
    evidence = forensix.open(saved(grey, 80))
    error = block_dct(evidence.luma, offset=(4, 2)) - block_dct(grey, offset=(4, 2))
    found = later_noise(evidence.jpeg.coefficients[0], evidence.jpeg.quantization[0], (4, 2))
    np.testing.assert_allclose(found, error.std(axis=(0, 1)), rtol=0.6)
    assert np.sqrt((found**2).mean()) == pytest.approx(error.std(), rel=0.25)


# --- the decision


@pytest.mark.parametrize(("first", "last"), [(60, 80), (75, 90), (88, 97)])
def test_a_clean_paste_in_a_recompressed_picture_is_found(scene, other, first, last):
    host = opened(saved(scene, first))
    finding = ghosts.detect(forensix.open(saved(pasted(host, other), last)))
    inside, stray = share_inside(finding, host.shape[:2])
    assert finding.score > 0.5
    assert finding.measurements["previous_quality"] == first
    assert inside > 0.7 and stray < 0.2
    assert "was not saved as JPEG" in finding.explanation
    assert finding.regions[0].role == "tampered"


def test_a_recompressed_paste_in_a_clean_picture_is_found(scene, other):
    donor = opened(saved(other, 70))
    finding = ghosts.detect(forensix.open(saved(pasted(scene, donor), 92)))
    inside, stray = share_inside(finding, scene.shape[:2])
    assert finding.score > 0.5 and finding.measurements["previous_quality"] == 70
    assert inside > 0.7 and stray < 0.2
    assert "was saved as JPEG at quality 70" in finding.explanation


@pytest.mark.parametrize("last", [92, 97])
def test_a_paste_on_another_grid_is_found_where_the_grid_method_points(scene, other, last):
    donor = np.roll(opened(saved(other, 60)), (3, 5), (0, 1))
    finding = ghosts.detect(forensix.open(saved(pasted(scene, donor), last)))
    inside, stray = share_inside(finding, scene.shape[:2])
    assert finding.score > 0.5 and finding.measurements["grid_offset"] == [3, 5]
    assert abs(finding.measurements["previous_quality"] - 60) <= 3
    assert inside > 0.6 and stray < 0.25
    assert "shifted by 3 rows and 5 columns" in finding.explanation


def test_a_picture_cropped_and_saved_again_has_a_history_and_no_alarm(scene):
    cropped = np.ascontiguousarray(opened(saved(scene, 70))[3:, 2:])
    for encoded in (png(cropped), saved(cropped, 97)):
        finding = ghosts.detect(forensix.open(encoded))
        assert finding.score < 0.5 and finding.measurements["grid_offset"] == [5, 6]
        assert abs(finding.measurements["previous_quality"] - 70) <= 1


def test_where_to_look(scene, other, monkeypatch):
    """Fast: on the own grid; standard: where hints point, within their cost; thorough: on all."""
    plain = forensix.open(saved(scene, 90))
    assert ghosts.grids_to_search(plain, "fast") == ([(0, 0)], 0)
    offsets, left_out = ghosts.grids_to_search(plain, "thorough")
    assert sorted(offsets) == [(d, r) for d in range(8) for r in range(8)] and left_out == 0
    cropped = np.ascontiguousarray(opened(saved(scene, 70))[3:, 2:])
    hinted = forensix.open(saved(cropped, 97))
    assert (5, 6) in ghosts.grids_to_search(hinted, "standard")[0]
    monkeypatch.setattr(ghosts, "HINTED_PIXELS", 100_000)
    offsets, left_out = ghosts.grids_to_search(hinted, "standard")
    assert offsets == [(0, 0)] and left_out > 0
    assert ghosts.grids_to_search(forensix.open(png(cropped)), "standard")[0] == [(5, 6)]


@pytest.mark.parametrize("qualities", [(90,), (75,), (98,), (70, 90), (88, 97), (90, 75), (85, 85)])
def test_an_untouched_picture_stays_silent(scene, qualities):
    data = saved(scene, qualities[0])
    for quality in qualities[1:]:
        data = saved(opened(data), quality)
    finding = ghosts.detect(forensix.open(data))
    assert finding.score < 0.5 and not finding.regions
    assert np.nanmax(finding.heatmap.values) <= 0.5
    if qualities in ((70, 90), (88, 97)):
        assert finding.measurements["previous_quality"] == qualities[0]
        assert "no part of it stands out" in finding.explanation
    else:
        assert finding.measurements["previous_quality"] is None


def test_a_table_of_no_standard_quality_is_history_too(scene):
    """Cameras have tables of their own; saved again, their pictures are not spliced."""
    random = np.random.RandomState(2)
    table = (ijg_table(80) * random.uniform(0.6, 1.7, (8, 8)) + 1).astype(int)
    stream = io.BytesIO()
    Image.fromarray(scene).save(stream, "JPEG", qtables=[table.ravel().tolist()] * 2)
    finding = ghosts.detect(forensix.open(saved(opened(stream.getvalue()), 95)))
    assert finding.score < 0.5
    assert finding.measurements["previous_table"] == "other"


def test_a_lossless_picture_that_was_jpeg_in_one_part(scene, other):
    donor = opened(saved(other, 80))
    finding = ghosts.detect(forensix.open(png(pasted(scene, donor))))
    inside, stray = share_inside(finding, scene.shape[:2])
    assert finding.score > 0.5 and finding.measurements["previous_quality"] == 80
    assert inside > 0.7 and stray < 0.2
    assert ghosts.detect(forensix.open(png(scene))).score < 0.5


def test_a_strong_last_compression_hides_everything(scene):
    finding = ghosts.detect(forensix.open(saved(scene, 40)))
    assert finding.score is None and finding.heatmap is None
    assert "nothing can be said" in finding.explanation


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_cannot_tell(value):
    flat = np.full((96, 120, 3), value, np.uint8)
    assert ghosts.detect(forensix.open(saved(flat, 90))).score is None
    assert ghosts.detect(forensix.open(png(flat))).score is None


def test_a_picture_too_small_is_refused():
    with pytest.raises(NotApplicable, match="smaller than 64"):
        ghosts.detect(forensix.open(png(np.zeros((63, 90, 3), np.uint8))))


def test_the_same_picture_gives_the_same_finding(scene, other):
    data = saved(pasted(opened(saved(scene, 70)), other), 90)
    first, second = (ghosts.detect(forensix.open(data)) for _ in range(2))
    assert first.to_dict() == second.to_dict() and first.heatmap == second.heatmap
