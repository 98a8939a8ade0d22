"""Closed outlines along which a picture looks like a seam, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.splicing._seam_features import Places

MOST_ODDS = 3.0  # nats: one place says no more
SHIFT = 1.0  # nats taken off, since seams are rarer than what the trees learned from
OUTSIDE = -1.5
BEND = 0.15
TURNS = 64
CENTRES = 8  # cells from centre to centre
SMALL = np.arange(3, 40, 0.75, dtype=np.float32)  # radii, cells
LARGE = np.arange(12, 72, 1, dtype=np.float32)  # radii, cells of twice the size
MOST_OUTLINES = 6
DETAIL = slice(5, 11)  # of the inputs: detail on the place itself, by kind and fineness
ASIDE = 3.5  # cells, to both sides of an outline


@dataclass(frozen=True, eq=False)
class Outline:
    """A closed path.

    corners : (turns, 2) float32, rows and columns in cells
    along : (turns,) float32, the odds on it, clipped
    traits : (n,) float64, what decides
    """

    corners: np.ndarray
    along: np.ndarray
    traits: np.ndarray

    def cells(self, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the cells at its corners."""
        return _cells(self.corners, shape)


def filled(outline: Outline, shape: tuple[int, ...]) -> np.ndarray:
    """The cells inside; (rows, cols) bool."""
    import cv2

    canvas = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(canvas, [np.rint(outline.corners[:, ::-1]).astype(np.int32)], 1)
    return canvas > 0


def outlines(odds: np.ndarray, places: Places) -> list[Outline]:
    """The few closed paths with the highest odds that lie apart, with their traits.

    Parameters
    ----------
    odds : (rows, cols) float32, nats for a seam, of each cell
    """
    field = np.clip(odds - SHIFT, -MOST_ODDS, MOST_ODDS)
    found = [_followed(field, SMALL, 1)]
    rows, cols = (side // 2 * 2 for side in field.shape)
    if min(rows, cols) >= 48:
        halved = field[:rows, :cols].reshape(rows // 2, 2, cols // 2, 2).max(axis=(1, 3))
        found.append(_followed(halved, LARGE, 2))
    corners, along = (np.concatenate(parts) for parts in zip(*found, strict=True))
    chosen = _apart(corners, along, field.shape)
    means = along[chosen].mean(axis=1)
    return [
        Outline(corners[k], along[k], _traits(corners[k], along[k], np.delete(means, i), field, places))
        for i, k in enumerate(chosen)
    ]


def _followed(field: np.ndarray, radii: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """The best path about each of many centres: corners (n, turns, 2) in cells, and the odds along it."""
    from forensix.native.closed_paths import closed_paths

    first = CENTRES // 2
    grid = np.indices((max(1, field.shape[0] // CENTRES), max(1, field.shape[1] // CENTRES)))
    centres = grid.reshape(2, -1).T * CENTRES + first
    paths, along = closed_paths(field, centres, radii, turns=TURNS, bend=BEND, outside=OUTSIDE)
    turn = np.arange(TURNS) * 2 * np.pi / TURNS
    reach = radii[paths]
    rows, cols = centres[:, :1] + reach * np.sin(turn), centres[:, 1:] + reach * np.cos(turn)
    corners = (np.stack([rows, cols], -1) + 0.5) * scale - 0.5
    return corners.astype(np.float32), along


def _apart(corners: np.ndarray, along: np.ndarray, shape: tuple[int, ...]) -> list[int]:
    """The best ones no two of which share more than a third of their way."""
    taken, chosen = np.zeros(shape, bool), []
    for k in np.argsort(-along.mean(axis=1), kind="stable")[:400]:
        row, col = _cells(corners[k], shape)
        if taken[row, col].mean() > 0.34:
            continue
        chosen.append(int(k))
        if len(chosen) == MOST_OUTLINES:
            break
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                taken[np.clip(row + down, 0, shape[0] - 1), np.clip(col + right, 0, shape[1] - 1)] = True
    return chosen


def _cells(corners: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    row, col = np.rint(corners).astype(np.int64).T
    return np.clip(row, 0, shape[0] - 1), np.clip(col, 0, shape[1] - 1)


def _traits(
    corners: np.ndarray, along: np.ndarray, others: np.ndarray, field: np.ndarray, places: Places
) -> np.ndarray:
    """What an outline is known by."""
    middle = corners.mean(axis=0)
    arms = corners - middle
    length = np.hypot(*np.diff(corners, axis=0, append=corners[:1]).T)
    on = places.inputs[_cells(corners, field.shape)]
    reach = np.maximum(np.hypot(*arms.T), 1e-3)[:, None]
    within, without = (
        places.inputs[_cells(middle + arms * np.maximum(reach + side, 0.5) / reach, field.shape)]
        for side in (-ASIDE, ASIDE)
    )
    apart = within[:, DETAIL] - without[:, DETAIL]
    spread = apart.std(axis=0) + 0.3
    dip = on[:, DETAIL] - np.minimum(within[:, DETAIL], without[:, DETAIL])
    outside = np.any((corners < 0) | (corners > np.array(field.shape) - 1), axis=1)
    mean = float(along.mean())
    return np.concatenate([
        [mean, *np.quantile(along, (0.1, 0.25, 0.5)), (along > 0).mean()],
        [np.log(length.sum()), np.log(reach.mean()), reach.std() / reach.mean()],
        [mean - field.mean(), mean - np.quantile(field, 0.95), mean - max(others, default=-OUTSIDE), outside.mean()],
        np.abs(apart.mean(axis=0)), np.abs(apart.mean(axis=0)) / spread, dip.mean(axis=0),
    ]).astype(np.float64)  # fmt: skip
