"""How well photos are matched with the cameras in a store, by size of photo.

    python -m benchmarks.camera_match compare MANIFEST --store DIR --sizes 512 0 --out rows.jsonl
    python -m benchmarks.camera_match table rows.jsonl... [--model camera_match.json]

MANIFEST is a CSV with the columns image (a path relative to it) and device (the name of its
camera in the store, or any other name). Photos enrolled are passed over. Sizes are sides of
centred squares that are cut out; 0 is the whole photo. Rows can be made in several runs.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from accuracy.formulas import area_between

from forensix.detectors.camera.matching import DECISION, Query, match
from forensix.detectors.camera.store import CameraStore
from forensix.errors import CameraError
from forensix.evidence import Evidence, open_evidence

EDGES = (10, 30, 60, 120)


def compare(manifest: Path, store: CameraStore, sizes: list[int], out: Path, keep: str) -> None:
    """One line of JSON for each photo, camera and size."""
    cameras = {name: store.load(name) for name in store.names()}
    enrolled = {photo["sha256"] for camera in cameras.values() for photo in camera.photos}
    ready = {name: camera.for_matching() for name, camera in cameras.items()}
    with out.open("a") as handle, manifest.open(newline="") as rows:
        for row in csv.DictReader(rows):
            photo = open_evidence(manifest.parent / row["image"])
            if photo.sha256 in enrolled or keep not in row["image"]:
                continue
            for size in sizes:
                if 0 < size <= min(photo.height, photo.width) or size == 0:
                    _compare_one(row, photo, size, ready, handle)


def _compare_one(row, photo, size, cameras, handle) -> None:
    try:
        query = Query(centre(photo, size) if size else photo)
    except CameraError as reason:
        print(row["image"], size, reason)
        return
    for name, camera in cameras.items():
        found = match(query, camera)
        line = [Path(row["image"]).name, name, name == row["device"], size, query.usable, found.pce]
        handle.write(json.dumps([*line, found.offset, found.scale, found.turned, found.label]) + "\n")
        handle.flush()


def centre(photo: Evidence, size: int) -> np.ndarray:
    top, left = (photo.height - size) // 2, (photo.width - size) // 2
    return np.ascontiguousarray(photo.rgb[top : top + size, left : left + size])


def table(paths: list[Path], model: Path | None) -> None:
    rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    sizes = sorted({row[3] for row in rows}, key=lambda size: size or 10**9)
    print("| photo | own | other | AUC by PCE | TPR at 60 | FPR at 60 | own, median (least) | other, most |")
    print("|---|---|---|---|---|---|---|---|")
    for size in sizes:
        own = np.array([row[5] for row in rows if row[2] and row[3] == size])
        other = np.array([row[5] for row in rows if not row[2] and row[3] == size])
        figures = [f"{size} x {size}" if size else "whole", len(own), len(other)]
        figures += [f"{area_between(own, other):.3f}" if own.size and other.size else "-"]
        figures += [f"{np.mean(part >= DECISION):.3f}" if part.size else "-" for part in (own, other)]
        figures += [f"{np.median(own):.0f} ({own.min():.1f})" if own.size else "-"]
        figures += [f"{other.max():.1f}" if other.size else "-"]
        print("| " + " | ".join(map(str, figures)) + " |")
    if model is not None:
        model.write_text(counts(rows, sizes))


def counts(rows: list[list], sizes: list[int]) -> str:
    """The reference data of the likelihood ratio, as forensix/models/camera_match.json."""

    def histogram(chosen):
        return np.bincount(
            [sum(row[5] >= edge for edge in EDGES) for row in chosen], minlength=len(EDGES) + 1
        )

    own = []
    for size in sizes:
        chosen = [row for row in rows if row[2] and row[3] == size]
        if chosen:
            usable = int(np.median([row[4] for row in chosen]))
            own.append({"usable": usable, "counts": histogram(chosen).tolist()})
    other = histogram([row for row in rows if not row[2]]).tolist()
    lines = ",\n".join("    " + json.dumps(entry) for entry in sorted(own, key=lambda entry: entry["usable"]))
    return (
        f'{{\n  "edges": {json.dumps(EDGES)},\n  "other_camera": {json.dumps(other)},\n'
        f'  "own_camera": [\n{lines}\n  ]\n}}\n'
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("compare")
    one.add_argument("manifest", type=Path)
    one.add_argument("--store", required=True)
    one.add_argument("--sizes", type=int, nargs="+", default=[512, 0])
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--keep", default="", help="take only images with this in their path")
    two = commands.add_parser("table")
    two.add_argument("rows", type=Path, nargs="+")
    two.add_argument("--model", type=Path)
    asked = parser.parse_args()
    if asked.command == "compare":
        compare(asked.manifest, CameraStore(asked.store), asked.sizes, asked.out, asked.keep)
    else:
        table(asked.rows, asked.model)


if __name__ == "__main__":
    main()
