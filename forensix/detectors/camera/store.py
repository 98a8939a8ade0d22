"""Fingerprints on disk: one npz file for each camera, in a folder that several processes may use.

A file is written beside its place and moved there in one step, and changed only under a
lock, so that nobody reads half a file and nobody's work is lost. Its header holds a hash
of all it contains.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from forensix.detectors.camera.fingerprint import CameraFingerprint
from forensix.errors import CameraError

SCHEMA = "forensix.camera/1"
SUFFIX = ".npz"
MOST_BYTES = 4 * 10**9
ARRAYS = ("weighted", "energy")
_NAME = re.compile(r"[^\W_][\w .+-]{0,99}")


class CameraStore:
    """A folder of camera fingerprints.

    Parameters
    ----------
    folder : path
        Made when the first camera is written.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def names(self) -> tuple[str, ...]:
        """The cameras, sorted; CameraError where there is no such folder."""
        try:
            return tuple(sorted(path.stem for path in self.folder.iterdir() if path.suffix == SUFFIX))
        except OSError as error:
            raise CameraError(f"there is no store of cameras at {self.folder}: {error.strerror}") from error

    def path(self, name: str) -> Path:
        """Where a camera is, or would be; CameraError for a name that cannot be a file's."""
        if not _NAME.fullmatch(name) or name.endswith((" ", ".")):
            raise CameraError(
                f"a camera's name is letters, digits, spaces and . _ + - (at most 100), not {name!r}"
            )
        return self.folder / f"{name}{SUFFIX}"

    def load(self, name: str) -> CameraFingerprint:
        """One camera; CameraError where there is none, or its file is not whole."""
        return load_fingerprint(self.existing(name))

    def existing(self, name: str) -> str:
        """The path of a camera's file; CameraError where there is none."""
        path = self.path(name)
        if not path.is_file():
            known = ", ".join(self.names()) or "none"
            raise CameraError(f"no camera is called {name!r} in {self.folder}; there are: {known}")
        return str(path)

    @contextmanager
    def editing(self, name: str) -> Iterator[CameraFingerprint]:
        """A camera to be changed, new where there is none; written when the block ends.

        Other processes wait until then. If the block ends with an exception, what was
        learned before it is written too; a camera that has not learned is not.
        """
        path = self.path(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(path.with_name(f".{path.stem}.lock")):
            camera = load_fingerprint(path) if path.exists() else CameraFingerprint(name)
            before = len(camera.photos)
            try:
                yield camera
            finally:
                if len(camera.photos) != before:
                    save_fingerprint(camera, path)

    def compare(self, name: str) -> dict[str, float]:
        """Look for cameras whose fingerprint resembles one, and record it with both.

        Returns their names, each with the peak-to-correlation energy of the two; cameras
        with the same serial number are left out.
        """
        from forensix.detectors.camera.matching import DECISION, resemblance

        camera = self.load(name).for_matching()
        shared = {}
        for other_name in self.names():
            if other_name == name:
                continue
            other = self.load(other_name)
            one_body = camera.serial is not None and camera.serial == other.serial
            energy = None if one_body else resemblance(camera, other)
            if energy is not None and energy >= DECISION:
                shared[other_name] = round(energy, 1)
                self.note_shared(other_name, {**other.shared, name: shared[other_name]})
        self.note_shared(name, shared)
        return shared

    def note_shared(self, name: str, shared: dict[str, float]) -> None:
        """Record which other cameras a fingerprint resembles."""
        path = self.path(name)
        with _locked(path.with_name(f".{path.stem}.lock")):
            camera = load_fingerprint(path)
            if camera.shared != shared:
                camera.shared = dict(shared)
                save_fingerprint(camera, path)


def save_fingerprint(camera: CameraFingerprint, path: str | os.PathLike[str]) -> None:
    """Write a fingerprint whole or not at all. Raises CameraError where it has not learned."""
    if camera.shape is None:
        raise CameraError(f"the fingerprint of {camera.name} has not learned from any photo")
    header: dict[str, Any] = {
        "schema": SCHEMA,
        "name": camera.name,
        "make": camera.make,
        "model": camera.model,
        "serial": camera.serial,
        "sigma": camera.sigma,
        "shape": list(camera.shape),
        "photos": camera.photos,
        "pipelines": dict(camera.pipelines),
        "shared": camera.shared,
    }
    arrays = {name: np.ascontiguousarray(getattr(camera, name), "<f4") for name in ARRAYS}
    header["content_sha256"] = _content_hash(header, arrays)
    packed = np.frombuffer(json.dumps(header, sort_keys=True).encode("ascii"), np.uint8)
    everything: dict[str, Any] = {"header": packed, **arrays}
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


def load_fingerprint(path: str | os.PathLike[str]) -> CameraFingerprint:
    """Read a fingerprint.

    Raises
    ------
    CameraError
        The file is no fingerprint, of another format, cut short, or changed.
    """
    try:
        header, arrays = _read(path)
        stated = header.pop("content_sha256")
        if stated != _content_hash(header, arrays):
            raise CameraError(f"the fingerprint {path} was changed: its hash is not the one recorded")
        shape = tuple(int(side) for side in header["shape"])
        if any(array.shape != shape for array in arrays.values()):
            raise CameraError(f"the fingerprint {path} contradicts itself: its arrays have other sizes")
        return CameraFingerprint(
            name=header["name"],
            sigma=header["sigma"],
            shape=(shape[0], shape[1]),
            photos=header["photos"],
            pipelines=Counter(header["pipelines"]),
            make=header["make"],
            model=header["model"],
            serial=header["serial"],
            shared=header["shared"],
            **arrays,
        )
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise CameraError(f"{path} is no fingerprint of a camera, or was cut short: {error}") from error


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    with zipfile.ZipFile(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if set(members) != {"header", *ARRAYS}:
            raise CameraError(f"{path} is no fingerprint of a camera: it holds other arrays")
        if any(info.compress_type for info in members.values()) or os.path.getsize(path) > MOST_BYTES:
            raise CameraError(f"{path} is no fingerprint as forensix writes them")
        found = {name: _array(archive, info) for name, info in members.items()}
    header = json.loads(found.pop("header").tobytes())
    if not isinstance(header, dict) or header.get("schema") != SCHEMA:
        raise CameraError(f"{path} is not of the format {SCHEMA}, which this version reads")
    return header, found


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """One array, refused before it is read where its header promises other than there is."""
    content = archive.read(info)
    stream = BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{info.filename} is of an unknown version")
    shape, fortran, kind = np.lib.format.read_array_header_1_0(stream)
    if fortran or kind not in (np.dtype("u1"), np.dtype("<f4")):
        raise ValueError(f"{info.filename} holds {kind}")
    # An array cannot be shaped otherwise than its bytes allow; reshape says so.
    return np.frombuffer(content, kind, offset=stream.tell()).reshape(shape).copy()


def _content_hash(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode("ascii"))
    for name in ARRAYS:
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file; the system lets go of it if the process dies."""
    with path.open("a+b") as handle:
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
