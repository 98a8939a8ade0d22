"""``forensix camera`` as its users meet it."""

import json

import pytest
from PIL import Image

from forensix import cli
from tests.cameras import jpeg, scene, wall


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store with two cameras, and photos to ask about."""
    place = tmp_path_factory.mktemp("cameras")
    for camera, name in ((1, "one"), (2, "two")):
        (place / name).mkdir()
        for seed in range(5):
            content = jpeg(wall(10 * camera + seed, camera), make="Maker", model="M", serial=str(camera))
            (place / name / f"wall{seed}.jpg").write_bytes(content)
    (place / "photo.jpg").write_bytes(jpeg(scene(3, 1)))
    (place / "other.jpg").write_bytes(jpeg(scene(3, None)))
    (place / "white.png").write_bytes(b"")
    Image.new("RGB", (256, 192), "white").save(place / "white.png")
    (place / "note.jpg").write_text("a text")
    for name in ("one", "two"):
        assert (
            cli.main(["camera", "enroll", name, "-r", str(place / name), "--store", str(place / "store")])
            == 0
        )
    return place


@pytest.fixture
def forensix(folder, monkeypatch, capfd):
    monkeypatch.chdir(folder)
    capfd.readouterr()

    def run(*words):
        status = int(cli.main(["camera", *words]))
        out, err = capfd.readouterr()
        return status, out, err

    return run


def test_a_match_is_one_document(forensix):
    status, out, err = forensix("match", "photo.jpg", "--store", "store", "--format", "json")
    document = json.loads(out)
    assert (status, err) == (0, "")
    assert set(document) == {"evidence", "matches"}
    assert document["evidence"]["path"] == "photo.jpg" and len(document["evidence"]["sha256"]) == 64
    best, other = document["matches"]
    assert set(best) == {"camera", "pce", "log10_lr", "label", "offset", "scale"}
    assert (best["camera"], best["label"], best["offset"], best["scale"]) == ("one", "match", [0, 0], 1.0)
    assert best["pce"] > 60 and best["log10_lr"] > other["log10_lr"]
    assert other["camera"] == "two" and other["label"] in ("no-match", "inconclusive")


def test_lines_and_lists_in_the_order_of_the_photos(forensix):
    words = ["match", "other.jpg", "note.jpg", "photo.jpg", "--store", "store", "-c", "one"]
    status, out, err = forensix(*words, "--format", "jsonl")
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 3 and "note.jpg" in err
    assert [line["evidence"]["path"] for line in lines] == ["other.jpg", "note.jpg", "photo.jpg"]
    assert [[found["label"] for found in line["matches"]] for line in lines][1:] == [[], ["match"]]
    assert lines[1]["evidence"]["error"]["type"] == "EvidenceError"
    assert json.loads(forensix(*words, "--format", "json")[1]) == lines


def test_text_says_the_same(forensix):
    status, out, _ = forensix("match", "photo.jpg", "white.png", "note.jpg", "--store", "store")
    assert status == 3
    assert "one" in out and "match" in out and "PCE" in out
    assert "white.png is blown out: 100% of its pixels are saturated" in out
    assert "note.jpg\n  cannot be read" in out


def test_a_blown_out_photo_is_inconclusive_and_says_so(forensix):
    status, out, _ = forensix("match", "white.png", "--store", "store", "--format", "json")
    document = json.loads(out)
    assert status == 0
    assert {(m["label"], m["log10_lr"], m["offset"]) for m in document["matches"]} == {
        ("inconclusive", 0.0, None)
    }
    assert "blown out" in document["evidence"]["warnings"][-1]


def test_photos_refused_are_named_and_the_others_learned(forensix, folder):
    words = ["one/wall0.jpg", "note.jpg", "none.jpg", "one/wall0.jpg", "white.png", "two/wall1.jpg"]
    status, out, err = forensix("enroll", "third", *words, "--store", "third")
    assert status == 3 and "third: 1 photos learned, 1 in all" in out
    complaints = err.splitlines()
    assert len(complaints) == 5 and all(line.startswith("forensix: ") for line in complaints)
    for line, word in zip(
        complaints, ["note.jpg", "none.jpg", "already", "blown out", "serial"], strict=True
    ):
        assert word in line
    assert forensix("enroll", "third", "note.jpg", "--store", "third")[0] == 4
    assert forensix("enroll", "fourth", "note.jpg", "--store", "third")[0] == 4
    assert not (folder / "third" / "fourth.npz").exists()


def test_list_and_show(forensix):
    status, out, _ = forensix("list", "--store", "store")
    assert status == 0
    assert out.splitlines()[0] == "one: 5 photos, 256 x 192, Maker M, serial 1"
    known = json.loads(forensix("list", "--store", "store", "--format", "json")[1])
    assert [camera["camera"] for camera in known] == ["one", "two"]
    status, out, _ = forensix("show", "one", "--store", "store")
    assert status == 0 and "serial: 1" in out and "wall4.jpg" in out
    shown = json.loads(forensix("show", "one", "--store", "store", "--format", "json")[1])
    assert len(shown["enrolled"]) == 5 and shown["shares_marks_with"] == {}
    assert shown["pipelines"] == {"jpeg 256 x 192 2x2/1x1/1x1": 5}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["match", "photo.jpg"], "--store"),
        (["match", "photo.jpg", "--store", "nowhere"], "no store of cameras"),
        (["match", "photo.jpg", "--store", "store", "-c", "x"], "no camera is called 'x'"),
        (["match", "photo.jpg", "--store", "store", "--scale", "70"], "scales"),
        (["match", "--store", "store"], "PHOTO"),
        (["enroll", "a/b", "photo.jpg", "--store", "store"], "a camera's name"),
        (["show", "x", "--store", "store"], "no camera is called 'x'"),
        (["list", "--store", "photo.jpg"], "photo.jpg"),
        (["match", "photo.jpg", "--store", "empty"], "holds no camera"),
    ],
)
def test_wrong_use_is_two_and_one_line(forensix, folder, words, complaint):
    (folder / "empty").mkdir(exist_ok=True)
    status, out, err = forensix(*words)
    assert (status, out) == (2, "")
    assert complaint in err and "Traceback" not in err


def test_a_fingerprint_cut_short_is_named(forensix, folder):
    (folder / "cut").mkdir(exist_ok=True)
    for name in ("one", "two"):
        content = (folder / "store" / f"{name}.npz").read_bytes()
        (folder / "cut" / f"{name}.npz").write_bytes(content if name == "two" else content[:-1000])
    status, out, err = forensix("match", "photo.jpg", "--store", "cut")
    assert (status, out) == (2, "") and "one.npz" in err and len(err.splitlines()) == 1
    status, out, err = forensix("list", "--store", "cut")
    assert status == 3 and out.startswith("two:") and "one.npz" in err
    before = (folder / "cut" / "one.npz").read_bytes()
    status, _, err = forensix("enroll", "one", "one/wall0.jpg", "--store", "cut")
    assert status == 2 and "one.npz" in err
    assert (folder / "cut" / "one.npz").read_bytes() == before
