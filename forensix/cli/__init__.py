"""The ``forensix`` command: the only place that prints, exits, or knows a terminal."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module, util
from typing import Any

import click

from forensix._version import __version__
from forensix.cli.exits import Exit
from forensix.errors import ForensixError
from forensix.report.escape import printable

# Name of the command -> its module below forensix.cli; loaded when asked for.
COMMANDS = {
    "scan": "scan",
    "report": "report",
    "methods": "methods",
    "info": "info",
    "geometry": "geometry",
    "forge": "forge",
    "camera": "camera",
    "generator": "generator",
}


class LazyGroup(click.Group):
    """A group whose commands are modules that are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, module in COMMANDS.items() if util.find_spec(f"{__name__}.{module}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{COMMANDS[cmd_name]}"), cmd_name)
        return command

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        words = ["forensix", *args]
        ctx = super().make_context(info_name, args, *rest, **extra)
        ctx.meta["forensix.argv"] = words
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        # Caught here, because click turns a closed pipe into exit status 1, which is --fail-on's.
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            ctx.exit(Exit.PIPE_CLOSED)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="forensix", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def forensix(debug: bool) -> None:
    """Was this photo changed, where, and how do we know?

    \b
    forensix scan photo.jpg              examine a photo
    forensix scan --help                 everything about examining
    """


def main(args: list[str] | None = None) -> int:
    """Run the command line; returns the exit status. The console entry point."""
    words = sys.argv[1:] if args is None else list(args)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = forensix.main(args=words, prog_name="forensix", standalone_mode=False)
        return _flushed(int(status or 0))
    except click.exceptions.Abort:
        return _quietly(Exit.INTERRUPTED)
    except click.ClickException as error:
        _complain_about_usage(error)
        return Exit.USAGE
    except (ForensixError, OSError) as error:
        return _complain(words, str(error), Exit.USAGE)
    except Exception as error:  # the last wall: a bug is one line, unless --debug asks for more
        hint = "" if "--debug" in words else "; `forensix --debug ...` shows where"
        return _complain(words, f"internal error: {type(error).__name__}: {error}{hint}", Exit.BROKE)


def _complain(words: list[str], message: str, status: Exit) -> int:
    if "--debug" in words:
        traceback.print_exc()
    click.echo(f"forensix: {printable(' '.join(message.split()))}", err=True)
    return status


def _complain_about_usage(error: click.ClickException) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    ctx = getattr(error, "ctx", None)
    if ctx is not None:
        click.echo(ctx.get_usage(), err=True)
    click.echo(f"forensix: {printable(' '.join(error.format_message().split()))}", err=True)


def _flushed(status: int) -> int:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        status = Exit.PIPE_CLOSED
    return _quietly(status) if status == Exit.PIPE_CLOSED else status


def _quietly(status: int) -> int:
    """Keep the interpreter's last flush of a closed stdout from complaining."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status
