"""Fingerprints of generators: learned, kept, matched, and unknown where they should be."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from skimage import data

from forensix.cli import main
from forensix.detectors.synthetic.generator_fingerprint import DECISION, GeneratorFingerprint, residual
from forensix.errors import FingerprintError, ParameterError
from tests.reference.local_wiener import wiener_residual

SIDE = 160


def contents(number):
    """Different content each time: crops of photos, turned and mirrored."""
    photo = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()][number % 4]
    rng = np.random.default_rng(number)
    top, left = rng.integers(0, photo.shape[0] - SIDE), rng.integers(0, photo.shape[1] - SIDE)
    return np.rot90(photo[top : top + SIDE, left : left + SIDE], number % 3).astype(float)


def picture(number, pattern):
    grain = np.random.default_rng(1000 + number).normal(0, 1, (SIDE, SIDE, 3))
    return np.clip(contents(number) + grain + pattern[..., None], 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def patterns():
    rng = np.random.default_rng(0)
    return {name: rng.normal(0, 1.0, (SIDE, SIDE)) for name in ("one", "other")}


def test_own_pictures_stand_out_and_others_do_not(patterns):
    known = GeneratorFingerprint().fit(picture(n, patterns["one"]) for n in range(10))
    own = [known.score(picture(n, patterns["one"])) for n in range(20, 24)]
    other = [known.score(picture(n, patterns["other"])) for n in range(20, 24)]
    photos = [known.score(picture(n, 0 * patterns["one"])) for n in range(20, 24)]
    assert min(own) > DECISION
    assert max(np.abs([*other, *photos])) < DECISION
    moved = np.roll(picture(20, patterns["one"]), 5, axis=1)
    assert abs(known.score(moved)) < DECISION


def test_residual_against_the_reference():
    image = contents(1).astype(np.uint8)
    inner = np.s_[4:-4, 4:-4]
    np.testing.assert_allclose(residual(image)[inner], wiener_residual(image)[inner], atol=2e-2)


def test_saved_and_loaded_it_is_the_same(tmp_path, patterns):
    known = GeneratorFingerprint().fit(picture(n, patterns["one"]) for n in range(4))
    known.save(tmp_path / "a.npz")
    again = GeneratorFingerprint.load(tmp_path / "a.npz")
    assert (again.count_, again.size_) == (4, (SIDE, SIDE))
    assert again.score(picture(30, patterns["one"])) == pytest.approx(
        known.score(picture(30, patterns["one"])), rel=0.01
    )
    again.partial_fit(picture(31, patterns["one"]))
    assert again.count_ == 5


def test_what_cannot_be_learned_is_refused(tmp_path):
    known = GeneratorFingerprint()
    with pytest.raises(ParameterError, match="no picture"):
        known.score(np.zeros((SIDE, SIDE, 3), np.uint8))
    with pytest.raises(ParameterError, match="flat"):
        known.partial_fit(np.full((SIDE, SIDE, 3), 9, np.uint8))
    with pytest.raises(ParameterError, match="at least"):
        known.partial_fit(np.zeros((10, 500, 3), np.uint8))
    known.partial_fit(contents(0).astype(np.uint8))
    with pytest.raises(ParameterError, match="one size"):
        known.partial_fit(contents(0).astype(np.uint8)[:100])
    assert known.score(contents(0).astype(np.uint8)[:100]) == 0
    assert known.score(np.full((SIDE, SIDE, 3), 200, np.uint8)) == 0
    with pytest.raises(ParameterError, match="seen this picture before"):
        known.partial_fit(contents(0).astype(np.uint8))
    assert known.count_ == 1


def test_a_file_that_is_not_whole_is_refused(tmp_path, patterns):
    path = tmp_path / "a.npz"
    path.write_bytes(b"not a zip")
    with pytest.raises(FingerprintError, match="no fingerprint of a generator"):
        GeneratorFingerprint.load(path)
    GeneratorFingerprint().fit(picture(n, patterns["one"]) for n in range(3)).save(path)
    whole = path.read_bytes()
    for cut in (10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(FingerprintError, match="cut short"):
            GeneratorFingerprint.load(path)
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    with pytest.raises(FingerprintError):
        GeneratorFingerprint.load(path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(FingerprintError, match="other arrays"):
        GeneratorFingerprint.load(path)


def test_two_processes_that_learn_one_generator_lose_nothing(tmp_path, patterns):
    for n in range(8):
        Image.fromarray(picture(n, patterns["one"])).save(tmp_path / f"{n}.png")
    command = [sys.executable, "-m", "forensix", "generator", "enroll", "one", "--store", str(tmp_path / "s")]
    halves = [[str(tmp_path / f"{n}.png") for n in range(first, 8, 2)] for first in (0, 1)]
    running = [subprocess.Popen([*command, *half]) for half in halves]
    assert [process.wait(60) for process in running] == [0, 0]
    assert GeneratorFingerprint.load(tmp_path / "s" / "one.npz").count_ == 8
    assert not list((tmp_path / "s").glob("*.partial"))


def test_enroll_list_match(tmp_path, patterns, capsys):
    for n in range(8):
        Image.fromarray(picture(n, patterns["one"])).save(tmp_path / f"one{n}.png")
    Image.fromarray(picture(9, patterns["one"])).save(tmp_path / "suspect.png")
    Image.fromarray(picture(9, patterns["other"])).save(tmp_path / "unknown.png")
    store = ["--store", str(tmp_path / "store")]
    assert main(["generator", "match", str(tmp_path / "suspect.png"), *store]) == 2
    assert (
        main(["generator", "enroll", "one", *(str(tmp_path / f"one{n}.png") for n in range(8)), *store]) == 0
    )
    assert main(["generator", "list", *store]) == 0
    assert "one: 8 pictures of 160 x 160" in capsys.readouterr().out
    suspects = [str(tmp_path / name) for name in ("suspect.png", "unknown.png", "missing.png")]
    assert main(["generator", "match", *suspects, "--format", "json", *store]) == 3
    answers = json.loads(capsys.readouterr().out)
    assert [answer.get("generator") for answer in answers] == ["one", None, None]
    assert "error" in answers[2]


def test_enroll_refuses_names_and_too_few(tmp_path, patterns, capsys):
    Image.fromarray(picture(0, patterns["one"])).save(tmp_path / "a.png")
    store = ["--store", str(tmp_path / "store")]
    assert main(["generator", "enroll", "../one", str(tmp_path / "a.png"), *store]) == 2
    assert main(["generator", "enroll", "one", str(tmp_path / "a.png"), *store]) == 2
    assert "at least 3" in capsys.readouterr().err
    assert main(["generator", "enroll", "one", str(tmp_path / "none.png"), *store]) == 4
    assert not list((tmp_path / "store").glob("*.npz"))
