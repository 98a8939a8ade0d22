"""Fit the shipped calibration: from each detector's score to a bounded likelihood ratio.

    python benchmarks/calibrate.py MANIFEST.csv... [--jobs 2] [--holdout 0.3] [--write]

Manifests have the columns image, label, kind and group (see ``forensix forge``). Groups
(one scene or camera with all its variants) are split at random: the line is fitted on
one side and its cost, Cllr, and error rates are reported on the other. ``--write``
replaces forensix/models/calibration.json and its card, with the numbers of this run.

Per detector, log10 LR = intercept + slope * log10(score / (1 - score)), fitted by
logistic regression with both classes weighted equally, drawn towards no evidence
(intercept 0, slope 0), and cut off at what the reference data supports: no score
is worth more than the best ratio of hits to false alarms at any threshold from the
detector's own decision upwards, nor less than the ratio of misses to correct silence,
each rate counted with one hit and one miss added.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

MODELS = Path(__file__).parent.parent / "forensix" / "models"
RIDGE = 1.0


def read_rows(manifests: list[Path], originals: list[Path]) -> list[dict]:
    """Rows of all manifests: absolute path, group, and for each question yes, no or unknown."""
    rows = []
    for manifest in [*manifests, *originals]:
        with open(manifest, newline="") as handle:
            for row in csv.DictReader(handle):
                label = row["label"].strip().lower()
                history = (row.get("history") or "").strip().lower()
                if not history:
                    history = "original" if manifest in originals else label
                rows.append({
                    "image": str((manifest.parent / row["image"]).resolve()),
                    "group": row.get("group") or row["image"],
                    "integrity": {"tampered": True, "authentic": False}.get(label),
                    "history": {"resaved": True, "original": False}.get(history),
                    "origin": {"synthetic": True, "authentic": False}.get(label),
                })  # fmt: skip
    return rows


def collect(rows: list[dict], jobs: int) -> dict[str, list[tuple[float, bool, str]]]:
    """Per detector the (score, changed, group) of every image it could judge and whose truth is known."""
    from forensix import detectors
    from forensix.batch import scan_many

    by_path = {row["image"]: row for row in rows}
    questions = {name: detectors.method(name).concludes for name in detectors.names()}
    scores = defaultdict(list)
    for number, result in enumerate(scan_many(list(by_path), jobs=jobs), start=1):
        row = by_path[result.path]
        for finding in result.findings:
            truth = row[questions[finding.detector]]
            if finding.score is not None and truth is not None:
                scores[finding.detector].append((finding.score, truth, row["group"]))
        print(f"\r{number} of {len(by_path)}", end="", file=sys.stderr)
    return scores


def collected_scores(args: argparse.Namespace) -> dict[str, list[tuple[float, bool, str]]]:
    """The scores of this run, or those kept from an earlier one (``--scores``)."""
    if args.scores and args.scores.exists():
        kept = json.loads(args.scores.read_text())
        return {name: [tuple(triple) for triple in triples] for name, triples in kept.items()}
    scores = collect(read_rows(args.manifests, args.originals), args.jobs)
    if args.scores:
        args.scores.write_text(json.dumps(scores))
    return scores


def log_odds(scores: np.ndarray) -> np.ndarray:
    inside = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.log10(inside / (1 - inside))


def fit_line(odds: np.ndarray, tampered: np.ndarray) -> tuple[float, float]:
    """Intercept and slope (log10 units) of a class-balanced, ridge-bound logistic fit."""
    weights = np.where(tampered, 0.5 / max(tampered.sum(), 1), 0.5 / max((~tampered).sum(), 1)) * len(odds)
    signs = np.where(tampered, 1.0, -1.0)

    def cost(line: np.ndarray) -> float:
        margin = signs * (line[0] + line[1] * odds) * math.log(10)
        return float((weights * np.logaddexp(0, -margin)).sum() + RIDGE * (line**2).sum())

    best = minimize(cost, np.array([0.0, 0.5]), bounds=[(-4, 4), (0, 4)], method="L-BFGS-B")
    return float(best.x[0]), float(best.x[1])


def bounds(scores: np.ndarray, tampered: np.ndarray) -> tuple[float, float]:
    """Lowest and highest log10 LR that so many images can support."""
    thresholds = np.unique(np.append(scores[tampered & (scores > 0.5)], 0.5))
    steepest = max(rate(scores[tampered] > t) / rate(scores[~tampered] > t) for t in thresholds)
    calm = rate(scores[tampered] <= 0.5) / rate(scores[~tampered] <= 0.5)
    return min(0.0, math.log10(calm)), max(0.0, math.log10(steepest))


def rate(hits: np.ndarray) -> float:
    """A fraction that never claims 0 or 1 from a finite number of images."""
    return float((hits.sum() + 1) / (len(hits) + 2))


def cllr(log10_lr: np.ndarray, tampered: np.ndarray) -> float:
    """Log-likelihood-ratio cost (Brümmer & du Preez 2006), bits; 1 says nothing."""
    lr = 10.0**log10_lr
    return float(0.5 * (np.log2(1 + 1 / lr[tampered]).mean() + np.log2(1 + lr[~tampered]).mean()))


def fit(scores: np.ndarray, tampered: np.ndarray) -> dict[str, float]:
    intercept, slope = fit_line(log_odds(scores), tampered)
    lowest, highest = bounds(scores, tampered)
    return {
        "intercept": round(intercept, 3),
        "slope": round(slope, 3),
        "lowest": round(lowest, 3),
        "highest": round(highest, 3),
        "authentic": int((~tampered).sum()),
        "tampered": int(tampered.sum()),
        "false_alarm_rate": round(float((scores[~tampered] > 0.5).mean()), 4),
    }


def apply(line: dict[str, float], scores: np.ndarray) -> np.ndarray:
    return np.clip(line["intercept"] + line["slope"] * log_odds(scores), line["lowest"], line["highest"])


def held_out_report(name: str, triples: list, holdout: float, rng: np.random.Generator) -> str:
    """One row: the line fitted on some groups, judged on the others."""
    groups = sorted({group for *_, group in triples})
    away = set(rng.permutation(groups)[: round(len(groups) * holdout)])
    sides = []
    for keep in (lambda g: g not in away, lambda g: g in away):
        some = [(s, t) for s, t, g in triples if keep(g)]
        sides.append((np.array([s for s, _ in some]), np.array([t for _, t in some], bool)))
    (fit_scores, fit_labels), (scores, tampered) = sides
    if min(fit_labels.sum(), (~fit_labels).sum(), tampered.sum(), (~tampered).sum()) == 0:
        return f"{name:28s} too few images of one class on one side"
    judged = apply(fit(fit_scores, fit_labels), scores)
    hits, alarms = (scores[tampered] > 0.5).mean(), (scores[~tampered] > 0.5).mean()
    return (f"{name:28s}{tampered.sum():6d}{(~tampered).sum():6d}{cllr(judged, tampered):8.3f}"
            f"{hits:8.3f}{alarms:8.3f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--originals", nargs="*", default=[], type=Path, help="manifests of camera originals")
    parser.add_argument("--scores", type=Path, help="keep the scores here, and start from them next time")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--holdout", type=float, default=0.3, help="fraction of groups kept out of the report's fit"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--describe", default="", help="one sentence for the card: what the images are")
    parser.add_argument("--write", action="store_true", help="replace the shipped model and card")
    args = parser.parse_args()
    collected = collected_scores(args)
    lines = [f"{'held out':28s}{'n+':>6s}{'n-':>6s}{'Cllr':>8s}{'TPR':>8s}{'FPR':>8s}"]
    models = {}
    rng = np.random.default_rng(args.seed)
    for name in sorted(collected):
        triples = sorted(collected[name])
        scores = np.array([s for s, _, _ in triples])
        tampered = np.array([t for _, t, _ in triples], bool)
        if tampered.any() and not tampered.all():
            lines.append(held_out_report(name, triples, args.holdout, rng))
            models[name] = fit(scores, tampered)
    report = "\n".join(lines)
    print(report)
    print(json.dumps(models, indent=1))
    if args.write:
        write(models, report, args.describe)


def write(models: dict, report: str, description: str) -> None:
    """Replace the shipped numbers and the card beside them."""
    document = {"card": "calibration.md", "detectors": models}
    (MODELS / "calibration.json").write_text(json.dumps(document, indent=1) + "\n")
    card = f"""# calibration.json

From a detector's score to log10 of a likelihood ratio: a line in the score's log-odds,
cut off at bounds that the number of reference images supports. Fitted {datetime.now(UTC).date()}
by `python benchmarks/calibrate.py`, whose docstring says how.

Images: {description or "not described"}
None of them is shipped. "Tampered" means a change of any kind, so a method that sees one
kind only gets a small weight for its silence.

On groups kept out of the fit:

```
{report}
```

Limits: the reference images are of few kinds and cameras; the bounds keep the claims
small for that reason. The numbers are for scores of this version's methods only.
"""
    (MODELS / "calibration.md").write_text(card)


if __name__ == "__main__":
    main()
