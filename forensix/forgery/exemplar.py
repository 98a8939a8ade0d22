"""Fill a hole with patches of the rest of the picture, from coarse to fine.

The method is that of Wexler, Shechtman and Irani (2007) with the matches found by
PatchMatch (Barnes et al. 2009), as in "content-aware fill".
"""

from __future__ import annotations

import cv2
import numpy as np

from forensix.errors import ForgeryError
from forensix.forgery.blend import membrane
from forensix.forgery.edit import grown

RADIUS = 3
# Rounds of matching and voting, coarsest level first; the finest needs only to copy.
ROUNDS_COARSE = 8
ROUNDS_FINE = 2
SWEEPS = 2


def exemplar_fill(image: np.ndarray, hole: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Fill a hole with content of the same picture.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    hole : (rows, cols) bool
    rng : numpy.random.Generator

    Returns
    -------
    (rows, cols, 3) uint8; equal to `image` outside the hole

    Raises
    ------
    ForgeryError
        If no patch of the picture is free of the hole.

    References
    ----------
    Wexler, Shechtman, Irani, "Space-time completion of video", IEEE TPAMI 29(3), 2007.
    https://doi.org/10.1109/TPAMI.2007.60
    Barnes et al., "PatchMatch", ACM TOG 28(3), 2009. https://doi.org/10.1145/1531326.1531330
    """
    levels = _pyramid(image.astype(np.float32), hole)
    picture, there = levels[-1]
    picture = membrane(picture, there)
    field = None
    for depth in range(len(levels) - 1, -1, -1):
        known, there = levels[depth]
        if field is not None:
            picture = cv2.resize(picture, there.shape[::-1], interpolation=cv2.INTER_LINEAR)
        picture = np.where(there[..., None], picture, known)
        rounds = max(ROUNDS_FINE, ROUNDS_COARSE - 2 * (len(levels) - 1 - depth))
        picture, field = _fill_level(picture, there, field, rounds, rng)
    filled = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    return np.where(hole[..., None], filled, image)


def _pyramid(image: np.ndarray, hole: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Picture and hole at full size, half, ... until the hole is about one patch thick."""
    levels = [(np.ascontiguousarray(image), hole)]
    while True:
        picture, there = levels[-1]
        padded = np.pad(there, 1).astype(np.uint8)
        thickness = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max()
        if thickness <= RADIUS + 1 or min(there.shape) < 16 * RADIUS:
            return levels
        size = ((there.shape[1] + 1) // 2, (there.shape[0] + 1) // 2)
        # Hole pixels must not bleed into the coarser picture: average the known ones only.
        weight = (~there).astype(np.float32)
        share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        total = cv2.resize(picture * weight[..., None], size, interpolation=cv2.INTER_AREA)
        coarse = total / np.maximum(share, 1e-6)[..., None]
        levels.append((np.ascontiguousarray(coarse, np.float32), share < 0.5))


def _fill_level(
    picture: np.ndarray, hole: np.ndarray, field: np.ndarray | None, rounds: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Match and vote in turn at one level; the last vote all but copies the best matches."""
    from forensix.native.patch_fill import match_sweep, vote

    inner = np.zeros_like(hole)
    inner[RADIUS:-RADIUS, RADIUS:-RADIUS] = True
    touched = cv2.dilate(hole.astype(np.uint8), np.ones((2 * RADIUS + 1,) * 2, np.uint8)) > 0
    usable = inner & ~touched
    if not usable.any():
        raise ForgeryError("the hole leaves no whole patch of the picture to fill it with")
    targets = np.argwhere(inner & touched).astype(np.int32)
    field = _start_field(usable, touched, field, rng)
    picture = np.ascontiguousarray(picture, np.float32)
    # Mean squared difference per colour sample at which a match counts half as much.
    samples = 3 * (2 * RADIUS + 1) ** 2
    for turn in range(rounds):
        cost = np.full(hole.shape, np.inf, np.float32)
        for sweep in range(SWEEPS):
            seed = int(rng.integers(1, 2**62))
            match_sweep(
                picture, targets, usable, field, cost, radius=RADIUS, seed=seed, backwards=sweep % 2 == 1
            )
        last = turn == rounds - 1
        vote(picture, hole, targets, field, cost, radius=RADIUS, spread=samples * (4.0 if last else 60.0))
    return picture, field


def _start_field(
    usable: np.ndarray, touched: np.ndarray, coarse: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    """Twice the coarser level's matches where they are usable here, random ones elsewhere."""
    choices = np.argwhere(usable).astype(np.int32)
    field = choices[rng.integers(len(choices), size=usable.shape)]
    if coarse is not None:
        row, col = np.indices(usable.shape)
        up = coarse[row // 2, col // 2] * 2 + np.stack([row % 2, col % 2], axis=-1)
        up = np.minimum(up, np.array(usable.shape) - 1)
        good = usable[up[..., 0], up[..., 1]]
        field[good] = up[good]
    # Outside the targets the field is only read by propagation: a pixel matches itself.
    own = np.argwhere(usable & ~grown(touched, 2))
    field[own[:, 0], own[:, 1]] = own
    return np.ascontiguousarray(field, np.int32)
