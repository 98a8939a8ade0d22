"""Fit the shipped calibration: from each detector's score to a bounded likelihood ratio.

    python benchmarks/calibrate.py MANIFEST.csv... [--jobs 2] [--holdout 0.3] [--write]
        [--scores FILE] [--detector NAME ...]

Manifests have the columns image, label, kind and group (see ``forensix forge``). Groups
(one scene or camera with all its variants) are split at random: the line is fitted on
one side and its cost, Cllr, and error rates are reported on the other. ``--write``
replaces forensix/models/calibration.json and its card, with the numbers of this run.

``--scores FILE`` keeps the scores that were taken; with ``--detector NAME`` only that method
is run again and its scores replaced in the file, and everything is fitted from the file.

Per detector three counts are taken: scores of at most 0.5, above 0.5, and above 0.9, each
with one hit and one miss added, so that no ratio claims more than so many images support.
For methods of integrity the same is done for each kind of change of which there are enough.
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

FEWEST_HITS = 3
FEWEST_OF_KIND = 20
ORIGIN = {"synthetic": True, "camera": False, "authentic": False}
MODELS = Path(__file__).parent.parent / "forensix" / "models"


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
                    "kind": (row.get("kind") or "").strip().lower(),
                    "integrity": {"tampered": True, "authentic": False}.get(label),
                    "history": {"resaved": True, "original": False}.get(history),
                    "origin": ORIGIN.get((row.get("origin") or "").strip().lower() or label),
                })  # fmt: skip
    return rows


Scores = dict[str, list[tuple[float, bool, str, str]]]


def collect(rows: list[dict], names: list[str] | None, jobs: int) -> Scores:
    """Per detector (score, changed, group, kind) of each image it could judge and whose truth is known."""
    from forensix import detectors
    from forensix.batch import scan_many

    by_path = {row["image"]: row for row in rows}
    questions = {name: detectors.method(name).concludes for name in detectors.names()}
    scores = defaultdict(list)
    for number, result in enumerate(scan_many(list(by_path), detectors=names, jobs=jobs), start=1):
        row = by_path[result.path]
        for finding in result.findings:
            truth = row[questions[finding.detector]]
            if finding.score is not None and truth is not None:
                scores[finding.detector].append((finding.score, truth, row["group"], row["kind"]))
        print(f"\r{number} of {len(by_path)}", end="", file=sys.stderr)
    return scores


def collected_scores(args: argparse.Namespace) -> Scores:
    """The scores kept from an earlier run (``--scores``), with those taken in this one in their place."""
    kept: Scores = {}
    if args.scores and args.scores.exists():
        document = json.loads(args.scores.read_text())
        kept = {name: [tuple(triple) for triple in triples] for name, triples in document.items()}
    if not kept or args.detector:
        kept |= collect(read_rows(args.manifests, args.originals), args.detector, args.jobs)
    if args.scores:
        args.scores.write_text(json.dumps(kept))
    return kept


def rate(hits: np.ndarray) -> float:
    """A fraction that never claims 0 or 1 from a finite number of images."""
    return float((hits.sum() + 1) / (len(hits) + 2))


def cllr(log10_lr: np.ndarray, tampered: np.ndarray) -> float:
    """Log-likelihood-ratio cost (Brümmer & du Preez 2006), bits; 1 says nothing."""
    lr = 10.0**log10_lr
    return float(0.5 * (np.log2(1 + 1 / lr[tampered]).mean() + np.log2(1 + lr[~tampered]).mean()))


def fit(scores: np.ndarray, changed: np.ndarray, kinds: np.ndarray | None = None) -> dict:
    """The numbers of one detector's Calibration; with `kinds` (str, of each image) also those of each kind."""
    low, middle, high = knots(scores, changed, ~changed)
    numbers = {
        "low": low,
        "middle": middle,
        "high": high,
        "authentic": int((~changed).sum()),
        "changed": int(changed.sum()),
        "false_alarm_rate": round(float((scores[~changed] > 0.5).mean()), 4),
    }
    if kinds is not None:
        names, counts = np.unique(kinds[changed], return_counts=True)
        numbers["kinds"] = {
            str(name): knots(scores, changed & (kinds == name), ~changed)
            for name, count in zip(names, counts, strict=True)
            if name and count >= FEWEST_OF_KIND
        }
    return numbers


def knots(scores: np.ndarray, changed: np.ndarray, untouched: np.ndarray) -> list[float]:
    """Weights at the scores 0, 0.75 and from 0.95 on."""

    def weight(inside: np.ndarray) -> float:
        return math.log10(rate(inside[changed]) / rate(inside[untouched]))

    middle = max(0.0, weight((scores > 0.5) & (scores <= 0.9)))
    return [
        round(min(0.0, weight(scores <= 0.5)), 3),
        round(middle, 3),
        round(max(middle, weight(scores > 0.9)), 3),
    ]


def apply(numbers: dict[str, float], scores: np.ndarray) -> np.ndarray:
    from forensix.fusion.calibration import Calibration

    return np.array([Calibration(**numbers).log10_lr(float(score)) for score in scores])


def held_out_report(name: str, triples: list, holdout: float, rng: np.random.Generator) -> str:
    """One row: the line fitted on some groups, judged on the others."""
    groups = sorted({group for _, _, group, _ in triples})
    away = set(rng.permutation(groups)[: round(len(groups) * holdout)])
    sides = []
    for keep in (lambda g: g not in away, lambda g: g in away):
        some = [(s, t) for s, t, g, _ in triples if keep(g)]
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
    parser.add_argument("--detector", action="append", help="take the scores of this method only")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--holdout", type=float, default=0.3, help="fraction of groups kept out of the report's fit"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--describe", default="", help="one sentence for the card: what the images are")
    parser.add_argument("--write", action="store_true", help="replace the shipped model and card")
    args = parser.parse_args()
    from forensix import detectors

    collected = collected_scores(args)
    lines = [f"{'held out':28s}{'n+':>6s}{'n-':>6s}{'Cllr':>8s}{'TPR':>8s}{'FPR':>8s}"]
    models = {}
    rng = np.random.default_rng(args.seed)
    for name in sorted(collected):
        triples = sorted(collected[name])
        scores = np.array([s for s, *_ in triples])
        tampered = np.array([t for _, t, *_ in triples], bool)
        kinds = np.array([kind for *_, kind in triples])
        # A method whose trace these forgeries do not carry keeps the soft default.
        if (scores[tampered] > 0.5).sum() >= FEWEST_HITS and not tampered.all():
            lines.append(held_out_report(name, triples, args.holdout, rng))
            by_kind = detectors.method(name).concludes == "integrity"
            models[name] = fit(scores, tampered, kinds if by_kind else None)
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

From a detector's score to log10 of a likelihood ratio, by counting scores of at most 0.5,
above 0.5 and above 0.9 on reference images. Fitted {datetime.now(UTC).date()}
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
