"""Plan sets of forgeries: which photos, which parameters, before anything is made."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import product
from typing import Any

from forensix.errors import ParameterError
from forensix.forgery.chain import parse_chain
from forensix.forgery.draw import defaults, draw_alternative, draw_chain, draw_kind, draw_value
from forensix.forgery.making import accepted
from forensix.forgery.recipe import KINDS, Recipe
from forensix.forgery.seeds import stream

SCALES = ("small", "dev", "full")
# Donors come from the few photos that follow the host in the drawn order, so that a worker
# that goes through the hosts in that order has them at hand.
NEARBY = 4
SPARES = 6


def plan(
    kind: str,
    photos: Sequence[str],
    *,
    count: int,
    seed: int = 0,
    size: tuple[int, int] = (1024, 1024),
    chain: str | None = None,
    file_format: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    mask_marks: str = "both",
) -> list[Recipe]:
    """Recipes of one kind, or of all.

    Recipe number i depends on the seed, i and the list of photos; not on `count`.

    Parameters
    ----------
    kind : str
        One of ``KINDS``, or "mixed".
    photos : sequence of str
        Paths. Their order does not matter, nor where the folder lies that they share.
    count : int
    seed : int
    size : (rows, cols)
        Crops are at most this large; (0, 0) leaves photos whole.
    chain : str
        For all, instead of one drawn for each.
    file_format : str
        A last step for all, for example "png" or "jpeg:85"; replaces the drawn chain's
        last encoding, or follows `chain`.
    parameters : dict
        Values that replace the drawn ones, where the kind has such a parameter.

    Raises
    ------
    ParameterError
        On an unknown kind or parameter, no photos, or a chain that cannot be read.
    """
    if kind != "mixed" and kind not in KINDS:
        raise ParameterError(f"kind must be mixed or one of {', '.join(KINDS)}, got {kind!r}")
    if count < 1:
        raise ParameterError(f"count must be 1 or more, got {count}")
    ordered = _ordered(photos, seed)
    weights = {k: v for k, v in defaults()["mixed"].items() if k != "splicing" or len(ordered) > 1}
    recipes: list[Recipe] = []
    fixed = dict(parameters or {})
    used: set[str] = set()
    for index in range(count):
        rng = stream(seed, "plan", kind, index)
        this = draw_kind(weights, rng) if kind == "mixed" else kind
        values = draw_alternative(defaults()["kinds"][this], rng)
        # A fixed operation may not take what was drawn for another one.
        values = {k: v for k, v in {**values, **fixed}.items() if k in accepted(this, {**values, **fixed})}
        used |= set(values)
        own = draw_chain(defaults()["chains"], rng)
        donor_chain = draw_chain(defaults()["donor_chains"], rng)
        (host, donor), *spares = _photos(ordered, index, rng, donors=this == "splicing")
        recipes.append(
            Recipe(
                name=f"{index:06d}-{this}",
                kind=this,
                seed=seed,
                index=index,
                host=host,
                donor=donor,
                spares=tuple(spares),
                size=size,
                chain=with_format(chain or own, file_format, replace=chain is None),
                donor_chain=donor_chain if this == "splicing" else "",
                parameters=values,
                mask_marks=mask_marks,
            )
        )
    if not used.issuperset(fixed):
        unknown = ", ".join(sorted(set(fixed) - used))
        raise ParameterError(f"{kind} has no parameter {unknown}")
    if any(r.kind == "splicing" for r in recipes) and len(ordered) < 2:
        raise ParameterError("splicing needs at least two photos")
    return recipes


def with_format(chain: str, file_format: str | None, *, replace: bool) -> str:
    """A chain with another last encoding, or with one more."""
    if not file_format:
        return parse_chain(chain).text
    steps = [step.strip() for step in chain.split(",")]
    return parse_chain(", ".join([*(steps[:-1] if replace else steps), file_format])).text


def _ordered(photos: Sequence[str], seed: int) -> list[str]:
    """The photos, shuffled by their names below the folder they share: on every machine alike."""
    if not photos:
        raise ParameterError("there are no photos to make forgeries from")
    places = {photo: os.path.abspath(photo) for photo in photos}
    shared = os.path.commonpath([os.path.dirname(place) for place in places.values()])
    found = sorted((os.path.relpath(place, shared), photo) for photo, place in places.items())
    order = stream(seed, "photos", *(name for name, _ in found)).permutation(len(found))
    return [found[i][1] for i in order]


def _photos(ordered: Sequence[str], index: int, rng: Any, *, donors: bool) -> list[tuple[str, str]]:
    """A host, each in turn, with a donor that is another photo; then what to take instead."""
    step = 1 + int(rng.integers(max(1, min(NEARBY, len(ordered) - 1))))
    turns = range(index, index + min(1 + SPARES, len(ordered)))
    return [
        (ordered[turn % len(ordered)], ordered[(turn + step) % len(ordered)] if donors else "")
        for turn in turns
    ]


def set_names() -> tuple[str, ...]:
    """The names of the standard sets."""
    folder = files("forensix.forgery").joinpath("sets")
    return tuple(sorted(f.name.removesuffix(".json") for f in folder.iterdir() if f.name.endswith(".json")))


def read_set(name: str) -> dict[str, Any]:
    """A standard set: what it asks, its base, what it varies and its scales."""
    if name not in set_names():
        raise ParameterError(f"there is no standard set {name!r}, only {', '.join(set_names())}")
    text = files("forensix.forgery").joinpath("sets", f"{name}.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def plan_set(name: str, photos: Sequence[str], *, scale: str = "dev", seed: int = 0) -> list[Recipe]:
    """Recipes of a standard set.

    Every cell (one combination of the varied values) is made from `per_cell` photos, the
    same photos for every cell, so that cells differ in nothing else. With one photo a cell
    ("small") each cell has another.

    Parameters
    ----------
    name : str
        One of :func:`set_names`.
    photos : sequence of str
    scale : {"small", "dev", "full"}
    seed : int
    """
    if scale not in SCALES:
        raise ParameterError(f"scale must be one of {', '.join(SCALES)}, got {scale!r}")
    document = read_set(name)
    settings = document["scales"][scale]
    ordered = _ordered(photos, seed)
    if document["kind"] == "splicing" and len(ordered) < 2:
        raise ParameterError("splicing needs at least two photos")
    recipes: list[Recipe] = []
    for number, cell in enumerate(set_cells(document)[:: settings.get("every", 1)]):
        # A set too small for every photo in every cell goes through the photos cell by cell.
        first = number if settings["per_cell"] == 1 else 0
        for turn in range(first, first + settings["per_cell"]):
            recipes.append(
                _set_recipe(
                    document, settings, cell, turn=turn, ordered=ordered, seed=seed, index=len(recipes)
                )
            )
    return recipes


def set_cells(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The combinations of varied values: each entry of "vary" is a full grid of its own."""
    cells: list[dict[str, Any]] = []
    for grid in document["vary"]:
        for values in product(*grid.values()):
            cell = dict(zip(grid, values, strict=True))
            if cell not in cells:
                cells.append(cell)
    return cells


def _set_recipe(
    document: Mapping[str, Any],
    settings: Mapping[str, Any],
    cell: Mapping[str, Any],
    *,
    turn: int,
    ordered: Sequence[str],
    seed: int,
    index: int,
) -> Recipe:
    kind = document["kind"]
    # The same stream for every cell of a turn: photo, crop and region stay comparable.
    rng = stream(seed, "set", document["name"], turn)
    splicing = kind == "splicing"
    (host, donor), *spares = _photos(ordered, turn, rng, donors=splicing)
    base = {k: draw_value(v, rng) for k, v in document.get("parameters", {}).items()}
    letters = {k: v for k, v in cell.items() if k.isupper()}
    values = {**base, **{k: v for k, v in cell.items() if not k.isupper()}}
    return Recipe(
        name=f"{index:06d}-{document['name']}",
        kind=kind,
        seed=seed,
        index=turn,
        host=host,
        donor=donor,
        spares=tuple(spares),
        size=tuple(settings["size"]),
        chain=parse_chain(document["chain"].format(**letters)).text,
        donor_chain=document.get("donor_chain", "png").format(**letters) if splicing else "",
        parameters=values,
        cell=dict(cell),
    )
