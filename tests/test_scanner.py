"""The scanner with methods made for the test: isolation, order, what the document says."""

import io
import json
import sys
from types import ModuleType

import jsonschema
import numpy as np
import pytest
from PIL import Image

import forensix
from forensix import detectors
from forensix.detectors.method import Method
from forensix.errors import EvidenceError, NotApplicable, ParameterError
from forensix.finding import Heatmap
from forensix.result import json_schema
from forensix.scanner import error_result


@pytest.fixture
def registry(monkeypatch):
    """An empty registry; ``add(name, detect)`` puts a method into it."""
    monkeypatch.setattr(detectors, "REGISTRY", {})

    def add(name, detect, **fields):
        module = ModuleType(f"forensix.detectors.{name}")
        module.METHOD = Method(name, "jpeg", "Is it?", "all", "Paper", **{"kind": "splicing", **fields})
        module.detect = lambda evidence, *, preset: detect(evidence, module.METHOD, preset)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        detectors.REGISTRY[name] = name

    return add


def picture(size=(32, 24)):
    noise = np.random.RandomState(7).randint(0, 256, (size[1], size[0], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    return out.getvalue()


def calm(evidence, method, preset):
    return method.finding(score=0.1, heatmap=Heatmap(np.zeros((3, 4)), 8), explanation="Calm.")


def test_a_broken_method_stops_nothing(registry):
    def broken(evidence, method, preset):
        raise ZeroDivisionError("three\nlines")

    def out_of_memory(evidence, method, preset):
        raise MemoryError

    def unsuited(evidence, method, preset):
        raise NotApplicable("needs a JPEG file")

    for name, detect in [("one", broken), ("two", out_of_memory), ("three", unsuited), ("four", calm)]:
        registry(name, detect)
    result = forensix.scan(picture())
    assert [(f.detector, str(f.status)) for f in result.findings] == [
        ("one", "failed"), ("two", "failed"), ("three", "not-applicable"), ("four", "ran")
    ]  # fmt: skip
    assert result.findings[0].reason == "ZeroDivisionError: three lines"
    assert result.findings[2].reason == "needs a JPEG file"
    assert list(result.heatmaps) == ["four"]
    jsonschema.validate(json.loads(result.to_json()), json_schema(), cls=jsonschema.Draft202012Validator)


def test_interrupts_are_not_swallowed(registry):
    def interrupted(evidence, method, preset):
        raise KeyboardInterrupt

    registry("one", interrupted)
    with pytest.raises(KeyboardInterrupt):
        forensix.scan(picture())


def test_path_bytes_array_and_evidence_give_one_answer(registry, tmp_path):
    registry("one", calm)
    path = tmp_path / "picture.png"
    path.write_bytes(picture())
    results = [forensix.scan(source) for source in (path, str(path), picture(), forensix.open(path))]
    assert len({r.evidence["pixel_sha256"] for r in results}) == 1
    assert len({r.evidence["sha256"] for r in results}) == 1
    array = forensix.scan(np.asarray(Image.open(path)))
    assert array.evidence["pixel_sha256"] == results[0].evidence["pixel_sha256"]
    assert array.path is None and results[0].path == str(path)


def test_the_same_scan_twice_differs_in_times_only(registry):
    registry("one", calm)

    def timeless():
        document = forensix.scan(picture()).to_dict()
        for part in [document, *document["findings"]]:
            part["seconds"] = 0
        document["started"] = ""
        return document

    assert timeless() == timeless()


def test_only_the_chosen_methods_run_in_the_registry_s_order(registry):
    for name, preset in [("one", "fast"), ("two", "thorough"), ("three", "standard")]:
        registry(name, calm, preset=preset)
    ran = lambda **options: [f.detector for f in forensix.scan(picture(), **options).findings]  # noqa: E731
    assert ran() == ["one", "three"]
    assert ran(preset="fast") == ["one"]
    assert ran(preset="thorough") == ["one", "two", "three"]
    assert ran(detectors=["two", "one", "two"]) == ["one", "two"]


@pytest.mark.parametrize("options", [{"detectors": ["ela"]}, {"preset": "slow"}, {"device": "tpu"}])
def test_unknown_words_are_refused(registry, options):
    with pytest.raises(ParameterError):
        forensix.scan(picture(), **options)


def test_what_is_no_image_raises_and_can_be_recorded(registry):
    with pytest.raises(EvidenceError) as raised:
        forensix.scan(b"this is a text")
    document = json.loads(error_result("note.jpg", raised.value).to_json())
    jsonschema.validate(document, json_schema(), cls=jsonschema.Draft202012Validator)
    assert document["status"] == "error" and document["evidence"]["path"] == "note.jpg"
    assert "\n" not in document["error"]["message"]


def test_the_caller_s_array_is_not_changed(registry):
    registry("one", calm)
    array = np.random.RandomState(3).randint(0, 256, (40, 40, 3), np.uint8)
    before = array.copy()
    forensix.scan(array)
    np.testing.assert_array_equal(array, before)
    array[:] = 0


def test_a_method_that_sums_up_its_family_is_given_what_it_found(registry, monkeypatch):
    def summed(evidence, *, preset, findings):
        return METHOD.finding(
            score=max(f.score for f in findings), explanation=f"{len(findings)} were heard."
        )

    METHOD = Method("whole", "jpeg", "Is it?", "all", "Paper", kind="splicing", takes=("findings",))
    for name, detect, fields in [
        ("one", calm, {}),
        ("two", calm, {"preset": "thorough"}),
        ("other", calm, {"family": "camera"}),
    ]:
        registry(name, detect)
        sys.modules[f"forensix.detectors.{name}"].METHOD = Method(
            name, **{"family": "jpeg", "question": "Is it?", "applies_to": "all", "reference": "Paper",
                     "kind": "splicing", **fields}
        )  # fmt: skip
    module = ModuleType("forensix.detectors.whole")
    module.METHOD, module.detect = METHOD, summed
    monkeypatch.setitem(sys.modules, module.__name__, module)
    detectors.REGISTRY["whole"] = "whole"

    def ran(**asked):
        return [f.detector for f in forensix.scan(picture(), **asked).findings]

    assert ran() == ["one", "other", "whole"]
    assert ran(preset="thorough") == ["one", "two", "other", "whole"]
    assert ran(detectors=["whole"]) == ["one", "whole"]
    result = forensix.scan(picture(), ["whole"])
    assert result.findings[-1].explanation == "1 were heard." and result.findings[-1].score == 0.1
