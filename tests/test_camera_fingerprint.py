"""Learning a camera, finding it again, and what is refused."""

import multiprocessing

import numpy as np
import pytest

from forensix.detectors.camera._weights import _ratios, weight_of_evidence
from forensix.detectors.camera.fingerprint import CameraFingerprint, source_of
from forensix.detectors.camera.matching import DECISION, match, match_all, plausible_scales, resemblance
from forensix.detectors.camera.store import CameraStore, load_fingerprint, save_fingerprint
from forensix.errors import CameraError, EvidenceError, ParameterError
from forensix.evidence import open_evidence
from forensix.signal.sensor_noise import sensor_noise, weighted_light
from tests.cameras import SHAPE, developed, jpeg, pattern, scene, wall


@pytest.fixture(scope="module")
def one():
    return CameraFingerprint("one").partial_fit(wall(seed, 1) for seed in range(6))


@pytest.fixture(scope="module")
def two():
    return CameraFingerprint("two").partial_fit([wall(seed, 2) for seed in range(10, 16)])


def test_the_estimate_is_the_maximum_likelihood_one_in_any_portions(one):
    photos = [open_evidence(wall(seed, 1)) for seed in range(6)]
    light = [weighted_light(photo.luma).astype(float) for photo in photos]
    noise = [sensor_noise(photo.luma).astype(float) for photo in photos]
    expected = sum(w * i for w, i in zip(noise, light, strict=True)) / (sum(i * i for i in light) + 1)
    np.testing.assert_allclose(one.estimate(), expected, rtol=1e-4, atol=1e-7)
    again = CameraFingerprint().partial_fit(photos[0]).partial_fit(photos[1:4]).partial_fit(photos[4:])
    np.testing.assert_array_equal(again.estimate(), one.estimate())
    assert np.corrcoef(one.pattern.ravel(), pattern(1).ravel())[0, 1] > 0.8
    assert len(one.photos) == 6 and one.shape == SHAPE


def test_fit_forgets(one):
    camera = CameraFingerprint("x").fit([wall(0, 2)])
    assert camera.pattern is camera.pattern
    camera.fit(wall(1, 1))
    assert len(camera.photos) == 1 and camera.name == "x"
    assert np.corrcoef(camera.pattern.ravel(), one.pattern.ravel())[0, 1] > 0.3


def test_its_own_photos_match_and_others_do_not(one, two):
    photo = scene(3, 1)
    assert one.score(photo) > 4 * DECISION
    own = match(photo, one)
    assert (own.label, own.offset, own.scale, own.turned) == ("match", (0, 0), 1.0, 0)
    other = match(photo, two)
    assert other.label != "match" and other.pce < DECISION / 2 and other.log10_lr < own.log10_lr
    ranked = match_all(photo, [two, one])
    assert [found.camera for found in ranked] == ["one", "two"]
    assert match(scene(3, None), one).label != "match"


def test_a_crop_is_found_where_it_was_cut(one):
    cut = scene(4, 1)[37:157, 51:201]
    found = match(cut, one)
    assert (found.label, found.offset) == ("match", (37, 51))
    assert match(scene(4, 2)[37:157, 51:201], one).label != "match"


@pytest.mark.parametrize("turned", [1, 2, 3])
def test_a_turned_photo_is_found_and_said(one, turned):
    found = match(np.ascontiguousarray(np.rot90(scene(5, 1), -turned)), one)
    assert (found.label, found.turned) == ("match", turned)
    assert "turn" in found.notes[0]


def test_a_resized_photo_is_found_at_its_scale(one):
    import cv2

    small = cv2.resize(scene(6, 1, strength=0.08), (192, 144), interpolation=cv2.INTER_AREA)
    strong = CameraFingerprint().partial_fit(wall(seed, 1, strength=0.08) for seed in range(6))
    found = match(small, strong)
    assert found.label == "match" and found.scale == pytest.approx(0.75)
    assert match(small, strong, scales=[0.75]).pce == pytest.approx(found.pce)
    assert match(small, strong, scales=[1.0]).label != "match"
    with pytest.raises(ParameterError, match="scales"):
        match(small, strong, scales=[9.0])


def test_scales_worth_trying():
    assert plausible_scales(2000, 3000, (2000, 3000)) == (1.0,)
    assert plausible_scales(1000, 1500, (2000, 3000)) == (1.0, 0.5)
    assert plausible_scales(1000, 1000, (2000, 3000)) == (1.0, 1 / 3, 0.5)
    assert plausible_scales(20, 30, (2000, 3000)) == (1.0,)


