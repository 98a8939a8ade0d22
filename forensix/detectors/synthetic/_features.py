"""Numbers that tell generated from photographed windows of 128 x 128 pixels.

All of them are logarithms, correlations or shapes of distributions, so that the numbers of
a picture are the means of those of its windows, and do not change with contrast.
"""

from __future__ import annotations

import numpy as np

from forensix.detectors.synthetic._lattice import (
    LATTICE,
    SHIFTS,
    lattice_peaks,
    phase_numbers,
    phase_products,
)
from forensix.signal.spectra import SIDE, azimuthal_profile, frequencies, tapered_spectra, window_corners

EDGES = (0.03, 0.05, 0.07, 0.09, 0.11, 0.13, 0.15, 0.17, 0.19, 0.21, 0.23, 0.25, 0.27, 0.29, 0.31, 0.33, 0.35,
         0.37, 0.39, 0.41, 0.43, 0.45, 0.47, 0.49, 0.53, 0.58, 0.64, 0.71)  # fmt: skip
BANDS = (0.05, 0.12, 0.20, 0.28, 0.36, 0.43, 0.5, 0.6, 0.71)
SEQUENCES = 25  # that differ after reversal and change of sign
MOST_WINDOWS = 48
MOST_FLAT, MOST_CLIPPED = 0.5, 0.3
DARKEST, LIGHTEST = 2, 253
LITTLE = 1e-2  # power, squared grey levels: below what rounding to whole levels leaves (1/12)


def windows_of(rgb: np.ndarray, *, most: int = MOST_WINDOWS) -> tuple[np.ndarray, np.ndarray]:
    """Windows spread over a picture.

    rgb : (rows, cols, 3) uint8, at least 128 x 128
    Returns (n, 128, 128, 3) uint8 and their corners, (n, 2) int.
    """
    corners = np.array(window_corners(*rgb.shape[:2], most=most))
    return np.stack([rgb[top : top + SIDE, left : left + SIDE] for top, left in corners]), corners


def names() -> list[str]:
    """What each number is."""
    rings = [f"{low:.2f}" for low in EDGES[:-1]]
    bands = [f"{low:.2f}" for low in BANDS[:-1]]
    out = [f"luma-profile-{ring}" for ring in rings]
    out += [f"{plane}-profile-{ring}" for plane in ("red-green", "blue-green") for ring in rings]
    out += [f"median-residual-{ring}" for ring in rings]
    out += ["luma-slope", "red-green-level", "blue-green-level", "luma-level", "median-level"]
    out += [f"{kind}-{band}" for kind in ("upright", "diagonal") for band in bands]
    out += [f"coherence-{pair}-{band}" for pair in ("red-green", "blue-green", "red-blue") for band in bands]
    out += [f"sparsity-{plane}-{band}" for plane in ("green", "red-green", "blue-green") for band in bands]
    out += [f"residual-{name}" for name in ("floor", "low", "middle", "spread", "kurtosis")]
    out += [f"cluster-{name}" for name in ("1", "2", "4", "diagonal", "coarse")]
    out += [f"peak-{name}" for name in LATTICE]
    out += [f"steps-{name}" for name in ("half", "eighth", "quarter", "ratio", "sign")]
    out += [f"phases-{plane}-{shift}" for plane in ("luma", "red-green", "blue-green") for shift in SHIFTS]
    along = [f"{plane}-{way}" for plane in ("luma", "red-green", "blue-green") for way in ("along", "across")]
    out += [f"sequence-{histogram}-{number:02d}" for histogram in along for number in range(SEQUENCES)]
    return out


def window_numbers(windows: np.ndarray, spectra: np.ndarray) -> np.ndarray:
    """The numbers of each window, in the order of :func:`names`, up to those of steps.

    Parameters
    ----------
    windows : (n, 128, 128, 3) uint8
    spectra : (n, 3, 128, 65) complex64, of red, green and blue

    Returns
    -------
    (n, 192) float32
    """
    red, green, blue = np.moveaxis(spectra, 1, 0)
    residual = median_residual(windows)
    luma = _power((red + 2 * green + blue) / 4)
    colours = [_power(red - green), _power(blue - green)]
    left = _power(tapered_spectra(residual))
    profiles = [np.log(azimuthal_profile(p, EDGES) + LITTLE) for p in (luma, *colours, left)]
    shapes, levels = zip(*(_levelled(p) for p in profiles), strict=True)
    slope = _slope(profiles[0])
    columns = [
        shapes[0], shapes[1], shapes[2], shapes[3], slope, levels[1] - levels[0], levels[2] - levels[0],
        levels[0], levels[3] - levels[0], *_directions(luma), *_coherence(red, green, blue),
        *sparsity(windows), _residual_shape(residual), magnitude_clusters(residual), lattice_peaks(luma),
    ]  # fmt: skip
    return np.concatenate([c if c.ndim == 2 else c[:, None] for c in columns], axis=1).astype(np.float32)


