"""Examine many labelled images, in parallel, so that a broken-off run can go on."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.accuracy.labelled import Labelled
from benchmarks.accuracy.measuring import Settings, measure
from forensix._version import __version__
from forensix.errors import OutputError, WorkerDied
from forensix.workers import run_tasks

LINES = "images.jsonl"
SETTINGS = "settings.json"


def describe(settings: Settings) -> dict[str, Any]:
    """What must be the same for lines of two runs to stand in one table."""
    return {
        "version": __version__,
        "preset": settings.preset,
        "device": settings.device,
        "methods": list(settings.methods()),
    }


def run(
    images: Iterable[Labelled], out: Path, settings: Settings, *, jobs: int = 1
) -> Generator[dict[str, Any], None, None]:
    """Examine images; yields one line for each, those of an earlier run first.

    Lines are appended to ``images.jsonl`` in `out` as they come.

    Raises
    ------
    OutputError
        If the folder has lines that were made with other settings.
    """
    out.mkdir(parents=True, exist_ok=True)
    _claim(out, settings)
    wanted = {_key(image): image for image in images}
    done = {key: line for key, line in read_lines(out).items() if key in wanted}
    yield from done.values()
    waiting = [image for key, image in wanted.items() if key not in done]
    with open(out / LINES, "a", encoding="utf-8") as handle:
        for line in _measured(waiting, settings, jobs):
            handle.write(json.dumps(line, sort_keys=True) + "\n")
            handle.flush()
            yield line


def read_lines(out: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The lines a folder has, by collection and name; one cut short by a kill is dropped."""
    path = out / LINES
    if not path.exists():
        return {}
    text = path.read_text("utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, "utf-8")
    lines = [json.loads(line) for line in whole.splitlines()]
    return {(line["collection"], line["name"]): line for line in lines}


def _claim(out: Path, settings: Settings) -> None:
    content = json.dumps(describe(settings), indent=1, sort_keys=True) + "\n"
    path = out / SETTINGS
    if path.exists() and path.read_text("utf-8") != content:
        raise OutputError(f"{out} has results of other methods or settings: choose another folder")
    path.write_text(content, "utf-8")


def _key(image: Labelled) -> tuple[str, str]:
    return image.collection, image.name


def _measured(images: list[Labelled], settings: Settings, jobs: int) -> Generator[dict[str, Any], None, None]:
    work = partial(measure, settings=settings)
    if jobs <= 1:
        yield from map(work, images)
        return
    for image, outcome in run_tasks(work, images, workers=jobs):
        if isinstance(outcome, WorkerDied):
            yield {
                "collection": image.collection, "name": image.name, "group": image.group,
                "positive": image.positive, "masked": bool(image.mask), "traits": image.traits,
                "error": str(outcome), "mpx": None, "seconds": None, "subjects": {},
            }  # fmt: skip
        else:
            yield outcome
