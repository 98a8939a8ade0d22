"""Fingerprints on disk: one npz file for each camera, in a folder that several processes may use.

How a file is written and locked is in :mod:`forensix.detectors.fingerprint_file`.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forensix.detectors.camera.fingerprint import CameraFingerprint
from forensix.detectors.fingerprint_file import SUFFIX, locked, read_fingerprint, write_fingerprint
from forensix.errors import CameraError, FingerprintError

SCHEMA = "forensix.camera/1"
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
        with locked(path):
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
        with locked(path):
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
    write_fingerprint(path, header, {name: getattr(camera, name) for name in ARRAYS})


def load_fingerprint(path: str | os.PathLike[str]) -> CameraFingerprint:
    """Read a fingerprint.

    Raises
    ------
    CameraError
        The file is no fingerprint, of another format, cut short, or changed.
    """
    try:
        header, arrays = read_fingerprint(path, schema=SCHEMA, names=ARRAYS, of="a camera")
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
    except (FingerprintError, ValueError, KeyError, IndexError, TypeError) as error:
        told = str(error) if isinstance(error, FingerprintError) else f"{path} is incomplete: {error}"
        raise CameraError(told) from error
