"""Spectra of a picture as curves to look at, with the band of real photos behind each.

What the method ``spectral-fingerprint`` weighs, laid out over frequency: power over all directions with the law
1 / f**a fitted to its middle, coherence of colours, and how far phases agree that lie where up-sampling
repeats them. The bands come with the shipped model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from forensix.detectors.synthetic import _features
from forensix.detectors.synthetic._origin_model import shipped
from forensix.errors import ParameterError

# Curve: (names of its numbers begin so, what it is, what its values are).
POWER, AGREEMENT = "log power, less its mean", "Fisher's z of the correlation"
CURVES = {
    "luma": ("luma-profile-", "power of the luma", POWER),
    "red-green": ("red-green-profile-", "power of red less green", POWER),
    "blue-green": ("blue-green-profile-", "power of blue less green", POWER),
    "residual": ("median-residual-", "power of the luma less its median", POWER),
    "coherence-red-green": ("coherence-red-green-", "coherence of red and green", AGREEMENT),
    "coherence-blue-green": ("coherence-blue-green-", "coherence of blue and green", AGREEMENT),
}
LAWFUL = ("luma", "red-green", "blue-green")
FITTED = slice(1, 10)  # rings of the middle frequencies, where pictures follow the law


@dataclass(frozen=True, eq=False)
class Curve:
    """One spectrum of a picture and what real photos show there.

    name, title, unit : what it is, and in what its values are
    frequencies : (n,) float64, cycles per pixel
    values : (n,) float64, of the picture
    low, middle, high : (n,) float64, which 5, 50 and 95 of a hundred real photos in this encoding lie below
    law : (n,) float64 or None, the fitted law 1 / f**a, of the powers of luma and colours
    """

    name: str
    title: str
    unit: str
    frequencies: np.ndarray
    values: np.ndarray
    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray
    law: np.ndarray | None = None

    def to_dict(self) -> dict[str, Any]:
        """As measurements: plain numbers of three decimals."""
        fields = ("frequencies", "values", "low", "middle", "high", "law")
        arrays = {name: getattr(self, name) for name in fields}
        told = {name: np.round(array, 3).tolist() for name, array in arrays.items() if array is not None}
        return {"name": self.name, "title": self.title, "unit": self.unit, **told}


def spectral_curves(rgb: np.ndarray, *, encoding: str = "lossless") -> tuple[Curve, ...]:
    """The spectra of a picture, each with the band of real photos.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        At least 128 x 128.
    encoding : {"lossless", "jpeg"}
        How the picture was stored last: compression changes what photos show.

    Raises
    ------
    ParameterError
        For a picture too small, or without a window that has the texture of a photograph.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ParameterError(f"rgb must be (rows, cols, 3) uint8, got {rgb.shape} {rgb.dtype}")
    windows, corners = _features.windows_of(rgb)
    kept = _features.usable(windows)
    if not kept.any():
        raise ParameterError("no part of the picture has the texture of a photograph")
    return curves_of(_features.picture_numbers(windows[kept], corners[kept]), encoding=encoding)


def curves_of(numbers: np.ndarray, *, encoding: str = "lossless") -> tuple[Curve, ...]:
    """The curves of a picture whose numbers are known, as from ``_features.picture_numbers``."""
    model = shipped(encoding)
    low, middle, high = model.bands
    out = []
    for name, (prefix, title, unit) in CURVES.items():
        at = [k for k, known in enumerate(model.names) if known.startswith(prefix)]
        edges = np.array(_features.EDGES if unit == POWER else _features.BANDS)
        rings = (edges[:-1] + edges[1:]) / 2
        values = numbers[at].astype(np.float64)
        law = decay(rings, values)[1] if name in LAWFUL else None
        out.append(Curve(name, title, unit, rings, values, low[at], middle[at], high[at], law))
    return tuple(out)


def decay(frequencies: np.ndarray, log_power: np.ndarray) -> tuple[float, np.ndarray]:
    """The law 1 / f**a fitted to the middle frequencies.

    Parameters
    ----------
    frequencies, log_power : (n,) float64
        Rings as in a curve; natural logarithms of power.

    Returns
    -------
    exponent : float
        a; about 2 for photos.
    law : (n,) float64
        Log power by the law at all frequencies.

    References
    ----------
    D. J. Field, "Relations between the statistics of natural images and the response properties of
    cortical cells", Journal of the Optical Society of America A 4(12), 1987. doi:10.1364/JOSAA.4.002379
    T. Dzanic, K. Shah, F. Witherden, "Fourier Spectrum Discrepancies in Deep Network Generated Images",
    NeurIPS 2020. arXiv:1911.06465
    """
    logs = np.log(frequencies)
    slope, level = np.polyfit(logs[FITTED], log_power[FITTED], 1)
    return float(-slope), np.asarray(level + slope * logs)
