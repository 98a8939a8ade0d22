import io

import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.detectors.jpeg import _primary_steps as primary
from forensix.detectors.jpeg import double_quantization as dq
from forensix.detectors.jpeg._history_map import FREQUENCIES, history_map
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence.jpeg_quality import ijg_table


def photo():
    from skimage import data

    return data.astronaut()[:448, :512]


def saved(pixels, quality, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, **options)
    return buffer.getvalue()


def decoded(jpeg):
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def spliced(first, last, *, box=(160, 96, 128, 160)):
    """A photo saved twice, but for a box of pixels that were never saved before; and its twin."""
    top, left, rows, cols = box
    once = decoded(saved(photo(), first))
    forged = once.copy()
    forged[top : top + rows, left : left + cols] = np.roll(photo(), 37, 1)[
        top : top + rows, left : left + cols
    ]
    truth = np.zeros(once.shape[:2], bool)
    truth[top : top + rows, left : left + cols] = True
    return saved(forged, last), saved(once, last), truth


def found(finding, shape):
    values = finding.heatmap.full_size(*shape)
    return np.nan_to_num(values, nan=0) > 0.5


def f1(predicted, truth):
    return 2 * np.count_nonzero(predicted & truth) / (np.count_nonzero(predicted) + np.count_nonzero(truth))


@pytest.mark.parametrize("first, last", [(60, 90), (75, 95), (90, 96)])
def test_finds_the_part_that_was_saved_once(first, last):
    forged, twin, truth = spliced(first, last)
    finding = dq.detect(forensix.open(forged))
    assert finding.score > 0.9
    assert finding.measurements["majority"] == "twice"
    assert abs(finding.measurements["primary_quality"] - first) <= 1
    assert f1(found(finding, truth.shape), truth) > 0.9
    assert finding.regions[0].role == "tampered"
    authentic = dq.detect(forensix.open(twin))
    assert authentic.score < 0.5
    assert not found(authentic, truth.shape).any()
    assert authentic.regions == ()


def test_finds_the_only_part_that_was_saved_twice():
    top, left, rows, cols = 160, 96, 128, 160
    pixels = photo().copy()
    pixels[top : top + rows, left : left + cols] = decoded(saved(photo(), 60))[
        top : top + rows, left : left + cols
    ]
    finding = dq.detect(forensix.open(saved(pixels, 92)))
    truth = np.zeros(pixels.shape[:2], bool)
    truth[top : top + rows, left : left + cols] = True
    assert finding.score > 0.9
    assert finding.measurements["majority"] == "once"
    assert f1(found(finding, truth.shape), truth) > 0.9


@pytest.mark.parametrize("quality", [40, 75, 92, 100])
def test_silent_on_a_photo_saved_once(quality):
    finding = dq.detect(forensix.open(saved(photo(), quality)))
    assert finding.score is None or finding.score < 0.5
    assert finding.regions == ()
    assert not found(finding, photo().shape[:2]).any()


@pytest.mark.parametrize("first, last", [(90, 70), (80, 80), (95, 60), (50, 98)])
def test_silent_on_a_photo_saved_twice_as_a_whole(first, last):
    finding = dq.detect(forensix.open(saved(decoded(saved(photo(), first)), last)))
    assert finding.score is None or finding.score < 0.5
    assert finding.regions == ()


def test_progressive_and_unsampled_files_read_alike():
    forged, _, _ = spliced(65, 93)
    again = saved(decoded(saved(photo(), 65, subsampling=0)), 93, subsampling=0, progressive=True)
    assert dq.detect(forensix.open(again)).measurements["primary_quality"] in (64, 65, 66)
    assert dq.detect(forensix.open(forged)).score > 0.9


def test_does_not_apply_to_png():
    buffer = io.BytesIO()
    Image.fromarray(photo()).save(buffer, "PNG")
    with pytest.raises(NotApplicable, match="JPEG"):
        dq.detect(forensix.open(buffer.getvalue()))


@pytest.mark.parametrize("shape", [(1, 1), (40, 40), (1, 700), (700, 1)])
def test_too_small_cannot_tell(shape):
    finding = dq.detect(forensix.open(saved(np.full((*shape, 3), 90, np.uint8), 80)))
    assert finding.score is None
    assert finding.explanation


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_pictures_are_not_judged(value):
    finding = dq.detect(forensix.open(saved(np.full((200, 300, 3), value, np.uint8), 90)))
    assert finding.score is None
    assert finding.measurements["judged_fraction"] == 0
    assert np.isnan(finding.heatmap.values).all()


