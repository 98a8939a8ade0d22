"""A copied pair of which another trace names one side."""

import numpy as np
import pytest

from forensix.finding import Finding, Heatmap, Status
from forensix.fusion.maps import fuse_heatmaps
from forensix.fusion.sides import shifts_of, sources
from forensix.result import Conclusion

SHAPE = (120, 160)
PASTED, SOURCE = np.s_[10:50, 20:60], np.s_[70:110, 100:140]
MOVED = (60, 80)


def mask(*boxes):
    out = np.zeros(SHAPE, bool)
    for box in boxes:
        out[box] = True
    return out


@pytest.mark.parametrize("shifts", [[MOVED], [(-60, -80)], [(3, 3), MOVED]])
def test_the_side_without_the_other_trace_is_the_source(shifts):
    both_ways = {shift for down, across in shifts for shift in ((down, across), (-down, -across))}
    found = sources(mask(PASTED, SOURCE), mask(PASTED), both_ways)
    assert np.array_equal(found, mask(SOURCE))


@pytest.mark.parametrize(
    "named, shifts",
    [
        (mask(), [MOVED, (-60, -80)]),  # no other trace
        (mask(PASTED, SOURCE), [MOVED, (-60, -80)]),  # on both sides
        (mask(PASTED), [(30, 80), (-30, -80)]),  # of another pair
        (mask(np.s_[10:25, 20:60]), [MOVED, (-60, -80)]),  # on a part of it
        (mask(np.s_[0:60, 0:159]), [MOVED, (-60, -80)]),  # on much more than it
    ],
)
def test_otherwise_both_sides_stay(named, shifts):
    assert not sources(mask(PASTED, SOURCE), named, shifts).any()


def finding(name, family, marked, **measurements):
    return Finding(
        detector=name,
        family=family,
        status=Status.RAN,
        score=0.99,
        log10_lr=1.5,
        heatmap=Heatmap(np.where(marked, 0.9, 0.1).astype(np.float32)),
        measurements=measurements,
        parameters={"alarms_per_image": 0.01},
    )


def test_the_mask_holds_only_the_pasted_side():
    pairs = [{"log10_expected_false_alarms": -4.0, "shift": [60.0, 80.2]}]
    copied = finding("copy-move-keypoints", "copy_move", mask(PASTED, SOURCE), pairs=pairs)
    cut = finding("cut-rectangles", "splicing", mask(PASTED))
    changed = Conclusion("inconsistent", 0.99, 3.0)
    assert np.array_equal(fuse_heatmaps([copied, cut], changed, *SHAPE) > 127, mask(PASTED))
    assert np.array_equal(fuse_heatmaps([copied], changed, *SHAPE) > 127, mask(PASTED, SOURCE))
    history = finding("jpeg-ghosts", "jpeg", mask(PASTED))
    assert np.array_equal(fuse_heatmaps([copied, history], changed, *SHAPE) > 127, mask(PASTED, SOURCE))
    calm = Conclusion("consistent", 0.1, -1.0)
    assert not (fuse_heatmaps([copied, cut], calm, *SHAPE) > 127).any()


def test_pairs_that_are_common_name_nothing():
    pairs = [{"log10_expected_false_alarms": -1.0, "shift": [60.0, 80.0]}]
    assert shifts_of([finding("copy-move-dense", "copy_move", mask(PASTED), pairs=pairs)]) == []
