"""The accuracy harness: its figures against a restatement, resumption, tables."""

import csv
import json
import math
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import matthews_corrcoef, roc_auc_score

from benchmarks.accuracy import formulas
from benchmarks.accuracy.__main__ import main as harness
from benchmarks.accuracy.figures import all_figures, classes, figures
from benchmarks.accuracy.labelled import read_manifest
from benchmarks.accuracy.running import LINES, Settings, describe, read_lines, run
from forensix.cli import main as command
from forensix.errors import DocumentError, OutputError
from forensix.forgery import claim, plan, produce
from tests import fake_methods
from tests.forgery_photos import save_photos
from tests.reference import evaluation

FIGURES = ("positives", "negatives", "errors", "auc", "tpr", "fpr", "balanced", "tpr_at_1", "f1", "best_f1", "iou", "alarm")  # fmt: skip


@pytest.fixture
def manifest(tmp_path, monkeypatch):
    """Twelve pictures some of which the made-up methods decide on, rightly and wrongly, and one is no picture."""
    fake_methods.install(monkeypatch.setitem, monkeypatch.setattr)
    folder = tmp_path / "made-up"
    folder.mkdir()
    rows = ["image,mask,label,kind,group,history"]
    for number in range(12):
        tampered = number % 3 != 0
        red = fake_methods.FORGED if number in (1, 2, 3, 5, 7) else fake_methods.CALM
        fake_methods.picture(folder / f"{number}.png", red, rows=64, cols=96, seed=number)
        mask = np.zeros((64, 96), np.uint8)
        mask[10 + number : 30, 20:50] = 255
        picture = Image.fromarray(mask)
        # One mask of another size, as some collections have them.
        (picture.resize((48, 32), Image.Resampling.NEAREST) if number == 4 else picture).save(
            folder / f"{number}.mask.png"
        )
        kind = ("copy-move" if number % 2 else "removal") if tampered else ""
        name = f"{number}.mask.png" if tampered and number != 8 else ""
        history = "resaved" if number < 5 else "original"
        rows.append(
            f"{number}.png,{name},{'tampered' if tampered else 'authentic'},{kind},{number // 3},{history}"
        )
    (folder / "letter.png").write_text("Dear Madam or Sir, this is a letter.")
    (folder / "letter.mask.png").write_bytes((folder / "1.mask.png").read_bytes())
    rows.append("letter.png,letter.mask.png,tampered,removal,9,resaved")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder / "manifest.csv"


def scanned(manifest, tmp_path, capsys, *more):
    images = [str(row.image) for row in read_manifest(manifest)]
    maps = tmp_path / f"maps{len(more)}"
    assert command(["scan", *images, "--format", "jsonl", "--maps", str(maps), "-q", *more]) in (0, 3)
    return evaluation.read_jsonl(capsys.readouterr().out), maps


def agree(found, expected):
    for name in FIGURES:
        assert found[name] == pytest.approx(expected[name], abs=1e-9, nan_ok=True), name


def test_figures_are_those_of_the_command(manifest, tmp_path, capsys):
    lines = list(run(read_manifest(manifest), tmp_path / "out", Settings()))
    records, maps = scanned(manifest, tmp_path, capsys)
    for conclusion in ("integrity", "history"):
        expected = evaluation.evaluate(manifest, records, maps, conclusion)
        found = figures(lines, conclusion)
        if conclusion == "history":
            # Masks speak of content; the history of a file has none.
            expected.update(dict.fromkeys(("f1", "best_f1", "iou", "alarm"), math.nan))
        agree(found, expected)
    expected = evaluation.evaluate(manifest, records, maps)
    assert expected["errors"] == 1
    assert 0 < expected["tpr"] < 1
    assert 0 < expected["fpr"] < 1
    assert 0 < expected["f1"] < expected["best_f1"] < 1


def test_figures_of_a_method_are_those_of_a_scan_with_it_alone(manifest, tmp_path, capsys):
    lines = list(run(read_manifest(manifest), tmp_path / "out", Settings()))
    for name in ("patch", "silent"):
        records, maps = scanned(manifest, tmp_path, capsys, "--detector", name)
        agree(
            figures(lines, name, question="integrity"),
            evaluation.evaluate(manifest, records, maps, detector=name),
        )


