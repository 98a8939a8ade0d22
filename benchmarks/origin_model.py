"""Fit the weighted sum of the spectral fingerprint, and measure it on what was left out.

The sum is a linear discriminant in which the generators are random: the scatter of the generators' means
about their common mean counts as noise, so that what only one of them does weighs little, and
what all of them do weighs most. That is what carries over to a generator never seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from accuracy.formulas import area_between

from forensix.detectors.synthetic._origin_model import CLIP, OriginModel

RIDGE = 0.1  # added to the variances of the standardized numbers
BETWEEN = 0.3  # how much of the scatter between generators counts as noise
MADE_SHARE = 0.4  # of the weight of all generators goes to made ones
FALSE_ALARMS = 0.01
FOLDS = 5
BAND = (0.05, 0.5, 0.95)  # of real photos, drawn behind the spectra of a picture
FAR = 0.98  # of the known pictures lie nearer than the farthest that is judged


def cells(table: dict[str, np.ndarray], chosen: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Which pictures are of one family in one final encoding."""
    out = {}
    for family in sorted(set(table["family"][chosen])):
        for after in ("png", "jpeg"):
            inside = chosen & (table["family"] == family) & (table["after"] == after)
            if np.count_nonzero(inside) >= 3:
                out[family, after] = inside
    return out


def fit(names: list[str], table: dict[str, np.ndarray], chosen: np.ndarray) -> OriginModel:
    """The model of the chosen pictures; its threshold is set by :func:`with_threshold`."""
    numbers, synthetic = table["numbers"], table["synthetic"]
    real = numbers[chosen & ~synthetic]
    mean, spread = real.mean(axis=0), real.std(axis=0) + 1e-3
    scaled = np.clip((numbers - mean) / spread, -CLIP, CLIP)
    photos = _Scatter(len(mean))
    centres, kinds, anchors = [], [], {}
    for after in ("png", "jpeg"):
        inside = chosen & ~synthetic & (table["after"] == after)
        anchors[after] = scaled[inside].mean(axis=0)
        photos.add(scaled[inside], 2.0)
        for before in ("none", "resize"):
            centres.append(scaled[inside & (table["before"] == before)].mean(axis=0))
            kinds.append(f"photo {before} {after}")
    found = cells(table, chosen & synthetic)
    for family, after in found:
        centres.append(scaled[found[family, after]].mean(axis=0))
        kinds.append(f"{family} {after}")
    learnt = sorted({family for family, _ in found})
    own = [[family] for family in learnt if not family.startswith("made-")]
    made = [family for family in learnt if family.startswith("made-")]
    weights = [direction(scaled, found, anchors, photos, some) for some in (learnt, *own, made) if some]
    heights = scaled[chosen & ~synthetic] @ np.array(weights).T
    tenth, hundredth = np.quantile(heights, (0.9, 0.99), axis=0)
    everything = photos.with_cells(scaled, found, learnt)
    precision = np.linalg.inv(everything + RIDGE * np.eye(len(mean)))
    return OriginModel(
        names=tuple(names), mean=mean, spread=spread, weights=np.array(weights), offsets=hundredth,
        units=hundredth - tenth, threshold=0.0, precision=precision, centres=np.array(centres), farthest=1.0,
        kinds=tuple(kinds), bands=bands(table, chosen & ~synthetic),
    )  # fmt: skip


def bands(table: dict[str, np.ndarray], photos: np.ndarray) -> np.ndarray:
    """(2, 3, n): which shares of the photos lie below, lossless and JPEG."""
    return np.array(
        [
            np.quantile(table["numbers"][photos & (table["after"] == after)], BAND, axis=0)
            for after in ("png", "jpeg")
        ]
    )


