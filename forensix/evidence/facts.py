"""Everything known about a file, as plain JSON values: what ``forensix info`` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensix.evidence import exif
from forensix.evidence.jpeg_data import JpegData
from forensix.evidence.jpeg_quality import ijg_quality
from forensix.evidence.jpeg_structure import FRAMES
from forensix.evidence.jpeg_trailer import trailer
from forensix.evidence.metadata import Metadata, xmp_summary

if TYPE_CHECKING:
    from forensix.evidence.evidence import Evidence

_SHOWN = 200  # segments, scans and chunks listed

_ORIENTATIONS = {
    1: "upright", 2: "mirrored", 3: "upside down", 4: "upside down and mirrored", 5: "mirrored, lying on its left side",
    6: "to be turned right by 90 degrees", 7: "mirrored, lying on its right side", 8: "to be turned left by 90 degrees",
}  # fmt: skip


def facts(evidence: Evidence) -> dict[str, Any]:
    """File, image, JPEG or PNG structure, metadata, thumbnail and warnings of an Evidence."""
    out: dict[str, Any] = {
        "file": {
            name: getattr(evidence, name) for name in ("path", "size", "sha256", "md5", "format", "claimed_format")
        },
        "image": {
            "width": evidence.width, "height": evidence.height, "channels": evidence.channels,
            "bit_depth": evidence.bit_depth, "model": evidence.model, "stored": evidence.stored,
            "frames": evidence.frames, "alpha": evidence.alpha is not None,
            "pixel_type": evidence.pixels.dtype.name, "pixel_sha256": evidence.pixel_sha256,
        },
    }  # fmt: skip
    if evidence._decoded.jpeg is not None:
        out["jpeg"] = _jpeg(evidence.data, evidence.jpeg)
    if evidence._decoded.png is not None:
        out["png"] = {
            "interlaced": evidence._decoded.png.header.interlaced,
            "chunks": [
                {
                    "name": c.name.decode("ascii"),
                    "offset": c.offset,
                    "length": c.stop - c.start,
                    "intact": c.intact,
                }
                for c in evidence._decoded.png.chunks[:_SHOWN]
            ],
            "chunk_count": len(evidence._decoded.png.chunks),
        }
    out["metadata"] = _metadata(evidence.metadata)
    thumbnail = evidence.thumbnail
    raw = evidence.metadata.thumbnail
    out["thumbnail"] = None
    if raw:
        rows, cols = thumbnail.shape[:2] if thumbnail is not None else (None, None)
        out["thumbnail"] = {"bytes": len(raw), "width": cols, "height": rows}
    out["warnings"] = list(evidence.warnings)
    return out


def _jpeg(data: bytes, jpeg: JpegData) -> dict[str, Any]:
    structure, frame = jpeg.structure, jpeg.frame
    behind = trailer(data, structure)
    return {
        "process": FRAMES[frame.marker],
        "precision": frame.precision,
        "progressive": frame.progressive,
        "arithmetic": frame.arithmetic,
        "colour": jpeg.colour,
        "sampling": subsampling(jpeg.sampling),
        "components": [
            {"id": part.id, "down": part.down, "across": part.across, "table": part.table} for part in frame.components
        ],
        "quantization": [_table(number, bits, table) for number, bits, table in structure.tables[:16]],
        "huffman_tables": [
            {"class": "AC" if number > 3 else "DC", "id": number & 3, "codes": sum(counts)}
            for number, counts, _ in structure.huffman[:_SHOWN]
        ],
        "restart_interval": structure.intervals[-1] if structure.intervals else 0,
        "scans": [
            {
                "components": [part for part, _, _ in scan.parts],
                "band": list(scan.band),
                "approximation": list(scan.approximation),
                "offset": scan.start,
                "bytes": scan.stop - scan.start,
            }
            for scan in structure.scans[:_SHOWN]
        ],
        "jfif": _jfif(data, jpeg),
        "adobe": _adobe(data, jpeg),
        "segments": [
            {"marker": s.name, "offset": s.offset, "length": s.length}
            | ({"identifier": s.identifier} if s.identifier else {})
            for s in structure.segments[:_SHOWN]
        ],
        "trailer": behind and {
            "offset": behind.offset, "bytes": behind.size, "kind": behind.kind, "images": list(behind.images),
        },
    }  # fmt: skip


def _table(number: int, bits: int, table: Any) -> dict[str, Any]:
    # Which of the two standard tables one descends from shows in its values, not in its number.
    luma, chroma = ijg_quality(table), ijg_quality(table, chroma=True)
    nearest = min(luma, chroma, key=lambda quality: quality.difference)
    return {
        "id": number,
        "bits": bits,
        "rows": table.tolist(),
        "ijg_quality": nearest.quality,
        "ijg_exact": nearest.exact,
        "ijg_difference": round(nearest.difference, 3),
        "ijg_table": "luminance" if nearest is luma else "chrominance",
    }


def subsampling(sampling: tuple[tuple[int, int], ...]) -> str:
    """The usual name of sampling factors, such as "4:2:0"; the factors themselves where there is none."""
    names = {
        (1, 1): "4:4:4",
        (1, 2): "4:2:2",
        (2, 2): "4:2:0",
        (2, 1): "4:4:0",
        (1, 4): "4:1:1",
        (2, 4): "4:1:0",
    }
    if len(sampling) == 1:
        return "grey"
    if len(sampling) == 3 and sampling[1] == sampling[2]:
        (down, across), (less_down, less_across) = sampling[0], sampling[1]
        if down % less_down == 0 and across % less_across == 0:
            name = names.get((down // less_down, across // less_across))
            if name:
                return name
    return ", ".join(f"{across}x{down}" for down, across in sampling)


def _jfif(data: bytes, jpeg: JpegData) -> dict[str, Any] | None:
    segment = next(jpeg.structure.of(0xE0, "JFIF"), None)
    if segment is None or segment.stop - segment.start < 12:
        return None
    payload = data[segment.start : segment.stop]
    return {
        "version": f"{payload[5]}.{payload[6]:02d}",
        "density": [int.from_bytes(payload[8:10], "big"), int.from_bytes(payload[10:12], "big")],
        "unit": {0: "aspect ratio", 1: "inch", 2: "cm"}.get(payload[7], str(payload[7])),
    }


def _adobe(data: bytes, jpeg: JpegData) -> dict[str, Any] | None:
    segment = next(jpeg.structure.of(0xEE, "Adobe"), None)
    if segment is None or segment.stop - segment.start < 12:
        return None
    transform = data[segment.start + 11]
    names = {0: "RGB or CMYK", 1: "YCbCr", 2: "YCCK"}
    return {"version": data[segment.start + 6], "transform": names.get(transform, str(transform))}


def _metadata(found: Metadata) -> dict[str, Any]:
    text = found.xmp_text
    return {
        "orientation": found.orientation,
        "orientation_means": _ORIENTATIONS[found.orientation],
        "exif": exif.named(found.exif),
        "exif_bytes": len(found.exif_bytes) if found.exif_bytes else 0,
        "icc": {"bytes": len(found.icc), "description": found.icc_description} if found.icc else None,
        "xmp": xmp_summary(text) if text else None,
        "comments": list(found.comments),
        "text": {key: value[:2000] for key, value in found.text.items()},
    }
