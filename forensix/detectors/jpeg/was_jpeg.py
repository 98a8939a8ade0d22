"""A picture without JPEG data that was a JPEG once: at which quality, and where its grid lay.

Decoding a JPEG gives pixels whose DCT coefficients, on the grid of its blocks, lie close
to multiples of the quantization steps. Nothing in a PNG hides that, not even cropping,
which only moves the grid. So the clusters are looked for at all 64 positions of the grid;
at the right one, the steps tell the quality.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forensix.detectors.jpeg import _grid_phase as phase
from forensix.detectors.jpeg import _mosaic
from forensix.detectors.method import Method
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.evidence.sniff import NEWER_LOSSY
from forensix.finding import Finding
from forensix.signal.block_dct import SIDE

METHOD = Method(
    name="png-was-jpeg",
    family="jpeg",
    question="Was this picture, which is losslessly stored now, a JPEG once?",
    applies_to="PNG and other losslessly stored pictures of at least 136 x 136 pixels",
    reference=(
        "Z. Fan, R. L. de Queiroz, Identification of Bitmap Compression History: JPEG Detection and Quantizer "
        "Estimation, IEEE Transactions on Image Processing 12(2), 2003, doi 10.1109/TIP.2002.807361; "
        "R. Neelamani, R. de Queiroz, Z. Fan, S. Dash, R. G. Baraniuk, JPEG Compression History Estimation for "
        "Color Images, IEEE Transactions on Image Processing 15(6), 2006, doi 10.1109/TIP.2005.864171"
    ),
    concludes="history",
)

# Frequencies whose steps are still 2 or more at qualities above 95; looked at when the others tell nothing.
FINE = ((0, 4), (4, 0), (0, 5), (5, 0), (1, 5), (3, 3))
LARGEST_STEP = 160
ENOUGH = 8.0  # decimal logarithm of the improbability, after counting all grids and qualities tried
NOISE = 0.45  # standard deviation of a coefficient that was rounded to 8-bit colours
STRAYS = 0.03  # share of coefficients that fit no step, as in places edited afterwards
REACH = 512  # coefficients are counted up to this size
FEWEST = 20  # coefficients by which a step can be told
CLEAR = 0.3  # nats each of them must give on the average; what is left of rounding gives less
SMALL = 1.5  # smaller coefficients are left out: zero is a multiple of every step
FINENESS = phase.FINENESS


@dataclass(frozen=True)
class JpegPast:
    """What the pixels tell of an earlier JPEG compression.

    grid : (down, right)
        First row and column of a block of the earlier JPEG, 0-7 each.
    improbability : float
        Minus the decimal logarithm of the expected number of grids and qualities that
        would fit as well by chance.
    quality : int
        The libjpeg quality whose luma steps fit best, or are nearest.
    libjpeg : bool
        True where steps chosen freely fit hardly better than those of a libjpeg table.
    steps : (8, 8) int
        The best step of each frequency; 1 where none can be told.
    """

    grid: tuple[int, int]
    improbability: float
    quality: int
    libjpeg: bool
    steps: np.ndarray

    @property
    def certain(self) -> bool:
        """True where chance is excluded and the steps of at least three frequencies can be told."""
        return self.improbability > ENOUGH and int(np.count_nonzero(self.steps > 1)) >= 3


def jpeg_past(luma: np.ndarray) -> JpegPast | None:
    """Look for the traces of an earlier JPEG compression in the pixels.

    Parameters
    ----------
    luma : (rows, cols) float
        0 to 255, Rec. 601 weights.

    Returns
    -------
    JpegPast or None
        The best guess, however improbable; None below 136 x 136 pixels.

    Raises
    ------
    ParameterError
        If `luma` is not two-dimensional.

    References
    ----------
    Z. Fan, R. L. de Queiroz, IEEE TIP 12(2), 2003, doi 10.1109/TIP.2002.807361 (likelihood of
    steps given the coefficients of a decoded JPEG).
    """
    if luma.ndim != 2:
        raise ParameterError(f"luma is (rows, cols), got shape {luma.shape}")
    mosaic = _mosaic.of_pixels(luma)
    if mosaic is None:
        return None
    if not mosaic.photographic:
        return JpegPast((0, 0), 0.0, 100, False, np.ones((SIDE, SIDE), int))
    improbable = grid_improbability(mosaic, phase.PERIODIC)
    if improbable.max() < ENOUGH:
        improbable = np.maximum(improbable, grid_improbability(mosaic, FINE)) - np.log10(2)
    shift = int(np.argmax(improbable.max(axis=1)))
    grid = divmod(shift, SIDE)
    likelihood, number = step_likelihood(mosaic.blocks(offset=grid, unclipped=True))
    clearest = likelihood.max(axis=1)
    told = (number >= FEWEST) & (clearest > CLEAR * number)
    steps = np.where(told, likelihood.argmax(axis=1) + 1, 1)
    tables = np.minimum(np.stack(phase.first_tables()).reshape(-1, 64), LARGEST_STEP)[:, told]
    fits = likelihood[np.flatnonzero(told), tables - 1].sum(axis=1)
    best = int(np.argmax(fits))
    libjpeg = bool(fits[best] > 0.8 * clearest[told].sum())
    if not libjpeg:
        best = int(np.abs(np.log(tables / steps[told])).sum(axis=1).argmin())
    quality = int(phase.QUALITIES[best])
    return JpegPast(grid, float(improbable[shift].max()), quality, libjpeg, steps.reshape(SIDE, SIDE))


def grid_improbability(mosaic: _mosaic.Mosaic, frequencies: tuple[tuple[int, int], ...]) -> np.ndarray:
    """How badly chance explains the clusters on each grid, for each quality.

    frequencies : (vertical, horizontal) of the coefficients to judge by

    Returns
    -------
    (64, qualities) float64
        Minus the decimal logarithm of the probability times the number of cases.
    """
    surprises = {}
    for frequency in frequencies:
        power = phase.step_power(mosaic, frequency)
        # A narrow distribution has some power at every step, on all grids alike.
        surprises[frequency] = power / np.maximum(np.median(power, axis=0), 1.0)
    cases = phase.SHIFTS * len(phase.QUALITIES)
    improbable: np.ndarray = phase.combined_improbability(surprises) - np.log10(cases)
    return improbable


def step_likelihood(coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihood, in nats, of each step for each frequency, against no quantization.

    Parameters
    ----------
    coefficients : (blocks, 64) float
        DCT coefficients on the grid of the earlier JPEG.

    Returns
    -------
    likelihood : (64, LARGEST_STEP) float64
        ``[frequency, step - 1]``
    number : (64,) int
        How many coefficients of each frequency are large enough to tell.
    """
    bins = 2 * REACH * FINENESS
    place = np.rint(coefficients * FINENESS).astype(np.int32) + bins // 2
    place += np.arange(64, dtype=np.int32) * bins
    size = np.abs(coefficients)
    inside = (size > SMALL) & (size < REACH - 1)
    counts = np.bincount(place[inside], minlength=64 * bins).reshape(64, bins)
    likelihood: np.ndarray = counts.astype(np.float32) @ _lattice_likelihood()
    return likelihood.astype(np.float64), counts.sum(axis=1)


