"""Draw parameters from what kinds.json allows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from forensix.errors import ParameterError

# Drawn numbers are rounded to so many significant digits: recipes stay readable.
DIGITS = 4


@cache
def defaults() -> dict[str, Any]:
    """The content of kinds.json."""
    document: dict[str, Any] = json.loads(files("forensix.forgery").joinpath("kinds.json").read_text("utf-8"))
    return document


def draw_value(allowed: Any, rng: np.random.Generator) -> Any:
    """One value of what is allowed: a list, a range, or the value itself.

    >>> draw_value({"whole": [3, 3]}, np.random.default_rng(0))
    3
    """
    if isinstance(allowed, list):
        return allowed[int(rng.integers(len(allowed)))]
    if not isinstance(allowed, Mapping):
        return allowed
    if len(allowed) != 1:
        raise ParameterError(f"a range has one key, got {dict(allowed)}")
    how, (low, high) = next(iter(allowed.items()))
    if how == "whole":
        return int(rng.integers(low, high + 1))
    if how == "from":
        return float(f"{rng.uniform(low, high):.{DIGITS}g}")
    if how == "log":
        return float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.{DIGITS}g}")
    raise ParameterError(f"a range is 'from', 'log' or 'whole', got {how!r}")


def draw_alternative(alternatives: Sequence[Mapping[str, Any]], rng: np.random.Generator) -> dict[str, Any]:
    """One of several alternatives by weight, with all its values drawn."""
    weights = np.array([alternative.get("weight", 1) for alternative in alternatives], float)
    chosen = alternatives[int(rng.choice(len(alternatives), p=weights / weights.sum()))]
    return {name: draw_value(allowed, rng) for name, allowed in chosen.items() if name != "weight"}


def draw_chain(alternatives: Sequence[Mapping[str, Any]], rng: np.random.Generator) -> str:
    """A chain with its letters replaced by drawn values."""
    values = draw_alternative(alternatives, rng)
    return str(values.pop("chain")).format(**values)


def draw_kind(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    """A kind by weight."""
    shares = np.array(list(weights.values()), float)
    return list(weights)[int(rng.choice(len(shares), p=shares / shares.sum()))]
