"""Exemplar filling: its kernels against a plain restatement, and what it makes of a texture."""

import numpy as np
import pytest

from forensix.errors import ForgeryError, ParameterError
from forensix.forgery.exemplar import exemplar_fill
from forensix.forgery.removal import FILLS, fill
from forensix.native import patch_fill
from tests.forgery_photos import picture
from tests.reference import patch_fill as oracle

RADIUS = 2


@pytest.fixture
def state():
    """A small picture with a hole, its targets and a random field, values that are no ties."""
    rng = np.random.default_rng(5)
    image = rng.integers(0, 200, (20, 23, 3)).astype(np.float32)
    hole = np.zeros((20, 23), bool)
    hole[8:12, 9:14] = True
    touched = np.zeros_like(hole)
    touched[8 - RADIUS : 12 + RADIUS, 9 - RADIUS : 14 + RADIUS] = True
    inner = np.zeros_like(hole)
    inner[RADIUS:-RADIUS, RADIUS:-RADIUS] = True
    usable = inner & ~touched
    targets = np.argwhere(inner & touched).astype(np.int32)
    choices = np.argwhere(usable).astype(np.int32)
    field = choices[rng.integers(len(choices), size=hole.shape)]
    return image, hole, targets, usable, field


@pytest.mark.parametrize("backwards", [False, True])
def test_sweep_is_that_of_the_reference(state, backwards):
    image, _, targets, usable, field = state
    cost = np.full(usable.shape, np.inf, np.float32)
    expected_field, expected_cost = oracle.match_sweep(
        image, targets, usable, field, cost, RADIUS, 77, backwards
    )
    patch_fill.match_sweep(image, targets, usable, field, cost, radius=RADIUS, seed=77, backwards=backwards)
    assert np.array_equal(field, expected_field)
    at = tuple(targets.T)
    np.testing.assert_allclose(cost[at], expected_cost[at], rtol=1e-5)
    assert np.all(np.isinf(np.delete(cost.ravel(), np.ravel_multi_index(at, cost.shape))))


def test_a_sweep_keeps_away_from_its_target(state):
    image, _, _, usable, _ = state
    targets = np.argwhere(usable).astype(np.int32)  # which may match one another
    field = np.empty((*usable.shape, 2), np.int32)
    field[...] = targets[0]
    field[targets[0][0], targets[0][1]] = targets[-1]
    cost = np.full(usable.shape, np.inf, np.float32)
    expected, _ = oracle.match_sweep(image, targets, usable, field, cost, RADIUS, 5, False, apart=4)
    patch_fill.match_sweep(
        image, targets, usable, field, cost, radius=RADIUS, seed=5, backwards=False, apart=4
    )
    assert np.array_equal(field, expected)
    moved = np.array([tuple(field[r, c]) != tuple(targets[0]) for r, c in targets])
    away = np.abs(field[tuple(targets.T)] - targets).max(axis=1)
    assert moved.any() and (away[moved] >= 4).all()


def test_a_second_sweep_never_makes_a_match_worse(state):
    image, _, targets, usable, field = state
    cost = np.full(usable.shape, np.inf, np.float32)
    patch_fill.match_sweep(image, targets, usable, field, cost, radius=RADIUS, seed=1, backwards=False)
    before = cost.copy()
    patch_fill.match_sweep(image, targets, usable, field, cost, radius=RADIUS, seed=2, backwards=True)
    assert np.all(cost <= before)
    assert np.any(cost < before)


def test_votes_are_those_of_the_reference(state):
    image, hole, targets, usable, field = state
    cost = np.full(usable.shape, np.inf, np.float32)
    patch_fill.match_sweep(image, targets, usable, field, cost, radius=RADIUS, seed=3, backwards=False)
    expected = oracle.vote(image, hole, targets, field, cost, RADIUS, 5e4)
    voted = image.copy()
    voted[hole] = np.nan
    result = np.where(hole[..., None], 1e9, image).astype(np.float32)
    # Matches lie outside the hole, so what stood in it must not matter.
    patch_fill.vote(result, hole, targets, field, cost, radius=RADIUS, spread=5e4)
    np.testing.assert_allclose(result, expected, rtol=1e-4)


def test_wrong_types_are_refused(state):
    image, hole, targets, usable, field = state
    cost = np.full(usable.shape, np.inf, np.float32)
    with pytest.raises(ParameterError, match="float32"):
        patch_fill.match_sweep(
            image.astype(float), targets, usable, field, cost, radius=2, seed=1, backwards=False
        )
    with pytest.raises(ParameterError, match="spread"):
        patch_fill.vote(image, hole, targets, field, cost, radius=2, spread=0)


def test_a_regular_texture_is_continued():
    row, col = np.indices((96, 96))
    stripes = np.where((row + 2 * col) % 12 < 6, 60, 180)
    image = np.repeat(stripes[..., None], 3, axis=2).astype(np.uint8)
    hole = np.zeros((96, 96), bool)
    hole[36:60, 40:62] = True
    damaged = np.where(hole[..., None], 0, image).astype(np.uint8)
    filled = exemplar_fill(damaged, hole, rng=np.random.default_rng(1))
    assert np.mean(np.abs(filled[hole].astype(int) - image[hole]) < 20) > 0.9


def test_a_hole_that_leaves_no_patch_is_refused():
    image = picture("coffee.png", 64)
    hole = np.ones((64, 64), bool)
    hole[:3] = False
    with pytest.raises(ForgeryError, match="no whole patch"):
        exemplar_fill(image, hole, rng=np.random.default_rng(0))


@pytest.mark.parametrize("method", FILLS)
def test_every_method_fills_the_hole_and_nothing_else(method):
    image = picture("astronaut.png", 160)
    image[60:80, 70:90] = (255, 0, 255)
    before = image.copy()
    hole = np.zeros(image.shape[:2], bool)
    hole[58:82, 68:92] = True
    filled = fill(image, hole, method=method, rng=np.random.default_rng(3))
    assert np.array_equal(image, before)
    assert np.array_equal(filled[~hole], image[~hole])
    # Nothing of the magenta square is left: green is missing in none of the surroundings.
    magenta = (filled[hole] == (255, 0, 255)).all(axis=1)
    assert not magenta.any()


def test_a_hole_of_another_size_is_refused():
    with pytest.raises(ParameterError, match="size of the picture"):
        fill(picture("coffee.png", 64), np.zeros((3, 3), bool), method="telea", rng=np.random.default_rng(0))
