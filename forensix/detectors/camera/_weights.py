"""From a peak-to-correlation energy to a likelihood ratio that reference data can support.

Counted on reference photos: how many comparisons of photos with their own camera, and with
others, fall between certain energies, for photos of several sizes. One comparison more is
taken to have fallen into each class, so that no ratio claims more than so many can support.
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib import resources
from typing import Any

MODEL = "camera_match.json"


def weight_of_evidence(pce: float, usable: float) -> float:
    """log10 of the likelihood ratio of the photo's own camera against another.

    Parameters
    ----------
    pce : signed peak-to-correlation energy
    usable : fully lit pixels the photo is worth

    Returns
    -------
    float
        Non-decreasing in `pce`; between photo sizes interpolated over the logarithm of
        `usable`.
    """
    sizes, table = _ratios()
    row = [ratios[_class_of(pce)] for ratios in table]
    at = math.log2(max(usable, 1.0))
    if at <= sizes[0]:
        # Towards no pixels at all, there is nothing to be said.
        return round(row[0] * max(0.0, at / sizes[0]), 4)
    for left, right, low, high in zip(sizes, sizes[1:], row, row[1:], strict=False):
        if at <= right:
            return round(low + (high - low) * (at - left) / (right - left), 4)
    return round(row[-1], 4)


def _class_of(pce: float) -> int:
    return sum(pce >= edge for edge in _model()["edges"])


@cache
def _model() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(resources.files("forensix.models").joinpath(MODEL).read_bytes())
    return document


@cache
def _ratios() -> tuple[list[float], list[list[float]]]:
    """log2 of the usable pixels, and for each the log10 ratio in every class of energies."""
    model = _model()
    other = [count + 1 for count in model["other_camera"]]
    sizes, table = [], []
    for row in model["own_camera"]:
        own = [count + 1 for count in row["counts"]]
        ratios = [math.log10(a / sum(own) / (b / sum(other))) for a, b in zip(own, other, strict=True)]
        for i in range(1, len(ratios)):  # a higher peak never speaks less for the camera
            ratios[i] = max(ratios[i], ratios[i - 1])
        sizes.append(math.log2(row["usable"]))
        table.append(ratios)
    return sizes, table
