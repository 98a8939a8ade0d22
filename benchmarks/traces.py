"""One property changed inside a shape and nothing else: how well given methods find it.

    python benchmarks/traces.py PHOTO... [--methods filtering,resampling] [--qualities 0,95,90,80]
        [--traces "median 3,blur 1"] [--page OUT.md]

From the middle of each photo a part of at most 1024 x 1024 pixels is taken; inside a shape of
5 to 15 % of it one property is changed, and the part is saved as PNG (quality 0) or JPEG. The
twin is the same part, unchanged, through the same encoding. Reported per trace and encoding:
how often a method decides, the area under the ROC curve of its scores against the twins'
(a method that cannot tell scores 0.5), and the mean pixel F1 of what it marks, 0 where it
marks nothing. The names of the photos determine all that is drawn.
"""

from __future__ import annotations

import argparse
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


def measure(options: argparse.Namespace) -> tuple[dict, dict]:
    scores, twins = defaultdict(list), defaultdict(list)
    for path in options.photos:
        try:
            rgb = middle(path)
            made = {trace: changed(path, rgb, trace) for trace in options.traces}
        except ForensixError as error:
            print(f"left out: {path}: {error}")
            continue
        for quality in options.qualities:
            for method in options.methods:
                score, found = answer(method, encoded(rgb, quality), rgb.shape[:2])
                twins[method, quality].append(0.5 if score is None else score)
                for trace, (picture, mask) in made.items():
                    score, found = answer(method, encoded(picture, quality), rgb.shape[:2])
                    scores[method, trace, quality].append((0.5 if score is None else score, f1(found, mask)))
        if options.page is not None:  # after each photo, so that a run that is ended leaves what it has
            options.page.write_text(page(scores, twins, options), "utf-8")
    return scores, twins


def page(scores: dict, twins: dict, options: argparse.Namespace) -> str:
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
    options = parser.parse_args()
    unknown = sorted(set(options.traces) - set(TRACES))
    if unknown or {TRACES[t][0] for t in options.traces} - set(OPERATIONS):
        parser.error(f"no such traces: {', '.join(unknown)}; there are: {', '.join(TRACES)}")
    cv2.setNumThreads(1)
    scores, twins = measure(options)
    if not scores:
        raise SystemExit("no photo was left to measure on")
    text = page(scores, twins, options)
    print(text)


if __name__ == "__main__":
    main()