def test_a_photo_larger_than_any_of_the_camera_is_no_error(one):
    found = match(np.random.RandomState(1).randint(0, 250, (1000, 300, 3), np.uint8), one)
    assert found.label == "inconclusive" and (found.pce, found.log10_lr, found.offset) == (0, 0, None)
    assert "fits" in found.notes[0]


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (np.full((*SHAPE, 3), 255, np.uint8), "blown out: 100% of its pixels are saturated"),
        (np.full((*SHAPE, 3), 3, np.uint8), "under-exposed: 100% of its pixels are black"),
        (np.full((*SHAPE, 3), 128, np.uint8), "no noise"),
        (wall(1, 1)[:, :200], "200 x 192, the photos of one are 256 x 192"),
        (np.ascontiguousarray(wall(1, 1).transpose(1, 0, 2)), "lying on its side"),
        (wall(2, 1), "enrolled for one already"),
        (wall(2, 1)[:60, :70], "at least 64 pixels|the photos of one"),
    ],
)
def test_what_cannot_be_learned_is_refused_and_leaves_no_trace(one, photo, words):
    before = one.estimate()
    with pytest.raises(CameraError, match=words):
        one.partial_fit(photo)
    assert len(one.photos) == 6
    np.testing.assert_array_equal(one.estimate(), before)


def test_small_dark_and_unreadable_first_photos_are_refused_too():
    for photo, error in [(wall(2, 1)[:60, :70], CameraError), (b"text", EvidenceError), (7, CameraError)]:
        camera = CameraFingerprint()
        with pytest.raises(error):
            camera.partial_fit(photo)
        assert camera.shape is None
    with pytest.raises(CameraError, match="not learned"):
        CameraFingerprint("new").score(wall(1, 1))
    with pytest.raises(CameraError, match="blown out"):
        match(np.full((100, 100, 3), 254, np.uint8), CameraFingerprint().partial_fit(wall(1, 1)))


def test_the_same_picture_in_another_file_is_no_new_photo():
    content = jpeg(wall(1, 1), make="Maker")
    camera = CameraFingerprint("one").partial_fit(content)
    with pytest.raises(CameraError, match="already"):
        camera.partial_fit(content + b"\x00")


def test_photos_of_two_bodies_are_not_mixed():
    camera = CameraFingerprint("one").partial_fit(jpeg(wall(1, 1), make="Maker", model="M 1", serial="007"))
    assert (camera.make, camera.model, camera.serial) == ("Maker", "M 1", "007")
    camera.partial_fit(jpeg(wall(2, 1), make="Maker", model="M 1", software="2.0"))
    for exif in ({"make": "Other"}, {"model": "M 2"}, {"serial": "008"}):
        with pytest.raises(CameraError, match="is of"):
            camera.partial_fit(jpeg(wall(3, 1), **exif))
    assert sorted(camera.pipelines) == ["jpeg 256 x 192 2x2/1x1/1x1", "jpeg 256 x 192 2x2/1x1/1x1, 2.0"]


def test_what_a_file_says_of_its_camera():
    source = source_of(open_evidence(jpeg(wall(1, 1), make=" Maker \n", software="x")))
    assert (source.make, source.model, source.serial) == ("Maker", None, None)
    assert source_of(open_evidence(wall(1, 1))).pipeline == "array 256 x 192"


def test_marks_that_repeat_are_no_match():
    """A pattern that repeats over the sensor gives many peaks, not one."""
    tile = np.random.RandomState(7).normal(0, 0.05, (64, 64))
    mark = np.tile(tile, (3, 4))

    def photo(seed):
        generator = np.random.RandomState(seed)
        return developed(120 * (1 + mark) + 5 * generator.uniform(-1, 1), generator, None)

    camera = CameraFingerprint("tiled").partial_fit(photo(seed) for seed in range(5))
    found = match(photo(9)[10:120, 20:180], camera)
    assert found.label == "inconclusive" and found.log10_lr <= 0.3
    assert any("several" in note for note in found.notes) or found.pce < DECISION


def test_a_mark_that_two_cameras_share_lowers_the_claim(one):
    twin = CameraFingerprint("twin").partial_fit(wall(seed, 1) for seed in range(20, 26))
    both = match_all(scene(3, 1), [one, twin])
    assert [found.label for found in both] == ["inconclusive"] * 2
    assert all(found.log10_lr <= 0.3 for found in both) and "both match" in both[0].notes[-1]
    one.serial = twin.serial = "1"
    assert [found.label for found in match_all(scene(3, 1), [one, twin])] == ["match"] * 2
    one.serial = twin.serial = None
    assert resemblance(one, twin) > DECISION
    assert resemblance(one, CameraFingerprint().partial_fit(wall(1, 1, shape=(100, 100)))) is None


