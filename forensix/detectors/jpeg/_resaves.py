"""How many coefficients change when a JPEG is decoded and saved again with its own tables.

Saving a picture over and over with the same tables converges: rounding and the smoothing
of subsampled colours change some coefficients the first time, fewer the second time. How
many change at which place depends on the content, too. What to expect there after one save
and after two is therefore counted in the picture itself, moved by half a block, which takes
its blocks apart, and saved anew, once and twice (calibration).

References
----------
F. Huang, J. Huang, Y. Q. Shi, "Detecting Double JPEG Compression With the Same Quantization
Matrix", IEEE TIFS 5(4), 2010, doi 10.1109/TIFS.2010.2072921 (fewer coefficients change from
save to save). S. Lai, R. Boehme, "Block convergence in repeated transform coding: JPEG-100
forensics, carbon dating, and tamper detection", IEEE ICASSP 2013,
doi 10.1109/ICASSP.2013.6638213. J. Fridrich, M. Goljan, D. Hogea, "Steganalysis of JPEG
Images: Breaking the F5 Algorithm", Information Hiding 2002, doi 10.1007/3-540-36415-3_20
(calibration).
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from forensix.evidence.jpeg_data import JpegData

CELL = 16  # pixels; the blocks of subsampled colours
MOVED = 4  # pixels, half a block; colours of half the size keep their phase
REACH = 2.0  # cells, standard deviation of the Gaussian that expectations are averaged with
RAREST_ONCE, RAREST_TWICE = 1e-3, 2.5e-4  # changes a cell, where calibration counted none
CONTRADICTION = -3.0  # nats of one component against one save
# How near the whole picture's changes must be to those after two saves (1), rather than one (0),
# for a component to decide: earlier saves with other tables come half way.
LEAST_FIT = 0.85
# Pillow's names for how the colours are sampled, by the luma's samples per colour sample.
SUBSAMPLINGS: dict[tuple[int, ...], str] = {(1, 1): "4:4:4", (1, 2): "4:2:2", (2, 2): "4:2:0"}


@dataclass(frozen=True)
class Encoding:
    """How a JPEG is written: tables, (8, 8) int32 each, and how colours are sampled ("" for grey)."""

    tables: tuple[np.ndarray, ...]
    subsampling: str

    @staticmethod
    def of(jpeg: JpegData) -> Encoding | None:
        """That of a file; None for what Pillow cannot write again."""
        tables, sampling = jpeg.quantization, tuple(jpeg.sampling)
        if max(int(table.max()) for table in tables) > 255:
            return None
        if len(sampling) == 1:
            return Encoding(tables, "")
        name = SUBSAMPLINGS.get(tuple(sampling[0]))
        if len(sampling) != 3 or jpeg.colour != "YCbCr" or name is None or set(sampling[1:]) != {(1, 1)}:
            return None
        return Encoding(tables, name)

    def saved(self, rgb: np.ndarray) -> JpegData:
        from PIL import Image

        image, stream = Image.fromarray(rgb), io.BytesIO()
        # Pillow cannot always tell from the numbers that a table fits; lists of 64 are read row by row.
        tables = [table.ravel().tolist() for table in self.tables]
        if self.subsampling:
            image.save(stream, "JPEG", qtables=tables, subsampling=self.subsampling)
        else:
            image.convert("L").save(stream, "JPEG", qtables=tables)
        return JpegData(stream.getvalue())


def decoded(jpeg: JpegData) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(jpeg.data)).convert("RGB"))


def changes(
    before: tuple[np.ndarray, ...], after: tuple[np.ndarray, ...], shape: tuple[int, int]
) -> np.ndarray:
    """(components, *shape) float32: how many coefficients of each cell differ; `shape` in cells."""
    found = np.empty((len(before), *shape), np.float32)
    for nth, (one, other) in enumerate(zip(before, after, strict=True)):
        # Files differ in how far beyond the picture their planes are filled up.
        rows, cols = (min(sides) for sides in zip(one.shape[:2], other.shape[:2], strict=True))
        number = np.count_nonzero(one[:rows, :cols] != other[:rows, :cols], axis=(2, 3))
        # Blocks to a cell, down and across.
        down, across = (max(1, round(n / cells)) for n, cells in zip(number.shape, shape, strict=True))
        number = number[: shape[0] * down, : shape[1] * across]
        found[nth] = number.reshape(shape[0], down, shape[1], across).sum(axis=(1, 3))
    return found


@dataclass(frozen=True)
class Changes:
    """Changes per cell and component at the next save: counted, and as they are after one save and two.

    seen, once, twice : (components, cell rows, cell cols) float32
    """

    seen: np.ndarray
    once: np.ndarray
    twice: np.ndarray


def changes_on_saving(rgb: np.ndarray, coefficients: tuple[np.ndarray, ...], encoding: Encoding) -> Changes:
    """Count what changes at the next save, and in a copy of its own what does after one save and two.

    rgb : (rows, cols, 3) uint8, decoded, at least one cell large
    coefficients : of each component (block rows, block cols, 8, 8), as in the file
    Cells that the picture does not fill are left out.
    """
    shape = (rgb.shape[0] // CELL, rgb.shape[1] // CELL)
    seen = changes(coefficients, encoding.saved(rgb).coefficients, shape)
    moved = np.pad(rgb, ((0, MOVED), (0, MOVED), (0, 0)), mode="edge")[MOVED:, MOVED:]
    saves = [encoding.saved(np.ascontiguousarray(moved))]
    for _ in range(2):
        saves.append(encoding.saved(decoded(saves[-1])))
    first, second, third = (save.coefficients for save in saves)
    return Changes(seen, changes(first, second, shape), changes(second, third, shape))


def clipped_cells(rgb: np.ndarray) -> np.ndarray:
    """(cell rows, cell cols) float: share of each cell's pixels with a colour at 0 or 255.

    Clipping changes coefficients at every save.
    """
    rows, cols = rgb.shape[0] // CELL, rgb.shape[1] // CELL
    part = rgb[: rows * CELL, : cols * CELL]
    extreme = ((part == 0) | (part == 255)).any(axis=2)
    return np.asarray(extreme.reshape(rows, CELL, cols, CELL).mean(axis=(1, 3)))


class Stability:
    """What the counted changes say of each cell, given what is expected after one save and two.

    counted : as from :func:`changes_on_saving`
    usable : (cell rows, cell cols) bool

    Attributes
    ----------
    weights : (components,) float64
        What a component's evidence counts: less where counts of one place vary more than
        independent ones do, and nothing where the picture as a whole does not have fewer
        changes than after one save: calibration, too, fails at times.
    decisive : (components,) float64
        The same, 0 for components that may not decide on a region.
    evidence : (cell rows, cell cols) float64
        Log-likelihood ratio of one save against two, nats; 0 for cells not usable.
    """

    def __init__(self, counted: Changes, usable: np.ndarray) -> None:
        self.usable = usable
        self.seen = counted.seen * usable
        self.once = _around(counted.once, usable) + RAREST_ONCE
        self.twice = np.minimum(_around(counted.twice, usable) + RAREST_TWICE, 0.9 * self.once)
        found, once, twice = (part[:, usable].sum(axis=1) for part in (self.seen, self.once, self.twice))
        fitting = np.clip((once - found) / np.maximum(once - twice, 1e-9), 0, 1)
        excess = (counted.once - self.once) ** 2 / self.once
        spread = np.array([max(1.0, float(part[usable].mean())) if usable.any() else 1.0 for part in excess])
        self.weights = fitting / spread
        # Colours decide with the luma only: where a picture is nearly grey they hardly ever change.
        self.decisive = self.weights * (fitting >= LEAST_FIT) * (fitting[0] >= LEAST_FIT)
        self.totals = found, once, twice
        ratio = _poisson_ratio(self.seen, self.once, self.twice)
        self.evidence = np.tensordot(self.weights, ratio, axes=1) * usable

    def region(self, inside: np.ndarray) -> float:
        """Evidence of a region as a whole for one save, nats; none where its components disagree."""
        chosen = inside & self.usable
        sums = [part[:, chosen].sum(axis=1) for part in (self.seen, self.once, self.twice)]
        nats = self.decisive * _poisson_ratio(*sums)
        # One colour that changes as after two saves belies another that changes a lot.
        return float(nats.sum()) if nats.min() > CONTRADICTION else min(float(nats.sum()), 0.0)


def _around(counts: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Gaussian mean over the usable cells around each."""
    from scipy.ndimage import gaussian_filter

    share = np.maximum(gaussian_filter(usable.astype(np.float64), REACH), 1e-3)
    return np.stack([gaussian_filter(part * usable.astype(np.float64), REACH) / share for part in counts])


def _poisson_ratio(seen: np.ndarray, once: np.ndarray, twice: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = seen * np.log(np.maximum(once, 1e-12) / np.maximum(twice, 1e-12)) - (once - twice)
    return ratio
