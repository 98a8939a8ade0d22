"""Chains: what happens to a picture before and after the edit, as a line of text.

``camera-jpeg, edit, jpeg:90:420, resize:0.7, messenger, png`` reads: saved by the camera,
edited, saved as JPEG of quality 90 with chroma 4:2:0, reduced to 70 %, sent by a
messenger, saved as PNG. The untouched twin takes the same way without the edit.

=====================  ==========================================================
step                   meaning
=====================  ==========================================================
edit                   where the edit happens; the first step if it is not named
camera-jpeg[:Q]        JPEG with the photo's own tables and sampling; if it has
                       none, of quality Q (95)
jpeg:Q[:S]             JPEG of quality Q, chroma S: 420 (default), 422 or 444
webp:Q                 WebP of quality Q
png, tiff, bmp         lossless
resize:F[:HOW]         to F times the size, HOW: lanczos (default), bicubic,
                       bilinear or box
crop:R:C               cut off R rows above and C columns left: moves the 8 x 8 grid
NAME                   a platform (platforms.json): size limit, then its JPEG
OPERATION[:A=V...]     an operation of :mod:`forensix.forgery.traces` on the whole
                       picture, for example ``gaussian:sigma=0.6``
=====================  ==========================================================

The last step says what file is written: it must be an encoding.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from forensix.errors import ParameterError
from forensix.forgery.encode import FORMATS, SAMPLINGS

RESAMPLERS = ("lanczos", "bicubic", "bilinear", "box")
# Half-width of each resampling kernel, in source pixels when enlarging.
SUPPORT = {"lanczos": 3.0, "bicubic": 2.0, "bilinear": 1.0, "box": 0.5}


@dataclass(frozen=True)
class Step:
    """One step of a chain, checked: its name and the values after the colons."""

    name: str
    values: dict[str, Any]
    text: str

    @property
    def encoding(self) -> bool:
        return self.name in FORMATS or self.name in ("camera-jpeg", "platform")


@dataclass(frozen=True)
class Chain:
    """The steps before and after the edit."""

    before: tuple[Step, ...]
    after: tuple[Step, ...]

    @property
    def text(self) -> str:
        """The chain in the notation it is read from, the edit always named."""
        return ", ".join([s.text for s in self.before] + ["edit"] + [s.text for s in self.after])

    @property
    def last(self) -> Step:
        return self.after[-1]

    @property
    def lossless(self) -> bool:
        """True when nothing after the edit changes pixels other than by moving them."""
        return all(step.name in ("png", "tiff", "bmp", "crop") for step in self.after)


@cache
def platforms() -> dict[str, dict[str, Any]]:
    """The platform presets: name to settings, with the source of each."""
    document = json.loads(files("forensix.forgery").joinpath("platforms.json").read_text("utf-8"))
    found: dict[str, dict[str, Any]] = document["platforms"]
    return found


def parse_chain(text: str) -> Chain:
    """Read a chain; ParameterError names the step that cannot be read."""
    steps = [parse_step(part.strip()) for part in text.split(",") if part.strip()]
    places = [i for i, step in enumerate(steps) if step.name == "edit"]
    if len(places) > 1:
        raise ParameterError(f"a chain has one edit, got {len(places)}: {text!r}")
    at = places[0] if places else -1
    before, after = tuple(steps[: max(at, 0)]), tuple(steps[at + 1 :])
    if not after or not after[-1].encoding:
        raise ParameterError(f"a chain ends with an encoding (png, jpeg:90, ...) after the edit: {text!r}")
    return Chain(before, after)


def parse_step(text: str) -> Step:
    """Read one step of a chain."""
    name, *rest = text.split(":")
    try:
        return Step(*_read(name, rest), text)
    except (ValueError, TypeError, KeyError) as error:
        raise ParameterError(f"step {text!r} of a chain cannot be read: {error}") from error


def _read(name: str, rest: list[str]) -> tuple[str, dict[str, Any]]:
    from forensix.forgery.traces import OPERATIONS

    if name in platforms():
        _count(rest, 0, 0)
        return "platform", dict(platforms()[name])
    # JPEG is a step of its own here; the operation of that name is for regions.
    if name in OPERATIONS and name != "jpeg":
        pairs = dict(part.split("=", 1) for part in rest)
        return "operation", {"operation": name, "strength": {k: _number(v) for k, v in pairs.items()}}
    readers: dict[str, Callable[[list[str]], dict[str, Any]]] = {
        "camera-jpeg": _camera_jpeg,
        "jpeg": _jpeg,
        "webp": lambda r: {"quality": _quality(_count(r, 1, 1)[0])},
        "resize": _resize,
        "crop": _crop,
    }
    if name in readers:
        return name, readers[name](rest)
    if name in ("edit", "png", "tiff", "bmp"):
        _count(rest, 0, 0)
        return name, {}
    known = ["edit", *readers, "png", "tiff", "bmp", *platforms(), *OPERATIONS]
    raise ValueError(f"there is no step {name!r}, only {', '.join(dict.fromkeys(known))}")


def _count(rest: list[str], least: int, most: int) -> list[str]:
    if not least <= len(rest) <= most:
        raise ValueError(f"{least} to {most} values wanted, got {len(rest)}")
    return rest


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _quality(text: str) -> int:
    quality = int(text)
    if not 1 <= quality <= 100:
        raise ValueError(f"a quality is 1 to 100, got {quality}")
    return quality


def _camera_jpeg(rest: list[str]) -> dict[str, Any]:
    return {"quality": _quality((_count(rest, 0, 1) or ["95"])[0])}


def _jpeg(rest: list[str]) -> dict[str, Any]:
    quality, sampling = (*_count(rest, 1, 2), "420")[:2]
    if sampling not in SAMPLINGS:
        raise ValueError(f"sampling is one of {', '.join(SAMPLINGS)}, got {sampling}")
    return {"quality": _quality(quality), "sampling": sampling}


def _resize(rest: list[str]) -> dict[str, Any]:
    factor, how = (*_count(rest, 1, 2), "lanczos")[:2]
    if not 0.05 <= float(factor) <= 4 or how not in RESAMPLERS:
        raise ValueError(f"a factor is 0.05 to 4 and the filter one of {', '.join(RESAMPLERS)}")
    return {"factor": float(factor), "filter": how}


def _crop(rest: list[str]) -> dict[str, Any]:
    top, left = (int(v) for v in _count(rest, 2, 2))
    if not (0 <= top <= 4096 and 0 <= left <= 4096):
        raise ValueError(f"rows and columns to cut off are 0 to 4096, got {top} and {left}")
    return {"top": top, "left": left}


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture on its way through a chain.

    image : (rows, cols, 3) uint8
    data : bytes, or None
        The file as last encoded; None when the picture changed since.
    """

    image: np.ndarray
    data: bytes | None = None


def extension(chain: Chain) -> str:
    """The file name's extension for what the chain writes, without the dot."""
    name = chain.last.name
    return FORMATS["jpeg" if name in ("camera-jpeg", "platform") else name]
