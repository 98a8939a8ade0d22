"""Make many forgeries into a folder: in parallel, resumable, the same whatever the order."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from forensix.errors import ForensixError, OutputError
from forensix.forgery.making import make
from forensix.forgery.photo import PhotoShelf
from forensix.forgery.recipe import SCHEMA, Recipe, to_json

JOB = "forge.json"
MANIFEST = "manifest.csv"
FOLDERS = ("forged", "masks", "recipes", "twins")
PART = ".part"
BATCH = 6
COLUMNS = ("image", "mask", "label", "kind", "mask_marks", "group", "device", "history", "origin",
           "donor", "recipe", "notes")  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How one recipe went.

    kept : made by an earlier run
    error : why it could not be made, or empty
    unreadable : photos that cannot be used at all, with the reason; spares stood in for them
    """

    name: str
    kept: bool = False
    error: str = ""
    unreadable: tuple[tuple[str, str], ...] = ()


def claim(out: Path, job: Mapping[str, Any]) -> None:
    """Take a folder for a job: a new one, an empty one, or one with the same job begun.

    Raises
    ------
    OutputError
        If it holds anything else, or cannot be written to.
    """
    content = to_json({"schema": SCHEMA, **job})
    try:
        out.mkdir(parents=True, exist_ok=True)
        found = sorted(entry.name for entry in out.iterdir())
        if JOB in found:
            if (out / JOB).read_bytes() != content:
                raise OutputError(f"{out} holds other forgeries (see its {JOB}): choose another folder")
        elif any(name != JOB + PART for name in found):
            raise OutputError(
                f"{out} holds other files, such as {found[0]!r}: choose a new or an empty folder"
            )
        strangers = [
            name for name in found if name not in (*FOLDERS, JOB, MANIFEST, JOB + PART, MANIFEST + PART)
        ]
        if strangers:
            raise OutputError(f"{out} holds other files, such as {strangers[0]!r}: choose another folder")
        for name in FOLDERS:
            (out / name).mkdir(exist_ok=True)
            for left_over in (out / name).glob(f"*{PART}"):
                left_over.unlink()
        _write(out / JOB, content)
    except OSError as error:
        raise OutputError(f"{out}: {_reason(error)}") from error


def produce(recipes: Sequence[Recipe], out: Path, *, jobs: int = 1) -> Generator[Outcome, None, None]:
    """Make what is not there yet; yields as they are done, and writes the manifest last.

    Parameters
    ----------
    recipes : sequence of Recipe
        With different names.
    out : Path
        A folder taken by :func:`claim`.
    jobs : int
        Processes. 1 works in this one.

    Raises
    ------
    OutputError
        If a file cannot be written (a full disk); what was begun is taken back.
    """
    waiting: list[Recipe] = []
    for recipe in recipes:
        if _is_there(out, recipe):
            yield Outcome(recipe.name, kept=True)
        else:
            waiting.append(recipe)
    for outcomes in _all_made(_batches(waiting), out, jobs):
        for outcome in outcomes:
            if isinstance(outcome, OutputError):
                raise outcome
            yield outcome
    _write_safely(out / MANIFEST, manifest(recipes, out))


def _all_made(batches: Sequence[list[Recipe]], out: Path, jobs: int) -> Iterator[list[Any]]:
    from forensix.errors import WorkerDied
    from forensix.workers import run_tasks

    work = partial(make_batch, out=out)
    if jobs <= 1 or len(batches) <= 1:
        for batch in batches:
            yield work(batch)
        return
    for batch, outcomes in run_tasks(work, batches, workers=min(jobs, len(batches))):
        if isinstance(outcomes, WorkerDied):
            yield [Outcome(recipe.name, error=str(outcomes)) for recipe in batch]
        else:
            yield outcomes


def _batches(recipes: Sequence[Recipe]) -> list[list[Recipe]]:
    """Recipes of one host together, a few at a time, hosts in order of appearance."""
    by_host: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        by_host.setdefault(recipe.host, []).append(recipe)
    return [own[i : i + BATCH] for own in by_host.values() for i in range(0, len(own), BATCH)]


_shelf = PhotoShelf()


