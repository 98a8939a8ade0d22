"""Geometry, correlation and growth that the copy-move methods share, against independent statements."""

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from forensix.errors import ParameterError
from forensix.signal.affine import (
    apply,
    fit_affine,
    fit_similarity,
    inverse,
    is_plausible,
    robust_fit,
    scale_of,
)
from forensix.signal.agreement import two_tone
from forensix.signal.keypoints import match_within
from forensix.signal.local_correlation import aligned, local_correlation, warped, with_slopes
from forensix.signal.repetition import self_similarity
from forensix.signal.sift import SIFT, sift_keypoints


def turned(degrees, scale=1.0, shift=(0.0, 0.0)):
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.c_[scale * np.array([[c, s], [-s, c]]), shift]


def scattered(count, seed=0):
    return np.random.default_rng(seed).uniform(0, 200, (count, 2))


def test_fits_recover_what_made_the_points():
    points = scattered(20)
    truth = turned(33, 1.3, (5, -7))
    np.testing.assert_allclose(fit_similarity(points, apply(truth, points)), truth, atol=1e-9)
    mirror = truth @ np.diag([-1.0, 1, 1])
    np.testing.assert_allclose(
        fit_similarity(points, apply(mirror, points), mirrored=True), mirror, atol=1e-9
    )
    sheared = truth + np.array([[0.1, 0, 0], [0, -0.05, 0]])
    np.testing.assert_allclose(fit_affine(points, apply(sheared, points)), sheared, atol=1e-9)
    np.testing.assert_allclose(apply(inverse(sheared), apply(sheared, points)), points)
    assert fit_similarity(np.ones((3, 2)), points[:3]) is None
    assert scale_of(truth) == pytest.approx(1.3)


