import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.quantized_twice import quantized_twice
from tests.reference.quantized_twice import quantized_twice as oracle


def laplace(scale, points=400):
    return 1 - np.exp(-np.arange(points) / (2 * scale))


def gaussian_noise(sigma, reach=8):
    from scipy.special import ndtr

    return ndtr(np.arange(-reach, reach + 1) / 2 / sigma)


@pytest.fixture
def poisoned_memory(monkeypatch):
    monkeypatch.setattr("numpy.empty", lambda shape, dtype=float, **_: np.full(shape, np.nan, dtype))


CUMULATIVE = np.stack([laplace(3), laplace(20), np.ones(400)])
CASES = [
    (0, 0, 3),
    (0, 5, 2),
    (1, 3, 8),
    (1, 11, 1),
    (1, 16, 16),
    (2, 7, 2),
    (0, 1, 1),
    (1, 90, 4),
    (1, 2, 4),
]


@pytest.mark.parametrize("bins", [1, 6, 40])
def test_agrees_with_the_plain_sum(bins, poisoned_memory):
    row, first, second = np.array(CASES).T
    noise = gaussian_noise(0.4)
    ours = quantized_twice(CUMULATIVE, row, first, second, noise, bins=bins)
    np.testing.assert_allclose(ours, oracle(CUMULATIVE, row, first, second, noise, bins=bins), atol=1e-9)


def test_probabilities_sum_to_one_when_all_levels_are_counted():
    mass = quantized_twice(CUMULATIVE[:1], [0, 0], [0, 7], [4, 4], gaussian_noise(0.3), bins=120)
    np.testing.assert_allclose(mass.sum(axis=1), 1, atol=1e-6)


def test_simulated_coefficients_follow_it():
    generator = np.random.default_rng(1)
    values = generator.laplace(0, 20, 400_000)
    again = np.rint(values / 7) * 7 + generator.normal(0, 0.4, values.size)
    seen = np.bincount(np.abs(np.rint(again / 3)).astype(int), minlength=60)[:60] / values.size
    mass = quantized_twice(laplace(20)[None], [0], [7], [3], gaussian_noise(0.4), bins=60)
    np.testing.assert_allclose(mass[0], seen, atol=4e-3)
    assert mass[0, 3] < mass[0, 2] / 4  # 7 lies in the bin of 6, and no multiple of 7 in that of 9


@pytest.mark.parametrize(
    "row, first, second",
    [([1], [2], [3]), ([-1], [2], [3]), ([0], [-1], [3]), ([0], [2], [0]), ([0, 0], [2], [3])],
)
def test_refuses_cases_that_make_no_sense(row, first, second):
    with pytest.raises(ParameterError):
        quantized_twice(CUMULATIVE[:1], row, first, second, gaussian_noise(0.4), bins=4)
