"""EXIF, XMP, ICC profile and text: as found, never as a crash."""

import struct
import zlib

import numpy as np
import piexif
import pytest
from PIL import ImageCms

from forensix.evidence import exif, open_evidence
from forensix.evidence.metadata import icc_description, xmp_summary
from tests.hostile import exif_block, jpeg, saved, scene, tiff_of, with_chunk, with_segment

FULL = {
    "0th": {
        piexif.ImageIFD.Make: b"Camera Works\x00\x00",
        piexif.ImageIFD.Orientation: 3,
        piexif.ImageIFD.XResolution: (72, 1),
    },
    "Exif": {
        piexif.ExifIFD.ExposureTime: (1, 250),
        piexif.ExifIFD.LensSpecification: ((24, 1), (70, 1), (28, 10), (0, 0)),
        piexif.ExifIFD.UserComment: b"ASCII\x00\x00\x00on the beach",
        piexif.ExifIFD.MakerNote: bytes(range(256)) * 4,
        piexif.ExifIFD.ComponentsConfiguration: b"\x01\x02\x03\x00",
    },
    "GPS": {piexif.GPSIFD.GPSLatitude: ((52, 1), (30, 1), (1234, 100))},
}
XMP = (
    '<x:xmpmeta><rdf:Description xmp:CreatorTool="Editor 5.1"><xmpMM:History>'
    '<rdf:li stEvt:action="saved" stEvt:softwareAgent="Editor 5.1"/></xmpMM:History>'
    "<Iptc4xmpExt:DigitalSourceType>trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType></rdf:Description></x:xmpmeta>"
)


def files(**options):
    return {
        "jpeg": saved(scene(), "JPEG", **options), "png": saved(scene(), "PNG", **options),
        "webp": saved(scene(), "WEBP", **options), "avif": saved(scene(), "AVIF", **options),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif"])
def test_exif_of_every_container(kind):
    found = open_evidence(files(exif=piexif.dump(FULL))[kind])
    assert found.warnings == ()
    assert found.orientation == 3
    values = found.facts()["metadata"]["exif"]
    assert values["0th"]["Make"] == "Camera Works"
    assert values["0th"]["XResolution"] == 72
    assert values["Exif"]["ExposureTime"] == 0.004
    assert values["Exif"]["LensSpecification"] == [24, 70, 2.8, None]
    assert values["Exif"]["UserComment"] == "on the beach"
    assert values["Exif"]["MakerNote"] == "1024 bytes"
    assert values["Exif"]["ComponentsConfiguration"] == "01020300"
    assert values["GPS"]["GPSLatitude"] == [52, 30, 12.34]
    assert bytes(found.metadata.exif["Exif"][piexif.ExifIFD.MakerNote]) == bytes(range(256)) * 4


def test_exif_of_a_tiff_is_the_file_itself():
    found = open_evidence(saved(scene(), "TIFF", tiffinfo={305: "Writer 1.0"}))
    assert found.facts()["metadata"]["exif"]["0th"]["Software"] == "Writer 1.0"
    assert found.warnings == ()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_profiles(kind):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = open_evidence(files(icc_profile=profile)[kind])
    assert found.metadata.icc == profile
    assert found.icc_description == "sRGB built-in"
    assert found.facts()["metadata"]["icc"] == {"bytes": len(profile), "description": "sRGB built-in"}
    np.testing.assert_array_equal(found.pixels, open_evidence(files()[kind]).pixels)
    assert found.warnings == ()


def test_a_long_profile_in_pieces_and_one_that_lacks_some():
    profile = bytes(128) + np.random.RandomState(1).bytes(200_000)
    data = jpeg(icc_profile=profile)
    assert open_evidence(data).metadata.icc == profile
    start = data.index(b"ICC_PROFILE\x00\x02")
    cut = data[: start - 4] + data[start - 2 + int.from_bytes(data[start - 2 : start], "big") :]
    assert any("profile is incomplete: 3 of 4 pieces" in warning for warning in open_evidence(cut).warnings)


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"x",
        bytes(132),
        bytes(128) + b"\xff\xff\xff\xff" * 20,
        bytes(128) + struct.pack(">L4sLL", 1, b"desc", 1 << 31, 5),
    ],
)
def test_profiles_that_are_none(profile):
    assert icc_description(profile) is None


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif"])
def test_xmp(kind):
    data = files(xmp=XMP.encode())[kind] if kind != "png" else with_chunk(
        saved(scene(), "PNG"), b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + zlib.compress(XMP.encode())
    )  # fmt: skip
    found = open_evidence(data)
    assert found.metadata.xmp_text == XMP
    assert found.facts()["metadata"]["xmp"] == {
        "bytes": len(XMP), "creator_tool": "Editor 5.1", "digital_source_type": "trainedAlgorithmicMedia",
        "history": {"actions": ["saved"], "software": ["Editor 5.1"]},
    }  # fmt: skip
    assert found.warnings == ()


def test_xmp_of_any_content_is_summed_up_quickly():
    for packet in (
        "",
        "xmp:CreatorTool" * 100_000,
        "<" * 3_000_000,
        "xmp:CreatorTool='" + "a" * 3_000_000,
        "\x00\ud800",
    ):
        assert xmp_summary(packet)["bytes"] == len(packet.encode("utf-8", "replace"))


