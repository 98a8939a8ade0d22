"""Which of two alike regions is the copy: the traces, their weighing, and what a finding says of it."""

import io
from dataclasses import replace

import numpy as np
import pytest
import skimage.data
from PIL import Image

import forensix
from forensix.detectors.copy_move import _direction, _pairs, blocks, keypoints
from forensix.signal.affine import inverse
from forensix.signal.copied_region import sides
from forensix.signal.copy_direction import NAMES, direction_evidence
from tests.test_copy_move_keypoints import jpeg, marked, pasted, png


def after_jpeg(image, quality=80):
    with Image.open(io.BytesIO(jpeg(image, quality))) as opened:
        return np.asarray(opened)


def found_region(pixels):
    evidence = forensix.open(png(pixels))
    luma = np.ascontiguousarray(evidence.luma, np.float32)
    pairs, _ = keypoints.find_pairs(luma)
    assert pairs[0].is_copy
    return luma, pairs[0].region


def exchanged(region, shape):
    """The same pair with source and target exchanged."""
    target = sides(region, shape)[1]
    gain = replace(region.agreement, gain=1 / region.agreement.gain)
    return replace(
        region, transform=inverse(region.transform), box=(0, 0, *shape), source=target, agreement=gain
    )


def is_target(region, truth_top):
    """True when the target's middle lies below the row."""
    places = region.group.target.mean(axis=0)
    return places[0] > truth_top


@pytest.mark.parametrize("change", [{}, {"scale": 1.3}, {"turn": 25.0}])
def test_exchanging_the_sides_changes_the_signs(change):
    luma, region = found_region(pasted(after_jpeg(skimage.data.astronaut()), **change)[0])
    one = direction_evidence(luma, region)
    other = direction_evidence(luma, exchanged(region, luma.shape))
    assert set(one) == set(NAMES)
    for name in NAMES:
        assert one[name] == pytest.approx(-other[name], abs=0.1 + 0.15 * abs(one[name]))


@pytest.mark.parametrize(
    ("change", "telling"),
    [
        ({"turn": 25.0}, {"rebuilt": 0.5, "detail": 0.04}),
        ({"scale": 0.8}, {"rebuilt": 0.5, "detail": 0.04}),
        ({"scale": 1.35}, {"rebuilt": 0.1, "lattice": 0.08}),
    ],
)
def test_an_interpolated_copy_is_told_from_its_source(change, telling):
    luma, region = found_region(pasted(skimage.data.astronaut(), **change)[0])
    sign = 1 if is_target(region, 256) else -1
    traces = direction_evidence(luma, region)
    for name, least in telling.items():
        assert sign * traces[name] > least


def test_a_copy_off_the_grid_is_told_by_the_blocks():
    image = after_jpeg(skimage.data.astronaut())
    off, on = (pasted(image, target=(row, 40))[0] for row in (333, 332))
    luma, region = found_region(off)
    sign = 1 if is_target(region, 256) else -1
    assert sign * direction_evidence(luma, region)["grid"] > 1.5
    # Eight pixels on in both directions from the source's place, the blocks fit again.
    luma, region = found_region(on)
    assert abs(direction_evidence(luma, region)["grid"]) < 1.0


def test_a_finding_names_the_copy():
    forged, _ = pasted(after_jpeg(skimage.data.astronaut()), target=(333, 43))
    finding = blocks.detect(forensix.open(png(forged)))
    best = finding.measurements["pairs"][0]
    down = best["shift"][0] > 0
    assert best["copy"] == ("second" if down else "first")
    assert 0.8 <= best["copy_probability"] <= 0.99
    named = ["first", "second"].index(best["copy"])
    for role, box in (("target", best["boxes"][named]), ("source", best["boxes"][1 - named])):
        (region,) = [r for r in finding.regions if r.role == role]
        assert _pairs.box_overlap(region.box, box) > 0.8
    assert "The lower one of the two is the copy with a probability of 0." in finding.explanation


def test_what_cannot_be_told_is_said():
    assert _direction.weighed(dict.fromkeys(NAMES, 0.0)) == _direction.UNKNOWN
    assert _direction.UNKNOWN.copy is None and not _direction.UNKNOWN.sure
    pair = _pairs.Pair(found_region(pasted(skimage.data.astronaut())[0])[1], -9.0)
    assert "cannot be told" in _pairs._direction_told([pair], [_direction.UNKNOWN])
    assert _pairs._direction_told([], []) == ""
    assert _pairs._direction_told([replace(pair, log10_alarms=1.0)], [_direction.UNKNOWN]) == ""


def test_a_direction_is_bounded_and_symmetric():
    for size in (0.3, 1e3, 1e9):
        one = _direction.weighed(dict.fromkeys(NAMES, size))
        other = _direction.weighed(dict.fromkeys(NAMES, -size))
        assert one.second == pytest.approx(1 - other.second)
        assert 0.01 < one.second < 0.99


@pytest.mark.parametrize(("second", "decided"), [(0.97, 1), (0.03, 1), (0.9, 2), (0.5, 2)])
def test_only_a_sure_source_is_left_out_of_the_mask(monkeypatch, second, decided):
    monkeypatch.setattr(_pairs, "direction_of", lambda *_, **__: _direction.Direction(second))
    forged, truth = pasted(skimage.data.astronaut())
    finding = blocks.detect(forensix.open(png(forged)))
    mask = marked(finding, forged.shape)
    halves = [(mask & truth)[half].sum() / truth[half].sum() for half in (np.s_[:256], np.s_[256:])]
    assert sorted(share > 0.8 for share in halves) == [decided == 2, True]
    # The other side is in sight all the same.
    shown = finding.heatmap.full_size(*truth.shape)
    assert (shown[truth] > _pairs.QUIET + 0.1).mean() > 0.8


def test_regions_without_room_say_nothing():
    luma, region = found_region(pasted(skimage.data.astronaut())[0])
    tiny = np.zeros_like(region.source)
    row, col = np.argwhere(region.source)[len(np.argwhere(region.source)) // 2]
    tiny[row : row + 3, col : col + 3] = True
    assert set(direction_evidence(luma, replace(region, source=tiny)).values()) == {0.0}
    flat = np.full_like(luma, 90)
    assert all(np.isfinite(v) for v in direction_evidence(flat, region).values())