@lru_cache(maxsize=1)
def _lattice_likelihood() -> np.ndarray:
    """(bins, LARGEST_STEP) float32: log density of a coefficient near a multiple of a step, times the step."""
    value = (np.arange(2 * REACH * FINENESS) / FINENESS - REACH)[:, None]
    step = np.arange(1, LARGEST_STEP + 1)
    distance = value - step * np.rint(value / step)
    density = np.zeros(distance.shape)
    for turn in range(-2, 3):  # small steps have neighbours within reach of the noise
        density += np.exp(-0.5 * ((distance + turn * step) / NOISE) ** 2)
    density *= step / (np.sqrt(2 * np.pi) * NOISE)
    logs: np.ndarray = np.log((1 - STRAYS) * density + STRAYS).astype(np.float32)
    return logs


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for an earlier JPEG compression in the pixels of a file that is no JPEG."""
    if evidence.format == "jpeg":
        raise NotApplicable("the file is a JPEG; its own tables and coefficients tell more")
    if evidence.format in NEWER_LOSSY or "JPEG" in evidence.stored:
        raise NotApplicable(
            f"{evidence.format.upper()} quantizes blocks of its own, which would be taken for a JPEG's"
        )
    past = jpeg_past(evidence.luma)
    if past is None:
        raise NotApplicable(f"{evidence.width} x {evidence.height} pixels are too few; 136 x 136 are needed")
    decided = past.certain
    measurements = {
        "improbability": round(min(past.improbability, 9999.0), 2),
        "grid": list(past.grid) if decided else None,
        "previous_quality": past.quality if decided and past.libjpeg else None,
        "nearest_quality": past.quality if decided else None,
        "steps": past.steps if decided else None,
    }
    # Nothing found says nothing: resizing wipes the traces out, and no camera writes such files.
    return METHOD.finding(
        score=past.improbability**2 / (past.improbability**2 + ENOUGH**2) if decided else None,
        explanation=_explain(past, decided),
        measurements=measurements,
        parameters={"enough": ENOUGH, "noise": NOISE},
    )


def _explain(past: JpegPast, decided: bool) -> str:
    if not decided:
        return (
            "The pixels show no trace of an earlier JPEG compression; resizing, filtering or a quality above 98 "
            "would have left none."
        )
    where = f"its grid begins at row {past.grid[0]}, column {past.grid[1]}"
    if past.libjpeg:
        return f"This picture was once a JPEG of quality about {past.quality}; {where}."
    return (
        f"This picture was once a JPEG, with quantization steps that are not libjpeg's "
        f"(nearest quality {past.quality}); {where}."
    )
