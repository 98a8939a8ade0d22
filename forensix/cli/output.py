"""Where the results of a run are written, one writer a format."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from forensix.batch import Settings
from forensix.result import ScanResult


@contextmanager
def open_target(output: str, evidence: list[str]) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears whole when the block ends without an error.

    Refuses (click.UsageError) to overwrite a file that is to be examined.
    """
    if output == "-":
        yield sys.stdout.buffer
        return
    _spare(output, evidence)
    target = Path(output)
    partial = target.with_name(f".{target.name[:80]}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("wb") as handle:
            yield handle
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _spare(output: str, evidence: list[str]) -> None:
    if not os.path.exists(output):
        return
    for path in evidence:
        if os.path.exists(path) and os.path.samefile(path, output):
            raise click.UsageError(f"--output {output} is a file to examine; it would be overwritten")


@contextmanager
def open_writer(form: str, output: str, files: list[str], settings: Settings) -> Iterator[Writer]:
    """The writer of a format; its document is complete when the block ends."""
    if form == "jsonl":
        with _open_stream(output, files) as stream:
            yield Lines(stream)
        return
    with open_target(output, files) as stream:
        kinds: dict[str, type[Document | Text]] = {"text": Text, "json": Document}
        writer = kinds[form](stream, files, settings, output)
        yield writer
        writer.finish()


@contextmanager
def _open_stream(output: str, evidence: list[str]) -> Iterator[BinaryIO]:
    """For lines that must be there as soon as they are written, whatever happens next."""
    if output == "-":
        yield sys.stdout.buffer
        return
    _spare(output, evidence)
    with open(output, "wb") as handle:
        yield handle


class Lines:
    """One JSON document a line, in the order in which files finish."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def write(self, result: ScanResult) -> None:
        self.stream.write(result.to_json(indent=None).encode("ascii") + b"\n")
        self.stream.flush()


class Document:
    """One JSON document; a list, in the order of the files, for several."""

    def __init__(self, stream: BinaryIO, files: list[str], settings: Settings, output: str) -> None:
        self.stream, self.files = stream, files
        self.results: list[ScanResult] = []

    def write(self, result: ScanResult) -> None:
        self.results.append(result)

    def finish(self) -> None:
        if len(self.files) == 1 and self.results:
            content = self.results[0].to_json()
        else:
            documents = [result.to_dict() for result in in_order(self.results, self.files)]
            content = json.dumps(documents, indent=2, allow_nan=False)
        self.stream.write(content.encode("ascii") + b"\n")


class Text:
    """A block for a reader, as soon as a file is done."""

    def __init__(self, stream: BinaryIO, files: list[str], settings: Settings, output: str) -> None:
        self.stream, self.maps = stream, settings.maps
        terminal = output == "-" and sys.stdout.isatty()
        self.colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self.width = min(shutil.get_terminal_size().columns, 120) if terminal else 100

    def write(self, result: ScanResult) -> None:
        from forensix.report.text import render

        block = render(result, width=self.width, colour=self.colour, maps=self.maps)
        self.stream.write(block.encode("utf-8", "backslashreplace"))
        self.stream.flush()

    def finish(self) -> None:
        self.stream.flush()


Writer = Lines | Document | Text


def in_order(results: list[ScanResult], files: list[str]) -> list[ScanResult]:
    """The results in the order of the files, however they finished."""
    place = {path: position for position, path in reversed(list(enumerate(files)))}
    return sorted(results, key=lambda result: place.get(result.path or "", len(files)))
