"""Areas whose blocks look filtered where the rest of the picture does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.splicing._filter_features import (
    FLOOR,
    LEAST_BLOCKS,
    SUMS,
    block_features,
    block_planes,
    compared,
    judged,
    surroundings,
)
from forensix.detectors.splicing._filter_model import KINDS, FilterModel, filtered_log_odds, shipped_model

MOST = 6.0  # nats a single block may speak for or against
LEAST_ODDS = 0.5  # nats, of a cell that may belong to a filtered area
LEAST_CELLS = 4
RING = 2  # cells around an area that are neither in it nor out


@dataclass(frozen=True, eq=False)
class FilteredArea:
    """A connected area of cells that look filtered.

    cells : (rows, cols) bool
    kind : the filter that explains its blocks best, a number in ``KINDS``
    count : how many cells it has
    mean : mean log-odds of its cells, nats
    agreement : share of its cells for which that filter is the likeliest of all
    rest, rest_high : median and 95 % quantile of the log-odds of the other cells, nats
    smoother : natural logarithm of the power of the other cells' fine detail over its own
    """

    cells: np.ndarray
    kind: int
    count: int
    mean: float
    agreement: float
    rest: float
    rest_high: float
    smoother: float

    @property
    def traits(self) -> np.ndarray:
        """What the decision weighs: (10,) float64.

        Cameras reduce noise and smooth surfaces by themselves, here more and there less, so
        how much an area's log-odds count depends on the filter they are for.
        """
        size = np.log(self.count)
        median, gaussian = float(KINDS[self.kind].startswith("median")), float(KINDS[self.kind] == "Gaussian")
        weighed = size * self.mean
        common = [size, self.mean, self.agreement, self.rest, self.rest_high, self.smoother, weighed]
        return np.array([*common, median, gaussian, self.mean * (median + gaussian)])


@dataclass(frozen=True, eq=False)
class FilterField:
    """How the cells of a picture look.

    odds : (rows // 32, cols // 32) float32, log-odds of any filter, nats; NaN where not judged
    likelihoods : (rows // 32, cols // 32, kinds) float32, nats, centred in each cell
    power : (rows // 32, cols // 32) float32, logarithm of the power of the fine detail
    """

    odds: np.ndarray
    likelihoods: np.ndarray
    power: np.ndarray


def filter_field(planes: np.ndarray, *, model: FilterModel | None = None) -> FilterField:
    """What the blocks of 2 x 2 cells around each cell say of it, on average.

    A block is judged by itself and by how it differs from the picture's other blocks.

    planes : (rows, cols, 56) float32 as from ``cell_planes``, at least 2 x 2
    """
    blocks = block_planes(planes)
    features, told = block_features(blocks), judged(blocks)
    power = np.log(planes[..., 2 * SUMS] + np.float32(FLOOR))
    if np.count_nonzero(told) < LEAST_BLOCKS:
        return FilterField(
            np.full(power.shape, np.nan, np.float32), np.zeros((*power.shape, len(KINDS)), np.float32), power
        )
    model = shipped_model() if model is None else model
    likelihoods = model.log_likelihoods(compared(features, surroundings(features[told])))
    likelihoods -= likelihoods.mean(axis=-1, keepdims=True)
    odds = np.clip(filtered_log_odds(likelihoods), -MOST, MOST)
    stacked = np.concatenate([odds[..., None], np.clip(likelihoods, -2 * MOST, 2 * MOST)], axis=-1)
    total = np.zeros((*planes.shape[:2], stacked.shape[-1]), np.float32)
    weight = np.zeros(planes.shape[:2], np.float32)
    rows, cols = told.shape
    for down in (0, 1):
        for across in (0, 1):
            total[down : down + rows, across : across + cols] += np.where(told[..., None], stacked, 0)
            weight[down : down + rows, across : across + cols] += told
    known = weight > 0
    means = total / np.maximum(weight, 1)[..., None]
    odds = np.where(known, means[..., 0], np.nan).astype(np.float32)
    return FilterField(odds, means[..., 1:], power)


def filtered_areas(field: FilterField) -> list[FilteredArea]:
    """All connected areas that look filtered against the rest, whatever their weight."""
    from scipy import ndimage

    known = np.isfinite(field.odds)
    labels, count = ndimage.label(known & (np.nan_to_num(field.odds) > LEAST_ODDS))
    areas = []
    for number in range(1, count + 1):
        inside = labels == number
        if np.count_nonzero(inside) < LEAST_CELLS:
            continue
        outside = known & ~ndimage.binary_dilation(inside, iterations=RING)
        if np.count_nonzero(outside) >= LEAST_BLOCKS // 2:
            areas.append(_described(field, inside, outside))
    return areas


def _described(field: FilterField, inside: np.ndarray, outside: np.ndarray) -> FilteredArea:
    own, others = field.likelihoods[inside], field.odds[outside]
    kind = 1 + int(own[:, 1:].sum(axis=0).argmax())
    middle, high = np.quantile(others, (0.5, 0.95))
    return FilteredArea(
        cells=inside,
        kind=kind,
        count=int(np.count_nonzero(inside)),
        mean=float(field.odds[inside].mean()),
        agreement=float(np.mean(own.argmax(axis=1) == kind)),
        rest=float(middle),
        rest_high=float(high),
        smoother=float(np.median(field.power[outside]) - np.median(field.power[inside])),
    )
