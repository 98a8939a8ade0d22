"""Evidence: one file under examination, read once, never changed."""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from typing import Any

import numpy as np

from forensix.errors import EvidenceError, EvidenceMissing, ParameterError
from forensix.evidence import metadata, sniff
from forensix.evidence.arrays import WITH_ALPHA, from_array, frozen, luma_view, rgb_view, scale
from forensix.evidence.decode import Decoded, decode
from forensix.evidence.jpeg_data import JpegData
from forensix.evidence.source import read_file

MAX_PIXELS = 200_000_000
MAX_BYTES = 1_000_000_000
_THUMBNAIL_PIXELS = 4_000_000
_MAX_WARNINGS = 50
_IDENTITY = ("path", "size", "sha256", "md5", "format", "claimed_format")


class Evidence:
    """One image file: its bytes, hashes, pixels, and what only its format has.

    Attributes
    ----------
    data : bytes
        The file. For an array, its pixels (C order, little-endian).
    path : str or None
        As given; undecodable bytes of a name are kept as surrogates.
    size : int
        Of the file, bytes.
    sha256, md5 : str
        Of `data`, hexadecimal.
    format : str
        By content: "jpeg", "png", "tiff", "webp", "avif", "heic", "bmp", "gif", "array".
    claimed_format : str or None
        The extension of the name, lower case, without dot.
    pixels : (rows, cols) or (rows, cols, channels), uint8, uint16 or float32, read-only
        As stored: not rotated, no profile applied. Palettes are looked up, bilevel
        pixels are 0 and 255, CMYK is the amount of ink (0 none, 255 full).
    model : str
        What the channels are: "grey", "grey-alpha", "rgb", "rgba" or "cmyk".
    bit_depth : int
        Bits per sample in the file.
    stored : str
        How the file stores colour, in words.
    frames : int
        Images in the file; the first is the one examined.
    """

    def __init__(self, data: bytes, path: str | None = None, *, max_pixels: int = MAX_PIXELS) -> None:
        self._identify(data, path)
        try:
            found = sniff.sniff(data)
            if found is None:
                raise EvidenceError(sniff.describe(data))
            self.format = found
            self._take(decode(data, found, max_pixels=max_pixels))
        except EvidenceError as error:
            known = {name: getattr(self, name, None) for name in _IDENTITY}
            error.known = {
                **{name: value for name, value in known.items() if value is not None},
                **error.known,
            }
            raise

    @classmethod
    def of_array(cls, array: np.ndarray) -> Evidence:
        """An image that is no file; see :func:`~forensix.evidence.arrays.from_array`."""
        pixels, model = from_array(array)
        self = cls.__new__(cls)
        self._identify(pixels.tobytes(), None)
        self.format = "array"
        pixels = np.frombuffer(self.data, pixels.dtype).reshape(pixels.shape)
        self._take(Decoded(pixels, model, pixels.dtype.itemsize * 8, "array"))
        return self

    def _identify(self, data: bytes, path: str | None) -> None:
        self.data = data
        self.path = path
        self.size = len(data)
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        self.claimed_format = sniff.claimed(path)

    def _take(self, decoded: Decoded) -> None:
        self.pixels = frozen(decoded.pixels)
        self.model = decoded.model
        self.bit_depth = decoded.bit_depth
        self.stored = decoded.stored
        self.frames = decoded.frames
        self.height, self.width = (int(side) for side in self.pixels.shape[:2])
        self.channels = 1 if self.pixels.ndim == 2 else self.pixels.shape[2]
        self._decoded = decoded

    def __repr__(self) -> str:
        return f"<Evidence {self.path or self.sha256[:8]!r}: {self.format}, {self.width} x {self.height}>"

    @cached_property
    def rgb(self) -> np.ndarray:
        """(rows, cols, 3) uint8, read-only. Alpha is left out, not blended."""
        return rgb_view(self.pixels, self.model)

    @cached_property
    def luma(self) -> np.ndarray:
        """(rows, cols) float32 from 0 to 255, read-only; Rec. 601 weights as in JPEG."""
        return luma_view(self.pixels, self.model)

    @cached_property
    def colourless(self) -> bool:
        """Whether the three channels of `rgb` are the same everywhere."""
        rgb = self.rgb
        return bool(np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 1], rgb[..., 2]))

    @cached_property
    def alpha(self) -> np.ndarray | None:
        """(rows, cols) in the type of the pixels, read-only; None where there is none."""
        return frozen(self.pixels[:, :, -1]) if self.model in WITH_ALPHA else None

    @cached_property
    def pixel_sha256(self) -> str:
        """SHA-256 of the decoded pixels, hexadecimal.

        Hashed is one line of ASCII, type and shape as in ``uint8 3000x4000x3`` with a
        line feed, then the values of `pixels` in C order, little-endian.
        """
        shape = "x".join(str(n) for n in self.pixels.shape)
        digest = hashlib.sha256(f"{self.pixels.dtype.name} {shape}\n".encode("ascii"))
        little = self.pixels.dtype.newbyteorder("<")
        digest.update(np.ascontiguousarray(self.pixels, little).data)
        return digest.hexdigest()

    @property
    def jpeg(self) -> JpegData:
        """Tables, scans and coefficients; EvidenceMissing for other formats."""
        if self._decoded.jpeg is None:
            raise EvidenceMissing("not a JPEG file, so it has no DCT coefficients")
        return self._decoded.jpeg

    @cached_property
    def metadata(self) -> metadata.Metadata:
        """EXIF, XMP, ICC profile, comments and text, as found."""
        jpeg = self._decoded.jpeg
        return metadata.read(
            self.data, self.format, self._decoded.info,
            jpeg=jpeg.structure if jpeg else None, chunks=self._decoded.png,
        )  # fmt: skip

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 to 8; recorded, never applied."""
        return self.metadata.orientation

    @property
    def icc_description(self) -> str | None:
        """Name of the ICC profile; recorded, never applied."""
        return self.metadata.icc_description

    @property
    def thumbnail(self) -> np.ndarray | None:
        """(rows, cols, 3) uint8, read-only: the EXIF thumbnail; None where none can be decoded."""
        return self._thumbnail[0]

    @cached_property
    def _thumbnail(self) -> tuple[np.ndarray | None, str]:
        raw = self.metadata.thumbnail
        if not raw:
            return None, ""
        try:
            if sniff.sniff(raw) != "jpeg":
                raise EvidenceError(sniff.describe(raw))
            found = decode(raw, "jpeg", max_pixels=_THUMBNAIL_PIXELS)
        except EvidenceError as error:
            return None, f"the EXIF thumbnail cannot be decoded: {error}"
        return frozen(rgb_view(found.pixels, found.model)), ""

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each thing about the file that is not as it should be."""
        from forensix.evidence.jpeg_trailer import trailer

        said = [sniff.contradiction(self.format, self.claimed_format) or "", *self._decoded.warnings]
        if self._decoded.jpeg is not None:
            structure = self._decoded.jpeg.structure
            behind = trailer(self.data, structure)
            said += structure.troubles
            try:
                said += [str(trouble) for trouble in self._decoded.jpeg.troubles]
                said.append(self._decoded.jpeg.implausible)
            except (EvidenceError, EvidenceMissing) as error:  # what Pillow could read, and we cannot
                said.append(f"the coefficients cannot be read: {error}")
            said += [str(behind)] if behind and not behind.expected else []
        if self.frames > 1 and self.format != "heic":
            said.append(f"the file holds {self.frames} images; only the first is examined")
        note = scale(self.pixels, self.model)[2]
        said += [
            f"floating-point pixels: {note}" if note else "",
            *self.metadata.troubles,
            self._thumbnail[1],
        ]
        said = [warning for warning in dict.fromkeys(said) if warning]
        more = [f"and {len(said) - _MAX_WARNINGS} more warnings"] if len(said) > _MAX_WARNINGS else []
        return (*said[:_MAX_WARNINGS], *more)

    def summary(self) -> dict[str, Any]:
        """The ``evidence`` part of the scan document."""
        names = ("path", "size", "sha256", "md5", "pixel_sha256", "format", "claimed_format",
                 "width", "height", "bit_depth", "channels")  # fmt: skip
        return {**{name: getattr(self, name) for name in names}, "warnings": list(self.warnings)}

    def facts(self) -> dict[str, Any]:
        """Everything known about the file without running a method, as plain JSON values."""
        from forensix.evidence.facts import facts

        return facts(self)


