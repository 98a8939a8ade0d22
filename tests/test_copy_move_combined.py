"""The answer of all copy-move paths together: from made findings, and from a made copy."""

import numpy as np
import pytest

import forensix
from forensix.detectors.copy_move import combined
from forensix.detectors.method import Method
from forensix.errors import NotApplicable
from forensix.evidence import open_evidence
from forensix.finding import Heatmap, Region
from tests.forgery_photos import picture

ROWS, COLS = 96, 128
EVIDENCE = open_evidence(np.full((ROWS, COLS, 3), 128, np.uint8))


def path(name, score, box=None, *, cell=1, **fields):
    """A path's finding that marks `box` (top, left, rows, cols)."""
    cells = np.full((ROWS // cell, COLS // cell), 0.2)
    regions = ()
    if box is not None:
        top, left, rows, cols = (each // cell for each in box)
        cells[top : top + rows, left : left + cols] = 0.9
        regions = (Region(box, "tampered", box[2] * box[3]),)
    method = Method(f"copy-move-{name}", "copy_move", "Is it?", "all", "Paper", kind="copy-move")
    return method.finding(
        score=score, explanation=f"{name} says so.", heatmap=Heatmap(cells, cell), regions=regions, **fields
    )


def detect(*findings):
    return combined.detect(EVIDENCE, findings=findings)


def test_paths_that_mark_the_same_places_agree():
    found = detect(path("one", 0.8, (16, 16, 32, 32)), path("two", 0.95, (16, 16, 32, 40), cell=2))
    assert found.score == 0.95
    assert found.measurements["overlaps"] == [{"paths": ["two", "one"], "intersection_over_union": 0.8}]
    assert found.explanation == (
        "Two: two says so. One found the same places independently (at least 80% in common)."
    )
    assert found.regions[0].box == (16, 16, 32, 40)
    assert found.heatmap.cell == 1
    marked = found.heatmap.values > 0.5
    assert marked.sum() == 32 * 40 and marked[16:48, 16:56].all()


def test_paths_that_mark_other_places_or_none_are_told_apart():
    found = detect(
        path("one", 0.8, (0, 0, 16, 16)), path("two", 0.95, (48, 64, 32, 32)), path("three", 0.1),
        path("four", None),
    )  # fmt: skip
    assert "One found a copy in other places" in found.explanation
    assert "Three and four did not decide on a copy." in found.explanation
    assert found.measurements["paths"] == {"one": 0.8, "two": 0.95, "three": 0.1, "four": None}


def test_nothing_found_says_what_looked():
    found = detect(path("one", 0.1), path("two", 0.1))
    assert found.score == 0.1
    assert found.explanation == "Two paths (one, two) looked for copies and found no two places alike."
    assert not (found.heatmap.values > 0.5).any()
    alike = detect(path("one", 0.3, measurements={"alike_pairs": 2}))
    assert alike.explanation == "One path (one) looked for copies and none decided on one. one says so."


def test_silence_stays_silence():
    found = detect(path("one", None), path("two", None))
    assert found.score is None and "none can tell" in found.explanation
    with pytest.raises(NotApplicable, match="too small"):
        method = Method("copy-move-one", "copy_move", "Is it?", "all", "Paper", kind="copy-move")
        detect(method.finding(status="not-applicable", reason="too small"))
    with pytest.raises(NotApplicable, match="no path"):
        detect()


def test_a_made_copy_is_one_answer():
    image = picture("coffee.png").copy()
    image[20:100, 150:230] = image[140:220, 30:110]
    result = forensix.scan(image, ["copy-move"])
    *paths, whole = result.findings
    assert whole.detector == "copy-move" and len(paths) >= 2
    assert whole.score == max(f.score for f in paths if f.score is not None) > 0.5
    assert result.conclusions["integrity"].because == ("copy-move",)
    assert result.conclusions["integrity"].kind == "copy-move"
