"""Hashes of places and the comparison of those that share one, against one plain reference."""

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.place_hashes import hash_keys, take_nearer
from tests.reference import place_hashes as reference

NEVER = 2**31 - 1


def some_features(*shape, most=256, seed=0):
    return np.random.default_rng(seed).integers(0, most, (*shape, 12)).astype(np.uint8)


def some_factors(used=12):
    rng = np.random.default_rng(4)
    factors = rng.integers(1 << 62, size=12, dtype=np.uint64)
    factors[used:] = 0
    return rng.integers(8, size=12, dtype=np.uint64), factors


@pytest.mark.parametrize(("used", "shift"), [(12, 1), (4, 3), (0, 0), (12, 8)])
def test_hashes_are_those_of_the_reference(used, shift):
    features, (offsets, factors) = some_features(300), some_factors(used)
    found = hash_keys(features, offsets, shift, factors)
    assert found.dtype == np.uint64
    assert found.tolist() == reference.hash_keys(features, offsets, shift, factors)
    assert hash_keys(features[:0], offsets, shift, factors).shape == (0,)


def test_equal_places_and_no_others_have_equal_hashes():
    features = some_features(2000, most=3)
    offsets, factors = some_factors()
    keys = hash_keys(features, offsets * np.uint64(0), 0, factors)
    low = keys & np.uint64((1 << 40) - 1)
    assert len(np.unique(low)) == len(np.unique(features, axis=0))


@pytest.mark.parametrize(("zoom", "stride", "most"), [(1.0, 3, 256), (0.7, 4, 3), (1.3, 1, 256)])
def test_nearer_targets_are_taken(zoom, stride, most):
    rng = np.random.default_rng(2)
    features, targets = some_features(7, 9, most=most), some_features(20 * 30, most=most, seed=1)
    best, least = rng.integers(600, size=63), np.full(63, NEVER, np.int32)
    options = {"width": 30, "stride": stride, "nearest": 9.0, "zoom": zoom}
    for _ in range(3):
        others = rng.integers(600, size=63)
        wanted = reference.take_nearer(features, targets, others, best, least, **options)
        take_nearer(features, targets, others, best, least, **options)
        assert (best.tolist(), least.tolist()) == (list(map(int, wanted[0])), list(map(int, wanted[1])))
    assert (least < NEVER).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.zeros((2, 3, 5), np.uint8)}, "features"),
        ({"targets": np.zeros((40, 12))}, "targets"),
        ({"others": np.full(6, 40)}, "others"),
        ({"others": np.full(6, -1)}, "others"),
        ({"best": np.zeros(6, np.int32)}, "best"),
        ({"least": np.zeros(5, np.int32)}, "least"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message):
    given = {
        "features": np.zeros((2, 3, 12), np.uint8),
        "targets": np.zeros((40, 12), np.uint8),
        "others": np.zeros(6, np.int64),
        "best": np.zeros(6, np.int64),
        "least": np.zeros(6, np.int32),
    } | change
    with pytest.raises(ParameterError, match=message):
        take_nearer(*given.values(), width=8, stride=1, nearest=2.0)


@pytest.mark.parametrize("shift", [-1, 9])
def test_what_cannot_be_hashed_is_refused(shift):
    offsets, factors = some_factors()
    with pytest.raises(ParameterError, match="shift"):
        hash_keys(some_features(3), offsets, shift, factors)
    with pytest.raises(ParameterError, match="features"):
        hash_keys(some_features(3)[:, :5], offsets, 1, factors)
    with pytest.raises(ParameterError, match="factors"):
        hash_keys(some_features(3), offsets, 1, factors[:4])
