"""``forensix camera``: learn cameras' fingerprints, and ask which of them took a photo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import click

from forensix.cli.exits import Exit
from forensix.errors import CameraError, ForensixError
from forensix.report.escape import printable

if TYPE_CHECKING:
    from forensix.detectors.camera.fingerprint import CameraFingerprint
    from forensix.detectors.camera.matching import Match

AT_HAND = 8  # fingerprints kept in memory

STORE = click.option("--store", metavar="DIR", required=True, type=click.Path(file_okay=False),
                     help="The folder with the fingerprints.")  # fmt: skip
MAX_PIXELS = click.option("--max-pixels", metavar="N", type=click.IntRange(min=1),
                          help="Refuse larger images before decoding them.  [default: 200 million]")  # fmt: skip
RECURSIVE = click.option("-r", "--recursive", is_flag=True, help="Take the images below directories.")


@click.group(short_help="Cameras' fingerprints: learn, match, list.")
def camera() -> None:
    """Learn the fingerprints of cameras, and ask which of them took a photo.

    The pixels of every sensor differ a little in their sensitivity. From some photos of one
    camera (best 10 or more, of an evenly lit wall or the sky) this pattern is learned, and
    found again in other photos of the same camera.
    """


@camera.command(epilog="Exit status: 0 done, 2 usage, 3 some photos were refused, 4 all were.")
@click.argument("name", metavar="NAME")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, type=click.Path())
@STORE
@RECURSIVE
@MAX_PIXELS
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr, but for photos refused.")
@click.pass_context
def enroll(
    ctx: click.Context,
    /,
    *,
    name: str,
    photos: tuple[str, ...],
    store: str,
    recursive: bool,
    max_pixels: int | None,
    quiet: bool,
) -> None:
    """Learn the camera NAME from photos it took.

    Photos can be added at any time; the order does not matter. Give them as the camera
    stored them: not turned, cropped or resized.
    """
    from forensix.cli.gather import files_below
    from forensix.detectors.camera.store import CameraStore

    files = files_below(photos) if recursive else list(photos)
    shelf = CameraStore(store)
    learned = 0
    with shelf.editing(name) as known:
        for path in files:
            learned += _learn(known, path, max_pixels)
        total = len(known.photos)
    click.echo(f"{printable(name)}: {learned} photos learned, {total} in all")
    if learned:
        for other, energy in shelf.compare(name).items():
            if not quiet:
                click.echo(
                    f"forensix: {printable(name)} and {printable(other)} share marks (peak-to-correlation "
                    f"energy {energy:.0f}): one camera under two names, or marks of the model",
                    err=True,
                )
    ctx.exit(Exit.DONE if learned == len(files) else Exit.SOME_FAILED if learned else Exit.NONE_READ)


def _learn(known: CameraFingerprint, path: str, max_pixels: int | None) -> bool:
    try:
        known.partial_fit(_open(path, max_pixels))
    except (ForensixError, OSError) as error:
        said = " ".join(str(error).split())
        click.echo(f"forensix: {printable(said if path in said else f'{path}: {said}')}", err=True)
        return False
    return True


def _open(path: str, max_pixels: int | None) -> Any:
    from forensix.evidence import open_evidence

    return open_evidence(path, **({} if max_pixels is None else {"max_pixels": max_pixels}))


@camera.command(epilog="Exit status: 0 done, 2 usage, 3 some photos failed, 4 no photo could be read.")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, type=click.Path())
@STORE
@click.option("-c", "--camera", "only", metavar="NAME", multiple=True,
              help="Compare with this camera only (repeatable).")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json", "jsonl"]), default="text", show_default=True,
              help="What to write.")  # fmt: skip
@click.option("--scale", "scales", metavar="S", multiple=True, type=float,
              help="Photo pixels per sensor pixel to try (repeatable).  [default: 1, and those that fit the "
              "photo's width or height to the camera's]")  # fmt: skip
@RECURSIVE
@MAX_PIXELS
@click.pass_context
def match(
    ctx: click.Context,
    /,
    *,
    photos: tuple[str, ...],
    store: str,
    only: tuple[str, ...],
    form: str,
    scales: tuple[float, ...],
    recursive: bool,
    max_pixels: int | None,
) -> None:
    """Ask which of the cameras in a store took photos.

    Photos may be cropped, turned by quarters, or resized. The peak-to-correlation energy
    (PCE) says how far the camera's mark stands out; from 60 on it is a match.
    """
    from forensix.cli.gather import files_below
    from forensix.detectors.camera.store import CameraStore

    files = files_below(photos) if recursive else list(photos)
    shelf = CameraStore(store)
    names = tuple(dict.fromkeys(only)) or shelf.names()
    if not names:
        raise CameraError(f"the store {store} holds no camera")
    load = lru_cache(maxsize=AT_HAND)(lambda name: shelf.load(name).for_matching())
    for name in names:
        load(name)
    records = (_compare(path, names, load, scales or None, max_pixels) for path in files)
    failed = _write(records, form, alone=len(files) == 1)
    ctx.exit(Exit.DONE if not failed else Exit.NONE_READ if failed == len(files) else Exit.SOME_FAILED)


def _compare(
    path: str, names: tuple[str, ...], load: Any, scales: tuple[float, ...] | None, max_pixels: int | None
) -> dict[str, Any]:
    """One photo's record: what it is, and a match for each camera, best first."""
    from forensix.detectors.camera.matching import match_all, unjudged
    from forensix.errors import ParameterError

    try:
        evidence = _open(path, max_pixels)
        summary = evidence.summary()
        try:
            matches: tuple[Match, ...] = match_all(evidence, (load(name) for name in names), scales=scales)
            notes = [note for one in matches for note in one.notes]
        except CameraError as reason:
            matches, notes = tuple(unjudged(name) for name in names), [str(reason)]
    except ParameterError:
        raise
    except (ForensixError, OSError) as error:
        known = {k: v for k, v in getattr(error, "known", {}).items() if k != "path"}
        what = {"type": type(error).__name__, "message": " ".join(str(error).split())}
        return {"evidence": {"path": path, **known, "error": what}, "matches": []}
    summary["warnings"] = [*summary["warnings"], *notes]
    return {"evidence": summary, "matches": [one.to_dict() for one in matches]}


