import io

import numpy as np
import pytest
from PIL import Image

import forensix
from forensix.detectors.jpeg import _resaves as resaves
from forensix.detectors.jpeg import convergence
from forensix.errors import NotApplicable


def photo():
    """A picture that was never a JPEG: two views averaged off each other's grid, and fine noise."""
    from skimage import data

    picture = data.astronaut()[:448, :512].astype(float)
    noise = np.random.default_rng(11).normal(0, 4, picture.shape[:2])[..., None]
    return np.clip((picture + np.roll(picture, (3, 5), (0, 1))) / 2 + noise, 4, 251).astype(np.uint8)


def saved(pixels, quality, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, **options)
    return buffer.getvalue()


def decoded(jpeg):
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def spliced(quality, **options):
    """A photo saved twice alike, but for a box that was never saved before; its twin; the box."""
    once = decoded(saved(photo(), quality, **options))
    forged, truth = once.copy(), np.zeros(once.shape[:2], bool)
    truth[144:304, 96:272] = True
    forged[truth] = np.roll(photo(), 37, 1)[truth]
    return saved(forged, quality, **options), saved(once, quality, **options), truth


@pytest.mark.parametrize("quality, subsampling", [(95, 2), (97, 0)])
def test_finds_the_part_that_was_saved_once(quality, subsampling):
    forged, twin, truth = spliced(quality, subsampling=subsampling)
    finding = convergence.detect(forensix.open(forged))
    assert finding.score > 0.9
    marked = np.nan_to_num(finding.heatmap.full_size(*truth.shape)) > 0.5
    assert 2 * np.count_nonzero(marked & truth) / (marked.sum() + truth.sum()) > 0.75
    assert finding.regions[0].role == "tampered"
    assert "saved only once" in finding.explanation
    authentic = convergence.detect(forensix.open(twin))
    assert authentic.score < 0.5 and authentic.regions == ()
    assert np.nanmax(authentic.heatmap.values) <= 0.5


@pytest.mark.parametrize("quality", [60, 85, 95, 100])
def test_says_nothing_of_a_photo_saved_once(quality):
    finding = convergence.detect(forensix.open(saved(photo(), quality)))
    assert finding.score is None and finding.regions == ()
    assert finding.heatmap is None or not np.any(finding.heatmap.values > 0.5)
    assert "Nothing shows" in finding.explanation


