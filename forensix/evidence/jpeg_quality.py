"""How strong a quantization table is, on the scale of the Independent JPEG Group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.errors import ParameterError

# fmt: off
ZIGZAG = np.array([
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14,
    21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60,
    61, 54, 47, 55, 62, 63])

LUMINANCE = np.array([
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56], [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99]], dtype=np.int32)

CHROMINANCE = np.full((8, 8), 99, dtype=np.int32)
CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
# fmt: on
for _table in (ZIGZAG, LUMINANCE, CHROMINANCE):
    _table.flags.writeable = False


@dataclass(frozen=True)
class Quality:
    """The IJG quality whose table is nearest to a given one.

    quality : 1 to 100
    exact : True when the tables are the same
    difference : mean absolute difference of the 64 steps
    """

    quality: int
    exact: bool
    difference: float


def ijg_table(quality: int, *, chroma: bool = False, limit: int = 255) -> np.ndarray:
    """The quantization table libjpeg uses at a quality.

    Parameters
    ----------
    quality : int
        1 to 100.
    chroma : bool
        The chrominance table instead of the luminance one.
    limit : int
        Largest step: 255 in baseline files, 32767 where 16-bit tables are allowed.

    Returns
    -------
    (8, 8) int32, vertical frequency first

    Raises
    ------
    ParameterError
        If `quality` is not 1 to 100.

    References
    ----------
    Tables K.1 and K.2 of ITU-T Recommendation T.81 (1992), scaled as by the Independent
    JPEG Group's software.
    """
    if not 1 <= quality <= 100:
        raise ParameterError(f"a quality lies between 1 and 100, got {quality}")
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    base = CHROMINANCE if chroma else LUMINANCE
    return np.clip((base * scale + 50) // 100, 1, limit).astype(np.int32)


def ijg_quality(table: np.ndarray, *, chroma: bool = False) -> Quality:
    """The quality at which libjpeg's table is nearest to `table`.

    Parameters
    ----------
    table : (8, 8) int
        Quantization steps, vertical frequency first.
    chroma : bool
        Compare with the chrominance tables.

    Raises
    ------
    ParameterError
        If `table` is not 8 x 8.
    """
    table = np.asarray(table)
    if table.shape != (8, 8):
        raise ParameterError(f"a quantization table is 8 x 8, got {table.shape}")
    limit = 255 if table.max() <= 255 else 32767
    differences = [
        float(np.abs(table - ijg_table(quality, chroma=chroma, limit=limit)).mean())
        for quality in range(1, 101)
    ]
    # Of equal tables (the scale is cut to whole percents) the higher quality is named.
    best = 99 - int(np.argmin(differences[::-1]))
    return Quality(best + 1, differences[best] == 0, differences[best])
