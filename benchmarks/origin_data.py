"""Numbers of real and of generated pictures, all of them sent through the same encodings.

Real photos come as JPEG and generated pictures as PNG; learned on those, a classifier learns
PNG. So here both sides go through the same chains: nothing or a resize before (a real photo
so loses its JPEG blocks as it does on its way into a web page) or an earlier JPEG of high
quality (which real photos have had), and then PNG or a JPEG of quality 60 to 100, with full
or halved colour.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from forensix.errors import ForensixError
from forensix.evidence import open_evidence
from forensix.forgery.generators import Generator, _rebuilt

LARGEST = 1024
INTERPOLATIONS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


@dataclass(frozen=True)
class Source:
    """One picture: where it lies, whether generated, by what, and with what it must stay together."""

    path: Path
    synthetic: bool
    family: str
    group: str
    set: str


def sources(
    manifests: list[Path],
    *,
    synthetic: bool,
    families: dict[str, str] | None = None,
    most: int = 10_000,
) -> list[Source]:
    """The pictures of manifests that are labelled authentic, resaved or synthetic.

    families : prefix of a group to the name of its family; others are their own
    most : of one manifest, spread evenly over it
    """
    wanted = {"synthetic"} if synthetic else {"authentic", "resaved"}
    out = []
    for manifest in manifests:
        found = []
        with open(manifest, newline="") as handle:
            for row in csv.DictReader(handle):
                if row["label"] not in wanted:
                    continue
                group = row.get("group") or row["image"]
                names = [name for prefix, name in (families or {}).items() if group.startswith(prefix)]
                family = names[0] if names else group if synthetic else "photo"
                path = manifest.parent / row["image"]
                # Generated pictures have no scene in common; each is a group of its own.
                found.append(
                    Source(path, synthetic, family, str(path) if synthetic else group, manifest.parent.name)
                )
        out += found[:: -(-len(found) // most)]
    return out


def pixels(source: Source) -> np.ndarray | None:
    """(rows, cols, 3) uint8, None where the file cannot be read."""
    try:
        return np.array(open_evidence(str(source.path)).rgb)
    except ForensixError:
        return None


def crop(image: np.ndarray, rng: np.random.Generator, largest: int = LARGEST) -> np.ndarray:
    """At most largest x largest pixels from anywhere in the picture."""
    rows, cols = (min(largest, n) for n in image.shape[:2])
    top = int(rng.integers(image.shape[0] - rows + 1))
    left = int(rng.integers(image.shape[1] - cols + 1))
    return image[top : top + rows, left : left + cols]


def resized(image: np.ndarray, factor: float, how: int) -> np.ndarray:
    size = tuple(max(1, round(n * factor)) for n in image.shape[1::-1])
    return np.asarray(cv2.resize(image, size, interpolation=how))


def jpeg(image: np.ndarray, quality: int, *, full_colour: bool = False) -> np.ndarray:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=quality, subsampling=0 if full_colour else 2)
    return np.array(Image.open(out).convert("RGB"))


def treated(
    image: np.ndarray, before: str, after: str, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, float]]:
    """A picture sent through one chain, and what was drawn for it.

    before : "none", "resize" or "jpeg"
    after : "png" or "jpeg"
    """
    drawn: dict[str, float] = {"factor": 1.0, "quality": 0.0}
    if before == "resize":
        # Small pictures are reduced less, so that something is left to look at.
        least = max(0.35, 260 / min(image.shape[:2]))
        if least < 0.95:
            drawn["factor"] = float(rng.uniform(least, 0.95))
            image = resized(image, drawn["factor"], INTERPOLATIONS[rng.integers(4)])
    elif before == "jpeg":
        image = jpeg(image, int(rng.integers(85, 99)), full_colour=bool(rng.integers(2)))
        top, left = rng.integers(0, 8, 2)
        image = image[top:, left:]
    if after == "jpeg":
        drawn["quality"] = float(rng.integers(60, 101))
        image = jpeg(image, int(drawn["quality"]), full_colour=bool(rng.random() < 0.25))
    return image, drawn


class ColourDecoder(Generator):
    """A made generator whose convolutions mix the colours, as those of decoders of latents do.

    After each doubling comes a 3 x 3 convolution from all colours to all, random near the identity, and
    a second one with a bent line between the two.
    """

    def _weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        kernels = super()._weights(rng)
        mixing = rng.normal(0, rng.uniform(0.01, 0.05), (2, 3, 3, 3, 3)).astype(np.float32)
        for layer, colour in np.ndindex(2, 3):
            mixing[layer, colour, colour, 1, 1] += 1
            mixing[layer, colour] /= mixing[layer, colour].sum()
        return [*kernels, mixing]

    def _double(self, picture: np.ndarray, kernels: list[np.ndarray]) -> np.ndarray:
        doubled = super()._double(picture, kernels[:-1])
        for number, layer in enumerate(kernels[-1]):
            doubled = np.stack(
                [
                    sum(
                        cv2.filter2D(np.ascontiguousarray(doubled[..., b]), -1, layer[a, b]) for b in range(3)
                    )
                    for a in range(3)
                ],
                axis=-1,
            )
            if number == 0:
                smooth = cv2.blur(doubled, (3, 3))
                detail = doubled - smooth
                doubled = smooth + np.where(detail > 0, detail, 0.8 * detail)
        return doubled


def decoded(
    image: np.ndarray, rng: np.random.Generator, upsampling: str, stages: int, model: int
) -> np.ndarray:
    """A picture rebuilt by a ColourDecoder; (rows, cols, 3) uint8."""
    return _rebuilt(image, ColourDecoder(upsampling, stages=stages, model=model), rng)
