import json

import jsonschema
import numpy as np
import pytest

from forensix.errors import DocumentError, ParameterError
from forensix.finding import Heatmap
from forensix.result import LABELS, Conclusion, ScanResult, json_schema
from tests.test_finding import full_finding

SHA = "0123456789abcdef" * 4


def full_result(**changes):
    fields = {
        "tool": {"name": "forensix", "version": "0", "python": "3", "libraries": {"numpy": "2"},
                 "models": {"calibration.json": SHA}, "device": "cpu", "config": {}, "argv": ["scan"]},
        "evidence": {"path": "a \udcff'\n.jpg", "size": 5, "sha256": SHA, "md5": SHA[:32], "pixel_sha256": SHA,
                     "format": "jpeg", "claimed_format": "jpg", "width": 3, "height": 2, "bit_depth": 8,
                     "channels": 3, "warnings": ["cut short"]},
        "conclusions": {
            "integrity": Conclusion("inconsistent", 0.95, 1.28, "splicing", ("jpeg-ghosts",), "A part differs."),
            "origin": Conclusion("inconclusive"),
            "history": Conclusion("resaved", 0.9, 0.95, None, ("jpeg-history",), "Saved twice."),
        },
        "findings": (full_finding(log10_lr=1.28),),
        "maps": {"fused": "a.01234567.fused.png"},
        "seconds": 0.5,
        "started": "2026-01-02T03:04:05.678+00:00",
    }  # fmt: skip
    return ScanResult(**{**fields, **changes})


def error_of(**changes):
    conclusions = dict.fromkeys(LABELS, Conclusion("inconclusive"))
    unread = {**dict.fromkeys(full_result().evidence), "path": "x.jpg", "warnings": []}
    error = {"type": "EvidenceError", "message": "not an image"}
    return full_result(evidence=unread, error=error, findings=(), maps={}, conclusions=conclusions, **changes)


@pytest.mark.parametrize("make", [full_result, error_of])
def test_document_survives_json_and_follows_the_schema(make):
    result = make()
    text = result.to_json()
    assert ScanResult.from_json(text) == result
    assert ScanResult.from_json(text).to_json() == text
    jsonschema.validate(json.loads(text), json_schema(), cls=jsonschema.Draft202012Validator)


def test_heatmaps_stay_out_of_the_document():
    result = full_result(heatmaps={"jpeg-ghosts": Heatmap(np.zeros((2, 2)), 8)})
    assert result == full_result() and "heatmap" not in result.to_json()


def test_a_file_name_that_is_not_utf8_survives(tmp_path):
    full_result().save(tmp_path / "result.json")
    assert ScanResult.load(tmp_path / "result.json").path == "a \udcff'\n.jpg"
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_stem_tells_files_of_one_name_apart_and_is_safe():
    assert full_result().stem == "a _'_.01234567"
    hostile = {**full_result().evidence, "path": "/x/" + "é" * 200 + ".jpg"}
    assert len(full_result(evidence=hostile).stem.encode()) <= 130


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"schema": "forensix.scan/2"}', '{"schema": "forensix.scan/1"}', "\x00",
             "[" * 100_000]
)  # fmt: skip
def test_what_is_not_a_document_is_refused(text):
    with pytest.raises(DocumentError):
        ScanResult.from_json(text)


def test_every_missing_key_is_noticed():
    document = full_result().to_dict()
    for key in document:
        if key == "status":  # derived from "error"
            continue
        with pytest.raises(DocumentError):
            ScanResult.from_dict({k: v for k, v in document.items() if k != key})


def test_missing_file_is_a_document_error(tmp_path):
    with pytest.raises(DocumentError, match="cannot read"):
        ScanResult.load(tmp_path / "none.json")


def test_unknown_labels_are_refused():
    with pytest.raises(ParameterError, match="integrity is one of"):
        full_result(conclusions={**full_result().conclusions, "integrity": Conclusion("fake")})
    with pytest.raises(ParameterError, match="conclusions"):
        full_result(conclusions={})


def test_the_schema_refuses_what_the_contract_forbids():
    validator = jsonschema.Draft202012Validator(json_schema())
    good = json.loads(full_result().to_json())
    assert validator.is_valid(good)

    def broken(change):
        document = json.loads(json.dumps(good))
        change(document)
        return not validator.is_valid(document)

    assert broken(lambda d: d["findings"][0].update(score=1.5))
    assert broken(lambda d: d["findings"][0].update(status="failed"))
    assert broken(lambda d: d["findings"][0]["regions"][0].update(role="copy"))
    assert broken(lambda d: d["conclusions"]["integrity"].update(label="fake"))
    assert broken(lambda d: d["conclusions"].pop("origin"))
    assert broken(lambda d: d.update(status="error"))
    assert broken(lambda d: d.update(extra=1))
