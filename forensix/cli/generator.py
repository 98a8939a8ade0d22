"""``forensix generator``: fingerprints of generators, in a folder of your own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensix.cli.exits import Exit
from forensix.errors import ForensixError, ParameterError
from forensix.report.escape import printable

if TYPE_CHECKING:
    from forensix.detectors.synthetic.generator_fingerprint import GeneratorFingerprint

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_STORE = click.option(
    "--store",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: Path(click.get_app_dir("forensix")) / "generators",
    show_default="forensix/generators in the folder for settings",
    help="Where the fingerprints are kept.",
)
_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to write.",
)


@click.group()
def generator() -> None:
    """Learn generators from their pictures, and find out which one made a picture.

    \b
    forensix generator enroll stylegan2 samples/*.png
    forensix generator match suspect.png
    """


@generator.command()
@click.argument("name")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@_STORE
@click.pass_context
def enroll(ctx: click.Context, /, name: str, files: tuple[str, ...], store: Path) -> None:
    """Learn (more of) generator NAME from pictures of one size, as it wrote them.

    At least three are wanted, 20 are better. A generator that makes pictures of several sizes is
    one NAME for each size.
    """
    from forensix.detectors.fingerprint_file import locked

    if not NAME.fullmatch(name):
        raise click.BadParameter(
            "a name has letters, digits, dot, dash and underscore only", param_hint="NAME"
        )
    path = store / f"{name}.npz"
    store.mkdir(parents=True, exist_ok=True)
    # Another process that learns the same generator waits: neither's pictures are lost.
    with locked(path):
        failed = _learn(path, name, files)
    ctx.exit(Exit.NONE_READ if failed == len(files) else Exit.SOME_FAILED if failed else Exit.DONE)


def _learn(path: Path, name: str, files: tuple[str, ...]) -> int:
    """Add pictures to a fingerprint file; how many could not be."""
    from forensix.detectors.synthetic.generator_fingerprint import FEWEST, GeneratorFingerprint
    from forensix.evidence import open_evidence

    known = GeneratorFingerprint.load(path) if path.exists() else GeneratorFingerprint()
    failed = 0
    for file in files:
        try:
            known.partial_fit(open_evidence(file).rgb)
        except (ForensixError, OSError) as error:
            failed += 1
            click.echo(f"forensix: {printable(file)}: {printable(' '.join(str(error).split()))}", err=True)
    if failed == len(files):
        return failed
    if known.count_ < FEWEST:
        raise ParameterError(f"a fingerprint needs at least {FEWEST} pictures, got {known.count_}")
    known.save(path)
    rows, cols = known.size_ or (0, 0)
    click.echo(f"{name}: {known.count_} pictures of {cols} x {rows}")
    return failed


@generator.command("list")
@_STORE
@_FORMAT
def list_(store: Path, form: str) -> None:
    """Show the generators that are known."""
    rows: list[dict[str, Any]] = [
        {"name": name, "pictures": known.count_, "size": list(known.size_ or ())}
        for name, known in _stored(store).items()
    ]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']}: {row['pictures']} pictures of {row['size'][1]} x {row['size'][0]}")
    if not rows:
        click.echo(f"forensix: no generator is known in {printable(str(store))}", err=True)


@generator.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@_STORE
@_FORMAT
@click.pass_context
def match(ctx: click.Context, /, files: tuple[str, ...], store: Path, form: str) -> None:
    """Which known generator made each picture; "none of those known" is an answer."""
    stored = _stored(store)
    if not stored:
        raise ParameterError(f"no generator is known in {store}; `forensix generator enroll` makes one known")
    answers = [_matched(file, stored) for file in files]
    if form == "json":
        click.echo(json.dumps(answers[0] if len(answers) == 1 else answers, indent=2))
    else:
        for answer in answers:
            click.echo(f"{printable(answer['path'])}: {_in_words(answer)}")
    failed = sum("error" in answer for answer in answers)
    ctx.exit(Exit.DONE if not failed else Exit.NONE_READ if failed == len(answers) else Exit.SOME_FAILED)


def _stored(store: Path) -> dict[str, GeneratorFingerprint]:
    from forensix.detectors.synthetic.generator_fingerprint import GeneratorFingerprint

    return {path.stem: GeneratorFingerprint.load(path) for path in sorted(store.glob("*.npz"))}


def _matched(file: str, stored: dict[str, GeneratorFingerprint]) -> dict[str, Any]:
    from forensix.detectors.synthetic.generator_fingerprint import DECISION
    from forensix.evidence import open_evidence

    try:
        pixels = open_evidence(file).rgb
        fitting = {name: known for name, known in stored.items() if known.size_ == pixels.shape[:2]}
        scores = {name: round(known.score(pixels), 3) for name, known in fitting.items()}
    except (ForensixError, OSError) as error:
        return {
            "path": file,
            "error": {"type": type(error).__name__, "message": " ".join(str(error).split())},
        }
    best = max(scores, key=lambda name: scores[name], default=None)
    found = best is not None and scores[best] > DECISION
    return {
        "path": file,
        "generator": best if found else None,
        "scores": scores,
        "decision": DECISION,
        "other_sizes": sorted(set(stored) - set(fitting)),
    }


def _in_words(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"cannot be read: {printable(answer['error']['message'])}"
    scores = answer["scores"]
    if not scores:
        return "no generator known makes pictures of this size"
    best = max(scores, key=lambda name: scores[name])
    if answer["generator"] is None:
        return (
            f"none of those known (nearest {best}: {scores[best]:.1f}, {answer['decision']:.0f} would decide)"
        )
    return f"{best} ({scores[best]:.1f} times the spread of chance)"
