import numpy as np
import pytest

from forensix.errors import DocumentError, ParameterError
from forensix.finding import Finding, Heatmap, Region, Status, plain


def full_finding(**changes):
    fields = {
        "detector": "jpeg-ghosts",
        "family": "jpeg",
        "score": 0.9,
        "explanation": "A part was saved before at quality 70.",
        "measurements": {"quality": np.int64(70), "curve": np.arange(3) / 2, "none": None},
        "regions": (Region((8, 16, 24, 32), "tampered", 700),),
        "parameters": {"window": 17},
        "reference": "Farid 2009",
    }
    return Finding(**{**fields, **changes})


def test_finding_survives_its_dictionary():
    finding = full_finding()
    assert Finding.from_dict(finding.to_dict()) == finding
    assert finding.measurements == {"quality": 70, "curve": [0.0, 0.5, 1.0], "none": None}


@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan")])
def test_scores_outside_the_scale_are_refused(score):
    with pytest.raises(ParameterError):
        full_finding(score=score)


def test_silence_needs_a_reason_and_has_no_score():
    with pytest.raises(ParameterError):
        Finding("a", "b", status=Status.NOT_APPLICABLE)
    with pytest.raises(ParameterError):
        Finding("a", "b", status="failed", reason="broke", score=0.2)
    silent = Finding("a", "b", status="not-applicable", reason="not a JPEG file")
    assert not silent.speaks and silent.status is Status.NOT_APPLICABLE


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {"deep": [float("-inf")]}])
def test_measurements_json_cannot_say_are_refused(value):
    with pytest.raises(ParameterError):
        plain(value)


@pytest.mark.parametrize("broken", [{}, {"regions": 3}, {"regions": [{}]}, {"regions": [], "detektor": 1}])
def test_broken_documents_are_named(broken):
    with pytest.raises(DocumentError):
        Finding.from_dict(broken)


@pytest.mark.parametrize(
    "box, role", [((0, 0, 1), "tampered"), ((-1, 0, 1, 1), "source"), ((0, 0, 1, 1), "copy")]
)
def test_broken_regions_are_refused(box, role):
    with pytest.raises(ParameterError):
        Region(box, role, 1)


def test_heatmap_is_read_only_and_keeps_what_cannot_be_judged():
    values = np.array([[0.0, np.nan], [1.0, 0.25]])
    heatmap = Heatmap(values, 8)
    values[0, 0] = 1
    assert heatmap.values[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        heatmap.values[0, 0] = 1
    assert heatmap == Heatmap(heatmap.values, 8) and heatmap != Heatmap(heatmap.values, 4)


@pytest.mark.parametrize(
    "values, cell",
    [(np.full((2, 2), 1.5), 8), (np.zeros((0, 3)), 1), (np.zeros(3), 1), (np.zeros((2, 2)), 0)],
)
def test_broken_heatmaps_are_refused(values, cell):
    with pytest.raises(ParameterError):
        Heatmap(values, cell)


def test_full_size_repeats_cells_and_stretches_the_last():
    heatmap = Heatmap(np.array([[0.0, 0.5], [0.75, 1.0]]), 2)
    expected = np.array([[0, 0, 0.5, 0.5, 0.5], [0, 0, 0.5, 0.5, 0.5], [0.75, 0.75, 1, 1, 1]])
    np.testing.assert_array_equal(heatmap.full_size(3, 5), expected)
    np.testing.assert_array_equal(heatmap.full_size(1, 1), [[0]])
