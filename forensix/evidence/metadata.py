"""What a file says about itself: EXIF, XMP, ICC profile, comments and text."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from forensix.evidence import exif, png
from forensix.evidence.containers import webp_header
from forensix.evidence.jpeg_structure import Structure
from forensix.evidence.wall import one_line

_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\x00"
_ICC = b"ICC_PROFILE\x00"
_MAX_TEXT = 1 << 20  # bytes a compressed text or profile may grow to


@dataclass
class Metadata:
    """Metadata of a file, as found.

    exif : "0th", "Exif", "GPS", "Interop", "1st": tag number to value, as from piexif
    exif_bytes, xmp, icc : the raw blocks, None where there are none
    thumbnail : JPEG bytes of the EXIF thumbnail
    comments : of JPEG COM segments
    text : of PNG text chunks, by keyword
    troubles : what is wrong with any of it
    """

    exif: exif.Exif = field(default_factory=dict)
    exif_bytes: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    thumbnail: bytes | None = None
    comments: tuple[str, ...] = ()
    text: dict[str, str] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 to 8. It is never applied to the pixels."""
        return exif.orientation(self.exif)

    @property
    def icc_description(self) -> str | None:
        """The name the ICC profile gives itself. The profile is never applied."""
        return icc_description(self.icc) if self.icc else None

    @property
    def xmp_text(self) -> str | None:
        return self.xmp.decode("utf-8", "replace").strip("\x00") if self.xmp else None


def read(
    data: bytes,
    kind: str,
    info: dict[str, Any],
    *,
    jpeg: Structure | None = None,
    chunks: png.Structure | None = None,
) -> Metadata:
    """Gather the metadata of a file; never raises for what it finds.

    info : raw "exif", "icc" and "xmp" as a decoder handed them over, for the formats
        whose containers are not walked here
    """
    found = Metadata(exif_bytes=info.get("exif"), xmp=info.get("xmp"), icc=info.get("icc"))
    if jpeg is not None:
        _from_jpeg(data, jpeg, found)
    elif chunks is not None:
        _from_png(data, chunks, found)
    elif kind == "webp":
        parts = webp_header(data).chunks
        found.exif_bytes, found.xmp, found.icc = (
            data[slice(*parts[name])] if name in parts else None for name in (b"EXIF", b"XMP ", b"ICCP")
        )
    elif kind == "tiff":
        found.exif_bytes = data
    if found.exif_bytes:
        found.exif, found.thumbnail, troubles = exif.load(found.exif_bytes)
        found.troubles += troubles
    return found


def _from_jpeg(data: bytes, structure: Structure, found: Metadata) -> None:
    blocks = [data[s.start : s.stop] for s in structure.of(0xE1, "Exif")]
    if blocks:
        found.exif_bytes = blocks[0]
    if len(blocks) > 1:
        found.troubles.append(f"the file has {len(blocks)} EXIF blocks; the first is used")
    packets = [data[s.start : s.stop] for s in structure.of(0xE1, "http://ns.adobe.com/x")]
    found.xmp = next((packet[len(_XMP) :] for packet in packets if packet.startswith(_XMP)), None)
    pieces = [data[s.start + len(_ICC) : s.stop] for s in structure.of(0xE2, "ICC_PROFILE")]
    pieces = sorted((piece for piece in pieces if len(piece) > 2), key=lambda piece: piece[0])
    if pieces:
        found.icc = b"".join(piece[2:] for piece in pieces)
        if [piece[0] for piece in pieces] != list(range(1, pieces[0][1] + 1)):
            found.troubles.append(f"the ICC profile is incomplete: {len(pieces)} of {pieces[0][1]} pieces")
    found.comments = tuple(
        exif.text_or_hex(data[s.start : s.stop], 1000) for s in list(structure.of(0xFE))[:20]
    )


