"""``forensix info``: everything known about a file, without running a method."""

from __future__ import annotations

import json
from typing import Any

import click

from forensix.cli.exits import Exit
from forensix.errors import ForensixError


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="What to write.")  # fmt: skip
@click.option("--max-pixels", metavar="N", type=click.IntRange(min=1),
              help="Refuse larger images before decoding them.  [default: 200 million]")  # fmt: skip
@click.pass_context
def info(ctx: click.Context, /, files: tuple[str, ...], form: str, max_pixels: int | None) -> None:
    """Show everything known about files without running a method."""
    known = [_known(path, max_pixels) for path in files]
    if form == "json":
        click.echo(json.dumps(known[0] if len(known) == 1 else known, indent=2, allow_nan=False))
    else:
        _print(known)
    failed = sum("error" in facts for facts in known)
    ctx.exit(Exit.DONE if not failed else Exit.NONE_READ if failed == len(known) else Exit.SOME_FAILED)


def _known(path: str, max_pixels: int | None) -> dict[str, Any]:
    from forensix.evidence import open_evidence
    from forensix.finding import plain

    limits = {} if max_pixels is None else {"max_pixels": max_pixels}
    try:
        evidence = open_evidence(path, **limits)
        tell = getattr(evidence, "facts", evidence.summary)
        facts: dict[str, Any] = {"path": path, **plain(tell())}
    except (ForensixError, OSError) as error:
        known = {k: v for k, v in getattr(error, "known", {}).items() if k != "path"}
        message = " ".join(str(error).split())
        facts = {"path": path, "error": {"type": type(error).__name__, "message": message}, **plain(known)}
    return facts


def _print(known: list[dict[str, Any]]) -> None:
    from forensix.cli.output import text_shape
    from forensix.report.text import render_facts

    width, colour = text_shape("-")
    for facts in known:
        click.echo(render_facts(facts, width=width, colour=colour), nl=False)
