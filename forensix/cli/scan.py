"""``forensix scan``: examine files and say what was found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from forensix.cli.exits import Exit

if TYPE_CHECKING:
    from forensix.batch import Settings
    from forensix.cli.tally import Tally

FORMATS = ("text", "json", "jsonl", "html", "pdf")
PRESETS = ("fast", "standard", "thorough")
DEVICES = ("auto", "cpu", "cuda")
PATHS_RECORDED = 100
LEVELS = ("inconclusive", "inconsistent", "synthetic", "resaved")


def complete_detector(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from forensix import detectors

    return [CompletionItem(name) for name in detectors.names() if name.startswith(incomplete)]


@click.command(short_help="Examine images.", epilog="Exit status: 0 done, 1 only with --fail-on, 2 usage, 3 some files failed, "
               "4 no file could be read.")  # fmt: skip
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path())
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True,
              help="What to write.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(dir_okay=False), default="-",
              help="Write the report to a file instead of stdout.")  # fmt: skip
@click.option("--maps", metavar="DIR", type=click.Path(file_okay=False),
              help="Write the maps as PNG files into a directory.")  # fmt: skip
@click.option("-d", "--detector", "detectors", metavar="NAME", multiple=True, shell_complete=complete_detector,
              help="Run this method only (repeatable; `forensix methods` lists them).")  # fmt: skip
@click.option("--files-from", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True),
              help="Read more paths from a file or stdin (-), one a line.")  # fmt: skip
@click.option("-0", "--null", is_flag=True, help="In --files-from, paths end with a NUL byte.")
@click.option("-r", "--recursive", is_flag=True, help="Scan the images below directories.")
@click.option("--preset", type=click.Choice(PRESETS), default="standard", show_default=True,
              help="How much time to spend.")  # fmt: skip
@click.option("-j", "--jobs", metavar="N", type=click.IntRange(min=0), default=1, show_default=True,
              help="Files at a time, each in a process of its own (0: one a core).")  # fmt: skip
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True,
              help="Where the heavy computing runs.")  # fmt: skip
@click.option("--max-pixels", metavar="N", type=click.IntRange(min=1),
              help="Refuse larger images before decoding them.  [default: 200 million]")  # fmt: skip
@click.option("--camera", metavar="NAME",
              help="Compare with the fingerprint of this camera, from --store (`forensix camera enroll`).")  # fmt: skip
@click.option("--store", metavar="DIR", type=click.Path(file_okay=False),
              help="The folder with the fingerprints.")  # fmt: skip
@click.option("--fail-on", "levels", metavar="LEVEL", type=click.Choice(LEVELS), multiple=True,
              help="Exit with 1 if any file is: inconsistent; inconclusive (or inconsistent); synthetic; "
              "resaved. Repeatable.")  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="No progress, no notes on stderr.")
@click.pass_context
def scan(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:
    """Examine images: was the content changed, where, and how do we know?

    Every method that applies is run; three conclusions say whether the content was
    changed (integrity), whether a camera or a generator made it (origin), and whether
    the file is as it left the camera (history).
    """
    files = _files(paths, **{name: options[name] for name in ("files_from", "null", "recursive", "maps")})
    settings = _settings(ctx, options, len(files))
    ctx.exit(_run(files, settings, options))


def _files(
    paths: tuple[str, ...], *, files_from: str | None, null: bool, recursive: bool, maps: str | None
) -> list[str]:
    from forensix.cli.gather import files_below, read_list

    if not paths and files_from is None:
        raise click.UsageError("nothing to scan: give a PATH, or --files-from")
    if null and files_from is None:
        raise click.UsageError("-0/--null says how --files-from is written; it needs that option")
    files = [*paths, *(read_list(files_from, null=null) if files_from is not None else [])]
    return files_below(files, skip=maps) if recursive else files


def _settings(ctx: click.Context, options: dict[str, Any], files: int) -> Settings:
    from forensix.batch import Settings
    from forensix.pictures import side_for

    return Settings(
        detectors=options["detectors"] or None,
        device=options["device"],
        preset=options["preset"],
        max_pixels=options["max_pixels"],
        maps=options["maps"],
        argv=command_line(ctx.find_root().meta.get("forensix.argv", ()), ctx.params["paths"]),
        side=side_for(files) if options["form"] in ("html", "pdf") else 0,
        camera=_fingerprint(options["camera"], options["store"]),
    ).checked()


def _fingerprint(camera: str | None, store: str | None) -> str | None:
    """The file of the camera that was asked for."""
    from forensix.detectors.camera.store import CameraStore

    if camera is None and store is None:
        return None
    if camera is None or store is None:
        raise click.UsageError("--camera NAME and --store DIR go together")
    return CameraStore(store).existing(camera)


def command_line(words: Sequence[str], paths: tuple[str, ...]) -> tuple[str, ...]:
    """The command line as every document of the run records it.

    Very many paths are counted instead: with all of them in every record, output would
    grow with the square of their number.
    """
    if len(paths) <= PATHS_RECORDED:
        return tuple(words)
    counted = set(paths)
    return (*(word for word in words if word not in counted), f"({len(paths)} paths)")


def _run(files: list[str], settings: Settings, options: dict[str, Any]) -> int:
    from forensix.batch import examine_many
    from forensix.cli.output import open_writer
    from forensix.cli.tally import Tally, following

    tally = Tally(many=len(files) > 1, quiet=options["quiet"], text=options["form"] == "text")
    with open_writer(options["form"], options["output"], files, settings) as writer:
        found = examine_many(files, settings, jobs=min(options["jobs"], len(files)) or options["jobs"])
        try:
            with (
                closing(found),
                following(found, len(files), quiet=options["quiet"] or writer.shows_progress) as stream,
            ):
                for examined in stream:
                    writer.write(examined)
                    tally.count(examined.result)
        except KeyboardInterrupt:
            tally.interrupted = True
    tally.summarise()
    return _status(tally, options["levels"])


def _status(tally: Tally, levels: tuple[str, ...]) -> int:
    """Interrupted, then --fail-on, then files that failed: the first that holds."""
    if tally.interrupted:
        return Exit.INTERRUPTED
    wanted = {*levels, *(("inconsistent",) if "inconclusive" in levels else ())}
    if wanted & tally.labels:
        return Exit.FOUND
    if tally.failed:
        return Exit.SOME_FAILED if tally.read else Exit.NONE_READ
    return Exit.DONE
