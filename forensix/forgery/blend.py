"""Put a patch into a picture: hard, feathered, or with its gradients (Poisson)."""

from __future__ import annotations

import cv2
import numpy as np

from forensix.errors import ParameterError
from forensix.forgery.edit import grown
from forensix.forgery.transform import Patch

BLENDS = ("paste", "feather", "poisson")


def border_margin(blend: str, feather: float) -> int:
    """How far outside its mask a paste can change the picture, in pixels."""
    if blend not in BLENDS:
        raise ParameterError(f"blend must be one of {', '.join(BLENDS)}, got {blend!r}")
    if not 0 <= feather <= 32:
        raise ParameterError(f"feather must be 0 to 32 pixels, got {feather}")
    return int(np.ceil(feather)) if blend == "feather" else 0


def feather_weights(mask: np.ndarray, feather: float) -> np.ndarray:
    """Weight of the new content: 1 inside, 0 outside, a ramp across the border.

    Parameters
    ----------
    mask : (rows, cols) bool
    feather : float
        Half the width of the ramp, in pixels; 0 for a hard edge.

    Returns
    -------
    (rows, cols) float32
        0.5 or more exactly inside the mask; 0 from `feather` pixels outside on.
    """
    if feather <= 0 or not mask.any():
        return mask.astype(np.float32)
    within = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[
        1:-1, 1:-1
    ]
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Distances are to the centre of the nearest pixel of the other kind: the border
    # itself lies half a pixel before it.
    signed = np.where(mask, within - 0.5, 0.5 - outside)
    ramp: np.ndarray = np.clip(0.5 + signed / (2 * feather), 0, 1).astype(np.float32)
    return ramp


