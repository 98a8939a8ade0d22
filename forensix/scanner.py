"""One image -> ScanResult: run every applicable method, isolate failures, conclude."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from forensix import detectors as registry
from forensix._version import __version__
from forensix.detectors.method import CONCLUSIONS, PRESETS, Method
from forensix.errors import ForensixError, NotApplicable, ParameterError
from forensix.evidence import Evidence, open_evidence
from forensix.finding import Finding, Status
from forensix.fusion import conclude, told_sides
from forensix.fusion.calibration import calibrated, model_hashes
from forensix.native import device as devices
from forensix.result import Conclusion, ScanResult

if TYPE_CHECKING:
    from forensix.detectors.camera.fingerprint import CameraFingerprint

LIBRARIES = ("numpy", "scipy", "scikit-image", "opencv-contrib-python", "PyWavelets", "numba",
             "scikit-learn", "Pillow", "pi-heif", "jpeglib", "piexif")  # fmt: skip


def scan(
    source: Any,
    detectors: Iterable[str] | None = None,
    device: str = "auto",
    *,
    preset: str = "standard",
    max_pixels: int | None = None,
    camera: CameraFingerprint | None = None,
    argv: Iterable[str] = (),
) -> ScanResult:
    """Examine one image with every applicable method.

    Parameters
    ----------
    source : path, bytes, (rows, cols[, channels]) array or Evidence
        Bytes are the content of a file, not its name.
    detectors : names of methods to run, see ``forensix.detectors.names()``
        By default those of the preset.
    device : "auto", "cpu" or "cuda"
    preset : "fast", "standard" or "thorough"
    max_pixels : refuse larger images before decoding them
    camera : the fingerprint of the camera the picture is said to be from, for the methods
        that compare it
    argv : the command line to record in the document

    Returns
    -------
    ScanResult
        With the maps in memory as ``heatmaps``. A method that breaks becomes a
        "failed" finding and stops nothing else.

    Raises
    ------
    EvidenceError
        The source cannot be read as an image.
    ParameterError
        An unknown method, preset or device.
    DeviceError
        CUDA was asked for and there is none.
    """
    chosen = choose_methods(detectors, preset)
    began, started = time.perf_counter(), _now()
    limits = {} if max_pixels is None else {"max_pixels": max_pixels}
    with devices.using(device) as used:
        evidence = open_evidence(source, **limits)
        methods = {name: registry.method(name) for name in chosen}
        findings = told_sides(_run_all(methods, evidence, preset, camera))
        summary = evidence.summary()
    return ScanResult(
        tool=describe_tool(
            device=used,
            preset=preset,
            detectors=chosen,
            limits=limits,
            argv=argv,
            camera=None if camera is None else camera.name,
        ),
        evidence=summary,
        conclusions=conclude(findings, methods),
        findings=findings,
        seconds=round(time.perf_counter() - began, 4),
        started=started,
        heatmaps={f.detector: f.heatmap for f in findings if f.heatmap is not None},
    )


def choose_methods(detectors: Iterable[str] | None, preset: str) -> tuple[str, ...]:
    """The names of the methods to run, checked; the registry's order, no duplicates.

    With a method that sums up its family come those that it sums up.
    """
    if preset not in PRESETS:
        raise ParameterError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}")
    if detectors is None:
        return registry.in_preset(preset)
    wanted = set(detectors)
    unknown = sorted(wanted - set(registry.names()))
    if unknown:
        raise ParameterError(f"no method is called {unknown[0]!r}; there are: {', '.join(registry.names())}")
    for name in sorted(wanted):
        if (asked := registry.method(name)).sums_up:
            wanted |= {n for n in registry.in_preset(preset) if registry.method(n).family == asked.family}
    return tuple(name for name in registry.names() if name in wanted)


def error_result(
    path: str | None,
    error: BaseException,
    *,
    device: str = "cpu",
    preset: str = "standard",
    detectors: Iterable[str] = (),
    argv: Iterable[str] = (),
) -> ScanResult:
    """The record of a file that could not be scanned, with what could be known of it."""
    known = dict.fromkeys(
        ("size", "sha256", "md5", "pixel_sha256", "format", "claimed_format", "width", "height",
         "bit_depth", "channels")
    )  # fmt: skip
    known.update({k: v for k, v in getattr(error, "known", {}).items() if k in known or k == "warnings"})
    message = " ".join(str(error).split()) or type(error).__name__
    unread = Conclusion("inconclusive", explanation="The file could not be read.")
    return ScanResult(
        tool=describe_tool(device=device, preset=preset, detectors=detectors, limits={}, argv=argv),
        evidence={"path": path, "warnings": [], **known},
        conclusions=dict.fromkeys(CONCLUSIONS, unread),
        error={"type": type(error).__name__, "message": message},
        started=_now(),
    )


def _run_all(
    methods: Mapping[str, Method], evidence: Evidence, preset: str, camera: CameraFingerprint | None
) -> tuple[Finding, ...]:
    """The findings of all methods in turn; one that sums up its family is given what came before."""
    findings: list[Finding] = []
    for method in methods.values():
        family = tuple(f for f in findings if f.family == method.family)
        findings.append(_run(method, evidence, preset, {"camera": camera, "findings": family}))
    return tuple(findings)


def _run(method: Method, evidence: Evidence, preset: str, given: Mapping[str, Any]) -> Finding:
    """One method's finding, whatever happens inside it."""
    began = time.perf_counter()
    try:
        wanted = {name: given[name] for name in method.takes}
        finding = calibrated(registry.load(method.name).detect(evidence, preset=preset, **wanted))
    except NotApplicable as reason:
        finding = method.finding(status=Status.NOT_APPLICABLE, reason=str(reason), explanation=str(reason))
    except Exception as error:  # the one place where a broken method must not end the scan
        finding = _failure(method, error)
    return finding.with_(seconds=round(time.perf_counter() - began, 4))


def _failure(method: Method, error: Exception) -> Finding:
    what = " ".join(str(error).split())
    named = what if isinstance(error, ForensixError) and what else f"{type(error).__name__}: {what}"
    return method.finding(
        status=Status.FAILED, reason=named, explanation=f"The method {method.name} broke: {named}"
    )


def describe_tool(
    *,
    device: str,
    preset: str,
    detectors: Iterable[str],
    limits: dict[str, int],
    argv: Iterable[str],
    camera: str | None = None,
) -> dict[str, Any]:
    """The ``tool`` part of the document: what ran, in which versions, asked for how."""
    reference = {} if camera is None else {"camera": camera}
    return {
        "name": "forensix",
        "version": __version__,
        "python": platform.python_version(),
        "libraries": _versions(),
        "models": model_hashes(),
        "device": device,
        "config": {"preset": preset, "detectors": list(detectors), **limits, **reference},
        "argv": [os.fsdecode(word) for word in argv],
    }


@cache
def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