def test_counts_match_a_plain_count():
    data = saved(photo(), 96)
    jpeg = forensix.open(data).jpeg
    image = Image.open(io.BytesIO(data))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", qtables=image.quantization, subsampling=2)
    again = forensix.open(buffer.getvalue()).jpeg
    counted = resaves.changes_on_saving(decoded(data), jpeg.coefficients, resaves.Encoding.of(jpeg))
    assert counted.seen.shape == (3, 28, 32)
    for row, col in ((0, 0), (5, 17), (27, 31)):
        blocks = np.s_[2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
        luma = jpeg.coefficients[0][blocks] != again.coefficients[0][blocks]
        assert counted.seen[0, row, col] == luma.sum()
        assert counted.seen[2, row, col] == (jpeg.coefficients[2] != again.coefficients[2])[row, col].sum()
    assert counted.once[0].mean() > 1.5 * counted.twice[0].mean()


def test_evidence_follows_the_counts():
    rng = np.random.default_rng(3)
    once = rng.poisson(4.0, (1, 40, 40)).astype(np.float32)
    twice = rng.poisson(1.0, (1, 40, 40)).astype(np.float32)
    seen = rng.poisson(1.0, (1, 40, 40)).astype(np.float32)
    seen[0, 10:20, 10:20] = rng.poisson(4.0, (10, 10))
    usable = np.ones((40, 40), bool)
    usable[:, 35:] = False
    found = resaves.Stability(resaves.Changes(seen, once, twice), usable)
    inside = np.zeros((40, 40), bool)
    inside[10:20, 10:20] = True
    assert found.region(inside) > 50 and found.region(~inside) < -500
    assert not found.evidence[:, 35:].any()
    assert found.evidence[inside].mean() > 1 and found.evidence[~inside & usable].mean() < -1
    # Where the picture changes as after one save, nothing is said.
    single = resaves.Stability(resaves.Changes(once[:, ::-1], once, twice), usable)
    assert abs(single.evidence.sum()) < convergence.LEAST_EVIDENCE


def test_components_that_disagree_decide_nothing():
    counts = np.ones((2, 20, 20), np.float32)
    seen = counts * np.float32(0.1)
    seen[0, 6:10, 6:10], seen[1, 6:10, 6:10] = 1, 0
    usable, inside = np.ones((20, 20), bool), np.zeros((20, 20), bool)
    inside[6:10, 6:10] = True
    found = resaves.Stability(resaves.Changes(seen, counts, counts * np.float32(0.1)), usable)
    assert found.region(inside) <= 0
    seen[1, 6:10, 6:10] = 1
    found = resaves.Stability(resaves.Changes(seen, counts, counts * np.float32(0.1)), usable)
    assert found.region(inside) > 0


def test_large_pictures_are_sampled_first(monkeypatch):
    monkeypatch.setattr(convergence, "TILE", 64)
    looked = []
    original = convergence.stability
    monkeypatch.setattr(
        convergence, "stability", lambda rgb, *rest: looked.append(rgb.shape) or original(rgb, *rest)
    )
    forged, _, _ = spliced(95)
    assert convergence.detect(forensix.open(forged)).score > 0.9
    assert convergence.detect(forensix.open(saved(photo(), 95))).score is None
    assert looked == [(64, 1024, 3), (448, 512, 3), (64, 1024, 3)]


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_tiles_keep_pixels_and_coefficients_together(subsampling, monkeypatch):
    monkeypatch.setattr(convergence, "TILE", 64)
    evidence = forensix.open(saved(photo()[:440, :500], 92, subsampling=subsampling))
    rgb, planes = convergence._tiles(evidence.rgb, evidence.jpeg.coefficients)
    from forensix.signal.block_dct import block_dct

    luma = rgb @ np.array([0.299, 0.587, 0.114])
    levels = block_dct(luma) / evidence.jpeg.quantization[0]
    assert np.mean(np.abs(levels - planes[0]) < 0.75) > 0.99
    assert planes[1].shape[1] * (2 if subsampling else 1) == planes[0].shape[1]


def test_grey_and_flat_pictures():
    grey = decoded(saved(photo(), 96))[..., 0]
    finding = convergence.detect(forensix.open(saved(grey, 96)))
    assert len(finding.measurements["weights"]) == 1
    for value in (0, 128, 255):
        flat = convergence.detect(forensix.open(saved(np.full((200, 300, 3), value, np.uint8), 90)))
        assert flat.score is None and flat.explanation


def test_noise_and_checkerboard_are_not_tampering():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    board = np.repeat((np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)
    for pixels in (noise, board):
        for data in (saved(pixels, 95), saved(decoded(saved(pixels, 95)), 95)):
            finding = convergence.detect(forensix.open(data))
            assert finding.score is None or finding.score < 0.5


@pytest.mark.parametrize("shape", [(1, 700), (100, 300)])
def test_small_pictures_are_not_judged(shape):
    with pytest.raises(NotApplicable, match="smaller"):
        convergence.detect(forensix.open(saved(np.full((*shape, 3), 90, np.uint8), 80)))


def test_does_not_apply_to_what_cannot_be_written_again():
    buffer = io.BytesIO()
    Image.fromarray(photo()).save(buffer, "PNG")
    with pytest.raises(NotApplicable, match="JPEG"):
        convergence.detect(forensix.open(buffer.getvalue()))
    buffer = io.BytesIO()
    Image.fromarray(photo()).convert("CMYK").save(buffer, "JPEG")
    with pytest.raises(NotApplicable, match="cannot be written again"):
        convergence.detect(forensix.open(buffer.getvalue()))


def test_undecided_where_all_of_the_picture_was_saved_before_with_other_tables(monkeypatch):
    # The earlier save explains why parts change more as well as a change of content does.
    first = decoded(saved(photo(), 85))
    changed = decoded(saved(first, 95)).copy()
    changed[144:304, 96:272] = first[144:304, 96:272]
    evidence = forensix.open(saved(changed, 95))
    finding = convergence.detect(evidence)
    assert finding.score is None and finding.regions == ()
    assert "other tables" in finding.explanation
    monkeypatch.setattr(convergence, "saved_before_everywhere", lambda *_: False)
    assert convergence.detect(evidence).score > 0.5
