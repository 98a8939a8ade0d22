"""JPEG structure: segments, tables, scans, quality, what lies behind the image, thumbnail."""

import struct

import numpy as np
import pytest

from forensix.errors import EvidenceError, ParameterError
from forensix.evidence import open_evidence
from forensix.evidence.facts import subsampling
from forensix.evidence.jpeg_data import JpegData
from forensix.evidence.jpeg_markers import walk
from forensix.evidence.jpeg_quality import ijg_quality, ijg_table
from forensix.evidence.jpeg_trailer import multi_picture, trailer
from tests.hostile import (
    arithmetic,
    by_opencv,
    damaged,
    entropy_start,
    jpeg,
    saved,
    scene,
    segment,
    with_segment,
)


def test_segments_tile_the_file():
    data = with_segment(jpeg(restart_marker_blocks=4, comment=b"hello"), 0xE1, b"Exif\x00\x00nothing")
    found = walk(data)
    assert [s.name for s in found.segments] == [
        "SOI", "APP1", "APP0", "COM", "DQT", "DQT", "SOF0", "DHT", "DHT", "DHT", "DHT", "DRI", "SOS", "EOI"
    ]  # fmt: skip
    position = 0
    for item in found.segments:
        assert item.offset == position
        assert item.stop == item.offset + item.length
        position = found.scans[0].stop if item.name == "SOS" else item.stop
    assert position == found.end == len(data)
    assert [s.identifier for s in found.segments[:3]] == ["", "Exif", "JFIF"]
    assert found.intervals == [4]
    assert found.troubles == []
    assert entropy_start(data) == found.scans[0].start


def test_frame_and_scans_of_a_progressive_file():
    found = open_evidence(jpeg(scene(40, 60), progressive=True, subsampling=2)).jpeg
    frame = found.frame
    assert (frame.kind, frame.progressive, frame.arithmetic) == ("progressive", True, False)
    assert (frame.height, frame.width, frame.precision) == (40, 60, 8)
    assert found.sampling == ((2, 2), (1, 1), (1, 1))
    assert frame.mcu_shape == (3, 4)
    assert frame.block_shapes == ((5, 8), (3, 4), (3, 4))
    first, *rest = found.structure.scans
    assert (len(first.parts), first.band, first.approximation) == (3, (0, 0), (0, 1))
    assert len(rest) == 9
    assert all(len(scan.parts) == 1 or scan.band == (0, 0) for scan in rest)
    assert rest[-1].band == (1, 63)


@pytest.mark.parametrize("quality", [4, 10, 49, 50, 51, 75, 90, 95, 99, 100])
def test_quality_of_libjpegs_tables(quality):
    found = open_evidence(jpeg(quality=quality)).jpeg
    luma, chroma = found.quantization[:2]
    np.testing.assert_array_equal(luma, ijg_table(quality))
    np.testing.assert_array_equal(chroma, ijg_table(quality, chroma=True))
    assert ijg_quality(luma).exact
    assert ijg_quality(luma).quality == quality
    assert ijg_quality(chroma, chroma=True).quality == quality
    assert ijg_quality(luma).difference == 0
    np.testing.assert_array_equal(found.quantization_tables[1], chroma)


def test_quality_of_other_tables():
    near = ijg_table(80).copy()
    near[3, 3] += 1
    found = ijg_quality(near)
    assert (found.quality, found.exact, found.difference) == (80, False, 1 / 64)
    assert ijg_quality(np.ones((8, 8), int)).quality == 100
    assert ijg_table(5, limit=32767).max() > 255
    assert ijg_quality(ijg_table(5, limit=32767)).exact


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_no_such_quality(quality):
    with pytest.raises(ParameterError):
        ijg_table(quality)


def test_a_table_is_eight_by_eight():
    with pytest.raises(ParameterError):
        ijg_quality(np.ones(64))


@pytest.mark.parametrize(
    ("factor", "name"),
    [(0x111111, "4:4:4"), (0x211111, "4:2:2"), (0x221111, "4:2:0"), (0x121111, "4:4:0"), (0x411111, "4:1:1")],
)
def test_names_of_subsampling(factor, name):
    import cv2

    found = open_evidence(by_opencv(scene(), ".jpg", (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor)))
    assert found.facts()["jpeg"]["sampling"] == name


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (jpeg(), "YCbCr"),
        (jpeg(scene(channels=1)), "grey"),
        (jpeg(keep_rgb=True), "RGB"),
        (saved(scene(), "JPEG", "CMYK"), "CMYK"),
        (jpeg()[:2] + jpeg()[20:], "YCbCr"),
        (jpeg()[:2] + segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x00") + jpeg()[20:], "RGB"),
        (jpeg()[:2] + segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01") + jpeg()[20:], "YCbCr"),
    ],
)
def test_what_the_components_are(data, colour):
    found = open_evidence(data)
    assert found.jpeg.colour == found.facts()["jpeg"]["colour"] == colour
    if colour == "RGB":  # then libjpeg does not convert, and the planes are the channels
        red = found.jpeg.coefficients[0][..., 0, 0] * found.jpeg.quantization[0][0, 0] / 8 + 128
        np.testing.assert_allclose(red, found.pixels[:, :, 0].reshape(12, 8, 16, 8).mean(axis=(1, 3)), atol=4)


