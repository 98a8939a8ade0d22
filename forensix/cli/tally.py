"""Progress while scanning and the count afterwards, both on stderr."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import click

from forensix.report.escape import printable
from forensix.result import ScanResult

T = TypeVar("T")


@dataclass
class Tally:
    """What a run has come to so far.

    labels : the labels seen on files that could be read; "inconclusive" is integrity's
    """

    many: bool
    quiet: bool
    text: bool
    read: int = 0
    failed: int = 0
    interrupted: bool = False
    labels: set[str] = field(default_factory=set)
    integrity: Counter[str] = field(default_factory=Counter)

    def count(self, result: ScanResult) -> None:
        if result.error is not None:
            self.failed += 1
            # The text report has said so already, on stdout.
            if not self.quiet and not self.text:
                path = printable(result.path)
                click.echo(f"forensix: {path}: {printable(result.error['message'])}", err=True)
            return
        self.read += 1
        self.integrity[result.conclusions["integrity"].label] += 1
        self.labels.add(result.conclusions["integrity"].label)
        self.labels.update({result.conclusions[q].label for q in ("origin", "history")} - {"inconclusive"})

    def summarise(self) -> None:
        if self.quiet or not (self.many or self.interrupted):
            return
        counts = [f"{n} {label}" for label, n in self.integrity.most_common()]
        counts += [f"{self.failed} failed"] if self.failed else []
        start = "interrupted after" if self.interrupted else "scanned"
        total = self.read + self.failed
        files = "1 file" if total == 1 else f"{total} files"
        click.echo(f"forensix: {start} {files}" + (f": {', '.join(counts)}" if counts else ""), err=True)


@contextmanager
def following(results: Iterable[T], total: int, *, quiet: bool) -> Iterator[Iterable[T]]:
    """The results, with a progress bar on stderr where that is a terminal and worth it."""
    if quiet or total < 2 or not sys.stderr.isatty():
        yield results
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("scanning"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Results go to stdout while the bar lives on stderr: rich must not catch and reorder them.
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        yield progress.track(results, total=total)
