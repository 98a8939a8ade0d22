"""Coefficients of arithmetic-coded JPEG files, by libjpeg through jpeglib."""

from __future__ import annotations

import os
import tempfile
import threading

import numpy as np

from forensix.errors import EvidenceMissing
from forensix.evidence.arrays import frozen
from forensix.evidence.wall import third_party

_VERSION = "turbo210"  # the first of jpeglib's libraries that reads arithmetic coding, progressive too
_choice = threading.Lock()  # which library jpeglib uses is one setting for the whole process


def coefficients(data: bytes, shapes: tuple[tuple[int, int], ...]) -> tuple[np.ndarray, ...]:
    """Quantized coefficients per component, (block rows, block cols, 8, 8) int16, read-only.

    To be called only for files that another decoder has read without complaint: libjpeg
    says nothing of damage here.

    Raises
    ------
    EvidenceError
        If jpeglib cannot read the file.
    EvidenceMissing
        If it reads something else than the header declares.
    """
    handle, path = tempfile.mkstemp(suffix=".jpg")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        with third_party("arithmetic-coded JPEG data"), _choice:
            import jpeglib

            with jpeglib.version(_VERSION):
                found = jpeglib.read_dct(path)
                planes = [plane for plane in (found.Y, found.Cb, found.Cr, found.K) if plane is not None]
    finally:
        os.unlink(path)
    if tuple(plane.shape[:2] for plane in planes) != shapes:
        raise EvidenceMissing("the arithmetic-coded coefficients do not have the size the header declares")
    return tuple(frozen(np.ascontiguousarray(plane, np.int16)) for plane in planes)
