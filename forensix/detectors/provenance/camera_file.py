"""Is this a camera's own file? Then the picture in it was most likely photographed.

The same signs as for "encoder-tables", asked another question: tables and layout as only cameras'
encoders write them, with metadata that fit the picture. Where they are missing nothing
follows, since photos lose them whenever they are saved again.
"""

from __future__ import annotations

from typing import Any

from forensix.detectors.method import Method
from forensix.detectors.provenance import _signs, encoder
from forensix.errors import EvidenceMissing, NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding

METHOD = Method(
    name="camera-file",
    family="provenance",
    question="Is this a file as only a camera's own encoder writes it?",
    applies_to="JPEG and HEIF files",
    reference=(
        "E. Kee, M. K. Johnson, H. Farid, Digital Image Authentication From JPEG Headers, IEEE Transactions on "
        "Information Forensics and Security 6(3), 2011, doi 10.1109/TIFS.2011.2128309"
    ),
    concludes="origin",
    shows_low=True,
)

# Decimal logarithm of how much likelier the signs are in a camera's own file than in one saved by a program.
LEAST = 1.0
LEAST_STRUCTURE = (
    0.3  # of which this much is due to how the file is built: that is harder to copy than metadata
)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Weigh the signs; score None unless they are a camera's."""
    if evidence.format == "jpeg":
        try:
            signs, facts = encoder.jpeg_signs(evidence)
        except EvidenceMissing as error:
            raise NotApplicable(str(error)) from error
    elif evidence.format == "heic":
        signs, facts = encoder.heif_signs(evidence)
    else:
        raise NotApplicable(f"cameras write JPEG, HEIF and raw files; this is {evidence.format.upper()}")
    weight, structure = -signs.total, -signs.structure
    camera = weight >= LEAST and structure >= LEAST_STRUCTURE
    return METHOD.finding(
        score=1 / (1 + 10**weight) if camera else None,
        explanation=_explanation(signs, camera),
        measurements={"weight": round(weight, 2), "structure": round(structure, 2), **_told(facts)},
        parameters={"least_weight": LEAST, "least_structure": LEAST_STRUCTURE},
    )


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    names = ("tables", "tables_of_claimed_make", "coding", "sampling", "brands")
    return {name: facts[name] for name in names if name in facts}


def _explanation(signs: _signs.Signs, camera: bool) -> str:
    if not camera:
        return "The file is not built as only cameras build theirs; that says nothing about how the picture came about."
    for_it = sorted((s for s in signs.measured if s.weight < 0), key=lambda sign: sign.weight)
    reasons = ", and ".join(sign.words for sign in for_it[:3])
    return (
        f"The file is built as a camera's own: {reasons}; "
        "whoever can write such a file can put a generated picture into it."
    )
