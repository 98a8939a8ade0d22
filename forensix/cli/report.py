"""``forensix report``: draw a saved scan document again, without analysing anything."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import click

from forensix.errors import DocumentError

if TYPE_CHECKING:
    from forensix.report.pictures import Pictures
    from forensix.result import ScanResult


@click.command(
    short_help="Draw saved results again, without examining anything.",
    epilog="Exit status: 0 done, 2 a document that cannot be read.",
)
@click.argument("documents", metavar="RESULT.json...", nargs=-1, required=True, type=click.Path())
@click.option("--format", "form", type=click.Choice(["text", "html", "pdf"]), default="text", show_default=True,
              help="What to write.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(dir_okay=False), default="-",
              help="Write the report to a file instead of stdout.")  # fmt: skip
@click.option("--maps", metavar="DIR", type=click.Path(file_okay=False),
              help="Where the map files are.  [default: beside the document]")  # fmt: skip
def report(documents: tuple[str, ...], form: str, output: str, maps: str | None) -> None:
    """Report on saved scan documents (.json or .jsonl, - for stdin) without running a method.

    The picture is shown if the file that was examined is still there, byte for byte.
    """
    from forensix.cli.output import check_page, open_target, page, text_shape

    check_page(form, output)
    results = [(result, path) for path in documents for result in load(path)]
    named = [result.path for result, _ in results if result.path is not None]
    with open_target(output, [*documents, *named]) as stream:
        if form == "text":
            from forensix.report.text import render

            width, colour = text_shape(output)
            for result, path in results:
                where = maps if maps is not None else os.path.dirname(path)
                block = render(result, width=width, colour=colour, maps=where)
                stream.write(block.encode("utf-8", "backslashreplace"))
            return
        stream.write(page(form, _with_pictures(results, maps)))


def _with_pictures(
    results: list[tuple[ScanResult, str]], maps: str | None
) -> list[tuple[ScanResult, Pictures]]:
    from forensix.pictures import pictures_of_document, side_for

    side = side_for(len(results))
    return [
        (result, pictures_of_document(result, [maps or os.path.dirname(path)], side=side))
        for result, path in results
    ]


def load(path: str) -> list[ScanResult]:
    """The results in a document: one, a list of them, or one a line.

    Raises DocumentError, naming the file (and the line), where there is none to read.
    """
    from forensix.result import ScanResult

    try:
        if path == "-":
            content = sys.stdin.buffer.read()
        else:
            with open(path, "rb") as handle:
                content = handle.read()
    except OSError as error:
        raise DocumentError(f"cannot read {path}: {error.strerror}") from error
    try:
        try:
            document = json.loads(content)
        except ValueError:
            lines = [line for line in content.split(b"\n") if line.strip()]
            if len(lines) < 2:
                raise
            return [ScanResult.from_json(line) for line in lines]
        entries = document if isinstance(document, list) else [document]
        return [ScanResult.from_dict(entry) for entry in entries]
    except (DocumentError, ValueError, RecursionError) as error:
        what = error if isinstance(error, DocumentError) else f"not JSON: {error}"
        raise DocumentError(f"{path}: {what}") from error