def _from_png(data: bytes, structure: png.Structure, found: Metadata) -> None:
    for chunk in structure.of(b"eXIf"):
        found.exif_bytes = found.exif_bytes or data[chunk.start : chunk.stop]
    for chunk in structure.of(b"iCCP"):
        _, _, packed = data[chunk.start : chunk.stop].partition(b"\x00")
        profile = _unpacked(packed[1:])
        if profile is None:
            found.troubles.append(
                f"the ICC profile at byte {chunk.offset} is corrupt or grows beyond all measure"
            )
        found.icc = found.icc or profile
    for keyword, text in _texts(data, structure, found.troubles):
        if keyword == "XML:com.adobe.xmp":
            found.xmp = found.xmp or text.encode("utf-8", "replace")
        elif len(found.text) < 100:
            found.text.setdefault(keyword, text)


def _texts(data: bytes, structure: png.Structure, troubles: list[str]) -> Iterator[tuple[str, str]]:
    room = 4 * _MAX_TEXT
    for chunk in structure.of(b"tEXt", b"zTXt", b"iTXt"):
        keyword, _, rest = data[chunk.start : min(chunk.stop, chunk.start + _MAX_TEXT)].partition(b"\x00")
        raw: bytes | None = rest
        if chunk.name == b"zTXt":
            raw = _unpacked(rest[1:])
        elif chunk.name == b"iTXt":
            packed, tail = rest[:1] == b"\x01", rest[2:].split(b"\x00", 2)
            raw = _unpacked(tail[-1]) if packed else tail[-1]
        if raw is None:
            troubles.append(f"the text at byte {chunk.offset} is corrupt or grows beyond all measure")
            continue
        room -= len(raw)
        if room < 0:
            troubles.append(f"more text than anyone can read; the rest is left out from byte {chunk.offset}")
            return
        yield (
            one_line(keyword.decode("latin-1")),
            raw.decode("utf-8" if chunk.name == b"iTXt" else "latin-1", "replace"),
        )


def _unpacked(packed: bytes) -> bytes | None:
    """Inflated bytes; None when they are corrupt or more than _MAX_TEXT."""
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(packed, _MAX_TEXT)
    except zlib.error:
        return None
    return out if stream.eof else None


def icc_description(profile: bytes) -> str | None:
    """The text of the "desc" tag of an ICC profile, None where there is none to be read."""
    try:
        (count,) = struct.unpack_from(">L", profile, 128)
        for nth in range(min(count, 100)):
            tag, offset, _ = struct.unpack_from(">4sLL", profile, 132 + 12 * nth)
            if tag != b"desc":
                continue
            if profile[offset : offset + 4] == b"mluc":
                length, start = struct.unpack_from(">LL", profile, offset + 20)
                return one_line(
                    profile[offset + start : offset + start + min(length, 400)].decode("utf-16-be", "replace")
                )
            (length,) = struct.unpack_from(">L", profile, offset + 8)
            return exif.text_or_hex(profile[offset + 12 : offset + 12 + min(length, 400)])
    except struct.error:
        return None
    return None


_XMP_FIELDS = {
    "creator_tool": "xmp:CreatorTool",
    "create_date": "xmp:CreateDate",
    "modify_date": "xmp:ModifyDate",
    "document_id": "xmpMM:DocumentID",
    "original_document_id": "xmpMM:OriginalDocumentID",
    "digital_source_type": "Iptc4xmpExt:DigitalSourceType",
}


def xmp_summary(packet: str) -> dict[str, Any]:
    """A few telling properties of an XMP packet, found by their names.

    Names are searched for as text: an XML parser would have to be kept from the
    entities of a hostile packet, and would refuse the many packets that are not quite XML.
    """
    out: dict[str, Any] = {"bytes": len(packet.encode("utf-8", "replace"))}
    packet = packet[: 1 << 20]
    for name, tag in _XMP_FIELDS.items():
        match = re.search(rf"{tag}(?:\s*=\s*[\"']|>)([^\"'<]{{1,300}})", packet)
        if match:
            out[name] = one_line(match.group(1))
    agents = re.findall(r"stEvt:softwareAgent(?:\s*=\s*[\"']|>)([^\"'<]{1,200})", packet)
    actions = re.findall(r"stEvt:action(?:\s*=\s*[\"']|>)([^\"'<]{1,100})", packet)
    if agents or actions:
        out["history"] = {
            "actions": [one_line(action) for action in actions[:50]],
            "software": [one_line(agent) for agent in dict.fromkeys(agents)][:20],
        }
    return out
