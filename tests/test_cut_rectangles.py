import io

import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.detectors.splicing import cut_rectangles as cuts
from forensix.errors import NotApplicable, ParameterError

BOX = (143, 121, 150, 186)


def photo(name="astronaut"):
    from skimage import data

    return np.ascontiguousarray(getattr(data, name)())


def pasted(pixels, box=BOX, *, soft=0):
    """Another part of the picture, upside down, in a box whose border is `soft` pixels wide."""
    top, left, rows, cols = box
    alpha = np.zeros(pixels.shape[:2])
    alpha[top : top + rows, left : left + cols] = 1
    if soft:
        from scipy.ndimage import uniform_filter

        alpha = uniform_filter(alpha, soft)
    other = np.roll(pixels[::-1], 90, 1)
    return np.rint(pixels * (1 - alpha[..., None]) + other * alpha[..., None]).astype(np.uint8)


def encoded(pixels, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return forensix.open(buffer.getvalue())


@pytest.mark.parametrize("kind, options", [("PNG", {}), ("JPEG", {"quality": 60}), ("JPEG", {"quality": 95})])
def test_finds_a_pasted_rectangle_to_the_pixel(kind, options):
    finding = cuts.detect(encoded(pasted(photo()), kind, **options))
    assert finding.score > 0.9
    assert [region.box for region in finding.regions] == [BOX]
    inside = finding.heatmap.full_size(*photo().shape[:2]) > 0.5
    assert np.count_nonzero(inside) == BOX[2] * BOX[3]
    assert inside[BOX[0], BOX[1]] and not inside[BOX[0] - 1, BOX[1]]


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket", "camera", "page", "brick"])
@pytest.mark.parametrize("quality", [None, 50])
def test_silent_on_untouched_photos(name, quality):
    evidence = encoded(photo(name), "JPEG", quality=quality) if quality else encoded(photo(name), "PNG")
    finding = cuts.detect(evidence)
    assert finding.score < 0.4
    assert finding.regions == ()
    assert (finding.heatmap.values <= 0.5).all()


def test_silent_on_soft_borders():
    assert cuts.detect(encoded(pasted(photo(), soft=5), "PNG")).score < 0.4


def test_a_page_of_boxes_is_no_photo():
    pixels = np.full((1000, 1000), 250, np.uint8)
    for top in (40, 370, 700):
        for left in (40, 370, 700):
            pixels[top : top + 240, left : left + 240] = 90
    finding = cuts.detect(encoded(pixels, "PNG"))
    assert finding.score is None
    assert "page" in finding.explanation
    assert finding.regions == ()


@pytest.mark.parametrize(
    "luma",
    [
        np.zeros((64, 64)),
        np.full((80, 300), 255.0),
        np.indices((128, 128)).sum(axis=0) % 2 * 255.0,
        np.indices((130, 200))[1] // 8 % 2 * 200.0,
        np.indices((130, 200))[1] * 1.0,
        np.random.default_rng(3).integers(0, 256, (256, 256)) * 1.0,
    ],
)
def test_nothing_in_degenerate_pictures(luma):
    assert cuts.cut_rectangles(luma.astype(np.float32))[0] == []


def test_sharp_runs_against_plain_loops():
    generator = np.random.default_rng(5)
    luma = generator.normal(100, 3, (29, 40)).astype(np.float32)
    luma[:, 17:] += 60
    hits, chances = cuts.sharp_runs(luma)
    assert hits.shape == (3, 40)
    for run in range(3):
        rows = luma[8 * run : 8 * run + 8].astype(float)
        step = [0] + [np.mean([abs(row[c] - row[c - 1]) for row in rows]) for c in range(1, 40)]
        for c in range(40):
            near = [step[c + s] for s in (-3, -2, -1, 1, 2, 3) if 0 <= c + s < 40]
            assert hits[run, c] == (step[c] > 2 * (max(near) + 1) and step[c] > 3)
    assert hits[:, 17].all() and hits.sum() == 3
    np.testing.assert_allclose(chances[[1, 17]], 1.5 * 3 / 15)
    assert chances[0] == cuts.LEAST_CHANCE


def test_too_small_does_not_apply():
    with pytest.raises(NotApplicable, match="64 x 64"):
        cuts.detect(encoded(np.zeros((63, 200, 3), np.uint8), "PNG"))


def test_refuses_what_is_not_a_picture():
    with pytest.raises(ParameterError):
        cuts.cut_rectangles(np.zeros((4, 4, 3), np.float32))


@pytest.mark.parametrize("kind, options", [("PNG", {}), ("JPEG", {"quality": 80})])
def test_a_frame_around_the_photo_is_no_paste(kind, options):
    framed = np.pad(photo(), ((24, 24), (24, 24), (0, 0)), constant_values=250)
    assert cuts.detect(encoded(framed, kind, **options)).score < 0.5
    # A paste inside the frame is found as before.
    top, left, rows, cols = BOX
    framed = np.pad(pasted(photo()), ((24, 24), (24, 24), (0, 0)), constant_values=250)
    finding = cuts.detect(encoded(framed, kind, **options))
    assert finding.score > 0.9
    assert [region.box for region in finding.regions] == [(top + 24, left + 24, rows, cols)]
