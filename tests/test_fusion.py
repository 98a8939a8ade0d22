from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import forensix
from forensix.detectors.method import Method
from forensix.errors import ParameterError
from forensix.finding import Finding, Heatmap
from forensix.fusion import conclude, decision_mask, fuse_heatmaps
from forensix.fusion.calibration import Calibration, calibrated, load_calibration, model_hashes
from forensix.fusion.maps import grey_map
from forensix.result import Conclusion


def method(name, family, kind="splicing", concludes="integrity"):
    return Method(name, family, "Is it?", "all", "Paper", kind=kind, concludes=concludes)


METHODS = {
    "a": method("a", "jpeg"),
    "b": method("b", "jpeg"),
    "c": method("c", "copy_move", kind="copy-move"),
    "h": method("h", "jpeg", kind=None, concludes="history"),
}


def said(name, weight, score=None, **fields):
    score = (0.9 if weight > 0 else 0.2) if score is None else score
    family = METHODS[name].family
    return Finding(name, family, score=score, log10_lr=weight, explanation=f"{name} says so.", **fields)


def silent(name):
    return Finding(name, METHODS[name].family, status="not-applicable", reason="not a JPEG file")


def test_independent_families_add_up_and_one_family_speaks_once():
    conclusion = conclude([said("a", 1.2), said("b", 0.7), said("c", 0.5)], METHODS)["integrity"]
    assert conclusion.log10_lr == pytest.approx(1.7)
    assert conclusion.score == pytest.approx(10**1.7 / (1 + 10**1.7), abs=1e-6)
    assert (conclusion.label, conclusion.kind) == ("inconsistent", "splicing")
    assert conclusion.because == ("a", "c")
    assert conclusion.explanation.startswith("a says so.")


def test_weights_without_a_decision_never_become_inconsistent():
    conclusion = conclude([said("a", 1.2, score=0.5), said("c", 1.2, score=0.4)], METHODS)["integrity"]
    assert conclusion.label == "inconclusive"


def test_a_decision_alone_is_not_called_consistent():
    conclusion = conclude([said("a", 0.2, score=0.6), said("c", -2.0)], METHODS)["integrity"]
    assert conclusion.label == "inconclusive"


def test_a_weak_cue_alone_decides_nothing_and_two_on_different_traces_do():
    methods = {
        "blur": Method("blur", "splicing", "Is it?", "all", "Paper", kind="splicing", weak=True),
        "light": Method("light", "splicing", "Is it?", "all", "Paper", kind="splicing", weak=True),
        "grid": method("grid", "splicing"),
        "noise": Method("noise", "camera", "Is it?", "all", "Paper", kind="splicing", weak=True),
    }

    def label(**weights):
        found = [
            Finding(name, methods[name].family, score=0.9, log10_lr=weight, explanation=".")
            for name, weight in weights.items()
        ]
        return conclude(found, methods)["integrity"].label

    assert label(blur=1.3) == "inconclusive"
    assert label(blur=1.3, light=1.0) == "inconclusive"
    assert label(blur=1.3, noise=0.7) == "inconsistent"
    assert label(blur=1.3, grid=0.2) == "inconsistent"


def test_agreement_on_nothing_is_consistent():
    conclusion = conclude([said("a", -0.2), said("c", -0.3)], METHODS)["integrity"]
    assert conclusion.label == "consistent" and conclusion.kind is None
    assert conclusion.because == ("c", "a")


def test_silence_is_null_and_never_zero():
    conclusions = conclude([silent("a"), silent("c")], METHODS)
    for conclusion in conclusions.values():
        assert (conclusion.label, conclusion.score, conclusion.log10_lr) == ("inconclusive", None, None)


def test_each_question_hears_its_own_methods():
    conclusions = conclude([said("a", -0.4), said("h", 1.5)], METHODS)
    assert conclusions["integrity"].label == "consistent"
    assert conclusions["history"].label == "resaved"
    assert conclusions["origin"].label == "inconclusive"


def test_where_none_decided_the_silence_that_says_most_speaks_for_its_family():
    quiet = conclude([said("a", -0.3), said("b", -0.02), said("c", -0.1)], METHODS)["integrity"]
    assert quiet.log10_lr == pytest.approx(-0.4) and quiet.because == ("a", "c")
    decided = conclude([said("a", -0.3), said("b", -0.02), said("c", 1.0)], METHODS)["integrity"]
    assert decided.log10_lr == pytest.approx(0.98)


TRACES = {
    "path": method("path", "copy_move", kind="copy-move"),
    "whole": Method("whole", "copy_move", "Is it?", "all", "Paper", kind="copy-move", takes=("findings",)),
    "fill": Method("fill", "removal", "Is it?", "all", "Paper", kind="removal", trace="copy_move"),
    "smooth": method("smooth", "removal", kind="removal"),
}


def heard(name, weight, score):
    return Finding(name, TRACES[name].family, score=score, log10_lr=weight, explanation=f"{name} says so.")