def make_batch(batch: Sequence[Recipe], *, out: Path) -> list[Outcome | OutputError]:
    """Make and write some forgeries in this process; stops at the first that cannot be written."""
    outcomes: list[Outcome | OutputError] = []
    for recipe in batch:
        try:
            made = make(recipe, _shelf.read)
            write_files(out, [made.files[role] for role in ("forged", "twin", "mask", "recipe")])
            outcomes.append(Outcome(recipe.name, unreadable=_unreadable(recipe)))
        except OutputError as error:
            return [*outcomes, error]
        except (ForensixError, MemoryError) as error:
            reason = f"{recipe.host}: {error or type(error).__name__}"
            outcomes.append(Outcome(recipe.name, error=reason, unreadable=_unreadable(recipe)))
    return outcomes


def _unreadable(recipe: Recipe) -> tuple[tuple[str, str], ...]:
    """Which of a recipe's photos turned out to be of no use."""
    photos = {photo for pair in ((recipe.host, recipe.donor), *recipe.spares) for photo in pair if photo}
    return tuple((photo, _shelf.failed(photo)) for photo in sorted(photos) if _shelf.failed(photo))


def write_files(out: Path, files: Sequence[tuple[str, bytes]]) -> None:
    """Write all or none of some files; the last is what says that the others are there."""
    written: list[Path] = []
    try:
        for path, data in files:
            written.append(out / path)
            _write(out / path, data)
    except OSError as error:
        for path_written in written:
            path_written.unlink(missing_ok=True)
        raise OutputError(f"{written[-1]}: {_reason(error)}") from error


def _write_safely(path: Path, data: bytes) -> None:
    try:
        _write(path, data)
    except OSError as error:
        raise OutputError(f"{path}: {_reason(error)}") from error


def _write(path: Path, data: bytes) -> None:
    """Write under a temporary name, then rename: the file is whole or not there."""
    part = path.with_name(path.name + PART)
    try:
        with open(part, "wb") as handle:
            handle.write(data)
            handle.flush()
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _reason(error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "the disk is full" if full else error.strerror or str(error)


def _document(out: Path, recipe: Recipe) -> dict[str, Any] | None:
    """What a recipe's file in the folder says, or None."""
    try:
        document = json.loads((out / "recipes" / f"{recipe.name}.json").read_bytes())
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) and document.get("schema") == SCHEMA else None


def _is_there(out: Path, recipe: Recipe) -> bool:
    """Whether this very recipe has been made: same content, all its files whole."""
    document = _document(out, recipe)
    if document is None:
        return False
    made, wanted = dict(document["recipe"]), recipe.to_dict()
    photos = {(recipe.host, recipe.donor), *recipe.spares}
    if (made.pop("host", ""), made.pop("donor", "")) not in photos:
        return False
    # Known only once the photos were read.
    made = {k: v for k, v in made.items() if not k.endswith("_sha256") or wanted[k]}
    if any(wanted.get(k) != v for k, v in made.items() if k != "spares"):
        return False
    for entry in document["made"]["files"].values():
        try:
            data = (out / entry["path"]).read_bytes()
        except OSError:
            return False
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            return False
    return True


def manifest(recipes: Sequence[Recipe], out: Path) -> bytes:
    """The table of all that is in the folder, forged pictures and twins, in the recipes' order."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for recipe in recipes:
        document = _document(out, recipe)
        if document is not None:
            writer.writerows(_rows(document))
    return text.getvalue().encode()


def _rows(document: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    recipe, made = document["recipe"], document["made"]
    files = {role: entry["path"] for role, entry in made["files"].items()}
    stem = Path(recipe["host"]).stem
    common = {
        # Stems repeat (IMG_0001); the photo's own sum keeps scenes apart.
        "group": f"{stem}-{recipe['host_sha256'][:8]}",
        "device": made["device"],
        "history": "resaved",
        "origin": "camera",
        "recipe": f"recipes/{recipe['name']}.json",
    }
    donor = f"{Path(recipe['donor']).stem}-{recipe['donor_sha256'][:8]}" if recipe["donor"] else ""
    notes = [recipe["chain"], *(f"{k}={v}" for k, v in sorted(recipe["parameters"].items()))]
    synthetic = {"label": "synthetic", "origin": "synthetic"} if made["whole"] else {"label": "tampered"}
    yield {
        **common,
        "image": files["forged"],
        "mask": "" if made["whole"] else files["mask"],
        "kind": recipe["kind"],
        "mask_marks": _marks(recipe, made),
        "donor": donor,
        "notes": "; ".join(notes),
        **synthetic,
    }
    yield {**common, "image": files["twin"], "label": "authentic", "notes": recipe["chain"]}


def _marks(recipe: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    if made["whole"]:
        return ""
    if recipe["kind"] == "copy-move":
        return str(recipe["mask_marks"])
    return "tampered"
