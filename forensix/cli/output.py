"""Where the results of a run are written, one writer a format."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

if TYPE_CHECKING:
    from forensix.batch import Examined, Settings
    from forensix.report.pictures import Pictures
    from forensix.result import ScanResult


@contextmanager
def open_target(output: str, evidence: list[str]) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears whole when the block ends without an error.

    Refuses (click.UsageError) to overwrite a file that is to be examined, and what
    cannot be written.
    """
    if output == "-":
        yield _stdout()
        return
    _spare(output, evidence)
    target = Path(os.path.realpath(output))
    if target.exists() and not target.is_file():  # a device or a pipe is written, never replaced
        with _opened(target, output) as handle:
            yield handle
        return
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with _opened(partial, output) as handle:
            yield handle
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _stdout() -> BinaryIO:
    if sys.stdout is None:
        raise click.UsageError("standard output is closed: give --output FILE")
    return sys.stdout.buffer


def _opened(path: Path, asked: str) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise click.UsageError(f"cannot write {asked}: {error.strerror}") from error


def _spare(output: str, evidence: list[str]) -> None:
    if not os.path.exists(output):
        return
    for path in evidence:
        if os.path.exists(path) and os.path.samefile(path, output):
            raise click.UsageError(f"--output {output} is a file to examine; it would be overwritten")


@contextmanager
def open_writer(form: str, output: str, files: list[str], settings: Settings) -> Iterator[Writer]:
    """The writer of a format; its document is complete when the block ends.

    ``shows_progress`` is true of a writer whose lines appear on the terminal one by one,
    where a progress bar would be in their way.
    """
    if form == "jsonl":
        with _open_stream(output, files) as stream:
            yield Lines(stream, output)
        return
    kinds: dict[str, type[Document | Text | Page]] = {
        "text": Text,
        "json": Document,
        "html": Page,
        "pdf": Page,
    }
    with open_target(output, files) as stream:
        writer = kinds[form](stream, Job(form, output, files, settings))
        yield writer
        writer.finish()


@dataclass(frozen=True)
class Job:
    """What a writer may need to know about the run."""

    form: str
    output: str
    files: list[str]
    settings: Settings


@contextmanager
def _open_stream(output: str, evidence: list[str]) -> Iterator[BinaryIO]:
    """For lines that must be there as soon as they are written, whatever happens next."""
    if output == "-":
        yield _stdout()
        return
    _spare(output, evidence)
    with _opened(Path(output), output) as handle:
        yield handle


class Lines:
    """One JSON document a line, in the order in which files finish."""

    def __init__(self, stream: BinaryIO, output: str) -> None:
        self.stream = stream
        self.shows_progress = on_terminal(output)

    def write(self, examined: Examined) -> None:
        self.stream.write(examined.result.to_json(indent=None).encode("ascii") + b"\n")
        self.stream.flush()


class Document:
    """One JSON document; a list, in the order of the files, for several."""

    shows_progress = False

    def __init__(self, stream: BinaryIO, job: Job) -> None:
        self.stream, self.job = stream, job
        self.done: list[Examined] = []

    def write(self, examined: Examined) -> None:
        self.done.append(examined)

    def finish(self) -> None:
        results = [examined.result for examined in in_order(self.done, self.job.files)]
        if len(self.job.files) == 1 and results:
            content = results[0].to_json()
        else:
            content = json.dumps([result.to_dict() for result in results], indent=2, allow_nan=False)
        self.stream.write(content.encode("ascii") + b"\n")


class Text:
    """A block for a reader, as soon as a file is done."""

    def __init__(self, stream: BinaryIO, job: Job) -> None:
        self.stream, self.job = stream, job
        self.width, self.colour = text_shape(job.output)
        self.shows_progress = on_terminal(job.output)

    def write(self, examined: Examined) -> None:
        from forensix.report.text import render

        block = render(examined.result, width=self.width, colour=self.colour, maps=self.job.settings.maps)
        self.stream.write(block.encode("utf-8", "backslashreplace"))
        self.stream.flush()

    def finish(self) -> None:
        self.stream.flush()


class Page:
    """One HTML page or PDF about all files, in their order."""

    shows_progress = False

    def __init__(self, stream: BinaryIO, job: Job) -> None:
        self.stream, self.job = stream, job
        self.done: list[Examined] = []
        check_page(job.form, job.output)

    def write(self, examined: Examined) -> None:
        self.done.append(examined)

    def finish(self) -> None:
        done = in_order(self.done, self.job.files)
        self.stream.write(page(self.job.form, [(examined.result, examined.pictures) for examined in done]))


if TYPE_CHECKING:
    Writer = Lines | Document | Text | Page


def on_terminal(output: str) -> bool:
    return output == "-" and sys.stdout is not None and sys.stdout.isatty()


def text_shape(output: str) -> tuple[int, bool]:
    """How wide text is to be, and whether coloured: (columns, colour)."""
    terminal = on_terminal(output)
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return (min(shutil.get_terminal_size().columns, 120) if terminal else 100), colour


def check_page(form: str, output: str) -> None:
    """Refuse what could not be written in the end, before a long run."""
    if form != "pdf":
        return
    from forensix.report.pdf import require

    require()
    if on_terminal(output):
        raise click.UsageError("a PDF is not for the terminal: give --output FILE")


def page(form: str, documents: list[tuple[ScanResult, Pictures]]) -> bytes:
    """The results as an HTML page or a PDF."""
    if form == "pdf":
        from forensix.report import pdf

        return pdf.render(documents)
    from forensix.report import html

    return html.render(documents).encode("utf-8")


def in_order(done: list[Examined], files: list[str]) -> list[Examined]:
    """What was examined in the order of the files, however they finished."""
    place = {path: position for position, path in reversed(list(enumerate(files)))}
    return sorted(done, key=lambda examined: place.get(examined.result.path or "", len(files)))
