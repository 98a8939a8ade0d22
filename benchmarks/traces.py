"""One property changed inside a shape and nothing else: how well given methods find it.

    python benchmarks/traces.py PHOTO... [--methods filtering,resampling] [--qualities 0,95,90,80]
        [--traces "median 3,blur 1"] [--page OUT.md] [--keep SCORES.json]

From the middle of each photo a part of at most 1024 x 1024 pixels is taken; inside a shape of
5 to 15 % of it one property is changed, and the part is saved as PNG (quality 0) or JPEG. The
twin is the same part, unchanged, through the same encoding. Reported per trace and encoding:
how often a method decides, the area under the ROC curve of its scores against the twins'
(a method that cannot tell scores 0.5), and the mean pixel F1 of what it marks, 0 where it
marks nothing. The names of the photos determine all that is drawn. With ``--keep`` each photo's
scores go to a file after it, and photos already there are not run again: a run may be ended and
taken up, and the tables are of all photos in the file.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from accuracy.formulas import area_between
from removal import answer, encoded, f1, seed_of

import forensix
from forensix.errors import ForensixError
from forensix.forgery.traces import OPERATIONS, change_trace

SIDE = 1024
TRACES = {
    "median 3": ("median", {"size": 3}), "median 5": ("median", {"size": 5}),
    "blur 0.5": ("gaussian", {"sigma": 0.5}), "blur 1": ("gaussian", {"sigma": 1.0}),
    "blur 1.5": ("gaussian", {"sigma": 1.5}), "bilateral": ("bilateral", {}), "sharpened": ("sharpen", {}),
    "noise 3": ("noise", {"sigma": 3.0}), "gamma 1.2": ("gamma", {"exponent": 1.2}), "CLAHE": ("equalize", {}),
    "scaled 0.8": ("resample", {"factor": 0.8}), "scaled 1.1": ("resample", {"factor": 1.1}),
    "scaled 1.5": ("resample", {"factor": 1.5}), "turned 5": ("rotate", {"angle": 5.0}),
}  # fmt: skip


def middle(path: Path) -> np.ndarray:
    rgb = forensix.open(path).rgb
    top, left = (max(0, size - SIDE) // 32 * 16 for size in rgb.shape[:2])
    return np.ascontiguousarray(rgb[top : top + SIDE, left : left + SIDE])


def changed(path: Path, rgb: np.ndarray, trace: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed_of(path.name, trace))
    operation, strength = TRACES[trace]
    area = float(np.exp(rng.uniform(np.log(0.05), np.log(0.15))))
    edit = change_trace(rgb, rng=rng, operation=operation, area=area, **strength)
    return edit.image, edit.mask


def measure(options: argparse.Namespace) -> dict[str, list]:
    """By photo: lines of method, trace (None: the twin), quality, score, F1."""
    kept = json.loads(options.keep.read_text()) if options.keep and options.keep.exists() else {}
    for path in options.photos:
        known = {tuple(line[:3]) for line in kept.get(path.name, [])}
        wanted = [
            (method, trace, quality)
            for quality in options.qualities
            for method in options.methods
            for trace in (None, *options.traces)
            if (method, trace, quality) not in known
        ]
        if not wanted:
            continue
        try:
            rgb = middle(path)
            made = {trace: changed(path, rgb, trace) for trace in options.traces}
        except ForensixError as error:
            print(f"left out: {path}: {error}")
            continue
        made[None] = (rgb, np.zeros(rgb.shape[:2], bool))
        files = {(t, q): encoded(made[t][0], q) for t, q in {(t, q) for _, t, q in wanted}}
        for method, trace, quality in wanted:
            score, found = answer(method, files[trace, quality], rgb.shape[:2])
            line = [method, trace, quality, 0.5 if score is None else score, f1(found, made[trace][1])]
            kept.setdefault(path.name, []).append(line)
        if options.keep is not None:
            options.keep.write_text(json.dumps(kept), "utf-8")
        if options.page is not None:  # after each photo, so that a run that is ended leaves what it has
            options.page.write_text(page(kept, options), "utf-8")
    return kept


def page(kept: dict[str, list], options: argparse.Namespace) -> str:
    scores, twins = defaultdict(list), defaultdict(list)
    for method, trace, quality, score, overlap in (line for photo in kept.values() for line in photo):
        if trace is None:
            twins[method, quality].append(score)
        else:
            scores[method, trace, quality].append((score, overlap))
    names = ["PNG" if quality == 0 else f"JPEG {quality}" for quality in options.qualities]
    lines = []
    for method in options.methods:
        lines += [f"## {method}", "", "decided / AUC / F1", "", "| trace | " + " | ".join(names) + " |",
                  "|---" * (len(names) + 1) + "|"]  # fmt: skip
        for trace in options.traces:
            cells = []
            for quality in options.qualities:
                got = np.array(scores[method, trace, quality])
                auc = area_between(got[:, 0].tolist(), twins[method, quality])
                cells.append(f"{np.mean(got[:, 0] > 0.5):.2f} / {auc:.2f} / {got[:, 1].mean():.2f}")
            lines.append(f"| {trace} | " + " | ".join(cells) + " |")
        calls = [f"{np.sum(np.array(twins[method, q]) > 0.5)} of {len(twins[method, q])}"
                 for q in options.qualities]  # fmt: skip
        lines += ["| *twins decided on* | " + " | ".join(calls) + " |", ""]
    return "\n".join(lines)


def listed(kind: type) -> object:
    return lambda text: [kind(word.strip()) for word in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--methods", type=listed(str), default=["filtering"])
    parser.add_argument("--qualities", type=listed(int), default=[0, 95, 90, 80])
    parser.add_argument("--traces", type=listed(str), default=list(TRACES))
    parser.add_argument("--page", type=Path)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    unknown = sorted(set(options.traces) - set(TRACES))
    if unknown or {TRACES[t][0] for t in options.traces} - set(OPERATIONS):
        parser.error(f"no such traces: {', '.join(unknown)}; there are: {', '.join(TRACES)}")
    cv2.setNumThreads(1)
    kept = measure(options)
    if not kept:
        raise SystemExit("no photo was left to measure on")
    print(page(kept, options))


if __name__ == "__main__":
    main()