def _write(records: Iterator[dict[str, Any]], form: str, *, alone: bool) -> int:
    """Write the records as they come (json: at the end); how many failed."""
    failed = 0
    kept = []
    for record in records:
        error = record["evidence"].get("error")
        failed += error is not None
        if error is not None and form != "text":
            click.echo(
                f"forensix: {printable(record['evidence']['path'])}: {printable(error['message'])}", err=True
            )
        if form == "json":
            kept.append(record)
        elif form == "jsonl":
            click.echo(json.dumps(record, allow_nan=False))
        else:
            click.echo(_text(record))
    if form == "json":
        click.echo(json.dumps(kept[0] if alone else kept, indent=2, allow_nan=False))
    return failed


def _text(record: dict[str, Any]) -> str:
    evidence = record["evidence"]
    lines = [printable(evidence["path"])]
    if "error" in evidence:
        return f"{lines[0]}\n  cannot be read: {printable(evidence['error']['message'])}"
    width = max((len(one["camera"]) for one in record["matches"]), default=0)
    for one in record["matches"]:
        place = ""
        if one["offset"] is not None:
            place = f", at row {one['offset'][0]}, column {one['offset'][1]}"
            place += f", scale {one['scale']:g}" if one["scale"] != 1 else ""
        lines.append(
            f"  {printable(one['camera']):{width}}  {one['label']:12}  PCE {one['pce']:10.1f}  "
            f"log10 LR {one['log10_lr']:+.2f}{place}"
        )
    lines += [f"  note: {printable(note)}" for note in evidence["warnings"]]
    return "\n".join(lines)


@camera.command(
    "list", epilog="Exit status: 0 done, 2 usage, 3 some fingerprints cannot be read, 4 none can."
)
@STORE
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="What to write.")  # fmt: skip
@click.pass_context
def list_(ctx: click.Context, /, store: str, form: str) -> None:
    """List the cameras in a store."""
    from forensix.detectors.camera.store import CameraStore

    shelf = CameraStore(store)
    names = shelf.names()
    known = []
    for name in names:
        try:
            known.append(_facts(shelf.load(name), brief=True))
        except CameraError as error:
            click.echo(f"forensix: {printable(str(error))}", err=True)
    if form == "json":
        click.echo(json.dumps(known, indent=2, allow_nan=False))
    else:
        for facts in known:
            maker = " ".join(filter(None, (facts["make"], facts["model"]))) or "camera not stated"
            serial = f", serial {facts['serial']}" if facts["serial"] else ""
            size = f"{facts['width']} x {facts['height']}"
            click.echo(printable(f"{facts['camera']}: {facts['photos']} photos, {size}, {maker}{serial}"))
    ctx.exit(Exit.DONE if len(known) == len(names) else Exit.SOME_FAILED if known else Exit.NONE_READ)


@camera.command()
@click.argument("name", metavar="NAME")
@STORE
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="What to write.")  # fmt: skip
def show(name: str, store: str, form: str) -> None:
    """Show what is known of one camera in a store."""
    from forensix.detectors.camera.store import CameraStore

    facts = _facts(CameraStore(store).load(name), brief=False)
    if form == "json":
        click.echo(json.dumps(facts, indent=2, allow_nan=False))
        return
    for key, value in facts.items():
        if isinstance(value, list):
            for item in value:
                words = item if isinstance(item, str) else f"{item['sha256']}  {item['path'] or ''}"
                click.echo(printable(f"{key}: {words}"))
        elif isinstance(value, dict):
            for item, number in value.items():
                click.echo(printable(f"{key}: {item} ({number})"))
        else:
            click.echo(printable(f"{key.replace('_', ' ')}: {'not known' if value is None else value}"))


def _facts(known: CameraFingerprint, *, brief: bool) -> dict[str, Any]:
    rows, cols = known.shape or (0, 0)
    facts: dict[str, Any] = {
        "camera": known.name, "make": known.make, "model": known.model, "serial": known.serial,
        "width": cols, "height": rows, "photos": len(known.photos),
    }  # fmt: skip
    if brief:
        return facts
    from forensix.signal.sensor_noise import linear_share

    return {
        **facts,
        "linear_pattern_share": round(linear_share(known.estimate()), 4),
        "pipelines": dict(known.pipelines),
        "shares_marks_with": known.shared,
        "enrolled": known.photos,
    }
