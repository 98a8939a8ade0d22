"""The kernels behind edge-blur against plain statements of the same."""

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.closed_paths import closed_paths
from forensix.native.edge_profiles import edge_profiles
from forensix.native.tree_sums import tree_sums
from tests.reference import seams as reference


@pytest.fixture
def poisoned_memory(monkeypatch):
    def poisoned(shape, dtype=float, **_):
        return np.full(shape, np.nan if np.issubdtype(dtype, np.floating) else 77, dtype)

    monkeypatch.setattr("numpy.empty", poisoned)


@pytest.mark.parametrize("shape", [(40, 30), (1, 30), (40, 1), (1, 1)])
@pytest.mark.parametrize("scale", [1.0, 2.0, 4.0])
def test_profiles_are_bilinear_means(shape, scale, poisoned_memory):
    rng = np.random.default_rng(1)
    plane = rng.normal(0, 1, shape).astype(np.float32)
    turn = rng.uniform(0, 7, 50)
    places = np.stack(
        [rng.uniform(-5, 45 * scale, 50), rng.uniform(-5, 35 * scale, 50), np.sin(turn), np.cos(turn)], 1
    )
    across, along = np.array([-7.0, 0, 2.5]), np.array([-3.0, 0, 3])
    expected = reference.profiles(plane, places, across, along, scale)
    found = edge_profiles(plane, places, across, along, scale=scale)
    np.testing.assert_allclose(found, expected, atol=2e-4)


TREES = [
    (0, 0.5, -1.0, (2, 0.0, 0.25, (1, -0.5, 2.0, 3.0))),
    (1, 0.1, (0, 0.2, 5.0, -4.0), 0.5),
    0.125,
]


def completed(trees, depth=3):
    """Features, thresholds and leaves of complete trees that say the same."""
    asked, thresholds, leaves = [], [], []

    def fill(tree, level, node, into):
        if level == depth:
            into[2][node - (2**depth - 1)] = tree
            return
        split = tree if isinstance(tree, tuple) else (0, 7.0, tree, tree)
        into[0][node], into[1][node] = split[:2]
        fill(split[2], level + 1, 2 * node + 1, into)
        fill(split[3], level + 1, 2 * node + 2, into)

    for tree in trees:
        into = [0] * (2**depth - 1), [0.0] * (2**depth - 1), [0.0] * 2**depth
        fill(tree, 0, 0, into)
        for part, values in zip((asked, thresholds, leaves), into, strict=True):
            part.append(values)
    return np.array(asked), np.array(thresholds), np.array(leaves)


@pytest.mark.parametrize("count", [1, 200, 1100])
def test_trees_add_the_leaf_each_set_of_inputs_falls_into(count, poisoned_memory):
    inputs = np.random.default_rng(2).normal(0, 1, (count, 3)).astype(np.float32)
    inputs[0] = (0.5, np.float32(0.1), 0.0)  # at the thresholds: to the lower side
    inputs[-1] = np.nan
    asked, thresholds, leaves = completed(TREES)
    expected = [reference.tree_sum(row, TREES, np.float32) for row in inputs]
    np.testing.assert_allclose(tree_sums(inputs.T, asked, thresholds, leaves), expected, rtol=1e-6)


def test_trees_that_do_not_fit_are_refused():
    asked, thresholds, leaves = completed(TREES)
    for inputs, nodes, limits, values in (
        (np.zeros((2, 1)), asked, thresholds, leaves),
        (np.zeros(3), asked, thresholds, leaves),
        (np.zeros((3, 1)), asked[:, :-1], thresholds[:, :-1], leaves),
        (np.zeros((3, 1)), asked, thresholds[:, :-1], leaves),
        (np.zeros((3, 1)), asked, thresholds, leaves[:-1]),
        (np.zeros((3, 1)), -1 - asked, thresholds, leaves),
    ):
        with pytest.raises(ParameterError):
            tree_sums(inputs, nodes, limits, values)


def polar_of(field, centre, radii, turns, outside):
    """At whole numbers only: four directions, whole radii."""
    values = np.full((turns, len(radii)), outside)
    for turn in range(turns):
        down, right = round(np.sin(2 * np.pi * turn / turns)), round(np.cos(2 * np.pi * turn / turns))
        for k, radius in enumerate(radii):
            row, col = centre[0] + int(radius) * down, centre[1] + int(radius) * right
            if 0 <= row < field.shape[0] and 0 <= col < field.shape[1]:
                values[turn, k] = field[row, col]
    return values


@pytest.mark.parametrize("seed", range(6))
def test_paths_are_the_best_of_all(seed, poisoned_memory):
    field = np.random.default_rng(seed).normal(0, 1, (9, 8)).astype(np.float32)
    centre, radii = (4, 3), np.array([1.0, 2, 3, 4])
    paths, along = closed_paths(field, np.array([centre]), radii, turns=4, bend=0.3, outside=-1.5)
    polar = polar_of(field, centre, radii, 4, -1.5)
    _, best = reference.best_path_twice_around(polar, 0.3, 2)
    middle = [best[step] for step in range(2, 6)]
    assert [int(paths[0, step % 4]) for step in range(2, 6)] == middle
    np.testing.assert_allclose(along[0], polar[np.arange(4), paths[0]], atol=1e-5)


def test_a_ring_is_followed_and_closes():
    rng = np.random.default_rng(3)
    row, col = np.indices((60, 80))
    away = np.hypot(row - 31, col - 42)
    field = (rng.normal(0, 0.5, away.shape) + 2.0 * (np.abs(away - 15) < 1)).astype(np.float32)
    radii = np.arange(3, 30, 0.75)
    paths, along = closed_paths(
        field, np.array([[31, 42], [10, 10]]), radii, turns=64, bend=0.15, outside=-1.5
    )
    assert np.abs(radii[paths[0]] - 15).max() < 2
    assert abs(int(paths[0, 0]) - int(paths[0, -1])) <= 2
    assert along[0].mean() > 1.5 > along[1].mean()


@pytest.mark.parametrize("field", [np.zeros(3), np.zeros((0, 3)), np.full((3, 3), np.nan)])
def test_paths_refuse_what_is_no_field(field):
    with pytest.raises(ParameterError):
        closed_paths(field, np.zeros((1, 2)), np.ones(2), turns=4, bend=0.1, outside=0)


def test_profiles_refuse_what_does_not_fit():
    places, one = np.zeros((2, 4)), np.zeros(1)
    for plane, where, along in (
        (np.zeros((0, 4)), places, one),
        (np.zeros((4, 4)), places[:, :3], one),
        (np.zeros((4, 4)), places, np.zeros(0)),
        (np.zeros((4, 4)), places + np.nan, one),
    ):
        with pytest.raises(ParameterError):
            edge_profiles(plane, where, one, along)