def test_the_finding_that_sums_a_family_up_speaks_for_it():
    found = [heard("path", 2.0, 0.99), heard("whole", 1.0, 0.97)]
    conclusion = conclude(found, TRACES)["integrity"]
    assert conclusion.log10_lr == pytest.approx(1.0)
    assert conclusion.because == ("whole",)


def test_what_rests_on_the_same_trace_counts_once_and_is_said_to():
    found = [heard("whole", 1.5, 0.97), heard("fill", 1.2, 0.95), heard("smooth", 0.3, 0.6)]
    conclusion = conclude(found, TRACES)["integrity"]
    assert conclusion.log10_lr == pytest.approx(1.8)
    assert conclusion.because == ("whole", "smooth")
    assert "fill found the trace too" in conclusion.explanation
    quiet = conclude([heard("whole", 1.5, 0.97), heard("fill", -0.1, 0.2)], TRACES)["integrity"]
    assert "too" not in quiet.explanation and quiet.log10_lr == pytest.approx(1.5)


ORIGINS = {
    "spectral": Method("spectral", "synthetic", "Is it?", "all", "Paper", concludes="origin"),
    "file": Method("file", "provenance", "Is it?", "all", "Paper", concludes="origin", shows_low=True),
}


def origin(**scores):
    findings = [
        Finding(
            name, ORIGINS[name].family, score=score, log10_lr=2 * score - 1, explanation=f"{name} says so."
        )
        for name, score in scores.items()
    ]
    return conclude(findings, ORIGINS)["origin"]


def test_a_camera_needs_evidence_of_a_camera():
    assert origin(spectral=0.01).label == "inconclusive"
    assert origin(spectral=0.01, file=0.4).label == "inconclusive"
    assert (origin(spectral=0.3, file=0.05).label, origin(file=0.05).because) == ("camera", ("file",))
    torn = origin(spectral=0.99, file=0.05)
    assert torn.label == "inconclusive" and torn.because == ("spectral", "file")
    assert "both ways" in torn.explanation
    assert origin(spectral=0.99).label == "synthetic"


def test_the_sum_is_bounded():
    assert conclude([said("a", 4.0), said("c", 4.0)], METHODS)["integrity"].log10_lr == 4.0


def test_calibration_rises_and_is_bounded():
    calibration = Calibration(low=-0.5, middle=0.4, high=1.5)
    weights = [calibration.log10_lr(score) for score in np.linspace(0, 1, 101)]
    assert weights == sorted(weights)
    assert (weights[0], weights[50], weights[75], weights[-1]) == (-0.5, 0.0, 0.4, 1.5)
    np.testing.assert_allclose(weights[25], -0.25)


@pytest.mark.parametrize(
    "fields",
    [
        {"middle": -1.0},
        {"high": 5.0},
        {"low": 0.1},
        {"low": -9},
        {"middle": 1.4},
        {"kinds": {"removal": (0.2, 0.3, 0.4)}},
    ],
)
def test_a_senseless_calibration_is_refused(fields):
    with pytest.raises(ParameterError):
        Calibration(**fields)


def test_shipped_calibration_states_what_it_rests_on():
    for name, calibration in load_calibration().items():
        assert calibration.authentic > 0 and calibration.changed > 0, name
        # One over the number of untouched images is the least rate that can be told.
        for high in (calibration.high, *(weights[2] for weights in calibration.kinds.values())):
            assert high <= np.log10(calibration.authentic + 2), name
        assert calibration.false_alarm_rate is not None, name


def test_a_finding_without_score_gets_no_weight():
    assert calibrated(Finding("a", "jpeg", explanation="too smooth")).log10_lr is None
    assert calibrated(Finding("never-heard-of", "jpeg", score=0.99)).log10_lr <= 1.5


INCONSISTENT = Conclusion("inconsistent", 0.95, 1.3, "splicing", ("a",))


def test_the_grey_scale_is_absolute():
    values = np.array([[0.0, 0.5, 0.5001], [1.0, np.nan, 0.25]])
    np.testing.assert_array_equal(grey_map(Heatmap(values), 2, 3), [[0, 127, 128], [255, 0, 64]])


def test_maps_take_the_largest_and_stay_dark_without_a_decision():
    high = np.array([[0.9, 0.1], [np.nan, 0.4]])
    findings = [
        said("a", 1.0, heatmap=Heatmap(high, 2)),
        said("c", -1.0, heatmap=Heatmap(np.full((4, 4), 0.3))),
    ]
    fused = fuse_heatmaps(findings, INCONSISTENT, 4, 4)
    np.testing.assert_array_equal(fused[::2, ::2], [[230, 76], [76, 102]])
    np.testing.assert_array_equal(decision_mask(fused)[::2, ::2], [[255, 0], [0, 0]])
    calm = fuse_heatmaps(findings, Conclusion("inconclusive", 0.5, 0.0), 4, 4)
    assert calm.max() == 127 and not decision_mask(calm).any()


def test_a_detector_that_did_not_decide_stays_dark():
    loud = said("a", 0.1, score=0.4, heatmap=Heatmap(np.ones((4, 4))))
    assert fuse_heatmaps([loud], INCONSISTENT, 4, 4).max() == 127


