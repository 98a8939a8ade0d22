"""Error levels: how much each pixel changes when the picture is saved as JPEG once more.

A picture for those who ask for it, and no evidence. How much a block changes depends above
all on its contrast and texture, so that edges and fine detail are bright and skies dark in
any photo, whatever was done to it; and after a single save at a lower quality differences
of history are gone. What can be read off such differences is measured, with known rates of
error, by the methods for ghosts, double quantization and grids.
"""

from __future__ import annotations

import numpy as np

from forensix.detectors.jpeg.grid import resaved
from forensix.detectors.method import Method
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap
from forensix.signal.block_dct import SIDE

METHOD = Method(
    name="error-levels",
    family="jpeg",
    question="How much does each part of the picture change when it is saved as JPEG once more?",
    applies_to="any picture of at least 8 x 8 pixels; a picture to look at, without a score",
    reference=(
        "N. Krawetz, A Picture's Worth... Digital Image Analysis and Forensics, Black Hat Briefings USA, 2007; "
        "H. Farid, Exposing Digital Forgeries from JPEG Ghosts, IEEE Transactions on Information Forensics and "
        "Security 4(1), 2009, doi 10.1109/TIFS.2008.2012215 (what can be measured instead)"
    ),
    kind="splicing",
    preset="thorough",
)

QUALITY = 90
# The difference, in grey levels, that is drawn as bright as a map without a finding may be.
BRIGHTEST = 16.0
WHY_NO_SCORE = (
    "That is a picture to look at and no evidence, so it has no score: edges and fine texture are bright in "
    "every photo, changed or not, and whether a changed part is brighter or darker depends on what it shows."
)


def error_levels(luma: np.ndarray, *, quality: int = QUALITY) -> np.ndarray:
    """How much each pixel changes when the picture is saved once more at a quality.

    Parameters
    ----------
    luma : (rows, cols) real, 0-255, at least 8 x 8
    quality : int
        IJG quality of the save, 1 to 100, on the grid that begins at the corner.

    Returns
    -------
    (rows, cols) float32
        Absolute difference, grey levels; 0 beyond the last whole block.

    Raises
    ------
    ParameterError
        If `luma` is not 2-D or holds no whole block, or the quality is out of range.

    References
    ----------
    N. Krawetz, "A Picture's Worth... Digital Image Analysis and Forensics", Black Hat
    Briefings USA, 2007
    """
    if luma.ndim != 2 or min(luma.shape) < SIDE:
        raise ParameterError(f"luma must be 2-D and at least 8x8, got shape {luma.shape}")
    change = resaved(luma, quality=quality)
    np.subtract(change, luma, out=change, casting="same_kind")
    rows, cols = (length // SIDE * SIDE for length in luma.shape)
    change[rows:] = 0
    change[:, cols:] = 0
    levels: np.ndarray = np.abs(change, out=change)
    return levels


def detect(evidence: Evidence, *, preset: str = "thorough") -> Finding:
    """Draw the error levels; never a score."""
    if min(evidence.height, evidence.width) < SIDE:
        raise NotApplicable(f"the picture is smaller than {SIDE} x {SIDE} pixels")
    levels = error_levels(evidence.luma)
    mean = float(levels.mean())
    values = np.minimum(levels / np.float32(2 * BRIGHTEST), np.float32(0.5))
    return METHOD.finding(
        explanation=f"Saved once more at quality {QUALITY}, pixels change by {mean:.1f} grey levels on average. "
        + WHY_NO_SCORE,
        measurements={"mean_change": mean, "largest_change": float(levels.max())},
        parameters={"quality": QUALITY, "brightest": BRIGHTEST},
        heatmap=Heatmap(values),
    )
