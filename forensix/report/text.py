"""A result as text: read in ten seconds on a terminal, plain in a file."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from forensix.finding import Finding, Status
from forensix.report.escape import printable
from forensix.report.facts import outline
from forensix.report.words import size_in_words, support
from forensix.result import LABELS, ScanResult

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

COLOURS = ("green", "yellow", "red")


def render(
    result: ScanResult, *, width: int = 100, colour: bool = False, maps: str | os.PathLike[str] | None = None
) -> str:
    """One result as a block of lines that ends with an empty one.

    Parameters
    ----------
    width : columns to use at most
    colour : with ANSI colours; without them the text has no escape sequence at all
    maps : the directory that the result's map names are relative to
    """
    return _lines(_parts(result, maps), width, colour, soft=result.error is not None)


def _lines(parts: Iterable[RenderableType], width: int, colour: bool, *, soft: bool = False) -> str:
    """The parts as text that ends with an empty line; ``soft`` breaks no line."""
    from rich.console import Console

    console = Console(
        file=io.StringIO(), width=max(width, 40), force_terminal=colour, no_color=not colour,
        color_system="standard" if colour else None, highlight=False, markup=False, emoji=False,
        legacy_windows=False,
    )  # fmt: skip
    with console.capture() as captured:
        for part in parts:
            console.print(part, soft_wrap=soft)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n\n"


def _parts(result: ScanResult, maps: str | os.PathLike[str] | None) -> list[RenderableType]:
    from rich.text import Text

    path = printable(result.path if result.path is not None else "(not a file)")
    if result.error is not None:
        line = Text.assemble((path, "bold"), ": ", ("error", "bold red"), ": ")
        return [line.append(f"{printable(result.error['message'])} ({result.error['type']})")]
    return [
        Text.assemble((path, "bold"), "  ", (_facts(result), "dim")),
        _conclusions(result),
        *_findings(result),
        *_footnotes(result, maps),
    ]


def _facts(result: ScanResult) -> str:
    evidence = result.evidence
    facts = [
        printable(evidence["format"] or "unknown format").upper(),
        f"{evidence['width']} x {evidence['height']}",
        size_in_words(evidence["size"]),
        f"sha256 {evidence['sha256'][:16]}",
    ]
    return ", ".join(facts)


def _conclusions(result: ScanResult) -> Table:
    table = _grid(11, 12)
    for question, labels in LABELS.items():
        conclusion = result.conclusions[question]
        colour = COLOURS[labels.index(conclusion.label)]
        label = conclusion.label.upper() if conclusion.label == labels[2] else conclusion.label
        said = [f"{conclusion.kind}." if conclusion.kind else "", printable(conclusion.explanation)]
        if conclusion.log10_lr is not None:
            said.append(f"{support(conclusion.log10_lr, question).capitalize()}.")
        _row(table, f"  {question}", (label, f"bold {colour}"), " ".join(filter(None, said)))
    return table


def _findings(result: ScanResult) -> list[Table]:
    """Who spoke with what score, and who was silent with what reason."""
    longest = max((len(f.detector) for f in result.findings), default=0)
    tables = []
    for heading, chosen in (
        ("spoke", [f for f in result.findings if f.speaks]),
        ("silent", [f for f in result.findings if not f.speaks and f.status is not Status.FAILED]),
        ("failed", [f for f in result.findings if f.status is Status.FAILED]),
    ):
        if not chosen:
            continue
        table = _grid(11, longest)
        for position, finding in enumerate(chosen):
            colour = "red" if finding.status is Status.FAILED or finding.decided else ""
            _row(table, "" if position else f"  {heading}", (finding.detector, colour), _said(finding))
        tables.append(table)
    return tables


def _said(finding: Finding) -> str:
    if finding.score is not None:
        return f"{finding.score:.2f}  {printable(finding.explanation)}"
    if finding.status is Status.RAN:
        return f"cannot tell: {printable(finding.explanation)}"
    prefix = "does not apply: " if finding.status is Status.NOT_APPLICABLE else ""
    return prefix + printable(finding.reason)


def _footnotes(result: ScanResult, maps: str | os.PathLike[str] | None) -> list[Table]:
    table = _grid(11)
    for warning in result.evidence["warnings"]:
        _row(table, "  warning", printable(warning))
    if result.maps:
        where = os.path.join(os.fspath(maps), "") if maps is not None else ""
        first, *others = result.maps.values()
        _row(table, "  maps", printable(f"{where}{first}"))
        for other in others:
            _row(table, "", printable(f"{where}{other}"))
    return [table] if table.row_count else []


def _grid(*widths: int) -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for width in widths:
        table.add_column(min_width=width, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _bold(start: str, rest: str = "") -> RenderableType:
    from rich.text import Text

    return Text.assemble((start, "bold"), (rest, "dim"))


def _row(table: Table, *cells: str | tuple[str, str]) -> None:
    """A row of plain text: Text objects, because a string would be read as markup."""
    from rich.text import Text

    table.add_row(*(Text(c) if isinstance(c, str) else Text(c[0], style=c[1]) for c in cells))


def render_facts(facts: Mapping[str, Any], *, width: int = 100, colour: bool = False) -> str:
    """What is known about a file, as an indented outline under its path."""
    parts = [_bold(printable(facts["path"]))]
    for depth, name, value in outline({name: fact for name, fact in facts.items() if name != "path"}):
        indent = "  " * (depth + 1)
        table = _grid(max(24, len(indent + name)))
        _row(table, (f"{indent}{printable(name)}", "red" if name == "error" else "dim"), printable(value))
        parts.append(table)
    return _lines(parts, width, colour)


def render_methods(methods: Iterable[Mapping[str, Any]], *, width: int = 120, colour: bool = False) -> str:
    """The methods as a table: name, question, what they apply to, paper."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False)
    table.add_column("method", no_wrap=True)
    for title, ratio in (("question", 4), ("applies to", 3), ("paper", 5)):
        table.add_column(title, ratio=ratio, overflow="fold")
    for method in methods:
        cells = (method[name] for name in ("name", "question", "applies_to", "reference"))
        table.add_row(*(Text(printable(cell)) for cell in cells))
        table.add_row()
    return _lines([table], width, colour)
