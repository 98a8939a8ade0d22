"""Fit what the method `filtering` weighs in an area to areas of given photos, filtered and not.

    python benchmarks/fit_filtering_regions.py PHOTO... --model MODEL.npz

The middle of each photo is kept as it is, filtered as a whole, or filtered within a shape of
2 to 20 % of its area; and saved as PNG or JPEG. So that the blocks are judged by numbers that
have not seen them, two perceptrons are fitted, each to every second photo, and each judges
the others. The weights, and the value that one unfiltered picture in a hundred exceeds, are
printed, and the weights are added to the model's file.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import fit_filtering as blocks
import numpy as np
from sklearn.linear_model import LogisticRegression

import forensix
from forensix.detectors.splicing import _filter_features as traces
from forensix.detectors.splicing._filter_model import FilterModel
from forensix.detectors.splicing._filter_regions import filter_field, filtered_areas
from forensix.errors import ForensixError
from forensix.forgery.encode import jpeg_round
from forensix.forgery.shapes import draw_region

SIDE = 768
QUALITIES = (0, 95, 85, 75)
FILTERS = tuple(kind for kind in blocks.FILTERS if kind != "none")


def pictures(rgb: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Pictures and, of forged ones, the mask."""
    rows, cols = (min(SIDE, size) // 16 * 16 for size in rgb.shape[:2])
    top, left = ((size - wanted) // 32 * 16 for size, wanted in zip(rgb.shape, (rows, cols), strict=False))
    part = np.ascontiguousarray(rgb[top : top + rows, left : left + cols])
    half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)[:SIDE, :SIDE]
    for picture in (part, np.ascontiguousarray(half)):
        for quality in QUALITIES:
            yield saved(picture, quality), None
    for kind in FILTERS:
        whole = blocks.FILTERS[kind][0](part, rng)
        yield saved(whole, int(rng.choice(QUALITIES))), None
        for quality in QUALITIES:
            area = float(np.exp(rng.uniform(np.log(0.02), np.log(0.2))))
            mask = draw_region(part, rng=rng, area=area).full(rows, cols)
            yield saved(np.where(mask[..., None], whole, part), quality), mask


def saved(rgb: np.ndarray, quality: int) -> np.ndarray:
    return np.asarray(jpeg_round(rgb, quality=quality)) if quality else rgb


def largest(planes: np.ndarray, mask: np.ndarray | None, model: FilterModel) -> list[tuple[np.ndarray, int]]:
    """Traits of the areas found in a picture, and whether they are forged (those half on are left out)."""
    found = []
    for area in filtered_areas(filter_field(planes, model=model)):
        share = 0.0
        if mask is not None:
            rows, cols = area.cells.shape
            cells = cv2.resize(mask[: rows * 32, : cols * 32].astype(np.float32), (cols, rows),
                               interpolation=cv2.INTER_AREA)  # fmt: skip
            share = float(cells[area.cells].mean())
        if share > 0.5 or (share < 0.1 and mask is None):
            found.append((area.traits, int(share > 0.5)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    halves = options.photos[::2], options.photos[1::2]
    samples: list[list[tuple[np.ndarray, int]]] = []
    for own, others in (halves, halves[::-1]):
        planes, kinds, _ = blocks.collected(others, 384, 1)
        model = FilterModel(**blocks.fitted(traces.block_features(planes), kinds))
        for path in own:
            samples += judged_by(path, model)
    report(samples, options.model)


def judged_by(path: Path, model: FilterModel) -> list[list[tuple[np.ndarray, int]]]:
    try:
        rgb = forensix.open(path).rgb
    except ForensixError as error:
        print(f"left out: {path}: {error}")
        return []
    rng = blocks.seeded("regions", path.name)
    found = []
    for picture, mask in pictures(rgb, rng):
        areas = largest(traces.cell_planes(np.ascontiguousarray(picture[..., 1])), mask, model)
        found.append([*areas, (np.zeros(0), int(mask is not None))])  # ends with the picture's own label
    return found


def report(samples: list[list[tuple[np.ndarray, int]]], output: Path) -> None:
    areas = [area for sample in samples for area in sample[:-1]]
    traits, forged = np.array([a[0] for a in areas]), np.array([a[1] for a in areas])
    centre, scale = traits.mean(axis=0), traits.std(axis=0)
    fit = LogisticRegression(max_iter=1000).fit((traits - centre) / scale, forged)
    weights = fit.coef_[0] / scale
    bias = float(fit.intercept_[0] - weights @ centre)
    best = {0: [], 1: []}
    for *found, (_, label) in samples:
        best[label].append(max((float(t @ weights + bias) for t, _ in found), default=-10.0))
    limit = float(np.quantile(best[0], 0.99))
    print(
        f"{len(areas)} areas, {forged.sum()} forged; {len(best[0])} unforged pictures, 99 % below {limit:.2f}"
    )
    print(f"of {len(best[1])} forged ones above it: {np.mean(np.array(best[1]) > limit):.3f}")
    with np.load(output) as file:
        numbers = dict(file)
    numbers["area_weights"] = np.append(weights, bias).astype(np.float32)
    np.savez(output, **numbers)


if __name__ == "__main__":
    main()
