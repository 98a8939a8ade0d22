"""Chains: how they are read, and what they do to pictures and masks."""

import io

import numpy as np
import pytest
from PIL import Image

from forensix.errors import ForgeryError, ParameterError
from forensix.forgery.chain import Picture, extension, parse_chain, platforms
from forensix.forgery.encode import decode, encode, jpeg_round
from forensix.forgery.planning import plan_set, read_set, set_cells, set_names, with_format
from forensix.forgery.travel import travel, travel_mask
from tests.forgery_photos import picture

WAY = {"camera": {}, "seed": 1, "key": ("test",)}


def steps(text):
    return parse_chain("edit, " + text).after


def test_a_chain_reads_as_it_is_written():
    text = "camera-jpeg, edit, jpeg:90:420, resize:0.7, messenger, png"
    chain = parse_chain(text)
    assert [s.name for s in chain.before] == ["camera-jpeg"]
    assert [s.name for s in chain.after] == ["jpeg", "resize", "platform", "png"]
    assert chain.text == text
    assert parse_chain("jpeg:80").text == "edit, jpeg:80"
    assert parse_chain("edit,crop:3:5 ,png").lossless
    assert not chain.lossless
    assert [extension(parse_chain(c)) for c in ("png", "jpeg:80", "messenger", "camera-jpeg", "tiff", "webp:70")] == [
        "png", "jpg", "jpg", "jpg", "tif", "webp",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "edit", "jpeg:90, edit", "edit, edit, png", "edit, jpeg", "edit, jpeg:0", "edit, jpeg:90:411", "edit, jpeg:x",
     "edit, crop:1, png", "edit, crop:-1:0, png", "edit, resize:9, png", "edit, resize:0.5:best, png", "edit, png:9",
     "edit, nosuch, png", "edit, resize:0.5", "edit, messenger:3", "edit, gaussian:sigma, png"],
)  # fmt: skip
def test_chains_that_make_no_sense_are_refused(text):
    with pytest.raises(ParameterError):
        parse_chain(text)


def test_every_platform_is_within_its_limits_and_has_a_source():
    for name, settings in platforms().items():
        assert settings["source"].count("http"), name
        large = np.repeat(np.repeat(picture("coffee.png", 64), 70, axis=0), 20, axis=1)
        sent = travel(Picture(large), steps(name), **WAY)
        assert max(sent.image.shape) == min(settings["max_side"], 4480)
        with Image.open(io.BytesIO(sent.data)) as file:
            reference = Image.open(
                io.BytesIO(encode(sent.image, file_format="jpeg", quality=settings["quality"]))
            )
            assert file.quantization == reference.quantization
        small = travel(Picture(picture("coffee.png", 128)), steps(name), **WAY)
        assert small.image.shape == (128, 128, 3)


def test_steps_do_what_they_say():
    image = picture("astronaut.png", 128)
    assert np.array_equal(travel(Picture(image), steps("crop:3:5, png"), **WAY).image, image[3:, 5:])
    assert np.array_equal(
        travel(Picture(image), steps("jpeg:70:444"), **WAY).image,
        jpeg_round(image, quality=70, sampling="444"),
    )
    assert travel(Picture(image), steps("resize:0.5:box, png"), **WAY).image.shape == (64, 64, 3)
    camera = {"tables": [[2] * 64, [9] * 64], "sampling": "422"}
    saved = travel(Picture(image), steps("camera-jpeg"), **{**WAY, "camera": camera})
    with Image.open(io.BytesIO(saved.data)) as file:
        assert file.quantization == {0: [2] * 64, 1: [9] * 64}
        assert file.layer[0][1:3] == (2, 1)
    noisy = [travel(Picture(image), steps("noise:sigma=3, png"), **WAY).image for _ in range(2)]
    assert np.array_equal(*noisy)
    assert 2.5 < np.std(noisy[0].astype(float) - image) < 3.5
    with pytest.raises(ForgeryError, match="too small for the chain"):
        travel(Picture(image), steps("resize:0.2, png"), **WAY)


@pytest.mark.parametrize("file_format", ["png", "tiff", "bmp"])
def test_lossless_formats_are(file_format):
    image = picture("chelsea.png", 96)
    assert np.array_equal(decode(encode(image, file_format=file_format)), image)
    grey = np.repeat(image[..., :1], 3, axis=2)
    with Image.open(io.BytesIO(encode(grey, file_format=file_format, grey=True))) as file:
        assert file.mode == "L"
        assert np.array_equal(np.array(file), grey[..., 0])


@pytest.mark.parametrize("text", ["resize:0.6, png", "resize:1.7:bilinear, png", "crop:5:2, resize:0.5:box, png",
                                  "gaussian:sigma=1, png"])  # fmt: skip
def test_a_change_spreads_no_further_than_the_margin_says(text):
    mask = np.zeros((150, 160), bool)
    mask[60:75, 70:95] = True
    image = picture("motorcycle_left.png", 160)[:150]
    changed = image.copy()
    changed[mask] = 255 - changed[mask]
    one, other = (travel(Picture(p), steps(text), **WAY).image for p in (image, changed))
    sent, margin = travel_mask(mask, 0, steps(text))
    differs = np.any(one != other, axis=2)
    rows, cols = np.nonzero(sent)
    allowed = np.zeros_like(sent)
    allowed[rows.min() - margin : rows.max() + 1 + margin, cols.min() - margin : cols.max() + 1 + margin] = (
        True
    )
    assert not np.any(differs & ~allowed)
    assert np.mean(differs[sent]) > 0.95


def test_a_format_replaces_the_last_encoding_or_follows():
    assert with_format("edit, resize:0.5, jpeg:80", "png", replace=True) == "edit, resize:0.5, png"
    assert with_format("edit, jpeg:80", "png", replace=False) == "edit, jpeg:80, png"


@pytest.mark.parametrize("name", set_names())
def test_standard_sets_are_sound(name):
    document = read_set(name)
    assert document["name"] == name
    assert document["question"].endswith("?")
    photos = [f"photo-{i}.jpg" for i in range(3)]
    small, full = plan_set(name, photos, scale="small"), plan_set(name, photos, scale="full")
    assert 4 <= len(small) <= 20
    assert len(full) == len(set_cells(document)) * document["scales"]["full"]["per_cell"]
    assert len({recipe.name for recipe in full}) == len(full)
    first = [r for r in full if r.index == 0]
    assert len(first) == len(set_cells(document))
    assert len({(r.host, r.donor) for r in first}) == 1, "cells are to differ in nothing but what is varied"
    assert len({(r.chain, r.donor_chain, str(r.parameters)) for r in first}) == len(first)
