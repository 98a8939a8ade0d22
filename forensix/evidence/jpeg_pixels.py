"""Pixels of a JPEG file, by libjpeg (through Pillow), also of a damaged one."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from forensix.errors import EvidenceError, LimitExceeded
from forensix.evidence.arrays import check_size
from forensix.evidence.jpeg_data import JpegData
from forensix.evidence.jpeg_scans import check_visits
from forensix.evidence.jpeg_structure import DAC, DHT, DQT, DRI, FRAMES, SOS
from forensix.evidence.pillow import opened, to_array
from forensix.evidence.wall import third_party

_EOI = b"\xff\xd9"
_FILL = b"\xff" * 16
_KEPT = (DQT, DHT, DRI, DAC, SOS, 0xE0, 0xEE, *FRAMES)


def read(data: bytes, max_pixels: int) -> tuple[np.ndarray, str, JpegData]:
    """Pixels, their colour model, and the JPEG structure they came from.

    libjpeg guesses on where it can and gives up where it cannot. Where it gives up, it
    is handed what is sound of the file: whole segments, the scans that can be decoded,
    an end marker; and should it still refuse, only what lies before the first trouble.

    Raises
    ------
    EvidenceError
        If nothing of the picture can be had.
    LimitExceeded
        If the header declares more than `max_pixels` pixels.
    """
    jpeg = JpegData(data)
    check_size(jpeg.frame.width, jpeg.frame.height, max_pixels)
    scans = jpeg.structure.scans
    check_visits(jpeg.frame, jpeg.structure)
    if not any(scan.stop > scan.start for scan in scans):
        last = max(segment.offset + segment.length for segment in jpeg.structure.segments)
        raise EvidenceError(f"JPEG without picture data: the header ends at byte {last} and nothing follows")
    try:
        if _FILL in data[scans[0].start :]:
            raise EvidenceError("long runs of fill bytes")
        return *_libjpeg(_bare(data, jpeg), jpeg, max_pixels), jpeg
    except LimitExceeded:
        raise
    except EvidenceError as error:
        first = error
    usable = frozenset(range(len(scans))) if jpeg.frame.arithmetic else jpeg.entropy.usable
    if not usable or not (jpeg.frame.arithmetic or jpeg.decoded.any()):
        raise EvidenceError(f"JPEG without usable picture data: {first}") from first
    cut = (
        min((t.position for t in jpeg.troubles if t.total), default=len(data))
        if scans and usable
        else len(data)
    )
    for stop in (len(data), cut):
        try:
            return *_libjpeg(_sound(data, jpeg, usable, stop), jpeg, max_pixels), jpeg
        except LimitExceeded:
            raise
        except EvidenceError:
            continue
    raise first


def _libjpeg(data: bytes, jpeg: JpegData, max_pixels: int) -> tuple[np.ndarray, str]:
    image: Any = opened(data, "jpeg", max_pixels)
    if image.size != (jpeg.frame.width, jpeg.frame.height):
        raise EvidenceError("the JPEG file has two headers that contradict each other")
    with third_party("jpeg data"):
        image.load()
    return to_array(image)


def _bare(data: bytes, jpeg: JpegData) -> bytes:
    """The file without metadata segments: a decoder has no business with them.

    APP0 (JFIF) and APP14 (Adobe) stay, for they say what the components mean.
    """
    parts, position = [], 0
    for segment in jpeg.structure.segments:
        if segment.marker == 0xFE or (0xE1 <= segment.marker <= 0xEF and segment.marker != 0xEE):
            parts.append(data[position : segment.offset])
            position = segment.offset + segment.length
    return b"".join([*parts, data[position : jpeg.structure.end]])


def _without_fill(data: bytes) -> bytes:
    """Entropy-coded data without long runs of fill bytes, which Pillow would read again and again."""
    return re.sub(rb"\xff{16,}", b"\xff", data) if _FILL in data else data


def _sound(data: bytes, jpeg: JpegData, usable: frozenset[int], stop: int) -> bytes:
    """A new file of the sound segments and usable scans, up to a byte."""
    scans = {jpeg.structure.scans[number].start: jpeg.structure.scans[number] for number in usable}
    parts = [data[:2]]
    for segment in jpeg.structure.segments:
        if segment.offset >= stop or not segment.sound or segment.marker not in _KEPT:
            continue
        if segment.marker == SOS:
            scan = scans.get(segment.stop)
            if scan is None:
                continue
            parts.append(data[segment.offset : segment.stop])
            parts.append(_without_fill(data[scan.start : min(scan.stop, max(stop, scan.start))]))
        else:
            parts.append(data[segment.offset : segment.stop])
    return b"".join([*parts, _EOI])
