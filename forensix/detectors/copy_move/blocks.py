"""Copy-move by blocks: parts of the picture that were copied as they are, found at full size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forensix.detectors.copy_move._likeness import BLOCKS
from forensix.detectors.copy_move._pairs import (
    LEAST_SIDE,
    Pair,
    featureless_in,
    finding_of,
    repetition,
    similarity_of,
    weighed,
    working_grid,
)
from forensix.detectors.method import Method
from forensix.errors import ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding
from forensix.signal.blas import one_blas_thread
from forensix.signal.block_matches import shifted_groups
from forensix.signal.copied_region import CopiedRegion, examine
from forensix.signal.match_groups import MatchGroup

METHOD = Method(
    name="copy-move-blocks",
    family="copy_move",
    question="Is a part of the picture an unchanged copy of another part, however small?",
    applies_to="Pictures of at least 64 x 64 pixels; copies that were turned, scaled or mirrored escape it",
    reference=(
        "J. Fridrich, D. Soukal, J. Lukas, Detection of Copy-Move Forgery in Digital Images, DFRWS 2003; "
        "A. C. Popescu, H. Farid, Exposing Digital Forgeries by Detecting Duplicated Image Regions, "
        "TR2004-515, Dartmouth College, 2004"
    ),
    kind="copy-move",
    preset="fast",
)

NEAREST = 24.0
SHIFTS = 12
CANDIDATES = 6
# Times the picture, that the growth of regions may look at.
EFFORT = 3.0
# Blocks that match give the shift to the pixel, so that one alignment is enough: on so many points.
ALIGNED_BY = (5_000,)
FEWEST_BLOCKS = 50
# Self-similarity beyond which a picture counts as one repeating pattern.
REPEATS = 0.6
# Pixels of the working grid: regions whose blocks cover less are examined at full size.
SMALL = 96 * 96
# Around such a region, that much more is looked at, image pixels.
AROUND = 64


def find_pairs(luma: np.ndarray, *, grid: np.ndarray, cell: int = 1) -> list[Pair]:
    """Pairs of alike regions, the one hardest to explain by chance first.

    Parameters
    ----------
    luma : (rows, cols) float32, 0-255
        The picture at full size: blocks are compared here, small regions examined.
    grid : (rows // cell, cols // cell) float32
        The working grid, where large regions are examined and all are reported.
    """
    return weighed_pairs(luma, grid=grid, cell=cell)[0]


def weighed_pairs(luma: np.ndarray, *, grid: np.ndarray, cell: int = 1) -> tuple[list[Pair], int, int]:
    """What :func:`find_pairs` finds, the number of groups of blocks, each of which was a test, and of blocks."""
    if luma.ndim != 2 or min(luma.shape) < LEAST_SIDE:
        raise ParameterError(f"luma must be 2-D and at least {LEAST_SIDE} on a side, got {luma.shape}")
    groups, blocks = shifted_groups(luma, nearest=NEAREST, most=SHIFTS)
    tests = len(groups)
    groups = groups[:CANDIDATES]
    large = [_on_grid(group, cell) for group in groups if cell == 1 or _spread(group) >= SMALL * cell * cell]
    small = [group for group in groups if cell > 1 and _spread(group) < SMALL * cell * cell]
    with one_blas_thread():
        regions = examine(grid, large, effort=EFFORT, inner=True, aligned_by=ALIGNED_BY)
        for group in small:
            regions += _examined_closely(luma, group, cell)
    pairs = weighed(regions, grid, tests=tests, tails=BLOCKS)
    return sorted(pairs, key=lambda pair: pair.log10_alarms), tests, blocks


def _spread(group: MatchGroup) -> float:
    """Area of the box around the group's blocks, image pixels."""
    rows, cols = np.ptp(group.source, axis=0) + 16
    return float(rows * cols)


def _on_grid(group: MatchGroup, cell: int) -> MatchGroup:
    """The group in pixels of the working grid, whose first has its middle in the middle of a cell."""
    if cell == 1:
        return group
    source, target = ((side + 0.5) / cell - 0.5 for side in (group.source, group.target))
    transform = np.c_[group.transform[:, :2], group.transform[:, 2] / cell]
    return replace(group, source=source, target=target, transform=transform)


def _examined_closely(luma: np.ndarray, group: MatchGroup, cell: int) -> list[CopiedRegion]:
    """What is examined at full size in the two places side by side, in pixels of the working grid."""
    shift = np.rint(group.transform[:, 2]).astype(int)
    low = np.floor(group.source.min(axis=0)).astype(int) - AROUND
    high = np.ceil(group.source.max(axis=0)).astype(int) + AROUND + 1
    # Both places must lie inside the picture.
    low = np.maximum(low, np.maximum(0, -shift))
    high = np.minimum(high, np.minimum(luma.shape, luma.shape - shift))
    # Whole cells, so that a region's pixels are those of the grid.
    low, size = -(-low // cell) * cell, high - (-(-low // cell) * cell)
    rows, cols = size // cell * cell
    if min(rows, cols) < 2 * 16:
        return []
    here, there = (luma[top : top + rows, left : left + cols] for top, left in (low, low + shift))
    beside = np.array([0, cols])
    source = group.source - low
    transform = np.c_[np.eye(2), beside.astype(np.float64)]
    moved = replace(group, source=source, target=source + beside, transform=transform)
    both = np.ascontiguousarray(np.hstack([here, there]), np.float32)
    found = []
    for region in examine(both, [moved], inner=True, aligned_by=ALIGNED_BY):
        top, left, box_rows, box_cols = region.box
        mask = np.zeros((rows, cols), bool)
        keep = max(0, min(box_cols, cols - left))
        mask[top : top + box_rows, left : left + keep] = region.source[:, :keep]
        cells = mask.reshape(rows // cell, cell, cols // cell, cell).mean(axis=(1, 3)) >= 0.5
        linear = region.transform[:, :2]
        # The image point p lies at p - low on the left; its likeness at T(p - low) - beside + low + shift.
        offset = region.transform[:, 2] - beside + low + shift - linear @ low
        offset = (offset + 0.5 * (1 - linear.sum(axis=1))) / cell - 0.5 * (1 - linear.sum(axis=1))
        box = (int(low[0] // cell), int(low[1] // cell), *cells.shape)
        back = _on_grid(group, cell)
        found.append(replace(region, group=back, transform=np.c_[linear, offset], box=box, source=cells))
    return found


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """The finding for one picture: score, map and the regions that are copies of each other."""
    grid, cell = working_grid(evidence)
    pairs, _, blocks = weighed_pairs(evidence.luma, grid=grid, cell=cell)
    copies = [pair for pair in pairs if pair.is_copy]
    similarity = 0.0 if copies else similarity_of(evidence, grid, cell)
    return finding_of(
        METHOD,
        pairs,
        grid,
        cell=cell,
        size=(evidence.height, evidence.width),
        smooth=featureless_in(evidence, grid, cell),
        tellable=blocks >= FEWEST_BLOCKS and similarity <= REPEATS,
        explanation=_explain(pairs, copies, blocks=blocks, cell=cell, similarity=similarity),
        measurements={"blocks": blocks, "self_similarity": similarity},
        full=evidence.luma,
    )


def _explain(pairs: list[Pair], copies: list[Pair], *, blocks: int, cell: int, similarity: float) -> str:
    if copies:
        best = copies[0].region
        down, across = (round(cell * float(part)) for part in best.group.transform[:, 2])
        more = f", and {len(copies) - 1} more such pairs" if len(copies) > 1 else ""
        return (
            f"A region of about {best.area * cell * cell} pixels lies in the picture twice, {abs(down)} rows and "
            f"{abs(across)} columns apart, unturned and unscaled: {best.agreement.structure:.0%} of the fine "
            f"structure agrees{more}."
        )
    if pairs:
        return repetition(pairs)
    if similarity > REPEATS:
        return (
            f"The picture repeats itself as a whole ({similarity:.0%} alike after a shift), so a copy would not "
            f"show, and no part stands out as copied."
        )
    if blocks < FEWEST_BLOCKS:
        return f"Cannot tell: the picture is too smooth, with only {blocks} blocks to compare."
    return f"No part of the picture lies in it twice: {blocks} blocks were compared at full size."
