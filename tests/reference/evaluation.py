"""Figures of a scan against a manifest, from the command's own output: JSON lines and PNG maps.

Restates in plain loops what a person would count by hand; knows nothing of the package.
"""

import csv
import json
import math
from pathlib import Path

import numpy as np
from PIL import Image

POSITIVE = ("tampered", "synthetic", "resaved", "inconsistent", "fake")


def grey(path, size):
    with Image.open(path) as picture:
        values = picture.convert("L")
    return np.array(values if values.size == size else values.resize(size, Image.NEAREST))


def auc(scores, positives):
    """Share of pairs in which the positive one has the higher score; ties count half."""
    wins = [
        1.0 if p > n else 0.5 if p == n else 0.0
        for p, p_is in zip(scores, positives, strict=True) if p_is
        for n, n_is in zip(scores, positives, strict=True) if not n_is
    ]  # fmt: skip
    return sum(wins) / len(wins) if wins else math.nan


def tpr_at(scores, positives, rate):
    """The best hit rate of all thresholds with few enough false alarms."""
    hits = [s for s, p in zip(scores, positives, strict=True) if p]
    misses = [s for s, p in zip(scores, positives, strict=True) if not p]
    best = 0.0
    for threshold in [-math.inf, *scores]:
        if sum(s > threshold for s in misses) <= math.floor(rate * len(misses)):
            best = max(best, sum(s > threshold for s in hits) / len(hits))
    return best


def f1_iou(claimed, truth):
    both, either = int((claimed & truth).sum()), int((claimed | truth).sum())
    return (2 * both / (both + either) if either else 1.0), (both / either if either else 1.0)


def mean(values):
    return sum(values) / len(values) if values else math.nan


def evaluate(manifest, records, maps, conclusion="integrity", detector=None):
    """The figures by name; `records` are the documents of a scan with maps in the folder `maps`."""
    by_path = {str(Path(r["evidence"]["path"]).resolve()): r for r in records}
    scores, positives, decisions, f1s, bests, ious, alarms, errors = [], [], [], [], [], [], [], 0
    for row in csv.DictReader(Path(manifest).read_text().splitlines()):
        positive = (row.get(conclusion) or row["label"]).strip().lower() in POSITIVE
        record = by_path[str((Path(manifest).parent / row["image"]).resolve())]
        score, decided = None, False
        if record["status"] != "ok":
            errors += 1
        elif detector:
            score = next(f["score"] for f in record["findings"] if f["detector"] == detector)
            decided = score is not None and score > 0.5
        else:
            score = record["conclusions"][conclusion]["score"]
            decided = record["conclusions"][conclusion]["label"] in POSITIVE
        scores.append(0.5 if score is None else score)
        positives.append(positive)
        decisions.append(decided)
        if record["status"] != "ok":
            if positive and row["mask"]:
                f1s.append(0.0), ious.append(0.0), bests.append(0.0)
            continue
        size = (record["evidence"]["width"], record["evidence"]["height"])
        claimed = grey(Path(maps) / record["maps"]["mask"], size) > 127
        if not positive:
            alarms.append(float(claimed.mean()))
        elif row["mask"]:
            truth = grey(Path(manifest).parent / row["mask"], size) > 127
            f1, iou = f1_iou(claimed, truth)
            f1s.append(f1), ious.append(iou)
            name = record["maps"].get(detector or "fused")
            heat = grey(Path(maps) / name, size) if name else None
            bests.append(max(f1_iou(heat >= t, truth)[0] for t in range(256)) if name else 0.0)
    hits = [d for d, p in zip(decisions, positives, strict=True) if p]
    false = [d for d, p in zip(decisions, positives, strict=True) if not p]
    return {
        "positives": len(hits), "negatives": len(false), "errors": errors, "auc": auc(scores, positives),
        "tpr": mean(hits), "fpr": mean(false), "balanced": (mean(hits) + 1 - mean(false)) / 2,
        "tpr_at_1": tpr_at(scores, positives, 0.01), "f1": mean(f1s), "best_f1": mean(bests),
        "iou": mean(ious), "alarm": mean(alarms),
    }  # fmt: skip


def read_jsonl(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]
