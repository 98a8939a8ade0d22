"""Send pictures and masks along the steps of a chain."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from forensix.errors import ForgeryError
from forensix.forgery.chain import SUPPORT, Picture, Step
from forensix.forgery.edit import SMALLEST_SIDE
from forensix.forgery.encode import decode, encode
from forensix.forgery.seeds import stream

_FILTERS = {
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "box": Image.Resampling.BOX,
}


def travel(
    picture: Picture, steps: tuple[Step, ...], *, camera: dict[str, Any], seed: int, key: tuple[str | int, ...],
    grey: bool = False,
) -> Picture:  # fmt: skip
    """Take a picture along some steps.

    Parameters
    ----------
    picture : Picture
    steps : of a chain
    camera : dict
        "tables" and "sampling" of the photo's own JPEG, empty if it has none.
    seed, key
        Of the random numbers of steps that draw (noise). A forged picture and its twin
        take the same ones.
    grey : bool
        The photo has one channel, and so do the files written.

    Returns
    -------
    Picture
        With `data` when the last step was an encoding.
    """
    for number, step in enumerate(steps):
        if step.encoding:
            picture = _encoded(picture, step, camera, grey)
        elif step.name == "resize":
            size = resized(picture.image.shape[:2], step)
            picture = Picture(_resize(picture.image, size, step.values["filter"]))
        elif step.name == "crop":
            picture = Picture(
                np.ascontiguousarray(picture.image[step.values["top"] :, step.values["left"] :])
            )
        else:
            picture = Picture(_operated(picture.image, step, stream(seed, *key, "step", number)))
        if min(picture.image.shape[:2]) < SMALLEST_SIDE:
            raise ForgeryError(f"the picture is too small for the chain: nothing is left after {step.text!r}")
    return picture


def resized(size: tuple[int, ...], step: Step) -> tuple[int, int]:
    """Rows and columns after a resize or a platform's size limit."""
    if step.name == "resize":
        factor = step.values["factor"]
    else:
        factor = min(1.0, step.values["max_side"] / max(size[:2]))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _encoded(picture: Picture, step: Step, camera: dict[str, Any], grey: bool) -> Picture:
    image = picture.image
    settings = {k: v for k, v in step.values.items() if k in ("quality", "sampling")}
    if step.name == "platform":
        size = resized(image.shape, step)
        image = image if size == image.shape[:2] else _resize(image, size, "lanczos")
    if step.name == "camera-jpeg" and camera:
        settings |= {"tables": camera["tables"], "sampling": camera["sampling"]}
    file_format = "jpeg" if step.name in ("camera-jpeg", "platform") else step.name
    data = encode(image, file_format=file_format, grey=grey, **settings)
    return Picture(decode(data) if file_format in ("jpeg", "webp") else image, data)


def _resize(image: np.ndarray, size: tuple[int, int], how: str) -> np.ndarray:
    return np.array(Image.fromarray(image).resize(size[::-1], _FILTERS[how]))


def _operated(image: np.ndarray, step: Step, rng: np.random.Generator) -> np.ndarray:
    from forensix.forgery.traces import OPERATIONS

    return OPERATIONS[step.values["operation"]].apply(image, rng, **step.values["strength"])


def travel_mask(mask: np.ndarray, margin: int, steps: tuple[Step, ...]) -> tuple[np.ndarray, int]:
    """Take a mask and its margin along the steps that move or blur pixels.

    Parameters
    ----------
    mask : (rows, cols) bool
    margin : int
        How far outside the mask the edit can have changed something, in pixels.
    steps : of a chain, after the edit

    Returns
    -------
    mask : bool
        At the final size: where at least half of a pixel was inside.
    margin : int
        At the final size, before lossy compression: resampling and filtering see beyond
        the border. Adaptive equalization and JPEG spread further; they are not counted.
    """
    from forensix.forgery.traces import OPERATIONS

    for step in steps:
        if step.name == "crop":
            mask = mask[step.values["top"] :, step.values["left"] :]
        elif step.name in ("resize", "platform"):
            size = resized(mask.shape, step)
            if size == mask.shape:
                continue
            factor = max(size[0] / mask.shape[0], size[1] / mask.shape[1])
            how = step.values.get("filter", "lanczos")
            margin = int(np.ceil((margin + SUPPORT[how] * max(1.0, 1 / factor)) * factor)) + 1
            picture = Image.fromarray(mask.astype(np.uint8) * 255)
            mask = np.array(picture.resize(size[::-1], Image.Resampling.BILINEAR)) > 127
        elif step.name == "operation":
            margin += OPERATIONS[step.values["operation"]].reach
    return mask, margin
