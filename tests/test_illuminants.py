"""Faces and the colour of the light on them."""

import functools
import io

import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.detectors.splicing import _face_light as light
from forensix.detectors.splicing import illuminants
from forensix.detectors.splicing._faces import find_faces
from forensix.errors import NotApplicable, ParameterError
from tests.reference import face_light as reference
from tests.special_pictures import PICTURES

FACE = (62, 169, 107, 107)  # of the astronaut
WARMER = (1.0, 0.72, 0.4)


@functools.cache
def astronaut():
    from skimage import data

    pixels = data.astronaut()
    pixels.flags.writeable = False
    return pixels


def beside(change):
    """The astronaut's head twice, the second time mirrored and changed; (260, 480, 3) uint8."""
    head = astronaut()[10:270, 100:340]
    return np.ascontiguousarray(np.hstack([head, change(head[:, ::-1])]))


@functools.cache
def judged(kind):
    factors = {"same": (1.0, 1.0, 1.0), "darker": (0.7, 0.7, 0.7), "warmer": WARMER}[kind]
    return illuminants.detect(forensix.open(beside(lambda head: reference.relit(head, factors))))


def luma(rgb):
    return (rgb @ np.array([0.299, 0.587, 0.114])).astype(np.float32)


def test_the_face_is_found():
    (found,) = find_faces(luma(astronaut()))
    assert np.allclose(found, FACE, atol=12)
    assert find_faces(luma(astronaut()[:, ::-1]))[0] == pytest.approx(
        (FACE[0], 512 - 169 - 107, 107, 107), abs=12
    )


def test_the_face_is_found_in_a_larger_picture():
    large = luma(astronaut()).repeat(3, axis=0).repeat(3, axis=1)
    assert np.allclose(find_faces(large)[0], 3 * np.array(FACE), atol=36)


def test_no_faces_where_there_are_none():
    rng = np.random.default_rng(5)
    for picture in (
        np.zeros((200, 200)), np.full((200, 200), 255.0), np.indices((200, 200)).sum(0) % 2 * 255.0,
        rng.uniform(0, 255, (300, 300)), np.zeros((1, 500)), np.zeros((500, 1)), np.zeros((5, 5)),
        luma(astronaut())[::-1], *(luma(made()) for made in PICTURES.values()),
    ):  # fmt: skip
        assert find_faces(picture.astype(np.float32)) == []
    with pytest.raises(ParameterError, match="luma"):
        find_faces(np.zeros((9, 9, 3), np.float32))


@pytest.mark.parametrize(("order", "norm"), [(1, 1.0), (0, 5.0), (1, 6.0)])
def test_grey_edge_is_that_of_the_reference(order, norm):
    rng = np.random.default_rng(7)
    linear = rng.uniform(0, 1, (24, 31, 3)).astype(np.float32) * np.array([0.9, 0.6, 0.3], np.float32)
    used = rng.random((24, 31)) < 0.5
    expected = reference.grey_edge(linear, used, order, norm)
    assert np.allclose(light.grey_edge(linear, used, order=order, norm=norm), expected, atol=2e-4)
    with pytest.raises(ParameterError, match="order"):
        light.grey_edge(linear, used, order=2, norm=norm)


def test_grey_edge_without_any_edge():
    flat = np.full((8, 8, 3), 0.25, np.float32)
    assert np.allclose(light.grey_edge(flat, np.ones((8, 8), bool), order=1, norm=1.0), 3**-0.5)
    with pytest.raises(ParameterError, match="no pixel"):
        light.light_colours(flat, np.zeros((8, 8), bool))


@pytest.mark.parametrize("true", [(1.0, 1.0, 1.0), (1.0, 0.75, 0.45), (0.7, 0.9, 1.0)])
def test_inverse_intensity_finds_the_light_of_what_shines(true):
    surface = np.array([0.55, 0.3, 0.2]) * np.array(true)
    pixels = reference.shining(true, surface, 1000, np.random.default_rng(2))[0]
    # Each pixel in a square of its own colour, so that smoothing leaves the middles as they are.
    spaced = np.broadcast_to(pixels[:, None, None], (1000, 9, 9, 3)).reshape(9000, 9, 3)
    used = np.zeros(spaced.shape[:2], bool)
    used[4::9, 4] = True
    found = light.inverse_intensity(np.ascontiguousarray(spaced), used)
    assert light.angle(found, np.array(true) / np.linalg.norm(true)) < 3
    assert light.angle(surface / np.linalg.norm(surface), np.array(true) / np.linalg.norm(true)) > 15


