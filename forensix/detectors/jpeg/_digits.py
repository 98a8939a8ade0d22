"""Two descriptions of a whole JPEG that hint at its past: first digits, and fine chroma detail."""

from __future__ import annotations

import numpy as np

DIGITS = np.arange(1, 10)
FEWEST = 1000  # coefficients, for a description to mean anything


def benford_divergence(levels: np.ndarray) -> float | None:
    """How far the first digits of the quantized AC coefficients are from the generalized Benford law.

    Once quantized, the digits follow p(d) = N log10(1 + 1 / (s + d**q)); a second
    quantization spoils that.

    Parameters
    ----------
    levels : (blocks, 64) int
        Quantized coefficients, row order.

    Returns
    -------
    float or None
        Sum of (observed - law)**2 / law over the nine digits, for the best parameters;
        None with fewer than 1000 coefficients other than zero.

    References
    ----------
    D. Fu, Y. Q. Shi, W. Su, "A generalized Benford's law for JPEG coefficients and its
    applications in image forensics", Proc. SPIE 6505, 2007, doi 10.1117/12.704723.
    """
    size = np.abs(levels[:, 1:].astype(np.int32)).ravel()
    size = size[size > 0]
    if size.size < FEWEST:
        return None
    counts = np.bincount(np.minimum(size, 9999), minlength=10000)
    numbers = np.arange(10000)
    first = numbers // 10 ** np.floor(np.log10(np.maximum(numbers, 1))).astype(int)
    observed = np.bincount(first, weights=counts, minlength=10)[1:] / size.size
    exponents = np.linspace(0.6, 2.4, 37)[:, None, None]
    offsets = np.linspace(-0.6, 2.0, 53)[None, :, None]
    law = np.log10(1 + 1 / (offsets + DIGITS**exponents))
    law /= law.sum(axis=2, keepdims=True)
    return float((np.square(observed - law) / law).sum(axis=2).min())


def fine_chroma_share(levels: np.ndarray) -> tuple[float, float] | None:
    """Share of the chroma coefficients that a plane of half the resolution could not have.

    Where it is almost nothing in a file without chroma subsampling, the colours may have
    been subsampled before; or the lens, the sensor or the scene had no such detail.

    Parameters
    ----------
    levels : (blocks, 64) int
        Quantized coefficients of a chroma plane as large as the luma plane, row order.

    Returns
    -------
    (vertical, horizontal) or None
        Of the coefficients other than zero and DC, the share with frequency 4 or more;
        None with fewer than 1000 of them.
    """
    counts = np.count_nonzero(levels, axis=0).reshape(8, 8).astype(np.float64)
    counts[0, 0] = 0
    total = counts.sum()
    if total < FEWEST:
        return None
    return float(counts[4:].sum() / total), float(counts[:, 4:].sum() / total)
