"""Whatever is done to the bytes of a JPEG file, only a ForensixError may come out."""

import functools
import json

import numpy as np
import piexif
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from forensix.errors import ForensixError
from forensix.evidence import open_evidence
from tests.hostile import arithmetic, jpeg, saved, scene

MARKERS = [
    0x00,
    0xC0,
    0xC1,
    0xC2,
    0xC3,
    0xC4,
    0xC9,
    0xCA,
    0xCC,
    0xD0,
    0xD3,
    0xD8,
    0xD9,
    0xDA,
    0xDB,
    0xDC,
    0xDD,
    0xE0,
    0xE1,
    0xE2,
    0xEE,
    0xFE,
    0xFF,
]


@functools.cache
def seeds() -> tuple[bytes, ...]:
    small = scene(40, 56)
    exif = piexif.dump({"0th": {piexif.ImageIFD.Make: b"M", piexif.ImageIFD.XResolution: (72, 1)},
                        "Exif": {piexif.ExifIFD.ExposureTime: (1, 50)}, "GPS": {}, "1st": {piexif.ImageIFD.Compression: 6},
                        "thumbnail": jpeg(scene(16, 16))})  # fmt: skip
    return (
        jpeg(small), jpeg(small, progressive=True), jpeg(small, restart_marker_blocks=2),
        jpeg(small, progressive=True, restart_marker_rows=1), jpeg(small, exif=exif, icc_profile=bytes(200), comment=b"c"),
        saved(small, "JPEG", "CMYK"), jpeg(small[:, :, 0], quality=98), arithmetic(),
    )  # fmt: skip


PLACE = st.floats(0, 1, exclude_max=True)
CHANGE = st.one_of(
    st.tuples(st.just("flip"), PLACE, st.integers(0, 7)),
    st.tuples(st.just("set"), PLACE, st.integers(0, 255)),
    st.tuples(st.just("cut"), PLACE, st.just(0)),
    st.tuples(st.just("delete"), PLACE, st.integers(1, 300)),
    st.tuples(st.just("insert"), PLACE, st.integers(0, 255)),
    st.tuples(st.just("splice"), PLACE, st.integers(0, 10_000)),
    st.tuples(st.just("marker"), PLACE, st.sampled_from(MARKERS)),
    st.tuples(st.just("swap"), PLACE, st.integers(0, 10_000)),
)


def changed(data: bytes, change: tuple[str, float, int], other: bytes) -> bytes:
    kind, share, value = change
    if not data:
        return data
    at = int(share * len(data))
    marks = [n for n in range(len(data) - 1) if data[n] == 0xFF and data[n + 1] not in (0, 0xFF)]
    if kind in ("marker", "swap") and not marks:
        return data
    mark = marks[int(share * len(marks))] if marks else 0
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ 1 << value]) + data[at + 1 :]
    if kind == "set":
        return data[:at] + bytes([value]) + data[at + 1 :]
    if kind == "cut":
        return data[:at]
    if kind == "delete":
        return data[:at] + data[at + value :]
    if kind == "insert":
        return data[:at] + bytes([value]) * (1 + value % 5) + data[at:]
    if kind == "splice":
        start = value % len(other)
        return data[:at] + other[start : start + 150] + data[at + 60 :]
    if kind == "marker":
        return data[: mark + 1] + bytes([value]) + data[mark + 2 :]
    second = marks[value % len(marks)]
    first, second = min(mark, second), max(mark, second)
    return data[:first] + data[second:] + data[first:second]


def look_at_everything(data: bytes) -> None:
    """Open and use all views; anything but a ForensixError, also a warning, fails the test."""
    try:
        found = open_evidence(data)
    except ForensixError as error:
        assert str(error).isprintable()
        return
    assert found.rgb.shape == (found.height, found.width, 3)
    assert np.isfinite(found.luma).all()
    assert found.alpha is None or found.alpha.shape == found.luma.shape
    _ = found.thumbnail
    assert json.dumps(found.facts(), allow_nan=False)
    assert json.dumps(found.summary(), allow_nan=False)
    assert all(warning.isprintable() for warning in found.warnings)
    if found.format != "jpeg":
        return
    assert found.jpeg.decoded.shape == found.jpeg.frame.mcu_shape if not found.jpeg.frame.arithmetic else True
    try:
        assert tuple(p.shape[:2] for p in found.jpeg.coefficients) == found.jpeg.frame.block_shapes
        assert all(table.shape == (8, 8) for table in found.jpeg.quantization)
    except ForensixError:
        return


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 7), st.lists(CHANGE, min_size=1, max_size=6))
@example(0, [("cut", 0.0, 0)])
@example(1, [("marker", 0.9, 0xDA), ("marker", 0.5, 0xC4)])
@example(2, [("marker", 0.99, 0xD9)])
def test_mutated_jpegs(seed, changes):
    data = seeds()[seed]
    for change in changes:
        data = changed(data, change, seeds()[(seed + 1) % 8])
    look_at_everything(data)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_any_bytes_behind_a_jpeg_head(tail):
    look_at_everything(b"\xff\xd8\xff" + tail)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\x00", b"MM\x00*", b"RIFF\x30\x00\x00\x00WEBP", b"BM",
                        b"\x00\x00\x00\x18ftypheic", b"\x00\x00\x00\x18ftypavif"]), st.binary(max_size=200))  # fmt: skip
def test_any_bytes_behind_any_head(head, tail):
    look_at_everything(head + tail)
