"""Where to put a patch so that it does not stand out."""

from __future__ import annotations

import numpy as np

from forensix.errors import ParameterError
from forensix.forgery.edit import grown
from forensix.forgery.transform import Patch

GRIDS = ("any", "on", "off")
CANDIDATES = 24
BLOCK = 8


def choose_place(
    host: np.ndarray,
    patch: Patch,
    *,
    rng: np.random.Generator,
    avoid: np.ndarray | None = None,
    origin: tuple[int, int] | None = None,
    grid: str = "any",
) -> tuple[int, int] | None:
    """Draw places and keep the one whose surroundings look most like the patch's own.

    Parameters
    ----------
    host : (rows, cols, 3) uint8
    patch : Patch
    rng : numpy.random.Generator
    avoid : (rows, cols) bool
        Where the shape must not come to lie.
    origin : (int, int)
        Row and column of the patch's first pixel, padding included, in the picture it
        was cut from; needed for a `grid` other than "any".
    grid : {"any", "on", "off"}
        "on": move by whole blocks of 8 x 8, so that JPEG grids coincide; "off": never so.

    Returns
    -------
    top, left : int, or None where no place was found
        Of the first pixel of the patch, padding included (may be negative by the padding).
    """
    if grid not in GRIDS:
        raise ParameterError(f"grid must be one of {', '.join(GRIDS)}, got {grid!r}")
    if origin is None:
        if grid != "any":
            raise ParameterError("a grid other than 'any' needs the origin of the patch")
        origin = (0, 0)
    pad, (rows, cols) = patch.pad, patch.mask.shape
    core = patch.mask[pad : rows - pad, pad : cols - pad]
    ring = grown(patch.mask, 3)[pad : rows - pad, pad : cols - pad] & ~_eroded(core)
    wanted = patch.pixels[pad : rows - pad, pad : cols - pad][ring]
    down, across = host.shape[0] - core.shape[0] + 1, host.shape[1] - core.shape[1] + 1
    if down < 1 or across < 1:
        return None
    best, found = np.inf, None
    for _ in range(CANDIDATES):
        top, left = int(rng.integers(down)), int(rng.integers(across))
        if grid != "any":
            top, left = _on_grid(top, left, start=(origin[0] + pad, origin[1] + pad), grid=grid, rng=rng)
            if not (0 <= top < down and 0 <= left < across):
                continue
        window = np.s_[top : top + core.shape[0], left : left + core.shape[1]]
        if avoid is not None and np.any(avoid[window] & core):
            continue
        mismatch = float(np.abs(host[window][ring] - wanted).mean())
        if mismatch < best:
            best, found = mismatch, (top - pad, left - pad)
    return found


def _eroded(mask: np.ndarray) -> np.ndarray:
    return ~grown(~np.pad(mask, 1), 3)[1:-1, 1:-1]


def _on_grid(
    top: int, left: int, *, start: tuple[int, int], grid: str, rng: np.random.Generator
) -> tuple[int, int]:
    """The nearest place up and to the left that is moved by whole blocks, or not."""
    top -= (top - start[0]) % BLOCK
    left -= (left - start[1]) % BLOCK
    if grid == "off":
        phase = int(rng.integers(1, BLOCK * BLOCK))
        top, left = top + phase // BLOCK, left + phase % BLOCK
    return top, left
