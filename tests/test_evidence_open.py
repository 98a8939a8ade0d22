"""Opening: sources, hashes, limits, refusals, and what the import costs."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forensix.errors import EvidenceError, EvidenceMissing, ForensixError, LimitExceeded, ParameterError
from forensix.evidence import Evidence, JpegData, frozen, open_evidence
from forensix.evidence.sniff import sniff
from tests.hostile import hostile_files, jpeg, png_of, resized_header, saved, scene

NAMES = [
    "with space.jpg",
    'quote".jpg',
    "line\nfeed.jpg",
    "Ünïcode.jpg",
    "-dash.jpg",
    ".hidden.jpg",
    "no extension",
]


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg())
    return path


@pytest.mark.parametrize("name", NAMES)
def test_names(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(jpeg())
    found = open_evidence(path)
    assert found.path == str(path)
    assert found.claimed_format == (None if name == "no extension" else "jpg")
    assert found.warnings == ()


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are a matter of Linux")
def test_a_name_that_is_not_utf8_survives(tmp_path):
    raw = os.path.join(os.fsencode(tmp_path), b"caf\xe9.jpg")
    Path(os.fsdecode(raw)).write_bytes(jpeg())

    class BytesPath:
        def __fspath__(self):
            return raw

    for source in (os.fsdecode(raw), BytesPath()):
        found = open_evidence(source)
        assert os.fsencode(found.path) == raw
        json.dumps(found.facts())


def test_hashes_and_size(photo):
    data = photo.read_bytes()
    found = open_evidence(str(photo))
    assert found.data == data
    assert found.size == len(data)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.md5 == hashlib.md5(data).hexdigest()


@pytest.mark.parametrize(
    "array", [scene(), scene(channels=1), scene().astype(np.uint16) * 257, (scene() / 255).astype(np.float32)]
)
def test_pixel_hash_is_what_the_docstring_says(array):
    shape = "x".join(map(str, array.shape))
    expected = hashlib.sha256(
        f"{array.dtype} {shape}\n".encode() + array.astype(array.dtype.newbyteorder("<")).tobytes()
    )
    assert open_evidence(array).pixel_sha256 == expected.hexdigest()
    assert open_evidence(array.astype(array.dtype.newbyteorder(">"))).pixel_sha256 == expected.hexdigest()
    assert open_evidence(np.asfortranarray(array)).pixel_sha256 == expected.hexdigest()


def test_pixel_hash_tells_shapes_and_types_apart():
    zeros = [
        np.zeros((4, 6), np.uint8),
        np.zeros((6, 4), np.uint8),
        np.zeros((2, 4, 3), np.uint8),
        np.zeros((4, 3), np.uint16),
    ]
    assert len({open_evidence(array).pixel_sha256 for array in zeros}) == 4


def test_content_of_any_bytes_like_type(photo):
    data = photo.read_bytes()
    for source in (data, bytearray(data), memoryview(data)):
        found = open_evidence(source)
        assert found.path is None
        assert type(found.data) is bytes
        assert found.data == data
        np.testing.assert_array_equal(found.pixels, open_evidence(photo).pixels)


def test_an_evidence_is_returned_as_it_is(photo):
    found = open_evidence(photo)
    assert open_evidence(found) is found


@pytest.mark.parametrize(
    ("array", "model", "depth"),
    [
        (scene(channels=1), "grey", 8),
        (scene(channels=1)[:, :, None], "grey", 8),
        (scene(channels=2), "grey-alpha", 8),
        (scene(channels=3)[::2, ::-1], "rgb", 8),
        (scene(channels=4), "rgba", 8),
        (scene().astype(np.uint16), "rgb", 16),
        (scene(channels=1) / 255, "grey", 32),
        (scene(channels=1) > 99, "grey", 8),
    ],
)
def test_arrays(array, model, depth):
    before = array.copy()
    found = open_evidence(array)
    assert (found.model, found.bit_depth, found.format, found.path) == (model, depth, "array", None)
    assert found.pixels.shape[:2] == found.luma.shape == array.shape[:2]
    assert found.size == len(found.data) == found.pixels.nbytes
    expected = array * np.uint8(255) if array.dtype == bool else np.squeeze(array)
    np.testing.assert_array_equal(found.pixels, expected.astype(found.pixels.dtype))
    array[...] = 0
    np.testing.assert_array_equal(
        found.pixels,
        (before * np.uint8(255) if array.dtype == bool else np.squeeze(before)).astype(found.pixels.dtype),
    )


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4), np.int64), np.zeros(5, np.uint8), np.zeros((2, 2, 5), np.uint8), np.zeros((0, 3), np.uint8),
              np.zeros((2, 2), complex), np.array(["a"])]
)  # fmt: skip
def test_arrays_that_are_no_images(array):
    with pytest.raises(ParameterError):
        open_evidence(array)


@pytest.mark.parametrize("source", [None, 7, ["a"], object()])
def test_sources_that_are_nothing(source):
    with pytest.raises(ParameterError, match="path, bytes or an array"):
        open_evidence(source)


def test_views_are_read_only(photo):
    found = open_evidence(photo)
    for view in (
        found.pixels,
        found.rgb,
        found.luma,
        *found.jpeg.coefficients,
        *found.jpeg.quantization,
        found.jpeg.decoded,
    ):
        assert not view.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        found.luma[::2] -= 1
    alpha = open_evidence(saved(scene(channels=4), "PNG")).alpha
    assert not alpha.flags.writeable
    array = np.zeros(3)
    assert frozen(array) is array
    assert not array.flags.writeable


def test_views_are_made_once(photo):
    found = open_evidence(photo)
    assert found.rgb is found.pixels
    assert found.luma is found.luma
    assert found.jpeg is found.jpeg
    assert found.jpeg.coefficients[0] is found.jpeg.coefficients[0]
    assert found.metadata is found.metadata


def test_only_jpeg_has_coefficients():
    with pytest.raises(EvidenceMissing, match="not a JPEG"):
        _ = open_evidence(saved(scene(), "PNG")).jpeg
    with pytest.raises(EvidenceMissing, match="not a JPEG"):
        _ = open_evidence(scene()).jpeg
    assert isinstance(open_evidence(jpeg()).jpeg, JpegData)


def test_what_is_no_file(tmp_path):
    with pytest.raises(EvidenceError, match="a directory"):
        open_evidence(tmp_path)
    with pytest.raises(EvidenceError, match="No such file"):
        open_evidence(tmp_path / "missing.jpg")
    with pytest.raises(EvidenceError, match="null"):
        open_evidence("a\0b.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_and_devices_are_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(EvidenceError, match="a named pipe"):
        open_evidence(tmp_path / "pipe.jpg")
    with pytest.raises(EvidenceError, match="a device"):
        open_evidence("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(photo):
    photo.chmod(0)
    with pytest.raises(EvidenceError, match="Permission denied"):
        open_evidence(photo)


def test_a_link_to_a_file_is_followed(photo, tmp_path):
    (tmp_path / "link.jpg").symlink_to(photo)
    assert open_evidence(tmp_path / "link.jpg").sha256 == open_evidence(photo).sha256


def test_size_limit_is_checked_before_reading(tmp_path):
    path = tmp_path / "sparse.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(LimitExceeded, match="1099511627776 bytes") as caught:
        open_evidence(path)
    assert caught.value.known == {"path": str(path), "claimed_format": "jpg", "size": 1 << 40}
    with pytest.raises(LimitExceeded, match="the limit is 10"):
        path.write_bytes(jpeg())
        open_evidence(path, max_bytes=10)


def test_pixel_limit(photo):
    assert open_evidence(photo, max_pixels=96 * 128)
    for data in (photo.read_bytes(), saved(scene(), "PNG"), saved(scene(), "BMP"), saved(scene(), "GIF"), saved(scene(), "TIFF"),
                 saved(scene(), "WEBP"), saved(scene(), "AVIF")):  # fmt: skip
        with pytest.raises(LimitExceeded, match="128 x 96 pixels") as caught:
            open_evidence(data, max_pixels=96 * 128 - 1)
        assert (caught.value.known["width"], caught.value.known["height"]) == (128, 96)


def test_a_refusal_says_what_is_known(tmp_path):
    data = resized_header(jpeg(), 60000, 60000)
    path = tmp_path / "huge.jpg"
    path.write_bytes(data)
    with pytest.raises(LimitExceeded) as caught:
        open_evidence(path)
    assert caught.value.known == {
        "path": str(path), "claimed_format": "jpg", "format": "jpeg", "size": len(data), "width": 60000, "height": 60000,
        "sha256": hashlib.sha256(data).hexdigest(), "md5": hashlib.md5(data).hexdigest(),
    }  # fmt: skip
    again = pickle.loads(pickle.dumps(caught.value))  # it crosses processes in a batch
    assert (type(again), str(again), again.known) == (LimitExceeded, str(caught.value), caught.value.known)


def test_errors_have_no_known_facts_unless_given():
    assert EvidenceError("broken").known == {}
    assert str(EvidenceError("broken")) == "broken"


@pytest.mark.parametrize("name", hostile_files())
def test_every_odd_file(name):
    """Opened or refused as expected, in one line, with facts that are JSON, and quickly."""
    data, expectation = hostile_files()[name]
    try:
        found = Evidence(data, name)
    except ForensixError as error:
        assert expectation == "error", error
        assert isinstance(error, EvidenceError)
        assert str(error)
        assert str(error).isprintable()
        return
    assert ("warned" if found.warnings else "ok") == expectation, found.warnings
    assert all(warning.isprintable() and len(warning) < 400 for warning in found.warnings)
    assert found.rgb.shape == (found.height, found.width, 3)
    assert found.rgb.dtype == np.uint8
    assert found.luma.shape == (found.height, found.width)
    assert found.luma.dtype == np.float32
    assert np.isfinite(found.luma).all()
    assert 0 <= found.luma.min() <= found.luma.max() <= 255.001
    assert found.pixels.dtype in (np.uint8, np.uint16, np.float32)
    assert found.bit_depth in (1, 8, 16, 32, 64)
    assert found.summary() == json.loads(json.dumps(found.summary(), allow_nan=False))
    assert found.facts() == json.loads(json.dumps(found.facts(), allow_nan=False))


@pytest.mark.parametrize(
    "name", [name for name, (_, expected) in hostile_files().items() if expected != "error"]
)
def test_the_same_file_gives_the_same_answers(name):
    data, _ = hostile_files()[name]
    assert Evidence(data, name).facts() == Evidence(data, name).facts()


def test_content_decides_and_a_contradicting_name_is_named():
    found = Evidence(saved(scene(), "PNG"), "picture.JPG")
    assert found.format == "png"
    assert found.claimed_format == "jpg"
    assert found.warnings == ("the name says jpg, but the content is png",)
    assert Evidence(jpeg(), "picture.jpeg").warnings == ()
    assert Evidence(jpeg(), "picture.dat").warnings == ()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"II*\x00", "tiff"), (b"MM\x00*", "tiff"),
        (b"II+\x00", "tiff"), (b"GIF89a", "gif"), (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
        (b"BM" + bytes(12) + b"\x28\x00\x00\x00", "bmp"), (b"BMW is a maker of cars", None),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "heic"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", "avif"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "heic"),
        (b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp41", None), (b"RIFF\x00\x00\x00\x00WAVE", None), (b"", None),
    ],
)  # fmt: skip
def test_sniffing(head, kind):
    assert sniff(head) == kind


def test_the_import_is_light():
    code = "import sys, forensix.evidence; print([m for m in ('numba', 'cv2', 'scipy', 'PIL', 'piexif') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_setting_of_pillow_is_changed(recwarn):
    from PIL import Image, ImageFile

    before = (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS)
    for name in ("truncated.jpg", "truncated.png", "truncated.bmp", "truncated.gif"):
        assert open_evidence(hostile_files()[name][0]).warnings
    assert before == (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS)
    assert not recwarn.list


def test_pillows_own_pixel_limit_does_not_count():
    side = 9500  # Image.open would warn of a bomb, and warnings are errors here
    found = open_evidence(png_of(side, side, 1, 0, bytes(side * (side // 8 + 2))))
    assert found.pixels.shape == (side, side)
    assert found.warnings == ()
