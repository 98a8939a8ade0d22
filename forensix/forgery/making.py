"""From a recipe and its photos to the bytes of a forgery, its mask and its twin."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
from PIL import Image

from forensix.errors import EvidenceError, ForensixError, ForgeryError, ParameterError
from forensix.forgery.chain import Chain, Picture, extension, parse_chain
from forensix.forgery.copying import copy_move
from forensix.forgery.edit import Edit, luma
from forensix.forgery.generators import generate
from forensix.forgery.photo import Photo
from forensix.forgery.recipe import ALIGNMENT, SCHEMA, Recipe, to_json
from forensix.forgery.removal import remove
from forensix.forgery.splicing import splice
from forensix.forgery.traces import OPERATIONS, change_trace
from forensix.forgery.travel import travel, travel_mask

EDITS: dict[str, Callable[..., Edit]] = {
    "copy-move": copy_move,
    "splicing": splice,
    "removal": remove,
    "trace": change_trace,
    "generator": generate,
}
ATTEMPTS = 8
MOST_FLAT = 0.6
# In the mask file: pixels changed, and pixels a copy was taken from (both read as "marked").
CHANGED, ORIGINAL = 255, 192


@dataclass(frozen=True, eq=False)
class Made:
    """A forgery made: the files' bytes by their path in the output folder.

    files : dict
        "forged", "twin", "mask" and "recipe" to (path, bytes).
    facts : dict
        What the recipe file says of it under "made".
    """

    files: dict[str, tuple[str, bytes]]
    facts: dict[str, Any]


def make(recipe: Recipe, read: Callable[[str], Photo]) -> Made:
    """Make a forgery.

    Parameters
    ----------
    recipe : Recipe
    read : callable
        Photo of a path, for example :meth:`~forensix.forgery.photo.PhotoShelf.read`.

    Raises
    ------
    ForgeryError, EvidenceError
        If no photo of the recipe can carry it (the error of the first), or one is not
        what the recipe was made from.
    """
    first: ForensixError | None = None
    for host, donor in ((recipe.host, recipe.donor), *recipe.spares):
        try:
            return _made(replace(recipe, host=host, donor=donor, spares=()), read)
        except (ForgeryError, EvidenceError) as error:
            first = first or error
    raise first or ForgeryError("the recipe names no photo")


def _made(recipe: Recipe, read: Callable[[str], Photo]) -> Made:
    if unknown := set(recipe.parameters) - accepted(recipe.kind, recipe.parameters):
        raise ParameterError(f"a {recipe.kind} has no parameter {', '.join(sorted(unknown))}")
    host = _known(read(recipe.host), recipe.host_sha256)
    donor = _known(read(recipe.donor), recipe.donor_sha256) if recipe.donor else None
    chain = parse_chain(recipe.chain)
    for attempt in range(ATTEMPTS):
        try:
            start, edit, crop = _edited(recipe, chain, host, donor, attempt)
            break
        except ForgeryError:
            # Another part of the photo may have more to it.
            if attempt == ATTEMPTS - 1:
                raise
    facts = {"crop": crop, "attempt": attempt}
    return _finished(recipe, chain, host=host, donor=donor, start=start, edit=edit, facts=facts)


def accepted(kind: str, parameters: Mapping[str, Any]) -> set[str]:
    """The names of parameters that the edit of a kind takes."""
    names = set(signature(EDITS[kind]).parameters) - {"image", "donor", "rng", "strength"}
    if kind == "trace":
        operation = OPERATIONS.get(str(parameters.get("operation", "median")))
        names |= set(signature(operation.apply).parameters) - {"image", "rng"} if operation else set()
    return names


def _known(photo: Photo, sha256: str) -> Photo:
    if sha256 and photo.sha256 != sha256:
        raise ForgeryError(f"{photo.path} is not the photo the recipe was made from: its SHA-256 differs")
    return photo


def _edited(
    recipe: Recipe, chain: Chain, host: Photo, donor: Photo | None, attempt: int
) -> tuple[Picture, Edit, list[int]]:
    """The picture before the edit, and the edit."""
    image, crop = _cropped(host.image, recipe, "host", attempt)
    if flat_share(image) > MOST_FLAT:
        raise ForgeryError("the picture is flat, or grey where its file is damaged, for the most part")
    start = travel(
        Picture(image),
        chain.before,
        camera=host.camera,
        seed=recipe.seed,
        key=_key(recipe, "before"),
        grey=host.grey,
    )
    pictures = [start.image]
    if donor is not None:
        content, _ = _cropped(donor.image, recipe, "donor", attempt)
        if recipe.donor_chain:
            steps = parse_chain("edit, " + recipe.donor_chain).after
            key = _key(recipe, "donor")
            content = travel(Picture(content), steps, camera=donor.camera, seed=recipe.seed, key=key).image
        pictures.append(content)
    edit = EDITS[recipe.kind](*pictures, rng=recipe.stream("edit", attempt), **recipe.parameters)
    if host.grey:
        grey = np.rint(luma(edit.image)).astype(np.uint8)
        edit = replace(edit, image=np.repeat(grey[..., None], 3, axis=2))
    if np.array_equal(edit.image, start.image):
        raise ForgeryError("the edit changed nothing: the picture is flat there")
    return start, edit, crop


def flat_share(image: np.ndarray) -> float:
    """Share of the 16 x 16 blocks of a picture that have no more than rounding in them."""
    rows, cols = (side // ALIGNMENT for side in image.shape[:2])
    blocks = luma(image[: rows * ALIGNMENT, : cols * ALIGNMENT]).reshape(rows, ALIGNMENT, cols, ALIGNMENT)
    return float((np.ptp(blocks, axis=(1, 3)) <= 2).mean())


def _key(recipe: Recipe, purpose: str) -> tuple[str | int, ...]:
    return (recipe.kind, recipe.index, purpose)


def _cropped(image: np.ndarray, recipe: Recipe, role: str, attempt: int) -> tuple[np.ndarray, list[int]]:
    """A crop of at most the recipe's size, on the photo's own JPEG grid: (top, left, rows, cols)."""
    rows, cols = (
        min(limit, length) if limit else length
        for limit, length in zip(recipe.size, image.shape, strict=False)
    )
    rng = recipe.stream("crop", role, attempt)
    top, left = (
        int(rng.integers((length - side) // ALIGNMENT + 1)) * ALIGNMENT
        for length, side in ((image.shape[0], rows), (image.shape[1], cols))
    )
    return np.ascontiguousarray(image[top : top + rows, left : left + cols]), [top, left, rows, cols]


def _finished(
    recipe: Recipe,
    chain: Chain,
    *,
    host: Photo,
    donor: Photo | None,
    start: Picture,
    edit: Edit,
    facts: dict[str, Any],
) -> Made:
    """Both pictures through the rest of the chain, the mask beside them, and all files' bytes."""
    way: dict[str, Any] = {
        "camera": host.camera,
        "seed": recipe.seed,
        "key": _key(recipe, "after"),
        "grey": host.grey,
    }
    forged = travel(Picture(edit.image), chain.after, **way)
    twin = travel(Picture(start.image), chain.after, **way)
    mask, margin = travel_mask(edit.mask, edit.margin, chain.after)
    marks = np.where(mask, CHANGED, 0).astype(np.uint8)
    if edit.source is not None and recipe.mask_marks == "both":
        source, _ = travel_mask(edit.source, 0, chain.after)
        marks[source & ~mask] = ORIGINAL
    contents = {
        "forged": (f"forged/{recipe.name}.{extension(chain)}", _bytes(forged)),
        "twin": (f"twins/{recipe.name}.{extension(chain)}", _bytes(twin)),
        "mask": (f"masks/{recipe.name}.png", _mask_png(marks)),
    }
    recipe = replace(
        recipe, chain=chain.text, host_sha256=host.sha256, donor_sha256=donor.sha256 if donor else ""
    )
    facts = {
        **facts,
        "rows": int(forged.image.shape[0]),
        "cols": int(forged.image.shape[1]),
        "device": host.device,
        "details": edit.details,
        "margin": margin,
        "lossless": chain.lossless,
        "whole": edit.whole,
        "files": {
            role: {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for role, (path, data) in contents.items()
        },
        "libraries": _libraries(),
    }
    document = to_json({"schema": SCHEMA, "recipe": recipe.to_dict(), "made": facts})
    return Made({**contents, "recipe": (f"recipes/{recipe.name}.json", document)}, facts)


def _bytes(picture: Picture) -> bytes:
    if picture.data is None:
        raise ForgeryError("the chain does not end with an encoding")
    return picture.data


def _mask_png(marks: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(marks).save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def _libraries() -> dict[str, str]:
    """What the bytes depend on besides the recipe."""
    import cv2
    import PIL
    import scipy
    from PIL import features

    return {
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "opencv": cv2.__version__,
        "pillow": PIL.__version__,
        "libjpeg-turbo": str(features.version("libjpeg_turbo")),
        "zlib": str(features.version("zlib")),
    }
