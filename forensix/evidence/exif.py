"""EXIF, read by piexif on a short leash."""

from __future__ import annotations

import struct
from typing import Any

from forensix.errors import EvidenceError
from forensix.evidence.wall import one_line, third_party

Exif = dict[str, dict[int, Any]]

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_POINTERS = {34665: "Exif", 34853: "GPS", 40965: "Interop"}
_THUMBNAIL = (513, 514)
_NOWHERE = 0xFFFF  # a tag that piexif passes over
_MAX_VALUES = 1_000_000  # in all directories together
_MAKER_NOTE, _USER_COMMENT, ORIENTATION = 37500, 37510, 274


def block(payload: bytes) -> bytes:
    """An EXIF block without the word "Exif" some containers put before it."""
    return payload[6:] if payload[:4] == b"Exif" else payload


def load(payload: bytes) -> tuple[Exif, bytes | None, list[str]]:
    """The directories of an EXIF block, its thumbnail, and what is wrong with it.

    Parameters
    ----------
    payload : bytes
        The TIFF structure, with or without "Exif" before it.

    Returns
    -------
    directories : dict
        "0th", "Exif", "GPS", "Interop" and "1st", each from tag number to value as
        piexif gives it; what cannot be read is missing.
    thumbnail : bytes or None
        The JPEG thumbnail of the 1st directory, as it lies in the file.
    troubles : list of str
        One sentence for each thing that is wrong. Nothing is ever raised for content.
    """
    tiff = block(payload)
    if tiff[:4] not in (b"II*\x00", b"MM\x00*"):
        return {}, None, [f"the EXIF block is malformed: it begins with {tiff[:4].hex(' ') or 'nothing'}"]
    tiff, troubles = _tamed(tiff)
    try:
        with third_party("the EXIF block is malformed"):
            import piexif

            found = piexif.load(tiff)
    except EvidenceError as error:
        return {}, None, [*troubles, str(error)]
    thumbnail = found.pop("thumbnail", None)
    return found, thumbnail if isinstance(thumbnail, bytes) and thumbnail else None, troubles


def _tamed(tiff: bytes) -> tuple[bytes, list[str]]:
    """The block with those entries put out of sight that piexif would fail on, or drown in.

    piexif believes every count it reads: one entry that claims four billion numbers
    takes the memory of the machine, one with an unknown type loses all the others.
    """
    taming = _Taming(tiff)
    if len(tiff) >= 8:
        taming.directory("0th", taming.number("L", 4))
    if not taming.patches:
        return tiff, taming.troubles
    tamed = bytearray(tiff)
    for at, new in taming.patches:
        tamed[at : at + len(new)] = new
    return bytes(tamed), taming.troubles


