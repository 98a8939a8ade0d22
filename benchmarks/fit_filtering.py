"""Fit the numbers of the method `filtering` to given photos, filtered in known ways.

    python benchmarks/fit_filtering.py PHOTO... --output MODEL.npz

Two square parts of each photo, one as it is and one made smaller, are left as they are,
sharpened, covered with noise, brightened, or filtered: median 3 x 3 and 5 x 5, Gaussian,
bilateral, and denoised (non-local means or wavelets by turns), with parameters drawn anew;
then kept as they are and saved as JPEG of qualities from 70 to 98. Blocks of 64 x 64 pixels
of all that, as they look among blocks of the unchanged part and among their own kind, and
blocks of pictures filtered inside a shape are what the perceptron learns.

What an area weighs is fitted to areas found in pictures filtered inside a shape, as a whole
and not at all. So that blocks are judged by numbers that have not seen them, two perceptrons
are fitted for that, each to every second photo, and each judges the others' pictures. Printed
is what the areas of unfiltered pictures reach; log-odds 0 is what one in a hundred exceeds.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import filtering_samples as samples
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

import forensix
from forensix.detectors.splicing import _filter_features as traces
from forensix.detectors.splicing._filter_model import KINDS, FilterModel
from forensix.detectors.splicing._filter_regions import filter_field, filtered_areas
from forensix.errors import ForensixError

UNITS, PENALTY, ROUNDS = 96, 0.3, 16
NOTHING = 1e-12


Described = tuple[np.ndarray, bool, int]  # an area's traits, whether filtered, the filter it looks like


@dataclass
class Photo:
    """What is kept of a photo: inputs and kinds of blocks; planes, shares and kind of pictures."""

    inputs: list[np.ndarray] = field(default_factory=list)
    kinds: list[np.ndarray] = field(default_factory=list)
    pictures: list[tuple[np.ndarray, np.ndarray, int]] = field(default_factory=list)


def examined(path: Path) -> Photo:
    rgb = forensix.open(path).rgb
    photo, rng = Photo(), samples.seeded(path.name)
    got, kinds = samples.part_samples(rgb, rng)
    photo.inputs.append(got)
    photo.kinds.append(kinds)
    for picture, mask, kind in samples.pictures(rgb, samples.seeded("regions", path.name)):
        planes = traces.cell_planes(np.ascontiguousarray(picture[..., 1]))
        shares = samples.cell_shares(mask, (planes.shape[0], planes.shape[1]))
        got, kinds = samples.picture_samples(planes, shares, kind, rng)
        photo.inputs.append(got)
        photo.kinds.append(kinds)
        photo.pictures.append((planes, shares, kind))
    return photo


def perceptron(photos: list[Photo]) -> dict[str, np.ndarray]:
    """Its numbers, by name."""
    inputs = np.concatenate([part for photo in photos for part in photo.inputs])
    kinds = np.concatenate([part for photo in photos for part in photo.kinds])
    centre, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    model = MLPClassifier(
        (UNITS,), alpha=PENALTY, max_iter=ROUNDS, random_state=0, batch_size=256, learning_rate_init=2e-3, tol=0
    )  # fmt: skip
    model.fit((inputs - centre) / scale, kinds)
    print(f"{len(kinds)} blocks: {np.bincount(kinds).tolist()} of {', '.join(KINDS)}")
    numbers = {
        "centre": centre, "scale": scale, "hidden": model.coefs_[0], "hidden_bias": model.intercepts_[0],
        "output": model.coefs_[1], "output_bias": model.intercepts_[1],
    }  # fmt: skip
    # Weights that the penalty made next to nothing are subnormal numbers, with which a processor is slow.
    return {
        name: np.where(np.abs(array) < NOTHING, 0, array).astype(np.float32)
        for name, array in numbers.items()
    }


def areas_in(photo: Photo, model: FilterModel) -> list[tuple[int, list[Described]]]:
    """Of each picture the filter inside the shape (0: none), and its areas: traits, and whether filtered."""
    found = []
    for planes, shares, kind in photo.pictures:
        areas = filtered_areas(filter_field(planes, model=model))
        described = [(area.traits, float(shares[area.cells].mean()) > 0.5, area.kind) for area in areas]
        found.append((kind, described))
    return found


def area_weights(pictures: list[tuple[int, list[Described]]]) -> np.ndarray:
    """Weights of the traits and a constant, so that one unfiltered picture in a hundred exceeds 0."""
    known = [area for kind, areas in pictures for area in areas if area[1] or not kind]
    traits, filtered = np.array([area[0] for area in known]), np.array([area[1] for area in known])
    if filtered.all() or not filtered.any():
        raise SystemExit("too few photos with detail: no area to learn from")
    centre, scale = traits.mean(axis=0), traits.std(axis=0) + 1e-6
    fit = LogisticRegression(C=0.3, max_iter=1000).fit((traits - centre) / scale, filtered)
    weights = fit.coef_[0] / scale
    calm = [
        max((float(t @ weights) for t, *_ in areas), default=-1e3) for kind, areas in pictures if not kind
    ]
    limit = float(np.quantile(calm, 0.99))
    for look in range(1, len(KINDS)):
        mine = [
            float(t @ weights) - limit
            for kind, areas in pictures
            if not kind
            for t, _, own in areas
            if own == look
        ]
        print(
            f"unfiltered areas that look like {KINDS[look]}: the highest at {np.round(sorted(mine)[-4:], 2)}"
        )
    loud = [max((float(t @ weights) for t, *_ in areas), default=-1e3) for kind, areas in pictures if kind]
    print(f"{len(known)} areas, {int(filtered.sum())} filtered; {len(calm)} pictures unfiltered, the worst at "
          f"{max(calm) - limit:.2f}; of {len(loud)} filtered ones {np.mean(np.array(loud) > limit):.1%} above 0")  # fmt: skip
    return np.append(weights, -limit)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)  # the rounds are few on purpose
    photos = []
    for path in options.photos:
        try:
            photos.append(examined(path))
        except ForensixError as error:
            print(f"left out: {path}: {error}")
    halves = photos[::2], photos[1::2]
    pictures = []
    for own, others in (halves, halves[::-1]):
        model = FilterModel(**perceptron(others))
        pictures += [picture for photo in own for picture in areas_in(photo, model)]
    numbers = perceptron(photos)
    np.savez(options.output, **numbers, area_weights=area_weights(pictures).astype(np.float32))
    print(f"{options.output} written")


if __name__ == "__main__":
    main()
