"""Make a forgery again from its recipe, and compare."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from forensix.errors import ForgeryError
from forensix.forgery.making import make
from forensix.forgery.photo import PhotoShelf
from forensix.forgery.production import MANIFEST, claim, manifest, write_files
from forensix.forgery.recipe import read_recipe


def remake(recipe_file: str | Path, out: Path, *, photos: Iterable[str] = ()) -> list[str]:
    """Make a recipe again into a folder.

    Parameters
    ----------
    recipe_file : path
    out : Path
        A new or an empty folder.
    photos : iterable of str
        Files to find the recipe's photos among, by their SHA-256, where they are not at
        the path that it names (from here, or from the recipe's folder).

    Returns
    -------
    list of str
        The files that differ from those the recipe recorded, with the reason known:
        empty when all are the same, or when the recipe records none.

    Raises
    ------
    ForgeryError
        If a photo is not found, or cannot carry the forgery.
    OutputError
        If the folder holds other files or cannot be written to.
    """
    recipe, before = read_recipe(recipe_file)
    found = list(photos)
    local = replace(
        recipe,
        host=_found(recipe.host, recipe.host_sha256, Path(recipe_file), found),
        donor=_found(recipe.donor, recipe.donor_sha256, Path(recipe_file), found) if recipe.donor else "",
    )
    made = make(local, PhotoShelf().read)
    claim(out, {"kind": "recipe", "recipe": recipe.to_dict()})
    write_files(out, [made.files[role] for role in ("forged", "twin", "mask", "recipe")])
    write_files(out, [(MANIFEST, manifest([local], out))])
    return _differing(before, made.facts)


def _found(path: str, sha256: str, recipe_file: Path, photos: Sequence[str]) -> str:
    """Where a photo is now."""
    for place in (Path(path), recipe_file.parent / path):
        if place.is_file() and (not sha256 or _sum(place) == sha256):
            return str(place)
    for photo in photos:
        if sha256 and Path(photo).is_file() and _sum(Path(photo)) == sha256:
            return photo
    raise ForgeryError(
        f"the photo {path} (SHA-256 {sha256[:16] or 'unknown'}...) is not found: give it as an argument"
    )


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _differing(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    then = before.get("files", {})
    names = [f"the {role} picture" if role != "mask" else "the mask" for role in now["files"]
             if role in then and then[role]["sha256"] != now["files"][role]["sha256"]]  # fmt: skip
    changed = [
        f"{name} {before['libraries'].get(name)} then, {version} now"
        for name, version in now["libraries"].items()
        if "libraries" in before and before["libraries"].get(name) != version
    ]
    return [*names, *(f"({text})" for text in changed)] if names else []
