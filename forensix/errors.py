"""Every error forensix raises on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ForensixError(Exception):
    """Base class: catch this to catch everything forensix raises on purpose."""


class EvidenceError(ForensixError):
    """The file cannot be read as an image (not an image, nothing left of it, unreadable).

    known : what could be found out before reading failed (path, size, sha256, md5,
        format, claimed_format, width, height: those that are known), for a record of
        the failure
    """

    def __init__(self, message: str = "", *, known: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.known: dict[str, Any] = dict(known or {})


class LimitExceeded(EvidenceError):
    """The image is larger than the caller allows (pixels or bytes)."""


class EvidenceMissing(ForensixError):
    """The image does not carry what was asked of it (for example, no JPEG data)."""


class NotApplicable(ForensixError):
    """A method does not apply to this image; the message is the reason, for the reader."""


class ParameterError(ForensixError, ValueError):
    """An argument has a value or shape the function cannot use."""


class DeviceError(ForensixError):
    """A CUDA run was asked for on a machine that cannot give one."""


class DocumentError(ForensixError):
    """A saved scan document is not one, or not of a schema this version reads."""


class MissingExtra(ForensixError):
    """An optional package is needed; the message names the extra to install."""


class WorkerDied(ForensixError):
    """A worker process ended while it had a file in hand (crashed, or killed for memory)."""


class ForgeryError(ForensixError):
    """A photo cannot carry the forgery asked of it (flat, too small, of an unsuitable kind)."""


class PointsError(ForensixError, ValueError):
    """Points marked by an analyst that a geometric test cannot use; the message names them."""


class OutputError(ForensixError):
    """Results cannot be written: the folder holds other files, or the disk is full."""


class FingerprintError(ForensixError):
    """A file of a fingerprint (of a camera or a generator) cannot be used; the message says which and why."""


class CameraError(FingerprintError):
    """A camera's fingerprint, or a photo offered for one, cannot be used; the message says which and why."""
