"""The invisible watermark that published scripts of image generators write.

The picture's U plane is transformed once by Haar's wavelet; in each 4 x 4 block of the
coarse part the coefficient of largest magnitude, the first one left aside, is moved to the
first or third quarter of its quantization interval. Bits follow each other block by block, row by row,
and the message is repeated until the picture is full. Anyone can read it, and write it.

References
----------
The description of method "dwtDct" in the documentation of the program invisible-watermark,
used by the scripts of Stable Diffusion, Stable Diffusion XL and FLUX.
I. J. Cox, M. L. Miller, J. A. Bloom, J. Fridrich, T. Kalker, Digital Watermarking and
Steganography, 2nd edition 2008, chapter 5 (quantization index modulation).
doi:10.1016/B978-0-12-372585-1.X5001-3
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.errors import ParameterError

STEP = 36.0  # of the quantization
BLOCK = 4
MOST_PIXELS = 2_000_000  # read from the top; the message has been repeated often by then
LEAST_REPEATS = 4.0


def _bits(text: str) -> np.ndarray:
    return np.unpackbits(np.frombuffer(text.encode("ascii"), np.uint8)).astype(bool)


def _number(value: int, length: int) -> np.ndarray:
    return np.array([value >> (length - 1 - at) & 1 for at in range(length)], bool)


# The messages written by the scripts as published.
MESSAGES: dict[str, np.ndarray] = {
    "Stable Diffusion": _bits("StableDiffusionV1"),
    "Stable Diffusion 2": _bits("SDV2"),
    "Stable Diffusion XL": _number(0xB3EC907BB19E, 48),
    "FLUX": _number(0x2AFE879CF52E, 48),
}


@dataclass(frozen=True)
class Watermark:
    """The message that fits best.

    program : whose message it is
    agreeing, length : bits that agree, of how many
    log10_chance : that a picture without it agrees as well, all messages together
    """

    program: str
    agreeing: int
    length: int
    log10_chance: float


def block_bits(rgb: np.ndarray) -> np.ndarray:
    """The bit in each block, in the order in which they were written.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8

    Returns
    -------
    (blocks,) bool
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ParameterError(f"the watermark lies in colour: wanted (rows, cols, 3), got {rgb.shape}")
    rows, cols = (n // BLOCK * BLOCK for n in rgb.shape[:2])
    rows = min(rows, max(BLOCK, MOST_PIXELS // max(cols, 1) // BLOCK * BLOCK))
    colour = rgb[:rows, :cols].astype(np.float32)
    luma = colour @ np.array([0.299, 0.587, 0.114], np.float32)
    plane = np.clip(np.rint(0.492 * (colour[..., 2] - luma) + 128), 0, 255)
    coarse = (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 2
    down, across = coarse.shape[0] // BLOCK, coarse.shape[1] // BLOCK
    blocks = coarse[: down * BLOCK, : across * BLOCK].reshape(down, BLOCK, across, BLOCK).swapaxes(1, 2)
    rest = np.abs(blocks.reshape(down * across, BLOCK * BLOCK)[:, 1:])
    if not rest.size:
        return np.zeros(0, bool)
    bits: np.ndarray = rest.max(axis=1) % STEP > STEP / 2
    return bits


def read(rgb: np.ndarray) -> Watermark | None:
    """The known message a picture agrees with best, None where it is too small for any.

    Blocks that repeat a bit vote on it. How likely chance is to agree as well is the
    binomial tail, times the number of messages tried.
    """
    bits = block_bits(rgb)
    best = None
    for program, message in MESSAGES.items():
        length = message.size
        repeats = bits.size // length
        if repeats < LEAST_REPEATS:
            continue
        votes = bits[: repeats * length].reshape(repeats, length).mean(axis=0)
        agreeing = int(np.count_nonzero((votes > 0.5) == message))
        found = Watermark(program, agreeing, length, _log10_tail(agreeing, length) + np.log10(len(MESSAGES)))
        if best is None or found.log10_chance < best.log10_chance:
            best = found
    return best


def _log10_tail(agreeing: int, length: int) -> float:
    """log10 of the chance that at least so many of `length` fair coins agree."""
    from math import comb, log10

    ways = sum(comb(length, n) for n in range(agreeing, length + 1))
    return log10(ways) - length * log10(2)