def test_odd_sampling_factors_are_spelled_out():
    assert subsampling(((1, 1),)) == "grey"
    assert subsampling(((2, 3), (1, 1), (1, 1))) == "3x2, 1x1, 1x1"
    assert subsampling(((2, 2), (2, 2), (2, 2))) == "4:4:4"


def test_facts_of_a_jpeg():
    facts = open_evidence(jpeg(quality=90, comment=b"made by hand", dpi=(300, 300))).facts()
    part = facts["jpeg"]
    assert part["process"] == "baseline"
    assert part["quantization"][0] | {"rows": None} == {
        "id": 0, "bits": 8, "rows": None, "ijg_quality": 90, "ijg_exact": True, "ijg_difference": 0.0,
        "ijg_table": "luminance",
    }  # fmt: skip
    assert part["quantization"][1]["ijg_table"] == "chrominance"
    assert part["quantization"][1]["rows"] == ijg_table(90, chroma=True).tolist()
    assert part["jfif"] == {"version": "1.01", "density": [300, 300], "unit": "inch"}
    assert part["adobe"] is None
    assert part["trailer"] is None
    assert part["restart_interval"] == 0
    assert part["scans"][0]["components"] == [0, 1, 2]
    assert {table["class"] for table in part["huffman_tables"]} == {"AC", "DC"}
    assert facts["metadata"]["comments"] == ["made by hand"]
    assert facts["image"]["model"] == "rgb"
    assert facts["warnings"] == []


def test_what_lies_behind_the_image():
    data = jpeg()
    structure = walk(data)
    assert trailer(data, structure) is None
    cases = {
        b"\x00" * 900: ("zeros", True, ()),
        b"hello": ("unknown data", False, ()),
        b"\x00" * 10 + data: ("another JPEG image", False, (len(data) + 10,)),
        b"SEFH" + bytes(20) + b"SEFT": ("a Samsung trailer", True, ()),
        b"\x00\x00\x00\x18ftypmp42" + bytes(50): ("a video, as of a motion photo", True, ()),
    }
    for behind, (kind, expected, images) in cases.items():
        found = trailer(data + behind, structure)
        assert (found.offset, found.size) == (len(data), len(behind))
        assert (found.kind, found.expected, found.images) == (kind, expected, images)
        assert bool(open_evidence(data + behind).warnings) is not expected
    assert open_evidence(data + b"hello").facts()["jpeg"]["trailer"]["bytes"] == 5


def multi_picture_file(order="<", shift=0):
    """Two images with a multi-picture index in the first (CIPA DC-007)."""
    first, second = jpeg(), jpeg(scene(40, 40))
    head = b"MPF\x00" + (b"II*\x00" if order == "<" else b"MM\x00*")
    body = (
        struct.pack(order + "LH", 8, 1)
        + struct.pack(order + "HHLL", 0xB002, 7, 32, 26)
        + struct.pack(order + "L", 0)
    )
    offset = len(first) + 2 + 2 + len(head) + len(body) + 32 - (2 + 2 + 2 + 4) + shift
    items = struct.pack(order + "LLLHH", 0, len(first), 0, 0, 0) + struct.pack(
        order + "LLLHH", 0, len(second), offset, 0, 0
    )
    return with_segment(first, 0xE2, head + body + items) + second


@pytest.mark.parametrize("order", ["<", ">"])
def test_multi_picture_files_are_expected(order):
    data = multi_picture_file(order)
    structure = walk(data)
    assert multi_picture(data, structure) == [structure.end]
    found = trailer(data, structure)
    assert (found.kind, found.expected) == ("further images, listed in the multi-picture index", True)
    assert open_evidence(data).warnings == ()
    assert "another JPEG image" in open_evidence(multi_picture_file(order, shift=5)).warnings[0]


def test_broken_multi_picture_index():
    data = with_segment(jpeg(), 0xE2, b"MPF\x00II*\x00\xff\xff\xff\x7f")
    assert multi_picture(data, walk(data)) == []


