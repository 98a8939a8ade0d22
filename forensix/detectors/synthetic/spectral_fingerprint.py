"""Spectral fingerprint: is the fine structure of a picture a camera's or a generator's?

Windows at the picture's own resolution are reduced to numbers: power spectra over all directions
of luma, colour differences and the median residual, their slope, coherence of colours, tails of DCT
coefficients, peaks on the lattices that up-sampling leaves, phases that agree a lattice vector apart, steps
that alternate, and sequences of residuals. Weighted sums of them are learnt from photos and generated pictures that
went through the same encodings: over all numbers, over the spectra alone and over the sequences alone, once for
pictures stored without loss and once for JPEG. Their mean decides. A picture
unlike everything learnt gets no score. The spectra are told as curves, with the band of real photos behind them.
"""

from __future__ import annotations

import numpy as np

from forensix.detectors.method import Method
from forensix.detectors.synthetic import _features
from forensix.detectors.synthetic._origin_model import MODEL, OriginModel, shipped
from forensix.detectors.synthetic.curves import curves_of
from forensix.errors import NotApplicable
from forensix.evidence import Evidence
from forensix.evidence.sniff import LOSSY
from forensix.finding import Finding
from forensix.signal.spectra import SIDE

METHOD = Method(
    name="spectral-fingerprint",
    family="synthetic",
    question="Is the fine structure of the picture that of generated pictures?",
    applies_to="Colour pictures of at least 256 x 256 pixels in any format; below about 512 x 256 it cannot tell",
    reference=(
        "R. Durall, M. Keuper, J. Keuper, Watch Your Up-Convolution: CNN Based Generative Deep Neural Networks "
        "Are Failing to Reproduce Spectral Distributions, CVPR 2020, doi 10.1109/CVPR42600.2020.00791; "
        "J. Frank, T. Eisenhofer, L. Schönherr, A. Fischer, D. Kolossa, T. Holz, Leveraging Frequency Analysis "
        "for Deep Fake Image Recognition, ICML 2020, arXiv 2003.08685"
    ),
    concludes="origin",
)

LEAST_SIDE = 2 * SIDE
# Two thirds of the windows on which the threshold was set: numbers taken from fewer scatter
# more, and crops of photos, 256 to 320 pixels wide (4 windows), raised alarms.
FEWEST = 8
LEAST_SHARE = 0.25  # of the windows must have the texture of a photo
GREY = 2  # grey levels by which the colours of a colour picture differ somewhere
# Exponent of the power law below which a picture is noise: white noise has 0, and of a thousand crops of photos
# hardly one (black or burnt out) has less than this.
OF_NOISE = 0.3
LOWEST = 0.15  # silence on a generator that was never learnt is not evidence of a camera


def score_of(margin: float) -> float:
    """From the margin over the threshold to a score; 0.5 at the threshold, never below LOWEST."""
    if margin > 0:
        return float(1 - 0.5 * np.exp(-1.5 * margin))
    return float(LOWEST + (0.5 - LOWEST) * np.exp(0.5 * margin))


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Compare a picture's spectra with those learnt.

    Raises
    ------
    NotApplicable
        When the picture is smaller than 256 x 256 pixels or grey.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    windows, corners = _features.windows_of(evidence.rgb)
    if int(np.ptp(windows.astype(np.int16), axis=3).max()) <= GREY:
        raise NotApplicable("it compares colours, and this picture is grey")
    usable = _features.usable(windows)
    count = int(np.count_nonzero(usable))
    parameters = {"windows": len(windows), "model": MODEL}
    if count < max(1, LEAST_SHARE * len(windows)):
        return METHOD.finding(
            score=None,
            explanation=f"Only {count} of {len(windows)} windows have the texture of a photograph; this looks like a "
            "drawing, a screen or a page, of which the spectra tell nothing.",
            measurements={"usable": count},
            parameters=parameters,
        )
    if count < FEWEST:
        return METHOD.finding(
            score=None,
            explanation=f"Only {count} windows of {SIDE} x {SIDE} pixels have the texture of a photograph; the spectra "
            f"of fewer than {FEWEST} scatter too much to tell anything.",
            measurements={"usable": count},
            parameters=parameters,
        )
    # Newer codecs are judged by the sums that were learnt on JPEG.
    encoding = "jpeg" if evidence.format in LOSSY else "lossless"
    numbers = _features.picture_numbers(windows[usable], corners[usable])
    exponent = float(numbers[_features.names().index("luma-slope")])
    if exponent < OF_NOISE:
        return METHOD.finding(
            score=None,
            explanation=f"The picture is noise rather than a scene: its power falls with frequency to the power {exponent:.1f}, "
            "where that of pictures falls with about 2.",
            measurements={"usable": count, "exponent": round(exponent, 3)},
            parameters=parameters,
        )
    return _judged(numbers, count, encoding, parameters)


def _judged(numbers: np.ndarray, count: int, encoding: str, parameters: dict[str, object]) -> Finding:
    model = shipped(encoding)
    margin, distance = float(model.margin(numbers)), float(model.distance(numbers))
    unlike = distance > 1
    return METHOD.finding(
        score=None if unlike else score_of(margin),
        explanation=_explanation(model, numbers, margin, unlike),
        measurements={
            "margin": round(margin, 3),
            "distance": round(distance, 3),
            "sums": [round(float(height), 2) for height in model.sums(numbers)],
            "usable": count,
            "exponent": round(float(numbers[model.names.index("luma-slope")]), 3),
            "curves": [curve.to_dict() for curve in curves_of(numbers, encoding=encoding)],
            "weightiest": [[name, round(share, 3)] for name, share in weightiest(model, numbers)],
        },
        parameters=parameters,
    )


def weightiest(model: OriginModel, numbers: np.ndarray, *, most: int = 5) -> list[tuple[str, float]]:
    """The numbers that speak most for a generator (or, negative, against), in the common sum."""
    shares = model.standardized(numbers) * model.weights[0] / model.units[0]
    order = np.argsort(-np.abs(shares))[:most]
    return [(model.names[at], float(shares[at])) for at in order]


def _explanation(model: OriginModel, numbers: np.ndarray, margin: float, unlike: bool) -> str:
    if unlike:
        return (
            "The picture's spectra are unlike those of all photos and generated pictures learnt, so nothing follows "
            "from them."
        )
    if margin <= 0:
        return (
            f"The picture's fine structure is within what photos show ({-margin:.1f} below the threshold); "
            "a generator that was never learnt can look the same."
        )
    named = [name for name, share in weightiest(model, numbers) if share > 0][:2]
    return (
        f"The picture's fine structure is that of generated pictures, {margin:.1f} beyond the threshold "
        f"that is set for one false alarm in a hundred photos; the most telling numbers are {' and '.join(named) or 'many small ones'}."
    )
