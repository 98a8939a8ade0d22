import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.two_label_field import two_label_field
from tests.reference.two_label_field import best_labels, cost, min_marginals


@pytest.fixture
def poisoned_memory(monkeypatch):
    monkeypatch.setattr("numpy.empty", lambda shape, dtype=float, **_: np.full(shape, np.nan, dtype))


def noisy(shape, seed):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 12), (12, 1), (1, 1)])
@pytest.mark.parametrize("coupling", [0.0, 0.7, 3.0])
def test_exact_on_a_chain(shape, coupling, poisoned_memory):
    evidence = noisy(shape, 3)
    belief = two_label_field(evidence, coupling=coupling)
    np.testing.assert_allclose(belief, min_marginals(evidence, coupling), atol=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_near_the_best_labelling_of_a_small_field(seed, poisoned_memory):
    evidence = noisy((3, 4), seed)
    labels = two_label_field(evidence, coupling=0.6, sweeps=10) > 0
    lowest, _ = best_labels(evidence, 0.6)
    assert cost(labels, evidence, 0.6) <= lowest + 0.35


def test_finds_a_faint_square_and_nothing_else():
    generator = np.random.default_rng(5)
    truth = np.zeros((60, 80), bool)
    truth[20:44, 30:60] = True
    evidence = generator.normal(np.where(truth, 0.5, -0.5), 1.0)  # a third of all cells look wrong
    labels = two_label_field(evidence, coupling=1.0) > 0
    assert np.count_nonzero(labels != truth) < 0.04 * truth.size
    assert np.count_nonzero((evidence > 0) != truth) > 0.25 * truth.size


def test_symmetric_under_exchange_of_labels_and_transposition():
    evidence = noisy((9, 17), 11)
    belief = two_label_field(evidence, coupling=1.0)
    np.testing.assert_array_equal(two_label_field(-evidence, coupling=1.0), -belief)


def test_unknown_cells_take_their_neighbours_label():
    evidence = np.zeros((9, 9), np.float32)
    evidence[0], evidence[-1] = 2, 2
    assert (two_label_field(evidence, coupling=1.0) > 0).all()


@pytest.mark.parametrize("evidence", [np.zeros(4), np.full((2, 2), np.nan)])
def test_refuses_what_is_not_a_field(evidence):
    with pytest.raises(ParameterError):
        two_label_field(evidence, coupling=1.0)


def test_refuses_a_negative_coupling():
    with pytest.raises(ParameterError):
        two_label_field(np.zeros((2, 2)), coupling=-1.0)