def test_robust_fit_ignores_outliers_and_repeats_itself():
    source = scattered(60)
    truth = turned(-20, 0.8, (30, 40))
    target = apply(truth, source) + np.random.default_rng(1).normal(0, 0.3, (60, 2))
    target[40:] = scattered(20, seed=2)
    transform, agree = robust_fit(source, target, rng=np.random.default_rng(0))
    assert agree[:40].all() and agree[40:].sum() <= 2
    np.testing.assert_allclose(apply(transform, source[:40]), apply(truth, source[:40]), atol=1)
    again, _ = robust_fit(source, target, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(transform, again)
    assert robust_fit(np.ones((5, 2)), source[:5], rng=np.random.default_rng(0)) is None


def test_implausible_transformations():
    assert is_plausible(turned(120, 1.4))
    assert not is_plausible(turned(0, 9.0))
    assert not is_plausible(np.array([[1.0, 0, 0], [0, 0.3, 0]]))
    assert not is_plausible(np.full((2, 3), np.nan))


def test_warped_samples_the_moved_image():
    image = ndimage.gaussian_filter(skimage.data.camera().astype(np.float32), 2)
    transform = turned(10, 1.1, (20.5, -3.25))
    box = (100, 120, 60, 80)
    values, inside = warped(image, transform, box)
    rows, cols = np.mgrid[100:160, 120:200]
    places = apply(transform, np.stack([rows.ravel(), cols.ravel()], axis=1))
    expected = ndimage.map_coordinates(image, places.T, order=3).reshape(60, 80)
    assert inside.all()
    np.testing.assert_allclose(values, expected, atol=2.5)
    assert np.abs(values - expected).mean() < 0.2
    _, inside = warped(image, turned(0, 1, (480.0, 0)), box)
    assert not inside.any()


@pytest.mark.parametrize("radius", [1, 3])
def test_local_correlation_is_the_plain_one(radius):
    noise = np.random.default_rng(0)
    a, b = noise.normal(100, 20, (2, 24, 30)).astype(np.float32)
    b = (0.6 * a + 0.4 * b).astype(np.float32)
    got = local_correlation(a, b, radius=radius, noise=0)
    for row, col in [(12, 15), (8, 20), (15, 9)]:
        window = np.s_[row - radius : row + radius + 1, col - radius : col + radius + 1]
        assert got[row, col] == pytest.approx(
            np.corrcoef(a[window].ravel(), b[window].ravel())[0, 1], abs=1e-3
        )
    assert not local_correlation(np.full((9, 9), 7, np.float32), np.full((9, 9), 9, np.float32)).any()


def test_alignment_finds_a_fraction_of_a_pixel():
    image = skimage.data.camera().astype(np.float32)
    truth = turned(12, 1.05, (150.3, -40.6))
    target = np.full(image.shape, 90, np.float32)
    rows, cols = np.mgrid[: image.shape[0], : image.shape[1]]
    back = apply(inverse(truth), np.stack([rows.ravel(), cols.ravel()], axis=1))
    target = ndimage.map_coordinates(image, back.T, order=3).reshape(image.shape).astype(np.float32)
    both = with_slopes(np.hstack([image, target]))
    truth = truth + np.array([[0, 0, 0], [0, 0, image.shape[1]]])
    points = np.argwhere(np.ones((80, 80), bool)) + np.array([90, 200])
    start = truth + np.array([[0.01, 0, -1.5], [0, -0.01, 1.2]])
    got = aligned(both, start, points)
    assert np.abs(apply(got, points) - apply(truth, points)).max() < 0.15
    assert np.abs(apply(start, points) - apply(truth, points)).max() > 1


def test_mirrored_descriptors_are_those_of_the_mirrored_picture():
    image = skimage.data.camera()
    here, there = sift_keypoints(image), sift_keypoints(np.ascontiguousarray(image[:, ::-1]))
    strong = here.sizes > 8
    place = np.stack([here.points[:, 0], image.shape[1] - 1 - here.points[:, 1]], axis=1)
    gap = np.hypot(*(place[:, None] - there.points[None]).transpose(2, 0, 1))
    mirrored = SIFT.mirrored(here.descriptors)
    distance = np.linalg.norm(mirrored[:, None] - there.descriptors[gap.argmin(axis=1)][:, None], axis=2)[
        :, 0
    ]
    plain = np.linalg.norm(here.descriptors - there.descriptors[gap.argmin(axis=1)], axis=1)
    same = strong & (gap.min(axis=1) < 1)
    assert same.sum() > 50
    assert np.median(distance[same]) < 0.5 * np.median(plain[same])


def test_matches_are_those_of_a_plain_search():
    image = skimage.data.astronaut()[:256, :256, 0].copy()
    image[150:230, 20:100] = image[20:100, 150:230]
    points = sift_keypoints(image)
    matches = match_within(points, most=10_000)
    distance = np.linalg.norm(points.descriptors[:, None] - points.descriptors[None], axis=2)
    apart = np.hypot(*(points.points[:, None] - points.points[None]).transpose(2, 0, 1)) >= 16
    same = points.kinds[:, None] == points.kinds
    wanted = np.argwhere(np.triu((distance < 0.45 - 1e-4) & apart & same, 1))
    found = set(zip(matches.source.tolist(), matches.target.tolist(), strict=True))
    assert len(wanted) > 20
    assert {tuple(pair) for pair in wanted.tolist()} <= found
    assert len(found) < 1.02 * len(wanted) + 2


def test_a_copy_keeps_the_brightness_of_its_spots():
    image = skimage.data.astronaut()[:256, :256, 0].copy()
    image[150:230, 20:100] = image[20:100, 150:230]
    points = sift_keypoints(image)
    inside = ((points.points > (28, 158)) & (points.points < (92, 222))).all(axis=1)
    place = points.points[inside] + (130, -130)
    apart = np.hypot(*(place[:, None] - points.points[None]).transpose(2, 0, 1))
    found = apart.min(axis=1) < 0.5
    assert found.sum() > 30
    kinds = points.kinds[inside][found]
    assert set(kinds) == {-1, 1}
    assert (points.kinds[apart.argmin(axis=1)[found]] == kinds).mean() > 0.98


def test_keypoints_are_limited_evenly_and_in_order():
    image = skimage.data.camera()
    every, some = sift_keypoints(image), sift_keypoints(image, limit=300)
    assert len(some) == 300 < len(every)
    cells = {tuple(cell) for cell in (every.points // 32).astype(int)}
    assert {tuple(cell) for cell in (some.points // 32).astype(int)} == cells or len(cells) > 300
    assert (np.diff(some.points[:, 0]) >= 0).all()
    assert len(sift_keypoints(np.full((80, 80), 9, np.uint8))) == 0
    with pytest.raises(ParameterError, match="2-D"):
        sift_keypoints(image[..., None])


def test_two_tones_and_textures():
    noise = np.random.default_rng(0)
    assert two_tone(noise.normal(128, 20, 100_000)) == pytest.approx(2 / np.pi, abs=0.01)
    assert two_tone(noise.uniform(0, 255, 100_000)) == pytest.approx(0.75, abs=0.01)
    assert two_tone(noise.choice([30.0, 200.0], 1000) + noise.normal(0, 5, 1000)) > 0.99
    assert two_tone(np.full(50, 7.0)) == 0.0


def test_self_similarity():
    tiles = np.tile(np.random.default_rng(0).normal(128, 30, (24, 24)), (8, 8)).astype(np.float32)
    assert self_similarity(tiles) > 0.95
    assert self_similarity(skimage.data.camera().astype(np.float32)) < 0.3
    assert self_similarity(np.full((100, 100), 5, np.float32)) == 0.0
