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
AFTER = {"png": "lossless", "jpeg": "jpeg"}  # encodings of the table, and their names in the model
BAND = (0.05, 0.5, 0.95)  # of real photos, drawn behind the spectra of a picture
FAR = 0.98  # of the known pictures lie nearer than the farthest that is judged


def parts_of(names: list[str]) -> list[np.ndarray]:
    """Which numbers each group of sums weighs: all, the spectra, the sequences of residuals."""
    sequences = np.array([name.startswith("sequence-") for name in names])
    return [np.arange(len(names)), np.flatnonzero(~sequences), np.flatnonzero(sequences)]


def cells(table: dict[str, np.ndarray], chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Which pictures are of one family."""
    out = {}
    for family in sorted(set(table["family"][chosen])):
        inside = chosen & (table["family"] == family)
        if np.count_nonzero(inside) >= 3:
            out[str(family)] = inside
    return out


def fit(names: list[str], table: dict[str, np.ndarray], chosen: np.ndarray) -> OriginModel:
    """The model of the chosen pictures, of one encoding; its threshold is set by :func:`with_threshold`."""
    numbers, synthetic = table["numbers"], table["synthetic"]
    photos = chosen & ~synthetic
    mean, spread = numbers[photos].mean(axis=0), numbers[photos].std(axis=0) + 1e-3
    scaled = np.clip((numbers - mean) / spread, -CLIP, CLIP)
    found = cells(table, chosen & synthetic)
    befores = [photos & (table["before"] == before) for before in ("none", "resize")]
    centres = [scaled[inside].mean(axis=0) for inside in (*befores, *found.values()) if inside.any()]
    own = [[family] for family in found if not family.startswith("made-")]
    made = [family for family in found if family.startswith("made-")]
    weights, groups = [], []
    for number, columns in enumerate(parts_of(names)):
        for some in ([*found], *own, made):
            if some:
                sums = np.zeros(len(names))
                sums[columns] = direction(scaled[:, columns], found, photos, some)
                weights.append(sums)
                groups.append(number)
    heights = scaled[photos] @ np.array(weights).T
    tenth, hundredth = np.quantile(heights, (0.9, 0.99), axis=0)
    everything = within(scaled, found, photos, [*found])
    precision = np.linalg.inv(everything + RIDGE * np.eye(len(mean)))
    return OriginModel(
        names=tuple(names), mean=mean, spread=spread, weights=np.array(weights), groups=np.array(groups),
        offsets=hundredth, units=hundredth - tenth, threshold=0.0, precision=precision, centres=np.array(centres),
        farthest=1.0, kinds=("photo", "photo reduced", *found), bands=np.quantile(numbers[photos], BAND, axis=0),
    )  # fmt: skip


def within(
    scaled: np.ndarray, found: dict[str, np.ndarray], photos: np.ndarray, families: list[str]
) -> np.ndarray:
    """The mean covariance of photos and of pictures of these families."""
    total, weight = 2 * np.cov(scaled[photos].T), 2.0
    for family in families:
        share = weight_of(family, families)
        total += share * np.cov(scaled[found[family]].T)
        weight += share
    return total / weight


def weight_of(family: str, families: list[str]) -> float:
    """Made generators share MADE_SHARE of the weight, three times over, where there are others too."""
    made = [name for name in families if name.startswith("made-")]
    if len(made) in (0, len(families)):
        return 1.0
    return 3 * MADE_SHARE / len(made) if family in made else 1 - MADE_SHARE


def direction(
    scaled: np.ndarray, found: dict[str, np.ndarray], photos: np.ndarray, families: list[str]
) -> np.ndarray:
    """Weights of the sum that tells these families from photos in the same encoding."""
    anchor = scaled[photos].mean(axis=0)
    shifts = np.array([scaled[found[family]].mean(axis=0) - anchor for family in families])
    shares = np.array([weight_of(family, families) for family in families])
    shares = shares / shares.sum()
    common = shares @ shifts
    apart = shifts - common
    between = apart.T @ (shares[:, None] * apart)
    noise = within(scaled, found, photos, families) + BETWEEN * between + RIDGE * np.eye(len(common))
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
        for after in AFTER:
            away = (fold == number) & (table["after"] == after)
            if not away.any():
                continue
            model = fit(names, table, usable & ~left_out & (fold != number) & (table["after"] == after))
            sums[away] = model.margin(table["numbers"][away])
            far[away] = model.distance(table["numbers"][away])
    return sums, far


def models(
    names: list[str], table: dict[str, np.ndarray], sums: np.ndarray, far: np.ndarray
) -> dict[str, OriginModel]:
    """The model of each encoding, with the threshold that photos of sets never seen exceed with FALSE_ALARMS.

    sums, far : as from :func:`held_out_sums` with `sets`
    """
    out = {}
    for after, encoding in AFTER.items():
        inside = table["after"] == after
        out[encoding] = replace(
            fit(names, table, inside),
            threshold=limit(sums, table, after),
            farthest=float(np.quantile(far[inside], FAR)),
        )
    return out


def limit(sums: np.ndarray, table: dict[str, np.ndarray], after: str) -> float:
    """What so many photos in one encoding exceed as FALSE_ALARMS says."""
    photos = ~table["synthetic"] & (table["after"] == after)
    return float(np.quantile(sums[photos], 1 - FALSE_ALARMS))


def auc(sums: np.ndarray, real: np.ndarray, synthetic: np.ndarray) -> float:
    return area_between(sums[synthetic], sums[real])
