"""Which earlier quality, on which grid, splits the picture in two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensix.detectors.jpeg._ghost_evidence import (
    LARGEST_STEP,
    LOG_GROWTH,
    TILE,
    Coefficients,
    Support,
    strongest_region,
    tiles,
)
from forensix.evidence.jpeg_quality import ijg_table
from forensix.signal.block_dct import dct_basis

# Standard deviation of a DCT coefficient's error after an ordinary decoder and encoder:
# pixels rounded in three channels and again in luma give 0.35; a margin is added.
PIXEL_NOISE = 0.5
# Clipped pixels move a little when they are compressed again.
NEAR_BLACK, NEAR_WHITE = 3, 252
STRIP = 32  # rows of blocks looked at together
# Steps estimated freely can fit anything a little: 63 choices among LARGEST_STEP cost this.
FREE_STEPS_COST = 63 * math.log(LARGEST_STEP)


@dataclass(frozen=True, eq=False)
class Outcome:
    """The earlier compression that splits the picture best, on one grid.

    offset : (down, right) of the grid
    quality : IJG quality of the earlier compression; None when its table is another one
    before, never : the strongest region that was, and that was not, compressed so
    ratio, before_map, never_map : (rows, cols) float32, nats per block
    visible : qualities that would have left traces in this picture
    judged : share of the blocks that say something about `quality`
    """

    offset: tuple[int, int]
    quality: int | None
    before: Support
    never: Support
    ratio: np.ndarray
    before_map: np.ndarray
    never_map: np.ndarray
    visible: tuple[int, ...]
    judged: float
    tests: float

    @property
    def log10_alarms(self) -> float:
        """Base-10 logarithm of the number of false alarms of "the parts differ"."""
        return -min(self.before.nats, self.never.nats) / math.log(10)

    def evident_blocks(self, side: np.ndarray, *, before: bool, limit: float) -> np.ndarray:
        """(rows, cols) bool: connected parts of `side` that are evident in themselves.

        side : (rows, cols) bool, the blocks that look compressed before, or never
        limit : base-10 logarithm of the number of false alarms allowed

        Where no part of `side` is, but a region of tiles, that region.
        """
        from scipy import ndimage

        evidence, support = (self.before_map, self.before) if before else (self.never_map, self.never)
        labels, count = ndimage.label(side)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        sums = np.bincount(labels.ravel(), weights=evidence.ravel(), minlength=count + 1)
        nats = sums - LOG_GROWTH * sizes / TILE**2 - math.log(self.tests) - 2 * math.log(side.size)
        keep = nats > -limit * math.log(10)
        keep[0] = False
        kept: np.ndarray = keep[labels]
        if not kept.any() and support.nats > -limit * math.log(10):
            kept = np.kron(support.tiles, np.ones((TILE, TILE), bool))[: side.shape[0], : side.shape[1]]
        return kept


def split(
    coefficients: Coefficients,
    *,
    qualities: Sequence[int],
    offset: tuple[int, int] = (0, 0),
    grids: int = 1,
) -> Outcome:
    """The earlier compression with most evidence on one grid, and how the picture splits.

    grids : how many grids are tested in this picture in all
    """
    steps = np.array([ijg_table(quality).ravel() for quality in qualities])
    steps = np.vstack([steps, coefficients.own_steps()])
    tests = 2.0 * len(steps) * grids
    before = coefficients.evidence(steps, "before")
    tiled = tiles(before)
    total = np.maximum(tiled - LOG_GROWTH, 0).sum(axis=(0, 1))
    total[-1] -= FREE_STEPS_COST
    best = int(total.argmax())
    never = coefficients.evidence(steps[best : best + 1], "never")
    ratio = coefficients.evidence(steps[best : best + 1], "ratio", everything=True)
    supported = strongest_region(tiled[..., best], tests=tests)
    if best == len(qualities):
        supported = supported._replace(nats=supported.nats - FREE_STEPS_COST)
    speaking = np.count_nonzero(before, axis=(0, 1)) / before[..., 0].size
    return Outcome(
        offset=offset,
        quality=qualities[best] if best < len(qualities) else None,
        before=supported,
        never=strongest_region(tiles(never)[..., 0], tests=tests),
        ratio=ratio[..., 0],
        before_map=before[..., best],
        never_map=never[..., 0],
        visible=tuple(q for q, share in zip(qualities, speaking[:-1], strict=True) if share > 0.1),
        judged=float(speaking[best]),
        tests=tests,
    )


def pick(outcomes: Sequence[Outcome], *, limit: float) -> Outcome:
    """The outcome that speaks most for a picture of two pasts, or else for one past.

    limit : base-10 logarithm of the number of false alarms allowed
    """
    best = min(outcomes, key=lambda outcome: outcome.log10_alarms)
    if best.log10_alarms < limit:
        return best
    return max(outcomes, key=lambda outcome: outcome.before.nats)


def later_noise(levels: np.ndarray, lattice: np.ndarray, offset: tuple[int, int]) -> np.ndarray:
    """(8, 8) float64: standard deviation of the error of a compression, seen on another grid.

    Quantizing leaves an error uniform over a step where a coefficient is kept, and the
    coefficient itself where it became 0. How large those were is not known any more: half
    the variance of a Laplacian with as many zeros, since most lie in flat blocks.

    levels : (rows, cols, 8, 8) int16 and lattice : (8, 8), of the grid of the file
    offset : (down, right) of the other grid
    """
    step = lattice.astype(np.float64)
    kept = np.clip((levels != 0).mean(axis=(0, 1)), 1e-4, 1 - 1e-4)
    uniform = step**2 / 12
    lost = np.minimum(uniform, (step / (2 * np.log(1 / kept))) ** 2)
    energy = kept * uniform + (1 - kept) * lost
    down, right = (_energy_transfer(by) for by in offset)
    noise: np.ndarray = np.sqrt(down @ energy @ right.T + PIXEL_NOISE**2)
    return noise


def _energy_transfer(shift: int) -> np.ndarray:
    """(8, 8): energy that frequency v of a grid gives to frequency u of one `shift` pixels on."""
    basis = dct_basis()
    first = basis[:, : 8 - shift] @ basis[:, shift:].T
    second = basis[:, 8 - shift :] @ basis[:, :shift].T
    moved: np.ndarray = first**2 + second**2
    return moved


def unclipped_blocks(rgb: np.ndarray, shape: tuple[int, int], offset: tuple[int, int]) -> np.ndarray:
    """(rows, cols) bool: whole blocks without a red or green pixel near black or white.

    Clipping changes coefficients in ways that no quantization explains. Blue is left
    out: it has a tenth of luma, and is clipped in every saturated colour.
    """
    rows = min(shape[0], (rgb.shape[0] - offset[0]) // 8)
    cols = min(shape[1], (rgb.shape[1] - offset[1]) // 8)
    usable = np.zeros(shape, bool)
    for top in range(0, rows, STRIP):
        blocks = min(STRIP, rows - top)
        down = offset[0] + 8 * top
        lines = rgb[down : down + 8 * blocks, offset[1] : offset[1] + 8 * cols]
        # Shifted down, wrapping round, what is near black and near white lies together at the top.
        extreme = (lines - np.uint8(NEAR_BLACK + 1)) >= NEAR_WHITE - NEAR_BLACK - 1
        either = extreme[:, :, 0] | extreme[:, :, 1]
        clipped = np.bitwise_or.reduce(either.reshape(blocks, 8, 8 * cols), axis=1)
        # Eight bytes read as one number: 0 where none of them is set.
        usable[top : top + blocks, :cols] = clipped.view(np.uint64) == 0
    return usable
