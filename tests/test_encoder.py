"""Encoder tables: whose tables, which layout, and whether metadata and picture fit together."""

import io
import struct

import numpy as np
import piexif
import pytest
import skimage.data
from PIL import Image, JpegPresets

import forensix
from forensix.detectors.provenance import _claims, _heif, _layout, _signs, _tables, _thumbnail, encoder
from forensix.errors import NotApplicable
from forensix.evidence.jpeg_markers import walk
from forensix.evidence.jpeg_quality import ijg_table
from forensix.evidence.metadata import Metadata


@pytest.fixture(scope="module")
def scene():
    return np.ascontiguousarray(skimage.data.rocket()[:400, :600])


def saved(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **options)
    return stream.getvalue()


def thumbnail_of(pixels, size=(160, 107), **options):
    small = np.array(Image.fromarray(pixels).resize(size))
    return saved(small, **options)


def exif(
    pixels, *, size=None, changed="2020:05:01 12:00:00", note=b"maker" * 40, thumbnail=None, software=None
):
    """An EXIF block as a camera writes it, but for what is asked to be otherwise."""
    width, height = size or (pixels.shape[1], pixels.shape[0])
    main = {
        piexif.ImageIFD.Make: b"ACME",
        piexif.ImageIFD.Model: b"Eye 1",
        piexif.ImageIFD.DateTime: changed.encode(),
    }
    if software:
        main[piexif.ImageIFD.Software] = software.encode()
    detail = {
        piexif.ExifIFD.DateTimeOriginal: b"2020:05:01 12:00:00",
        piexif.ExifIFD.ExposureTime: (1, 125),
        piexif.ExifIFD.FNumber: (28, 10),
        piexif.ExifIFD.ISOSpeedRatings: 200,
        piexif.ExifIFD.PixelXDimension: width,
        piexif.ExifIFD.PixelYDimension: height,
    }
    if note:
        detail[piexif.ExifIFD.MakerNote] = note
    blocks = {"0th": main, "Exif": detail}
    if thumbnail is not None:
        blocks |= {"1st": {piexif.ImageIFD.Compression: 6}, "thumbnail": thumbnail}
    return piexif.dump(blocks)


def as_a_camera(pixels, metadata, *, table=None):
    """A file built as firmware does: EXIF first, tables together, 4:2:2, tables of its own."""
    own = (3 + np.add.outer(2 * np.arange(8), np.arange(8))).astype(int) if table is None else table
    data = saved(pixels, qtables=[own.ravel().tolist(), (own + 2).ravel().tolist()], subsampling="4:2:2")
    found = walk(data)
    quantization = b"".join(data[s.start : s.stop] for s in found.of(0xDB))
    codes = b"".join(data[s.start : s.stop] for s in found.of(0xC4))
    frame, scan = next(found.of(0xC0)), next(found.of(0xDA))
    return b"".join(
        [
            b"\xff\xd8",
            segment(0xE1, metadata),
            segment(0xDB, quantization),
            segment(0xC4, codes),
            data[frame.offset : frame.stop],
            data[scan.offset :],
        ]
    )


def segment(marker, payload):
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def judged(data):
    return encoder.detect(forensix.open(data))


def sign_names(finding):
    return {name: weight for name, weight, _ in finding.measurements["signs"]}


# Tables


@pytest.mark.parametrize("quality", [1, 25, 50, 75, 90, 99])
def test_libjpegs_tables_are_known_by_formula(quality):
    found = _tables.origin([ijg_table(quality), ijg_table(quality, chroma=True)])
    assert (found.family, found.quality) == ("libjpeg", quality)


def test_turned_tables_are_known(scene):
    found = _tables.origin([ijg_table(83).T, ijg_table(83, chroma=True).T])
    assert (found.family, found.quality) == ("libjpeg", 83)


def test_libjpegs_tables_of_two_qualities_are_not_libjpegs():
    assert _tables.origin([ijg_table(90), ijg_table(60, chroma=True)]).family == "scaled standard"


def test_tables_scaled_otherwise_are_the_standards():
    luma = np.clip(ijg_table(50) * 0.137, 1, 255).astype(int)
    chroma = np.clip(ijg_table(50, chroma=True) * 0.171, 1, 255).astype(int)
    assert _tables.origin([luma, chroma]).family == "scaled standard"


