"""Does the file itself say that it was generated?

Programs that generate pictures write their settings into the file, mark it in its metadata or
content credentials, or hide a watermark in the pixels. All of these are claims: they
are easily written and easily taken out, so only what is said counts, never that nothing is.
"""

from __future__ import annotations

from forensix.detectors.method import Method
from forensix.detectors.provenance import _watermark
from forensix.detectors.provenance._declared import CAMERA, GENERATED, PARTLY, Claim, claims
from forensix.evidence import Evidence
from forensix.finding import Finding

METHOD = Method(
    name="declared-origin",
    family="provenance",
    question="Does the file say of itself that a program generated it?",
    applies_to="Every image; PNG text, EXIF, XMP, content credentials (C2PA) and a published invisible watermark",
    reference=(
        "IPTC NewsCodes, Digital Source Type, https://cv.iptc.org/newscodes/digitalsourcetype/; "
        "C2PA Technical Specification 2.1, 2024; "
        "I. J. Cox, M. L. Miller, J. A. Bloom, J. Fridrich, T. Kalker, Digital Watermarking and Steganography, "
        "2008, doi 10.1016/B978-0-12-372585-1.X5001-3 (quantization index modulation)"
    ),
    concludes="origin",
)

DECIDED_CHANCE = -6.0  # log10: a watermark is taken as read when chance does so in one of a million pictures
SAYS_GENERATED, WATERMARKED, SAYS_CAMERA = 0.95, 0.97, 0.45
EASILY = "such claims are easily written and easily removed"


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Gather what the file says; score None where it says nothing about a generator."""
    found = claims(evidence)
    mark = _watermark.read(evidence.rgb) if evidence.channels >= 3 else None
    read = mark is not None and mark.log10_chance < DECIDED_CHANCE
    score, explanation = judge(found, mark if read else None)
    return METHOD.finding(
        score=score,
        explanation=explanation,
        measurements={
            "claims": [{"says": claim.says, "where": claim.where, "what": claim.what} for claim in found],
            "watermark": mark
            and {
                "program": mark.program if read else None,
                "agreeing": mark.agreeing,
                "bits": mark.length,
                "log10_chance": round(mark.log10_chance, 2),
            },
        },
        parameters={"log10_chance": DECIDED_CHANCE},
    )


def judge(found: list[Claim], mark: _watermark.Watermark | None) -> tuple[float | None, str]:
    """Score and sentence from the claims and a watermark that could be read (else None)."""
    if mark is not None:
        return WATERMARKED, (
            f"The pixels hold the invisible watermark that scripts of {mark.program} write: {mark.agreeing} of "
            f"{mark.length} bits agree; anyone can write it, so it is a claim of the file, not a measurement of its origin."
        )
    by_kind = {kind: [c for c in found if c.says == kind] for kind in (GENERATED, PARTLY, CAMERA)}
    generated, partly, camera = by_kind.values()
    if generated and not partly and not camera:
        first = generated[0]
        return SAYS_GENERATED, (
            f"The file itself says that it was generated: {first.where} holds {first.what}; {EASILY}."
        )
    if generated or partly:
        said = ", ".join(f"{c.where} says {c.what}" for c in (*partly, *generated, *camera)[:3])
        return (
            None,
            f"The file says that parts of it were generated, or contradicts itself: {said}; {EASILY}.",
        )
    if camera:
        first = camera[0]
        return (
            SAYS_CAMERA,
            f"The file says that it was photographed: {first.where} says {first.what}; {EASILY}.",
        )
    return None, "The file says nothing about a generator; most generated pictures do not either."