def test_real_forgeries_are_measured_as_the_command_does(tmp_path, capsys):
    photos = save_photos(tmp_path, names=("astronaut.png", "coffee.png"))
    out = tmp_path / "set"
    claim(out, {})
    assert not [o for o in produce(plan("mixed", photos, count=5, seed=2, size=(200, 220)), out) if o.error]
    manifest = out / "manifest.csv"
    name = "jpeg-ghosts"
    lines = list(run(read_manifest(manifest), tmp_path / "out", Settings((name,))))
    records, maps = scanned(manifest, tmp_path, capsys, "--detector", name)
    agree(figures(lines, name), evaluation.evaluate(manifest, records, maps, detector=name))
    agree(figures(lines, "integrity"), evaluation.evaluate(manifest, records, maps))
    assert {line["traits"]["kind"] for line in lines} <= {
        "copy-move",
        "splicing",
        "removal",
        "trace",
        "generator",
    }
    assert all(line["traits"]["size"] == "under 0.3 Mpx" for line in lines)
    twins = [line for line in lines if line["name"].startswith("twins/")]
    assert len(twins) == 5
    assert all(line["traits"]["kind"] for line in twins)


def test_a_run_broken_off_goes_on_and_comes_to_the_same(manifest, tmp_path):
    images = read_manifest(manifest)
    unbroken = {line["name"]: line for line in run(images, tmp_path / "one", Settings())}
    broken = run(images, tmp_path / "two", Settings())
    for _ in range(5):
        next(broken)
    broken.close()
    path = tmp_path / "two" / LINES
    path.write_text(path.read_text() + '{"collection": "made-up", "na')
    assert len(read_lines(tmp_path / "two")) == 5
    resumed = list(run(images, tmp_path / "two", Settings()))
    assert len(resumed) == len(images) == len({line["name"] for line in resumed})

    def bare(line):
        return json.loads(
            json.dumps(line), object_hook=lambda d: {k: v for k, v in d.items() if k != "seconds"}
        )

    assert all(bare(unbroken[line["name"]]) == bare(line) for line in resumed)
    with pytest.raises(OutputError, match="other methods"):
        list(run(images, tmp_path / "two", Settings(("patch",))))


