"""Grid peaks: steps between neighbours that alternate, as layers that double a picture leave them.

A layer that doubles the size of a picture makes every other pixel from its neighbours, so that
steps between neighbouring pixels are smaller and larger by turns, everywhere: a peak at
half a cycle per pixel in the spectrum of the strength of steps, along rows and along columns. Blocks
of a JPEG recur every eight pixels and leave a little at the same place; how much is told by
the other multiples of 1/8 and allowed for. Mosaics of camera sensors do not show in luma, whose
odd and even rows hold the same kinds of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from forensix.detectors.method import Method
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding

METHOD = Method(
    name="grid-peaks",
    family="synthetic",
    question="Do steps between neighbouring pixels alternate, as layers of a generator leave them?",
    applies_to="Pictures of at least 128 x 128 pixels in any format, at the size at which they were generated",
    reference=(
        "X. Zhang, S. Karaman, S.-F. Chang, Detecting and Simulating Artifacts in GAN Fake Images, IEEE "
        "International Workshop on Information Forensics and Security 2019, doi 10.1109/WIFS47025.2019.9035107; "
        "A. C. Gallagher, Detection of Linear and Cubic Interpolation in JPEG Compressed Images, Canadian "
        "Conference on Computer and Robot Vision 2005, doi 10.1109/CRV.2005.33 (periodic strength of derivatives)"
    ),
    concludes="origin",
)

LEAST_SIDE = 128
MOST_SIDE = 2048  # the middle of larger pictures
PERIOD = 8
CLIP = 4.0  # grey levels: no edge counts for more than the finest detail
SOFT = 0.05  # grey levels added before the logarithm
LEAST_STEP = 0.05  # mean step, grey levels: below, the picture is flat
FLOOR = 0.003  # of the alternation: cameras and codecs alternate that much
OF_BLOCKS = 0.3  # how much of the strength of block structure may show up as alternation
DECISION = 5.0  # times what would be expected
REPEATED = 0.9  # depth from which every other step is next to nothing: rows and columns were repeated


@dataclass(frozen=True)
class Alternation:
    """How steps alternate in one direction.

    depth : half the difference of the mean logarithm of odd and even steps, signed
    expected : its standard deviation where nothing alternates: noise, blocks, a floor
    blocks : strength of structure of period 8 that does not alternate
    """

    depth: float
    expected: float
    blocks: float

    @property
    def height(self) -> float:
        """Times as deep as expected."""
        return abs(self.depth) / self.expected


@cache
def _contrasts() -> np.ndarray:
    """(8, 8) float64: for each place of the block border, weights that measure alternation.

    The step across the border takes no part, and neither does a hump that is symmetrical in
    the block: what quantization leaves there is.
    """
    phase = np.arange(PERIOD)
    out = np.zeros((PERIOD, PERIOD))
    for border in range(PERIOD):
        inside = (phase - border - 1) % PERIOD
        kept = inside != PERIOD - 1
        alternating = np.where(phase % 2, 1.0, -1.0)[kept]
        smooth = np.stack([np.ones(PERIOD - 1), (inside[kept] - 3.0) ** 2], axis=1)
        alternating -= smooth @ np.linalg.lstsq(smooth, alternating, rcond=None)[0]
        out[border, kept] = alternating / (alternating @ alternating)
    out.flags.writeable = False
    return out


def alternation(steps: np.ndarray) -> Alternation:
    """How a sequence of mean steps alternates.

    Parameters
    ----------
    steps : (n,) float32
        Mean size of the steps from row i to i + 1 (or column), n at least 16.

    Returns
    -------
    Alternation
        With the border of blocks where that explains most.
    """
    if steps.ndim != 1 or steps.size < 2 * PERIOD:
        raise ParameterError(f"steps must be 1-D and at least {2 * PERIOD}, got shape {steps.shape}")
    blocks = np.log(steps[: steps.size // PERIOD * PERIOD].astype(np.float64) + SOFT).reshape(-1, PERIOD)
    blocks = np.clip(blocks - blocks.mean(axis=1, keepdims=True), -1, 1)
    waves = np.fft.fft(blocks.mean(axis=0)) / PERIOD
    structure = float(np.sqrt(2 * (abs(waves[1]) ** 2 + abs(waves[3]) ** 2)))
    each = blocks @ _contrasts().T
    border = int(np.argmin(np.abs(each.mean(axis=0))))
    noise = float(each[:, border].std() / np.sqrt(len(each)))
    expected = float(np.sqrt(noise**2 + (OF_BLOCKS * structure) ** 2 + FLOOR**2))
    return Alternation(float(each[:, border].mean()), expected, structure)


def grid_peaks(luma: np.ndarray) -> tuple[Alternation, Alternation]:
    """Alternation of steps from row to row, and from column to column.

    Parameters
    ----------
    luma : (rows, cols) float32
        0-255; at least 17 x 17.
    """
    down = np.minimum(np.abs(luma[1:] - luma[:-1]), CLIP).mean(axis=1)
    across = np.minimum(np.abs(luma[:, 1:] - luma[:, :-1]), CLIP).mean(axis=0)
    return alternation(down), alternation(across)


def height(found: tuple[Alternation, Alternation]) -> float:
    """Both directions together: the geometric mean, since generators double both."""
    return float(np.sqrt(found[0].height * found[1].height))


def middle(luma: np.ndarray) -> np.ndarray:
    """The middle of a large picture, cut at a multiple of 8."""
    tops = [max(0, n - MOST_SIDE) // 2 // PERIOD * PERIOD for n in luma.shape]
    return luma[tops[0] : tops[0] + MOST_SIDE, tops[1] : tops[1] + MOST_SIDE]


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for alternating steps.

    Raises
    ------
    NotApplicable
        When the image is smaller than 128 x 128 pixels.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    luma = middle(evidence.luma)
    if float(np.abs(luma[1:] - luma[:-1]).mean()) < LEAST_STEP:
        return METHOD.finding(
            score=None, explanation="The picture is flat: it has no steps that could alternate."
        )
    found = grid_peaks(luma)
    high = height(found)
    if min(abs(a.depth) for a in found) > REPEATED:
        return METHOD.finding(
            score=None,
            explanation="Every row and column is there twice: the picture was enlarged by repetition, as screens and "
            "drawings are; how it came about does not follow.",
            measurements={"height": round(high, 3)},
            parameters={"repeated": REPEATED},
        )
    if high > DECISION and _is_drawn(luma):
        return METHOD.finding(
            score=None,
            explanation="Steps alternate, but large parts of the picture are perfectly even, as in drawings and screens: it was "
            "enlarged, and how it came about does not follow.",
            measurements={"height": round(high, 3)},
            parameters={"decision": DECISION},
        )
    return METHOD.finding(
        # What has no peak may still be generated: the score stays near 0.5.
        score=float(1 / (1 + np.exp(-np.clip(high - DECISION, -60, 60) * (0.1 if high < DECISION else 0.6)))),
        explanation=_explanation(found, high),
        measurements={
            "height": round(high, 3),
            **{
                name: {"depth": a.depth, "expected": a.expected, "blocks": a.blocks}
                for name, a in zip(("rows", "columns"), found, strict=True)
            },
        },
        parameters={"decision": DECISION, "of_blocks": OF_BLOCKS, "floor": FLOOR},
    )


def _is_drawn(luma: np.ndarray) -> bool:
    from forensix.signal.drawings import is_drawn

    return is_drawn(luma)


def _explanation(found: tuple[Alternation, Alternation], high: float) -> str:
    depths = " and ".join(f"{200 * abs(a.depth):.1f} %" for a in found)
    if high <= DECISION:
        return (
            f"Steps between neighbouring pixels do not alternate ({high:.1f} times what is expected by chance), "
            "which pictures of many generators do not either."
        )
    return (
        f"Steps between neighbouring pixels are larger and smaller by turns, by {depths} from row to row and from "
        f"column to column ({high:.1f} times what is expected), as layers that double a generated picture leave them; "
        "a photo enlarged to exactly twice its size can look the same."
    )