@pytest.mark.parametrize("quality", [60, 75, 92])
def test_mozjpegs_default_is_known(quality):
    base = next(row for row in _tables.collection() if row.name.startswith("mozjpeg 3"))
    table = np.clip((base.luma * (200 - 2 * quality) + 50) // 100, 1, 255).reshape(8, 8)
    found = _tables.origin([table, table])
    assert (found.family, found.quality) == ("mozjpeg", quality)


@pytest.mark.parametrize("name", ["low", "high", "maximum", "web_low", "web_very_high"])
def test_photoshops_tables_are_known_exactly_and_by_their_build(name):
    luma, chroma = (np.array(table).reshape(8, 8) for table in JpegPresets.presets[name]["quantization"])
    assert _tables.origin([luma, chroma]).family == "photoshop"
    assert _tables.adobe_like(luma.ravel(), chroma.ravel())
    other = luma.copy()
    other[0, 0] += 1
    assert _tables.origin([other, chroma]).name == "built like Adobe's tables"


def test_no_other_row_of_the_collection_is_built_like_adobes():
    for row in _tables.collection():
        if row.family != "photoshop":
            assert not _tables.adobe_like(row.luma, row.chroma), row.name


def test_every_row_has_a_source_and_whole_tables():
    for row in _tables.collection():
        assert row.source and row.luma.shape == row.chroma.shape == (64,)
        assert row.luma.min() >= 1 and row.chroma.min() >= 1
        assert (row.family == "camera") == bool(row.make and row.model)


def test_cameras_with_the_same_tables_are_named_but_weigh_nothing():
    row = next(
        row for row in _tables.collection() if row.family == "camera" and (row.make or "").startswith("Canon")
    )
    found = _tables.origin([row.luma.reshape(8, 8), row.chroma.reshape(8, 8)])
    assert (row.make, row.model) in found.cameras
    signs = [_signs.Signs(), _signs.Signs()]
    for sign, family in zip(signs, ("camera", "own"), strict=True):
        _signs._tables(sign, _tables.Origin(family, "", None, ()))
    assert signs[0].total == signs[1].total


def test_grey_pictures_and_odd_tables(scene):
    assert _tables.origin([ijg_table(70)]).quality == 70
    assert _tables.origin([np.arange(64).reshape(8, 8) * 97 % 61 + 1] * 3).family == "own"
    assert (
        _tables.origin([ijg_table(70), ijg_table(70, chroma=True), ijg_table(71, chroma=True)]).family
        == "own"
    )
    assert _tables.origin([ijg_table(2, limit=32767), ijg_table(2, chroma=True, limit=32767)]).quality == 2


# Layout


def test_the_layout_of_pillow(scene):
    found = _layout.layout(walk(saved(scene, quality=80)))
    assert (found.coding, found.tables, found.libjpeg_order) == ("standard", "apart", True)
    assert (found.sampling, found.ids, found.jfif, found.exif) == ("4:2:0", (1, 2, 3), 0, None)
    assert _layout.layout(walk(saved(scene, quality=80, optimize=True))).coding == "optimized"
    assert _layout.layout(walk(saved(scene, quality=80, progressive=True))).coding == "progressive"
    assert _layout.layout(walk(saved(scene, quality=80, subsampling=0))).sampling == "4:4:4"
    assert _layout.layout(walk(saved(scene[:, :, 0], quality=80))).sampling == "grey"


def test_the_layout_of_a_camera(scene):
    found = _layout.layout(walk(as_a_camera(scene, exif(scene))))
    assert (found.coding, found.tables, found.sampling) == ("standard", "together", "4:2:2")
    assert not found.libjpeg_order and found.jfif is None and found.exif == 0


# Claims


def test_claims_are_read_from_the_metadata(scene):
    claims = _claims.read(
        forensix.open(as_a_camera(scene, exif(scene, software="Adobe Photoshop 7.0"))).metadata
    )
    assert claims.camera == ("ACME", "Eye 1") and claims.exposure and claims.maker_note
    assert claims.size == (600, 400) and claims.changed_after == 0
    assert "photoshop" in claims.editors


def test_broken_metadata_claim_nothing():
    found = Metadata(
        exif={"0th": {271: 7, 272: None, 306: b"0000:00:00 00:00:00"}, "Exif": {40962: -4, 36867: b"x"}}
    )
    claims = _claims.read(found)
    assert claims == _claims.Claims(None, False, False, None, None, "", (), 0)


def test_acts_of_saving_in_xmp_are_counted():
    packet = (
        b'<x><rdf:li stEvt:action="saved" stEvt:softwareAgent="Adobe Photoshop CS6"/>'
        b'<rdf:li stEvt:action="opened"/><rdf:li stEvt:action="converted"/></x>'
    )
    claims = _claims.read(Metadata(xmp=packet))
    assert claims.saves == 2 and "photoshop" in claims.editors


# Thumbnail


def test_a_thumbnail_of_the_picture(scene):
    grey = scene.mean(axis=2)
    own = np.array(Image.fromarray(scene).resize((160, 107)))
    padded = np.zeros((120, 160, 3), np.uint8)
    padded[6:113] = own
    for thumbnail in (own, padded, np.rot90(own)):
        found = _thumbnail.likeness(thumbnail, grey[::4, ::4], size=(600, 400))
        assert found.same_shape and found.correlation > 0.9


def test_a_thumbnail_of_another_picture(scene):
    other = np.array(Image.fromarray(skimage.data.astronaut()).resize((160, 107)))
    assert _thumbnail.likeness(other, scene.mean(axis=2), size=(600, 400)).correlation < _signs.UNLIKE
    square = np.array(Image.fromarray(scene[:, :400]).resize((120, 120)))
    assert not _thumbnail.likeness(square, scene.mean(axis=2), size=(600, 400)).same_shape


@pytest.mark.parametrize("value", [0, 120])
def test_flat_and_black_thumbnails_tell_nothing(scene, value):
    found = _thumbnail.likeness(np.full((107, 160, 3), value, np.uint8), scene.mean(axis=2), size=(600, 400))
    assert found is None if value == 0 else found.correlation is None


# The verdict


def test_a_file_built_by_a_camera(scene):
    thumbnail = thumbnail_of(scene, quality=70)
    found = judged(as_a_camera(scene, exif(scene, thumbnail=thumbnail)))
    assert found.score < 0.05, found.explanation
    assert "the camera itself wrote" in found.explanation
    assert found.measurements["tables"] == "own"


def test_saving_it_again_with_its_metadata_lifts_the_score_above_the_cameras(scene):
    metadata = exif(scene, thumbnail=thumbnail_of(scene, quality=70))
    camera, again = judged(as_a_camera(scene, metadata)), judged(saved(scene, quality=85, exif=metadata))
    assert camera.score < 0.05 and again.score > 0.4


def test_stripped_files_of_a_library_are_not_a_cameras(scene):
    found = judged(saved(scene, quality=75))
    assert 0.5 < found.score < 0.99
    assert sign_names(found)["camera"] > 0 and found.measurements["quality"] == 75


def test_photoshops_tables_outweigh_intact_metadata(scene):
    table = np.array(JpegPresets.presets["high"]["quantization"][0]).reshape(8, 8)
    metadata = exif(scene, thumbnail=thumbnail_of(scene, quality=70))
    stream = io.BytesIO()
    Image.fromarray(scene).save(
        stream, "JPEG", qtables=JpegPresets.presets["high"]["quantization"], subsampling=0, exif=metadata
    )
    found = judged(stream.getvalue())
    assert found.score > 0.9 and "Adobe's" in found.explanation
    assert found.measurements["tables"] == "photoshop" and table[0, 0] == 6


def test_a_name_alone_decides_nothing(scene):
    plain = judged(as_a_camera(scene, exif(scene)))
    signed = judged(as_a_camera(scene, exif(scene, software="Adobe Photoshop CS6 (Windows)")))
    assert plain.score < signed.score < 0.5
    assert signed.measurements["claims"] and signed.measurements["claims_believed"] == _signs.DOUBTED_CLAIM


def test_a_name_counts_where_the_file_is_built_as_the_program_builds_it(scene):
    metadata = exif(scene, software="GIMP 2.10")
    assert (
        judged(saved(scene, quality=90, optimize=True, exif=metadata)).measurements["claims_believed"] == 0.7
    )


@pytest.mark.parametrize(
    ("changes", "name", "weight"),
    [
        ({"size": (3000, 2000)}, "exif size", 1.2),
        ({"size": (600, 400)}, "exif size", -0.3),
        ({"changed": "2021:01:01 00:00:00"}, "dates", 0.6),
        ({"note": None}, "maker note", 0.2),
    ],
)
def test_contradictions_in_the_metadata_are_signs(scene, changes, name, weight):
    assert sign_names(judged(as_a_camera(scene, exif(scene, **changes))))[name] == weight


def test_the_exif_size_of_a_turned_picture_says_nothing(scene):
    assert "exif size" not in sign_names(judged(as_a_camera(scene, exif(scene, size=(400, 600)))))


def test_a_thumbnail_of_something_else_is_a_sign(scene):
    thumbnail = thumbnail_of(skimage.data.astronaut(), quality=80)
    assert sign_names(judged(as_a_camera(scene, exif(scene, thumbnail=thumbnail))))["thumbnail"] == 0.8


def test_a_thumbnail_with_adobes_tables_is_a_sign(scene):
    thumbnail = thumbnail_of(scene, qtables=JpegPresets.presets["medium"]["quantization"])
    assert sign_names(judged(as_a_camera(scene, exif(scene, thumbnail=thumbnail))))["thumbnail tables"] > 0


def test_a_thumbnail_that_is_no_jpeg_is_no_failure(scene):
    metadata = exif(scene, thumbnail=thumbnail_of(scene, quality=70))
    frame = metadata.rindex(b"\xff\xc0")
    found = judged(as_a_camera(scene, metadata[:frame] + b"\xff\x00" * 40 + metadata[frame + 80 :]))
    assert sign_names(found)["thumbnail"] == 0.2


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"quality": 100}, {"subsampling": 0}, {"optimize": True}]
)
def test_all_kinds_of_jpeg_are_judged(scene, options):
    for pixels in (scene, scene[:, :, 0], scene[:8, :8]):
        assert 0 < judged(saved(pixels, **options)).score < 1


