"""Reading a file, once, after looking at what it is."""

from __future__ import annotations

import os
import stat

from forensix.errors import EvidenceError, LimitExceeded

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def read_file(path: str, max_bytes: int) -> bytes:
    """The content of a regular file.

    Raises
    ------
    EvidenceError
        If it cannot be read, or is a directory, a pipe or a device (which are never
        opened: that alone can block or change something).
    LimitExceeded
        If it is larger than `max_bytes`; found out before reading.
    """
    try:
        _regular(os.stat(path), max_bytes)
        # Should a pipe have taken the file's place by now, opening it must not block.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:
            size = _regular(os.fstat(file.fileno()), max_bytes)
            return file.read(size)
    except ValueError as error:  # a NUL in the name
        raise EvidenceError(f"cannot be read: {error}") from error
    except OSError as error:
        raise EvidenceError(f"cannot be read: {error.strerror or type(error).__name__}") from error


def _regular(status: os.stat_result, max_bytes: int) -> int:
    """The size of a regular file that is not too large."""
    for is_kind, name in _KINDS:
        if is_kind(status.st_mode):
            raise EvidenceError(f"not a file but {name}")
    if status.st_size > max_bytes:
        raise LimitExceeded(
            f"the file has {status.st_size} bytes, the limit is {max_bytes}", known={"size": status.st_size}
        )
    return status.st_size
