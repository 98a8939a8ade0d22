"""Reports are pure functions of the document: complete, escaped, and self-contained."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.batch import Settings, examine
from forensix.pictures import largest_within, layer_png, pictures_of_scan, side_for
from forensix.report import html, pdf, text
from forensix.report.escape import printable
from forensix.report.facts import flat, outline
from forensix.report.pictures import Pictures
from forensix.report.words import size_in_words, support, times
from forensix.result import ScanResult
from tests import fake_methods
from tests.fake_methods import CALM, FORGED, picture


@pytest.fixture(autouse=True)
def small_registry(monkeypatch):
    fake_methods.install(monkeypatch.setitem, monkeypatch.setattr)


@pytest.fixture
def forged(tmp_path):
    """A result and its pictures; its name and its methods try to break out."""
    path = picture(tmp_path / "a <b> & \x1b[31m'\"\u202e.png", FORGED)
    examined = examine(
        str(path), Settings(preset="thorough", side=1600, argv=("forensix", "scan", str(path)))
    )
    return examined.result, examined.pictures


@pytest.fixture
def unreadable(tmp_path):
    (tmp_path / "note.jpg").write_text("this is a text")
    return examine(str(tmp_path / "note.jpg"), Settings()).result, Pictures()


VOID = {"meta", "input", "br", "hr", "link", "img"}


class Page(HTMLParser):
    """Checks nesting while it reads; keeps elements, text and where links point."""

    def __init__(self, page):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def test_a_page_is_well_formed_and_loads_nothing(forged, unreadable):
    page = Page(html.render([forged, unreadable]))
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "action", "data", "poster"):
            target = attributes.get(name, "#")
            assert target.startswith(("#", "data:image/"))
            if target.startswith("#") and target != "#":
                assert target[1:] in ids
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert len(page.all("script")) == len(page.all("style")) == 1


def test_the_policy_allows_the_page_s_own_script_and_style_only(forged):
    content = html.render([forged])
    policy = next(a["content"] for a in Page(content).all("meta") if "http-equiv" in a)
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for tag in ("script", "style"):
        [inside] = re.findall(rf"<{tag}>(.*?)</{tag}>", content, re.S)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("several", [True, False])
def test_a_page_is_accessible(forged, unreadable, several):
    page = Page(html.render([forged, unreadable] if several else [forged]))
    assert page.all("html")[0]["lang"] == "en"
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(headings))
    for attributes in page.all("svg"):
        assert attributes.get("aria-hidden") == "true" or (
            attributes["role"] == "img" and len(attributes["aria-label"]) > 10
        )


def test_a_page_says_everything(forged, unreadable):
    result, _ = forged
    content = html.render([forged, unreadable])
    page = Page(content)
    for words in (
        "integrity: inconsistent (splicing)",
        "A patch of 24 x 16 px stands out (4.5 sigma) <script>alert(1)</script>.",
        "Moderate support for a changed picture (20 times, log10 LR +1.30). Rests on patch.",
        "score 0.97",
        "settings.seen true",
        "blocks [6, 48]",
        "cell 8",
        "doi:10.1000/182",
        "unsuited does not apply needs a JPEG file",
        "silent cannot tell The picture is too flat to tell.",
        r"broken failed ZeroDivisionError: an accident with \x1b[31mcolours",
        result.evidence["sha256"],
        result.evidence["md5"],
        result.evidence["pixel_sha256"],
        result.tool["libraries"]["numpy"],
        "forensix scan ",
        "How to read this page",
        "could not be read",
        unreadable[0].error["message"],
    ):
        assert words in page.text
    assert "<script>alert" not in content and "\x1b" not in content and "\u202e" not in content
    assert r"a <b> & \x1b[31m'" in page.text and r"\u202e.png" in page.text


def test_a_page_shows_every_map_without_its_script(forged):
    result, pictures = forged
    page = Page(html.render([forged]))
    assert set(pictures.layers) == {"fused", "mask", "patch"}
    used = [a["href"] for a in page.all("use")]
    for name in pictures.layers:
        assert f"#file-1-layer-{name}" in used
    assert len(page.all("image")) == 1 + len(pictures.layers)
    [outline] = [a for a in page.all("rect") if "region" in a.get("class", "")]
    box = result.findings[0].regions[0].box
    assert [int(outline[k]) for k in ("y", "x", "height", "width")] == list(box)
    assert page.all("form")[0].get("hidden", "absent") is None
    photo = base64.b64decode(page.all("image")[0]["href"].split(",")[1])
    assert Image.open(io.BytesIO(photo)).size == (64, 48)


def test_a_page_without_pictures_says_why(forged):
    result, _ = forged
    page = Page(html.render([(result, Pictures(missing=("The picture cannot be shown: it is gone.",)))]))
    assert "it is gone" in page.text and not page.all("image") and not page.all("form")


def test_a_page_of_many_files_has_contents_and_smaller_pictures(forged, unreadable):
    page = Page(html.render([forged, unreadable, forged]))
    assert [a["href"] for a in page.all("a")] == ["#file-1", "#file-2", "#file-3"]
    assert side_for(1) == 1600 and side_for(20) < side_for(8) and side_for(200) < side_for(40)


def test_many_regions_do_not_flood_a_page(forged):
    result, pictures = forged
    region = result.findings[0].regions[0]
    flooded = result.with_(findings=(result.findings[0].with_(regions=(region,) * 5000),))
    page = Page(html.render([(flooded, pictures)]))
    assert "5000 regions" in page.text and len(page.all("rect")) <= 200


def test_a_saved_document_gives_the_same_reports(forged):
    result, pictures = forged
    again = ScanResult.from_json(result.to_json())
    assert html.render([(again, pictures)]) == html.render([forged])
    assert text.render(again) == text.render(result)
    assert pdf.render([(again, pictures)]) == pdf.render([forged])


def test_a_pdf_is_one(forged, unreadable):
    content = pdf.render([forged, unreadable])
    assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b", content)) >= 2
    # The photo, and each map twice: its colours and its opacity.
    assert content.count(b"/Subtype /Image") >= 4
    without = pdf.render([(forged[0], Pictures())])
    assert without.startswith(b"%PDF-") and b"/Subtype /Image" not in without


def test_a_pdf_of_a_tall_and_of_a_wide_picture(tmp_path):
    for rows, cols in ((8, 2000), (2000, 8), (8, 8)):
        path = picture(tmp_path / f"{rows}.png", CALM, rows=rows, cols=cols)
        examined = examine(str(path), Settings(side=400))
        assert pdf.render([(examined.result, examined.pictures)]).startswith(b"%PDF-")
        assert max(examined.pictures.width, examined.pictures.height) <= 400
        assert "no picture" not in html.render([(examined.result, examined.pictures)])


def test_printable_text_stays_on_its_line():
    everything = "".join(map(chr, [*range(0x20000), *range(0xE0000, 0xE0200), 0x10FFFF]))
    shown = printable(everything)
    assert shown.translate(dict.fromkeys(map(ord, "\u00a0\u202f\u3000"))).isprintable()
    shown.encode("utf-8")
    assert printable(shown) == shown


def test_text_that_needs_no_escape_is_not_changed():
    assert printable("Größe 图 é 4 × 5 — “ok”") == "Größe 图 é 4 × 5 — “ok”"
    assert printable("a\tb\nc\x1b\x9b\u202e\udcff\U000e0001") == r"a\tb\nc\x1b\x9b\u202e\udcff\U000e0001"


@pytest.mark.parametrize(
    ("log10_lr", "question", "words"),
    [
        (None, "integrity", "cannot tell"),
        (0.0, "integrity", "no support either way"),
        (0.3, "integrity", "no support either way"),
        (0.302, "integrity", "weak support for a changed picture"),
        (-0.5, "integrity", "weak support for an untouched picture"),
        (1.0, "origin", "moderate support for a generator"),
        (-2.5, "history", "moderately strong support for a camera original"),
        (4.0, "history", "very strong support for a file saved again"),
    ],
)
def test_weights_in_words(log10_lr, question, words):
    assert support(log10_lr, question) == words


def test_numbers_in_words():
    assert [times(x) for x in (0, 0.301, -1, 1.301, 2.5, 4)] == [
        "1.0 times", "2.0 times", "10 times", "20 times", "320 times", "10,000 times"
    ]  # fmt: skip
    assert [size_in_words(n) for n in (None, 0, 999, 1000, 4_100_000, 10**13)] == [
        "unknown size", "0 bytes", "999 bytes", "1.0 kB", "4.1 MB", "10000.0 GB"
    ]  # fmt: skip
    assert flat({"a": {"b": 1, "c": [1.5, None]}, "d": "x", "e": {}}) == [
        ("a.b", "1"), ("a.c", "[1.5, null]"), ("d", "x")
    ]  # fmt: skip


def test_a_map_made_small_keeps_the_smallest_find():
    grey = np.full((3001, 4007), 40, np.uint8)
    grey[1234, 987] = 250
    small = largest_within(grey, 400)
    assert max(small.shape) == 400 and small.max() == 250 and np.count_nonzero(small > 40) == 1
    row, col = np.argwhere(small == 250)[0]
    assert abs(row * 3001 / small.shape[0] - 1234) < 11 and abs(col * 4007 / 400 - 987) < 11
    assert largest_within(np.zeros((1, 5000), np.uint8), 400).shape == (1, 400)
    assert largest_within(grey[:50, :70], 400) is not None and largest_within(grey[:50, :70], 400).shape == (
        50,
        70,
    )


def test_a_layer_is_blue_and_faint_below_the_decision_and_warm_above():
    rgba = np.asarray(
        Image.open(io.BytesIO(layer_png(np.arange(256, dtype=np.uint8)[None]))).convert("RGBA")
    )[0]
    red, _, blue, opacity = rgba.astype(int).T
    assert opacity[0] == 0 and (opacity[:128] <= 60).all() and (opacity[128:] >= 128).all()
    assert (blue[:128] > red[:128]).all() and (red[128:] > blue[128:]).all()


def test_the_photo_is_not_stretched(tmp_path):
    path = picture(tmp_path / "wide.png", rows=40, cols=4000)
    evidence = forensix.open(path)
    pictures = pictures_of_scan(evidence, forensix.scan(evidence), side=1600)
    assert (pictures.width, pictures.height) == (1600, 16)
    assert Image.open(io.BytesIO(pictures.photo)).size == (1600, 16)


def test_facts_in_an_outline():
    facts = {
        "file": {"size": 10, "name": None},
        "tables": [{"id": 0, "exact": True, "rows": [[1, 20], [3, 4]]}, {"id": 1, "words": ["a", "b"]}],
        "pairs": [[1, 2], [3, 4]],
        "warnings": [],
    }
    assert list(outline(facts)) == [
        (0, "file", ""),
        (1, "size", "10"),
        (1, "name", "none"),
        (0, "tables", ""),
        (1, "1", "id 0, exact yes"),
        (1, "", " 1 20"),
        (1, "", " 3  4"),
        (1, "2", "id 1, words a, b"),
        (0, "pairs", ""),
        (1, "", "1, 2"),
        (1, "", "3, 4"),
        (0, "warnings", "none"),
    ]
    assert "id 0, exact yes" in text.render_facts({"path": "a", **facts})


def test_values_of_any_length_can_be_drawn(tmp_path):
    path = picture(tmp_path / "a.png", FORGED)
    examined = examine(str(path), Settings(side=100, argv=("forensix", *["\udcff" * 99] * 999)))
    finding = examined.result.findings[0].with_(
        measurements={"many": list(range(9999)), "n" * 999: "\u202e" * 9999}, explanation="words " * 9999
    )
    result = examined.result.with_(findings=(finding,))
    assert pdf.render([(result, examined.pictures)]).startswith(b"%PDF-")
    page = Page(html.render([(result, examined.pictures)]))
    assert "characters; the document has all" in page.text and "9998" not in page.text
