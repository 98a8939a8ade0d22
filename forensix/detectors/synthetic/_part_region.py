"""The connected area of windows that look more generated than the rest of the same picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)  # above the middle of all windows, within-picture spreads
LEAST_REGION = 6  # windows
LARGEST_SHARE = 0.4  # of the windows: of two halves neither is a part
LEAST_REST = 0.25
WINDOW = 8  # cells


@dataclass(frozen=True, eq=False)
class PartRegion:
    """The area that stands out most.

    distance : between the means of area and rest, in spreads of the rest; 0 without such an area
    level : mean of the area's windows; 0 is what one window of a photo in a hundred exceeds
    rest : mean of the other windows
    quarter : a quarter of all windows lie below: where that is high, no part of the picture looks like a photo
    region : (rows, cols) bool
    nats : (rows, cols) float64, of each window for the area; NaN where not judged
    """

    distance: float
    level: float
    rest: float
    quarter: float
    region: np.ndarray
    nats: np.ndarray


def part_region(heights: np.ndarray, judged: np.ndarray, *, stride: int) -> PartRegion:
    """The connected area whose windows stand out most, upwards only.

    Parameters
    ----------
    heights : (rows, cols) float64
        Of each window, in spreads within one picture; anything where not judged.
    judged : (rows, cols) bool
    stride : int
        Cells from one window to the next.
    """
    from scipy import ndimage

    from forensix.signal.regions import label_regions

    nowhere, unknown = np.zeros_like(judged), np.where(judged, 0.0, np.nan)
    best = PartRegion(0.0, 0.0, 0.0, 0.0, nowhere, unknown)
    if not judged.any():
        return best
    quarter, middle = (float(v) for v in np.quantile(heights[judged], (0.25, 0.5)))
    best = PartRegion(0.0, middle, middle, quarter, nowhere, unknown)
    covered = np.maximum(ndimage.uniform_filter(judged.astype(float), 3, mode="constant"), 1e-3)
    smooth = ndimage.uniform_filter(np.where(judged, heights - middle, 0.0), 3, mode="constant") / covered
    reach = max(1, WINDOW // (2 * stride))
    for step in STEPS:
        labels, _ = label_regions((smooth > step) & judged)
        region = labels == 1
        if not LEAST_REGION <= region.sum() <= LARGEST_SHARE * judged.sum():
            continue
        # Windows across the border hold both: they belong to neither.
        rest = judged & ~ndimage.binary_dilation(labels > 0, iterations=reach)
        if rest.sum() < LEAST_REST * judged.sum():
            continue
        inside, outside = float(heights[region].mean()), heights[rest]
        spread = float(np.sqrt((1 + outside.var()) / 2))
        distance = (inside - float(outside.mean())) / spread
        if distance > best.distance:
            half = (inside + float(outside.mean())) / 2
            nats = np.where(judged, (smooth + middle - half) * (inside - outside.mean()) / spread**2, np.nan)
            best = PartRegion(distance, inside, float(outside.mean()), quarter, region, nats)
    return best
