"""Traces of an 8 x 8 grid that begins elsewhere than the grid of the file.

When a JPEG is cropped and saved again, its first grid lies shifted under the second. Two
traces of it survive. The DCT coefficients on the first grid still cluster at multiples of
the first steps (integer periodicity). And many of them were set to zero, so that more of
them are small on the first grid than on others, which shows even where the second
quantization was much stronger than the first and no clusters are left.

The second compression leaves traces of its own at every shift. But these are the same at
a shift and at its mirror image, (i, j), (8 - i, j), (i, 8 - j), (8 - i, 8 - j), since a
DCT block read backwards is a DCT block, and so are natural pictures on the average.
Every shift is therefore judged by its excess over its mirror images.

References
----------
T. Bianchi, A. Piva, "Detection of Nonaligned Double JPEG Compression Based on Integer
Periodicity Maps", IEEE TIFS 7(2), 2012, doi 10.1109/TIFS.2011.2170836 (periodicity). The
comparison with mirrored shifts and the count of small coefficients are our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from forensix.detectors.jpeg._mosaic import TILES, Mosaic
from forensix.evidence.jpeg_quality import ijg_table
from forensix.signal.block_dct import SIDE, dct_basis

SHIFTS = SIDE * SIDE
LARGEST_STEP = 60  # steps looked for: 2 to this
FINENESS = 4  # bins per unit of a coefficient

# (vertical, horizontal) frequencies with steps small enough to leave many clusters.
PERIODIC = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0))
# Frequencies that compression sets to zero often, but not always; by their sum.
OFTEN_ZERO = tuple(tuple((u, total - u) for u in range(8) if total - u < 8) for total in (5, 6, 7))
SMALL = 2.0

QUALITIES = np.arange(20, 101)  # of the libjpeg tables that are tried as first tables
# Traces of the second compression at shifts that are their own mirror images differ by this factor at most.
HALFWAY_DOUBT = 8.0


@lru_cache(maxsize=1)
def mirrors() -> tuple[tuple[tuple[int, int], ...], ...]:
    """For every shift, row order, the shifts it is compared with.

    Those halfway, (0, 4), (4, 0) and (4, 4), are their own mirror images. The traces the
    second compression leaves there are alike, so that they serve each other.
    """
    out = []
    for down in range(SIDE):
        for right in range(SIDE):
            others = {
                (down, right),
                (-down % SIDE, right),
                (down, -right % SIDE),
                (-down % SIDE, -right % SIDE),
            }
            others.discard((down, right))
            halfway = {(4, 4): ((0, 4), (4, 0)), (0, 4): ((4, 0),), (4, 0): ((0, 4),)}
            out.append(halfway.get((down, right), tuple(sorted(others))))
    return tuple(out)


def self_mirrored() -> np.ndarray:
    """(8, 8) bool: shifts without mirror images of their own."""
    own = np.zeros((SIDE, SIDE), bool)
    own[::4, ::4] = True
    return own


def windowed_coefficient(mosaic: Mosaic, frequency: tuple[int, int]) -> np.ndarray:
    """One DCT coefficient of the 8 x 8 window that begins at each pixel; float32, as large as the mosaic."""
    import cv2

    basis = dct_basis().astype(np.float32)
    vertical, horizontal = frequency
    plane: np.ndarray = cv2.sepFilter2D(
        mosaic.pixels,
        cv2.CV_32F,
        basis[horizontal],
        basis[vertical],
        anchor=(0, 0),
        borderType=cv2.BORDER_REFLECT,
    )
    return plane


def zero_excess(mosaic: Mosaic) -> np.ndarray:
    """By how many standard errors small coefficients are more frequent than at mirrored shifts.

    Returns
    -------
    (8, 8) float64
        ``[down, right]``: Student's t over the tiles, TILES**2 - 1 degrees of freedom, of
        the grid whose blocks begin there; 0 where a shift has no mirror images of its own
        and where the picture does not tell.
    """
    judged = ~self_mirrored()
    total = np.zeros((SIDE, SIDE, TILES * TILES))
    for frequencies in OFTEN_ZERO:
        counts = _small_counts(mosaic, frequencies)
        reference = np.stack([counts[list(others)].mean(axis=0) for others in _mirror_indices()])
        excess = (counts - reference).reshape(SIDE, SIDE, -1)
        excess[~judged] = 0
        spread = np.sqrt(np.square(excess[judged]).mean(axis=0))
        overall = float(np.sqrt(np.square(spread).mean()))
        if overall > 0:
            # Tiles differ in how much they can tell; half way between equal and equalized spreads.
            total += excess / np.sqrt(np.maximum(spread, overall / 10) * overall)
    error = total.std(axis=2) / np.sqrt(total.shape[2] - 1)
    excess_t: np.ndarray = np.divide(total.mean(axis=2), error, out=np.zeros((SIDE, SIDE)), where=error > 0)
    return excess_t


@lru_cache(maxsize=1)
def _mirror_indices() -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(down * SIDE + right for down, right in others) or (nth,) for nth, others in enumerate(mirrors())
    )


def _small_counts(mosaic: Mosaic, frequencies: tuple[tuple[int, int], ...]) -> np.ndarray:
    """(64 shifts, tiles) float64: mean number of small coefficients among some frequencies."""
    import cv2

    count = np.zeros(mosaic.pixels.shape, np.uint8)
    for frequency in frequencies:
        small = cv2.inRange(windowed_coefficient(mosaic, frequency), -SMALL, SMALL)  # 255 where true
        cv2.subtract(count, small, dst=count, dtype=cv2.CV_8U) if False else np.subtract(
            count, small, out=count
        )
    # Subtracting 255 from a byte adds one to it, wrapping round.
    inside = mosaic.inside(count)
    sums = inside.sum(axis=4, dtype=np.uint16).sum(axis=1, dtype=np.float64)
    means: np.ndarray = sums.transpose(1, 3, 0, 2).reshape(SHIFTS, -1) / (mosaic.rows * mosaic.cols)
    return means


def step_power(mosaic: Mosaic, frequency: tuple[int, int]) -> np.ndarray:
    """How strongly a coefficient clusters at the multiples of a step, for every shift and step.

    Returns
    -------
    (64, LARGEST_STEP + 1) float64
        Periodogram of the histogram, at the frequency of each step: 1 on the average
        where there are no clusters, n * exp(-(2 pi noise / step)**2) where all n
        coefficients are multiples of the step plus noise. 0 for the steps 0 and 1.
    """
    from scipy.fft import rfft

    plane = windowed_coefficient(mosaic, frequency)
    half = 1024 if frequency == (0, 0) else 512
    bins = 2 * half * FINENESS
    place = np.ascontiguousarray(mosaic.inside(plane))
    place *= FINENESS
    place += bins // 2 + 0.5
    index = np.clip(place.astype(np.int32), 0, bins - 1)
    index += np.arange(SHIFTS, dtype=np.int32).reshape(SIDE, 1, 1, SIDE) * bins  # (down, ..., right)
    counts = np.bincount(index.ravel(), minlength=SHIFTS * bins).reshape(SHIFTS, bins).astype(np.float32)
    if frequency != (0, 0):
        counts[:, bins // 2] = 0  # flat blocks, which are multiples of everything
    number = counts.sum(axis=1, dtype=np.float64)
    # Twice as long as the histogram, so that every step's frequency is close to one of the transform.
    steps = np.arange(2, LARGEST_STEP + 1)
    spectrum = rfft(counts, n=2 * bins, axis=1)[:, np.rint(2 * bins / (FINENESS * steps)).astype(int)]
    power = np.zeros((SHIFTS, LARGEST_STEP + 1))
    power[:, 2:] = (np.square(spectrum.real) + np.square(spectrum.imag)) / np.maximum(number, 1)[:, None]
    return power


def shift_improbability(mosaic: Mosaic) -> np.ndarray:
    """How badly chance explains the clusters at each shift, for each quality, given its mirror images.

    Under the hypothesis of no earlier grid, the power at a shift and at each of its r
    mirror images are exponential with one mean, whatever traces the file's own
    compression leaves; so their ratio follows Fisher's F with 2 and 2 r degrees of
    freedom. The frequencies are combined by Fisher's method.

    Returns
    -------
    (64, QUALITIES) float64
        Minus the decimal logarithm of the probability; 0 for no shift at all.
    """
    number_of_mirrors = np.array([len(others) for others in _mirror_indices()])[:, None]
    halfway = self_mirrored().ravel()
    surprises = {}
    for frequency in PERIODIC:
        power = step_power(mosaic, frequency)
        reference = np.stack([power[list(others)].mean(axis=0) for others in _mirror_indices()])
        largest = np.stack([power[list(others)].max(axis=0) for others in _mirror_indices()])
        reference[halfway] = HALFWAY_DOUBT * np.maximum(largest[halfway], 1.0)
        # Below 1 the reference is only luck: the mean of the power is never less.
        ratio = power / np.maximum(reference, 1.0)
        surprises[frequency] = number_of_mirrors * np.log1p(ratio / number_of_mirrors)
    improbable = combined_improbability(surprises)
    improbable[0] = 0
    return improbable


def combined_improbability(surprises: Mapping[tuple[int, int], np.ndarray]) -> np.ndarray:
    """Combine what each frequency's step says, for the luma table of each quality.

    Parameters
    ----------
    surprises : for each frequency, (64, LARGEST_STEP + 1) float64
        Minus the natural logarithm of the probability, for each shift and step.

    Returns
    -------
    (64, QUALITIES) float64
        Minus the decimal logarithm of the probability that independent frequencies are
        together so surprising (Fisher's method: the sum follows a gamma distribution).
        Frequencies whose step is 1 or too large say nothing.
    """
    from scipy.special import gammaincc, gammaln

    total = np.zeros((SHIFTS, len(QUALITIES)))
    number = np.zeros(len(QUALITIES))
    for frequency, surprise in surprises.items():
        steps = np.array([table[frequency] for table in first_tables()])
        telling = (steps >= 2) & (steps <= LARGEST_STEP)
        total[:, telling] += surprise[:, steps[telling]]
        number += telling
    shape = np.maximum(number, 1)
    with np.errstate(divide="ignore"):
        exact = np.log(gammaincc(shape, total))
    # Beyond what a double can hold, the leading term of the tail.
    tail = (shape - 1) * np.log(np.maximum(total, 1e-9)) - total - gammaln(shape)
    logs = np.where(np.isfinite(exact), exact, tail)
    logs[:, number == 0] = 0
    improbable: np.ndarray = -logs / np.log(10)
    return improbable


@lru_cache(maxsize=1)
def first_tables() -> tuple[np.ndarray, ...]:
    """libjpeg's luma table for each of QUALITIES; (8, 8) int32 each."""
    return tuple(ijg_table(int(quality)) for quality in QUALITIES)