def test_thumbnail():
    import piexif

    small = scene(30, 40)
    exif = piexif.dump({"0th": {}, "1st": {piexif.ImageIFD.Compression: 6}, "thumbnail": jpeg(small)})
    found = open_evidence(jpeg(exif=exif))
    np.testing.assert_array_equal(found.thumbnail, open_evidence(jpeg(small)).pixels)
    assert not found.thumbnail.flags.writeable
    assert found.facts()["thumbnail"] == {"bytes": len(found.metadata.thumbnail), "width": 40, "height": 30}
    assert open_evidence(jpeg()).thumbnail is None
    assert open_evidence(jpeg()).facts()["thumbnail"] is None


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:50], lambda t: b"GIF89a" + t[6:], lambda t: t[:2] + bytes(len(t) - 2)]
)
def test_a_broken_thumbnail_is_a_warning(spoil):
    import piexif

    exif = piexif.dump({"0th": {}, "1st": {piexif.ImageIFD.Compression: 6}, "thumbnail": jpeg(scene(30, 40))})
    data = jpeg(exif=exif)
    raw = open_evidence(data).metadata.thumbnail
    at = data.index(raw)
    found = open_evidence(data[:at] + spoil(raw).ljust(len(raw), b"\0") + data[at + len(raw) :])
    assert found.thumbnail is None
    assert "thumbnail cannot be decoded" in found.warnings[0]
    assert found.facts()["thumbnail"]["width"] is None


def test_arithmetic_coding():
    found = open_evidence(arithmetic())
    assert found.jpeg.frame.arithmetic
    assert found.warnings == ()
    whole = open_evidence(jpeg(quality=75))
    assert [p.shape for p in found.jpeg.coefficients] == [p.shape for p in whole.jpeg.coefficients]
    shown = [255 * (plane != 0).mean() for plane in found.jpeg.coefficients]
    assert min(shown) > 0
    assert np.abs(found.luma - open_evidence(scene()).luma).mean() < 4


def test_a_cut_arithmetic_file():
    data = arithmetic()
    found = open_evidence(data[: len(data) * 3 // 4])
    assert any("no end-of-image marker" in warning for warning in found.warnings)
    assert found.pixels.shape == (96, 128, 3)


def test_impossible_coefficients_are_named():
    found = open_evidence(damaged(jpeg(), 0.5))
    assert any("no 8-bit picture has" in warning for warning in found.warnings)
    for array in (np.zeros((64, 64), np.uint8), np.full((64, 64), 255, np.uint8), (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8),
                  np.random.RandomState(1).randint(0, 2, (64, 64)).astype(np.uint8) * np.uint8(255)):  # fmt: skip
        for quality in (1, 30, 75, 100):
            assert open_evidence(jpeg(array, quality=quality)).jpeg.implausible == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d[:20] + b"abc" + d[20:], "3 bytes at byte 20 belong to no segment"),
        (
            lambda d: d[:2] + segment(0xDB, b"\x05" + bytes(64)) + d[2:],
            "the DQT segment at byte 2 is malformed",
        ),
        (
            lambda d: d[:2] + segment(0xC4, b"\x00" + b"\xff" * 16) + d[2:],
            "the DHT segment at byte 2 is malformed",
        ),
        (lambda d: d[:2] + segment(0xDD, b"\x01") + d[2:], "the DRI segment at byte 2 is malformed"),
        (lambda d: d[:2] + b"\xff\xd3" + d[2:], "a RST3 marker at byte 2 is out of place"),
        (lambda d: d[:-2], "no end-of-image marker"),
        (lambda d: d[:-2] + jpeg(), "a second image begins at byte"),
        (
            lambda d: d[:-2] + b"\xff\xe5\x7f\xff",
            "the APP5 segment at byte 2527 claims 32767 bytes, but only 2 follow",
        ),
    ],
)
def test_troubles_of_the_structure_are_named_with_their_byte(change, words):
    found = open_evidence(change(jpeg()))
    assert any(words in warning for warning in found.warnings), found.warnings
    np.testing.assert_array_equal(found.pixels, open_evidence(jpeg()).pixels)


def test_no_jpeg_at_all():
    with pytest.raises(EvidenceError, match="FF D8"):
        walk(b"nothing")


def test_quantization_is_that_in_force_at_the_first_scan():
    data = jpeg(quality=90)
    at = data.index(b"\xff\xda")
    later = data[:-2] + segment(0xDB, b"\x00" + bytes([7] * 64)) + data[-2:]
    np.testing.assert_array_equal(JpegData(later).quantization[0], ijg_table(90))
    np.testing.assert_array_equal(JpegData(later).quantization_tables[0], 7)
    sooner = data[:at] + segment(0xDB, b"\x00" + bytes([7] * 64)) + data[at:]
    np.testing.assert_array_equal(JpegData(sooner).quantization[0], 7)


def test_sixteen_bit_tables():
    data = jpeg(quality=90)
    at = data.index(b"\xff\xdb")
    wide = segment(0xDB, b"\x10" + struct.pack(">64H", *range(1, 65)))
    found = JpegData(data[:at] + wide + data[at + 69 :])
    assert found.quantization[0][0, 1] == 2
    assert found.quantization[0][7, 7] == 64
    assert found.quantization[0].dtype == np.int32
