"""Measure methods on labelled images.

    python -m benchmarks.accuracy MANIFEST.csv [MORE.csv ...] --out DIR [--detector NAME ...]
    python -m benchmarks.accuracy --scale small --out DIR [--set NAME ...] [--photos DIR]

The first form reads manifests (columns image, mask, label, kind, group). The second makes
the standard sets of forgeries first, from the photos given or from those that come with
scikit-image; "small" takes a minute, "dev" minutes a set and method, "full" a night.

Writes images.csv, figures.csv, report.md and plots; the same command goes on where it was
interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy.figures import EVERYTHING
from benchmarks.accuracy.labelled import Labelled, read_manifest
from benchmarks.accuracy.measuring import Settings
from benchmarks.accuracy.page import informative, write_all
from benchmarks.accuracy.running import describe, run
from benchmarks.accuracy.sets import bundled_photos, make_sets, photos_below
from forensix.errors import ForensixError
from forensix.forgery.planning import SCALES, set_names
from forensix.scanner import choose_methods


def main(args: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(args)
    settings = Settings(tuple(options.detector) or None, options.preset, options.device)
    try:
        choose_methods(settings.detectors, settings.preset)
        images = _images(options)
        if not images:
            sys.stderr.write("nothing to measure: give a MANIFEST, or --scale\n")
            return 2
        lines = []
        for line in run(images, options.out, settings, jobs=options.jobs):
            lines.append(line)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{len(lines)} of {len(images)} ")
        rows = write_all(lines, options.out, settings=describe(settings))
    except (ForensixError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for row in rows:
        if row["by"] == EVERYTHING and informative(row):
            sys.stdout.write(
                f"{row['collection'][:24]:24s} {row['subject'][:26]:26s} n {row['positives']}/{row['negatives']}"
                f"  auc {row['auc']:.3f}  tpr {row['tpr']:.3f}  fpr {row['fpr']:.3f}  tpr@1% {row['tpr_at_1']:.3f}"
                f"  f1 {row['f1']:.3f}  f1* {row['best_f1']:.3f}  iou {row['iou']:.3f}  mcc {row['mcc']:.3f}"
                f"  alarm {row['alarm']:.3f}  err {row['errors']}\n"
            )
    sys.stdout.write(f"see {options.out / 'report.md'}\n")
    return 0


def _images(options: argparse.Namespace) -> list[Labelled]:
    manifests = list(options.manifests)
    if options.scale:
        photos = photos_below(options.photos) if options.photos else bundled_photos(options.out / "photos")
        manifests += make_sets(
            options.set or set_names(),
            photos,
            options.out / "sets",
            scale=options.scale,
            seed=options.seed,
            jobs=options.jobs,
        )
    return [image for manifest in manifests for image in read_manifest(manifest, limit=options.limit)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("manifests", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for results, kept between runs")
    parser.add_argument(
        "--detector", action="append", default=[], help="measure this method only (repeatable)"
    )
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=int, default=0, help="at most N images a manifest, evenly spread")
    parser.add_argument("--scale", choices=SCALES, help="make the standard sets of forgeries, so large")
    parser.add_argument(
        "--set", action="append", default=[], choices=set_names(), help="of the standard sets, these only"
    )
    parser.add_argument("--photos", type=Path, help="folder of photos for the standard sets")
    parser.add_argument("--seed", type=int, default=0, help="of the standard sets")
    return parser


if __name__ == "__main__":
    sys.exit(main())
