"""Drawings and screenshots: what repeats or has sharp borders there is no sign of a change."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

import forensix
from forensix import detectors
from forensix.signal.drawings import is_drawn

WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
]


def screenshot():
    """A window with a title, a menu, lines of words that come again, and boxes."""
    rng = np.random.default_rng(5)
    image = Image.new("RGB", (760, 480), (245, 246, 248))
    drawing = ImageDraw.Draw(image)
    drawing.rectangle((0, 0, 760, 40), fill=(40, 44, 52))
    drawing.rectangle((0, 40, 150, 480), fill=(230, 232, 238))
    for top in range(56, 470, 22):
        drawing.text((165, top), " ".join(rng.choice(WORDS, 10)), fill=(30, 30, 30))
        drawing.text((12, top), " ".join(rng.choice(WORDS, 2)), fill=(60, 60, 90))
    for nth in range(3):
        drawing.rectangle((620, 70 + 110 * nth, 720, 140 + 110 * nth), fill=(90 + 50 * nth, 120, 160))
    return image


def opened(image, *, qualities=()):
    for quality in qualities:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=quality)
        image = Image.open(stream)
        data = stream.getvalue()
    if not qualities:
        stream = io.BytesIO()
        image.save(stream, "PNG")
        data = stream.getvalue()
    return forensix.open(data)


@pytest.mark.parametrize("qualities", [(), (63, 87)])
@pytest.mark.parametrize(
    "name", ["copy-move-blocks", "copy-move-keypoints", "copy-move-dense", "cut-rectangles"]
)
def test_a_screenshot_is_no_sign_of_a_change(name, qualities):
    evidence = opened(screenshot(), qualities=qualities)
    assert is_drawn(evidence.luma)
    finding = detectors.load(name).detect(evidence)
    assert finding.score is None or finding.score < 0.5
    assert finding.regions == ()


def test_smooth_blocks_of_a_jpeg_are_no_copies():
    rows, cols = np.indices((700, 900))
    picture = np.dstack([cols * 255 // 900, rows * 255 // 700, (rows + cols) * 255 // 1600]).astype(np.uint8)
    finding = detectors.load("copy-move-dense").detect(opened(Image.fromarray(picture), qualities=(63, 87)))
    assert finding.score is None or finding.score < 0.5


def test_photos_are_not_drawn():
    from skimage import data

    for picture in (data.astronaut(), data.coffee(), data.rocket()):
        assert not is_drawn(opened(Image.fromarray(picture)).luma)
        assert not is_drawn(opened(Image.fromarray(picture), qualities=(75,)).luma)


def test_black_and_white_are_not_counted_as_even():
    luma = np.full((200, 200), 255, np.float32)
    luma[:100] = 0
    assert not is_drawn(luma)
    assert is_drawn(np.full((200, 200), 128, np.float32))
