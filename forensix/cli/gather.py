"""From the command line to a list of files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".tif", ".tiff", ".webp", ".avif", ".avifs", ".bmp",
    ".dib", ".gif", ".heic", ".heif", ".hif",
)  # fmt: skip


def read_list(source: str, *, null: bool) -> list[str]:
    """The paths in a file ("-" for stdin): one a line, or ended by NUL bytes.

    Bytes that are not text are kept, as Python keeps them in file names. Of lines, the
    line end is dropped (LF or CR LF) and empty ones are skipped; nothing else is trimmed.
    """
    if source == "-":
        content = sys.stdin.buffer.read()
    else:
        with open(source, "rb") as handle:
            content = handle.read()
    if null:
        names = content.split(b"\0")
    else:
        names = [line.removesuffix(b"\r") for line in content.split(b"\n")]
    return [os.fsdecode(name) for name in names if name]


def files_below(paths: Iterable[str], *, skip: str | None = None) -> list[str]:
    """The paths, with each directory replaced by the image files below it, sorted.

    A file below a directory counts by its suffix. Links to directories are not
    followed; what cannot be listed stays in the list, to become an error record.

    skip : a directory to leave out (the maps of this or an earlier run)
    """
    return [found for path in paths for found in (_below(path, skip) if os.path.isdir(path) else [path])]


def _below(top: str, skip: str | None) -> list[str]:
    found: list[str] = []
    for directory, below, names in os.walk(top, onerror=lambda error: found.append(error.filename)):
        below[:] = sorted(name for name in below if not _is_same(os.path.join(directory, name), skip))
        chosen = (name for name in sorted(names) if os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES)
        found.extend(os.path.join(directory, name) for name in chosen)
    return found


def _is_same(path: str, other: str | None) -> bool:
    if other is None or not os.path.exists(other):
        return False
    return os.path.samefile(path, other)
