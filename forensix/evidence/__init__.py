"""What is examined: one file, read once, never changed."""

from __future__ import annotations

import hashlib
import io
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from forensix.errors import EvidenceMissing


def frozen(array: np.ndarray) -> np.ndarray:
    """The array itself, made read-only."""
    array.flags.writeable = False
    return array


class JpegData:
    """Bootstrap only: the interface the JPEG detectors use (see the real one)."""

    def __init__(self, data: bytes) -> None:
        import tempfile

        import jpeglib

        with tempfile.NamedTemporaryFile(suffix=".jpg") as handle:
            handle.write(data)
            handle.flush()
            dct = jpeglib.read_dct(handle.name)
            planes = [p for p in (dct.Y, dct.Cb, dct.Cr, dct.K) if p is not None]
            self.coefficients = tuple(frozen(np.ascontiguousarray(p)) for p in planes)
            self.quantization = tuple(
                frozen(np.asarray(dct.get_component_qt(i), np.int32)) for i in range(len(planes))
            )
            self.sampling = tuple(tuple(int(v) for v in row) for row in dct.samp_factor)


class Evidence:
    def __init__(self, data: bytes, path: str | None = None) -> None:
        self.data = bytes(data)
        self.path = path
        self.size = len(self.data)
        self.sha256 = hashlib.sha256(self.data).hexdigest()
        self.md5 = hashlib.md5(self.data, usedforsecurity=False).hexdigest()
        self.format = "jpeg" if self.data.startswith(b"\xff\xd8") else "png"
        self.claimed_format = Path(path).suffix[1:].lower() or None if path else None
        self.warnings: tuple[str, ...] = ()
        self.height, self.width = self.pixels.shape[:2]
        self.channels = 1 if self.pixels.ndim == 2 else self.pixels.shape[2]
        self.bit_depth = self.pixels.dtype.itemsize * 8

    @cached_property
    def pixels(self) -> np.ndarray:
        """(rows, cols) or (rows, cols, channels), uint8, uint16 or float32, as stored."""
        from PIL import Image

        return frozen(np.array(Image.open(io.BytesIO(self.data))))

    @cached_property
    def rgb(self) -> np.ndarray:
        """(rows, cols, 3) uint8."""
        from PIL import Image

        return frozen(np.array(Image.open(io.BytesIO(self.data)).convert("RGB")))

    @cached_property
    def luma(self) -> np.ndarray:
        """(rows, cols) float32, 0-255, Rec. 601 weights as in JPEG."""
        return frozen(self.rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))

    @cached_property
    def pixel_sha256(self) -> str:
        return hashlib.sha256(self.pixels.tobytes()).hexdigest()

    @cached_property
    def jpeg(self) -> JpegData:
        if self.format != "jpeg":
            raise EvidenceMissing("not a JPEG file, so it has no DCT coefficients")
        return JpegData(self.data)

    def summary(self) -> dict[str, Any]:
        """The ``evidence`` part of the scan document."""
        names = ("path", "size", "sha256", "md5", "pixel_sha256", "format", "claimed_format",
                 "width", "height", "bit_depth", "channels")
        return {**{name: getattr(self, name) for name in names}, "warnings": list(self.warnings)}


def open_evidence(source: Any, **_: Any) -> Evidence:
    """Path, bytes, array or Evidence -> Evidence."""
    if isinstance(source, Evidence):
        return source
    if isinstance(source, bytes):
        return Evidence(source)
    path = os.fsdecode(source)
    return Evidence(Path(path).read_bytes(), path)
