"""Learn the projection of residual-cooccurrence, and measure the camera methods.

    python benchmarks/camera_traces.py learn OUT.npz PHOTO... [--dimensions 8]
    python benchmarks/camera_traces.py measure MANIFEST... [--method NAME] [--projection FILE.npz]

`learn` takes untouched photos of many cameras, each also halved and saved again as JPEG 90.
`measure` takes tables as ``forensix forge`` writes them (image, mask, label) and prints, per
table: image AUC, pixel AUC and best-threshold pixel F1 of the forged pictures, pixel F1 and
true and false calls at the method's own decision, and CPU seconds per megapixel.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from accuracy.formulas import area_between
from PIL import Image

import forensix
from forensix import detectors
from forensix.detectors.camera._foreign_region import Projection, window_features
from forensix.errors import ForensixError, NotApplicable
from forensix.native.residual_histograms import residual_histograms

CROP = (960, 1280)
PER_PICTURE = 150
RIDGE = 1e-3


def variants(rgb: np.ndarray) -> Iterator[np.ndarray]:
    """The middle of a photo as it is, of half its size, and saved again."""
    middle = _middle(rgb)
    yield middle
    rows, cols = rgb.shape[0] // 2, rgb.shape[1] // 2
    yield _middle(np.asarray(Image.fromarray(rgb).resize((cols, rows), Image.Resampling.BOX)))
    stream = io.BytesIO()
    Image.fromarray(middle).save(stream, "JPEG", quality=90)
    yield np.asarray(Image.open(stream).convert("RGB"))


def _middle(rgb: np.ndarray) -> np.ndarray:
    top, left = (max(0, (side - crop) // 32 * 16) for side, crop in zip(rgb.shape[:2], CROP, strict=True))
    return np.ascontiguousarray(rgb[top : top + CROP[0], left : left + CROP[1]])


def windows_of(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Features of some windows of a picture; None where it has too few."""
    if min(rgb.shape[:2]) < 128:
        return None
    features, known = window_features(residual_histograms(rgb), stride=2)
    chosen = np.flatnonzero(known.ravel() > 0.7)
    if chosen.size < 50:
        return None
    chosen = rng.choice(chosen, min(PER_PICTURE, chosen.size), replace=False)
    return features.reshape(-1, features.shape[-1])[chosen].astype(np.float64)


def learn(pictures: list[np.ndarray], dimensions: int) -> Projection:
    """Linear discriminant analysis: pictures are the classes.

    pictures : one (windows, 150) array a picture
    """
    from scipy.linalg import eigh

    means = np.stack([windows.mean(axis=0) for windows in pictures])
    deviations = np.concatenate([windows - windows.mean(axis=0) for windows in pictures])
    within = deviations.T @ deviations / len(deviations)
    within += RIDGE * np.trace(within) / len(within) * np.eye(len(within))
    _, directions = eigh(np.cov(means.T), within)
    return Projection(np.concatenate(pictures).mean(axis=0), directions[:, ::-1][:, :dimensions])


def learn_command(arguments: argparse.Namespace) -> None:
    rng = np.random.default_rng(0)
    pictures = []
    for path in arguments.photos:
        try:
            rgb = np.ascontiguousarray(forensix.open(path).rgb)
        except ForensixError as error:
            print(path, error)
            continue
        pictures += [windows for v in variants(rgb) if (windows := windows_of(v, rng)) is not None]
    projection = learn(pictures, arguments.dimensions)
    mean, directions = (a.astype(np.float32) for a in (projection.mean, projection.directions))
    np.savez_compressed(arguments.out, mean=mean, directions=directions)
    print(f"{len(pictures)} pictures, {arguments.dimensions} dimensions: {arguments.out}")


def pixel_figures(values: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Pixel AUC and best-threshold F1; NaN counts as the lowest value."""
    values = np.nan_to_num(values, nan=0.0).ravel()
    marked = truth.ravel()[np.argsort(-values, kind="stable")]
    ordered = -np.sort(-values, kind="stable")
    last = np.append(np.flatnonzero(np.diff(ordered)), values.size - 1)
    hits = np.cumsum(marked)[last]
    alarms = last + 1 - hits
    recall, fall_out = hits / hits[-1], alarms / alarms[-1]
    area = np.trapezoid(np.append(0, recall), np.append(0, fall_out))
    return float(area), float((2 * hits / (last + 1 + hits[-1])).max())


def measure(manifest: Path, name: str) -> str:
    module = detectors.load(name)
    scores: dict[bool, list[float]] = {True: [], False: []}
    pixels, own, costs = [], [], []
    skipped = 0
    for row in csv.DictReader(manifest.open(newline="")):
        tampered = row["label"] == "tampered"
        try:
            evidence = forensix.open(manifest.parent / row["image"])
            evidence.rgb, evidence.luma  # noqa: B018  (decoding is not the method's cost)
            begun = time.process_time()
            finding = module.detect(evidence)
            costs.append((time.process_time() - begun) / (evidence.height * evidence.width / 1e6))
        except NotApplicable:
            skipped += 1
            finding = None
        score = 0.5 if finding is None or finding.score is None else finding.score
        scores[tampered].append(score)
        if tampered and row.get("mask"):
            truth = np.asarray(Image.open(manifest.parent / row["mask"]).convert("L")) > 127
            has_map = finding is not None and finding.heatmap is not None
            values = finding.heatmap.full_size(*truth.shape) if has_map else np.zeros(truth.shape)
            marked = values > 0.5
            pixels.append(pixel_figures(values, truth))
            own.append(2 * (marked & truth).sum() / max(1, marked.sum() + truth.sum()))
    tpr, fpr = (
        float(np.mean(np.array(scores[t]) > 0.5)) if scores[t] else float("nan") for t in (True, False)
    )
    area, f1 = np.mean(pixels, axis=0) if pixels else (float("nan"), float("nan"))
    return (
        f"| {manifest.parent.name} | {len(scores[True])}/{len(scores[False])} | {skipped} | "
        f"{area_between(scores[True], scores[False]):.3f} | {area:.3f} | {f1:.3f} | "
        f"{np.mean(own) if own else float('nan'):.3f} | {tpr:.3f} | {fpr:.3f} | "
        f"{np.median(costs) if costs else float('nan'):.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(required=True)
    learning = commands.add_parser("learn")
    learning.add_argument("out", type=Path)
    learning.add_argument("photos", nargs="+")
    learning.add_argument("--dimensions", type=int, default=8)
    learning.set_defaults(run=learn_command)
    measuring = commands.add_parser("measure")
    measuring.add_argument("manifests", nargs="+", type=Path)
    measuring.add_argument("--method", default="residual-cooccurrence")
    measuring.add_argument("--projection", type=Path)
    measuring.set_defaults(run=measure_command)
    arguments = parser.parse_args()
    arguments.run(arguments)


def measure_command(arguments: argparse.Namespace) -> None:
    if arguments.projection:
        with np.load(arguments.projection) as file:
            held_out = Projection(*(file[key].astype(np.float64) for key in ("mean", "directions")))
        module = detectors.load("residual-cooccurrence")
        module.shipped_projection = lambda: held_out
    print("| set | n+/n- | n/a | image AUC | pixel AUC | best F1 | own F1 | TPR | FPR | CPU s/Mpx |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for manifest in arguments.manifests:
        print(measure(manifest, arguments.method), flush=True)


if __name__ == "__main__":
    main()