def median_residual(windows: np.ndarray) -> np.ndarray:
    """Luma less its 3 x 3 median: grain and fine detail; (n, side, side) float32."""
    import cv2

    luma = np.rint(windows.astype(np.float32) @ np.array([0.25, 0.5, 0.25], np.float32)).astype(np.uint8)
    return np.stack([one.astype(np.float32) - cv2.medianBlur(one, 3) for one in luma])


def _power(spectra: np.ndarray) -> np.ndarray:
    power: np.ndarray = spectra.real**2 + spectra.imag**2
    return power


def _levelled(profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A log profile less its mean, and that mean."""
    level = profile.mean(axis=1)
    return profile - level[:, None], level


def _slope(profile: np.ndarray) -> np.ndarray:
    """Exponent of the power law 1 / f**a of the middle frequencies, where pictures follow it."""
    middle = np.array(EDGES[1:10]) + 0.01
    axis = np.log(middle) - np.log(middle).mean()
    slope: np.ndarray = -(profile[:, 1:10] @ (axis / (axis @ axis)).astype(np.float32))
    return slope


def _directions(power: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log ratio of power up and down to left and right, and of both to the diagonals, by band."""
    down, across = frequencies(power.shape[-1] * 2 - 2)
    angle = np.degrees(np.arctan2(np.abs(down), np.abs(across)))
    sectors = []
    for inside in (angle >= 67.5, angle < 22.5, (angle >= 22.5) & (angle < 67.5)):
        # A band that a sector does not reach repeats the last one it does.
        kept = azimuthal_profile(power * inside, BANDS)
        share = azimuthal_profile(inside[None].astype(np.float32), BANDS)
        sectors.append(np.log(kept / np.maximum(share, 1e-6) + LITTLE))
    rows, cols, slanted = sectors
    return rows - cols, slanted - (rows + cols) / 2


def _coherence(red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> list[np.ndarray]:
    """Correlation of colours by band, as Fisher's z."""
    own = [azimuthal_profile(_power(plane), BANDS) + LITTLE for plane in (red, green, blue)]
    out = []
    for first, second, a, b in ((red, green, 0, 1), (blue, green, 2, 1), (red, blue, 0, 2)):
        shared = azimuthal_profile((first * second.conj()).real, BANDS)
        out.append(np.arctanh(np.clip(shared / np.sqrt(own[a] * own[b]), -0.999, 0.999)))
    return out


def sparsity(windows: np.ndarray) -> list[np.ndarray]:
    """How heavy the tails of 8 x 8 DCT coefficients are, by frequency; three of (n, len(BANDS) - 1).

    The logarithm of mean magnitude over root mean square: -0.23 for Gaussian noise, lower
    the more of the coefficients are next to nothing.

    References
    ----------
    J. Frank, T. Eisenhofer, L. Schönherr, A. Fischer, D. Kolossa, T. Holz, "Leveraging
    Frequency Analysis for Deep Fake Image Recognition", ICML 2020. arXiv:2003.08685
    """
    from scipy.fft import dctn

    count, side = windows.shape[:2]
    red, green, blue = np.moveaxis(windows.astype(np.float32), -1, 0)
    order = np.hypot(*np.mgrid[:8, :8]).ravel() / 16
    number = np.clip(np.digitize(order, BANDS) - 1, 0, len(BANDS) - 2)
    out = []
    for plane in (green, red - green, blue - green):
        blocks = dctn(plane.reshape(count, side // 8, 8, side // 8, 8), axes=(2, 4), norm="ortho")
        mean = np.abs(blocks).mean(axis=(1, 3)).reshape(count, 64)
        square = (blocks**2).mean(axis=(1, 3)).reshape(count, 64)
        each = np.log(mean + 0.05) - 0.5 * np.log(square + 0.0025)
        bands = [each[:, (order > 0) & (number == band)].mean(axis=1) for band in range(len(BANDS) - 1)]
        out.append(np.stack(bands, axis=1))
    return out


def magnitude_clusters(residual: np.ndarray) -> np.ndarray:
    """Whether strong residuals lie beside strong ones: correlation of magnitudes; (n, 5)."""
    size = np.log(np.abs(residual) + 0.5)
    coarse = np.log(np.abs(_half(residual)) + 0.5)
    pairs = [
        (size[:, :, 1:], size[:, :, :-1]), (size[:, :, 2:], size[:, :, :-2]), (size[:, :, 4:], size[:, :, :-4]),
        (size[:, 1:, 1:], size[:, :-1, :-1]), (coarse, _half(size)),
    ]  # fmt: skip
    turned = [(np.swapaxes(size, 1, 2)[:, :, k:], np.swapaxes(size, 1, 2)[:, :, :-k]) for k in (1, 2, 4)]
    values = [_correlation(a, b) for a, b in pairs]
    for k in range(3):
        values[k] = (values[k] + _correlation(*turned[k])) / 2
    return np.stack(values, axis=1)


def _half(values: np.ndarray) -> np.ndarray:
    return (values[:, ::2, ::2] + values[:, 1::2, ::2] + values[:, ::2, 1::2] + values[:, 1::2, 1::2]) / 4


def _correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    a, b = one.reshape(len(one), -1), other.reshape(len(other), -1)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    product: np.ndarray = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1) + 1e-3)
    return product


def _residual_shape(residual: np.ndarray) -> np.ndarray:
    """Spread of the local strength of the residual: a camera's grain is everywhere."""
    count, side = residual.shape[:2]
    blocks = residual.reshape(count, side // 4, 4, side // 4, 4)
    local = np.log(blocks.std(axis=(2, 4)).reshape(count, -1) + 0.1)
    tenth, quarter, half, most = np.percentile(local, (10, 25, 50, 90), axis=1)
    flat = residual.reshape(count, -1)
    variance = (flat**2).mean(axis=1)
    tails = np.log((flat**4).mean(axis=1) + 1e-2) - np.log(variance**2 + 1e-2)
    return np.stack([tenth, quarter - tenth, half - quarter, most - half, tails], axis=1)


def folded_steps(windows: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Log size of steps between neighbours in luma, by phase in the picture's own grid of 8 pixels.

    corners : (n, 2) int, where each window lies
    Returns (n, 2 directions, 8) float32, each group of 8 less its mean.
    """
    luma = windows.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    out = np.empty((len(windows), 2, 8), np.float32)
    for axis in (0, 1):
        steps = np.minimum(np.abs(np.diff(luma, axis=axis + 1)), 4.0).mean(axis=2 - axis)
        logs = np.log(steps[:, :120] + 0.05).reshape(len(windows), 15, 8).mean(axis=1)
        logs -= logs.mean(axis=1, keepdims=True)
        for row, corner in enumerate(corners):
            out[row, axis] = np.roll(logs[row], corner[axis] % 8)
    return out


def step_numbers(folded: np.ndarray) -> np.ndarray:
    """From the mean of :func:`folded_steps`, (2, 8): waves of period 2, 8 and 4, (5,) float32."""
    waves = np.fft.fft(folded, axis=-1) / 8
    size = np.abs(waves)
    half = np.log(np.sqrt(size[0, 4] * size[1, 4]) + 0.002)
    eighth = np.log(np.sqrt(np.mean(size[:, 1] ** 2 + size[:, 3] ** 2)) + 0.002)
    quarter = np.log(np.sqrt(np.mean(size[:, 2] ** 2)) + 0.002)
    return np.array([half, eighth, quarter, half - eighth, waves[:, 4].real.sum()], np.float32)


def usable(windows: np.ndarray) -> np.ndarray:
    """Which windows have the texture of a photograph: neither flat nor clipped for the most part.

    windows : (n, side, side, 3) uint8; returns (n,) bool
    """
    green = windows[..., 1]
    same = (green[:, 1:, 1:] == green[:, :-1, 1:]) & (green[:, 1:, 1:] == green[:, 1:, :-1])
    clipped = ((windows <= DARKEST) | (windows >= LIGHTEST)).all(axis=3)
    kept: np.ndarray = (same.mean(axis=(1, 2)) < MOST_FLAT) & (clipped.mean(axis=(1, 2)) < MOST_CLIPPED)
    return kept


def picture_numbers(windows: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The numbers of a picture, in the order of :func:`names`, from its usable windows; float64."""
    spectra = tapered_spectra(np.moveaxis(windows, -1, 1).astype(np.float32))
    red, green, blue = np.moveaxis(spectra, 1, 0)
    products = phase_products(np.stack([(red + 2 * green + blue) / 4, red - green, blue - green], 1), corners)
    each = window_numbers(windows, spectra).mean(axis=0)
    steps = step_numbers(folded_steps(windows, corners).mean(axis=0))
    return np.concatenate([each, steps, phase_numbers(*products), sequence_numbers(windows)]).astype(
        np.float64
    )


def sequence_numbers(windows: np.ndarray) -> np.ndarray:
    """Square roots of the shares of sequences of quantized residuals, over all windows; (150,) float32.

    References
    ----------
    D. Cozzolino, G. Poggi, L. Verdoliva, "Splicebuster: a new blind image splicing detector", IEEE
    International Workshop on Information Forensics and Security, 2015. doi:10.1109/WIFS.2015.7368565
    """
    from forensix.native.residual_histograms import residual_histograms

    counts = sum(
        residual_histograms(np.ascontiguousarray(one)).sum(axis=(0, 1), dtype=np.int64) for one in windows
    )
    shares = counts / np.maximum(np.sum(counts, axis=-1, keepdims=True), 1)
    return np.asarray(np.sqrt(shares, dtype=np.float32).ravel())
