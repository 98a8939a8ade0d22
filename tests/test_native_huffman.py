"""The scan decoder against an oracle written from the standard, against libjpeg, and on damage."""

import re
import struct

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.evidence.jpeg_data import JpegData
from forensix.native.huffman import code_tables, decode_scan
from tests.hostile import by_opencv, entropy_start, jpeg, scene, segment, without_restart
from tests.reference.huffman import ZIGZAG, code_table, coefficients, intervals

PICTURES = {
    "scene": scene(41, 77),
    "noise": np.random.RandomState(20250101).randint(0, 256, (33, 50, 3)).astype(np.uint8),
    "grey": scene(50, 33, 1),
    "flat": np.full((24, 24, 3), 90, np.uint8),
    "saturated": np.full((17, 9, 3), 255, np.uint8),
    "one row": scene(1, 100),
    "one column": scene(100, 1),
    "one pixel": scene(1, 1),
    "checkerboard": np.repeat(
        (np.indices((40, 40)).sum(axis=0) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2
    ),
}
SETTINGS = {
    "baseline": {},
    "fine": {"quality": 100, "subsampling": 0},
    "coarse": {"quality": 3},
    "optimized": {"optimize": True},
    "restarts": {"restart_marker_blocks": 3},
    "progressive": {"progressive": True},
    "fine progressive": {"progressive": True, "quality": 100, "subsampling": 1},
    "progressive restarts": {"progressive": True, "restart_marker_rows": 1},
}


def assert_same(found, expected):
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("picture", PICTURES)
def test_coefficients_are_those_of_the_reference(picture, setting):
    data = jpeg(PICTURES[picture], **SETTINGS[setting])
    found = JpegData(data)
    assert_same(found.coefficients, coefficients(data))
    assert found.troubles == ()
    assert found.decoded.all()
    assert all(plane.dtype == np.int16 and not plane.flags.writeable for plane in found.coefficients)


@pytest.mark.parametrize("factor", [0x411111, 0x211111, 0x221111, 0x121111, 0x111111])
@pytest.mark.parametrize("progressive", [0, 1])
def test_sampling_factors_against_libjpeg(tmp_path, factor, progressive):
    import cv2
    import jpeglib

    flags = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor, cv2.IMWRITE_JPEG_PROGRESSIVE, progressive)
    data = by_opencv(scene(43, 101), ".jpg", flags)
    (tmp_path / "a.jpg").write_bytes(data)
    theirs = jpeglib.read_dct(str(tmp_path / "a.jpg"))
    found = JpegData(data)
    assert_same(found.coefficients, [theirs.Y, theirs.Cb, theirs.Cr])
    assert_same(found.quantization, [theirs.get_component_qt(n) for n in range(3)])
    assert found.sampling == tuple(tuple(row) for row in theirs.samp_factor)


def code_words(data):
    """The binary word of each (table, symbol) of a file."""
    return {
        (number, symbol): word
        for number, counts, symbols in JpegData(data).structure.huffman
        for word, symbol in code_table(counts, symbols).items()
    }


def rescanned(data, interval=0):
    """A baseline file with one scan per component, written here from its coefficients."""
    frame = JpegData(data).frame
    words = code_words(data)
    out = [data[: data.index(b"\xff\xda")]]
    if interval:
        out.append(segment(0xDD, struct.pack(">H", interval)))
    for nth, plane in enumerate(coefficients(data)):
        table = min(nth, 1)
        head = bytes([1, frame.components[nth].id, table * 17, 0, 63, 0])
        out += [segment(0xDA, head), entropy_coded(plane.reshape(-1, 64), words, table, interval)]
    return b"".join([*out, b"\xff\xd9"])


