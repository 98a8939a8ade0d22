"""``forensix scan`` as its users meet it: output, exit status, bad files, bad names."""

import io
import json
import os
import sys

import jsonschema
import pytest

from forensix import batch, cli
from forensix.cli.exits import Exit
from forensix.result import json_schema
from tests import fake_methods
from tests.fake_methods import CALM, FORGED, picture


@pytest.fixture(autouse=True)
def small_registry(monkeypatch, tmp_path):
    fake_methods.install(monkeypatch.setitem, monkeypatch.setattr)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def files(tmp_path):
    picture(tmp_path / "calm.png", CALM)
    picture(tmp_path / "forged.png", FORGED)
    (tmp_path / "note.jpg").write_text("this is a text\n")
    return tmp_path


@pytest.fixture
def forensix(capfdbinary, monkeypatch):
    """Run the command; returns (exit status, stdout, stderr)."""

    def run(*words, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = cli.main(list(words))
        out, err = capfdbinary.readouterr()
        return int(status), out, err.decode()

    return run


def validate(document):
    jsonschema.validate(document, json_schema(), cls=jsonschema.Draft202012Validator)
    return document


def test_one_file_is_one_document(files, forensix):
    status, out, err = forensix("scan", "forged.png", "--format", "json")
    document = validate(json.loads(out))
    assert (status, err) == (0, "")
    assert document["conclusions"]["integrity"]["label"] == "inconsistent"
    assert document["tool"]["argv"] == ["forensix", "scan", "forged.png", "--format", "json"]
    assert document["maps"] == {}


def test_several_files_are_a_list_in_their_order(files, forensix):
    status, out, err = forensix(
        "scan", "note.jpg", "forged.png", "calm.png", "--format", "json", "--jobs", "1"
    )
    documents = [validate(document) for document in json.loads(out)]
    assert [d["evidence"]["path"] for d in documents] == ["note.jpg", "forged.png", "calm.png"]
    assert [d["status"] for d in documents] == ["error", "ok", "ok"]
    assert status == 3
    assert (
        "forensix: note.jpg: " in err and "scanned 3 files: 1 inconsistent, 1 inconclusive, 1 failed" in err
    )


def test_lines_are_documents(files, forensix):
    status, out, _ = forensix("scan", "calm.png", "note.jpg", "--format", "jsonl", "--maps", "maps", "-q")
    lines = [validate(json.loads(line)) for line in out.splitlines()]
    assert status == 3 and len(lines) == 2
    assert set(lines[0]["maps"]) == {"fused", "mask", "patch"}
    assert all((files / "maps" / name).is_file() for name in lines[0]["maps"].values())
    assert "/" not in "".join(lines[0]["maps"].values())


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["calm.png"], 0),
        (["calm.png", "forged.png"], 0),
        (["note.jpg"], 4),
        (["note.jpg", "none.png"], 4),
        (["note.jpg", "calm.png"], 3),
        (["forged.png", "--fail-on", "inconsistent"], 1),
        (["calm.png", "--fail-on", "inconsistent"], 0),
        (["calm.png", "--fail-on", "inconclusive"], 1),
        (["forged.png", "--fail-on", "inconclusive"], 1),
        (["forged.png", "--fail-on", "synthetic", "--fail-on", "resaved"], 0),
        (["forged.png", "--fail-on", "synthetic", "--fail-on", "inconsistent"], 1),
        (["forged.png", "note.jpg", "--fail-on", "inconsistent"], 1),
        (["note.jpg", "--fail-on", "inconclusive"], 4),
    ],
)
def test_exit_status(files, forensix, words, status):
    for form in ("json", "text"):
        assert forensix("scan", "--format", form, "-q", *words)[0] == status


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["scan"], "nothing to scan"),
        (["scan", "calm.png", "--format", "docx"], "'docx' is not one of"),
        (["scan", "calm.png", "--detector", "ela"], "no method is called 'ela'"),
        (["scan", "calm.png", "--jobs", "-1"], "'--jobs'"),
        (["scan", "calm.png", "--max-pixels", "0"], "'--max-pixels'"),
        (["scan", "calm.png", "-0"], "--files-from"),
        (["scan", "--files-from", "none.txt"], "none.txt"),
        (["scan", "calm.png", "--output", "none/out.json"], "cannot write none/out.json"),
        (["scan", "calm.png", "--output", "calm.png"], "would be overwritten"),
        (["scan", "calm.png", "--format", "jsonl", "--output", "calm.png"], "would be overwritten"),
        (["scan", "calm.png", "--maps", "note.jpg"], "'--maps'"),
        (["scan", "--no-such\x1b[31m"], r"--no-such\x1b[31m"),
        (["scna"], "scna"),
    ],
)
def test_wrong_use_is_two_and_no_traceback(files, forensix, words, complaint):
    before = (files / "calm.png").read_bytes()
    status, out, err = forensix(*words)
    assert (status, out) == (2, b"")
    assert complaint in err and "Traceback" not in err and "\x1b" not in err
    assert (files / "calm.png").read_bytes() == before
    assert not [name for name in os.listdir(files) if name.endswith(".partial")]