class _Scatter:
    """Weighted sum of covariances."""

    def __init__(self, size: int) -> None:
        self.total, self.weight = np.zeros((size, size)), 0.0

    def add(self, rows: np.ndarray, weight: float) -> None:
        self.total += weight * np.cov(rows.T)
        self.weight += weight

    def with_cells(
        self, scaled: np.ndarray, found: dict[tuple[str, str], np.ndarray], families: list[str]
    ) -> np.ndarray:
        """The mean covariance with that of pictures of these families."""
        both = _Scatter(len(self.total))
        both.total, both.weight = self.total.copy(), self.weight
        for (family, _), inside in found.items():
            if family in families:
                both.add(scaled[inside], weight_of(family, families))
        return both.total / both.weight


def weight_of(family: str, families: list[str]) -> float:
    """Made generators share MADE_SHARE of the weight, three times over, where there are others too."""
    made = [name for name in families if name.startswith("made-")]
    if len(made) in (0, len(families)):
        return 1.0
    return 3 * MADE_SHARE / len(made) if family in made else 1 - MADE_SHARE


def direction(
    scaled: np.ndarray,
    found: dict[tuple[str, str], np.ndarray],
    anchors: dict[str, np.ndarray],
    photos: _Scatter,
    families: list[str],
) -> np.ndarray:
    """Weights of the sum that tells these families from photos in the same encoding."""
    of_these = {cell: inside for cell, inside in found.items() if cell[0] in families}
    shifts = np.array(
        [scaled[inside].mean(axis=0) - anchors[after] for (_, after), inside in of_these.items()]
    )
    shares = np.array([weight_of(family, families) for family, _ in of_these])
    shares = shares / shares.sum()
    common = shares @ shifts
    apart = shifts - common
    between = apart.T @ (shares[:, None] * apart)
    noise = photos.with_cells(scaled, found, families) + BETWEEN * between + RIDGE * np.eye(len(common))
    return np.linalg.solve(noise, common)


def folds(table: dict[str, np.ndarray], count: int, seed: int = 0) -> np.ndarray:
    """A number of a fold for each picture: groups (a camera, a scene) stay together."""
    groups = sorted(set(table["group"]))
    order = np.random.default_rng(seed).permutation(len(groups))
    number = {group: int(order[at]) % count for at, group in enumerate(groups)}
    return np.array([number[group] for group in table["group"]])


def by_set(table: dict[str, np.ndarray]) -> np.ndarray:
    """A number of a fold for each picture: photos of one set (and what was made of them) stay together."""
    sets = sorted(set(table["set"][~table["synthetic"]]))
    fold = np.array([sets.index(name) if name in sets else -1 for name in table["set"]])
    others = fold < 0
    fold[others] = folds(table, len(sets))[others]
    return fold


def held_out_sums(
    names: list[str],
    table: dict[str, np.ndarray],
    usable: np.ndarray,
    *,
    without: str = "",
    sets: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Sums and distances of each picture by models that saw neither its group nor family `without`.

    With `sets`, models that saw no photo of its whole set.

    Sums are counted from what the training side's photos reach, so that folds can be compared.
    """
    fold = by_set(table) if sets else folds(table, FOLDS)
    left_out = table["family"] == without
    sums, far = np.full(len(fold), np.nan), np.full(len(fold), np.nan)
    for number in range(fold.max() + 1):
        away = fold == number
        model = fit(names, table, usable & ~away & ~left_out)
        sums[away] = model.margin(table["numbers"][away])
        far[away] = model.distance(table["numbers"][away])
    return sums, far


def with_threshold(
    model: OriginModel, table: dict[str, np.ndarray], sums: np.ndarray, far: np.ndarray
) -> OriginModel:
    """The model with the threshold that photos of sets never seen exceed with FALSE_ALARMS.

    sums, far : as from :func:`held_out_sums` with `sets`
    """
    photos = ~table["synthetic"]
    return replace(
        model,
        threshold=float(np.quantile(sums[photos], 1 - FALSE_ALARMS)),
        farthest=float(np.quantile(far, FAR)),
    )


def auc(sums: np.ndarray, real: np.ndarray, synthetic: np.ndarray) -> float:
    return area_between(sums[synthetic], sums[real])
