"""``forensix report``, ``methods`` and ``info``."""

import json
import re

import pytest

from forensix import cli
from tests import fake_methods
from tests.fake_methods import CALM, FORGED, METHODS, picture


@pytest.fixture(autouse=True)
def small_registry(monkeypatch, tmp_path):
    fake_methods.install(monkeypatch.setitem, monkeypatch.setattr)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def forensix(capfdbinary):
    def run(*words):
        status = cli.main(list(words))
        out, err = capfdbinary.readouterr()
        return int(status), out.decode(), err.decode()

    return run


@pytest.fixture
def saved(tmp_path, forensix):
    """A photo, a document and a folder of maps."""
    picture(tmp_path / "forged.png", FORGED)
    assert forensix("scan", "forged.png", "--format", "json", "-o", "result.json", "--maps", "maps")[0] == 0
    return tmp_path


def image_count(page):
    return len(re.findall("<image ", page))


def test_a_saved_document_becomes_a_page_with_its_pictures(saved, forensix, monkeypatch):
    monkeypatch.setattr("forensix.scanner.scan", lambda *_, **__: pytest.fail("a report must not scan"))
    status, page, err = forensix("report", "result.json", "--format", "html", "--maps", "maps")
    assert (status, err) == (0, "") and image_count(page) == 4 and "cannot be shown" not in page
    _, direct, _ = forensix("scan", "--format", "html", "--maps", "maps", "forged.png")
    blocks = [re.sub(r"[\d.]+ s|<dd>.*?</dd>", "", p) for p in (page, direct)]
    assert blocks[0] == blocks[1]


def test_maps_are_found_beside_the_document(saved, forensix):
    _, page, _ = forensix("report", "result.json", "--format", "html")
    assert image_count(page) == 1 and "The map fused cannot be shown" in page
    (saved / "result.json").rename(saved / "maps" / "result.json")
    _, page, _ = forensix("report", "maps/result.json", "--format", "html")
    assert image_count(page) == 4


def test_another_file_of_the_same_name_is_not_shown(saved, forensix):
    picture(saved / "forged.png", CALM)
    _, page, _ = forensix("report", "result.json", "--format", "html", "--maps", "maps")
    assert "is not the file that was examined (its SHA-256 differs)" in page and image_count(page) == 3
    (saved / "forged.png").unlink()
    _, page, _ = forensix("report", "result.json", "--format", "html", "--maps", "maps")
    assert "forged.png is not there" in page and image_count(page) == 3


def test_maps_that_lead_elsewhere_or_do_not_fit_are_not_shown(saved, forensix):
    document = json.loads((saved / "result.json").read_text())
    (saved / "outside.png").write_bytes((saved / "maps" / document["maps"]["fused"]).read_bytes())
    picture(saved / "maps" / document["maps"]["patch"], rows=16, cols=16)
    (saved / "maps" / document["maps"]["mask"]).write_text("no picture")
    document["maps"]["fused"] = "../outside.png"
    (saved / "result.json").write_text(json.dumps(document))
    status, page, _ = forensix("report", "result.json", "--format", "html", "--maps", "maps")
    assert status == 0 and image_count(page) == 1
    for reason in ("../outside.png is not there", "has another size", "The map mask cannot be shown"):
        assert reason in page


def test_text_and_pdf_of_lists_and_lines(saved, forensix):
    picture(saved / "calm.png", CALM)
    (saved / "note.jpg").write_text("a text")
    words = ["forged.png", "calm.png", "note.jpg", "-q", "--maps", "maps"]
    assert forensix("scan", *words, "--format", "jsonl", "-o", "all.jsonl")[0] == 3
    assert forensix("scan", *words, "--format", "json", "-o", "all.json")[0] == 3
    _, direct, _ = forensix("scan", *words)
    for document in ("all.jsonl", "all.json"):
        assert forensix("report", document, "--maps", "maps")[:2] == (0, direct)
        assert forensix("report", document, "--format", "pdf", "-o", "all.pdf", "--maps", "maps")[0] == 0
        assert (saved / "all.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[1]", "not a forensix.scan/1 document"),
        (b'{"schema": "other/9"}', "'other/9'"),
        (b'{"schema": "forensix.scan/1"}', "not a complete scan document"),
        (b"[" * 100_000, "not JSON"),
        (b'{"schema": "forensix.scan/1"}\n{"schema"', "document"),
        (b'"\\u001b[31m"', "str"),
    ],
)
def test_what_is_no_document_is_one_line_and_two(tmp_path, forensix, content, complaint):
    (tmp_path / "bad.json").write_bytes(content)
    for form in ("text", "html"):
        status, out, err = forensix("report", "bad.json", "--format", form)
        assert (status, out) == (2, "") and err.count("\n") == 1
        assert err.startswith("forensix: bad.json: ") and complaint in err and "\x1b" not in err
    assert forensix("report", "none.json")[0] == 2


def test_a_report_does_not_overwrite_document_or_evidence(saved, forensix):
    for name in ("result.json", "forged.png"):
        before = (saved / name).read_bytes()
        assert forensix("report", "result.json", "-o", name)[0] == 2
        assert (saved / name).read_bytes() == before


def test_methods(forensix):
    _, out, _ = forensix("methods")
    for method in METHODS.values():
        for words in (method.name, method.question, method.applies_to):
            assert words in out
    _, out, _ = forensix("methods", "--format", "json")
    assert [m["name"] for m in json.loads(out)] == list(METHODS)
    assert {"question", "applies_to", "reference", "licence"} <= set(json.loads(out)[0])


def test_info(saved, forensix):
    (saved / "note\x1b.jpg").write_text("a text")
    status, out, _ = forensix("info", "forged.png")
    assert status == 0 and "64" in out and "sha256" in out
    status, out, _ = forensix("info", "forged.png", "note\x1b.jpg")
    assert status == 3 and "\x1b" not in out and r"note\x1b.jpg" in out and "error" in out
    status, out, _ = forensix("info", "note\x1b.jpg", "--format", "json")
    assert status == 4 and json.loads(out)["error"]["type"]
    status, out, _ = forensix("info", "forged.png", "--format", "json")
    facts = json.loads(out)
    assert status == 0 and len(facts["file"]["sha256"]) == 64 and facts["image"]["width"] == 64
