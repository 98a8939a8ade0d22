"""Copy-move: a part of the picture is copied to another place in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensix.errors import ForgeryError, ParameterError
from forensix.forgery.blend import add_noise, border_margin, change_light, insert
from forensix.forgery.edit import Edit, check_picture, grown
from forensix.forgery.place import choose_place
from forensix.forgery.shapes import draw_region
from forensix.forgery.transform import cut_out

TRIES = 12


def copy_move(
    image: np.ndarray,
    *,
    rng: np.random.Generator,
    shape: str = "object",
    area: float = 0.03,
    rotation: float = 0.0,
    scale: float = 1.0,
    shear: float = 0.0,
    mirror: bool = False,
    copies: int = 1,
    gain: float = 1.0,
    bias: float = 0.0,
    noise: float = 0.0,
    blend: str = "paste",
    feather: float = 0.0,
    interpolation: str = "cubic",
    grid: str = "any",
) -> Edit:
    """Copy a region of a picture to one or more other places in it.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    rng : numpy.random.Generator
        Draws the region and the places.
    shape, area : as in :func:`~forensix.forgery.shapes.draw_region`
    rotation, scale, shear, mirror, interpolation : as in :func:`~forensix.forgery.transform.cut_out`
    copies : int
        1 to 8; they do not overlap each other or the original.
    gain, bias : float
        Contrast and brightness of the copies, as in :func:`~forensix.forgery.blend.change_light`.
    noise : float
        Standard deviation of Gaussian noise added to the copies, 0 to 50 grey levels.
    blend, feather : as in :func:`~forensix.forgery.blend.insert`
    grid : {"any", "on", "off"}
        Whether copies lie on the JPEG grid they came from.

    Returns
    -------
    Edit
        `mask` marks the copies, `source` the original.

    Raises
    ------
    ForgeryError
        If the picture is flat, or too small to hold the region and its copies.
    """
    if not 1 <= copies <= 8:
        raise ParameterError(f"copies must be 1 to 8, got {copies}")
    if not 0 <= noise <= 50:
        raise ParameterError(f"noise must be 0 to 50, got {noise}")
    check_picture(image)
    margin = border_margin(blend, feather)
    transformation: dict[str, Any] = {"rotation": rotation, "scale": scale, "shear": shear, "mirror": mirror}
    for _ in range(TRIES):
        region = draw_region(image, rng=rng, shape=shape, area=area)
        patch = cut_out(image, region, pad=margin + 1, interpolation=interpolation, **transformation)
        if min(image.shape[0] - patch.mask.shape[0], image.shape[1] - patch.mask.shape[1]) < 0:
            continue
        source = region.full(*image.shape[:2])
        # Twice the margin: neither ramp may reach into the other region.
        taken = grown(source, 2 * margin + 2)
        places: list[tuple[int, int]] = []
        result, mask = image, np.zeros(image.shape[:2], bool)
        for _ in range(copies):
            origin = (region.top - patch.pad, region.left - patch.pad)
            place = choose_place(image, patch, rng=rng, avoid=taken, origin=origin, grid=grid)
            if place is None:
                break
            lit = add_noise(change_light(patch, gain=gain, bias=bias), rng=rng, sigma=noise)
            result, placed = insert(result, lit, top=place[0], left=place[1], blend=blend, feather=feather)
            mask |= placed
            taken |= grown(placed, 2 * margin + 2)
            places.append(place)
        if len(places) == copies:
            details: dict[str, Any] = {
                "source_box": list(region.box),
                "copy_boxes": [[t, c, *patch.mask.shape] for t, c in places],
                "resampled": patch.resampled,
            }
            return Edit(result, mask, margin, source, details=details)
    raise ForgeryError(
        f"no room for {copies} {'copy' if copies == 1 else 'copies'} of a shape of {area:.1%} of the picture"
    )
