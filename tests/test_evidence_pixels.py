"""What comes out of the decoders, format by format, against values known beforehand."""

import io
import struct

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import minimum_filter

from forensix.evidence import open_evidence
from forensix.evidence.heif import rotation
from forensix.evidence.png import repaired, walk
from tests.hostile import by_opencv, chunk, hostile_files, interlaced_png, jpeg, png_of, saved, scene, tiff_of

COLOUR, GREY = scene(), scene(channels=1)
DEEP = COLOUR.astype(np.uint16) * 251 + 13


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_colour(kind):
    found = open_evidence(saved(COLOUR, kind))
    np.testing.assert_array_equal(found.pixels, COLOUR)
    assert (found.model, found.bit_depth, found.channels) == ("rgb", 8, 3)


def test_lossless_webp():
    np.testing.assert_array_equal(open_evidence(saved(COLOUR, "WEBP", lossless=True)).pixels, COLOUR)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}])
def test_jpeg_pixels_are_libjpegs(options):
    data = jpeg(COLOUR, **options)
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(open_evidence(data).pixels, np.asarray(image))


def test_rotation_is_recorded_and_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    for data in (
        jpeg(COLOUR, exif=exif),
        saved(COLOUR, "PNG", exif=exif),
        saved(COLOUR, "WEBP", exif=exif, lossless=True),
    ):
        found = open_evidence(data)
        assert found.orientation == 6
        assert found.pixels.shape == COLOUR.shape
        assert found.warnings == ()
    assert open_evidence(jpeg(COLOUR)).orientation == 1


