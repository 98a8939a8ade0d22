"""How far apart the light on faces is estimated to be: in one photo and in two.

    python benchmarks/face_light.py PHOTO...

Prints Markdown. Photos with two faces or more give pairs in one light (or what light there was);
the largest faces of different photos give pairs in different lights.
"""

from __future__ import annotations

import sys
import time
from itertools import combinations

import numpy as np

import forensix
from forensix.detectors.splicing._face_light import FaceLight, angle, face_light
from forensix.detectors.splicing._faces import find_faces
from forensix.detectors.splicing.illuminants import LEAST_FACE, ORDINARY, TURNS, WAYS
from forensix.errors import EvidenceError


def faces(path: str) -> tuple[list[FaceLight], float] | None:
    try:
        evidence = forensix.open(path)
    except EvidenceError:
        return None
    turns = TURNS.get(evidence.orientation, 0)
    luma, rgb = np.rot90(evidence.luma, turns), np.rot90(evidence.rgb, turns)
    start = time.process_time()
    boxes = [box for box in find_faces(luma) if min(box[2:]) >= LEAST_FACE]
    lights = [light for box in boxes if (light := face_light(rgb, box)) is not None]
    return lights, time.process_time() - start


def apart(one: FaceLight, other: FaceLight) -> np.ndarray:
    """(4,): by each way, and the mean."""
    ways = angle(one.estimates, other.estimates)
    return np.append(ways, ways.mean())


def area(pairs: np.ndarray, weights: np.ndarray, others: np.ndarray) -> float:
    """AUC of `others` against weighted `pairs`."""
    above = [(others > p).mean() + 0.5 * (others == p).mean() for p in pairs]
    return float(np.average(above, weights=weights))


def main(paths: list[str]) -> None:
    found = {path: result for path in paths if (result := faces(path)) is not None}
    lights = {path: light for path, (light, _) in found.items() if light}
    same, weights = [], []
    print("| photo | faces | pairs: median | largest |\n|---|---|---|---|")
    for path, light in lights.items():
        pairs = [apart(*pair) for pair in combinations(light, 2)]
        if pairs:
            means = np.array(pairs)[:, 3]
            print(f"| {path.rsplit('/')[-1]} | {len(light)} | {np.median(means):.1f} | {means.max():.1f} |")
            same += pairs
            weights += [1 / len(pairs)] * len(pairs)
    other = np.array([apart(a[0], b[0]) for a, b in combinations(lights.values(), 2)])
    together = np.array(same).reshape(-1, 4)
    print(
        f"\nPhotos read: {len(found)}, with a face: {len(lights)}; pairs within {len(together)}, between {len(other)}."
    )
    print(f"Median CPU seconds a photo: {np.median([seconds for _, seconds in found.values()]):.2f}\n")
    if not len(together) or not len(other):
        return
    print(
        "| way | AUC | within: largest | between: quartiles | between, above the limit |\n|---|---|---|---|---|"
    )
    for column, way in enumerate((*WAYS, "mean")):
        quartiles = " / ".join(f"{q:.1f}" for q in np.quantile(other[:, column], [0.25, 0.5, 0.75]))
        auc = area(together[:, column], np.array(weights), other[:, column])
        above = (other[:, column] > ORDINARY).mean()
        print(f"| {way} | {auc:.2f} | {together[:, column].max():.1f} | {quartiles} | {above:.2f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
