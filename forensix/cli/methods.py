"""``forensix methods``: what can be asked of a picture, and of which papers."""

from __future__ import annotations

import json
from dataclasses import asdict

import click


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="What to write.")  # fmt: skip
def methods(form: str) -> None:
    """List the methods: question, what they apply to, paper."""
    from forensix import detectors

    known = [detectors.method(name) for name in detectors.names()]
    if form == "json":
        click.echo(json.dumps([asdict(method) for method in known], indent=2))
        return
    from forensix.cli.output import text_shape
    from forensix.report.text import render_methods

    width, colour = text_shape("-")
    click.echo(render_methods([asdict(method) for method in known], width=width, colour=colour), nl=False)
