"""The photos forgeries are made from."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forensix.errors import EvidenceError, ForensixError, ForgeryError
from forensix.evidence import Evidence, open_evidence
from forensix.evidence.exif import named
from forensix.forgery.edit import SMALLEST_SIDE

_SAMPLING_NAMES: dict[tuple[int, ...], str] = {(1, 1): "444", (1, 2): "422", (2, 2): "420"}


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as forgeries use it.

    image : (rows, cols, 3) uint8, read-only; three equal channels where `grey`
        (a file of one channel)
    camera : dict
        "tables" and "sampling" of its own JPEG, as :func:`~forensix.forgery.encode.encode`
        takes them; empty for other files and for tables that 8-bit JPEG cannot repeat.
    device : str
        Make and model from EXIF, or empty.
    """

    path: str
    sha256: str
    image: np.ndarray
    grey: bool = False
    camera: dict[str, Any] = field(default_factory=dict)
    device: str = ""


def read_photo(path: str) -> Photo:
    """Read a photo.

    Raises
    ------
    EvidenceError
        If the file cannot be read as an image.
    ForgeryError
        If it is CMYK, has more than 8 bits or is too small.
    """
    try:
        evidence = open_evidence(path)
    except OSError as error:
        raise ForgeryError(f"{error.strerror or error}") from error
    refuse_unsuitable(evidence)
    image = evidence.rgb
    grey = evidence.model in ("grey", "grey-alpha")
    return Photo(path, evidence.sha256, image, grey, _camera(evidence), _device(evidence))


def refuse_unsuitable(evidence: Evidence) -> None:
    """ForgeryError for kinds of image that cannot be edited and written back faithfully."""
    if evidence.bit_depth > 8:
        raise ForgeryError(f"{evidence.bit_depth}-bit photos are not used: convert it to 8 bits first")
    if evidence.model == "cmyk":
        raise ForgeryError("CMYK photos are not used: convert it to RGB first")
    if min(evidence.height, evidence.width) < SMALLEST_SIDE:
        raise ForgeryError(
            f"the photo is too small: {evidence.height} x {evidence.width} pixels, "
            f"and the shortest side must be at least {SMALLEST_SIDE}"
        )


def _camera(evidence: Evidence) -> dict[str, Any]:
    if evidence.format != "jpeg":
        return {}
    tables = [table.ravel().tolist() for table in evidence.jpeg.quantization]
    sampling = evidence.jpeg.sampling
    # One table for luma and one for chroma is what can be asked of the encoder.
    usable = len(tables) in (1, 3) and (len(tables) == 1 or tables[1] == tables[2])
    name = _SAMPLING_NAMES.get(tuple(sampling[0])) if len(tables) == 3 else "444"
    if not usable or name is None or any(tuple(s) != (1, 1) for s in sampling[1:]):
        return {}
    if max(max(table) for table in tables) > 255:
        return {}
    return {"tables": tables[:2], "sampling": name}


def _device(evidence: Evidence) -> str:
    """Make and model, if EXIF has them and they are text."""
    image = named(evidence.metadata.exif).get("0th", {})
    words = [str(image.get(tag) or "").strip() for tag in ("Make", "Model")]
    text = " ".join(word for word in words if word)
    return text if text.isprintable() else ""


class PhotoShelf:
    """Photos already decoded, the least recently used put away when there are too many.

    Parameters
    ----------
    limit : int
        Bytes of pixels to keep; the photo asked for last is always kept.
    """

    def __init__(self, limit: int = 320_000_000) -> None:
        self.limit = limit
        self._photos: OrderedDict[str, Photo] = OrderedDict()
        self._failed: dict[str, ForensixError] = {}

    def failed(self, path: str) -> str:
        """Why a photo could not be read, if it was tried; else empty."""
        error = self._failed.get(os.path.abspath(path))
        return str(error) if error else ""

    def read(self, path: str) -> Photo:
        """The photo of a path; errors as :func:`read_photo`."""
        key = os.path.abspath(path)
        if key in self._failed:
            raise self._failed[key]
        if key not in self._photos:
            try:
                self._photos[key] = read_photo(path)
            except (EvidenceError, ForgeryError) as error:
                self._failed[key] = error
                raise
            while len(self._photos) > 1 and sum(p.image.nbytes for p in self._photos.values()) > self.limit:
                self._photos.popitem(last=False)
        self._photos.move_to_end(key)
        return self._photos[key]