def entropy_coded(blocks, words, table, interval):
    out, bits, last = [], "", 0
    for nth, block in enumerate(blocks):
        if interval and nth and nth % interval == 0:
            out += [stuffed(bits), bytes([0xFF, 0xD0 + (nth // interval - 1) % 8])]
            bits, last = "", 0
        bits += coded(words, table, 0, int(block[0]) - last)
        last, zeros = int(block[0]), 0
        for value in block[ZIGZAG[1:]]:
            if value == 0:
                zeros += 1
                continue
            bits += words[4 + table, 0xF0] * (zeros // 16) + coded(words, 4 + table, zeros % 16, int(value))
            zeros = 0
        bits += words[4 + table, 0] if zeros else ""
    return b"".join([*out, stuffed(bits)])


def coded(words, table, zeros, value):
    size = abs(value).bit_length()
    tail = value if value > 0 else value + (1 << size) - 1
    return words[table, zeros << 4 | size] + (f"{tail:0{size}b}" if size else "")


def stuffed(bits):
    bits += "1" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)).replace(b"\xff", b"\xff\x00")


@pytest.mark.parametrize("interval", [0, 5])
def test_scans_of_one_component(interval):
    data = jpeg(scene(41, 77))
    found = JpegData(rescanned(data, interval))
    assert_same(found.coefficients, coefficients(data))
    assert found.troubles == ()
    assert len(found.structure.scans) == 3


def restarting():
    """A file of 48 MCUs with a restart marker after each, and where its intervals begin."""
    data = jpeg(scene(96, 128), restart_marker_blocks=1)
    start = entropy_start(data)
    return data, [start, *(start + m.end() for m in re.finditer(rb"\xff[\xd0-\xd7]", data[start:]))]


def spoiled(data, starts, number, content):
    """The nth restart interval replaced."""
    stop = starts[number + 1] - 2 if number + 1 < len(starts) else len(data) - 2
    return data[: starts[number]] + content + data[stop:]


@pytest.mark.parametrize("number", [0, 17, 47])
@pytest.mark.parametrize(
    ("content", "what"),
    [(b"\xff\x00" * 12, "a code that is not in the Huffman table"), (b"", "the data end too early")],
)
def test_damage_is_placed_at_its_mcu(number, content, what):
    data, starts = restarting()
    bad = JpegData(spoiled(data, starts, number, content))
    (trouble,) = bad.troubles
    assert (trouble.mcu, trouble.lost, trouble.total, trouble.what) == (number, 1, 48, what)
    assert abs(trouble.position - starts[number]) <= 24
    lost = np.arange(48).reshape(6, 8) == number
    np.testing.assert_array_equal(bad.decoded, ~lost)
    whole = JpegData(data).coefficients
    for plane, intact, size in zip(bad.coefficients, whole, (2, 1, 1), strict=True):
        hole = np.kron(lost, np.ones((size, size), bool))
        np.testing.assert_array_equal(plane[~hole], intact[~hole])
        assert not plane[hole].any()


def test_too_many_coefficients_in_a_block():
    data, starts = restarting()
    words = code_words(data)
    content = stuffed(words[0, 0] + words[4, 0xF0] * 5)
    (trouble,) = JpegData(spoiled(data, starts, 5, content)).troubles
    assert (trouble.mcu, trouble.what) == (5, "more coefficients than a block has")


def test_lost_and_swapped_restart_markers():
    data = jpeg(scene(96, 128), restart_marker_blocks=4)
    whole = JpegData(data).coefficients[0]
    lost = JpegData(without_restart(data, 3))
    (trouble,) = lost.troubles
    assert (trouble.mcu, trouble.lost, trouble.what) == (16, 4, "a restart marker is missing or out of turn")
    rows = np.flatnonzero((lost.coefficients[0] != whole).any(axis=(1, 2, 3)))
    assert set(rows) <= {4, 5}  # MCUs 16 to 19 are in the third row of MCUs: the rest is in its place
    renumbered = data.replace(b"\xff\xd2", b"\xff\xd6", 1)
    again = JpegData(renumbered)
    assert again.troubles[0].mcu == 12
    np.testing.assert_array_equal(again.coefficients[0], whole)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.97])
def test_truncation_is_noticed_within_a_few_bytes(progressive, share):
    data = jpeg(scene(96, 128), quality=95, progressive=progressive)
    start = entropy_start(data)
    cut = start + int((len(data) - start) * share)
    found = JpegData(data[:cut])
    trouble = found.troubles[0]
    assert trouble.what == "the data end too early"
    assert cut - 8 <= trouble.position <= cut
    if not progressive:
        whole = JpegData(data).coefficients[0]
        done = np.kron(found.decoded, np.ones((2, 2), bool))
        np.testing.assert_array_equal(found.coefficients[0][done], whole[done])
        assert found.decoded.ravel()[: trouble.mcu].all()
        assert not found.decoded.ravel()[trouble.mcu :].any()
        assert 0 < trouble.mcu < 48


def test_no_byte_of_a_whole_file_is_left_over_and_missing_ones_show():
    data = jpeg(scene(96, 128))
    assert JpegData(data).troubles == ()
    extra = JpegData(data[:-2] + b"\x12\x34\x56\x78" + data[-2:])
    (trouble,) = extra.troubles
    assert trouble.what == "4 bytes that no MCU needs"
    assert trouble.position == len(data) - 2
    assert extra.decoded.all()


def test_fill_bytes_before_markers_are_no_damage():
    data = jpeg(scene(96, 128), restart_marker_blocks=4)
    filled = re.sub(rb"\xff[\xd0-\xd7\xd9]", lambda match: b"\xff\xff" + match.group(), data)
    found = JpegData(filled)
    assert found.troubles == ()
    assert_same(found.coefficients, coefficients(data))


def test_intervals_of_the_oracle_are_those_of_the_file():
    data, starts = restarting()
    assert len(intervals(data[starts[0] : -2])) == len(starts) == 48


def plan_of(rows, cols):
    return np.array([[0, rows, cols, 1, 1, 0, 0]], np.int64)


def run(**changes):
    arguments = {
        "data": np.zeros(10, np.uint8), "store": np.zeros((5, 64), np.int16), "start": 0, "end": 10,
        "plan": plan_of(2, 2), "units": 4, "unit_cols": 2, "interval": 0, "codes": code_tables({}),
    }  # fmt: skip
    arguments |= changes
    return decode_scan(arguments.pop("data"), arguments.pop("store"), **arguments)


def test_only_planned_rows_are_written():
    counts = bytes([0, 1] + [0] * 14)
    codes = code_tables({0: (counts, b"\x05"), 4: (counts, b"\x00")})
    store = np.full((7, 64), 77, np.int16)
    plan = np.array([[1, 2, 2, 1, 1, 0, 0]], np.int64)
    report = run(
        store=store, plan=plan, codes=codes, units=6, unit_cols=3, data=np.zeros(200, np.uint8), end=200
    )
    assert report.kind == 0
    assert report.decoded.all()
    assert (store[[0, 5]] == 77).all()
    assert (store[1:5, 1:] == 77).all()  # nothing but DC is in these data
    assert (store[1:5, 0] != 77).all()


def test_a_scan_without_any_code_is_damage_at_its_first_unit():
    report = run()
    assert (report.kind, report.unit, report.damaged) == (1, 0, 4)
    assert not report.decoded.any()


@pytest.mark.parametrize(
    "changes",
    [
        {"data": np.zeros(10, np.int16)},
        {"store": np.zeros((5, 64), np.int32)},
        {"store": np.zeros((4, 64), np.int16)},
        {"start": 6, "end": 5},
        {"end": 11},
        {"start": -1},
        {"units": 0},
        {"unit_cols": 0},
        {"plan": np.array([[0, 2, 2, 5, 1, 0, 0]])},
        {"plan": np.array([[0, 2, 2, 1, 1, 4, 0]])},
        {"plan": np.array([[-1, 2, 2, 1, 1, 0, 0]])},
        {"codes": np.zeros((8, 10), np.int32)},
        {"progressive": (5, 3, 0, 0)},
        {"progressive": (1, 64, 0, 0)},
        {"progressive": (0, 0, 14, 13)},
        {"interval": -1},
    ],
)
def test_contradictions_are_refused(changes):
    with pytest.raises(ParameterError):
        run(**changes)


@pytest.mark.parametrize(
    "table",
    [
        (bytes([3] + [0] * 15), b"abc"),
        (bytes(15), b""),
        (bytes([1] + [0] * 15), b""),
        (bytes(15) + b"\xff", b"x"),
    ],
)
def test_impossible_tables_are_refused(table):
    with pytest.raises(ParameterError):
        code_tables({0: table})
