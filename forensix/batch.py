"""Many images -> a stream of ScanResults, in this process or in several."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from forensix.errors import EvidenceError, ParameterError
from forensix.evidence import open_evidence
from forensix.mapfiles import write_maps
from forensix.native import device as devices
from forensix.pictures import pictures_of_scan
from forensix.report.pictures import Pictures
from forensix.result import ScanResult
from forensix.scanner import choose_methods, error_result, scan
from forensix.workers import run_tasks

if TYPE_CHECKING:
    from forensix.detectors.camera.fingerprint import CameraFingerprint

NO_PICTURES = Pictures()


@dataclass(frozen=True)
class Settings:
    """How every file of a batch is examined; see :func:`forensix.scanner.scan`.

    maps : the directory for the PNG maps, None for none
    camera : the file of a camera's fingerprint, None for none
    side : longest side, in pixels, of the pictures to make for a report; 0 for none
    """

    detectors: tuple[str, ...] | None = None
    device: str = "auto"
    preset: str = "standard"
    max_pixels: int | None = None
    maps: str | None = None
    argv: tuple[str, ...] = ()
    side: int = 0
    camera: str | None = None

    def checked(self) -> Settings:
        """The settings themselves, or what is wrong with them before any file is read.

        Raises ParameterError (method, preset, device), DeviceError (no CUDA), CameraError
        (a fingerprint that is none) and
        OSError where the maps directory cannot be made.
        """
        choose_methods(self.detectors, self.preset)
        if self.device not in devices.DEVICES:
            raise ParameterError(f"device must be one of {', '.join(devices.DEVICES)}, got {self.device!r}")
        if self.device == "cuda":
            devices.choose(self.device)
        if self.camera is not None:
            fingerprint(self.camera)
        if self.maps is not None:
            Path(self.maps).mkdir(parents=True, exist_ok=True)
        return self


@dataclass(frozen=True)
class Examined:
    """One file of a batch: its result, and its pictures where they were asked for."""

    result: ScanResult
    pictures: Pictures = NO_PICTURES


def scan_many(
    paths: Iterable[str | os.PathLike[str]],
    *,
    jobs: int = 1,
    detectors: Iterable[str] | None = None,
    device: str = "auto",
    preset: str = "standard",
    max_pixels: int | None = None,
    maps: str | os.PathLike[str] | None = None,
    camera: str | os.PathLike[str] | None = None,
    argv: Iterable[str] = (),
) -> Generator[ScanResult]:
    """Scan many files, yielding each result when it is ready.

    Parameters
    ----------
    paths : the files, in any number; taken one by one
    jobs : how many processes; 1 stays in this one, 0 means one for each CPU core.
        More than one needs a script with an ``if __name__ == "__main__":`` guard.
    maps : directory for the PNG maps; None writes none
    camera : the file of a camera's fingerprint; None for none
    detectors, device, preset, max_pixels, argv : see :func:`forensix.scanner.scan`

    Yields
    ------
    ScanResult
        Without heatmaps in memory. A file that cannot be read, or whose worker dies,
        yields a result with ``status == "error"`` and ends nothing.

    Raises
    ------
    ParameterError, DeviceError, OSError
        At the first result asked for, where the settings themselves cannot be used.
    """
    settings = Settings(
        detectors=None if detectors is None else tuple(detectors),
        device=device,
        preset=preset,
        max_pixels=max_pixels,
        maps=None if maps is None else os.fspath(maps),
        camera=None if camera is None else os.fspath(camera),
        argv=tuple(argv),
    ).checked()
    names = (os.fsdecode(path) for path in paths)
    yield from (examined.result for examined in examine_many(names, settings, jobs=jobs))


def examine_many(paths: Iterable[str], settings: Settings, *, jobs: int = 1) -> Generator[Examined]:
    """As :func:`scan_many`, with settings that are checked already."""
    examine_one = partial(examine, settings=settings)
    workers = processes(jobs)
    if workers == 1:
        yield from map(examine_one, paths)
        return
    for path, outcome in run_tasks(examine_one, paths, workers=workers):
        yield outcome if isinstance(outcome, Examined) else Examined(record(path, outcome, settings))


def processes(jobs: int) -> int:
    """How many processes ``jobs`` asks for; 0 is one for each core this process may use."""
    if jobs < 0:
        raise ParameterError(f"jobs is 0 or more, got {jobs}")
    if jobs:
        return jobs
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return cores or 1


def examine(path: str, settings: Settings) -> Examined:
    """One file of a batch: scanned, its maps written, or the record of what went wrong."""
    began = time.perf_counter()
    try:
        if os.path.isdir(path):
            raise EvidenceError("this is a directory, not a file (--recursive scans the files below it)")
        limits = {} if settings.max_pixels is None else {"max_pixels": settings.max_pixels}
        evidence = open_evidence(path, **limits)
        result = scan(
            evidence,
            settings.detectors,
            settings.device,
            preset=settings.preset,
            max_pixels=settings.max_pixels,
            camera=None if settings.camera is None else fingerprint(settings.camera),
            argv=settings.argv,
        )
        result = result.with_(seconds=round(time.perf_counter() - began, 4))
        if settings.maps is not None:
            result = write_maps(result, settings.maps)
        pictures = pictures_of_scan(evidence, result, side=settings.side) if settings.side else NO_PICTURES
    except Exception as error:  # the one place where a bad file must not end a batch
        return Examined(record(path, error, settings))
    return Examined(without_heatmaps(result), pictures)


@lru_cache(maxsize=1)
def fingerprint(path: str) -> CameraFingerprint:
    """A camera's fingerprint, read once in each process."""
    from forensix.detectors.camera.store import load_fingerprint

    return load_fingerprint(path).for_matching()


def without_heatmaps(result: ScanResult) -> ScanResult:
    """The document alone, small enough to keep by the thousand."""
    findings = tuple(finding.with_(heatmap=None) for finding in result.findings)
    return result.with_(findings=findings, heatmaps={})


def record(path: str, error: BaseException, settings: Settings) -> ScanResult:
    """The error record of one file of a batch."""
    return error_result(
        path,
        error,
        device="cuda" if settings.device == "cuda" else "cpu",
        preset=settings.preset,
        detectors=choose_methods(settings.detectors, settings.preset),
        argv=settings.argv,
    )
