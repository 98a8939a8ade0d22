"""Make, model and serial number of a camera, as a file states them."""

from __future__ import annotations

import re

from forensix.evidence import Evidence
from forensix.evidence.exif import text_or_hex

_BODY_SERIAL, _MAKER_NOTE = 42033, 37500
_NIKON_SERIAL = re.compile(rb"NO= ?([0-9A-Za-z]{4,16})")


def text_tag(photo: Evidence, directory: str, tag: int) -> str | None:
    """A text of the EXIF block in one line; None where there is none."""
    value = photo.metadata.exif.get(directory, {}).get(tag)
    if not isinstance(value, bytes):
        return None
    return " ".join(text_or_hex(value).split()) or None


def body_serial(photo: Evidence) -> str | None:
    """The serial number of the body: its EXIF tag, or what Nikon writes into its own note."""
    stated = text_tag(photo, "Exif", _BODY_SERIAL)
    note = photo.metadata.exif.get("Exif", {}).get(_MAKER_NOTE)
    if stated or not isinstance(note, bytes) or not note.startswith(b"Nikon"):
        return stated
    found = _NIKON_SERIAL.search(note)
    return found.group(1).decode("ascii") if found else None
