"""Parts of a photo from which the pattern of its camera's sensor is missing.

With the fingerprint of the camera at hand, every part of its photos should hold the
sensor's pattern, as strongly as texture and light let it through. How strongly that is, is
learned from the photo itself. Where nothing of it is found although it should stand out,
something was put over what the sensor saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forensix.detectors.method import Method
from forensix.errors import CameraError, NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.rarity import in_words
from forensix.signal.regions import bounding_boxes, label_regions

if TYPE_CHECKING:
    from forensix.detectors.camera._window_verdict import Verdict
    from forensix.detectors.camera.fingerprint import CameraFingerprint
    from forensix.detectors.camera.matching import Match

METHOD = Method(
    name="prnu-local",
    family="camera",
    question="Is the sensor's own pattern missing from a part of the picture?",
    applies_to="Photos of a camera whose fingerprint is given (--camera NAME --store DIR)",
    reference=(
        "M. Chen, J. Fridrich, M. Goljan, J. Lukas, Determining Image Origin and Integrity Using Sensor Noise, "
        "IEEE Transactions on Information Forensics and Security 3(1), 2008, doi 10.1109/TIFS.2007.916285; "
        "G. Chierchia, G. Poggi, C. Sansone, L. Verdoliva, A Bayesian-MRF Approach for PRNU-Based Image Forgery "
        "Detection, IEEE Transactions on Information Forensics and Security 9(4), 2014, "
        "doi 10.1109/TIFS.2014.2302078"
    ),
    kind="splicing",
    takes=("camera",),
)

DECISION = -2.0  # log10 of the number of false alarms: chance gives one in a hundred photos
LEAST_CELLS = 8  # a side
CALM, SUSPECT = 0.1, 0.9


def missing_pattern(luma: np.ndarray, pattern: np.ndarray) -> tuple[Verdict, np.ndarray, np.ndarray]:
    """Where a photo lacks the pattern of its camera.

    Parameters
    ----------
    luma : (rows, cols) float32
        0-255.
    pattern : (rows, cols) float32
        The cleaned fingerprint, lying over the photo.

    Returns
    -------
    verdict : Verdict
        Over all windows of 64 to 512 pixels.
    missing : (cell rows, cell cols) bool
        Cells of 16 x 16 pixels decided on.
    judged : (cell rows, cell cols) bool
        Cells about which a window could have told.
    """
    from forensix.detectors.camera import _pattern_windows as windows
    from forensix.detectors.camera._window_verdict import verdict
    from forensix.signal.sensor_noise import sensor_noise

    cells = windows.cell_sums(sensor_noise(luma), luma, pattern)
    gain = windows.predicted_gain(cells)
    every = windows.missing_windows(cells, gain)
    outcome = verdict(every, cells.found.shape, decision=DECISION)
    if outcome.decided.any():  # what is missing must not teach what to expect
        gain = windows.predicted_gain(cells, left_out=outcome.decided)
        every = windows.missing_windows(cells, gain)
        outcome = verdict(every, cells.found.shape, decision=DECISION)
    missing = windows.missing_cells(cells, gain, outcome.decided)
    judged = windows.judged_cells(every, cells.found.shape, able=outcome.able)
    return outcome, missing, judged | missing


def detect(
    evidence: Evidence, *, preset: str = "standard", camera: CameraFingerprint | None = None
) -> Finding:
    """Look for parts without the sensor's pattern.

    Raises
    ------
    NotApplicable
        No fingerprint is given, or the photo is too small, black or blown out.
    """
    if camera is None:
        raise NotApplicable("no fingerprint of a camera was given (--camera NAME --store DIR)")
    from forensix.detectors.camera._pattern_windows import CELL
    from forensix.detectors.camera.matching import match

    if min(evidence.height, evidence.width) < LEAST_CELLS * CELL:
        raise NotApplicable(
            f"it needs at least {LEAST_CELLS * CELL} pixels a side, not {evidence.height} x {evidence.width}"
        )
    try:
        found = match(evidence, camera)
    except CameraError as reason:
        raise NotApplicable(str(reason)) from reason
    measured = {"camera": camera.name, "pce": found.pce, "offset": found.offset, "scale": found.scale}
    if found.label != "match":
        return METHOD.finding(
            explanation=f"The photo does not match {camera.name} (peak-to-correlation energy {found.pce:.1f}, 60 are "
            "needed), so nothing can be missing from it.",
            measurements=measured,
        )
    outcome, missing, judged = missing_pattern(evidence.luma, lying_over(evidence, camera, found))
    return _finding(evidence, outcome, missing, judged, measured)


def lying_over(evidence: Evidence, camera: CameraFingerprint, found: Match) -> np.ndarray:
    """The part of a fingerprint that lies over a photo that matches it, as turned and scaled as that is."""
    from forensix.detectors.camera.matching import at_scale

    rows, cols = evidence.height, evidence.width
    if found.turned % 2:
        rows, cols = cols, rows
    scaled = at_scale(camera.pattern, found.scale, rows, cols)
    top, left = found.offset or (0, 0)
    return np.ascontiguousarray(np.rot90(scaled[top : top + rows, left : left + cols], -found.turned))


def _finding(
    evidence: Evidence, outcome: Verdict, missing: np.ndarray, judged: np.ndarray, measured: dict
) -> Finding:
    from forensix.detectors.camera._pattern_windows import CELL

    measured |= {
        "log10_false_alarms": outcome.false_alarms,
        "windows_able_to_tell": outcome.tested,
        "judged_share": float(judged.mean()),
    }
    parameters = {"log10_false_alarms": DECISION, "cell": CELL}
    if outcome.false_alarms is None:
        return METHOD.finding(
            explanation=f"The photo matches {measured['camera']}, but its mark is so weak here that no part missing "
            "from it would be noticed.",
            measurements=measured,
            parameters=parameters,
        )
    values = np.where(missing, SUSPECT, np.where(judged, CALM, np.nan)).astype(np.float32)
    boxes = bounding_boxes(*label_regions(missing), cell=CELL, rows=evidence.height, cols=evidence.width)
    return METHOD.finding(
        score=float(1 / (1 + np.exp(np.clip(outcome.false_alarms - DECISION, -30, 30)))),
        explanation=_explanation(outcome, missing, judged, measured["camera"], CELL),
        measurements=measured,
        regions=[Region(box, "tampered", area) for box, area in boxes],
        parameters=parameters,
        heatmap=Heatmap(values, CELL),
    )


def _explanation(outcome: Verdict, missing: np.ndarray, judged: np.ndarray, camera: str, cell: int) -> str:
    if not missing.any():
        return (
            f"The pattern of {camera} is missing nowhere in the {judged.mean():.0%} of the photo where its absence "
            "would be noticed."
        )
    return (
        f"The pattern of the sensor of {camera} is missing from {missing.sum() * cell**2 / 1e3:.0f} thousand pixels "
        f"where it should be found; {in_words(outcome.false_alarms or 0.0)}."
    )
