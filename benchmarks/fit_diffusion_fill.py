"""Fit the perceptron of the method inpainting-diffusion to holes filled in given photos.

    python benchmarks/fit_diffusion_fill.py PHOTO... --output MODEL.json [--half 0|1]

The middle of each photo is taken as it is and changed (scaled, blurred, with noise, denoised,
JPEG-compressed); in each, holes of 14 to 110 pixels are filled by Telea's and the
Navier-Stokes method and by biharmonic functions. Cells inside holes against cells of the
picture before the filling, and around the holes. ``--half`` fits to every second photo, by the
same hash of the name as in ``benchmarks/removal.py``, so that the others can judge the result.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from removal import EVEN, encoded, middles, seed_of
from sklearn.neural_network import MLPClassifier

import forensix
from forensix.detectors.removal import _fill_likelihood as likelihood
from forensix.forgery import fill
from forensix.forgery.shapes import smooth_outline
from forensix.native.fill_traces import CELL, fill_traces

CHANGES = ("none", "half", "scaled", "enlarged", "blurred", "denoised", "jpeg", "noisy")
UNTOUCHED, AROUND, INSIDE = 1000, 200, 300  # cells taken from a picture, and per hole or kind
UNITS, PENALTY, ROUNDS = 24, 0.003, 10


def changed(rgb: np.ndarray, change: str, rng: np.random.Generator) -> np.ndarray:
    if change == "half":
        rgb = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    elif change == "scaled":
        scale = rng.uniform(0.6, 0.9)
        rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    elif change == "enlarged":
        part = rgb[: rgb.shape[0] // 2, : rgb.shape[1] // 2]
        rgb = cv2.resize(part, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    elif change == "blurred":
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.6, 1.5))
    elif change == "denoised":
        rgb = cv2.medianBlur(rgb, 3) if rng.random() < 0.5 else cv2.bilateralFilter(rgb, 7, 20, 3)
    elif change == "jpeg":
        rgb = forensix.open(encoded(rgb, int(rng.choice([98, 95, 90, 85, 75])))).rgb
    elif change == "noisy":
        rgb = np.clip(np.rint(rgb + rng.normal(0, rng.uniform(1, 4), rgb.shape)), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(rgb)


def with_holes(rgb: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The picture with holes filled by three methods by turns, and which method filled each pixel."""
    filled, by = rgb.copy(), np.zeros(rgb.shape[:2], np.uint8)
    for turn in range(count):
        size = int(np.exp(rng.uniform(np.log(14), np.log(110))))
        shape = smooth_outline(np.pi / 4 * size**2, rng)
        room = [side - length - 8 for side, length in zip(by.shape, shape.shape, strict=True)]
        if min(room) < 1:
            continue
        top, left = (4 + int(rng.integers(n)) for n in room)
        window = np.s_[top : top + shape.shape[0], left : left + shape.shape[1]]
        near = by[
            max(0, top - 24) : top + shape.shape[0] + 24, max(0, left - 24) : left + shape.shape[1] + 24
        ]
        if near.any() or rgb.mean(axis=2)[window][shape].std() < EVEN:
            continue
        hole = np.zeros(by.shape, bool)
        hole[window] = shape
        if turn % 3 == 2:
            filled = fill(filled, hole, method="biharmonic", rng=rng)
        else:
            flag = (cv2.INPAINT_TELEA, cv2.INPAINT_NS)[turn % 3]
            filled = np.where(
                hole[..., None],
                cv2.inpaint(filled, hole.astype(np.uint8), int(rng.integers(2, 8)), flag),
                filled,
            )
        by[hole] = 1 + turn % 3
    return filled, by


def described(
    rgb: np.ndarray, limits: tuple[list[int], list[int]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of cells and of windows, and which cells are usable."""
    planes = fill_traces(rgb, darkest=limits[0], brightest=limits[1])
    wide = likelihood.windowed(planes)
    usable = wide[..., likelihood.CLIPPED] <= likelihood.MOST_CLIPPED
    return likelihood.local_features(planes), likelihood.local_features(wide), usable


def inputs_of(cells: np.ndarray, windows: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Features of a cell and its window, and how far these are above the picture's quantiles.

    cells, windows : (count, 13); quantiles : (3, 13); returns (count, 65) float32
    """
    return np.concatenate([cells, windows, *(windows - row for row in quantiles)], axis=1)


def cells_of(rgb: np.ndarray, holes: int, rng: np.random.Generator) -> tuple[list[np.ndarray], list[int]]:
    """Inputs of the perceptron and, for each array of them, whether they are of filled cells."""
    limits = likelihood.exposure_limits(rgb)
    cells, windows, usable = described(rgb, limits)
    if np.count_nonzero(usable) < 500:
        return [], []
    quantiles = likelihood.surroundings(windows, usable)
    filled, by = with_holes(rgb, holes, rng)
    filled_cells, filled_windows, still = described(filled, limits)
    shape = usable.shape[::-1]
    whole = (by[: shape[1] * CELL, : shape[0] * CELL] > 0).astype(np.float32)
    share = cv2.resize(whole, shape, interpolation=cv2.INTER_AREA)
    kind = by[CELL // 2 : shape[1] * CELL : CELL, CELL // 2 : shape[0] * CELL : CELL]
    around = (share == 0) & (cv2.dilate(share, np.ones((5, 5))) > 0)
    taken = [
        (usable, UNTOUCHED, cells, windows, 0),
        (around & still, AROUND, filled_cells, filled_windows, 0),
    ]
    taken += [
        ((share > 0.95) & (kind == n) & still, INSIDE, filled_cells, filled_windows, 1) for n in (1, 2, 3)
    ]
    inputs, labels = [], []
    for where, most, features, wide, label in taken:
        places = np.argwhere(where)
        if len(places):
            row, col = places[rng.choice(len(places), min(len(places), most), replace=False)].T
            inputs.append(inputs_of(features[row, col], wide[row, col], quantiles))
            labels.append(label)
    return inputs, labels


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--half", type=int, choices=[0, 1])
    options = parser.parse_args()
    inputs: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    for path, rgb in middles(options.photos, options.half):
        for change in CHANGES:
            rng = np.random.default_rng(seed_of(path.name, change))
            got, said = cells_of(changed(rgb, change, rng), 9 if change == "none" else 5, rng)
            inputs += got
            labels += [np.full(len(part), label) for part, label in zip(got, said, strict=True)]
    values, truth = np.concatenate(inputs), np.concatenate(labels)
    centre, scale = values.mean(axis=0), values.std(axis=0) + 1e-3
    fitted = MLPClassifier(
        (UNITS,),
        alpha=PENALTY,
        max_iter=ROUNDS,
        random_state=0,
        batch_size=256,
        learning_rate_init=2e-3,
        tol=0,
    ).fit((values - centre) / scale, truth)
    numbers = {
        "centre": centre, "scale": scale, "hidden": fitted.coefs_[0], "hidden_bias": fitted.intercepts_[0],
        "output": fitted.coefs_[1][:, 0],
    }  # fmt: skip
    document = {name: np.round(np.asarray(array, float), 4).tolist() for name, array in numbers.items()}
    document["output_bias"] = round(float(fitted.intercepts_[1][0]), 4)
    options.output.write_text(json.dumps(document), "utf-8")
    print(f"{len(truth)} cells, {truth.mean():.1%} of them filled; {options.output} written")


if __name__ == "__main__":
    main()
