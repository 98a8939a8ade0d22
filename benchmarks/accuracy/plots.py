"""ROC curves and heat tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from benchmarks.accuracy.figures import EVERYTHING, figures, natural, question_of, score_of
from benchmarks.accuracy.formulas import area_under_curve, curve
from benchmarks.accuracy.labelled import CONCLUSIONS

MOST_METHODS = 7


def draw_all(lines: Sequence[dict[str, Any]], rows: Sequence[Mapping[str, Any]], out: Path) -> list[str]:
    """Draw what there is to draw into ``plots/``; returns the paths, relative to `out`."""
    folder = out / "plots"
    folder.mkdir(exist_ok=True)
    made = []
    for collection in dict.fromkeys(line["collection"] for line in lines):
        own = [line for line in lines if line["collection"] == collection]
        path = folder / f"{collection}.roc.png"
        strongest = _strongest(rows, collection)
        if draw_curves(own, ["integrity", *strongest], path):
            made.append(path)
        for subject in ["integrity", *strongest[:2]]:
            for pair in _pairs(own):
                path = (
                    folder / f"{collection}.{subject}.{'-'.join(n.removeprefix('cell.') for n in pair)}.png"
                )
                if draw_table(own, subject, pair, path):
                    made.append(path)
    return [str(path.relative_to(out)) for path in made]


def _strongest(rows: Sequence[Mapping[str, Any]], collection: str) -> list[str]:
    """The methods with the largest areas on a collection, the first the largest."""
    whole = [r for r in rows if r["collection"] == collection and r["by"] == EVERYTHING]
    spoke = [r for r in whole if r["subject"] not in CONCLUSIONS and r["auc"] > 0.5]
    return [r["subject"] for r in sorted(spoke, key=lambda r: -r["auc"])[:MOST_METHODS]]


def draw_curves(lines: Sequence[dict[str, Any]], chosen: Sequence[str], path: Path) -> bool:
    """The ROC curves of some subjects; False if there is none to draw."""
    figure, axes = plt.subplots(figsize=(5.5, 5))
    drawn = 0
    for subject in chosen:
        positive = np.array([line["positive"][question_of(subject)] for line in lines], bool)
        if positive.all() or not positive.any():
            continue
        scores = np.array([score_of(line, subject) for line in lines])
        label = f"{subject} {area_under_curve(scores, positive):.3f}"
        axes.plot(*curve(scores, positive), label=label)
        drawn += 1
    axes.plot([0, 1], [0, 1], color="0.8", linewidth=1)
    axes.set(xlabel="false-positive rate", ylabel="true-positive rate", title=lines[0]["collection"])
    if drawn:
        axes.legend(fontsize=7, loc="lower right")
        figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
    return drawn > 0


def _pairs(lines: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of varied values that were crossed: at least 2 x 2 combinations occur."""
    names = dict.fromkeys(n for line in lines for n in line["traits"] if n.startswith("cell."))
    found = []
    for pair in combinations(names, 2):
        values = {
            tuple(line["traits"][n] for n in pair) for line in lines if all(n in line["traits"] for n in pair)
        }
        if all(len({v[i] for v in values}) > 1 for i in (0, 1)) and len(values) > 3:
            found.append(pair)
    return found


def draw_table(lines: Sequence[dict[str, Any]], subject: str, pair: tuple[str, str], path: Path) -> bool:
    """The AUC of a subject for every combination of two varied values."""
    some = [line for line in lines if all(name in line["traits"] for name in pair)]
    values = [sorted({line["traits"][name] for line in some}, key=natural) for name in pair]
    table = np.full((len(values[0]), len(values[1])), np.nan)
    for i, j in np.ndindex(*table.shape):
        cell = [line for line in some if [line["traits"][n] for n in pair] == [values[0][i], values[1][j]]]
        if any(line["subjects"].get(subject, {}).get("score") is not None for line in cell):
            table[i, j] = figures(cell, subject, interval=False)["auc"]
    if np.isnan(table).all():
        return False
    figure, axes = plt.subplots(figsize=(1.6 + 0.7 * table.shape[1], 1.4 + 0.45 * table.shape[0]))
    axes.imshow(table, vmin=0, vmax=1, cmap="RdYlGn", aspect="auto")
    for i, j in np.ndindex(*table.shape):
        if not np.isnan(table[i, j]):
            axes.text(j, i, f"{table[i, j]:.2f}", ha="center", va="center", fontsize=8)
    axes.set_xticks(
        range(table.shape[1]), [v or "none" for v in values[1]], rotation=30, ha="right", fontsize=8
    )
    axes.set_yticks(range(table.shape[0]), [v or "none" for v in values[0]], fontsize=8)
    axes.set(xlabel=pair[1].removeprefix("cell."), ylabel=pair[0].removeprefix("cell."))
    axes.set_title(f"{lines[0]['collection']}: AUC of {subject}", fontsize=9)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
    return True
