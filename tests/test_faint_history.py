"""A last save coarser than the one before, and the regions that faint evidence can tell."""

import io

import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.detectors.jpeg import _faint_history as faint
from forensix.detectors.jpeg import _history_regions as regions
from forensix.detectors.jpeg import double_quantization as dq
from forensix.evidence.jpeg_quality import ijg_table
from tests.test_convergence import decoded, photo, saved
from tests.test_double_quantization import f1, found


def spliced(first, last):
    once = decoded(saved(photo(), first))
    forged, truth = once.copy(), np.zeros(once.shape[:2], bool)
    truth[64:256, 64:272] = True
    forged[truth] = np.roll(photo(), 201, 1)[truth]
    return saved(forged, last), saved(once, last), truth


@pytest.mark.parametrize("first, last", [(85, 80), (95, 90)])
def test_finds_the_part_saved_once_under_a_coarser_last_save(first, last):
    forged, twin, truth = spliced(first, last)
    finding = dq.detect(forensix.open(forged))
    assert finding.score > 0.5
    assert finding.measurements["primary_quality"] == first
    assert f1(found(finding, truth.shape), truth) > 0.6
    authentic = dq.detect(forensix.open(twin))
    assert authentic.score is None or authentic.score < 0.5
    assert authentic.regions == () and authentic.measurements["primary_quality"] == first


def laplacian_levels(first, last, *, blocks=4000, seed=0):
    """(frequencies, levels) counts of Laplacian coefficients quantized once (first 0) or twice."""
    rng = np.random.default_rng(seed)
    places = faint.FREQUENCIES
    steps = ijg_table(last)[places[:, 0], places[:, 1]]
    values = rng.laplace(0, 12 / (1 + places.sum(axis=1)), (blocks, len(places)))
    if first:
        coarse = ijg_table(first)[places[:, 0], places[:, 1]]
        values = np.rint(values / coarse) * coarse + rng.normal(0, 0.3, values.shape)
    levels = np.abs(np.rint(values / steps)).astype(int)
    counts = [np.bincount(np.minimum(column, 61), minlength=62)[:61] for column in levels.T]
    return np.stack(counts), steps


def test_a_table_is_found_where_no_frequency_alone_tells_it():
    for first, last in ((90, 85), (80, 75)):
        counts, steps = laplacian_levels(first, last)
        known, mean_step = faint.finer_steps(counts, steps, np.zeros(101))
        assert known.quality == first and mean_step == ijg_table(first)[0, 0]
    counts, steps = laplacian_levels(0, 80)
    known, mean_step = faint.finer_steps(counts, steps, np.zeros(101))
    assert not known.known and known.quality is None and mean_step == 0


def test_mean_values_add_to_a_table():
    counts, steps = laplacian_levels(0, 70)
    means = np.zeros(101)
    means[ijg_table(88)[0, 0]] = 25.0
    known, mean_step = faint.finer_steps(counts, steps, means)
    assert mean_step == ijg_table(88)[0, 0] and ijg_table(known.quality)[0, 0] == mean_step


def test_no_counts_tell_nothing():
    places = faint.FREQUENCIES
    steps = ijg_table(80)[places[:, 0], places[:, 1]]
    gains = faint.table_gains(np.zeros((len(places), 61), int), steps, places)
    assert np.all(gains == 0)


def test_cells_pool_and_spread():
    values = np.arange(35.0).reshape(5, 7)
    sums = regions.pooled(values, 2)
    assert sums.shape == (3, 4) and sums[0, 0] == 0 + 1 + 7 + 8 and sums[2, 3] == 34
    assert sums.sum() == values.sum()
    wide = regions.spread(sums, 2, values.shape)
    assert wide.shape == values.shape and wide[4, 6] == 34 and wide[1, 1] == wide[0, 0]


def test_perimeter_counts_inner_sides():
    inside = np.zeros((6, 6), bool)
    inside[1:3, 1:4] = True
    assert regions.perimeter(inside) == 10
    inside[:] = True
    assert regions.perimeter(inside) == 0


def test_faint_evidence_is_enough_for_a_large_coarse_region():
    rng = np.random.default_rng(5)
    evidence = rng.normal(-0.12, 0.5, (64, 64)).astype(np.float32)
    evidence[16:40, 16:40] += 0.24
    inside = np.zeros((64, 64), bool)
    inside[16:40, 16:40] = True
    result = regions.deviating(evidence, lambda chosen: float(evidence[chosen].sum()))
    assert result.false_alarms and np.mean((result.numbers > 0) == inside) > 0.95
    calm = rng.normal(-0.12, 0.5, (64, 64)).astype(np.float32)
    silent = regions.deviating(calm, lambda chosen: float(calm[chosen].sum()))
    assert not silent.false_alarms and not silent.numbers.any()
    # What the region's own density does not confirm is not decided on.
    assert not regions.deviating(evidence, lambda chosen: -1.0).false_alarms


def test_overlapping_regions_are_one():
    evidence = np.full((32, 32), -1, np.float32)
    evidence[8:16, 8:16] = 3
    result = regions.deviating(evidence, lambda chosen: float(evidence[chosen].sum()))
    assert len(result.false_alarms) == 1 and result.numbers.max() == 1
    assert np.count_nonzero(result.numbers) == 64


def test_nothing_deviates_in_even_evidence():
    for value in (0.0, -1.0):
        result = regions.deviating(np.full((20, 1), value, np.float32), lambda chosen: 0.0)
        assert result.candidate is None and not result.numbers.any()


def test_the_smallest_region_shrinks_with_power():
    sizes = [regions.smallest_region(power, 4096) for power in (0.1, 1.0, 4.0)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] < 1000
    assert regions.smallest_region(0.0, 4096) == np.inf


def test_shading_widens_with_faintness():
    evidence = np.zeros((30, 30), np.float32)
    evidence[15, 15] = 4
    belief, judged = evidence.copy(), np.zeros((30, 30), bool)
    judged[:, :20] = True
    sharp, shown = regions.shading(evidence, belief, judged, smallest=20)
    assert sharp is belief and shown is judged
    wide, shown = regions.shading(evidence, belief, judged, smallest=900)
    assert 0 < wide[15, 18] < wide[15, 15] < 4
    assert shown[:, :20].all() and not shown[:, 26:].any()


def test_map_values_keep_to_the_decision():
    belief = np.array([[-50.0, 0.0, 50.0, 50.0]])
    inside = np.array([[True, False, False, True]])
    values = regions.map_values(belief, inside, np.array([[True, True, True, True]]))
    assert np.all((values > 0.5) == inside)
    assert np.isnan(regions.map_values(belief, inside, inside)[0, 1])


def test_a_coarser_last_save_of_the_whole_is_no_tampering():
    buffer = io.BytesIO()
    Image.fromarray(decoded(saved(photo(), 92))).save(buffer, "JPEG", quality=84)
    finding = dq.detect(forensix.open(buffer.getvalue()))
    assert finding.score is None or finding.score < 0.5
    assert finding.regions == ()
