"""What a file itself says of having been generated: text, metadata, signed manifests.

Each of these is a claim. Anyone can write it into a file, and anyone can take it out; no
signature is checked here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from forensix.evidence import Evidence

GENERATED, PARTLY, CAMERA = "generated", "partly generated", "camera"

# IPTC NewsCodes, digitalsourcetype. https://cv.iptc.org/newscodes/digitalsourcetype/
SOURCE_TYPES = {
    "trainedAlgorithmicMedia": GENERATED,
    "algorithmicMedia": GENERATED,
    "virtualRecording": GENERATED,
    "compositeWithTrainedAlgorithmicMedia": PARTLY,
    "compositeSynthetic": PARTLY,
    "algorithmicallyEnhanced": PARTLY,
    "digitalCapture": CAMERA,
    "computationalCapture": CAMERA,
    "negativeFilm": CAMERA,
    "positiveFilm": CAMERA,
    "print": CAMERA,
}
_SOURCE_TYPE = re.compile(
    rb"(?:digitalsourcetype/|DigitalSourceType(?:\s*=\s*[\"']|>))\s*([A-Za-z]{4,40})", re.IGNORECASE
)
_BY_LOWER = {name.lower(): name for name in SOURCE_TYPES}

# Programs that make pictures from words, as they sign. Looked for in Software and creator fields only.
PROGRAMS = (
    "midjourney", "stable[ -]diffusion", "dall[-·]e", "novelai", "invokeai", "comfyui", "automatic1111", "adobe firefly",
    "google imagen", "made with google ai", "ideogram ai", "ideogram.ai", "leonardo.ai", "fooocus", "draw ?things",
    "flux.1", "gpt-4o", "gpt-image", "openai", "dreamstudio", "bing image creator", "image creator from designer",
    "stylegan[0-9]?", "nightcafe", "craiyon",
)  # fmt: skip
_PROGRAM = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(name.replace('.', '[.]') for name in PROGRAMS)})(?![a-z])")
_JOB = re.compile(r"\bJob ID: [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")  # as Midjourney writes
_PARAMETERS = re.compile(r"\bSteps:\s*\d+.*\b(Sampler|CFG scale|Seed):", re.DOTALL)
_SOFTWARE, _DESCRIPTION, _USER_COMMENT = 305, 270, 37510
_READ = 4 << 20  # bytes of a manifest that are searched
_SHOWN = 120


@dataclass(frozen=True)
class Claim:
    """One statement of the file about where the picture comes from.

    says : GENERATED, PARTLY or CAMERA
    where : the place in the file
    what : the words or the kind of data found there
    """

    says: str
    where: str
    what: str


def claims(evidence: Evidence) -> list[Claim]:
    """Every statement found, in the order text, EXIF, XMP, manifest."""
    found = [*_texts(evidence), *_exif(evidence), *_xmp(evidence), *_manifests(evidence)]
    return list(dict.fromkeys(found))


def _texts(evidence: Evidence) -> Iterator[Claim]:
    texts = evidence.metadata.text
    for key, value in texts.items():
        where = f"its PNG text {key!r}"
        lower = key.lower()
        if lower in ("parameters", "prompt", "workflow") or lower.startswith(
            ("invokeai", "sd-metadata", "dream")
        ):
            kind = _generator_data(lower, value)
            if kind:
                yield Claim(GENERATED, where, kind)
        elif lower in ("software", "creator", "source", "description", "comment"):
            program = _program(value) if lower in ("software", "creator", "source") else ""
            if program:
                yield Claim(GENERATED, where, program)
            elif lower == "description" and _JOB.search(value):
                yield Claim(GENERATED, where, "the number of a job of Midjourney")
            elif lower == "comment" and _is_novelai(value):
                yield Claim(GENERATED, where, "settings of NovelAI")
    for comment in evidence.metadata.comments:
        if _PARAMETERS.search(comment):
            yield Claim(GENERATED, "its JPEG comment", "settings of a Stable Diffusion program")


def _generator_data(key: str, value: str) -> str:
    """What program's data a text holds; empty where it is not what its keyword says."""
    if key == "parameters":
        return "settings of a Stable Diffusion program" if _PARAMETERS.search(value) else ""
    if key.startswith(("invokeai", "sd-metadata", "dream")):
        return "settings of InvokeAI"
    graph = _json(value)
    nodes = graph.get("nodes") if key == "workflow" else list(graph.values())
    if not isinstance(nodes, list):
        return ""
    typed = [n for n in nodes if isinstance(n, dict) and ("class_type" in n or "type" in n)]
    return "a graph of ComfyUI" if typed else ""


