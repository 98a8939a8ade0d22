"""What the exit status of ``forensix`` means."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The first five are the contract; the others follow the habits of the shell."""

    DONE = 0
    FOUND = 1  # only with --fail-on
    USAGE = 2
    SOME_FAILED = 3
    NONE_READ = 4
    BROKE = 70  # a bug in forensix (EX_SOFTWARE)
    INTERRUPTED = 130
    PIPE_CLOSED = 141
