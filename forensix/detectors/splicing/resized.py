"""Was the whole picture scaled or turned after it was taken?"""

from __future__ import annotations

from forensix.detectors.method import Method
from forensix.detectors.splicing._lattice_place import WHOLE, Resampling
from forensix.detectors.splicing.resampling import APPLIES_TO, analysis_of, how
from forensix.evidence import Evidence
from forensix.finding import Finding
from forensix.signal.interpolation import transformations
from forensix.signal.rarity import in_words

METHOD = Method(
    name="resized",
    family="splicing",
    question="Was the whole picture scaled or turned after it was taken?",
    applies_to=APPLIES_TO,
    reference=(
        "M. Kirchner, Fast and Reliable Resampling Detection by Spectral Analysis of Fixed Linear Predictor "
        "Residue, ACM Workshop on Multimedia and Security 2008, doi 10.1145/1411328.1411333; "
        "A. C. Gallagher, Detection of Linear and Cubic Interpolation in JPEG Compressed Images, Canadian "
        "Conference on Computer and Robot Vision 2005, doi 10.1109/CRV.2005.33"
    ),
    concludes="history",
)

# What silence says: resized pictures mostly lose the trace when they are saved as JPEG.
CALM = 0.48


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Say whether the lattice of an interpolation runs through the whole picture."""
    found = analysis_of(evidence)
    return METHOD.finding(
        score=None if found.judged == 0 else _score(found),
        explanation=_explanation(found),
        measurements={
            "log10_false_alarms": found.log10_alarms,
            "share_with_lattice": round(found.share, 4),
            "magnification_and_rotation": (
                [list(each) for each in transformations(found.frequency)] if found.whole else []
            ),
        },
    )


def _score(found: Resampling) -> float:
    if not found.whole or found.share < WHOLE:
        return CALM  # here and there some lattice: too little to say it of the whole picture
    margin = -found.log10_alarms
    return 0.5 + 0.5 * margin / (margin + 6)


def _explanation(found: Resampling) -> str:
    if found.judged == 0:
        return "Cannot tell: the picture is too flat for traces of interpolation."
    if found.whole and found.share < WHOLE:
        return "Traces of an interpolation show in several places, which does not tell what was resampled."
    if found.whole:
        return f"The whole picture was {how(found)}; {in_words(found.log10_alarms)}."
    return "No lattice of an interpolation runs through the picture."
