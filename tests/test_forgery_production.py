"""Making sets: the same bytes whatever the order, the interruption and the number of workers."""

import csv
import errno
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from forensix.cli import main
from forensix.errors import DocumentError, ForgeryError, OutputError, ParameterError
from forensix.forgery import claim, plan, plan_set, produce, read_recipe, remake
from forensix.forgery import production as production_module
from forensix.forgery.planning import set_names
from forensix.forgery.recipe import KINDS, Recipe
from tests.forgery_photos import picture, save_photos

COUNT = 12
JOB = {"kind": "mixed"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return save_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def recipes(photos):
    return plan("mixed", photos, count=COUNT, seed=5, size=(192, 192))


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def unbroken(recipes, tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken")
    claim(out, JOB)
    outcomes = list(produce(recipes, out, jobs=1))
    assert [o for o in outcomes if o.error or o.kept] == []
    assert len(outcomes) == COUNT
    return tree(out)


def test_two_workers_give_the_same_bytes_as_one(recipes, unbroken, tmp_path):
    claim(tmp_path, JOB)
    assert len(list(produce(recipes, tmp_path, jobs=2))) == COUNT
    assert tree(tmp_path) == unbroken


def test_a_run_broken_off_and_resumed_gives_the_same_bytes(recipes, unbroken, tmp_path):
    claim(tmp_path, JOB)
    run = produce(list(reversed(recipes)), tmp_path, jobs=1)
    for _ in range(COUNT // 2):
        next(run)
    run.close()
    # What a kill can leave behind, and what somebody may have done since.
    (tmp_path / "forged" / "half.png.part").write_bytes(b"half a picture")
    done = sorted(p.stem for p in (tmp_path / "recipes").iterdir())
    (tmp_path / "recipes" / f"{done[0]}.json").unlink()
    next((tmp_path / "twins").glob(f"{done[1]}.*")).unlink()
    spoilt = next((tmp_path / "forged").glob(f"{done[2]}.*"))
    spoilt.write_bytes(spoilt.read_bytes()[:-7])
    (tmp_path / "recipes" / f"{done[3]}.json").write_text("{")
    assert not (tmp_path / "manifest.csv").exists()
    claim(tmp_path, JOB)
    outcomes = list(produce(recipes, tmp_path, jobs=2))
    kept = {o.name for o in outcomes if o.kept}
    assert len(kept) == len(done) - 4
    assert tree(tmp_path) == unbroken


def test_a_recipe_does_not_depend_on_how_many_are_made(photos, recipes):
    fewer = plan("mixed", list(reversed(photos)), count=5, seed=5, size=(192, 192))
    assert fewer == recipes[:5]
    assert plan("mixed", photos, count=5, seed=6, size=(192, 192)) != fewer


def test_where_the_folder_lies_changes_no_recipe(photos, recipes):
    def plain(found, folder):
        return [(Path(r.host).relative_to(folder), r.parameters, r.chain) for r in found]

    moved = [f"/elsewhere/a b/{Path(photo).name}" for photo in photos]
    there = plan("mixed", moved, count=COUNT, seed=5, size=(192, 192))
    assert plain(there, "/elsewhere/a b") == plain(recipes, Path(photos[0]).parent)


def test_a_fixed_operation_does_without_what_was_drawn_for_others(photos):
    made = plan("trace", photos, count=20, parameters={"operation": "median"})
    assert all(set(recipe.parameters) <= {"operation", "size", "shape", "area"} for recipe in made)
    mixed = plan("mixed", photos, count=40, parameters={"rotation": 7})
    assert all(("rotation" in r.parameters) == (r.kind in ("copy-move", "splicing")) for r in mixed)


def test_a_recipe_makes_its_forgery_again(recipes, unbroken, tmp_path, photos):
    out = tmp_path / "set"
    claim(out, JOB)
    list(produce(recipes[:3], out))
    source = out / "recipes" / f"{recipes[0].name}.json"
    assert remake(source, tmp_path / "again") == []
    again = tree(tmp_path / "again")
    # The recipe names the photo it was made from, so that file may differ in nothing either.
    for path in again:
        if path not in ("forge.json", "manifest.csv"):
            assert again[path] == unbroken[path], path
    recipe, made = read_recipe(source)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert made["files"]["forged"]["sha256"] == unbroken[made["files"]["forged"]["path"]]


def test_a_recipe_finds_its_photos_by_their_content(recipes, tmp_path, monkeypatch):
    out = tmp_path / "set"
    claim(out, JOB)
    list(produce(recipes[:1], out))
    path = out / "recipes" / f"{recipes[0].name}.json"
    document = json.loads(path.read_bytes())
    moved = []
    for role in ("host", "donor"):
        if document["recipe"][role]:
            moved.append(tmp_path / f"moved {role}.jpg")
            moved[-1].write_bytes(Path(document["recipe"][role]).read_bytes())
            document["recipe"][role] = f"elsewhere/{role}.jpg"
    path.write_text(json.dumps(document))
    with pytest.raises(ForgeryError, match="not found"):
        remake(path, tmp_path / "none")
    assert remake(path, tmp_path / "again", photos=[__file__, *map(str, moved)]) == []


def test_a_differing_remake_is_noticed(recipes, tmp_path):
    out = tmp_path / "set"
    claim(out, JOB)
    list(produce(recipes[:1], out))
    path = out / "recipes" / f"{recipes[0].name}.json"
    document = json.loads(path.read_bytes())
    document["made"]["files"]["twin"]["sha256"] = "0" * 64
    document["made"]["libraries"]["pillow"] = "1.0"
    path.write_text(json.dumps(document))
    found = remake(path, tmp_path / "again")
    assert found[0] == "the twin picture"
    assert "pillow 1.0 then" in found[1]


def test_the_manifest_says_what_is_there(recipes, tmp_path):
    claim(tmp_path, JOB)
    list(produce(recipes, tmp_path))
    with open(tmp_path / "manifest.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 2 * COUNT
    for forged, twin in zip(rows[::2], rows[1::2], strict=True):
        assert twin["label"] == "authentic"
        assert twin["mask"] == twin["kind"] == ""
        assert forged["kind"] in KINDS
        assert forged["group"] == twin["group"]
        assert forged["history"] == twin["history"] == "resaved"
        whole = forged["label"] == "synthetic"
        assert forged["label"] in ("tampered", "synthetic")
        assert forged["origin"] == ("synthetic" if whole else "camera")
        assert bool(forged["mask"]) is not whole
        for row in (forged, twin):
            with Image.open(tmp_path / row["image"]) as image:
                size = image.size
        if forged["mask"]:
            with Image.open(tmp_path / forged["mask"]) as mask:
                values = set(np.unique(np.array(mask)).tolist())
                assert mask.size == size
            assert 255 in values
            assert values <= {0, 192, 255}
            assert (192 in values) <= (forged["mask_marks"] == "both" or forged["kind"] == "removal")
        assert read_recipe(tmp_path / forged["recipe"])[0].kind == forged["kind"]


def test_forged_and_twin_share_format_tables_and_metadata(recipes, tmp_path):
    claim(tmp_path, JOB)
    list(produce(recipes, tmp_path))
    for recipe in recipes:
        (forged,) = (tmp_path / "forged").glob(f"{recipe.name}.*")
        (twin,) = (tmp_path / "twins").glob(f"{recipe.name}.*")
        assert forged.suffix == twin.suffix
        with Image.open(forged) as one, Image.open(twin) as other:
            assert (one.format, one.mode, one.size, one.info) == (
                other.format,
                other.mode,
                other.size,
                other.info,
            )
            assert getattr(one, "quantization", None) == getattr(other, "quantization", None)
            assert getattr(one, "layer", None) == getattr(other, "layer", None)
            assert dict(one.getexif()) == dict(other.getexif()) == {}


def test_grey_photos_stay_grey(tmp_path):
    paths = []
    for number, name in enumerate(("astronaut.png", "coffee.png")):
        paths.append(str(tmp_path / f"grey {number}.png"))
        Image.fromarray(picture(name)[..., 1]).save(paths[-1])
    out = tmp_path / "out"
    claim(out, JOB)
    recipes = plan("splicing", paths, count=2, size=(200, 200), chain="edit, png", parameters={"tone": 0.7})
    assert not [o for o in produce(recipes, out) if o.error]
    for path in [*(out / "forged").iterdir(), *(out / "twins").iterdir()]:
        with Image.open(path) as image:
            assert image.mode == "L"


@pytest.mark.parametrize("name", set_names())
def test_standard_sets_can_be_made(name, photos, tmp_path):
    recipes = [replace(r, size=(240, 240)) for r in plan_set(name, photos, scale="small")[:2]]
    recipes = [replace(r, chain=r.chain.replace("resize:0.5:box, ", "")) for r in recipes]
    claim(tmp_path, JOB)
    assert [o.error for o in produce(recipes, tmp_path)] == ["", ""]


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"diary\.txt"):
        claim(tmp_path, JOB)
    assert [p.name for p in tmp_path.iterdir()] == ["diary.txt"]


def test_a_folder_of_another_job_is_left_alone(tmp_path):
    claim(tmp_path, JOB)
    claim(tmp_path, JOB)
    before = tree(tmp_path)
    with pytest.raises(OutputError, match="other forgeries"):
        claim(tmp_path, {"kind": "removal"})
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"diary\.txt"):
        claim(tmp_path, JOB)
    (tmp_path / "diary.txt").unlink()
    assert tree(tmp_path) == before
    with pytest.raises(OutputError):
        claim(tmp_path / "forge.json", JOB)


def test_a_full_disk_leaves_nothing_half_written(recipes, unbroken, tmp_path, monkeypatch):
    """The third file of the second forgery does not fit any more."""
    written = []
    write = production_module.os.replace

    def fail(source, target):
        if len(written) == 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(target)
        write(source, target)

    claim(tmp_path, JOB)
    monkeypatch.setattr(production_module.os, "replace", fail)
    with pytest.raises(OutputError, match="the disk is full"):
        list(produce(recipes, tmp_path, jobs=1))
    monkeypatch.undo()
    left = tree(tmp_path)
    assert len(left) == 5  # the job, and the four files of the first forgery
    assert all(unbroken[path] == digest for path, digest in left.items())


@pytest.mark.parametrize("recipe", [
    {"kind": "magic"}, {"size": [3]}, {"size": [-1, 5]}, {"donor": "b.jpg"}, {"chain": "edit"}, {"name": "../x"},
    {"mask_marks": "all"}, {"nosuch": 1},
])  # fmt: skip
def test_documents_that_are_no_recipe_are_refused(recipe):
    good = {"name": "x", "kind": "removal", "seed": 0, "index": 0, "host": "a.jpg"}
    Recipe.from_dict(good)
    with pytest.raises((DocumentError, ParameterError)):
        Recipe.from_dict({**good, **recipe})


def unsuitable_photos(folder: Path) -> dict[str, Path]:
    made = {
        "CMYK": ("cmyk.jpg", Image.fromarray(picture("coffee.png")).convert("CMYK")),
        "16-bit": ("deep.png", Image.fromarray(picture("coffee.png")[..., 0].astype(np.uint16) * 257)),
        "too small": ("tiny.png", Image.fromarray(picture("coffee.png", 40))),
        "flat": ("flat.png", Image.new("RGB", (200, 200), (90, 90, 90))),
    }
    paths = {}
    for word, (name, image) in made.items():
        paths[word] = folder / name
        image.save(paths[word])
    paths["text"] = folder / "letter.jpg"
    paths["text"].write_text("Dear Sir or Madam, this is a letter and no picture at all.")
    paths["No such file"] = folder / "missing.jpg"
    return paths


@pytest.mark.parametrize("word", ["CMYK", "16-bit", "too small", "flat", "text", "No such file"])
def test_a_photo_that_is_of_no_use_is_one_line(word, tmp_path, capsys):
    path = unsuitable_photos(tmp_path)[word]
    out = tmp_path / "out"
    status = main(["forge", "copy-move", str(path), "--out", str(out), "-n", "2", "-q"])
    lines = capsys.readouterr().err.splitlines()
    assert status == 4
    assert any(path.name in line and word.lower() in line.lower() for line in lines), lines
    assert all(line.startswith("forensix: ") for line in lines)
    assert not list((out / "forged").iterdir())


def test_photos_of_no_use_among_good_ones_cost_no_forgery(photos, tmp_path, capsys):
    bad = unsuitable_photos(tmp_path)
    words = ["forge", "removal", *photos, str(bad["CMYK"]), str(bad["flat"]), "--out", str(tmp_path / "out")]
    words += ["-n", "7", "--size", "160", "--format", "png", "-p", "method=telea", "-p", "area=0.02"]
    assert main(words) == 3
    said = capsys.readouterr().err
    assert "cmyk.jpg: CMYK" in said
    assert "made 7 of 7" in said
    assert main(words) == 0
    assert "made 0 of 7 forgeries, 7 were there" in capsys.readouterr().err


def test_the_command_makes_what_is_asked(photos, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["forge", "copy-move", *photos, "--out", str(out), "--count", "2", "--seed", "9", "--jobs", "1"]
    words += [
        "--size",
        "160x200",
        "--chain",
        "jpeg:80, edit, crop:1:2",
        "--format",
        "png",
        "--mask-marks",
        "copy",
    ]
    assert main([*words, "-p", "rotation=10", "-p", "mirror=true", "-p", "shape=smooth"]) == 0
    assert capsys.readouterr().out == ""
    names = sorted(p.name for p in (out / "forged").iterdir())
    assert names == ["000000-copy-move.png", "000001-copy-move.png"]
    with Image.open(out / "forged" / names[0]) as image:
        assert image.size == (198, 159)
    recipe, _ = read_recipe(out / "recipes" / "000000-copy-move.json")
    assert recipe.chain == "jpeg:80, edit, crop:1:2, png"
    assert {k: recipe.parameters[k] for k in ("rotation", "mirror", "shape")} == {
        "rotation": 10, "mirror": True, "shape": "smooth",
    }  # fmt: skip
    again = [
        "forge",
        "--recipe",
        str(out / "recipes" / "000001-copy-move.json"),
        "--out",
        str(tmp_path / "again"),
    ]
    assert main(again) == 0
    assert "bit for bit the same" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["copy-move"], "PHOTO"),
        (["magic", "PHOTO"], "kind must be"),
        (["copy-move", "PHOTO", "--size", "9"], "ROWSxCOLS"),
        (["copy-move", "PHOTO", "--chain", "edit, nosuch"], "nosuch"),
        (["copy-move", "PHOTO", "-p", "rotation"], "NAME=VALUE"),
        (["splicing", "PHOTO"], "two photos"),
        (["double-jpeg", "PHOTO"], "two photos"),
        (["copy-move", "PHOTO", "--format", "gif"], "gif"),
        (["--recipe", "PHOTO"], "not a recipe"),
    ],
)
def test_usage_errors_exit_with_2(words, said, photos, tmp_path, capsys):
    words = [photos[0] if word == "PHOTO" else word for word in words]
    assert main(["forge", *words, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_folder_check_comes_out_as_a_usage_error(photos, tmp_path, capsys):
    (tmp_path / "diary.txt").write_text("mine")
    assert main(["forge", "copy-move", photos[0], "--out", str(tmp_path)]) == 2
    assert "holds other files" in capsys.readouterr().err


def test_wrong_parameters_are_a_clear_error(photos, tmp_path, capsys):
    words = ["forge", "copy-move", photos[0], "--out", str(tmp_path / "out"), "-n", "1"]
    assert main([*words, "-p", "nosuch=3"]) == 2
    assert "no parameter nosuch" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*words, "-p", "area=7"]) == 4
    assert "area" in capsys.readouterr().err