def test_a_cut_file_is_judged_as_far_as_it_goes(scene):
    data = as_a_camera(scene, exif(scene, thumbnail=thumbnail_of(scene, quality=70)))
    found = judged(data[: len(data) // 2])
    assert sign_names(found)["thumbnail"] == 0.2 and found.score < 0.5


def test_other_formats_are_refused(scene):
    stream = io.BytesIO()
    Image.fromarray(scene).save(stream, "PNG")
    with pytest.raises(NotApplicable, match="this is PNG"):
        judged(stream.getvalue())


# HEIF


def box(kind, payload):
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def heif(types, references):
    entries = b"".join(
        box(b"infe", struct.pack(">BBHHH4s", 2, 0, 0, nth + 1, 0, kind) + b"\x00")
        for nth, kind in enumerate(types)
    )
    items = box(b"iinf", struct.pack(">IH", 0, len(types)) + entries)
    links = box(b"iref", b"\x00" * 4 + b"".join(box(kind, b"\x00" * 6) for kind in references))
    return box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic") + box(b"meta", b"\x00" * 4 + items + links)


def test_the_items_of_a_heif_file_are_counted():
    camera = _heif.read(heif([b"hvc1"] * 48 + [b"grid", b"Exif"], [b"dimg", b"thmb"]))
    assert camera.brands == ("heic", "mif1", "heic") and camera.tiled and camera.thumbnail
    program = _heif.read(heif([b"hvc1"], []))
    assert not program.tiled and not program.thumbnail and program.types["hvc1"] == 1
    assert _signs.container_signs(camera).total < 0 < _signs.container_signs(program).total


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 50, heif([b"hvc1"] * 9, [b"dimg"])[:90], b"\x00\x00\x00\x01ftyp" * 9]
)
def test_damaged_boxes_are_left_out(data):
    assert not _heif.read(data).tiled