def test_grey_files_and_odd_sizes():
    grey = photo()[:301, :283].mean(axis=2).astype(np.uint8)
    once = np.asarray(Image.open(io.BytesIO(saved(grey, 60))))
    finding = dq.detect(forensix.open(saved(once, 90)))
    assert abs(finding.measurements["primary_quality"] - 60) <= 1
    assert finding.heatmap.full_size(301, 283).shape == (301, 283)
    assert finding.score < 0.5


def test_the_same_file_gives_the_same_answer():
    forged, _, _ = spliced(70, 92)
    assert dq.detect(forensix.open(forged)) == dq.detect(forensix.open(forged))


def test_coefficients_are_not_changed():
    evidence = forensix.open(spliced(70, 92)[0])
    before = evidence.jpeg.coefficients[0].copy()
    dq.detect(evidence)
    np.testing.assert_array_equal(evidence.jpeg.coefficients[0], before)


def test_history_map_refuses_shapes_that_do_not_fit():
    blocks, all_whole, none_clipped = (
        np.zeros((4, 5, 8, 8), np.int16),
        np.ones((4, 5), bool),
        np.zeros((4, 5)),
    )
    with pytest.raises(ParameterError):
        history_map(blocks, np.ones((8, 7), int), whole=all_whole, clipped=none_clipped)
    with pytest.raises(ParameterError):
        history_map(blocks, np.ones((8, 8), int), whole=all_whole.T, clipped=none_clipped)


@pytest.mark.parametrize("margin", [1, 3, 8])
def test_clipped_share_by_value(margin):
    for value in range(256):
        block = np.full((8, 8, 3), 100, np.uint8)
        block[3, 5:7, 1] = value
        expected = 2 / 64 if value <= margin or value >= 255 - margin else 0
        assert dq.clipped_share(block, margin=margin)[0, 0] == expected


def test_clipped_share_of_cut_edges():
    pixels = np.full((17, 26, 3), 100, np.uint8)
    pixels[16, 25, 0] = 255
    pixels[0, 0] = 0
    pixels[0, 8:16, 2] = 255
    expected = np.zeros((3, 4))
    expected[2, 3], expected[0, 0], expected[0, 1] = 1 / 2, 1 / 64, 8 / 64 / 255
    np.testing.assert_allclose(dq.clipped_share(pixels), expected)


def test_primary_steps_of_simulated_coefficients():
    generator = np.random.default_rng(7)
    frequencies = FREQUENCIES
    first = ijg_table(70)[frequencies[:, 0], frequencies[:, 1]]
    last = ijg_table(90)[frequencies[:, 0], frequencies[:, 1]]
    values = generator.laplace(0, 12, (20_000, len(first)))
    once = np.abs(np.rint(values / last)).astype(int)
    twice = np.abs(
        np.rint((np.rint(values / first) * first + generator.normal(0, 0.3, values.shape)) / last)
    ).astype(int)

    def counts(levels):
        return np.stack(
            [np.bincount(np.minimum(c, primary.LEVELS), minlength=primary.LEVELS + 1)[:-1] for c in levels.T]
        )

    np.testing.assert_array_equal(
        primary.estimate_primary_steps(counts(twice), last, frequencies).steps, first
    )
    assert primary.estimate_primary_steps(counts(twice), last, frequencies).quality == 70
    assert not primary.estimate_primary_steps(counts(once), last, frequencies).known


@pytest.mark.parametrize("first, last", [(63, 87), (70, 90)])
def test_flat_blocks_do_not_speak_by_their_mean_values(first, last):
    # Samples of a flat block round alike, off the multiples of the first save's step.
    picture = ((photo().astype(int) + np.roll(photo(), (3, 5), (0, 1))) // 2).astype(np.uint8)
    greys = np.random.default_rng(3).integers(60, 200, (20, 20))
    picture[160:320, 96:256] = np.kron(greys, np.ones((8, 8)))[..., None]
    finding = dq.detect(forensix.open(saved(decoded(saved(picture, first)), last)))
    assert finding.measurements["majority"] == "twice"
    assert finding.score < 0.5 and finding.regions == ()
