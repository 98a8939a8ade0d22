"""Copy-move by SURF keypoints: a second opinion on what SIFT keypoints find or miss."""

from __future__ import annotations

from forensix.detectors.copy_move.keypoints import finding_by
from forensix.detectors.method import Method
from forensix.evidence import Evidence
from forensix.finding import Finding

METHOD = Method(
    name="copy-move-surf",
    family="copy_move",
    question="Is a part of the picture a copy of another part, by keypoints of another kind?",
    applies_to="Pictures of at least 64 x 64 pixels; copies in smooth areas escape it",
    reference=(
        "H. Bay, A. Ess, T. Tuytelaars, L. Van Gool, Speeded-Up Robust Features (SURF), CVIU 110(3), "
        "2008, doi 10.1016/j.cviu.2007.09.014; X. Bo, W. Junwen, L. Guangjie, D. Yuewei, Image "
        "Copy-Move Forgery Detection Based on SURF, MINES 2010, doi 10.1109/MINES.2010.189"
    ),
    kind="copy-move",
    preset="thorough",
)


def detect(evidence: Evidence, *, preset: str = "thorough") -> Finding:
    """The finding for one picture: score, map and the regions that are copies of each other."""
    return finding_by(METHOD, evidence, features="surf")
