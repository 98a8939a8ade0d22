"""Many files: what one of them does must not touch the others."""

import multiprocessing
import os

import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.batch import scan_many
from forensix.errors import ParameterError, WorkerDied
from forensix.fusion.maps import grey_map
from forensix.mapfiles import write_maps, write_whole
from forensix.workers import run_tasks
from tests import fake_methods
from tests.fake_methods import CALM, DEADLY, FORGED, picture
from tests.obedient import obey


@pytest.fixture(autouse=True)
def small_registry(monkeypatch):
    fake_methods.install(monkeypatch.setitem, monkeypatch.setattr)


@pytest.fixture
def same_in_workers(monkeypatch, tmp_path_factory):
    """Worker processes start with the made-up methods, too."""
    folder = tmp_path_factory.mktemp("site")
    monkeypatch.setenv("PYTHONPATH", fake_methods.environment(folder)["PYTHONPATH"])


def test_a_death_costs_one_task():
    words = ["a", "killed", "b", "crash", "c", "killed", "d"]
    done = list(run_tasks(obey, words, workers=2))
    assert sorted(task for task, _ in done) == sorted(words)
    for task, outcome in done:
        if task in ("killed", "crash"):
            assert isinstance(outcome, WorkerDied)
            assert ("SIGKILL" if task == "killed" else "SIGSEGV") in str(outcome)
        else:
            assert outcome == task.upper()
    assert not multiprocessing.active_children()


def test_tasks_are_taken_only_as_workers_get_free():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield "a"

    stream = run_tasks(obey, endless(), workers=2)
    for _ in range(3):
        next(stream)
    assert len(taken) <= 5
    stream.close()
    assert not multiprocessing.active_children()


def test_workers_compute_with_one_thread_each():
    [(_, limits)] = run_tasks(obey, ["threads"], workers=1)
    assert set(limits.values()) == {"1"}
    assert os.environ.get("NUMBA_NUM_THREADS") != "1"


def test_no_tasks_are_no_work():
    assert list(run_tasks(obey, [], workers=2)) == []


def without_times(result):
    document = result.to_dict()
    for part in [document, *document["findings"]]:
        part["seconds"] = 0
    document["started"] = ""
    return document


def test_one_process_and_several_give_the_same_documents_and_maps(tmp_path, same_in_workers):
    paths = [picture(tmp_path / f"{n}.png", red, seed=n) for n, red in enumerate([CALM, FORGED, CALM])]
    paths.append(tmp_path / "none.png")
    alone = list(scan_many(paths, maps=tmp_path / "alone"))
    assert [r.path for r in alone] == [str(p) for p in paths]
    crew = sorted(scan_many(paths, jobs=2, maps=tmp_path / "crew"), key=lambda r: str(r.path))
    assert [without_times(r) for r in crew] == [without_times(r) for r in alone]
    names = sorted(os.listdir(tmp_path / "alone"))
    assert len(names) == 9 and names == sorted(os.listdir(tmp_path / "crew"))
    for name in names:
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "crew" / name).read_bytes()


def test_a_scan_that_kills_its_worker_is_one_error_record(tmp_path, same_in_workers):
    reds = {"calm.png": CALM, "deadly.png": DEADLY, "other.png": CALM}
    paths = [picture(tmp_path / name, red) for name, red in reds.items()]
    results = {os.path.basename(r.path): r for r in scan_many(paths, jobs=2)}
    assert {name: r.status for name, r in results.items()} == {
        "calm.png": "ok", "deadly.png": "error", "other.png": "ok"
    }  # fmt: skip
    assert results["deadly.png"].error["type"] == "WorkerDied"
    assert "SIGSEGV" in results["deadly.png"].error["message"]


def test_results_are_those_of_scan_without_the_arrays(tmp_path):
    path = picture(tmp_path / "forged.png", FORGED)
    [result] = scan_many([path])
    single = forensix.scan(path)
    assert without_times(result) == without_times(single)
    assert single.heatmaps and not result.heatmaps
    assert all(finding.heatmap is None for finding in result.findings)


@pytest.mark.parametrize("name", ["missing.png", "", "a\0b", ".", "empty.jpg", "text.jpg"])
def test_what_cannot_be_read_is_a_record(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("this is a text\n" * 20)
    good = picture(tmp_path / "good.png")
    record, result = scan_many([name, good])
    assert (record.status, result.status) == ("error", "ok")
    assert record.path == name and record.error["message"]
    assert not record.findings and not record.maps


def test_settings_are_refused_before_any_file(tmp_path):
    for options in ({"preset": "slow"}, {"detectors": ["ela"]}, {"device": "tpu"}, {"jobs": -1}):
        with pytest.raises(ParameterError):
            list(scan_many([picture(tmp_path / "a.png")], **options))
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        list(scan_many([], maps=tmp_path / "file"))


def test_maps_are_full_size_on_the_absolute_scale(tmp_path):
    calm = forensix.scan(picture(tmp_path / "calm.png", CALM))
    forged = forensix.scan(picture(tmp_path / "forged.png", FORGED, rows=50, cols=67))
    maps = {}
    for result in (calm, forged):
        written = write_maps(result, tmp_path / "maps")
        stem = f"{os.path.basename(result.path)[:-4]}.{result.evidence['sha256'][:8]}"
        assert written.maps == {n: f"{stem}.{n}.png" for n in ("fused", "mask", "patch")}
        for name, filename in written.maps.items():
            with Image.open(tmp_path / "maps" / filename) as image:
                assert (image.mode, image.size) == (
                    "L",
                    (result.evidence["width"], result.evidence["height"]),
                )
                maps[result is forged, name] = np.asarray(image)
    assert maps[False, "fused"].max() <= 127 and not maps[False, "mask"].any()
    heatmap = forged.heatmaps["patch"]
    np.testing.assert_array_equal(maps[True, "patch"], grey_map(heatmap, 50, 67))
    np.testing.assert_array_equal(maps[True, "mask"], np.where(heatmap.full_size(50, 67) > 0.5, 255, 0))
    assert sorted(p.suffix for p in (tmp_path / "maps").iterdir()) == [".png"] * 6


def test_two_files_of_one_name_keep_their_maps_apart(tmp_path):
    for folder, seed in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        picture(tmp_path / folder / "photo.png", seed=seed)
    results = list(scan_many([tmp_path / "a/photo.png", tmp_path / "b/photo.png"], maps=tmp_path / "maps"))
    assert len({r.maps["fused"] for r in results}) == 2
    assert len(list((tmp_path / "maps").iterdir())) == 6


def test_an_error_has_no_maps(tmp_path):
    [record] = scan_many([tmp_path / "none.png"], maps=tmp_path / "maps")
    assert write_maps(record, tmp_path / "maps") == record
    assert not record.maps and not list((tmp_path / "maps").iterdir())


def test_a_file_that_cannot_be_finished_leaves_nothing(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "taken", b"content")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]
