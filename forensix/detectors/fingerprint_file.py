"""Fingerprints on disk: a header and arrays in one npz file, whole or not at all.

A file is written beside its place and moved there in one step, and changed only under a
lock, so that several processes may share a folder: nobody reads half a file and nobody's work
is lost. The header holds a hash of all that the file contains.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from forensix.errors import FingerprintError

SUFFIX = ".npz"
MOST_BYTES = 4 * 10**9
KINDS = (np.dtype("u1"), np.dtype("<f4"))


def write_fingerprint(
    path: str | os.PathLike[str], header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write a fingerprint whole or not at all.

    Parameters
    ----------
    header : plain JSON values, "schema" among them
    arrays : kept as float32
    """
    stored = {name: np.ascontiguousarray(array, "<f4") for name, array in arrays.items()}
    told = {**header, "content_sha256": _content_hash(header, stored)}
    packed = np.frombuffer(json.dumps(told, sort_keys=True).encode("ascii"), np.uint8)
    everything: dict[str, Any] = {"header": packed, **stored}
    target = Path(path)
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with partial.open("wb") as handle:
            np.savez(handle, **everything)
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read_fingerprint(
    path: str | os.PathLike[str], *, schema: str, names: tuple[str, ...], of: str
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the arrays, float32, that :func:`write_fingerprint` wrote.

    Parameters
    ----------
    schema : the one that the header must name
    names : of the arrays that the file must hold
    of : what kind of thing the fingerprint is of, for the message: "a camera"

    Raises
    ------
    FingerprintError
        The file is no such fingerprint, of another format, cut short, or changed.
    """
    try:
        header, arrays = _read(path, schema=schema, names=names)
        stated = header.pop("content_sha256")
        if stated != _content_hash(header, arrays):
            raise FingerprintError(f"the fingerprint {path} was changed: its hash is not the one recorded")
        return header, arrays
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise FingerprintError(f"{path} is no fingerprint of {of}, or was cut short: {error}") from error


def _read(
    path: str | os.PathLike[str], *, schema: str, names: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    with zipfile.ZipFile(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if set(members) != {"header", *names}:
            raise ValueError("it holds other arrays")
        if any(info.compress_type for info in members.values()) or os.path.getsize(path) > MOST_BYTES:
            raise ValueError("forensix does not write such files")
        found = {name: _array(archive, info) for name, info in members.items()}
    header = json.loads(found.pop("header").tobytes())
    if not isinstance(header, dict) or header.get("schema") != schema:
        raise ValueError(f"it is not of the format {schema}, which this version reads")
    return header, found


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """One array, refused before it is read where its header promises other than there is."""
    content = archive.read(info)
    stream = BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{info.filename} is of an unknown version")
    shape, fortran, kind = np.lib.format.read_array_header_1_0(stream)
    if fortran or kind not in KINDS:
        raise ValueError(f"{info.filename} holds {kind}")
    # An array cannot be shaped otherwise than its bytes allow; reshape says so.
    return np.frombuffer(content, kind, offset=stream.tell()).reshape(shape).copy()


def _content_hash(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode("ascii"))
    for name in sorted(arrays, reverse=True):
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of one fingerprint file; the system lets go of it if the process dies."""
    with path.with_name(f".{path.stem}.lock").open("a+b") as handle:
        _set_lock(handle, held=True)
        try:
            yield
        finally:
            _set_lock(handle, held=False)


def _set_lock(handle: IO[bytes], *, held: bool) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        handle.seek(0)
        mode = msvcrt.LK_LOCK if held else msvcrt.LK_UNLCK  # type: ignore[attr-defined,unused-ignore]
        msvcrt.locking(handle.fileno(), mode, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX if held else fcntl.LOCK_UN)
