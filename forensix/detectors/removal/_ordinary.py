"""What occurs twice in untouched pictures: captions, the blocks of a coarse JPEG, even areas."""

from __future__ import annotations

import numpy as np

from forensix.detectors.removal._fragments import Fragment

BLOCK = 8  # pixels, side of a JPEG's block
LEAST_ALIGNED = 1600  # pixels of a piece that may lie whole blocks from its like, whatever is in it
# Cosine coefficients, of more than so many grey levels, of a smaller one: photos saved as JPEG at quality
# 30 to 75 had pieces with 9 at most.
COEFFICIENT, LEAST_COEFFICIENTS = 2.0, 20.0
WORTH = 0.3  # of what the pixels of such a piece say, that the coefficients say at most
BLOCK_COVERED = 0.75  # share of a block that the piece must have
LETTERING = 0.06  # of the picture's height, in which captions lie
LETTERING_EVEN = 0.05  # of a fragment's pixels, at least


def is_block_content(piece: Fragment, luma: np.ndarray) -> bool:
    """Whether a small piece that lies whole blocks of 8 x 8 pixels from its like may be a JPEG repeating itself.

    The blocks of a coarse JPEG have few contents, and the same few blocks meet again elsewhere;
    blocks with much in them do not. Of pieces known by their equality alone, one direction is enough: what
    varies in the other direction only is the same wherever a block is cut.
    """
    return block_worth(piece, luma) < 1


def block_worth(piece: Fragment, luma: np.ndarray) -> float:
    """How much of what its pixels say a piece says, 0 to 1: less than 1 where it :func:`is_block_content`.

    A sky of two slopes says something new in every pixel, and all of it is in a coefficient or two a block.
    """
    aligned = [step % BLOCK == 0 for step in piece.offset]
    if not (all(aligned) or (any(aligned) and not piece.anchors)) or piece.area >= LEAST_ALIGNED:
        return 1.0
    count = coefficients_in(luma[piece.window()], piece.mask)
    return 1.0 if count >= LEAST_COEFFICIENTS else min(WORTH, count / LEAST_COEFFICIENTS)


def coefficients_in(part: np.ndarray, mask: np.ndarray) -> float:
    """How many cosine coefficients besides the mean the blocks of a piece have, by the sparest lattice of blocks.

    part : (rows, cols) float32, luma
    mask : (rows, cols) bool, the piece
    Returns 0 where no block of 8 x 8 pixels fits.
    """
    from scipy.fft import dctn

    if min(part.shape) < BLOCK:
        return 0.0
    side = (BLOCK, BLOCK)
    blocks = np.lib.stride_tricks.sliding_window_view(part, side)
    whole = np.lib.stride_tricks.sliding_window_view(mask, side).mean(axis=(2, 3)) > BLOCK_COVERED
    place = np.argwhere(whole)
    if not len(place):
        return 0.0
    count = (np.abs(dctn(blocks[whole], axes=(1, 2), norm="ortho")) > COEFFICIENT).sum(axis=(1, 2)) - 1
    lattice = place[:, 0] % BLOCK * BLOCK + place[:, 1] % BLOCK
    number = np.bincount(lattice, minlength=BLOCK**2)
    mean = np.bincount(lattice, weights=count, minlength=BLOCK**2)[number > 0] / number[number > 0]
    return float(max(0.0, mean.min()) * np.count_nonzero(mask) / BLOCK**2)


def is_lettering(piece: Fragment, luma: np.ndarray) -> bool:
    """Whether a fragment is part of a caption that the camera printed along the top or bottom.

    Such lettering repeats to the pixel; both occurrences lie in the strip, on even ground.
    """
    strip = LETTERING * luma.shape[0]
    for other in (False, True):
        rows, cols = piece.window(other)
        if rows.stop > strip and rows.start < luma.shape[0] - strip:
            return False
        if even_share(luma[rows, cols]) < LETTERING_EVEN:
            return False
    return True


def even_share(luma: np.ndarray) -> float:
    """Share of pixels that equal their neighbour to the right and the one below."""
    here = luma[:-1, :-1]
    if not here.size:
        return 0.0
    return float(((here == luma[:-1, 1:]) & (here == luma[1:, :-1])).mean())
