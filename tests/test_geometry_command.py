"""``forensix geometry``, its file of points, its answers and its drawings."""

import io
import json
import sys
from copy import deepcopy
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
from PIL import Image

from forensix import cli
from forensix.cli.exits import Exit
from forensix.errors import PointsError
from forensix.geometry import examine_points, geometry_schema, points_schema, read_points
from tests.reference import pinhole
from tests.test_contour_light import outline, shaded


def posts(turned=()):
    return pinhole.posts(6, pinhole.sun(40, 35), np.random.default_rng(1), turned).round(3).tolist()


def document(turned=()):
    generator = np.random.default_rng(2)

    def lines(azimuth, count):
        along = np.array([np.sin(np.radians(azimuth)), 0, np.cos(np.radians(azimuth))])
        near = generator.uniform([-2, 0, 4], [2, 1, 8], (count, 3))
        return np.stack([pinhole.seen(near), pinhole.seen(near + 2.5 * along)], axis=1).round(3).tolist()

    mirrored = np.stack([generator.uniform(a, b, 5) for a, b in ((-1, 1), (0.2, 2), (3, 6))], axis=1)
    mirrored[:3, 1] = 0
    images = pinhole.seen(pinhole.mirrored(mirrored, np.array([0.8, 0, 0.6]), 4.5)).round(3).tolist()
    points = pinhole.seen(mirrored).round(3).tolist()
    return {
        "schema": "forensix.points/1",
        "noise": 1.5,
        "picture": {"rows": pinhole.ROWS, "cols": pinhole.COLS},
        "note": "made for a test",
        "shadows": [
            {"name": f"post {k}", "object": [top], "shadow": [foot]}
            for k, (top, foot) in enumerate(posts(turned))
        ],
        "directions": [
            {"name": "kerbs", "lines": lines(-30, 4)},
            {"name": "sign", "lines": lines(-30, 2), "same_as": "kerbs"},
            {"name": "wall", "lines": lines(30, 4)},
            {"name": "rails", "lines": lines(5, 4)},
        ],
        "horizon": ["kerbs", "wall", "rails"],
        "mirrors": [
            {
                "name": "shop window",
                "pairs": [
                    {"name": f"p{k}", "object": points[k], "image": images[k], "foot": k < 3}
                    for k in range(5)
                ],
            }
        ],
    }


def shadows_only(turned=()):
    return {k: v for k, v in document(turned).items() if k in ("schema", "noise", "picture", "shadows")}