def open_evidence(source: Any, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> Evidence:
    """Open an image for examination.

    Parameters
    ----------
    source : str, os.PathLike, bytes, (rows, cols[, channels]) array, or Evidence
        A path; the content of a file (bytes are content, never a path); an array of
        uint8, uint16, bool or floating-point pixels, grey, grey and alpha, RGB or RGBA;
        or an Evidence, which is returned as it is.
    max_pixels : int
        Largest number of pixels to decode; checked against the header first.
    max_bytes : int
        Largest file to read; checked before reading.

    Raises
    ------
    EvidenceError
        If there is no image to be had. Its ``known`` holds what is known of the file.
    LimitExceeded
        If file or image are larger than allowed.
    ParameterError
        If `source` is nothing that can be opened.
    """
    if isinstance(source, Evidence):
        return source
    if isinstance(source, np.ndarray):
        return Evidence.of_array(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return Evidence(bytes(source), max_pixels=max_pixels)
    if not isinstance(source, (str, os.PathLike)):
        raise ParameterError(f"an image is a path, bytes or an array, not {type(source).__name__}")
    path = os.fsdecode(source)
    try:
        data = read_file(path, max_bytes)
    except EvidenceError as error:
        error.known = {"path": path, "claimed_format": sniff.claimed(path), **error.known}
        raise
    return Evidence(data, path, max_pixels=max_pixels)
