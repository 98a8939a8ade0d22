"""Labelled images: manifests, and what is known of each image besides its label."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from forensix.errors import DocumentError

# Labels that mean "yes" to one of the three questions.
POSITIVE = frozenset({"tampered", "synthetic", "resaved", "inconsistent", "fake"})
CONCLUSIONS = ("integrity", "origin", "history")


@dataclass(frozen=True)
class Labelled:
    """One image with its labels.

    positive : for each of the three conclusions, whether the image counts as positive
    traits : what tables are made by ("kind", "operation", ...), as text; twins of
        forgeries carry their forgery's
    """

    collection: str
    name: str
    image: str
    mask: str
    group: str
    positive: dict[str, bool]
    traits: dict[str, str] = field(default_factory=dict)


def read_manifest(path: Path, *, limit: int = 0) -> list[Labelled]:
    """The images of a manifest, at most `limit` of them, evenly spread.

    Raises
    ------
    DocumentError
        If it has no columns "image" and "label", or a recipe cannot be read.
    """
    folder = path.resolve().parent
    with open(path, newline="") as handle:
        reader = csv.DictReader(handle)
        if not {"image", "label"} <= set(reader.fieldnames or ()):
            raise DocumentError(f"{path}: a manifest has columns image and label")
        rows = list(reader)
    if limit and len(rows) > limit:
        rows = [rows[i] for i in np.linspace(0, len(rows) - 1, limit).astype(int)]
    found = []
    for row in rows:
        mask = (row.get("mask") or "").strip()
        labels = {c: (row.get(c) or row["label"]).strip().lower() for c in CONCLUSIONS}
        found.append(
            Labelled(
                collection=folder.name,
                name=row["image"],
                image=str((folder / row["image"]).resolve()),
                mask=str((folder / mask).resolve()) if mask else "",
                group=row.get("group") or row["image"],
                positive={c: label in POSITIVE for c, label in labels.items()},
                traits=_traits(row, folder),
            )
        )
    return found


def _traits(row: dict[str, str], folder: Path) -> dict[str, str]:
    traits = {"kind": row.get("kind") or "", "device": row.get("device") or ""}
    if row.get("recipe"):
        try:
            recipe = json.loads((folder / row["recipe"]).read_bytes())["recipe"]
        except (OSError, ValueError, KeyError) as error:
            raise DocumentError(f"{folder / row['recipe']}: not a recipe: {error}") from error
        traits["kind"] = recipe["kind"]
        for name in ("operation", "method", "upsampling", "blend", "shape", "grid"):
            if name not in recipe["cell"]:
                traits[name] = str(recipe["parameters"].get(name, ""))
        traits |= {f"cell.{name}": str(value) for name, value in recipe["cell"].items()}
    return {name: value for name, value in traits.items() if value}
