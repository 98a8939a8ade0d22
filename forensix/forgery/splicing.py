"""Splicing: a part of another photo is put into the picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensix.errors import ForgeryError, ParameterError
from forensix.forgery.blend import border_margin, change_light, insert, match_tone
from forensix.forgery.edit import Edit, check_picture
from forensix.forgery.place import choose_place
from forensix.forgery.shapes import draw_region
from forensix.forgery.transform import cut_out

TRIES = 12


def splice(
    image: np.ndarray,
    donor: np.ndarray,
    *,
    rng: np.random.Generator,
    shape: str = "object",
    area: float = 0.05,
    rotation: float = 0.0,
    scale: float = 1.0,
    shear: float = 0.0,
    mirror: bool = False,
    tone: float = 0.5,
    gain: float = 1.0,
    bias: float = 0.0,
    blend: str = "paste",
    feather: float = 0.0,
    interpolation: str = "cubic",
    grid: str = "any",
) -> Edit:
    """Put a region of a donor picture into a picture.

    Parameters
    ----------
    image, donor : (rows, cols, 3) uint8
        The donor brings its own history: compress or resize it before.
    area : float
        Share of `image` that the region covers before it is scaled.
    tone : float
        How far the colours are matched to the place, 0 to 1, see
        :func:`~forensix.forgery.blend.match_tone`.
    grid : {"any", "on", "off"}
        Whether the donor's JPEG grid coincides with the picture's.
    others
        As of :func:`~forensix.forgery.copying.copy_move`.

    Returns
    -------
    Edit

    Raises
    ------
    ForgeryError
        If either picture is flat, or too small for the region.
    """
    if not 0 <= tone <= 1:
        raise ParameterError(f"tone must be 0 to 1, got {tone}")
    check_picture(image)
    check_picture(donor, name="donor")
    margin = border_margin(blend, feather)
    share = float(np.clip(area * image[..., 0].size / donor[..., 0].size, 0.0005, 0.3))
    transformation: dict[str, Any] = {"rotation": rotation, "scale": scale, "shear": shear, "mirror": mirror}
    for _ in range(TRIES):
        region = draw_region(donor, rng=rng, shape=shape, area=share)
        patch = cut_out(donor, region, pad=margin + 1, interpolation=interpolation, **transformation)
        origin = (region.top - patch.pad, region.left - patch.pad)
        place = choose_place(image, patch, rng=rng, origin=origin, grid=grid)
        if place is None:
            continue
        if tone:
            patch = match_tone(patch, image, top=place[0], left=place[1], strength=tone)
        patch = change_light(patch, gain=gain, bias=bias)
        result, mask = insert(image, patch, top=place[0], left=place[1], blend=blend, feather=feather)
        details: dict[str, Any] = {
            "donor_box": list(region.box),
            "box": [*place, *patch.mask.shape],
            "resampled": patch.resampled,
        }
        return Edit(result, mask, margin, details=details)
    raise ForgeryError(f"the donor's shape of {area:.1%} of the picture does not fit into the picture")