class _Taming:
    """A walk over the directories piexif will read, noting what must be changed first."""

    def __init__(self, tiff: bytes) -> None:
        self.tiff = tiff
        self.order = "<" if tiff[:2] == b"II" else ">"
        self.patches: list[tuple[int, bytes]] = []
        self.troubles: list[str] = []
        self.seen: set[str] = set()
        self.left = _MAX_VALUES

    def number(self, letter: str, at: int) -> int:
        return int(struct.unpack_from(self.order + letter, self.tiff, at)[0])

    def directory(self, name: str, offset: int) -> None:
        """Go through one directory and those it points to. The caller made sure that it begins inside."""
        self.seen.add(name)
        count = self.number("H", offset) if offset + 2 <= len(self.tiff) else 0
        fits = max(0, min(count, (len(self.tiff) - offset - 2) // 12))
        if fits < count:
            self.troubles.append(f"the EXIF directory {name} is cut off: {fits} of {count} entries are there")
            self.patches.append((offset, struct.pack(self.order + "H", fits)))
        bad = [
            self.number("H", entry)
            for entry in range(offset + 2, offset + 2 + 12 * fits, 12)
            if not self._entry(entry)
        ]
        if bad:
            shown = ", ".join(f"0x{tag:04x}" for tag in bad[:5]) + (" and more" if len(bad) > 5 else "")
            self.troubles.append(
                f"the EXIF directory {name} has {len(bad)} entries that cannot be read: {shown}"
            )
        following = offset + 2 + 12 * fits
        if name == "0th" and following + 4 <= len(self.tiff) and (pointer := self.number("L", following)):
            if pointer + 2 <= len(self.tiff) and fits == count:
                self.directory("1st", pointer)
            else:
                self.troubles.append(
                    f"the EXIF directory 1st would lie at byte {pointer} of {len(self.tiff)}"
                )
                self.patches.append((following, bytes(4)))

    def _entry(self, entry: int) -> bool:
        """True for an entry piexif can read; others are put out of its sight."""
        tag, kind, number, value = struct.unpack_from(self.order + "HHLL", self.tiff, entry)
        size = _SIZES.get(kind, 0) * number
        if not number:  # empty, which is no fault; but piexif would read what is not there
            self.patches.append((entry, struct.pack(self.order + "H", _NOWHERE)))
            return True
        readable = size > 0 and number <= self.left
        if size > 4 or kind in (5, 10, 12):
            readable = readable and value + size <= len(self.tiff)
        if tag in _THUMBNAIL:
            readable = readable and number == 1 and kind in (3, 4)
        pointed = _POINTERS.get(tag)
        if pointed and readable:
            readable = kind == 4 and number == 1 and pointed not in self.seen and value + 2 <= len(self.tiff)
            if readable:
                self.directory(pointed, value)
        if readable:
            self.left -= number
        else:
            self.patches.append((entry, struct.pack(self.order + "H", _NOWHERE)))
        return bool(readable)


def orientation(found: Exif) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none that means anything."""
    value = found.get("0th", {}).get(ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def named(found: Exif) -> dict[str, dict[str, Any]]:
    """The directories with tag names and plain values, for people and for JSON."""
    if not any(found.values()):
        return {}
    from piexif import TAGS

    out: dict[str, dict[str, Any]] = {}
    for directory, values in found.items():
        known = TAGS.get("Image" if directory in ("0th", "1st") else directory, {})
        out[directory] = {
            known.get(tag, {}).get("name", f"0x{tag:04x}"): _plain(
                tag, value, known.get(tag, {}).get("type", 0)
            )
            for tag, value in sorted(values.items())
        }
    return {directory: values for directory, values in out.items() if values}


def _plain(tag: int, value: Any, kind: int) -> Any:
    """One value; `kind` is the type the standard gives the tag, which a file may ignore."""
    if (
        kind in (2, 7)
        and isinstance(value, tuple)
        and all(isinstance(n, int) and 0 <= n < 256 for n in value)
    ):
        value = bytes(value)
    if tag == _MAKER_NOTE and isinstance(value, bytes):
        return f"{len(value)} bytes"
    if tag == _USER_COMMENT and isinstance(value, bytes):
        value = value[8:]
    if isinstance(value, bytes):
        return text_or_hex(value)
    if kind in (5, 10) and isinstance(value, tuple):
        if len(value) == 2 and all(isinstance(part, int) for part in value):
            return _ratio(value)
        return [_ratio(part) if isinstance(part, tuple) else part for part in value[:64]]
    if isinstance(value, tuple):
        short = [_plain(tag, part, kind) for part in value[:64]]
        return short if len(value) <= 64 else [*short, f"… {len(value)} values"]
    if isinstance(value, float):
        return value if abs(value) < 1e300 else None  # NaN fails the comparison, too
    return value


def _ratio(value: tuple[int, ...]) -> float | None:
    return value[0] / value[1] if len(value) == 2 and value[1] else None


def text_or_hex(value: bytes, limit: int = 200) -> str:
    """Bytes as one line of text where they are text, as hexadecimal digits where not."""
    bare = value.strip(b"\x00 ")
    try:
        text = bare.decode("utf-8")
    except UnicodeDecodeError:
        text = bare.decode("latin-1")
    line = one_line(text, limit)
    if sum(c.isprintable() or c in "\t\r\n" for c in text) == len(text):
        return line
    return value[:32].hex() + (f"… ({len(value)} bytes)" if len(value) > 32 else "")