@pytest.fixture
def forensix(capfdbinary, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*words, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = cli.main(["geometry", *words])
        out, err = capfdbinary.readouterr()
        return int(status), out, err.decode()

    return run


def write(path, content):
    path.write_text(json.dumps(content))
    return str(path)


def test_every_test_of_a_file_is_run_and_the_answer_follows_its_schema(forensix, tmp_path):
    points = write(tmp_path / "points.json", document())
    jsonschema.validate(document(), points_schema(), cls=jsonschema.Draft202012Validator)
    status, out, err = forensix(points, "--format", "json", "--runs", "199", "--alarm", "0.08")
    answer = json.loads(out)
    jsonschema.validate(answer, geometry_schema(), cls=jsonschema.Draft202012Validator)
    assert (status, err) == (Exit.DONE, "")
    assert [test["test"] for test in answer["tests"]] == [
        "shadows", "vanishing point", "same direction", "vanishing point", "vanishing point", "horizon",
        "reflection", "mirror foot",
    ]  # fmt: skip
    assert "inconsistent" not in {test["verdict"] for test in answer["tests"]}
    assert answer["tests"][0]["verdict"] == "consistent"
    rates = {test["false_alarm"]["asked"] for test in answer["tests"]}
    assert rates == {0.01}


def test_text_names_the_clash_and_the_status_follows_fail_on(forensix, tmp_path):
    marked = shadows_only((30,))
    points = write(tmp_path / "points.json", marked)
    status, out, _ = forensix(points)
    text = out.decode()
    assert status == Exit.DONE
    assert text.startswith("Together: inconsistent\n")
    assert "post 0" in text.split("clash")[1]
    assert forensix(points, "--fail-on", "inconsistent")[0] == Exit.FOUND
    calm = write(tmp_path / "calm.json", shadows_only())
    assert forensix(calm, "--fail-on", "inconsistent")[0] == Exit.DONE


def test_axes_may_be_x_y_and_stdin_may_be_read(forensix):
    marked = {"schema": "forensix.points/1", "shadows": document()["shadows"], "axes": "row-col"}
    swapped = deepcopy(marked)
    swapped["axes"] = "x-y"
    for shadow in swapped["shadows"]:
        for side in ("object", "shadow"):
            shadow[side] = [point[::-1] for point in shadow[side]]
    answers = [
        json.loads(forensix("-", "--format", "json", "--runs", "199", stdin=json.dumps(d).encode())[1])[
            "tests"
        ]
        for d in (marked, swapped)
    ]
    assert answers[0] == answers[1]


def test_pictures_show_the_image_and_the_points(forensix, tmp_path):
    marked = shadows_only((30,))
    image = np.full((pinhole.ROWS, pinhole.COLS, 3), 90, dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "scene.png")
    points = write(tmp_path / "points.json", marked)
    status, _, err = forensix(points, "--image", "scene.png", "--picture", "out.png", "--runs", "99")
    assert (status, err) == (Exit.DONE, "")
    with Image.open(tmp_path / "out.png") as drawn:
        colours = {colour for _, colour in drawn.convert("RGB").getcolors(1 << 24)}
        assert max(drawn.size) <= 1600
    assert {(90, 90, 90), (213, 0, 0)} <= colours
    assert forensix(points, "--picture", "out.svg", "--runs", "99")[0] == Exit.DONE
    root = ElementTree.parse(tmp_path / "out.svg").getroot()
    names = "".join(root.itertext())
    assert "post 0" in names
    assert forensix(points, "--picture", "out.gif")[0] == Exit.USAGE


def test_names_cannot_steer_a_terminal_or_a_picture(forensix, tmp_path):
    marked = shadows_only()
    marked["shadows"][0]["name"] = "\x1b[31m<script>&\u202e"
    points = write(tmp_path / "points.json", marked)
    status, out, _ = forensix(points, "--picture", "out.svg", "--runs", "199", "--noise", "60")
    assert status == Exit.DONE
    assert b"\x1b" not in out
    svg = (tmp_path / "out.svg").read_text("utf-8")
    assert "<script>" not in svg
    assert "\x1b" not in svg
    ElementTree.fromstring(svg)


def test_contours_need_a_picture(forensix, tmp_path):
    contours = [
        {"name": c.name, "points": c.points.tolist(), "inside": c.inside.tolist()}
        for c in (outline("left"), outline("right"))
    ]
    points = write(tmp_path / "p.json", {"schema": "forensix.points/1", "noise": 1, "contours": contours})
    status, _, err = forensix(points)
    assert status == Exit.USAGE
    assert "the picture" in err
    linear = shaded(60, 150)
    code = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    Image.fromarray(np.repeat(np.rint(255 * code).astype(np.uint8)[..., None], 3, 2)).save(tmp_path / "b.png")
    status, out, _ = forensix(points, "--image", "b.png", "--format", "json", "--picture", "b.svg")
    answer = json.loads(out)
    jsonschema.validate(answer, geometry_schema(), cls=jsonschema.Draft202012Validator)
    assert answer["verdict"] == "inconsistent"
    assert answer["image"]["rows"] == 300


def test_points_of_another_picture_are_refused_and_a_turned_one_is_noted(forensix, tmp_path):
    points = write(tmp_path / "points.json", shadows_only())
    Image.new("RGB", (40, 30)).save(tmp_path / "small.png")
    status, _, err = forensix(points, "--image", "small.png")
    assert status == Exit.USAGE
    assert "the points are of 800 rows and 1200 columns, the image has 30 and 40" in err
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (pinhole.COLS, pinhole.ROWS)).save(tmp_path / "turned.jpg", exif=turned)
    status, _, err = forensix(points, "--image", "turned.jpg", "--runs", "199")
    assert status == Exit.DONE
    assert "EXIF orientation (6)" in err


def test_files_that_cannot_be_read_end_with_their_status(forensix, tmp_path):
    status, out, err = forensix("nowhere.json")
    assert (status, out) == (Exit.USAGE, b"")
    assert err.count("\n") == 1 and "nowhere.json" in err
    points = write(tmp_path / "points.json", shadows_only())
    (tmp_path / "text.png").write_text("no image")
    for image in ("text.png", "absent.png"):
        status, out, err = forensix(points, "--image", image)
        assert (status, out) == (Exit.NONE_READ, b"")
        assert err.count("\n") == 1
    before = (tmp_path / "points.json").read_bytes()
    assert forensix(points, "--output", points, "--runs", "99")[0] == Exit.USAGE
    assert forensix(points, "--picture", "/nowhere/x.png", "--runs", "99")[0] == Exit.USAGE
    assert (tmp_path / "points.json").read_bytes() == before