def test_what_alone_would_not_be_enough_is_not_drawn_next_to_what_is():
    corner, other = np.zeros((4, 4)), np.zeros((4, 4))
    corner[0, 0] = other[3, 3] = 0.9
    strong = said("c", 1.5, score=0.97, heatmap=Heatmap(corner))
    weak = said("a", 0.2, score=0.55, heatmap=Heatmap(other))
    mask = decision_mask(fuse_heatmaps([strong, weak], INCONSISTENT, 4, 4))
    assert mask[0, 0] == 255 and np.count_nonzero(mask) == 1
    both = [said("c", 0.4, score=0.6, heatmap=Heatmap(corner)), weak]
    assert np.count_nonzero(decision_mask(fuse_heatmaps(both, INCONSISTENT, 4, 4))) == 2


def test_what_alone_would_not_be_enough_outlines_what_a_stronger_one_found_in_part():
    found, wide = np.zeros((8, 8)), np.zeros((8, 8))
    found[1, 1:3] = 0.9
    wide[0:2, 0:4] = wide[6, 6] = 0.8  # a quarter of its area is found, and a pixel far off is not
    strong = said("c", 1.5, score=0.97, heatmap=Heatmap(found))
    weak = said("a", 0.2, score=0.55, heatmap=Heatmap(wide))
    mask = decision_mask(fuse_heatmaps([strong, weak], INCONSISTENT, 8, 8)) > 0
    np.testing.assert_array_equal(mask, (wide > 0.5) & (np.arange(8) < 6))
    wide[2, 0:4] = 0.8
    wider = said("a", 0.2, score=0.55, heatmap=Heatmap(wide))
    assert np.count_nonzero(decision_mask(fuse_heatmaps([strong, wider], INCONSISTENT, 8, 8))) == 2


def test_methods_that_are_blind_to_a_kind_do_not_speak_against_it(monkeypatch):
    kinds = {"a": {"splicing": (-0.5, 0.5, 1.5), "copy-move": (0.0, 0.0, 0.0)},
             "c": {"splicing": (0.0, 0.0, 0.0), "copy-move": (-0.7, 0.8, 2.0)}}  # fmt: skip
    known = {name: Calibration(low=-0.4, middle=0.2, high=1.0, kinds=of) for name, of in kinds.items()}
    monkeypatch.setattr("forensix.fusion.combine.load_calibration", lambda: known)
    found = conclude([said("a", -0.4, score=0.0), said("c", 1.0, score=1.0)], METHODS)["integrity"]
    assert found.log10_lr == pytest.approx(np.log10((10**-0.5 + 10**2.0) / 2), abs=1e-3)
    both = conclude([said("a", 1.0, score=1.0), said("c", 1.0, score=1.0)], METHODS)["integrity"]
    assert both.log10_lr == pytest.approx(np.log10((10**1.5 + 10**2.0) / 2), abs=1e-3)
    assert both.kind == "copy-move", "the kind that all findings fit best"
    none = conclude([said("a", -0.4, score=0.0), said("c", -0.4, score=0.0)], METHODS)["integrity"]
    assert none.log10_lr == pytest.approx(np.log10((10**-0.5 + 10**-0.7) / 2), abs=1e-3)
    assert none.label == "consistent"


def test_a_method_without_kinds_speaks_alike_for_each(monkeypatch):
    known = {"c": Calibration(kinds={"splicing": (0.0, 0.0, 0.0), "copy-move": (-0.7, 0.8, 2.0)})}
    monkeypatch.setattr("forensix.fusion.combine.load_calibration", lambda: known)
    found = conclude([said("a", 0.6), said("c", 1.0, score=1.0)], METHODS)["integrity"]
    assert found.log10_lr == pytest.approx(0.6 + np.log10((1 + 10**2.0) / 2), abs=1e-3)


def test_every_shipped_model_is_named_by_its_hash():
    folder = Path(forensix.__file__).parent / "models"
    shipped = {path.name for path in folder.iterdir() if path.suffix not in (".py", ".md") and path.is_file()}
    assert set(model_hashes()) == shipped
    for name, digest in model_hashes().items():
        assert digest == sha256((folder / name).read_bytes()).hexdigest()
        assert folder.joinpath(name).with_suffix(".md").exists(), f"{name} has no card"


def test_what_copies_outline_is_not_drawn_again_in_large_cells():
    fine, rough = np.full((64, 64), 0.1, np.float32), np.full((4, 4), 0.1, np.float32)
    fine[18:30, 18:30] = 0.9
    rough[1, 1], rough[3, 3] = 0.8, 0.8
    copies = said("c", 1.5, heatmap=Heatmap(fine))
    for weight in (0.9, 0.3):  # by itself enough or not
        wide = said("a", weight, heatmap=Heatmap(rough, 16))
        mask = decision_mask(fuse_heatmaps([copies, wide], INCONSISTENT, 64, 64)) > 0
        np.testing.assert_array_equal(mask[:32, :32], fine[:32, :32] > 0.5)
        assert mask[48:, 48:].all() == (weight > 0.6)
