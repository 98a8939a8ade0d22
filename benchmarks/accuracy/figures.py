"""From lines, one an image, to figures, one a subject and class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.accuracy.formulas import NAN, area_interval, area_under_curve, rate_at, wilson
from benchmarks.accuracy.labelled import CONCLUSIONS

COLUMNS = (
    "collection", "subject", "question", "by", "value", "positives", "negatives", "errors", "silent",
    "auc", "auc_low", "auc_high", "tpr", "tpr_low", "tpr_high", "fpr", "fpr_low", "fpr_high", "balanced",
    "tpr_at_1", "f1", "best_f1", "iou", "mcc", "alarm", "seconds_per_mpx", "seconds",
)  # fmt: skip
EVERYTHING = "all"


def subjects(lines: Iterable[dict[str, Any]]) -> list[str]:
    """The conclusions, then the methods, as they first appear."""
    found = dict.fromkeys(CONCLUSIONS)
    for line in lines:
        found |= dict.fromkeys(line["subjects"])
    return list(found)


def question_of(subject: str) -> str:
    """The conclusion a subject feeds, whose labels it is measured against."""
    if subject in CONCLUSIONS:
        return subject
    from forensix import detectors

    return detectors.method(subject).concludes


def score_of(line: dict[str, Any], subject: str) -> float:
    """The score; silence and errors count as 0.5."""
    score = line["subjects"].get(subject, {}).get("score")
    return 0.5 if score is None else float(score)


def figures(
    lines: Sequence[dict[str, Any]], subject: str, *, question: str = "", interval: bool = True
) -> dict[str, Any]:
    """The figures of one subject on some images.

    Parameters
    ----------
    lines : as from :func:`~benchmarks.accuracy.measuring.measure`
    subject : a conclusion or a method
    question : the conclusion whose labels count; by default the one the subject feeds
    interval : with the bootstrap interval of the area (slow)
    """
    question = question or question_of(subject)
    positive = np.array([line["positive"][question] for line in lines], bool)
    scores = np.array([score_of(line, subject) for line in lines], float)
    entries = [line["subjects"].get(subject, {}) for line in lines]
    decided = np.array([bool(entry.get("decided")) for entry in entries], bool)
    hits, alarms = int(decided[positive].sum()), int(decided[~positive].sum())
    positives, negatives = int(positive.sum()), int((~positive).sum())
    tpr, fpr = (n / m if m else NAN for n, m in ((hits, positives), (alarms, negatives)))
    low = high = NAN
    if interval and positives and negatives:
        low, high = area_interval(scores, positive, [line["group"] for line in lines])
    return {
        "subject": subject, "question": question, "positives": positives, "negatives": negatives,
        "errors": sum(bool(line["error"]) for line in lines),
        "silent": sum(entry.get("score") is None for entry in entries),
        "auc": area_under_curve(scores, positive), "auc_low": low, "auc_high": high,
        "tpr": tpr, **_interval("tpr", hits, positives),
        "fpr": fpr, **_interval("fpr", alarms, negatives),
        "balanced": (tpr + 1 - fpr) / 2, "tpr_at_1": rate_at(scores, positive, 0.01),
        **_pixel_means(lines, entries), **_times(lines, entries),
    }  # fmt: skip


def _interval(name: str, successes: int, trials: int) -> dict[str, float]:
    low, high = wilson(successes, trials)
    return {f"{name}_low": low, f"{name}_high": high}


def _pixel_means(lines: Sequence[dict[str, Any]], entries: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Means over tampered images with a mask (an unread one counts 0), alarm over untouched ones."""
    means = {}
    masked = [
        e for line, e in zip(lines, entries, strict=True) if line["masked"] and line["positive"]["integrity"]
    ]
    for name in ("f1", "best_f1", "iou", "mcc"):
        known = any(name in entry for entry in entries)
        means[name] = _mean([entry.get(name, 0.0) for entry in masked]) if known else NAN
    means["alarm"] = _mean([entry["alarm"] for entry in entries if "alarm" in entry])
    return means


def _times(lines: Sequence[dict[str, Any]], entries: Sequence[dict[str, Any]]) -> dict[str, float]:
    pairs = [
        (e["seconds"], line["mpx"])
        for line, e in zip(lines, entries, strict=True)
        if e.get("seconds") is not None
    ]
    return {
        "seconds_per_mpx": float(np.median([s / m for s, m in pairs])) if pairs else NAN,
        "seconds": float(np.sum([s for s, _ in pairs])),
    }


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else NAN


def all_figures(lines: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of the table: every subject on every collection, whole and by every trait.

    In a class without untouched images (twins carry their forgery's traits, other
    collections' do not) those of the whole collection stand in.
    """
    for collection in dict.fromkeys(line["collection"] for line in lines):
        own = [line for line in lines if line["collection"] == collection]
        for subject in subjects(own):
            whole = {"collection": collection, "by": EVERYTHING, "value": ""}
            yield {**whole, **figures(own, subject)}
            for by, value, some in classes(own, question_of(subject)):
                part = {"collection": collection, "by": by, "value": value}
                yield {**part, **figures(some, subject, interval=False)}


def classes(
    lines: Sequence[dict[str, Any]], question: str
) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Trait, value and images, for every trait with more than one value."""
    untouched = [line for line in lines if not line["positive"][question]]
    names = dict.fromkeys(name for line in lines for name in line["traits"] if name != "device")
    for name in names:
        values = sorted({line["traits"][name] for line in lines if name in line["traits"]}, key=natural)
        if len(values) < 2:
            continue
        for value in values:
            some = [line for line in lines if line["traits"].get(name) == value]
            if all(line["positive"][question] for line in some):
                some = some + untouched
            yield name, value, some


def natural(text: str) -> tuple[int, float, str]:
    """Numbers by size, before words."""
    try:
        return 0, float(text), ""
    except ValueError:
        return 1, 0.0, text
