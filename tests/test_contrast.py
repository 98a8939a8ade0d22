"""Areas whose levels were spread by a curve."""

import functools
import io

import cv2
import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.detectors.splicing import _level_cells as cells
from forensix.detectors.splicing import _level_curve as curves
from forensix.detectors.splicing import _level_patterns as patterns
from forensix.detectors.splicing import contrast
from forensix.errors import NotApplicable, ParameterError
from tests.reference import level_gaps as reference

BOX = np.s_[160:352, 192:416]


@functools.cache
def photo(name="astronaut"):
    from skimage import data

    pixels = np.ascontiguousarray(getattr(data, name)())
    pixels.flags.writeable = False
    return pixels


@functools.cache
def textured(seed=3, side=640):
    """Detail of many scales and noise in three channels, all levels in use; (side, side, 3) uint8."""
    rng = np.random.default_rng(seed)
    picture = 120 + rng.normal(0, 3, (side, side, 3)).astype(np.float32)
    for sigma, spread in ((3.0, 15), (12.0, 25), (40.0, 35)):
        grain = cv2.GaussianBlur(rng.normal(0, 1, picture.shape).astype(np.float32), (0, 0), sigma)
        picture += spread / grain.std() * grain
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def gamma(pixels, exponent):
    return np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)[pixels]


def stretched(pixels, low, high):
    table = np.rint(np.clip((np.arange(256) - low) * 255 / (high - low), 0, 255))
    return table.astype(np.uint8)[pixels]


CURVES = {
    "gamma 0.7": lambda pixels: gamma(pixels, 0.7),
    "gamma 1.4": lambda pixels: gamma(pixels, 1.4),
    "levels": lambda pixels: stretched(pixels, 20, 230),
}


def partly(pixels, changed, box=BOX):
    result = pixels.copy()
    result[box] = changed[box]
    return result


