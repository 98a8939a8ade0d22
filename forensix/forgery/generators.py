"""Made generators: real content passed through the up-sampling layers of a network.

A generator of pictures builds them from a small grid by doubling its size several times.
What that leaves behind does not depend on what the network has learnt, so a stack of such
layers with random weights, fed with the small copy of a real photo, leaves the same kind
of trace, with a known architecture and without anybody's weights (Zhang, Karaman, Chang,
"Detecting and simulating artifacts in GAN fake images", WIFS 2019,
https://doi.org/10.1109/WIFS47025.2019.9035107).
"""

from __future__ import annotations

import cv2
import numpy as np

from forensix.errors import ForgeryError, ParameterError
from forensix.forgery.decoders import Decoder
from forensix.forgery.edit import Edit, check_picture
from forensix.forgery.encode import encode
from forensix.forgery.seeds import stream
from forensix.forgery.shapes import draw_region

UPSAMPLINGS = ("nearest", "bilinear", "transposed", "shuffle")
# Of generate(): one of these, or a small network fitted to each photo (forensix.forgery.decoders).
DECODER = "decoder"
LOST = (1.0, 4.0)  # grey levels of detail that a decoder loses: drawn between these
MARGIN = 16
MOST_NOISE = 3.0
# Grey levels below which detail counts as a camera's grain, which a generator does not have.
GRAIN = 5.0


