"""Parts with another noise than equally bright and equally smooth parts of the same picture.

Every camera, exposure and processing leaves its own strength of noise for each brightness,
in the luma and in the colours, and at several scales, since denoising and compression take
more of the fine than of the coarse. A part that came from elsewhere stands off the curve of
the rest. Textures do so too, a little, in every picture; an area is therefore reported only
where it lies farther from the rest than areas of untouched photos do.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

from forensix.detectors.camera._foreign_region import (
    CELLS,
    FEWEST_WINDOWS,
    most_foreign_region,
    spread,
    window_stride,
)
from forensix.detectors.camera._noise_scatter import SCATTER
from forensix.detectors.decided_area import leaning_map, tampered_regions
from forensix.detectors.method import Method
from forensix.errors import NotApplicable
from forensix.evidence import Evidence
from forensix.finding import Finding
from forensix.signal.blas import one_blas_thread
from forensix.signal.noise_strength import CELL as FINE_CELL
from forensix.signal.noise_strength import MEASURES, NoiseCells, against_equal_places, noise_cells

METHOD = Method(
    name="noise-level",
    family="camera",
    question="Has an area another noise than equally bright and smooth places elsewhere in the picture?",
    applies_to="Colour photographs of half a megapixel and more, best where little compressed",
    reference=(
        "M. Gardella, P. Muse, M. Colom, J.-M. Morel, Image Forgery Detection Based on Noise Inspection: "
        "Analysis and Refinement of the Noisesniffer Method, Image Processing On Line 14, 2024, doi "
        "10.5201/ipol.2024.462 (noise at equal brightness; the measures and the decision are our own)"
    ),
    kind="splicing",
    preset="standard",
)

LEAST_SIDE = 256  # pixels
CELL = 16  # pixels
LEAST_COMPARED = 0.12  # share of a window's cells that must be smooth and not clipped
DECISION = 6.5  # standard deviations; what untouched photos reach: benchmarks/results/camera-traces.md
COVERED = 0.3  # of the windows over a cell: from here on it belongs to their area
SLOPE = 1.5
FEWEST_APART = 16  # windows beside each other that must be comparable: from fewer no scatter is known
LEAST_JUDGED = 0.5  # of the windows; what is left of the noise elsewhere is compression's choice


@dataclass(frozen=True, eq=False)
class NoiseRegion:
    """The area whose noise differs most from that of equal places.

    distance : between the means of area and rest, in standard deviations of the rest; 0
        where there is no such area
    cells : (rows // 16, cols // 16) bool, the area
    evidence : (rows // 16, cols // 16) float64, nats for the area against the rest; NaN
        where nothing could be compared
    windows : windows of 128 x 128 pixels compared
    ratio : of the luma's noise in the area and in equal places of the rest, 1 without area;
        rather too near to 1, as the area has its part in what it is compared with
    colour_ratio : the same of the colour differences, averaged over 2 x 2 pixels
    judged : share of the windows that could be compared
    apart : so many windows beside each other cover as much as could be compared
    """

    distance: float
    cells: np.ndarray
    evidence: np.ndarray
    windows: int
    ratio: float
    colour_ratio: float
    judged: float
    apart: float


def noise_level(rgb: np.ndarray, luma: np.ndarray, *, scatter: np.ndarray = SCATTER) -> NoiseRegion:
    """The area whose noise differs most from that of equally bright and smooth places.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        At least 128 x 128.
    luma : (rows, cols) float32
        0-255.
    scatter : (10, 10) float64
        Covariance of the window means within untouched photos.

    References
    ----------
    M. Gardella et al. 2024, doi 10.5201/ipol.2024.462 (noise at equal brightness)
    """
    with one_blas_thread():
        return noise_region(noise_cells(rgb, luma), scatter=scatter)


def noise_region(cells: NoiseCells, *, scatter: np.ndarray = SCATTER) -> NoiseRegion:
    """:func:`noise_level` of what is known of a picture's cells."""
    against = against_equal_places(cells)
    means, judged, stride = window_means(against)
    shape = (against.shape[0] * FINE_CELL // CELL, against.shape[1] * FINE_CELL // CELL)
    windows = int(judged.sum())
    share, apart = float(judged.mean()), windows * stride**2 / CELLS**2
    if windows < FEWEST_WINDOWS or min(judged.shape) < 3:
        nowhere = np.zeros(shape, bool)
        return NoiseRegion(0.0, nowhere, np.full(shape, np.nan), windows, 1.0, 1.0, share, apart)
    distance, region, evidence = most_foreign_region(
        means[judged] @ np.linalg.cholesky(np.linalg.inv(scatter)), judged, stride=stride
    )
    with np.errstate(invalid="ignore"):
        area = spread(np.where(judged, region.astype(float), np.nan), stride, shape) > COVERED
    luma_ratio, colour_ratio = _ratios(against, area)
    return NoiseRegion(
        distance, area, spread(evidence, stride, shape), windows, luma_ratio, colour_ratio, share, apart
    )


def window_means(against: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Means over windows of 128 x 128 pixels of what could be compared in them.

    Parameters
    ----------
    against : (rows, cols, 10) float32
        As from :func:`~forensix.signal.noise_strength.against_equal_places`.

    Returns
    -------
    means : (window rows, window cols, 10) float64
    judged : (window rows, window cols) bool
        Where enough could be compared.
    stride : int
        Between windows, in cells of 16 pixels.
    """
    double = CELL // FINE_CELL
    rows, cols = (side // double * double for side in against.shape[:2])
    stride = window_stride(rows // double, cols // double)
    side, step = CELLS * double, stride * double
    compared = np.isfinite(against[:rows, :cols, :1])
    number = _window_sums(compared.astype(np.float64), side, step)
    means = _window_sums(np.nan_to_num(against[:rows, :cols]), side, step) / np.maximum(number, 1)
    return means, number[..., 0] >= LEAST_COMPARED * side**2, stride


def _window_sums(values: np.ndarray, side: int, step: int) -> np.ndarray:
    whole = np.zeros((values.shape[0] + 1, values.shape[1] + 1, values.shape[2]))
    whole[1:, 1:] = values.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    sums: np.ndarray = (
        whole[side:, side:] - whole[:-side, side:] - whole[side:, :-side] + whole[:-side, :-side]
    )
    return sums[::step, ::step]


def _ratios(against: np.ndarray, area: np.ndarray) -> tuple[float, float]:
    """How many times as strong the area's noise is, in the luma and in the colours."""
    side = CELL // FINE_CELL
    inside = np.zeros(against.shape[:2], bool)
    fine = area.repeat(side, axis=0).repeat(side, axis=1)
    inside[: fine.shape[0], : fine.shape[1]] = fine
    compared = np.isfinite(against[..., 0])
    if not (inside & compared).any() or not (~inside & compared).any():
        return 1.0, 1.0
    means = (against[where & compared].mean(axis=0, dtype=np.float64) for where in (inside, ~inside))
    apart = np.exp(np.subtract(*means))
    colours = [apart[k] for k, (plane, scale) in enumerate(MEASURES) if plane != "luma" and scale == 2]
    luma, colour = float(apart[0]), float(np.mean(colours))
    return luma, colour


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for an area with another noise.

    Raises
    ------
    NotApplicable
        When the picture is smaller than 256 x 256 pixels, or grey.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(
            f"it needs at least {LEAST_SIDE} x {LEAST_SIDE} pixels, not {evidence.height} x {evidence.width}"
        )
    if evidence.colourless:
        raise NotApplicable("it compares the noise of colours too, and this picture has none")
    found = noise_level(evidence.rgb, evidence.luma)
    told = found.windows >= FEWEST_WINDOWS and found.apart >= FEWEST_APART and found.judged >= LEAST_JUDGED
    decided = told and found.distance > DECISION and bool(found.cells.any())
    score = 1 / (1 + exp((DECISION - found.distance) / SLOPE))
    return METHOD.finding(
        score=(score if decided else min(score, 0.5)) if told else None,
        explanation=_explanation(found, told=told, decided=decided),
        measurements={
            "distance": round(found.distance, 3),
            "noise_ratio": round(found.ratio, 3),
            "colour_noise_ratio": round(found.colour_ratio, 3),
            "share": round(float(found.cells.mean()), 4),
            "windows": found.windows,
            "judged_share": round(found.judged, 4),
        },
        parameters={"decision": DECISION, "window": CELLS * CELL, "least_judged": LEAST_JUDGED},
        regions=tampered_regions(found.cells, evidence, cell=CELL) if decided else (),
        heatmap=leaning_map(found.evidence, found.cells, cell=CELL, decided=decided) if told else None,
    )


def _explanation(found: NoiseRegion, *, told: bool, decided: bool) -> str:
    if not told and found.judged >= LEAST_JUDGED:
        return (
            "The picture is too small, or too little of it comparable, to know how much its noise scatters."
        )
    if not told:
        return (
            "Too little of the picture has noise that could be compared: the rest is clipped, or compression or "
            f"denoising took its noise away (comparable {found.judged:.0%}, at least {LEAST_JUDGED:.0%} wanted)."
        )
    if decided:
        return (
            f"In {found.cells.mean():.1%} of the picture the noise is other than in equally bright and smooth "
            f"places of the rest ({found.ratio:.2f} times as strong, in the colours {found.colour_ratio:.2f} times), "
            f"{found.distance:.1f} standard deviations away where hardly an untouched photo exceeds {DECISION:g}."
        )
    return (
        f"No area's noise stands out from equally bright and smooth places: the most different one is "
        f"{found.distance:.1f} standard deviations away, and untouched photos come up to {DECISION:g}."
    )
