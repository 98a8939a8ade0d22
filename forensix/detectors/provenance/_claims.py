"""What the metadata say, and whether it fits the file they are in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forensix.evidence import metadata
from forensix.evidence.metadata import Metadata

# Names by which programs that save pictures sign. A name is a claim: anyone can write it.
EDITORS = (
    "photoshop", "lightroom", "adobe", "gimp", "picasa", "paint", "snapseed", "photo editor", "photo viewer",
    "photo gallery", "microsoft", "windows photo", "acdsee", "capture one", "dxo", "affinity", "darktable", "rawtherapee",
    "irfanview", "faststone", "xnview", "imagemagick", "graphicsmagick", "corel", "pixelmator", "aperture", "iphoto",
    "digikam", "gwenview", "shotwell", "capture nx", "digital photo professional", "photoscape", "instagram",
    "facebook", "vsco", "canva", "polarr", "luminar", "topaz", "fotor", "pixlr", "ulead", "photofiltre", "krita",
    "silkypix", "photolab", "viewnx", "photomatix", "hugin", "autopano", "ptgui", "meitu", "faceapp", "b612",
    "photodirector", "zoner", "paintshop", "photoimpact", "image data converter", "olympus viewer", "apple photos",
)  # fmt: skip
_SAVING = ("saved", "derived", "converted", "cropped", "resized", "edited", "filtered")

_MAKE, _MODEL, _SOFTWARE, _CHANGED, _TAKEN = 271, 272, 305, 306, 36867
_EXPOSURE, _APERTURE, _SENSITIVITY, _MAKER_NOTE, _WIDTH, _HEIGHT = 33434, 33437, 34855, 37500, 40962, 40963
_SMALLEST_MAKER_NOTE = 64  # bytes; less is a stub


@dataclass(frozen=True)
class Claims:
    """What EXIF and XMP say, reduced to what bears on the file's history.

    camera : make and model, None where either is missing
    exposure : True where exposure time, aperture or sensitivity are given
    maker_note : True where there is a manufacturer's note of more than a stub
    size : (width, height) according to EXIF, None where it does not say
    changed_after : seconds from taking the picture to the last change, None where unknown
    software : what the Software tag says
    editors : names of saving programs found in Software, XMP and their history
    saves : how many acts of saving or converting the XMP history lists
    """

    camera: tuple[str, str] | None
    exposure: bool
    maker_note: bool
    size: tuple[int, int] | None
    changed_after: float | None
    software: str
    editors: tuple[str, ...]
    saves: int


def read(found: Metadata) -> Claims:
    """Gather the claims; whatever is malformed counts as missing."""
    main, detail = found.exif.get("0th", {}), found.exif.get("Exif", {})
    make, model = _text(main.get(_MAKE)), _text(main.get(_MODEL))
    note = detail.get(_MAKER_NOTE)
    xmp = metadata.xmp_summary(found.xmp_text) if found.xmp_text else {}
    history = xmp.get("history", {})
    software = _text(main.get(_SOFTWARE))
    signed = " | ".join([software, str(xmp.get("creator_tool", "")), *history.get("software", ())]).lower()
    return Claims(
        camera=(make, model) if make and model else None,
        exposure=any(tag in detail for tag in (_EXPOSURE, _APERTURE, _SENSITIVITY)),
        maker_note=isinstance(note, bytes) and len(note) >= _SMALLEST_MAKER_NOTE,
        size=_size(detail),
        changed_after=_gap(main.get(_CHANGED), detail.get(_TAKEN)),
        software=software,
        editors=tuple(name for name in EDITORS if name in signed),
        saves=sum(action.lower() in _SAVING for action in history.get("actions", ())),
    )


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        return ""
    return value.split(b"\x00")[0].decode("latin-1").strip()[:200]


def _size(detail: dict[int, Any]) -> tuple[int, int] | None:
    width, height = detail.get(_WIDTH), detail.get(_HEIGHT)
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        return width, height
    return None


def _gap(changed: Any, taken: Any) -> float | None:
    times = [_time(_text(value)) for value in (changed, taken)]
    if times[0] is None or times[1] is None:
        return None
    return (times[0] - times[1]).total_seconds()


def _time(text: str) -> datetime | None:
    match = re.match(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)", text)
    if match is None:
        return None
    try:
        return datetime(*(int(part) for part in match.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None