def opened(pixels, kind="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return forensix.open(buffer.getvalue())


def overlap(finding, shape, box=BOX):
    found, truth = finding.heatmap.full_size(*shape) > 0.5, np.zeros(shape, bool)
    truth[box] = True
    return 2 * np.count_nonzero(found & truth) / (found.sum() + truth.sum())


def test_levels_are_counted_as_the_reference_counts_them():
    channel = np.random.default_rng(1).integers(90, 130, (70, 100)).astype(np.uint8)
    channel[channel == 104] = 105
    channel[40:50] = 111
    counts, whole = cells.level_counts(channel)
    assert counts.shape == (2, 3, 256) and whole.sum() == channel.size
    nats = cells.emptiness(counts)
    for row, col in ((0, 0), (1, 2)):
        expected = reference.fresh_counts(channel, 32 * row, 32 * col, 32)
        assert counts[row, col].tolist() == expected
        for level in (0, 91, 103, 104, 105, 110, 111, 129, 255):
            own = reference.empty_nats(expected, level, cells.STRAY, cells.LEAST, cells.MOST)
            assert nats[row, col, level] == pytest.approx(own, abs=1e-4)
    assert nats[0, 0, 104] == cells.MOST and nats[0, 0, 110] < 0


@pytest.mark.parametrize("name", list(CURVES))
def test_a_part_with_another_curve_is_found_where_it_is(name):
    pixels = textured()
    finding = contrast.detect(opened(partly(pixels, CURVES[name](pixels))))
    assert finding.score > 0.5 and "grey levels were spread or squeezed by a curve" in finding.explanation
    assert overlap(finding, pixels.shape[:2]) > (0.65 if name == "gamma 0.7" else 0.8)
    assert finding.measurements["areas"][0]["levels_emptied_inside"] is True
    assert not finding.measurements["whole_picture"]["stretched"]


def test_what_is_squeezed_is_found_by_heaped_levels_and_named():
    pixels = textured()
    finding = contrast.detect(opened(partly(pixels, gamma(pixels, 1.2))))
    area = finding.measurements["areas"][0]
    assert finding.score > 0.5 and overlap(finding, pixels.shape[:2]) > 0.8
    assert area["pattern"] == ["gamma", pytest.approx(1.2, abs=0.021)]
    assert "gamma 1.2" in finding.explanation


def test_patterns_are_what_the_curve_makes_of_even_levels():
    tried, ratios = patterns.patterns()
    assert ratios.shape == (len(tried), 256)
    number = tried.index(patterns.Pattern("gain", 1.1))
    counts = np.bincount(np.minimum(np.floor(np.arange(256) * 1.1 + 0.5), 255).astype(int), minlength=256)
    for level in (16, 60, 100):
        around = (counts[level - 2] + counts[level - 1] + counts[level + 1] + counts[level + 2]) / 4
        assert ratios[number, level] == pytest.approx(max(counts[level] / around, cells.STRAY))
    even = patterns.even_levels(np.full((2, 2, 256), 5, np.uint16))
    assert (patterns.pattern_odds([even]) < 0).all()
    even = patterns.even_levels(np.round(8 * ratios[number]).astype(np.uint16)[None, None])
    assert int(patterns.pattern_odds([even])[0].argmax()) == number


def test_one_channel_alone_is_not_decided_on():
    pixels = textured()
    forged = pixels.copy()
    forged[BOX][..., 0] = gamma(pixels, 1.4)[BOX][..., 0]
    assert contrast.detect(opened(forged)).score is None


def test_a_part_that_the_curve_missed_is_found():
    pixels = textured()
    finding = contrast.detect(opened(partly(gamma(pixels, 1.4), textured(5))))
    assert finding.score > 0.5 and "did not go through that change" in finding.explanation
    assert overlap(finding, pixels.shape[:2]) > 0.8


def test_grey_pictures_too():
    grey = np.ascontiguousarray(textured()[..., 1])
    finding = contrast.detect(opened(partly(grey, stretched(grey, 40, 200))))
    assert finding.score > 0.5 and overlap(finding, grey.shape) > 0.7


@pytest.mark.parametrize("exponent", [0.6, 0.8, 1.2, 2.2])
def test_gamma_of_a_whole_picture_is_history(exponent):
    finding = contrast.detect(opened(gamma(textured(), exponent)))
    whole = finding.measurements["whole_picture"]
    assert finding.score < 0.5 and not finding.regions and whole["stretched"]
    assert (
        whole["gamma"] == pytest.approx(exponent, abs=0.025) and "no sign of tampering" in finding.explanation
    )
    assert np.nanmax(finding.heatmap.values) <= 0.5


def test_a_straight_stretch_of_a_whole_picture_is_history():
    finding = contrast.detect(opened(stretched(textured(), 20, 230)))
    low, high = finding.measurements["whole_picture"]["stretched_from"]
    assert (
        finding.score < 0.5 and high - low == 210 and finding.measurements["whole_picture"]["gamma"] is None
    )


def test_energy_of_the_histogram_rises_with_gaps():
    plain, spread = (np.bincount(p.ravel(), minlength=256) for p in (textured(), gamma(textured(), 1.4)))
    assert curves.high_frequencies(spread) > 5 * curves.high_frequencies(plain)
    assert curves.high_frequencies(np.zeros(256)) == 0


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket", "camera"])
def test_photos_stay_dark(name):
    finding = contrast.detect(opened(photo(name)))
    assert finding.score < 0.5 and not finding.regions
    assert np.nanmax(finding.heatmap.values) <= 0.5


def test_what_filled_the_gaps_again_is_not_found():
    pixels = textured()
    forged = partly(pixels, gamma(pixels, 1.4))
    smaller = cv2.resize(forged, None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA)
    finding = contrast.detect(opened(smaller))
    assert finding.score < 0.5 and not finding.regions


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_pictures_cannot_be_told(level):
    finding = contrast.detect(opened(np.full((200, 200, 3), level, np.uint8)))
    assert finding.score is None and finding.explanation.startswith("Cannot tell")


def test_made_pictures_do_not_alarm():
    rng = np.random.default_rng(8)
    down, across = np.indices((320, 320))
    made = {
        "noise": rng.integers(0, 256, (320, 320, 3)),
        "checks": np.repeat(((down // 9 + across // 9) % 2 * 200 + 20)[..., None], 3, axis=2),
        "gradient": np.repeat((across * 255 // 319)[..., None], 3, axis=2),
        "banded noise": rng.integers(0, 40, (320, 320, 3)) * 6,
        "dark": np.clip(rng.normal(4, 3, (320, 320, 3)), 0, 255),
        "clipped": np.clip(rng.normal(250, 40, (320, 320, 3)), 0, 255),
    }
    for name, pixels in made.items():
        finding = contrast.detect(opened(pixels.astype(np.uint8)))
        assert finding.score is None or finding.score < 0.5, name


def test_what_does_not_apply_says_why():
    pixels = textured()
    with pytest.raises(NotApplicable, match="JPEG compression fills"):
        contrast.detect(opened(pixels, "JPEG", quality=95))
    with pytest.raises(NotApplicable, match="128 x 128"):
        contrast.detect(opened(np.zeros((127, 600, 3), np.uint8)))
    with pytest.raises(NotApplicable, match="palette"):
        contrast.detect(opened(np.asarray(Image.fromarray(pixels).quantize(64).convert("RGB"))))
    with pytest.raises(NotApplicable, match="8-bit"):
        contrast.detect(opened((pixels[..., 0].astype(np.uint16) << 8) + 7))
    with pytest.raises(ParameterError, match="32 x 32"):
        contrast.contrast([np.zeros((1, 300), np.uint8)])
    with pytest.raises(ParameterError, match="one size"):
        contrast.contrast([np.zeros((64, 64), np.uint8), np.zeros((64, 96), np.uint8)])
