"""Is the file built as a camera's own encoder builds it, or as a library or an editor does?

Quantization tables, Huffman codes, scan layout, and whether metadata, thumbnail and
picture fit together. Nothing is attributed on a name alone: what a file says of itself
counts only beside what is measured on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from forensix.detectors.method import Method
from forensix.detectors.provenance import _claims, _heif, _layout, _signs, _tables, _thumbnail
from forensix.errors import EvidenceError, EvidenceMissing, NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding

METHOD = Method(
    name="encoder-tables",
    family="provenance",
    question="Did a camera write this file, or a program?",
    applies_to="JPEG and HEIF files",
    reference=(
        "E. Kee, M. K. Johnson, H. Farid, Digital Image Authentication From JPEG Headers, IEEE Transactions on "
        "Information Forensics and Security 6(3), 2011, doi 10.1109/TIFS.2011.2128309; "
        "H. Farid, Digital Image Ballistics from JPEG Quantization, Dartmouth College TR2006-583, 2006; "
        "J. D. Kornblum, Using JPEG Quantization Tables to Identify Imagery Processed by Software, "
        "Digital Investigation 5, 2008, doi 10.1016/j.diin.2008.05.004"
    ),
    concludes="history",
)

REASONS = 3  # named in the explanation


def jpeg_signs(evidence: Evidence) -> tuple[_signs.Signs, dict[str, Any]]:
    """Signs of a JPEG file, and what they rest on."""
    jpeg = evidence.jpeg
    origin = _tables.origin(jpeg.quantization)
    found = _layout.layout(jpeg.structure)
    raw = evidence.metadata.thumbnail
    signs = _signs.structure_signs(origin, found, adobe_thumbnail=bool(raw) and _adobe(raw or b""))
    reduced = jpeg.coefficients[0][:, :, 0, 0] * np.float32(jpeg.quantization[0][0, 0] / 8) + np.float32(128)
    claims = _add_claims(signs, evidence, turnable=False)
    if claims.camera is not None:
        _signs.thumbnail_signs(signs, _thumbnail_likeness(evidence, reduced))
    facts = {
        "tables": origin.family,
        "tables_name": origin.name,
        "quality": origin.quality,
        "known_cameras": [" ".join(camera) for camera in origin.cameras],
        "tables_of_claimed_make": known_of_make(origin, claims),
        "coding": found.coding,
        "sampling": found.sampling,
        "libjpeg_layout": found.libjpeg_order and found.tables == "apart",
        "restart_interval": found.restarts,
    }
    return signs, facts


def heif_signs(evidence: Evidence) -> tuple[_signs.Signs, dict[str, Any]]:
    """Signs of a HEIF file, and what they rest on."""
    items = _heif.read(evidence.data)
    signs = _signs.container_signs(items)
    _add_claims(signs, evidence, turnable=True)
    return signs, {"brands": list(items.brands), "items": dict(items.types), "tiled": items.tiled}


def _add_claims(signs: _signs.Signs, evidence: Evidence, *, turnable: bool) -> _claims.Claims:
    claims = _claims.read(evidence.metadata)
    _signs.claim_signs(signs, claims, (evidence.width, evidence.height), turnable=turnable)
    return claims


def known_of_make(origin: _tables.Origin, claims: _claims.Claims) -> bool | None:
    """Whether the collection has these tables of a camera of the make EXIF names; None where it has none of it."""
    if claims.camera is None:
        return None
    word = claims.camera[0].split()[0].lower()
    makes = {(row.make or "").split()[0].lower() for row in _tables.collection() if row.make}
    if word not in makes:
        return None
    return any(make.split()[0].lower() == word for make, _ in origin.cameras)


def _adobe(raw: bytes) -> bool:
    """True where a thumbnail, itself a JPEG, has Adobe's tables."""
    from forensix.evidence.jpeg_markers import walk

    try:
        tables = {number: table for number, _, table in walk(raw).tables}
    except EvidenceError:
        return False
    if len(tables) < 2:
        return False
    return _tables.origin([tables[number] for number in sorted(tables)[:2]]).family == _tables.PHOTOSHOP


def _thumbnail_likeness(evidence: Evidence, reduced: np.ndarray) -> _thumbnail.Likeness | None:
    thumbnail = evidence.thumbnail
    if thumbnail is None or evidence.jpeg.troubles:
        return None
    return _thumbnail.likeness(thumbnail, reduced, size=(evidence.width, evidence.height))


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Weigh how the file is built and whether its parts fit together."""
    if evidence.format == "jpeg":
        try:
            signs, facts = jpeg_signs(evidence)
        except EvidenceMissing as error:
            raise NotApplicable(str(error)) from error
    elif evidence.format == "heic":
        signs, facts = heif_signs(evidence)
    else:
        raise NotApplicable(f"cameras write JPEG, HEIF and raw files; this is {evidence.format.upper()}")
    total = signs.total
    return METHOD.finding(
        score=1 / (1 + 10**-total),
        explanation=explain(signs),
        measurements={
            **facts,
            "weight": round(total, 2),
            "signs": [[sign.name, sign.weight, sign.words] for sign in signs.measured],
            "claims": [[sign.name, sign.weight, sign.words] for sign in signs.claimed],
            "claims_believed": round(signs.believed, 2),
        },
        parameters={"collection": len(_tables.collection())},
    )


def explain(signs: _signs.Signs) -> str:
    """One sentence with the weightiest reasons for what the sum says, and one against it."""
    resaved = signs.total > 0
    ordered = sorted(signs.measured, key=lambda sign: -abs(sign.weight))
    agreeing = [sign.words for sign in ordered if (sign.weight > 0) == resaved][:REASONS]
    opposing = [sign.words for sign in ordered if (sign.weight > 0) != resaved][:1]
    verdict = "a program wrote" if resaved else "the camera itself wrote"
    text = f"The file is built as one that {verdict}: {', and '.join(agreeing)}"
    if resaved and signs.claimed and signs.believed > _signs.DOUBTED_CLAIM:
        text += f", and with that agrees {signs.claimed[0].words}"
    if opposing:
        text += f"; against that speaks that {opposing[0]}"
    return text + "."