def test_two_faces_in_the_same_light():
    for kind in ("same", "darker"):
        finding = judged(kind)
        assert finding.score < 0.25 and not finding.decided
        assert finding.measurements["degrees"] < 6
        assert "as much as different skins" in finding.explanation


def test_one_face_in_a_warmer_light():
    finding = judged("warmer")
    measured = finding.measurements
    assert 0.35 < finding.score <= 0.5
    assert measured["degrees"] > 14
    low, high = measured["degrees_interval"]
    assert 10 < low < measured["degrees"] < high
    assert "more than skins" in finding.explanation and "no more" in finding.explanation
    by_box = sorted(measured["faces"], key=lambda face: face["box"][1])
    # The light that was changed by known factors is changed by them in the estimate.
    before, after = (np.array(face["light"]["grey_edge"]) for face in by_box)
    expected = before * WARMER
    assert np.allclose(after, expected / expected.sum(), atol=0.03)


def test_the_map_shows_the_faces_and_never_decides():
    finding = judged("warmer")
    shown = finding.heatmap.full_size(260, 480)
    for face in finding.measurements["faces"]:
        top, left, rows, cols = face["box"]
        assert shown[top + rows // 2, left + cols // 2] == pytest.approx(finding.score, abs=0.05)
    assert np.nanmax(shown) <= 0.5 and np.isnan(shown).mean() > 0.5
    assert finding.regions == ()


@pytest.mark.parametrize("orientation", [3, 6, 8, 5])
def test_pictures_stored_on_their_side(orientation):
    upright = beside(lambda head: reference.relit(head, WARMER))
    stored = {
        3: lambda p: np.rot90(p, 2), 6: lambda p: np.rot90(p, 1), 8: lambda p: np.rot90(p, 3),
        5: lambda p: p.transpose(1, 0, 2),
    }[orientation](upright)  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(stored)).save(buffer, format="JPEG", quality=97, exif=exif)
    evidence = forensix.open(buffer.getvalue())
    assert evidence.orientation == orientation
    finding = illuminants.detect(evidence)
    assert finding.measurements["degrees"] == pytest.approx(judged("warmer").measurements["degrees"], abs=3)
    for face in finding.measurements["faces"]:
        top, left, rows, cols = face["box"]
        assert top >= 0 and left >= 0 and top + rows <= stored.shape[0] and left + cols <= stored.shape[1]
        # The middle of a face is skin: red above green above blue.
        red, green, blue = stored[top + rows // 2 - 9 :, left + cols // 2 - 9 :][:18, :18].mean(axis=(0, 1))
        assert red > green > blue


def test_where_it_does_not_apply():
    def reason(pixels):
        with pytest.raises(NotApplicable) as refused:
            illuminants.detect(forensix.open(pixels))
        return str(refused.value)

    assert "only one was found" in reason(astronaut())
    assert "has none" in reason(np.repeat(astronaut()[..., :1], 3, axis=2))
    assert "none was found" in reason(np.zeros((1, 300, 3), np.uint8) + np.uint8([9, 8, 7]))
    clipped = beside(lambda head: np.where(head > 150, 255, head).astype(np.uint8))
    assert "only one was left" in reason(clipped)
    tinted = np.stack([luma(astronaut())] * 3, axis=2) * np.array([1, 0.9, 0.7])
    toned = np.hstack([tinted, tinted]).astype(np.uint8)  # a sepia print has one colour everywhere
    assert "none was left" in reason(toned)
    for made in PICTURES.values():
        assert "none was found" in reason(made())


def test_array_function_refuses():
    with pytest.raises(ParameterError, match="rgb"):
        illuminants.illuminants(astronaut()[..., 0], [FACE])
    with pytest.raises(ParameterError, match="does not lie"):
        illuminants.illuminants(astronaut(), [(500, 0, 40, 40)])
    alone = illuminants.illuminants(astronaut(), [FACE])
    assert len(alone.faces) == 1 and alone.apart.shape == (1, 1)
    assert illuminants.illuminants(np.zeros((50, 50, 3), np.uint8), [(0, 0, 50, 50)]).faces == ()


def test_three_faces_name_the_odd_one():
    heads = np.hstack([beside(lambda head: head), reference.relit(astronaut()[10:270, 100:340], WARMER)])
    finding = illuminants.detect(forensix.open(np.ascontiguousarray(heads)))
    faces = finding.measurements["faces"]
    odd = faces[finding.measurements["strangest_face"]]
    assert len(faces) == 3 and odd["box"][1] > 480
    assert "Of the 3 faces" in finding.explanation
