"""Parts of a photo without its camera's pattern: found in a made-up camera, silent elsewhere."""

import json

import numpy as np
import pytest

import forensix
from forensix import cli
from forensix.detectors.camera import prnu
from forensix.detectors.camera._pattern_windows import (
    CELL,
    cell_sums,
    missing_windows,
    predicted_gain,
)
from forensix.detectors.camera._window_verdict import verdict, window_sums
from forensix.detectors.camera.fingerprint import CameraFingerprint
from forensix.detectors.camera.store import save_fingerprint
from forensix.errors import NotApplicable, ParameterError
from forensix.signal.sensor_noise import sensor_noise
from tests.cameras import jpeg, scene, wall

SHAPE = (512, 640)
BOX = (144, 208, 256, 256)


@pytest.fixture(scope="module")
def camera():
    return CameraFingerprint("one").partial_fit(wall(seed, 1, shape=SHAPE) for seed in range(6))


def inside(box=BOX, shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[box[0] : box[0] + box[2], box[1] : box[1] + box[3]] = True
    return mask


def pasted(seed, box=BOX):
    """A photo of camera 1 with a part of a photo of camera 2."""
    photo = scene(seed, 1, shape=SHAPE)
    photo[inside(box)] = scene(seed + 50, 2, shape=SHAPE)[inside(box)]
    return photo


def f1(found, truth):
    return 2 * np.count_nonzero(found & truth) / (np.count_nonzero(found) + np.count_nonzero(truth))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_paste_is_found_after_jpeg(camera, seed):
    finding = prnu.detect(forensix.open(jpeg(pasted(seed), 90)), camera=camera)
    assert finding.score > 0.5
    found = np.nan_to_num(finding.heatmap.full_size(*SHAPE)) > 0.5
    assert f1(found, inside()) > 0.85
    assert finding.regions[0].role == "tampered" and "missing from" in finding.explanation
    json.dumps(finding.to_dict(), allow_nan=False)


@pytest.mark.parametrize("seed", range(3, 7))
def test_an_untouched_photo_stays_dark(camera, seed):
    finding = prnu.detect(forensix.open(jpeg(scene(seed, 1, shape=SHAPE), 90)), camera=camera)
    assert finding.score < 0.5 and not finding.regions
    assert np.nanmax(finding.heatmap.values) <= 0.5
    assert "nowhere" in finding.explanation


def test_a_crop_and_a_turned_photo_are_laid_over_the_fingerprint(camera):
    cut = pasted(8)[21:490, 33:620]
    for photo, truth in [
        (cut, inside()[21:490, 33:620]),
        (np.ascontiguousarray(np.rot90(pasted(8))), np.rot90(inside())),
    ]:
        finding = prnu.detect(forensix.open(photo), camera=camera)
        assert finding.score > 0.5
        assert f1(np.nan_to_num(finding.heatmap.full_size(*truth.shape)) > 0.5, truth) > 0.8


def test_without_a_fingerprint_it_does_not_apply(camera):
    with pytest.raises(NotApplicable, match="--camera"):
        prnu.detect(forensix.open(scene(1, 1)))
    finding = next(
        f for f in forensix.scan(scene(1, 1), detectors=["prnu-local"]).findings if f.detector == "prnu-local"
    )
    assert finding.status == "not-applicable"


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (np.full((*SHAPE, 3), 255, np.uint8), "blown out"),
        (np.full((*SHAPE, 3), 2, np.uint8), "under-exposed"),
        (scene(1, 1)[:100], "at least 128"),
        (np.zeros((1, 500, 3), np.uint8), "at least 128"),
    ],
)
def test_what_cannot_be_judged_does_not_apply(camera, photo, words):
    with pytest.raises(NotApplicable, match=words):
        prnu.detect(forensix.open(photo), camera=camera)


@pytest.mark.parametrize(
    "photo",
    [
        scene(1, 2, shape=SHAPE),
        np.random.RandomState(0).randint(0, 240, (*SHAPE, 3), np.uint8),
        (np.indices(SHAPE).sum(axis=0) % 2 * 200).astype(np.uint8),
        np.full(SHAPE, 120, np.uint8),
    ],
)
def test_a_photo_of_no_or_another_camera_gets_no_score(camera, photo):
    finding = prnu.detect(forensix.open(photo), camera=camera)
    assert finding.score is None and finding.heatmap is None
    assert "does not match" in finding.explanation


def test_sums_of_windows_are_sums():
    values = np.random.RandomState(1).normal(0, 1, (9, 11))
    sums = window_sums(values, 4)
    assert sums.shape == (6, 8)
    assert sums[2, 3] == pytest.approx(values[2:6, 3:7].sum())
    np.testing.assert_allclose(window_sums(values, 1), values)


