"""Boosted trees of scikit-learn as the complete trees of one depth that ``edge-blur`` ships."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

DEPTH, TREES, LEAVES = 5, 90, 24


OUTLINE_DEPTH = 3


def places(inputs: np.ndarray, on_seam: np.ndarray) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=LEAVES, max_depth=DEPTH, learning_rate=0.12, l2_regularization=1.0,
        min_samples_leaf=100, early_stopping=False,
    ).fit(inputs, on_seam)  # fmt: skip


def outlines(traits: np.ndarray, on_seam: np.ndarray) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=100, max_leaf_nodes=8, max_depth=OUTLINE_DEPTH, learning_rate=0.05, l2_regularization=20.0,
        min_samples_leaf=100, max_features=0.3, early_stopping=False, random_state=0,
    ).fit(traits, on_seam)  # fmt: skip


def completed(model: HistGradientBoostingClassifier, depth: int = DEPTH) -> dict[str, np.ndarray]:
    """Arrays as of ``native.tree_sums``, and the constant to add."""
    trees = [stage[0].nodes for stage in model._predictors]
    inner = 2**depth - 1
    asked, thresholds = np.zeros((len(trees), inner), np.uint8), np.zeros((len(trees), inner), np.float32)
    leaves = np.zeros((len(trees), inner + 1), np.float32)

    def fill(number: int, node: int, at: int) -> None:
        old = trees[number][node]
        if at >= inner:
            leaves[number, at - inner] = old["value"]
            return
        if not old["is_leaf"]:
            asked[number, at], thresholds[number, at] = old["feature_idx"], old["num_threshold"]
        fill(number, node if old["is_leaf"] else int(old["left"]), 2 * at + 1)
        fill(number, node if old["is_leaf"] else int(old["right"]), 2 * at + 2)

    for number in range(len(trees)):
        fill(number, 0, 0)
    base = np.float32(np.ravel(model._baseline_prediction)[0])
    return {"asked": asked, "thresholds": thresholds, "leaves": leaves, "base": base}
