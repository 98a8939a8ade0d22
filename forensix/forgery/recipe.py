"""Recipes: everything it takes to make a forgery again, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from forensix.errors import DocumentError, ForgeryError, ParameterError
from forensix.forgery.chain import parse_chain
from forensix.forgery.seeds import stream

SCHEMA = "forensix.forgery/1"
KINDS = ("copy-move", "splicing", "removal", "trace", "generator")
MASK_MARKS = ("both", "copy")

# Photo crops start at multiples of this, so that the camera's JPEG blocks stay whole
# (16 pixels are a block of subsampled chroma); `crop:R:C` in a chain moves the grid.
ALIGNMENT = 16


@dataclass(frozen=True)
class Recipe:
    """What to make, before it is made.

    name : str
        Of the files, without extension.
    kind : str
        One of ``KINDS``.
    seed, index : int
        Every random number is drawn from a stream of these two and its purpose.
    host, donor : str
        Paths of the photos; donor is empty unless the kind is "splicing".
    spares : pairs of host and donor
        To take instead, in turn, where a photo cannot be read or cannot carry the
        forgery. A recipe that was made has none: it names the photos it was made from.
    size : (rows, cols)
        Largest crop of the photos; (0, 0) for the whole photo.
    chain, donor_chain : str
        See :mod:`forensix.forgery.chain`. The donor's ends with its last encoding.
    parameters : dict
        Of the edit, as the function of that kind takes them.
    cell : dict
        In a standard set: the values that were varied, for tables.
    mask_marks : {"both", "copy"}
        For a copy-move: whether the mask marks the original too.
    host_sha256, donor_sha256 : str
        Of the photos' files; empty until they have been read.
    """

    name: str
    kind: str
    seed: int
    index: int
    host: str
    donor: str = ""
    spares: tuple[tuple[str, str], ...] = ()
    size: tuple[int, int] = (1024, 1024)
    chain: str = "edit, jpeg:90"
    donor_chain: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cell: Mapping[str, Any] = field(default_factory=dict)
    mask_marks: str = "both"
    host_sha256: str = ""
    donor_sha256: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", tuple(int(v) for v in self.size))
        object.__setattr__(self, "spares", tuple((str(host), str(donor)) for host, donor in self.spares))
        if self.kind not in KINDS:
            raise ParameterError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.mask_marks not in MASK_MARKS:
            raise ParameterError(
                f"mask_marks must be one of {', '.join(MASK_MARKS)}, got {self.mask_marks!r}"
            )
        if len(self.size) != 2 or min(self.size) < 0:
            raise ParameterError(f"size is (rows, cols), got {self.size}")
        if (self.kind == "splicing") != bool(self.donor):
            raise ParameterError("splicing needs a donor, and no other kind has one")
        if not self.name or "/" in self.name or "\\" in self.name or self.name.startswith("."):
            raise ParameterError(f"a name is that of a file without its folder, got {self.name!r}")
        parse_chain(self.chain)

    def stream(self, *purpose: str | int) -> Any:
        """The random numbers of one purpose of this recipe."""
        return stream(self.seed, self.kind, self.index, *purpose)

    def to_dict(self) -> dict[str, Any]:
        document = asdict(self)
        document["size"] = list(self.size)
        document["spares"] = [list(pair) for pair in self.spares]
        return document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Recipe:
        try:
            return cls(**document)
        except (TypeError, ValueError) as error:
            raise DocumentError(f"not a recipe: {error}") from error


def to_json(document: Mapping[str, Any]) -> bytes:
    """The one way recipes and jobs are written: same content, same bytes."""
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def read_recipe(path: str | Path) -> tuple[Recipe, dict[str, Any]]:
    """Read a recipe file.

    Returns
    -------
    recipe : Recipe
        With the SHA-256 sums of the photos it was made from, if it was made.
    made : dict
        What came of it when it was made, empty if it was not.

    Raises
    ------
    DocumentError
        If it is none, or of another version.
    ForgeryError
        If the file cannot be read.
    """
    try:
        document = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise ForgeryError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise DocumentError(f"{path}: not a recipe: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA or "recipe" not in document:
        raise DocumentError(f"{path}: not a recipe of the form {SCHEMA}")
    return Recipe.from_dict(document["recipe"]), dict(document.get("made") or {})