def test_the_weight_of_evidence_rises_and_is_bounded():
    for usable in (10, 5e3, 2.5e5, 1e7, 1e9):
        weights = [weight_of_evidence(pce, usable) for pce in (-1e6, 0, 5, 20, 45, 60, 200, 1e6)]
        assert weights == sorted(weights) and max(map(abs, weights)) < 4
    assert weight_of_evidence(1e6, 5e6) > 1.5 and weight_of_evidence(0, 5e6) < -0.5
    assert abs(weight_of_evidence(0, 100)) < abs(weight_of_evidence(0, 5e6))
    assert weight_of_evidence(0, 1) == 0
    assert all(np.isfinite(_ratios()[1]).ravel())


@pytest.fixture
def store(tmp_path):
    return CameraStore(tmp_path / "cameras")


def test_a_store_gives_back_what_was_learned(store, one):
    with store.editing("one") as camera:
        camera.partial_fit(wall(seed, 1) for seed in range(3))
    with store.editing("one") as camera:
        camera.partial_fit(wall(seed, 1) for seed in range(3, 6))
    again = store.load("one")
    np.testing.assert_array_equal(again.pattern, one.pattern)
    assert again.photos == one.photos and again.pipelines == one.pipelines
    assert store.names() == ("one",)


def test_what_was_learned_before_an_error_is_kept(store):
    with pytest.raises(CameraError), store.editing("one") as camera:
        camera.partial_fit([wall(1, 1), wall(1, 1)])
    assert len(store.load("one").photos) == 1
    with pytest.raises(CameraError), store.editing("none") as camera:
        camera.partial_fit(wall(1, 1)[:5])
    assert store.names() == ("one",)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_file_cut_short_is_noticed(tmp_path, one, share):
    path = tmp_path / "one.npz"
    save_fingerprint(one, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CameraError, match=r"one\.npz is no fingerprint"):
        load_fingerprint(path)


def test_a_changed_file_is_noticed_wherever_it_was_changed(tmp_path, one):
    path = tmp_path / "one.npz"
    save_fingerprint(one, path)
    content = path.read_bytes()
    for at in range(0, len(content), len(content) // 40):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        try:
            found = load_fingerprint(path)
        except CameraError:
            continue
        np.testing.assert_array_equal(found.weighted, one.weighted)  # what the zip format does not read


def test_other_arrays_and_other_content_are_no_fingerprint(tmp_path, one):
    path = tmp_path / "one.npz"
    np.savez(path, weighted=np.zeros(3))
    with pytest.raises(CameraError, match="other arrays"):
        load_fingerprint(path)
    save_fingerprint(one, path)
    with np.load(path) as whole:
        arrays = dict(whole)
    arrays["weighted"] = arrays["weighted"] * np.float32(2)
    np.savez(path, **arrays)
    with pytest.raises(CameraError, match="hash"):
        load_fingerprint(path)
    np.savez(path, **{**arrays, "weighted": np.array(["x"], object)})
    with pytest.raises(CameraError):
        load_fingerprint(path)
    with pytest.raises(CameraError, match="not learned"):
        save_fingerprint(CameraFingerprint("new"), path)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a" * 101, "x\n", "end."])
def test_names_that_no_file_can_have(store, name):
    with pytest.raises(CameraError, match="name"):
        store.path(name)


def test_a_store_or_camera_that_is_not_there(store, one):
    with pytest.raises(CameraError, match="no store"):
        store.names()
    with store.editing("one") as camera:
        camera.partial_fit(wall(1, 1))
    with pytest.raises(CameraError, match=r"no camera is called 'two'.*there are: one"):
        store.load("two")


def _enrol(folder, seeds):
    for seed in seeds:
        with CameraStore(folder).editing("one") as camera:
            camera.partial_fit(wall(seed, 1))


def test_two_processes_that_write_at_once_lose_nothing(store):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_enrol, args=(store.folder, seeds)) for seeds in ([1, 2, 3], [4, 5, 6])]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    known = store.load("one")
    assert len(known.photos) == 6
    expected = CameraFingerprint().partial_fit(wall(seed, 1) for seed in range(1, 7))
    np.testing.assert_allclose(known.estimate(), expected.estimate(), rtol=1e-3, atol=1e-6)
    assert not list(store.folder.glob("*.partial"))


def test_cameras_that_resemble_each_other_are_recorded_with_both(store):
    for name, seeds, camera in [("a", (1, 2, 3), 1), ("b", (4, 5, 6), 1), ("c", (7, 8, 9), 2)]:
        with store.editing(name) as known:
            known.partial_fit(wall(seed, camera) for seed in seeds)
        store.compare(name)
    assert set(store.load("a").shared) == {"b"} and set(store.load("b").shared) == {"a"}
    assert store.load("c").shared == {}