def _is_novelai(value: str) -> bool:
    settings = _json(value)
    return {"prompt", "steps", "sampler"} <= set(settings) or {"uc", "scale", "seed"} <= set(settings)


def _json(value: str) -> dict[str, Any]:
    # ComfyUI writes NaN where JSON has none; Python's reader takes it.
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _exif(evidence: Evidence) -> Iterator[Claim]:
    main, detail = evidence.metadata.exif.get("0th", {}), evidence.metadata.exif.get("Exif", {})
    for tag, name in ((_SOFTWARE, "Software"), (_DESCRIPTION, "ImageDescription")):
        text = _text(main.get(tag))
        program = _program(text) if tag == _SOFTWARE else ""
        if program:
            yield Claim(GENERATED, f"the EXIF field {name}", program)
        elif _PARAMETERS.search(text):
            yield Claim(GENERATED, f"the EXIF field {name}", "settings of a Stable Diffusion program")
    comment = detail.get(_USER_COMMENT)
    if isinstance(comment, bytes) and _PARAMETERS.search(_user_comment(comment)):
        yield Claim(GENERATED, "the EXIF field UserComment", "settings of a Stable Diffusion program")


def _user_comment(raw: bytes) -> str:
    if raw[:8] == b"UNICODE\x00":
        big = raw[8:].decode("utf-16-be", "replace")
        return big if _PARAMETERS.search(big) else raw[8:].decode("utf-16-le", "replace")
    return raw[8:].decode("latin-1")


def _text(value: Any) -> str:
    return value.split(b"\x00")[0].decode("utf-8", "replace").strip() if isinstance(value, bytes) else ""


def _program(text: str) -> str:
    return text[:_SHOWN].strip() if _PROGRAM.search(text.lower()) else ""


def _xmp(evidence: Evidence) -> Iterator[Claim]:
    packet = (evidence.metadata.xmp or b"")[:_READ]
    yield from _source_types(packet, "its XMP field DigitalSourceType")
    text = packet.decode("utf-8", "replace")
    for tag in ("xmp:CreatorTool", "photoshop:Credit", "Iptc4xmpExt:AISystemUsed"):
        match = re.search(rf"{tag}(?:\s*=\s*[\"']|>)\s*([^\"'<]{{1,200}})", text)
        if match and (tag.endswith("AISystemUsed") or _program(match.group(1))):
            yield Claim(GENERATED, f"its XMP field {tag.split(':')[1]}", match.group(1).strip()[:_SHOWN])


def _source_types(data: bytes, where: str) -> Iterator[Claim]:
    for match in _SOURCE_TYPE.finditer(data):
        name = _BY_LOWER.get(match.group(1).decode("ascii").lower())
        if name:
            yield Claim(SOURCE_TYPES[name], where, name)


def _manifests(evidence: Evidence) -> Iterator[Claim]:
    """Content credentials (C2PA): searched for the source type; their signature is not checked."""
    for block in _manifest_blocks(evidence):
        if b"c2pa" in block:
            yield from _source_types(block, "its content credentials (C2PA, signature not checked)")


def _manifest_blocks(evidence: Evidence) -> Iterator[bytes]:
    data, room = evidence.data, _READ
    spans: list[tuple[int, int]] = []
    if evidence.format == "jpeg":
        spans = [(s.start, s.stop) for s in evidence.jpeg.structure.of(0xEB)]
    elif evidence.format == "png":
        from forensix.evidence import png

        spans = [(chunk.start, chunk.stop) for chunk in png.walk(data).of(b"caBX")]
    whole = b"".join(data[start : min(stop, start + room)] for start, stop in spans)[:room]
    if whole:
        yield whole