def test_png_text():
    data = with_chunk(saved(scene(), "PNG"), b"tEXt", b"parameters\x00a castle, Steps: 20")
    data = with_chunk(data, b"zTXt", b"Comment\x00\x00" + zlib.compress(b"written small"))
    data = with_chunk(data, b"iTXt", b"Title\x00\x00\x00\x00\x00" + "Schloß".encode())
    found = open_evidence(data)
    assert found.metadata.text == {
        "parameters": "a castle, Steps: 20",
        "Comment": "written small",
        "Title": "Schloß",
    }
    assert found.warnings == ()


def test_much_text_is_cut_and_said():
    data = saved(scene(), "PNG")
    for n in range(8):
        data = with_chunk(data, b"zTXt", f"T{n}".encode() + b"\x00\x00" + zlib.compress(bytes(1_000_000)))
    found = open_evidence(data)
    assert any("the rest is left out" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (b"Exif\x00\x00", "malformed: it begins with nothing"),
        (b"Exif\x00\x00II", "malformed"),
        (b"Exif\x00\x00II*\x00", "malformed"),
        (b"Exif\x00\x00II*\x00\xff\xff\xff\xff", "malformed"),
        (b"Exif\x00\x00XX*\x00\x08\x00\x00\x00", "malformed: it begins with 58 58"),
        (b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff", "0 of 65535 entries"),
        (exif_block((0x10F, 2, 0xFFFFFFFF, b"\x00" * 4)), "1 entries that cannot be read: 0x010f"),
        (exif_block((0x10F, 99, 1, b"abcd")), "0x010f"),
        (exif_block((0x11A, 5, 1, b"\xff\xff\xff\x7f")), "0x011a"),
        (exif_block((0x8769, 4, 1, b"\xff\xff\xff\x7f")), "0x8769"),
        (exif_block((0x8769, 4, 2, b"\x08\x00\x00\x00")), "0x8769"),
        (exif_block((0x8769, 7, 4, b"\x08\x00\x00\x00")), "0x8769"),
        (exif_block((0x112, 3, 1, b"\x01\x00\x00\x00"), following=9999), "directory 1st would lie at byte 9999"),
        (exif_block((0x112, 3, 1, b"\x01\x00\x00\x00"), following=26, after=struct.pack("<HHHLL", 1, 513, 5, 2, 8)), "0x0201"),
    ],
)  # fmt: skip
def test_broken_exif_is_a_warning(block, words):
    found = open_evidence(with_segment(jpeg(), 0xE1, block))
    assert any(words in warning for warning in found.warnings), found.warnings
    assert found.orientation == 1


def test_what_is_sound_beside_broken_entries_is_kept():
    block = exif_block(
        (0x10F, 2, 0xFFFFFFF0, b"\x00" * 4), (0x112, 3, 1, b"\x08\x00\x00\x00"), (0x13B, 2, 0, b"\x00" * 4)
    )
    found = open_evidence(with_segment(jpeg(), 0xE1, block))
    assert found.orientation == 8
    assert found.warnings == ("the EXIF directory 0th has 1 entries that cannot be read: 0x010f",)


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders(order):
    block = exif_block((0x112, 3, 1, struct.pack(order + "HH", 6, 0)), order=order)
    assert open_evidence(with_segment(jpeg(), 0xE1, block)).orientation == 6


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_orientations_that_do_not_exist(value):
    block = exif_block((0x112, 3, 1, struct.pack("<HH", value, 0)))
    assert open_evidence(with_segment(jpeg(), 0xE1, block)).orientation == 1


def test_values_beyond_all_measure_are_not_read():
    """Sixty thousand entries that each claim most of the block would keep piexif busy for minutes."""
    entries = b"".join(struct.pack("<HHLL", 0x111, 4, 15_000, 8) for _ in range(5000))
    tiff = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 5000) + entries + bytes(4)
    found, _, troubles = exif.load(tiff)
    assert "entries that cannot be read" in troubles[0]
    assert len(found["0th"][0x111]) == 15_000


def test_two_exif_blocks():
    data = with_segment(
        with_segment(jpeg(), 0xE1, exif_block((0x112, 3, 1, b"\x03\x00\x00\x00"))),
        0xE1,
        exif_block((0x112, 3, 1, b"\x06\x00\x00\x00")),
    )
    found = open_evidence(data)
    assert found.orientation == 6
    assert any("2 EXIF blocks" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"plain\x00\x00", "plain"), ("Ünï".encode(), "Ünï"), (b"caf\xe9", "café"), (b"two\nlines", "two lines"),
        (b"\x00\x01\x02\x03", "00010203"), (bytes(range(100)), bytes(range(32)).hex() + "… (100 bytes)"), (b"", ""),
    ],
)  # fmt: skip
def test_bytes_as_text_or_digits(value, shown):
    assert exif.text_or_hex(value) == shown


def test_a_tiff_without_a_sound_directory_is_refused_in_one_line():
    from forensix.errors import EvidenceError

    for data in (b"II*\x00", b"II*\x00\xff\xff\xff\xff", tiff_of((256, 3, 1, 5)), b"MM\x00+" + bytes(20)):
        with pytest.raises(EvidenceError, match="no image size"):
            open_evidence(data)
