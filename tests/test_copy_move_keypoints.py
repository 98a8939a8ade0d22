"""Copy-move by keypoints: made forgeries are found, originals and hostile pictures are not called."""

import io

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

import forensix
from forensix.detectors.copy_move import _likeness, _pairs, keypoints
from forensix.errors import NotApplicable, ParameterError


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def jpeg(pixels, quality):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def found(data):
    return keypoints.detect(forensix.open(data))


def marked(finding, shape):
    return finding.heatmap.full_size(*shape[:2]) > 0.5


def f1(mask, truth):
    return 2 * np.count_nonzero(mask & truth) / (np.count_nonzero(mask) + np.count_nonzero(truth))


def pasted(image, *, source=(60, 200), target=(330, 40), side=110, turn=0.0, scale=1.0, mirror=False):
    """The image with a round piece pasted elsewhere, and the mask of both places."""
    height, width = image.shape[:2]
    rows, cols = np.mgrid[:height, :width]
    centre = np.array(source) + side / 2
    disc = np.hypot(rows - centre[0], cols - centre[1]) < side / 2
    matrix = cv2.getRotationMatrix2D((centre[1], centre[0]), turn, scale)
    if mirror:
        matrix = matrix @ np.array([[-1, 0, 2 * centre[1]], [0, 1, 0], [0, 0, 1]])
    matrix[:, 2] += np.array(target)[::-1] - np.array(source)[::-1]
    moved = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC)
    place = cv2.warpAffine(disc.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST) > 0
    return np.where(place[..., None], moved, image), disc | place


@pytest.mark.parametrize(
    ("change", "quality"),
    [
        ({}, None),
        ({}, 75),
        ({"turn": 30.0}, 85),
        ({"scale": 0.8}, 85),
        ({"scale": 1.25, "turn": -70.0}, 90),
        ({"mirror": True}, 90),
    ],
)
def test_a_copy_is_found_and_outlined(change, quality):
    forged, truth = pasted(skimage.data.astronaut(), **change)
    finding = found(png(forged) if quality is None else jpeg(forged, quality))
    assert finding.score > 0.9
    assert f1(marked(finding, forged.shape), truth) > 0.8
    assert finding.regions and all(region.role == "tampered" for region in finding.regions)
    assert "copies of each other" in finding.explanation


def test_several_copies_of_one_thing():
    image = skimage.data.coffee()
    forged, truth = pasted(image, source=(40, 60), target=(270, 30), side=100)
    forged, second = pasted(forged, source=(40, 60), target=(150, 480), side=100)
    finding = found(png(forged))
    assert finding.score > 0.9
    assert f1(marked(finding, forged.shape), truth | second) > 0.8


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket", "camera"])
def test_untouched_photos_are_not_called(name):
    image = getattr(skimage.data, name)()
    finding = found(jpeg(image, 90))
    assert finding.score < 0.5
    assert np.nanmax(finding.heatmap.values) <= 0.5
    assert finding.regions == ()


def brick_wall(rows=300, cols=400):
    row, col = np.mgrid[:rows, :cols]
    course = row // 20
    mortar = (row % 20 < 2) | ((col + 20 * (course % 2)) % 40 < 2)
    return np.where(mortar, 200, 110).astype(np.uint8)


def hostile():
    noise = np.random.default_rng(0)
    checks = (np.indices((256, 256)).sum(axis=0) // 16 % 2 * 255).astype(np.uint8)
    return {
        "flat": np.full((200, 200), 128, np.uint8),
        "black": np.zeros((200, 300), np.uint8),
        "white": np.full((300, 200), 255, np.uint8),
        "noise": noise.integers(0, 256, (256, 256)).astype(np.uint8),
        "checkerboard": checks,
        "fine checkerboard": (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8),
        "brick wall": brick_wall(),
        "brick photo": np.clip(brick_wall() + noise.normal(0, 4, (300, 400)), 0, 255).astype(np.uint8),
        "stripes": np.tile((np.arange(256) // 8 % 2 * 255).astype(np.uint8), (256, 1)),
        "ramp": np.tile(np.arange(256, dtype=np.uint8), (256, 1)),
    }


@pytest.mark.parametrize("name", list(hostile()))
def test_pictures_without_a_copy_are_never_called(name):
    finding = found(png(hostile()[name]))
    assert finding.score is None or finding.score < 0.5
    assert finding.regions == ()
    assert not (finding.heatmap.values > 0.5).any()
    assert finding.explanation


def test_repeats_are_reported_as_such():
    for name in ("checkerboard", "brick wall", "brick photo", "stripes"):
        assert "repeats" in found(png(hostile()[name])).explanation


def test_a_flat_picture_cannot_be_told():
    finding = found(png(hostile()["flat"]))
    assert finding.score is None
    assert "too smooth" in finding.explanation
    assert np.isnan(finding.heatmap.values).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (63, 500), (40, 40)])
def test_tiny_pictures_do_not_apply(shape):
    with pytest.raises(NotApplicable, match="64 x 64"):
        found(png(np.zeros(shape, np.uint8)))


def test_large_pictures_are_examined_on_a_coarser_grid_and_outlined_at_full_size():
    image = cv2.resize(skimage.data.astronaut(), (2048, 2048), interpolation=cv2.INTER_CUBIC)
    forged, truth = pasted(image, source=(300, 800), target=(1300, 200), side=400)
    finding = found(jpeg(forged, 90))
    assert finding.parameters["grid_cell"] == 2 and finding.heatmap.cell == 1
    assert finding.score > 0.9
    assert f1(marked(finding, forged.shape), truth) > 0.8


def test_the_same_picture_gives_the_same_finding():
    forged, _ = pasted(skimage.data.astronaut(), turn=20.0)
    data = jpeg(forged, 80)
    one = found(data)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        two = found(data)
    finally:
        cv2.setNumThreads(threads)
    assert one == two
    assert one.heatmap == two.heatmap


def test_find_pairs_refuses_what_it_cannot_use():
    with pytest.raises(ParameterError, match="at least 64"):
        keypoints.find_pairs(np.zeros((10, 200), np.float32))


def test_scores_rise_as_false_alarms_become_rarer():
    scores = [_pairs.score_of(value) for value in (3.0, 0.0, -2.0, -4.0, -9.0)]
    assert scores == sorted(scores)
    assert _pairs.score_of(np.log10(_likeness.ALARMS)) == 0.5
    assert scores[0] > 0
    assert scores[-1] < 1