def test_bilevel():
    bits = GREY > 100
    for kind in ("PNG", "TIFF", "BMP", "GIF"):
        found = open_evidence(saved(bits, kind))
        np.testing.assert_array_equal(found.pixels, bits * np.uint8(255))
    assert open_evidence(saved(bits, "PNG")).bit_depth == 1


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_of_grey(depth):
    values = np.arange(8) % (1 << depth)
    bits = "".join(f"{value:0{depth}b}" for value in values)
    row = b"\x00" + int(bits, 2).to_bytes(depth, "big")
    found = open_evidence(png_of(8, 1, depth, 0, row))
    np.testing.assert_array_equal(found.pixels[0], values * (255 // ((1 << depth) - 1)))
    assert found.bit_depth == depth


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_palettes_are_looked_up(kind):
    image = Image.fromarray(COLOUR).quantize(16)
    out = io.BytesIO()
    image.save(out, kind)
    found = open_evidence(out.getvalue())
    np.testing.assert_array_equal(found.pixels, np.asarray(image.convert("RGB")))
    assert found.bit_depth == 8


def test_alpha():
    colour = scene(channels=4)
    found = open_evidence(saved(colour, "PNG"))
    np.testing.assert_array_equal(found.pixels, colour)
    np.testing.assert_array_equal(found.alpha, colour[:, :, 3])
    np.testing.assert_array_equal(found.rgb, colour[:, :, :3])  # left out, not blended
    grey = open_evidence(saved(scene(channels=2), "PNG"))
    np.testing.assert_array_equal(grey.alpha, scene(channels=2)[:, :, 1])
    np.testing.assert_array_equal(grey.rgb, np.repeat(scene(channels=2)[:, :, :1], 3, axis=2))
    assert open_evidence(saved(COLOUR, "PNG")).alpha is None


def test_transparent_palette_entries():
    found = open_evidence(saved(COLOUR, "PNG", "P", transparency=0))
    assert found.model == "rgba"
    assert set(np.unique(found.alpha)) <= {0, 255}


def test_cmyk_is_ink():
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[:, :8] = (255, 0, 0, 0)  # cyan
    ink[:, 8:] = (0, 0, 0, 255)  # black
    image = Image.frombytes("CMYK", (16, 16), ink.tobytes())
    for kind in ("TIFF", "JPEG"):
        out = io.BytesIO()
        image.save(out, kind, **({"quality": 100} if kind == "JPEG" else {}))
        found = open_evidence(out.getvalue())
        assert found.model == "cmyk"
        np.testing.assert_allclose(found.pixels.astype(int), ink.astype(int), atol=2)
        np.testing.assert_allclose(found.rgb[0, 0].astype(int), (0, 255, 255), atol=3)
        np.testing.assert_allclose(found.rgb[0, 15].astype(int), (0, 0, 0), atol=3)
        assert found.luma[0, 15] < 3


def test_sixteen_bits_are_kept():
    alpha = np.dstack([DEEP, DEEP[:, :, 0] // 2])
    for data, expected in (
        (by_opencv(DEEP[:, :, ::-1], ".png"), DEEP),
        (by_opencv(DEEP[:, :, ::-1], ".tiff"), DEEP),
        (by_opencv(alpha[:, :, [2, 1, 0, 3]], ".png"), alpha),
        (saved(DEEP[:, :, 1], "PNG"), DEEP[:, :, 1]),
        (saved(DEEP[:, :, 1], "TIFF"), DEEP[:, :, 1]),
    ):
        found = open_evidence(data)
        assert (found.bit_depth, found.pixels.dtype) == (16, np.uint16)
        np.testing.assert_array_equal(found.pixels, expected)
        np.testing.assert_array_equal(
            found.rgb, np.rint(np.atleast_3d(expected)[:, :, : min(3, np.atleast_3d(expected).shape[2])] / 257.0).astype(np.uint8)
            * np.ones((1, 1, 3), np.uint8)
        )  # fmt: skip


def test_sixteen_bit_grey_with_alpha():
    found = open_evidence(png_of(2, 1, 16, 4, b"\x00" + struct.pack(">4H", 1000, 2000, 30000, 65535)))
    np.testing.assert_array_equal(found.pixels, [[[1000, 2000], [30000, 65535]]])
    assert found.model == "grey-alpha"


def test_floats_as_stored():
    values = GREY.astype(np.float32) / 255
    found = open_evidence(saved(values, "TIFF"))
    np.testing.assert_array_equal(found.pixels, values)
    np.testing.assert_allclose(found.luma, GREY, atol=1e-4)
    colour = COLOUR[:, :, ::-1].astype(np.float32)
    found = open_evidence(by_opencv(colour, ".tiff"))
    np.testing.assert_array_equal(found.pixels, COLOUR)
    assert found.pixels.dtype == np.float32
    np.testing.assert_array_equal(found.rgb, COLOUR)


@pytest.mark.parametrize(
    ("values", "luma", "warned"),
    [
        ([0.0, 0.5, 1.0], [0, 127.5, 255], ""),
        ([0.0, 100.0, 255.0], [0, 100, 255], ""),
        ([0.0, 257.0, 65535.0], [0, 1, 255], ""),
        ([-1.0, 0.0, 1.0], [0, 127.5, 255], "stretched"),
        ([0.0, 50000.0, 100000.0], [0, 127.5, 255], "stretched"),
        ([np.nan, 0.5, 1.0], [0, 127.5, 255], "1 values are not finite"),
        ([-np.inf, 10.0, np.inf], [0, 10, 0], "2 values are not finite"),
        ([np.nan, np.nan, np.nan], [0, 0, 0], "no value is finite"),
        ([-5.0, -5.0, -5.0], [0, 0, 0], "stretched"),
        ([0.0, 0.0, 0.0], [0, 0, 0], ""),
    ],
)
def test_the_scale_of_floats(values, luma, warned):
    found = open_evidence(np.array([values], np.float32))
    np.testing.assert_allclose(found.luma[0], luma, rtol=1e-5)
    assert found.rgb.shape == (1, 3, 3)
    assert bool(found.warnings) == bool(warned)
    assert warned in " ".join(found.warnings)


@pytest.mark.parametrize("shape", [(3, 5), (700, 900), (1, 70000), (70000, 1)])
def test_luma_is_rec_601(shape):
    colour = np.random.RandomState(5).randint(0, 256, (*shape, 3)).astype(np.uint8)
    found = open_evidence(colour)
    expected = colour.astype(np.float64) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(found.luma, expected, atol=1e-4)
    deep = open_evidence(colour.astype(np.uint16) * 257)
    np.testing.assert_allclose(deep.luma, expected, atol=1e-4)
    np.testing.assert_array_equal(open_evidence(colour[:, :, 0]).luma, colour[:, :, 0])


def box(name, content):
    return struct.pack(">L", 8 + len(content)) + name + content


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("wide", [0, 1])
def test_the_rotation_a_heif_file_asks_for(turns, wide):
    properties = box(b"ipco", box(b"ispe", bytes(12)) + box(b"irot", bytes([turns])) + box(b"irot", b"\x02"))
    entry = struct.pack(">HBH" if wide else ">HBB", 7, 1, 2 | (0x8000 if wide else 0x80))
    other = struct.pack(">HBH" if wide else ">HBB", 6, 1, 3)
    linked = box(b"ipma", bytes([0, 0, 0, wide]) + struct.pack(">L", 2) + other + entry)
    primary = box(b"pitm", bytes(4) + struct.pack(">H", 7))
    meta = box(b"meta", bytes(4) + primary + box(b"iprp", properties + linked))
    data = box(b"ftyp", b"heic" + bytes(4)) + meta
    assert rotation(data) == turns
    for cut in range(len(data)):
        assert rotation(data[:cut]) in (0, turns)


def test_interlaced_png():
    np.testing.assert_array_equal(open_evidence(interlaced_png(GREY)).pixels, GREY)


@pytest.mark.parametrize("kind", ["animated.gif", "animated.png", "animated.webp", "pages.tif"])
def test_the_first_of_several_images(kind):
    found = open_evidence(hostile_files()[kind][0])
    assert found.frames == 3
    assert np.abs(found.pixels.astype(int) - scene(seed=0)).mean() < 12
    assert found.warnings == ("the file holds 3 images; only the first is examined",)


def test_a_cut_png_is_read_to_its_last_row():
    data = saved(COLOUR, "PNG")
    found = open_evidence(data[: len(data) // 2])
    rows = int(found.warnings[-1].split("; ")[1].split()[0])
    assert 20 < rows < 76
    np.testing.assert_array_equal(found.pixels[:rows], COLOUR[:rows])
    assert not found.pixels[rows:].any()
    assert f"byte {len(data) // 2}" in found.warnings[0]


def test_a_corrupt_png_is_read_to_the_corrupt_byte():
    data = bytearray(saved(COLOUR, "PNG"))
    place = len(data) // 2
    data[place : place + 8] = b"\xff" * 8
    found = open_evidence(bytes(data))
    assert "checksum of the IDAT chunk" in found.warnings[0]
    rows = int(found.warnings[-1].split("; ")[1].split()[0])
    np.testing.assert_array_equal(
        found.pixels[: rows - 12], COLOUR[: rows - 12]
    )  # a few wrong rows may still inflate


def test_a_checksum_alone_costs_nothing_but_a_warning():
    data, _ = hostile_files()["wrong checksum.png"]
    found = open_evidence(data)
    np.testing.assert_array_equal(found.pixels, COLOUR)
    assert len(found.warnings) == 1


def test_repair_leaves_a_whole_file_whole():
    for data in (saved(COLOUR, "PNG"), interlaced_png(GREY), saved(COLOUR, "PNG", "P")):
        again, sentence = repaired(data, walk(data))
        assert sentence == ""
        np.testing.assert_array_equal(open_evidence(again).pixels, open_evidence(data).pixels)


def test_png_rows_with_an_unknown_filter():
    rows = b"".join(bytes([0 if n < 5 else 9]) + bytes([50] * 8) for n in range(8))
    found = open_evidence(png_of(8, 8, 8, 0, rows))
    assert (found.pixels[:5] == 50).all()
    assert not found.pixels[5:].any()
    assert "5 of 8 rows" in found.warnings[0]


def test_png_with_too_little_data_and_with_too_much():
    short = open_evidence(png_of(8, 8, 8, 0, bytes([0, *[50] * 8]) * 3))
    assert "3 of 8 rows" in short.warnings[0]
    long = open_evidence(png_of(8, 8, 8, 0, bytes([0, *[50] * 8]) * 30))
    assert (long.pixels == 50).all()


def test_unknown_chunks_and_order_do_no_harm():
    data = saved(COLOUR, "PNG")
    found = open_evidence(data[:33] + chunk(b"prIV", b"x" * 100) + data[33:])
    np.testing.assert_array_equal(found.pixels, COLOUR)
    assert found.warnings == ()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 4}])
def test_a_cut_jpeg_is_read_as_far_as_it_goes(share, options):
    data = jpeg(COLOUR, quality=95, **options)
    whole = open_evidence(data).pixels
    found = open_evidence(data[: int(len(data) * share)])
    assert found.pixels.shape == whole.shape
    good = np.kron(found.jpeg.decoded, np.ones((16, 16), bool))
    inner = minimum_filter(good, 3)  # chroma is interpolated from block to block
    assert inner.any()
    np.testing.assert_array_equal(found.pixels[inner], whole[inner])
    assert any("data end too early" in warning for warning in found.warnings)


def test_a_cut_progressive_jpeg_keeps_its_first_scans():
    data = jpeg(COLOUR, progressive=True, quality=95)
    found = open_evidence(data[: len(data) // 2])
    whole = open_evidence(data)
    assert np.abs(found.luma - whole.luma).mean() < 12
    assert np.abs(found.luma - whole.luma).max() > 0


def test_damage_libjpeg_gives_up_on_does_not_cost_the_picture():
    """A bogus table between two scans: libjpeg stops there; what is sound is still decoded."""
    data = jpeg(COLOUR, progressive=True, quality=95)
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    bogus = b"\xff\xc4\x00\x20\x00" + b"\xff" * 16 + bytes(13)
    found = open_evidence(data[:second] + bogus + data[second:])
    assert np.abs(found.luma - open_evidence(data).luma).max() == 0
    assert any("malformed" in warning for warning in found.warnings)


def test_a_cut_bitmap_keeps_what_is_there():
    data = saved(COLOUR, "BMP")
    found = open_evidence(data[: len(data) // 2])
    np.testing.assert_array_equal(found.pixels[60:], COLOUR[60:])  # BMP is stored from below
    assert not found.pixels[:40].any()
    assert f"of {len(data) // 2}" in found.warnings[0]


def test_a_cut_tiff_keeps_what_is_there():
    strip = (273, 4, 1, 200), (278, 3, 1, 96), (279, 4, 1, 96 * 128)
    header = ((256, 3, 1, 128), (257, 3, 1, 96), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), *strip)
    data = tiff_of(*header).ljust(200, b"\0") + GREY.tobytes()
    np.testing.assert_array_equal(open_evidence(data).pixels, GREY)
    found = open_evidence(data[: 200 + 128 * 50])
    np.testing.assert_array_equal(found.pixels[:40], GREY[:40])
    assert not found.pixels[50:].any()
    assert any("truncated" in warning for warning in found.warnings)
