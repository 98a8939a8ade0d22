"""Clone stamp and healing brush: strokes of a soft brush that carry content along."""

from __future__ import annotations

import cv2
import numpy as np

from forensix.errors import ForgeryError, ParameterError
from forensix.forgery.blend import feather_weights, membrane
from forensix.forgery.edit import Edit, grown

OFFSETS = 160
STROKES_AN_OFFSET = 5


def clone_strokes(
    image: np.ndarray,
    target: np.ndarray,
    *,
    rng: np.random.Generator,
    radius: float = 12.0,
    hardness: float = 0.7,
    heal: bool = False,
) -> Edit:
    """Cover a region with strokes that copy from beside it.

    The brush goes to and fro over the region in parallel strokes. Every few strokes it
    takes a new offset to copy from and keeps it, as an editor's aligned stamp does; what
    is copied may have been painted before.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    target : (rows, cols) bool
        What to cover.
    radius : float
        Of the brush, pixels, 3 to 64.
    hardness : float
        0 to 1: the share of the radius inside which the brush covers fully.
    heal : bool
        Healing brush: keep the copied texture but meet the colours around the
        stroke (Georgiev 2004), inside the brush's half-weight outline.

    Returns
    -------
    Edit
        The mask is where the brush had at least half its weight.

    References
    ----------
    Georgiev, "Photoshop healing brush: a tool for seamless cloning", ECCV workshop on
    applications of computer vision, 2004.
    """
    if not 3 <= radius <= 64 or not 0 <= hardness <= 1:
        raise ParameterError(f"radius must be 3 to 64 and hardness 0 to 1, got {radius} and {hardness}")
    if not target.any():
        raise ParameterError("there is nothing to cover: the target is empty")
    box = _window(target, 0)
    reach = 3 * max(box[0].stop - box[0].start, box[1].stop - box[1].start) + 4 * round(radius)
    window = _window(target, reach)
    part, mask, source, offsets, fade = _paint(
        image[window], target[window], radius=radius, hardness=hardness, heal=heal, rng=rng
    )
    result = image.copy()
    result[window] = part
    masks = []
    for local in (mask, source & ~mask):
        masks.append(np.zeros(target.shape, bool))
        masks[-1][window] = local
    details = {"offsets": offsets}
    return Edit(result, masks[0], int(np.ceil(fade)), masks[1], details=details)


def _paint(
    image: np.ndarray,
    target: np.ndarray,
    *,
    radius: float,
    hardness: float,
    heal: bool,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[list[int]], float]:
    """The strokes one after the other: picture, mask, source, offsets, width of the fade."""
    result = image.copy()
    mask, source = np.zeros(target.shape, bool), np.zeros(target.shape, bool)
    # Strokes beyond the half-weight outline fade out over this many pixels.
    fade = 0.0 if heal else radius * (1 - hardness) / 2
    avoid = grown(target, round(radius))
    offsets = []
    strokes = _strokes(target, radius)
    while strokes:
        together, strokes = strokes[:STROKES_AN_OFFSET], strokes[STROKES_AN_OFFSET:]
        outline = np.zeros(target.shape, np.uint8)
        for start, stop, row in together:
            cv2.line(outline, (start, row), (stop, row), 1, max(1, round(2 * (radius - fade))))
        whole = outline > 0
        near = _window(whole, int(np.ceil(radius)) + 4)
        stroke = whole[near]
        offset = _offset(image, stroke, window=near, avoid=avoid, reach=radius + fade, rng=rng)
        moved = _moved(result, near, offset)
        old = result[near].astype(np.float32)
        if heal:
            moved += membrane(old - moved, stroke)
        weights = feather_weights(stroke, fade)[..., None]
        mixed = np.rint(np.clip(old + weights * (moved - old), 0, 255)).astype(np.uint8)
        result[near] = np.where(weights > 0, mixed, result[near])
        mask |= whole
        source |= _shifted(whole, offset)
        offsets.append([offset[0], offset[1]])
    return result, mask, source, offsets, fade


def _strokes(target: np.ndarray, radius: float) -> list[tuple[int, int, int]]:
    """Horizontal strokes (first column, last column, row) that cover the region."""
    down = np.flatnonzero(target.any(axis=1))
    step = max(1, int(radius))
    found = []
    for row in range(int(down[0]), int(down[-1]) + step, step):
        band = target[max(0, row - step // 2) : row + step // 2 + 1].any(axis=0)
        across = np.flatnonzero(band)
        if across.size:
            found.append((int(across[0]), int(across[-1]), min(row, target.shape[0] - 1)))
    return found


def _offset(
    image: np.ndarray,
    stroke: np.ndarray,
    *,
    window: tuple[slice, slice],
    avoid: np.ndarray,
    reach: float,
    rng: np.random.Generator,
) -> tuple[int, int]:
    """An offset (rows, columns) to content beside the region that suits the stroke's rim.

    `stroke` lies in `window` of the picture; `avoid` is of the picture's size.
    """
    top, left = window[0].start, window[1].start
    shape = grown(stroke, int(np.ceil(reach)))
    rim_rows, rim_cols = np.nonzero(shape & ~stroke & ~avoid[window])
    picked = slice(None, None, max(1, rim_rows.size // 400))
    rim_rows, rim_cols = rim_rows[picked] + top, rim_cols[picked] + left
    here = image[rim_rows, rim_cols].astype(np.float32)
    best, found = np.inf, None
    furthest = 3 * max(shape.shape)
    # The first offset that fits will do, the best of some dozens looks right.
    for _ in range(OFFSETS):
        down, across = (int(v) for v in rng.integers(-furthest, furthest + 1, size=2))
        bottom, right = top + down + shape.shape[0], left + across + shape.shape[1]
        if top + down < 0 or left + across < 0 or bottom > image.shape[0] or right > image.shape[1]:
            continue
        if np.any(avoid[top + down : bottom, left + across : right] & shape):
            continue
        there = image[rim_rows + down, rim_cols + across]
        mismatch = float(np.abs(there - here).mean()) if rim_rows.size else 0.0
        if mismatch < best:
            best, found = mismatch, (down, across)
    if found is None:
        raise ForgeryError("the picture has no room beside the region to clone from")
    return found


def _window(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, int(down[0]) - margin), int(down[-1]) + 1 + margin),
        slice(max(0, int(across[0]) - margin), int(across[-1]) + 1 + margin),
    )


def _moved(image: np.ndarray, window: tuple[slice, slice], offset: tuple[int, int]) -> np.ndarray:
    """What lies at the window moved by an offset, clipped at the picture's edges; float32."""
    rows = np.clip(np.arange(image.shape[0])[window[0]] + offset[0], 0, image.shape[0] - 1)
    cols = np.clip(np.arange(image.shape[1])[window[1]] + offset[1], 0, image.shape[1] - 1)
    return image[rows[:, None], cols[None, :]].astype(np.float32)


def _shifted(mask: np.ndarray, offset: tuple[int, int]) -> np.ndarray:
    """The mask moved by an offset."""
    moved = np.zeros_like(mask)
    rows, cols = np.nonzero(mask)
    rows, cols = rows + offset[0], cols + offset[1]
    inside = (rows >= 0) & (rows < mask.shape[0]) & (cols >= 0) & (cols < mask.shape[1])
    moved[rows[inside], cols[inside]] = True
    return moved