def insert(
    image: np.ndarray, patch: Patch, *, top: int, left: int, blend: str = "paste", feather: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Put a patch into a picture.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    patch : Patch
        With `pad` at least ``border_margin(blend, feather)``, and at least 1 for
        "poisson".
    top, left : int
        Where the first row and column of the patch, padding included, come to lie;
        parts that fall outside the picture are cut off.
    blend : {"paste", "feather", "poisson"}
        "poisson" keeps the patch's gradients and meets the picture's values at the
        border (Perez, Gangnet, Blake 2003).
    feather : float
        For "feather": half the width of the ramp across the border, in pixels.

    Returns
    -------
    image : (rows, cols, 3) uint8, a new array
    mask : (rows, cols) bool, the shape in place

    References
    ----------
    Perez, Gangnet, Blake, "Poisson image editing", ACM TOG 22(3), 2003.
    https://doi.org/10.1145/882262.882269
    """
    margin = max(border_margin(blend, feather), 1 if blend == "poisson" else 0)
    if patch.pad < margin:
        raise ParameterError(f"a patch needs {margin} pixels of padding here, got {patch.pad}")
    there, here = _overlap(image.shape[:2], patch.mask.shape, top, left)
    mask, new = patch.mask[here], patch.pixels[here]
    old = image[there].astype(np.float32)
    if blend == "poisson":
        new = new + membrane(old - new, mask)
    weights = feather_weights(patch.mask, feather if blend == "feather" else 0.0)[here][..., None]
    mixed = np.rint(np.clip(old + weights * (new - old), 0, 255)).astype(np.uint8)
    result = image.copy()
    # Rounding old + 0 * x is exact, but only what has weight is written all the same.
    result[there] = np.where(weights > 0, mixed, image[there])
    placed = np.zeros(image.shape[:2], bool)
    placed[there] = mask
    return result, placed


def _overlap(
    size: tuple[int, ...], patch: tuple[int, ...], top: int, left: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The window of the picture a patch falls on, and the part of the patch that does."""
    row, col = max(0, top), max(0, left)
    bottom, right = min(size[0], top + patch[0]), min(size[1], left + patch[1])
    if bottom <= row or right <= col:
        raise ParameterError("the patch falls outside the picture")
    here = slice(row - top, bottom - top), slice(col - left, right - left)
    return (slice(row, bottom), slice(col, right)), here


def membrane(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The smoothest surface inside a mask that meets the values around it.

    Solves Laplace's equation inside the mask with the values outside as boundary,
    from coarse to fine (each level starts from the coarser solution). At the array's
    own edge the surface may end freely.

    Parameters
    ----------
    values : (rows, cols, channels) float32
        Used outside the mask only.
    mask : (rows, cols) bool

    Returns
    -------
    (rows, cols, channels) float32; `values` outside the mask
    """
    if not mask.any():
        return values.copy()
    if mask.all():
        return np.zeros_like(values)
    surface = values.astype(np.float32)
    if min(mask.shape) > 8 and np.count_nonzero(mask) > 16:
        coarse_values, coarse_mask = _halved(values, mask)
        if not coarse_mask.all():
            coarse = membrane(coarse_values, coarse_mask)
            surface = cv2.resize(coarse, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
            surface = surface.reshape(values.shape)
            surface[~mask] = values[~mask]
    else:
        surface[mask] = values[~mask].mean(axis=0)
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    inside = mask[..., None]
    for _ in range(48):
        average = cv2.filter2D(surface, -1, kernel, borderType=cv2.BORDER_REPLICATE).reshape(values.shape)
        np.copyto(surface, average, where=inside)
    return surface


def _halved(values: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half the size: averages of the known pixels, unknown where none is known."""
    rows, cols = (mask.shape[0] + 1) // 2, (mask.shape[1] + 1) // 2
    pad = ((0, 2 * rows - mask.shape[0]), (0, 2 * cols - mask.shape[1]))
    known = np.pad(~mask, pad).astype(np.float32)
    filled = np.pad(values, (*pad, (0, 0))) * known[..., None]
    counts = known.reshape(rows, 2, cols, 2).sum(axis=(1, 3))
    sums = filled.reshape(rows, 2, cols, 2, -1).sum(axis=(1, 3))
    return (sums / np.maximum(counts, 1)[..., None]).astype(np.float32), counts == 0


def match_tone(patch: Patch, host: np.ndarray, *, top: int, left: int, strength: float = 1.0) -> Patch:
    """Bring a patch's colour and contrast towards those of where it is to lie.

    Mean and standard deviation of each channel move by `strength` of the way (0 to 1)
    from the patch's own to those of the picture within and around the place.
    """
    there, here = _overlap(host.shape[:2], patch.mask.shape, top, left)
    around = grown(patch.mask[here], 12)
    target = host[there][around].astype(np.float32)
    own = patch.pixels[patch.mask]
    gain = np.clip(target.std(axis=0) / np.maximum(own.std(axis=0), 1), 0.7, 1.4) ** strength
    mean = own.mean(axis=0)
    pixels = (patch.pixels - mean) * gain + mean + strength * (target.mean(axis=0) - mean)
    return Patch(np.clip(pixels, 0, 255).astype(np.float32), patch.mask, patch.pad, patch.resampled)


def change_light(patch: Patch, *, gain: float = 1.0, bias: float = 0.0) -> Patch:
    """Contrast (about the patch's own mean) and brightness, in grey levels."""
    if gain == 1 and bias == 0:
        return patch
    mean = patch.pixels[patch.mask].mean(axis=0)
    pixels = np.clip((patch.pixels - mean) * gain + mean + bias, 0, 255).astype(np.float32)
    return Patch(pixels, patch.mask, patch.pad, patch.resampled)


def add_noise(patch: Patch, *, rng: np.random.Generator, sigma: float) -> Patch:
    """Gaussian noise on every channel; nothing is drawn where `sigma` is 0."""
    if sigma == 0:
        return patch
    noisy = patch.pixels + rng.normal(0, sigma, patch.pixels.shape).astype(np.float32)
    return Patch(np.clip(noisy, 0, 255).astype(np.float32), patch.mask, patch.pad, patch.resampled)