def test_cuda_that_is_not_there_is_wrong_use(files, forensix, monkeypatch):
    monkeypatch.setattr("forensix.native.device.cuda_works", lambda: False)
    status, out, err = forensix("scan", "calm.png", "--device", "cuda")
    assert (status, out) == (2, b"") and "CUDA" in err


def test_chosen_methods_only(files, forensix):
    _, out, _ = forensix("scan", "calm.png", "--format", "json", "-d", "silent", "-d", "patch")
    assert [f["detector"] for f in json.loads(out)["findings"]] == ["patch", "silent"]
    _, out, _ = forensix("scan", "calm.png", "--format", "json", "--preset", "thorough")
    assert [f["status"] for f in json.loads(out)["findings"]][-1] == "failed"


def test_text_says_what_matters(files, forensix):
    _, out, err = forensix("scan", "forged.png", "--preset", "thorough", "--maps", "some maps")
    text = " ".join(out.decode().split())
    for words in (
        "forged.png PNG, 64 x 48",
        "integrity INCONSISTENT splicing. A patch of 24 x 16 px stands out",
        "Moderate support for a changed picture.",
        "origin inconclusive",
        "history inconclusive",
        "spoke patch 0.97 A patch of",
        "silent silent cannot tell: The picture is too flat to tell.",
        "unsuited does not apply: needs a JPEG file, and this one is [bold]PNG[/bold]",
        r"failed broken ZeroDivisionError: an accident with \x1b[31mcolours",
        "maps some maps/forged.",
    ):
        assert words in text
    assert b"\x1b" not in out and err == ""
    assert max(len(line) for line in out.decode().splitlines()) <= 100


def test_an_error_in_text_is_one_line(files, forensix):
    (files / "a\x1b[2Jb\n.jpg").write_bytes(b"")
    _, out, err = forensix("scan", "calm.png", "a\x1b[2Jb\n.jpg", "-q")
    blocks = out.decode().strip().split("\n\n")
    assert blocks[1].startswith(r"a\x1b[2Jb\n.jpg: error: ") and "\n" not in blocks[1]
    assert b"\x1b" not in out and err == ""


NAMES = [b"two words.png", b"quote'\"s.png", b"line\nbreak.png", b"\xff\xfe.png", "ümläut 图.png".encode(), b"-q",
         b" end ", b"\x1b]0;title\x07.png", "evil\u202egnp.png".encode(), b"%s{0}.png", b"carriage\r"]  # fmt: skip


@pytest.mark.parametrize("how", ["words", "nul"])
def test_names_of_any_bytes(files, forensix, how):
    for seed, name in enumerate(NAMES):
        picture(os.fsdecode(os.path.join(os.fsencode(files), name)), seed=seed)
    if how == "words":
        words, stdin = ["--", *(os.fsdecode(name) for name in NAMES)], b""
    else:
        words, stdin = ["--files-from", "-", "-0"], b"\0".join(NAMES) + b"\0"
    for form in ("json", "jsonl", "text", "html"):
        status, out, err = forensix("scan", "--format", form, "--maps", "maps", *words, stdin=stdin)
        assert status == 0, err
        assert b"\x1b" not in out and b"\x07" not in out
        if form == "json":
            documents = [validate(document) for document in json.loads(out.decode("ascii"))]
            assert [os.fsencode(d["evidence"]["path"]) for d in documents] == NAMES
            assert all(os.path.isfile(f"maps/{m}") for d in documents for m in d["maps"].values())
        elif form in ("text", "html"):
            shown = out.decode("utf-8")
            assert "\u202e" not in shown and r"evil\u202egnp" in shown and r"\udcff\udcfe.png" in shown
            assert "图" in shown


def test_a_list_of_lines(files, forensix):
    picture(files / " two words .png")
    listing = files / "list.txt"
    listing.write_bytes(b"calm.png\r\n\n two words .png\nforged.png")
    _, out, _ = forensix("scan", "calm.png", "--files-from", str(listing), "--format", "jsonl", "-q")
    paths = [json.loads(line)["evidence"]["path"] for line in out.splitlines()]
    assert paths == ["calm.png", "calm.png", " two words .png", "forged.png"]


def test_an_empty_list_is_done_at_once(forensix):
    for form, content in (("json", b"[]\n"), ("jsonl", b""), ("text", b"")):
        assert forensix("scan", "--files-from", os.devnull, "--format", form, "-q") == (0, content, "")


