import doctest

import pytest

from forensix.signal import rarity


def test_examples():
    assert doctest.testmod(rarity).failed == 0


@pytest.mark.parametrize("log10, words", [(-2.0, "one of 100 "), (-1.0, "one of 10 "), (-5.9, "one of 790000 "), (-0.2, "one of 2 "), (0.0, "ordinary"), (3.0, "ordinary"), (-6.0, "a million")])  # fmt: skip
def test_the_words_follow_the_number(log10, words):
    assert words in rarity.in_words(log10)


def test_no_claim_goes_beyond_a_million():
    assert rarity.in_words(-6.0) == rarity.in_words(-6000.0) == rarity.in_words(float("-inf"))