def test_sums_over_cells_agree_with_a_plain_statement():
    generator = np.random.RandomState(2)
    noise, pattern = generator.normal(0, 1, (2, 50, 70)).astype(np.float32)
    light = generator.uniform(50, 200, (50, 70)).astype(np.float32)
    cells = cell_sums(noise, light, pattern)  # of this light, all is trusted
    wide = np.pad(noise.astype(float), 16, mode="symmetric")
    variance = (
        np.array([[np.mean(wide[r : r + 33, c : c + 33] ** 2) for c in range(70)] for r in range(50)]) + 0.02
    )
    assert cells.found.shape == (3, 4)
    for r, c in [(0, 0), (2, 3)]:
        part = np.s_[r * CELL : (r + 1) * CELL, c * CELL : (c + 1) * CELL]
        assert cells.found[r, c] == pytest.approx(
            np.sum((noise * light * pattern / variance)[part]), rel=1e-3, abs=1e-2
        )
        assert cells.expected[r, c] == pytest.approx(
            np.sum(((light * pattern) ** 2 / variance)[part]), rel=1e-3
        )
        away = np.roll(pattern, (40, 72), axis=(0, 1))
        assert cells.strays[0, r, c] == pytest.approx(
            np.sum((noise * light * away / variance)[part]), rel=1e-3, abs=1e-2
        )


def test_the_predictor_learns_where_the_pattern_is_weaker(camera):
    """In textured parts the denoiser keeps less of the pattern; the predictor must not call that missing."""
    photo = scene(9, 1, shape=SHAPE).astype(float)
    texture = np.random.RandomState(3).normal(0, 9, SHAPE)
    texture[:, :320] = 0
    photo = np.clip(photo + texture[:, :, None], 0, 255).astype(np.uint8)
    luma = forensix.open(photo).luma
    cells = cell_sums(sensor_noise(luma), luma, camera.pattern)
    gain = predicted_gain(cells)
    assert (gain >= 0).all()
    outcome = verdict(missing_windows(cells, gain), gain.shape, decision=-2.0)
    assert not outcome.decided.any()


def test_no_window_that_could_tell_is_no_verdict():
    cells = cell_sums(*np.random.RandomState(4).normal(0, 1e-3, (3, 160, 160)).astype(np.float32))
    outcome = verdict(missing_windows(cells, predicted_gain(cells)), (10, 10), decision=-2.0)
    assert outcome.false_alarms is None or outcome.false_alarms > -2
    assert not outcome.decided.any()


@pytest.fixture(scope="module")
def whole_folder(tmp_path_factory, camera):
    place = tmp_path_factory.mktemp("scan")
    (place / "store").mkdir()
    save_fingerprint(camera, place / "store" / "one.npz")
    (place / "pasted.jpg").write_bytes(jpeg(pasted(1), 90))
    (place / "calm.jpg").write_bytes(jpeg(scene(3, 1, shape=SHAPE), 90))
    return place


@pytest.fixture
def folder(whole_folder, monkeypatch):
    monkeypatch.chdir(whole_folder)
    return whole_folder


def test_a_scan_is_given_the_fingerprint_in_one_process_and_in_several(folder, capfd):
    words = [
        "scan",
        "pasted.jpg",
        "calm.jpg",
        "-d",
        "prnu-local",
        "--camera",
        "one",
        "--store",
        "store",
        "-q",
    ]
    answers = []
    for jobs in ("1", "2"):
        assert cli.main([*words, "--format", "json", "--jobs", jobs]) == 0
        answers.append(json.loads(capfd.readouterr().out))
    scores = [[document["findings"][0]["score"] for document in answer] for answer in answers]
    assert scores[0] == scores[1] and scores[0][0] > 0.5 > scores[0][1]
    assert answers[0][0]["tool"]["config"]["camera"] == "one"
    assert answers[0][0]["conclusions"]["integrity"]["label"] == "inconsistent"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--camera", "one"], "go together"),
        (["--store", "store"], "go together"),
        (["--camera", "two", "--store", "store"], "no camera is called 'two'"),
        (["--camera", "one", "--store", "nowhere"], "no store"),
        (["--camera", "cut", "--store", "store"], "cut.npz"),
    ],
)
def test_a_fingerprint_that_is_not_there_is_wrong_use(folder, capfd, words, complaint):
    (folder / "store" / "cut.npz").write_bytes((folder / "store" / "one.npz").read_bytes()[:999])
    assert cli.main(["scan", "calm.jpg", *words]) == 2
    out, err = capfd.readouterr()
    assert out == "" and complaint in err


def test_the_library_reads_a_fingerprint_s_file_for_a_batch(folder):
    from forensix.batch import scan_many

    (result,) = scan_many(["pasted.jpg"], detectors=["prnu-local"], camera=folder / "store" / "one.npz")
    assert result.findings[0].score > 0.5
    with pytest.raises(ParameterError):
        list(scan_many(["pasted.jpg"], detectors=["prnu"]))