def test_the_tables_say_what_the_figures_are(manifest, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # the page must do without plots
    out = tmp_path / "out"
    assert harness([str(manifest), "--out", str(out)]) == 0
    assert "see" in capsys.readouterr().out
    with open(out / "figures.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    whole = next(r for r in rows if r["subject"] == "integrity" and r["by"] == "all")
    lines = list(read_lines(out).values())
    expected = figures(lines, "integrity")
    assert float(whole["auc"]) == pytest.approx(expected["auc"], abs=1e-6)
    assert int(whole["errors"]) == 1
    kinds = {r["value"] for r in rows if r["subject"] == "patch" and r["by"] == "kind"}
    assert kinds == {"copy-move", "removal"}
    with open(out / "images.csv", newline="") as handle:
        images = [r for r in csv.DictReader(handle) if r["subject"] == "patch"]
    assert len(images) == 13
    assert sum(r["decided"] == "1" for r in images) == 5
    page = (out / "report.md").read_text()
    assert "`letter.png`:" in page
    assert f"{expected['auc']:.3f}" in page
    assert "By kind" in page
    assert harness([str(manifest), "--out", str(out), "--detector", "patch"]) == 2
    assert "other methods" in capsys.readouterr().err
    assert describe(Settings(("patch",)))["methods"] == ["patch"]


def test_classes_without_untouched_images_borrow_the_rest(manifest, tmp_path):
    lines = list(run(read_manifest(manifest), tmp_path / "out", Settings()))
    by_kind = {value: some for name, value, some in classes(lines, "integrity") if name == "kind"}
    untouched = sum(not line["positive"]["integrity"] for line in lines)
    for kind, some in by_kind.items():
        assert sum(not line["positive"]["integrity"] for line in some) == untouched
        assert {line["traits"]["kind"] for line in some if "kind" in line["traits"]} == {kind}
    assert len([row for row in all_figures(lines) if row["by"] == "kind" and row["subject"] == "patch"]) == 2


def test_the_small_scale_runs_from_one_command(tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--scale", "small", "--set", "spliced-jpeg", "--out", str(out), "--detector", "jpeg-ghosts"]
    assert harness(words) == 0
    assert "spliced-jpeg" in capsys.readouterr().out
    lines = list(read_lines(out).values())
    assert len(lines) == 2 * 5
    assert not any(line["error"] for line in lines)
    assert {line["traits"]["cell.grid"] for line in lines} == {"on", "off"}
    assert len({line["group"] for line in lines}) > 2


def test_nothing_to_measure_and_bad_manifests_are_said_so(tmp_path, capsys):
    assert harness(["--out", str(tmp_path / "out")]) == 2
    (tmp_path / "bad.csv").write_text("file\nx.png\n")
    assert harness([str(tmp_path / "bad.csv"), "--out", str(tmp_path / "out")]) == 2
    assert "image and label" in capsys.readouterr().err
    assert harness([str(tmp_path / "none.csv"), "--out", str(tmp_path / "out")]) == 2
    (tmp_path / "worse.csv").write_text("image,label,recipe\nx.png,tampered,none.json\n")
    with pytest.raises(DocumentError, match="not a recipe"):
        read_manifest(tmp_path / "worse.csv")


@pytest.mark.parametrize("seed", range(4))
def test_formulas_are_those_of_others(seed):
    rng = np.random.default_rng(seed)
    scores, positive = np.round(rng.random(40), 1), rng.random(40) < 0.4
    assert formulas.area_under_curve(scores, positive) == pytest.approx(roc_auc_score(positive, scores))
    assert formulas.area_under_curve(scores, positive) == pytest.approx(evaluation.auc(scores, positive))
    assert formulas.rate_at(scores, positive, 0.1) == pytest.approx(evaluation.tpr_at(scores, positive, 0.1))
    false, true = formulas.curve(scores, positive)
    assert np.trapezoid(true, false) == pytest.approx(formulas.area_under_curve(scores, positive))
    heat, truth = rng.integers(0, 256, (20, 30)).astype(np.uint8), rng.random((20, 30)) < 0.3
    best, level = formulas.best_threshold(heat, truth)
    assert best == pytest.approx(max(evaluation.f1_iou(heat >= t, truth)[0] for t in range(256)))
    assert evaluation.f1_iou(heat >= level, truth)[0] == pytest.approx(best)
    claimed = heat > 127
    assert formulas.overlap(claimed, truth)["mcc"] == pytest.approx(
        matthews_corrcoef(truth.ravel(), claimed.ravel())
    )
    assert (formulas.overlap(claimed, truth)["f1"], formulas.overlap(claimed, truth)["iou"]) == pytest.approx(
        evaluation.f1_iou(claimed, truth)
    )


def test_intervals_are_those_of_the_literature():
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    assert formulas.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert formulas.wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert formulas.wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert all(math.isnan(v) for v in formulas.wilson(0, 0))
    rng = np.random.default_rng(1)
    positive = np.arange(60) % 2 == 0
    scores = rng.normal(0, 1, 60) + positive
    groups = [str(i // 2) for i in range(60)]
    low, high = formulas.area_interval(scores, positive, groups)
    area = formulas.area_under_curve(scores, positive)
    assert low < area < high
    assert 0.1 < high - low < 0.4
    assert all(math.isnan(v) for v in formulas.area_interval(scores, positive, ["one"] * 60))


def test_degenerate_masks_have_figures():
    none, every = np.zeros((4, 4), bool), np.ones((4, 4), bool)
    assert formulas.overlap(none, none) == {"f1": 1.0, "iou": 1.0, "mcc": 0.0}
    assert formulas.overlap(none, every) == {"f1": 0.0, "iou": 0.0, "mcc": 0.0}
    assert formulas.overlap(every, every)["f1"] == 1.0
    assert formulas.best_threshold(np.zeros((4, 4), np.uint8), every) == (1.0, 0)
    assert math.isnan(formulas.area_under_curve(np.ones(3), np.ones(3, bool)))
    assert math.isnan(formulas.rate_at(np.ones(3), np.zeros(3, bool), 0.01))
