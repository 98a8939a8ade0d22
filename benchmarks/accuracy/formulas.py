"""The figures, on plain arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

NAN = float("nan")
FEWEST_GROUPS = 5


def area_under_curve(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve; ties count half. NaN where one class is missing.

    Parameters
    ----------
    scores : (n,) float, higher is more suspicious
    positive : (n,) bool
    """
    from scipy.stats import rankdata

    positives = int(np.count_nonzero(positive))
    negatives = positive.size - positives
    if positives == 0 or negatives == 0:
        return NAN
    ranks = rankdata(scores)[positive].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def area_between(positive: Sequence[float], negative: Sequence[float]) -> float:
    """:func:`area_under_curve` of two samples: how often a positive one is higher. Ties count half."""
    scores = np.concatenate([np.asarray(positive, float), np.asarray(negative, float)])
    return area_under_curve(scores, np.arange(scores.size) < len(positive))


def rate_at(scores: np.ndarray, positive: np.ndarray, false_alarms: float) -> float:
    """True-positive rate at the threshold that leaves at most this share of negatives above it."""
    if positive.all() or not positive.any():
        return NAN
    negatives = np.sort(scores[~positive])[::-1]
    allowed = math.floor(false_alarms * negatives.size)
    threshold = negatives[allowed] if allowed < negatives.size else -np.inf
    return float(np.mean(scores[positive] > threshold))


def curve(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of the ROC curve: false- and true-positive rates, from (0, 0) to (1, 1)."""
    thresholds = np.unique(scores)[::-1]
    above = scores[None, :] >= thresholds[:, None]
    false = above[:, ~positive].mean(axis=1) if (~positive).any() else np.full(thresholds.size, NAN)
    true = above[:, positive].mean(axis=1) if positive.any() else np.full(thresholds.size, NAN)
    return np.concatenate([[0.0], false]), np.concatenate([[0.0], true])


def wilson(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a rate (Wilson 1927); (NaN, NaN) without trials."""
    if trials == 0:
        return NAN, NAN
    rate = successes / trials
    middle = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def area_interval(
    scores: np.ndarray, positive: np.ndarray, groups: Sequence[str], *, draws: int = 300, seed: int = 0
) -> tuple[float, float]:
    """95 % bootstrap interval of the area; whole groups are drawn, since their images are alike.

    (NaN, NaN) with fewer than ``FEWEST_GROUPS``, or where most draws lack one of the classes.
    """
    names = sorted(set(groups))
    if len(names) < FEWEST_GROUPS:
        return NAN, NAN
    members = [np.flatnonzero(np.array(groups) == name) for name in names]
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        chosen = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        found.append(area_under_curve(scores[chosen], positive[chosen]))
    kept = np.array(found)[~np.isnan(found)]
    if kept.size < draws / 2:
        return NAN, NAN
    return float(np.quantile(kept, 0.025)), float(np.quantile(kept, 0.975))


def overlap(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Pixel figures of a mask against the truth: f1, iou (1 where both are empty) and mcc."""
    true_positive = int(np.count_nonzero(predicted & truth))
    claimed, marked = int(np.count_nonzero(predicted)), int(np.count_nonzero(truth))
    false_positive, false_negative = claimed - true_positive, marked - true_positive
    true_negative = truth.size - claimed - false_negative
    union = claimed + marked - true_positive
    product = float(claimed) * marked * (true_negative + false_positive) * (true_negative + false_negative)
    determinant = float(true_positive) * true_negative - float(false_positive) * false_negative
    return {
        "f1": 2 * true_positive / (claimed + marked) if claimed + marked else 1.0,
        "iou": true_positive / union if union else 1.0,
        "mcc": determinant / math.sqrt(product) if product else 0.0,
    }


def best_threshold(heat: np.ndarray, truth: np.ndarray) -> tuple[float, int]:
    """Largest F1 over the 256 thresholds of an 8-bit map, and the least value it marks."""
    inside = np.bincount(heat[truth], minlength=256)[::-1].cumsum()
    outside = np.bincount(heat[~truth], minlength=256)[::-1].cumsum()
    f1 = 2 * inside / np.maximum(inside + outside + np.count_nonzero(truth), 1)
    at = int(np.argmax(f1))
    return float(f1[at]), 255 - at