class Generator:
    """One made generator: fixed random weights, the same for every picture.

    Parameters
    ----------
    upsampling : {"nearest", "bilinear", "transposed", "shuffle"}
        The doubling layer: repetition and a 3 x 3 convolution, interpolation and a
        3 x 3 convolution, a 4 x 4 convolution with stride 1/2, or a convolution to four
        times the channels that are then interleaved.
    stages : int
        1 to 3 doublings.
    model : int
        Which random weights.
    """

    def __init__(self, upsampling: str = "nearest", *, stages: int = 1, model: int = 0) -> None:
        if upsampling not in UPSAMPLINGS:
            raise ParameterError(f"upsampling must be one of {', '.join(UPSAMPLINGS)}, got {upsampling!r}")
        if not 1 <= stages <= 3:
            raise ParameterError(f"stages must be 1 to 3, got {stages}")
        self.upsampling = upsampling
        self.stages = stages
        rng = stream(model, "generator", upsampling)
        self.weights = [self._weights(rng) for _ in range(stages)]

    def _weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        """The kernels of one stage, near those that keep the picture what it is."""
        if self.upsampling == "transposed":
            tent = np.array([0.25, 0.75, 0.75, 0.25])
            kernel = np.outer(tent, tent) * (1 + rng.normal(0, 0.12, (4, 4)))
            for row, col in np.ndindex(2, 2):
                # Training makes the four phases weigh nearly the same; what is left of
                # the difference is the known checkerboard.
                phase = kernel[row::2, col::2]
                phase *= (1 + rng.normal(0, 0.003)) / phase.sum()
            return [kernel.astype(np.float32)]
        count = 4 if self.upsampling == "shuffle" else 1
        kernels = []
        for quarter in range(count):
            kernel = rng.normal(0, 0.03, (3, 3))
            if self.upsampling == "shuffle":
                # Each of the four phases looks a quarter pixel to its own side.
                down = np.array([0.25, 0.75, 0.0] if quarter < 2 else [0.0, 0.75, 0.25])
                across = np.array([0.25, 0.75, 0.0] if quarter % 2 == 0 else [0.0, 0.75, 0.25])
                kernel += np.outer(down, across)
            else:
                kernel[1, 1] += 1.0
            kernels.append((kernel / kernel.sum()).astype(np.float32))
        return kernels

    def run(self, small: np.ndarray, noise: list[np.ndarray]) -> np.ndarray:
        """Double the size of a picture `stages` times.

        Parameters
        ----------
        small : (rows, cols, 3) float32
        noise : one array per stage, (rows, cols, 3) float32 at the size before it
            Added to what enters the stage, as StyleGAN adds noise to its features.

        Returns
        -------
        (rows * 2**stages, cols * 2**stages, 3) float32
        """
        picture = small
        for kernels, added in zip(self.weights, noise, strict=True):
            picture = self._double(picture + added, kernels)
        return picture

    def _double(self, picture: np.ndarray, kernels: list[np.ndarray]) -> np.ndarray:
        rows, cols = picture.shape[:2]
        if self.upsampling == "shuffle":
            doubled = np.empty((2 * rows, 2 * cols, 3), np.float32)
            for phase, kernel in enumerate(kernels):
                doubled[phase // 2 :: 2, phase % 2 :: 2] = _convolved(picture, kernel)
            return doubled
        if self.upsampling == "transposed":
            spread = np.zeros((2 * rows, 2 * cols, 3), np.float32)
            spread[::2, ::2] = picture
            return _convolved(spread, kernels[0])
        how = cv2.INTER_NEAREST if self.upsampling == "nearest" else cv2.INTER_LINEAR
        return _convolved(cv2.resize(picture, (2 * cols, 2 * rows), interpolation=how), kernels[0])


def generate(
    image: np.ndarray,
    *,
    rng: np.random.Generator,
    upsampling: str = "nearest",
    stages: int = 1,
    model: int = 0,
    whole: bool = True,
    shape: str = "object",
    area: float = 0.1,
) -> Edit:
    """Replace a picture, or a part of it, by what a made generator gives for it.

    The content is reduced by 2**stages and built up again; strong detail goes past the
    bottleneck by a skip connection. Noise enters every stage so that the result has as
    much fine detail, place by place, as the photo has: neither sharpness nor file size
    tells the two apart.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    rng : numpy.random.Generator
        Of the noise and the region; the generator's weights depend on `model` only.
    upsampling, stages, model : as in :class:`Generator`, or "decoder" for a
        :class:`~forensix.forgery.decoders.Decoder`, which is fitted to the picture and loses its grain
    whole : bool
        The whole picture, or a region of it.
    shape, area : as in :func:`~forensix.forgery.shapes.draw_region`, for a part

    Returns
    -------
    Edit
        With `whole` set when the whole picture was replaced.
    """
    check_picture(image)
    generator: Generator | Decoder
    if upsampling == DECODER:
        generator = Decoder(stages=stages, model=model)
    else:
        generator = Generator(upsampling, stages=stages, model=model)
    unit = 2**stages
    if whole:
        mask, details = np.ones(image.shape[:2], bool), {}
        window = np.s_[:, :]
    else:
        region = draw_region(image, rng=rng, shape=shape, area=area)
        mask, details = region.full(*image.shape[:2]), {"box": list(region.box)}
        # A multiple of the unit: the generator's grid is the picture's own.
        top, left = (max(0, v - MARGIN) // unit * unit for v in (region.top, region.left))
        window = np.s_[
            top : region.top + region.mask.shape[0] + MARGIN,
            left : region.left + region.mask.shape[1] + MARGIN,
        ]
    part = image[window]
    if min(part.shape[:2]) < 16 * unit:
        raise ForgeryError(
            f"the picture is too small for {stages} doublings: {part.shape[0]} x {part.shape[1]}"
        )
    result = image.copy()
    result[window] = np.where(mask[window][..., None], _rebuilt(part, generator, rng), part)
    return Edit(result, mask, whole=whole, details=details)


def _rebuilt(image: np.ndarray, generator: Generator | Decoder, rng: np.random.Generator) -> np.ndarray:
    """Reduce a picture and let the generator build it up, with the photo's fine detail."""
    unit = 2**generator.stages
    rows, cols = image.shape[:2]
    padded = np.pad(image, ((0, -rows % unit), (0, -cols % unit), (0, 0)), mode="edge").astype(np.float32)
    if isinstance(generator, Decoder):
        return _to_uint8(generator.run(padded, rng, float(rng.uniform(*LOST))))[:rows, :cols]
    small = _shrunk(padded, unit)
    none = [np.zeros((s[0], s[1], 3), np.float32) for s in _sizes(small, generator.stages)]
    plain = generator.run(small, none) + _edges(padded, small)
    wanted, have = _fine_energy(padded), _fine_energy(plain)
    # Where detail is missing, noise of about that strength enters each stage.
    lacking = np.sqrt(np.maximum(wanted - have, 0))
    noise = []
    for stage, empty in enumerate(none):
        # Grain that entered early would come out as blotches: little of it.
        share = 1.0 if stage == generator.stages - 1 else 0.2
        strength = share * _shrunk(lacking, unit >> stage)[..., None]
        grain = rng.standard_normal((*empty.shape[:2], 1)).astype(np.float32)
        colour = rng.standard_normal(empty.shape).astype(np.float32)
        noise.append(strength * (0.9 * grain + 0.3 * colour))
    noisy = generator.run(np.zeros_like(small), noise)
    return _matched(plain, noisy, padded)[:rows, :cols]


def _edges(picture: np.ndarray, small: np.ndarray) -> np.ndarray:
    """What a skip connection carries past the small grid: strong detail, shrunk; no grain."""
    size = (picture.shape[1], picture.shape[0])
    detail = picture - cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    return np.sign(detail) * np.maximum(np.abs(detail) - GRAIN, 0).astype(np.float32)


def _sizes(small: np.ndarray, stages: int) -> list[tuple[int, int]]:
    return [(small.shape[0] << stage, small.shape[1] << stage) for stage in range(stages)]


def _matched(plain: np.ndarray, noise: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The picture with as much of the noise as makes it compress like the wanted one."""

    def size(picture: np.ndarray) -> int:
        return len(encode(picture, file_format="jpeg", quality=90))

    goal = size(_to_uint8(wanted))
    low, high = 0.0, MOST_NOISE
    picture = _to_uint8(plain)
    if size(picture) >= goal:
        return picture
    for _ in range(6):
        gain = (low + high) / 2
        picture = _to_uint8(plain + gain * noise)
        low, high = (gain, high) if size(picture) < goal else (low, gain)
    return picture


def _to_uint8(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 255)).astype(np.uint8))


def _laplacian() -> np.ndarray:
    return np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], np.float32)


def _fine_energy(picture: np.ndarray) -> np.ndarray:
    """Squared Laplacian, averaged over channels and neighbourhood; (rows, cols) float32."""
    square = (cv2.filter2D(picture, -1, _laplacian()) ** 2).mean(axis=2)
    return np.asarray(cv2.blur(square, (9, 9)))


def _shrunk(picture: np.ndarray, unit: int) -> np.ndarray:
    size = (picture.shape[1] // unit, picture.shape[0] // unit)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _convolved(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Correlation with a small kernel; a 4 x 4 one is anchored so that phase 0 stays put.

    Mirrored about the edge pixels: that keeps the phase of a picture spread with zeros.
    """
    anchor = (-1, -1) if kernel.shape[0] % 2 else (2, 2)
    return np.asarray(cv2.filter2D(picture, -1, kernel, anchor=anchor, borderType=cv2.BORDER_REFLECT_101))
