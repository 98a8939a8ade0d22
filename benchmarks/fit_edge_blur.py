"""Fit the numbers of the method `edge-blur` to given photos.

    python benchmarks/fit_edge_blur.py PHOTO... --untouched PHOTO... --output MODEL.npz

Pastes with ramps of sigma 0, 1, 2, 4 and their untouched twins are made between the photos, lossless and as
JPEG of qualities from 80 to 95. Boosted trees learn what a place on a seam looks like, against other
places, every third of them steep. Outlines are then followed in the same pictures and in the untouched
photos, with trees that have not seen the photo (two, each fitted to every other pair of photos), and further trees
learn which outlines lie on a seam. Printed is what the outlines of untouched pictures reach, judged crosswise; the
limit is what one in a hundred of them exceeds, and a margin.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import seam_samples as samples
import seam_trees

import forensix
from forensix.detectors.splicing._seam_features import Places, seam_places
from forensix.detectors.splicing._seam_model import SeamModel, Trees, unpacked
from forensix.detectors.splicing._seam_outlines import outlines

ON, OFF = 2.5, 14.0  # pixels: nearer to the seam than this, further away than this
MARGIN = 0.3  # nats
Known = tuple[np.ndarray, np.ndarray]


def scenes(paths: list[Path], count: int) -> Iterator[tuple[int, samples.Sample]]:
    """Which half of the photos the picture belongs to, and the picture."""
    for turn in range(count):
        for number, path in enumerate(paths):
            rng = samples.seeded(path.name, turn)
            other = paths[(number + 1 + int(rng.integers(len(paths) - 1))) % len(paths)]
            for sample in samples.scene(forensix.open(path).rgb, forensix.open(other).rgb, rng):
                yield number // 2 % 2, sample


def drawn(sample: samples.Sample, places: Places, rng: np.random.Generator) -> Known:
    """Inputs of some places, and whether they lie on a seam."""
    inputs = places.inputs.reshape(-1, places.inputs.shape[-1])
    steep = np.argsort(-places.steepness.ravel())
    if sample.shape is None:
        chosen = [rng.choice(len(inputs), 250), rng.choice(steep[: len(inputs) // 8], 250)]
    else:
        away = samples.from_seam(sample.shape, places.across)
        groups = (
            np.flatnonzero(away < ON),
            np.flatnonzero(away > OFF),
            steep[away[steep] > OFF][: len(steep) // 8],
        )
        chosen = [
            rng.choice(g, min(n, len(g)), replace=False) for g, n in zip(groups, (300, 100, 150), strict=True)
        ]
    on = np.repeat([sample.shape is not None, False, False][: len(chosen)], [len(part) for part in chosen])
    return inputs[np.concatenate(chosen)], on


def joined(parts: list[Known]) -> Known:
    inputs, on = (np.concatenate(column) for column in zip(*parts, strict=True))
    return inputs, on


def known_outlines(sample: samples.Sample, places: Places, trees: Trees) -> Known:
    """Traits of the outlines of a picture, and whether they lie on its seam; those that do in part are left out."""
    found = outlines(trees.log_odds(places.inputs), places)
    traits = np.array([outline.traits for outline in found]).reshape(len(found), -1)
    if sample.shape is None:
        return traits, np.zeros(len(found), bool)
    away = samples.from_seam(sample.shape, places.across).reshape(places.across.shape[:2])
    hits = np.array([float((away[outline.cells(away.shape)] < 7).mean()) for outline in found])
    clear = (hits > 0.5) | (hits < 0.2)
    return traits[clear], hits[clear] > 0.5


def untouched(paths: list[Path]) -> Iterator[tuple[int, samples.Sample]]:
    for number, path in enumerate(paths):
        yield number % 2, samples.Sample(forensix.open(path).rgb, 0, -1, None, 1)


def as_trees(model: object, depth: int) -> Trees:
    numbers = seam_trees.completed(model, depth)
    return Trees(
        numbers["asked"].astype(np.int32), numbers["thresholds"], numbers["leaves"], float(numbers["base"])
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--untouched", nargs="*", type=Path, default=[], help="further photos, for the limit")
    parser.add_argument("--scenes", type=int, default=5, help="pasted places a photo")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    halves: tuple[list[Known], list[Known]] = ([], [])
    for half, sample in scenes(options.photos, options.scenes):
        halves[half].append(drawn(sample, seam_places(sample.pixels), rng))
    blind = [as_trees(seam_trees.places(*joined(halves[1 - half])), seam_trees.DEPTH) for half in (0, 1)]
    whole = seam_trees.completed(seam_trees.places(*joined(halves[0] + halves[1])))
    numbers = {f"places_{name}": array for name, array in whole.items()}
    known: tuple[list[Known], list[Known]] = ([], [])
    calm: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for half, sample in chain(scenes(options.photos, options.scenes), untouched(options.untouched)):
        part = known_outlines(sample, seam_places(sample.pixels), blind[half])
        known[half].append(part)
        if sample.shape is None and len(part[0]):
            calm[half].append(part[0])
    reached = []
    for half in (0, 1):
        judge = as_trees(seam_trees.outlines(*joined(known[1 - half])), seam_trees.OUTLINE_DEPTH)
        reached += [float(SeamModel(blind[half], judge, 0.0).weights(traits).max()) for traits in calm[half]]
    limit = float(np.quantile(reached, 0.99)) + MARGIN
    print(
        f"{len(reached)} untouched pictures: half reach {np.median(reached):.2f}, the worst {max(reached):.2f}; limit {limit:.2f}"
    )
    last = seam_trees.completed(seam_trees.outlines(*joined(known[0] + known[1])), seam_trees.OUTLINE_DEPTH)
    numbers |= {f"outlines_{name}": array for name, array in last.items()} | {"limit": np.float32(limit)}
    model: SeamModel = unpacked(numbers)
    np.savez_compressed(options.output, **numbers)
    print(f"{options.output} written: {len(model.places.leaves)} and {len(model.outlines.leaves)} trees")


if __name__ == "__main__":
    main()
