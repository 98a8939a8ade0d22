"""``forensix forge``: make labelled forgeries, with masks and untouched twins."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from forensix.cli.exits import Exit
from forensix.report.escape import printable

if TYPE_CHECKING:
    from forensix.forgery.production import Outcome
    from forensix.forgery.recipe import Recipe

SCALES = ("small", "dev", "full")
COMPLAINTS = 20

EPILOG = """\b
KIND is copy-move, splicing, removal, trace, generator or mixed, or a standard set:
copy-move-robustness, double-jpeg, spliced-jpeg, traces, removals, generators.
\b
CHAIN is what happens before and after the edit, for example
"camera-jpeg, edit, jpeg:90:420, crop:3:5, resize:0.7, messenger, png".
\b
Interrupted? The same command goes on where it stopped. Exit status: 0 done, 2 usage,
3 some photos could not be used or a file could not be written, 4 nothing could be made.
"""


def complete_kind(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from forensix.forgery.planning import set_names
    from forensix.forgery.recipe import KINDS

    return [CompletionItem(name) for name in ("mixed", *KINDS, *set_names()) if name.startswith(incomplete)]


@click.command(epilog=EPILOG)
@click.argument("kind", metavar="KIND", required=False, shell_complete=complete_kind)
@click.argument("photos", metavar="PHOTO...", nargs=-1, type=click.Path())
@click.option("-o", "--out", metavar="DIR", type=click.Path(file_okay=False), required=True,
              help="A new or empty folder, or one where the same command was interrupted.")  # fmt: skip
@click.option("-n", "--count", metavar="N", type=click.IntRange(min=1), default=10, show_default=True,
              help="Forgeries to make, each with its twin (not for standard sets).")  # fmt: skip
@click.option("-s", "--seed", metavar="S", type=click.IntRange(min=0), default=0, show_default=True,
              help="Another seed, other forgeries.")  # fmt: skip
@click.option("-j", "--jobs", metavar="J", type=click.IntRange(min=0), default=1, show_default=True,
              help="Processes (0: one a core); the result is the same.")  # fmt: skip
@click.option("--size", metavar="ROWSxCOLS", default="1024x1024", show_default=True,
              help="Largest crop of a photo, or 'full'.")  # fmt: skip
@click.option("--chain", metavar="CHAIN", help="What happens to every picture, instead of what is drawn.")
@click.option("--format", "file_format", metavar="STEP",
              help="Last encoding of every picture: png, jpeg:90, jpeg:85:444, webp:80, camera-jpeg ...")  # fmt: skip
@click.option("-p", "--param", "params", metavar="NAME=VALUE", multiple=True,
              help="Fix a parameter of the edit, for example rotation=10 or method=telea. Repeatable.")  # fmt: skip
@click.option("--mask-marks", type=click.Choice(("both", "copy")), default="both", show_default=True,
              help="Whether the mask of a copy-move marks the original too.")  # fmt: skip
@click.option("--scale", type=click.Choice(SCALES), default="dev", show_default=True,
              help="Of a standard set: seconds, minutes or hours.")  # fmt: skip
@click.option("--recipe", "recipe_file", metavar="FILE", type=click.Path(dir_okay=False),
              help="Make this recipe again, and check that it comes out bit for bit. "
              "The photos are looked for where it names them and among the arguments.")  # fmt: skip
@click.option("-r", "--recursive", is_flag=True, help="Use the images below directories.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary on stderr.")
@click.pass_context
def forge(ctx: click.Context, /, kind: str | None, photos: tuple[str, ...], **options: Any) -> None:
    """Make forgeries from photos: pictures, exact masks, untouched twins, manifest and recipes.

    Each forgery has a twin: the same crop of the same photo through the same encoding,
    without the edit. Each has a recipe in JSON from which it can be made again.
    """
    from forensix.cli.gather import files_below

    if options["recipe_file"] is not None:
        ctx.exit(_remake(options["recipe_file"], [p for p in (kind, *photos) if p], options["out"]))
    if kind is None or not photos:
        raise click.UsageError("give a KIND and at least one PHOTO, or --recipe FILE")
    found = files_below(photos) if options["recursive"] else list(photos)
    recipes, job = _planned(kind, found, options)
    ctx.exit(_produce(recipes, job, options))


def _planned(kind: str, photos: list[str], options: dict[str, Any]) -> tuple[list[Recipe], dict[str, Any]]:
    """The recipes, and what the folder is to be known by."""
    from forensix.forgery.planning import plan, plan_set, set_names

    job: dict[str, Any] = {"kind": kind, "photos": sorted(set(photos)), "seed": options["seed"]}
    if kind in set_names():
        job["scale"] = options["scale"]
        return plan_set(kind, photos, scale=options["scale"], seed=options["seed"]), job
    drawn = {
        "count": options["count"],
        "size": _size(options["size"]),
        "chain": options["chain"],
        "file_format": options["file_format"],
        "parameters": dict(_parameter(text) for text in options["params"]),
        "mask_marks": options["mask_marks"],
    }
    return plan(kind, photos, seed=options["seed"], **drawn), {**job, **drawn, "size": list(drawn["size"])}


def _size(text: str) -> tuple[int, int]:
    if text == "full":
        return (0, 0)
    rows, _, cols = text.lower().partition("x")
    try:
        size = (int(rows), int(cols or rows))
    except ValueError:
        size = (0, 0)
    if min(size) < 64:
        raise click.BadParameter(
            f"ROWSxCOLS with at least 64 each, or 'full', wanted; got {text!r}", param_hint="--size"
        )
    return size


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"NAME=VALUE wanted, got {text!r}", param_hint="--param")
    words = {"true": True, "false": False}
    if value.lower() in words:
        return name, words[value.lower()]
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


def _produce(recipes: list[Recipe], job: dict[str, Any], options: dict[str, Any]) -> int:
    import os
    from pathlib import Path

    from forensix.errors import OutputError
    from forensix.forgery.production import MANIFEST, claim, produce

    out = Path(options["out"])
    claim(out, job)
    jobs = options["jobs"] or os.cpu_count() or 1
    made = kept = 0
    errors: list[str] = []
    unusable: dict[str, str] = {}
    try:
        with (
            closing(produce(recipes, out, jobs=jobs)) as found,
            _following(found, len(recipes), options) as stream,
        ):
            for outcome in stream:
                made += not outcome.error and not outcome.kept
                kept += outcome.kept
                unusable.update(outcome.unreadable)
                errors += [f"{outcome.name}: {outcome.error}"] if outcome.error else []
    except KeyboardInterrupt:
        _say(f"interrupted after {made} of {len(recipes)}; the same command goes on", options)
        return Exit.INTERRUPTED
    except OutputError as error:
        click.echo(f"forensix: {printable(error)}", err=True)
        return Exit.SOME_FAILED
    _complain([*(f"{path}: {reason}" for path, reason in sorted(unusable.items())), *errors])
    again = f", {kept} were there" if kept else ""
    _say(f"made {made} of {len(recipes)} forgeries{again}; see {out / MANIFEST}", options)
    if not made and not kept:
        return Exit.NONE_READ
    return Exit.SOME_FAILED if errors or unusable else Exit.DONE


def _complain(lines: list[str]) -> None:
    for line in lines[:COMPLAINTS]:
        click.echo(f"forensix: {printable(line)}", err=True)
    if len(lines) > COMPLAINTS:
        click.echo(f"forensix: and {len(lines) - COMPLAINTS} more", err=True)


def _say(text: str, options: dict[str, Any]) -> None:
    if not options["quiet"]:
        click.echo(f"forensix: {printable(text)}", err=True)


@contextmanager
def _following(found: Iterable[Outcome], total: int, options: dict[str, Any]) -> Iterator[Iterable[Outcome]]:
    """The outcomes, with a progress bar on stderr where that is a terminal."""
    if options["quiet"] or not sys.stderr.isatty():
        yield found
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("forging"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        yield progress.track(found, total=total)


def _remake(recipe_file: str, photos: list[str], out: str) -> int:
    from pathlib import Path

    from forensix.forgery.remaking import remake

    differing = remake(recipe_file, Path(out), photos=photos)
    if differing:
        click.echo(
            f"forensix: {printable(recipe_file)}: not bit for bit the same: {', '.join(differing)}", err=True
        )
        return Exit.SOME_FAILED
    click.echo(f"forensix: {printable(recipe_file)}: made again, bit for bit the same", err=True)
    return Exit.DONE