def change(path, value):
    """The good document with one thing changed; value None takes it away."""
    bad = document()
    at = bad
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return bad


BAD = {
    "schema: wanted": (["schema"], "forensix.points/2"),
    "'schema' is missing": (["schema"], None),
    "'shade' is not known": (["shade"], []),
    "axes:": (["axes"], "y-x"),
    "noise: wanted a number": (["noise"], "2"),
    "noise is 0.01 to 1000": (["noise"], 0),
    "picture: 'cols' is missing": (["picture", "cols"], None),
    "picture.rows: wanted a whole number": (["picture", "rows"], 1.5),
    "note: wanted text": (["note"], 3),
    "shadows: wanted a list": (["shadows"], {}),
    "shadows[0]: wanted an object": (["shadows", 0], 5),
    "shadows[1]: 'object' is missing": (["shadows", 1, "object"], None),
    "shadows[1].kind": (["shadows", 1, "kind"], "core"),
    "shadows[1].object: wanted a list of 1 to 2 points": (["shadows", 1, "object"], []),
    "shadows[1].object[0]: a point is": (["shadows", 1, "object"], [[1, 2, 3]]),
    "shadows[1].object[0][1]: wanted a number, got true or false": (["shadows", 1, "object"], [[1, True]]),
    "shadows[1].object[0][0]: 1e+300 is out of range": (["shadows", 1, "object"], [[1e300, 2]]),
    "shadows[1].questioned": (["shadows", 1, "questioned"], 1),
    "shadows[1].name": (["shadows", 1, "name"], ""),
    "directions[0].lines: wanted": (["directions", 0, "lines"], []),
    "directions[0].lines[1]: wanted a list of 2 points": (["directions", 0, "lines", 1], [[1, 2]]),
    "directions[1].same_as": (["directions", 1, "same_as"], 4),
    "horizon: wanted": (["horizon"], [1]),
    "mirrors[0].pairs[2]: 'image' is missing": (["mirrors", 0, "pairs", 2, "image"], None),
    "mirrors[0].pairs[2].foot": (["mirrors", 0, "pairs", 2, "foot"], "yes"),
    "contours[0].points: wanted a list of 5 to 500": (
        ["contours"], [{"name": "c", "points": [[0, 0]], "inside": [0, 0]}]),
}  # fmt: skip


@pytest.mark.parametrize("message", BAD)
def test_what_is_wrong_is_said_on_one_line_and_the_schema_agrees(message):
    bad = change(*BAD[message])
    with pytest.raises(PointsError) as caught:
        read_points(json.dumps(bad))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, points_schema(), cls=jsonschema.Draft202012Validator)


def test_what_only_the_reader_can_see_is_refused_too():
    for message, path, value in (
        ("which is not there", ["directions", 1, "same_as"], "walls"),
        ("there is no direction", ["horizon"], ["walls"]),
        ("named twice", ["horizon"], ["wall", "wall"]),
    ):
        with pytest.raises(PointsError, match=message):
            read_points(json.dumps(change(path, value)))
    text = json.dumps(document()).replace("1.5", "NaN", 1)
    with pytest.raises(PointsError, match="NaN is not a number"):
        read_points(text)
    for broken in (b"", b"\xff\xfe", b"[" * 100000, b"[]", b"null", b'{"schema": 3}'):
        with pytest.raises(PointsError):
            read_points(broken)
    with pytest.raises(PointsError, match="at most 4000000 bytes"):
        read_points(b" " * 5_000_000)
    twice = document()
    twice["shadows"][1]["name"] = "post 0"
    with pytest.raises(PointsError, match="two have the name 'post 0'"):
        examine_points(read_points(json.dumps(twice)))
    with pytest.raises(PointsError, match="alarm is"):
        examine_points(read_points(json.dumps(shadows_only())), alarm=0)
    with pytest.raises(PointsError, match="nothing to test"):
        examine_points(read_points('{"schema": "forensix.points/1"}'))


def test_more_tests_than_the_rate_allows_are_refused_clearly():
    many = document()
    many["directions"] = [{**many["directions"][0], "name": f"d{k}"} for k in range(55)]
    many["horizon"] = []
    with pytest.raises(PointsError, match="split the file"):
        examine_points(read_points(json.dumps(many)))


def test_huge_integers_are_out_of_range():
    with pytest.raises(PointsError, match="out of range"):
        read_points(json.dumps(change(["shadows", 1, "object"], [[10**400, 2]])))
