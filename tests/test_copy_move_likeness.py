"""The decision that the copy-move methods share: copy or likeness."""

import math
from dataclasses import replace

import numpy as np
import pytest

from forensix.detectors.copy_move._likeness import (
    ALARMS,
    DENSE,
    SURF,
    TAILS,
    UNKNOWN_GROUND,
    contradicted,
    log10_alarms,
    surprises,
)
from forensix.detectors.copy_move._pairs import Pair, score_of
from forensix.detectors.copy_move._patterns import allowed_for_each_other
from forensix.signal.agreement import Agreement
from forensix.signal.copied_region import CopiedRegion, self_overlap
from forensix.signal.match_groups import MatchGroup

COPY = Agreement(
    corners=3000,
    structure=0.98,
    coarse_miss=0.05,
    level_miss=0.04,
    filled=0.98,
    shear=0.001,
    ground=0.95,
    finest=0.98,
    clipped=0.0,
    two_tone=0.65,
    gain=1.0,
    offset=0.0,
)


def region(places=40, distance=0.2, **changes):
    points = np.zeros((4, 2))
    moved = np.c_[np.eye(2), (100.0, 0.0)]
    group = MatchGroup(moved, points, points, places, distance, False)
    return CopiedRegion(group, moved, (0, 0, 30, 30), np.ones((30, 30), bool), replace(COPY, **changes))


def test_a_copy_is_one_and_a_mere_likeness_is_not():
    assert log10_alarms(region(), tests=3) < math.log10(ALARMS) - 1
    likeness = region(structure=0.8, coarse_miss=0.35, ground=0.6, level_miss=0.3, shear=0.05)
    assert log10_alarms(likeness, tests=3) > math.log10(ALARMS)


@pytest.mark.parametrize(
    ("name", "worse"),
    [
        ("structure", 0.9),
        ("coarse_miss", 0.3),
        ("level_miss", 0.3),
        ("shear", 0.03),
        ("two_tone", 0.8),
        ("ground", 0.7),
    ],
)
def test_every_measurement_counts_in_its_direction(name, worse):
    assert log10_alarms(region(**{name: worse}), tests=1) > log10_alarms(region(), tests=1)


def test_more_tests_and_fewer_places_mean_more_alarms():
    assert log10_alarms(region(), tests=10) == pytest.approx(log10_alarms(region(), tests=1) + 1)
    assert log10_alarms(region(places=4), tests=1) > log10_alarms(region(places=400), tests=1)


def test_what_is_not_known_of_the_ground_counts_little():
    assert surprises(region(ground=None))["ground"] == UNKNOWN_GROUND
    assert surprises(region(ground=-0.3))["ground"] == 0
    assert set(surprises(region())) == set(TAILS)


@pytest.mark.parametrize("against", [{"ground": 0.3}, {"coarse_miss": 0.7}, {"clipped": 0.5}])
def test_evidence_against_a_copy_outweighs_all_for_it(against):
    assert not contradicted(region())
    assert contradicted(region(**against))
    assert score_of(log10_alarms(region(**against), tests=1)) < 0.5


@pytest.mark.parametrize(
    ("name", "worse"), [("level_miss", 0.3), ("shear", 0.03), ("ground", 0.7), ("finest", 0.8)]
)
def test_the_dense_path_counts_its_own_measurements(name, worse):
    assert log10_alarms(region(**{name: worse}), tests=1, tails=DENSE) > log10_alarms(
        region(), tests=1, tails=DENSE
    )
    assert log10_alarms(region(), tests=3, tails=DENSE) < math.log10(ALARMS)


def test_without_fine_detail_or_with_two_tones_the_dense_path_decides_nothing():
    assert not contradicted(region(), DENSE)
    assert not contradicted(region(ground=None), DENSE)
    assert contradicted(region(ground=None, finest=None), DENSE)
    assert not contradicted(region(ground=None, finest=None))
    assert contradicted(region(two_tone=0.95), DENSE)
    assert log10_alarms(region(two_tone=0.95), tests=5, tails=DENSE) == math.log10(5)


def test_a_region_of_a_few_pixels_decides_nothing():
    assert contradicted(replace(region(), source=np.ones((9, 9), bool)))


@pytest.mark.parametrize(("down", "overlap"), [(100.0, 0.0), (24.0, 0.2), (15.0, 0.5), (0.0, 1.0)])
def test_a_region_that_is_mostly_its_own_likeness_decides_nothing(down, overlap):
    shifted = replace(region(), transform=np.c_[np.eye(2), (down, 0.0)])
    assert self_overlap(shifted) == pytest.approx(overlap)
    assert contradicted(shifted) is (overlap > 0.3)


def test_coarse_structure_says_nothing_where_there_are_no_corners_to_measure_it():
    smooth = replace(region(corners=5, coarse_miss=1.0), source=np.ones((45, 45), bool))
    assert not contradicted(smooth)


def test_a_few_smooth_blocks_decide_nothing():
    """Of a coarsely quantized JPEG they are the same to the last bit, here and there."""
    assert contradicted(region(corners=5))
    assert not contradicted(region(corners=3000))


def test_the_score_is_spread_over_the_calibrated_heights():
    decision = math.log10(ALARMS)
    assert score_of(decision) == 0.5
    assert score_of(decision - 1) == pytest.approx(0.95, abs=0.005)
    assert score_of(decision + 1) < 0.4
    scores = [score_of(value) for value in (-9.0, -6.0, -3.0, -2.5, -1.0, 0.0, 3.0)]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0 and max(scores) < 1


def at(log10_alarms, top, left, shift):
    transform = np.c_[np.eye(2), shift]
    return Pair(replace(region(), box=(top, left, 30, 30), transform=transform), log10_alarms)


def test_other_noticeable_pairs_make_a_pair_less_surprising():
    best, thread, other = at(-2.5, 0, 0, (0, 100)), at(-1.4, 200, 0, (0, 100)), at(-1.2, 400, 0, (0, 90))
    judged = allowed_for_each_other([best, thread, other])
    assert judged[0].log10_alarms == pytest.approx(-2.5 + math.log10(21))
    assert judged[1].log10_alarms == pytest.approx(-1.4 + math.log10(11))
    assert [pair.region for pair in judged] == [best.region, thread.region, other.region]
    assert not any(pair.is_copy for pair in judged)


@pytest.mark.parametrize(
    "other",
    [
        at(-0.9, 200, 0, (0, 100)),
        at(-2.1, 200, 0, (0, 100)),
        at(-1.5, 10, 10, (0, 100)),
        at(-1.5, 10, 110, (0, -105)),
    ],
    ids=["common", "a copy itself", "the same places", "the same places the other way round"],
)
def test_common_likenesses_copies_and_the_same_places_do_not_count(other):
    best = at(-2.5, 0, 0, (0, 100))
    assert allowed_for_each_other([best, other])[0].log10_alarms == -2.5


def test_tails_belong_to_the_feature():
    assert set(SURF.each) == set(TAILS)
    assert log10_alarms(region(), tests=1, tails=SURF) != log10_alarms(region(), tests=1)
