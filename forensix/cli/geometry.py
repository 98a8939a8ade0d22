"""``forensix geometry``: test points that an analyst marked."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from forensix._version import __version__
from forensix.cli.exits import Exit
from forensix.errors import EvidenceError, PointsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from forensix.evidence import Evidence
    from forensix.geometry.verdict import Verdict


@click.command(
    short_help="Test shadows, lines, mirror images and light on points that you marked.",
    epilog="Exit status: 0 done, 1 inconsistent and --fail-on given, 2 points that cannot be used, "
    "4 an image that cannot be read.",
)
@click.argument("points", metavar="POINTS.json", type=click.Path())
@click.option("--image", type=click.Path(), help="The picture in which the points were marked.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="What to write.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(dir_okay=False), default="-",
              help="Write to a file instead of stdout.")  # fmt: skip
@click.option("--picture", metavar="FILE.png|.svg", type=click.Path(dir_okay=False),
              help="Draw points, wedges and regions over the image.")  # fmt: skip
@click.option("--noise", metavar="PX", type=click.FloatRange(0.01, 1000),
              help="Standard deviation of each marked coordinate.  [default: the file's, else 2]")  # fmt: skip
@click.option("--alarm", metavar="RATE", type=click.FloatRange(0.0005, 0.2), default=0.01, show_default=True,
              help="Rate of false 'inconsistent', of all tests together.")  # fmt: skip
@click.option("--runs", metavar="N", type=click.IntRange(99, 19999), default=1999, show_default=True,
              help="Simulations of the points' noise; more are run where the rate asks for them.")  # fmt: skip
@click.option("--resolution", metavar="DEGREES", type=click.FloatRange(0.5, 90), default=20.0, show_default=True,
              help="Say 'consistent' only where a turn by so much would have been noticed.")  # fmt: skip
@click.option("--seed", metavar="N", type=click.IntRange(min=0), default=0, show_default=True,
              help="Of the simulations.")  # fmt: skip
@click.option("--max-pixels", metavar="N", type=click.IntRange(min=1),
              help="Refuse larger images before decoding them.  [default: 200 million]")  # fmt: skip
@click.option("--fail-on", type=click.Choice(["inconsistent"]), help="Exit with 1 if a test is inconsistent.")
@click.pass_context
def geometry(  # noqa: PLR0917
    ctx: click.Context,
    /,
    points: str,
    image: str | None,
    form: str,
    output: str,
    picture: str | None,
    noise: float | None,
    alarm: float,
    runs: int,
    resolution: float,
    seed: int,
    max_pixels: int | None,
    fail_on: str | None,
) -> None:
    """Test whether points that you marked in a picture can belong to one scene.

    POINTS.json (- for stdin) holds points of objects and their shadows, of parallel lines, of
    mirror images, or along outlines; forensix/schema/points-1.json is its form.
    """
    from dataclasses import replace

    from forensix.cli.output import open_target
    from forensix.geometry import examine_points, linear_luma, overall, read_points

    if picture is not None and not picture.lower().endswith((".png", ".svg")):
        raise click.UsageError("--picture is a file .png or .svg")
    content = _content(points)
    try:
        marked = read_points(content)
    except PointsError as error:
        raise PointsError(f"{points}: {error}") from error
    if noise is not None:
        marked = replace(marked, noise=noise)
    evidence = None
    if image is not None:
        try:
            evidence = _opened(image, max_pixels)
        except (EvidenceError, OSError) as error:
            click.echo(f"forensix: {_line(error)}", err=True)
            ctx.exit(Exit.NONE_READ)
        _same_picture(points, marked.shape, evidence)
        marked = replace(marked, shape=(evidence.height, evidence.width))
    luma = linear_luma(evidence.rgb) if evidence is not None and marked.contours else None
    settings: dict[str, Any] = {"alarm": alarm, "runs": runs, "resolution": resolution, "seed": seed}
    verdicts = examine_points(marked, luma=luma, **settings)
    label = str(overall(verdicts))
    inputs = [path for path in (points, image) if path and path != "-"]
    if picture is not None:
        with open_target(picture, inputs) as stream:
            stream.write(_drawn(picture, verdicts, evidence, marked.shape))
    with open_target(output, inputs) as stream:
        if form == "json":
            document = {
                "schema": "forensix.geometry/1",
                "tool": {
                    "name": "forensix",
                    "version": __version__,
                    "argv": ctx.meta.get("forensix.argv", []),
                },
                "points": {"path": points, "sha256": hashlib.sha256(content).hexdigest()},
                "image": _image(image, evidence),
                "settings": _settings(marked.noise, **settings),
                "verdict": label,
                "tests": [verdict.to_dict() for verdict in verdicts],
            }
            stream.write(json.dumps(document, indent=2, allow_nan=False).encode("ascii") + b"\n")
        else:
            stream.write(_text(verdicts, label, marked.noise, alarm).encode("utf-8", "backslashreplace"))
    ctx.exit(Exit.FOUND if fail_on == label else Exit.DONE)


def _settings(noise: float, *, alarm: float, runs: int, resolution: float, seed: int) -> dict[str, float]:
    return {"noise_px": noise, "alarm": alarm, "runs": runs, "resolution_deg": resolution, "seed": seed}


def _content(path: str) -> bytes:
    from forensix.geometry.document import MAX_BYTES

    if path == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with open(path, "rb") as handle:
            return handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise PointsError(f"cannot read {path}: {error.strerror}") from error


def _opened(path: str, max_pixels: int | None) -> Evidence:
    from forensix.evidence import open_evidence

    return open_evidence(path, **({} if max_pixels is None else {"max_pixels": max_pixels}))


def _same_picture(points: str, shape: tuple[int, int] | None, evidence: Evidence) -> None:
    """Refuse points of a picture of another size; say where a viewer shows other coordinates."""
    size = (evidence.height, evidence.width)
    if shape is not None and shape != size:
        raise PointsError(
            f"{points}: picture: the points are of {shape[0]} rows and {shape[1]} columns, the image has {size[0]} "
            f"and {size[1]}"
        )
    if evidence.orientation != 1:
        click.echo(
            "forensix: note: points are taken in the picture as it is stored; viewers turn this one by its "
            f"EXIF orientation ({evidence.orientation})",
            err=True,
        )


def _line(error: Exception) -> str:
    from forensix.report.escape import printable

    return printable(" ".join(str(error).split()))


def _image(path: str | None, evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return {"path": path, "sha256": evidence.sha256, "rows": evidence.height, "cols": evidence.width}


def _drawn(
    path: str, verdicts: Sequence[Verdict], evidence: Evidence | None, shape: tuple[int, int] | None
) -> bytes:
    from forensix.geometry import draw_png, draw_svg

    rgb: np.ndarray | None = evidence.rgb if evidence is not None else None
    draw = draw_svg if path.lower().endswith(".svg") else draw_png
    return draw(verdicts, rgb=rgb, shape=shape)


def _text(verdicts: Sequence[Verdict], label: str, noise: float, alarm: float) -> str:
    from textwrap import fill

    from forensix.report.escape import printable

    lines = [f"Together: {label}", ""]
    for verdict in verdicts:
        lines.append(f"{verdict.test}: {verdict.label}")
        lines.append(fill(printable(verdict.explanation), 96, initial_indent="  ", subsequent_indent="  "))
        rate = verdict.false_alarm
        if rate:
            asked, simulated = f"{rate['asked']:.2%}", f"{rate['simulated']:.2%}"
            lines.append(f"  False alarms: {asked} asked for, {simulated} in {rate['runs']} simulations.")
        lines.append(f"  {verdict.reference}")
        lines.append("")
    lines.append(
        f"Noise of a marked coordinate: {noise:g} px. False alarms of all tests together: {alarm:.2%}."
    )
    return "\n".join(lines) + "\n"
