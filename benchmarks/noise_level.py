"""How much noise at equal brightness scatters within untouched photos: the numbers of noise-level.

    python benchmarks/noise_level.py PHOTO...

Prints the matrix that forensix/detectors/camera/_noise_scatter.py holds.
"""

from __future__ import annotations

import argparse

import numpy as np

import forensix
from forensix.detectors.camera.noise_level import window_means
from forensix.errors import ForensixError
from forensix.signal.noise_strength import against_equal_places, noise_cells

FEWEST = 40  # windows of a photo
RIDGE = 1e-2  # of the mean variance, on the diagonal


def scatter(paths: list[str]) -> tuple[np.ndarray, int]:
    """Mean covariance of the window means within photos, and how many photos could be used."""
    found = []
    for path in paths:
        try:
            evidence = forensix.open(path)
            means, judged, _ = window_means(against_equal_places(noise_cells(evidence.rgb, evidence.luma)))
        except ForensixError as error:
            print(path, error)
            continue
        if judged.sum() >= FEWEST:
            found.append(np.cov(means[judged].T, bias=True))
    if not found:
        raise SystemExit("no photo could be used")
    mean = np.mean(found, axis=0)
    return mean + RIDGE * np.trace(mean) / len(mean) * np.eye(len(mean)), len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photos", nargs="+")
    matrix, count = scatter(parser.parse_args().photos)
    print(f"{count} photos, times 1e4:")
    for row in matrix:
        print("[" + ", ".join(f"{1e4 * value:.1f}" for value in row) + "],")


if __name__ == "__main__":
    main()
