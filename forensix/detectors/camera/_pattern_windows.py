"""Where in a photo the pattern of its camera is missing: sums over cells, a predictor, windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.camera._window_verdict import SIDES, Windows, window_sums
from forensix.signal.sensor_noise import weighted_light

CELL = 16  # pixels
PREDICTED = 8  # cells, side of the windows the predictor learns from: 128 pixels
SHIFTS = (
    (40, 72),
    (-56, 32),
    (88, -48),
    (104, 136),
    (-120, -88),
    (-32, 160),
)  # pixels, by which nothing matches
ERROR = 0.15  # of what the predictor expects, by which it may be wrong
LEAST_GAIN = 0.1  # of the mean gain
JUDGED = 24  # cells, side of the largest window that judges its cells
AROUND = 6  # cells around the windows decided on, in which the outline is looked for
COUPLING = 0.5  # nats between cells that differ
DOUBT = 0.02  # nats that every cell has against being missing, so that the outline keeps to where something is known
MOST = 4.0  # nats that one cell may say
PART = 16  # cells, side of the parts of a photo that are predicted from the others
RIDGE = 0.01  # of the weight of all windows
LEAST_WINDOWS = 12  # to learn from
FINE = 1.5  # pixels, of the blur that takes fine detail away
FLAT = 0.02  # grey levels squared, added to the noise variance


@dataclass(frozen=True)
class Cells:
    """Sums over cells of CELL x CELL pixels, all (rows, cols) float64.

    found : of noise times expected pattern, over the noise variance
    expected : of the expected pattern squared, over the noise variance
    strays : (len(SHIFTS), rows, cols), as found, with the pattern out of place
    loudness : mean of the logarithm of the noise variance
    texture : mean of the logarithm of the variance of fine detail in the picture itself
    light : mean light, 0 to about 1
    """

    found: np.ndarray
    expected: np.ndarray
    strays: np.ndarray
    loudness: np.ndarray
    texture: np.ndarray
    light: np.ndarray


def cell_sums(noise: np.ndarray, luma: np.ndarray, pattern: np.ndarray) -> Cells:
    """Correlate a photo's noise with its camera's pattern, cell by cell.

    Parameters
    ----------
    noise, luma, pattern : (rows, cols) float32
        Noise residual, picture and cleaned fingerprint, lying over each other. What does
        not fill a cell at the far edges is left out.
    """
    import cv2

    light = weighted_light(luma)
    variance = _local_square(noise)
    detail = _local_square(luma - cv2.GaussianBlur(luma, (0, 0), FINE, borderType=cv2.BORDER_REFLECT))
    weighted = noise * light / variance
    strays = [_summed(weighted * np.roll(pattern, shift, axis=(0, 1))) for shift in SHIFTS]
    return Cells(
        found=_summed(weighted * pattern),
        expected=_summed(np.square(light * pattern) / variance),
        strays=np.stack(strays),
        loudness=_summed(np.log(variance)) / CELL**2,
        texture=_summed(np.log(detail)) / CELL**2,
        light=_summed(light) / (CELL**2 * 128),
    )


def predicted_gain(cells: Cells, *, left_out: np.ndarray | None = None) -> np.ndarray:
    """How strongly the pattern should show in each cell, learned from the rest of the photo.

    A linear regression of found on expected over windows of 128 pixels, on light, texture
    and how much of it the denoiser left in the noise. Each part of the photo is predicted
    from windows that lie outside of it and its surroundings, so that what is missing from
    it cannot teach what to expect there; and not beyond what those windows show.

    Parameters
    ----------
    left_out : (rows, cols) bool
        Cells not to learn from.

    Returns
    -------
    (rows, cols) float64
        ``found`` should be about ``gain * expected`` where the pattern is present.

    References
    ----------
    M. Chen et al., IEEE TIFS 3(1), 2008, doi 10.1109/TIFS.2007.916285 (section V-B: the
    correlation predictor, there learned from other photos of the camera).
    """
    kept = np.ones(cells.found.shape) if left_out is None else (~left_out).astype(float)
    told = np.stack([cells.loudness, cells.texture, cells.light, cells.light**2, cells.texture**2], axis=-1)
    lessons = _Lessons.of(cells, told, kept)
    if lessons is None:
        mean = max(0.0, float(np.sum(cells.found * kept)) / max(float(np.sum(cells.expected * kept)), 1e-12))
        return np.full(cells.found.shape, mean)
    gain = np.empty_like(cells.found)
    part = [max(1, min(PART, length // 4)) for length in cells.found.shape]
    for top in range(0, gain.shape[0], part[0]):
        for left in range(0, gain.shape[1], part[1]):
            here = np.s_[top : top + part[0], left : left + part[1]]
            gain[here] = lessons.without(top, left, part).gain(told[here])
    return gain


@dataclass(frozen=True)
class _Lessons:
    """Windows to learn the gain from.

    place : (windows, 2), the first cell of each
    told, target, weight : (windows, features), (windows,), (windows,)
    """

    place: np.ndarray
    told: np.ndarray
    target: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, cells: Cells, told: np.ndarray, kept: np.ndarray) -> _Lessons | None:
        """All windows that weigh something; None for too few."""
        side, step = min(PREDICTED, kept.shape[0], kept.shape[1]), PREDICTED // 2

        def windows(values: np.ndarray) -> np.ndarray:
            return window_sums(values * kept, side)[::step, ::step]

        weight = windows(cells.expected)
        use = weight > 1e-3 * weight.max()
        if np.count_nonzero(use) < LEAST_WINDOWS or windows(cells.found)[use].sum() <= 0:
            return None
        weight = weight[use]
        features = [windows(part * cells.expected)[use] / weight for part in np.moveaxis(told, -1, 0)]
        place = np.stack(np.nonzero(use), axis=1) * step
        return cls(place, np.stack(features, axis=1), windows(cells.found)[use] / weight, weight)

    def without(self, top: int, left: int, part: list[int]) -> _Lessons:
        """The windows that lie outside a part and half as much around it; all, where few would stay."""
        first = np.array([top - part[0] // 2 - PREDICTED, left - part[1] // 2 - PREDICTED])
        last = np.array([top + part[0] + part[0] // 2, left + part[1] + part[1] // 2])
        away = ~((self.place > first) & (self.place < last)).all(axis=1)
        if np.count_nonzero(away) < LEAST_WINDOWS or self.weight[away].sum() < self.weight.sum() / 4:
            return self
        return _Lessons(self.place[away], self.told[away], self.target[away], self.weight[away])

    def gain(self, told: np.ndarray) -> np.ndarray:
        """The gain that goes with what is told of cells, (..., features)."""
        weight = self.weight
        mean = max(float(np.average(self.target, weights=weight)), 0.0)
        centre = np.average(self.told, axis=0, weights=weight)
        scale = np.sqrt(np.average((self.told - centre) ** 2, axis=0, weights=weight)) + 1e-6
        seen = (self.told - centre) / scale
        # A little ridge, so that a photo of one texture and one light keeps to its mean gain.
        square = (seen * weight[:, None]).T @ seen + RIDGE * weight.sum() * np.eye(len(scale))
        solved = np.linalg.solve(square, (seen * weight[:, None]).T @ (self.target - mean))
        low, high = np.quantile(seen, [0.02, 0.98], axis=0)
        gain: np.ndarray = mean + np.clip((told - centre) / scale, low, high) @ solved
        return np.clip(gain, LEAST_GAIN * mean, 3 * mean)


def missing_windows(cells: Cells, gain: np.ndarray) -> list[Windows]:
    """How strongly the pattern is missing from every window of every size."""
    windows = []
    for side in SIDES:
        if side > min(cells.found.shape):
            break
        found = np.maximum(window_sums(cells.found, side), 0)
        power = window_sums(cells.expected, side)
        expected = window_sums(gain * cells.expected, side)
        noise = np.maximum(stray_spread(cells, side) * power, 1e-12)
        spread = np.sqrt(noise + (ERROR * expected) ** 2)
        windows.append(Windows(side, (expected - found) / spread, expected / spread))
    return windows


def stray_spread(cells: Cells, side: int) -> float:
    """The variance of found over expected in windows where the pattern is out of place."""
    power = np.maximum(window_sums(cells.expected, side), 1e-12)
    return float(np.mean([window_sums(stray, side) ** 2 / power for stray in cells.strays]))


def _local_square(values: np.ndarray) -> np.ndarray:
    """Mean square in windows of a cell to either side, and a little, so that it is never 0."""
    import cv2

    size = 2 * CELL + 1
    mean: np.ndarray = cv2.boxFilter(values * values, -1, (size, size), borderType=cv2.BORDER_REFLECT)
    mean += np.float32(FLAT)
    return mean


def _summed(values: np.ndarray) -> np.ndarray:
    rows, cols = (side // CELL for side in values.shape)
    whole = values[: rows * CELL, : cols * CELL].reshape(rows, CELL, cols, CELL)
    return whole.sum(axis=(1, 3), dtype=np.float64)


def judged_cells(windows: list[Windows], shape: tuple[int, int], *, able: float) -> np.ndarray:
    """(rows, cols) bool: cells inside a window of at most JUDGED cells a side that could have told."""
    judged = np.zeros(shape, bool)
    for window in windows:
        if window.side <= JUDGED:
            for row, col in zip(*np.nonzero(window.utmost[::2, ::2] >= able), strict=True):
                judged[2 * row : 2 * row + window.side, 2 * col : 2 * col + window.side] = True
    return judged


def missing_cells(cells: Cells, gain: np.ndarray, decided: np.ndarray) -> np.ndarray:
    """The outline of what is missing: two labels, on and around the windows decided on.

    Returns (rows, cols) bool. Where the labels keep less than a quarter of the windows,
    there is too little evidence in single cells, and the windows stay.
    """
    from scipy import ndimage

    from forensix.native.two_label_field import two_label_field

    if not decided.any():
        return decided
    evidence = gain * (gain * cells.expected / 2 - cells.found) / stray_spread(cells, PREDICTED)
    near = ndimage.binary_dilation(decided, iterations=AROUND)
    evidence = np.where(near, np.clip(evidence, -MOST, MOST) - DOUBT, -MOST)
    labels = two_label_field(evidence, coupling=COUPLING, sweeps=12) > 0
    groups, _ = ndimage.label(labels)
    kept = np.unique(groups[decided & labels])
    outline = np.isin(groups, kept[kept > 0])
    return outline if np.count_nonzero(outline & decided) >= decided.sum() / 4 else decided