def test_directories(files, forensix):
    (files / "album" / "inner").mkdir(parents=True)
    for name in ("b.png", "a.PNG", "inner/c.png", "maps.png"):
        picture(files / "album" / name)
    (files / "album" / "notes.txt").write_text("no picture")
    _, out, _ = forensix("scan", "album", "--format", "json")
    assert "--recursive" in json.loads(out)["error"]["message"]
    expected = ["album/a.PNG", "album/b.png", "album/maps.png", "album/inner/c.png"]
    for _ in range(2):  # the second time there are maps below the directory
        status, out, _ = forensix("scan", "-r", "album", "--format", "json", "--maps", "album/maps")
        assert status == 0
        assert [d["evidence"]["path"] for d in json.loads(out)] == expected


def test_output_to_a_file(files, forensix):
    for form in ("text", "json", "jsonl", "html", "pdf"):
        _, direct, _ = forensix("scan", "forged.png", "--format", form)
        status, out, err = forensix("scan", "forged.png", "--format", form, "-o", f"out.{form}")
        assert (status, out, err) == (0, b"", "")
        content = (files / f"out.{form}").read_bytes()
        assert content[:20] == direct[:20] and abs(len(content) - len(direct)) < 200
    assert not [name for name in os.listdir(files) if name.endswith(".partial")]
    assert forensix("scan", "forged.png", "-o", os.devnull)[0] == 0
    assert not os.path.isfile(os.devnull)


def test_a_link_as_output_keeps_pointing(files, forensix):
    (files / "there.json").write_text("old")
    (files / "link.json").symlink_to("there.json")
    forensix("scan", "calm.png", "--format", "json", "-o", "link.json")
    assert (files / "link.json").is_symlink()
    assert json.loads((files / "there.json").read_text())["status"] == "ok"


def test_an_interrupt_keeps_what_is_finished(files, forensix, monkeypatch):
    real = batch.examine

    def interrupted(path, settings):
        if path == "forged.png":
            raise KeyboardInterrupt
        return real(path, settings)

    monkeypatch.setattr(batch, "examine", interrupted)
    for form, count in (("json", len), ("jsonl", None)):
        status, out, err = forensix("scan", "calm.png", "forged.png", "note.jpg", "--format", form)
        assert (status, err) == (Exit.INTERRUPTED, "forensix: interrupted after 1 file: 1 inconclusive\n")
        documents = json.loads(out) if count else [json.loads(line) for line in out.splitlines()]
        assert [validate(d)["evidence"]["path"] for d in documents] == ["calm.png"]


def test_a_defect_is_one_line_and_a_hint(files, forensix, monkeypatch):
    def defect(path, settings):
        raise ZeroDivisionError("an\naccident")

    monkeypatch.setattr(batch, "examine", defect)
    status, out, err = forensix("scan", "calm.png", "-o", "out.txt")
    assert (status, out) == (Exit.BROKE, b"")
    assert (
        err
        == "forensix: internal error: ZeroDivisionError: an accident; `forensix --debug ...` shows where\n"
    )
    assert not os.path.exists("out.txt")
    assert "Traceback" in forensix("--debug", "scan", "calm.png")[2]


def test_a_missing_extra_is_named_before_the_scan(files, forensix, monkeypatch):
    monkeypatch.setitem(sys.modules, "reportlab", None)
    monkeypatch.setattr(batch, "examine", lambda *_: pytest.fail("scanned in vain"))
    status, out, err = forensix("scan", "calm.png", "--format", "pdf", "-o", "out.pdf")
    assert (status, out) == (2, b"") and "forensix[pdf]" in err


def test_results_that_finish_out_of_order_are_put_in_order(files, forensix, monkeypatch):
    real = batch.examine_many

    def backwards(paths, settings, *, jobs):
        yield from reversed([*real(paths, settings, jobs=1)])

    monkeypatch.setattr(batch, "examine_many", backwards)
    _, out, _ = forensix("scan", "calm.png", "forged.png", "--format", "json")
    assert [d["evidence"]["path"] for d in json.loads(out)] == ["calm.png", "forged.png"]
    _, out, _ = forensix("scan", "calm.png", "forged.png", "--format", "jsonl")
    assert [json.loads(line)["evidence"]["path"] for line in out.splitlines()] == ["forged.png", "calm.png"]


def test_very_many_paths_are_counted_in_the_record(files, forensix):
    paths = [f"none-{n}.png" for n in range(150)]
    _, out, _ = forensix("scan", "--format", "json", *paths, "-q")
    assert json.loads(out)[7]["tool"]["argv"] == ["forensix", "scan", "--format", "json", "-q", "(150 paths)"]
