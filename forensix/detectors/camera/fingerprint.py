"""A camera's fingerprint: the pattern by which the sensitivity of its pixels differs.

The pattern K multiplies the light that falls on the sensor, so that the noise residual W
of every photo I holds I K. From several photos it is estimated by maximum likelihood, as
``sum(W I) / (sum(I^2) + 1)``; both sums grow photo by photo, in constant memory.

References
----------
M. Chen, J. Fridrich, M. Goljan, J. Lukas, "Determining image origin and integrity using
sensor noise", IEEE TIFS 3(1), 2008, doi 10.1109/TIFS.2007.916285.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from forensix.errors import CameraError
from forensix.evidence import Evidence, open_evidence
from forensix.signal.sensor_noise import sensor_noise, weighted_light, without_periods, zero_mean

SIGMA = 5.0  # grey levels
LEAST_SIDE = 64  # pixels
DARK, DARK_SHARE = 12.0, 0.9  # grey levels; the share of pixels below, from which a photo is black
_NOTHING = np.zeros((0, 0), np.float32)
NOTHING = 1e-2  # grey levels; rounding alone leaves less in a flat picture
BLOWN_SHARE = 0.6  # of pixels that are saturated, from which a photo is blown out


@dataclass(frozen=True)
class Source:
    """Which camera a file says it is from, and by which way its pixels came about.

    make, model, serial : None where the file does not say
    pipeline : format, size, subsampling and software, in one line
    """

    make: str | None = None
    model: str | None = None
    serial: str | None = None
    pipeline: str = ""


@dataclass(eq=False)
class CameraFingerprint:
    """The fingerprint of one camera, learned from photos it took.

    Parameters
    ----------
    name : what the camera is called
    sigma : standard deviation of the noise to take out of the photos, in grey levels

    Attributes
    ----------
    shape : (rows, cols) of the photos; None before the first
    photos : one record a photo: "sha256", "pixel_sha256", "path"
    pipelines : how many photos came by each pipeline
    make, model, serial : None where no photo said
    weighted, energy : (rows, cols) float32, sum(W I) and sum(I^2)
    shared : cameras whose fingerprint was found to resemble this one, with the
        peak-to-correlation energy between the two
    """

    name: str = "camera"
    sigma: float = SIGMA
    shape: tuple[int, int] | None = None
    photos: list[dict[str, Any]] = field(default_factory=list)
    pipelines: Counter[str] = field(default_factory=Counter)
    make: str | None = None
    model: str | None = None
    serial: str | None = None
    shared: dict[str, float] = field(default_factory=dict)
    weighted: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False)
    energy: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False)

    def fit(self, photos: Any) -> CameraFingerprint:
        """Forget what was learned and learn from these photos; see :meth:`partial_fit`."""
        self.__dict__.pop("pattern", None)
        self.__dict__.update(CameraFingerprint(self.name, self.sigma).__dict__)
        return self.partial_fit(photos)

    def partial_fit(self, photos: Any) -> CameraFingerprint:
        """Learn from more photos.

        Parameters
        ----------
        photos : a path, bytes, an array, an Evidence, or an iterable of those
            As the camera stored them: not turned, cropped or resized.

        Raises
        ------
        EvidenceError
            One cannot be read.
        CameraError
            One cannot be used: another size or another camera than those before, enrolled
            already, black, blown out, without noise, or too small. The message names it.
            Photos before it have been learned from; it has left no trace.
        """
        for photo in _each(photos):
            self._learn(open_evidence(photo))
        return self

    def _learn(self, photo: Evidence) -> None:
        where = photo.path or photo.sha256[:12]
        source = source_of(photo)
        self._refuse_what_does_not_belong(photo, source, where)
        light = usable_light(photo)
        noise = sensor_noise(photo.luma, sigma=self.sigma)
        if np.abs(noise).max() < NOTHING:
            raise CameraError(f"{where} has no noise to learn from")
        if self.shape is None:
            self.shape = (photo.height, photo.width)
            self.weighted, self.energy = np.zeros((2, *self.shape), np.float32)
        noise *= light
        self.weighted += noise
        light *= light
        self.energy += light
        self.photos.append({"sha256": photo.sha256, "pixel_sha256": photo.pixel_sha256, "path": photo.path})
        self.pipelines[source.pipeline] += 1
        self.make, self.model, self.serial = (
            getattr(self, key) or getattr(source, key) for key in ("make", "model", "serial")
        )
        self.__dict__.pop("pattern", None)

    def _refuse_what_does_not_belong(self, photo: Evidence, source: Source, where: str) -> None:
        if self.shape is not None and (photo.height, photo.width) != self.shape:
            rows, cols = self.shape
            turned = (photo.width, photo.height) == self.shape
            hint = ", lying on its side: enrol photos as the camera stored them" if turned else ""
            raise CameraError(
                f"{where} is {photo.width} x {photo.height}, the photos of {self.name} are {cols} x {rows}{hint}"
            )
        for said, known in ((photo.sha256, "sha256"), (photo.pixel_sha256, "pixel_sha256")):
            if any(said == before[known] for before in self.photos):
                raise CameraError(f"{where} is enrolled for {self.name} already")
        for key in ("make", "model", "serial"):
            theirs, ours = getattr(source, key), getattr(self, key)
            if theirs and ours and theirs != ours:
                raise CameraError(
                    f"{where} is of {key} {theirs!r}, the photos of {self.name} are of {ours!r}"
                )

    @cached_property
    def pattern(self) -> np.ndarray:
        """(rows, cols) float32, read-only: the fingerprint, cleaned of what cameras share.

        Raises CameraError before the first photo.
        """
        if self.shape is None:
            raise CameraError(f"the fingerprint of {self.name} has not learned from any photo")
        pattern = without_periods(zero_mean(self.estimate()))
        pattern.flags.writeable = False
        return pattern

    def for_matching(self) -> CameraFingerprint:
        """A copy that can be compared with photos, but not learn more: the sums are left behind."""
        lean = replace(self, weighted=_NOTHING, energy=_NOTHING)
        lean.__dict__["pattern"] = self.pattern
        return lean

    def estimate(self) -> np.ndarray:
        """(rows, cols) float32: the maximum-likelihood estimate itself."""
        return self.weighted / (self.energy + np.float32(1))

    def score(self, photo: Any) -> float:
        """The signed peak-to-correlation energy of a photo with this fingerprint.

        About 0 for other cameras, 60 and more for this one; see
        :func:`forensix.detectors.camera.matching.match`.
        """
        from forensix.detectors.camera.matching import match

        return match(photo, self).pce


def usable_light(photo: Evidence) -> np.ndarray:
    """The weighted light of a photo that can carry a fingerprint; CameraError says why one cannot."""
    where = photo.path or photo.sha256[:12]
    if min(photo.height, photo.width) < LEAST_SIDE:
        raise CameraError(
            f"{where} is {photo.width} x {photo.height}; at least {LEAST_SIDE} pixels a side are needed"
        )
    light = weighted_light(photo.luma)
    dark = float(np.mean(photo.luma < DARK))
    blown = float(np.mean((light <= DARK) & (photo.luma > DARK)))
    if blown > BLOWN_SHARE:
        raise CameraError(f"{where} is blown out: {blown:.0%} of its pixels are saturated")
    if dark + blown > DARK_SHARE:
        raise CameraError(f"{where} is under-exposed: {dark:.0%} of its pixels are black")
    return light


def source_of(photo: Evidence) -> Source:
    """What a photo says of the camera it is from."""
    from forensix.detectors.camera._exif_source import body_serial, text_tag

    software = text_tag(photo, "0th", 305)
    sampling = ""
    if photo.format == "jpeg":
        sampling = " " + "/".join(f"{down}x{across}" for down, across in photo.jpeg.sampling)
    return Source(
        make=text_tag(photo, "0th", 271),
        model=text_tag(photo, "0th", 272),
        serial=body_serial(photo),
        pipeline=f"{photo.format} {photo.width} x {photo.height}{sampling}"
        + (f", {software}" if software else ""),
    )


def _each(photos: Any) -> Iterable[Any]:
    if isinstance(photos, (str, bytes, bytearray, memoryview, os.PathLike, Evidence, np.ndarray)):
        return (photos,)
    if isinstance(photos, (Iterable, Sequence)):
        return photos
    raise CameraError(f"photos are paths, bytes, arrays or Evidence, not {type(photos).__name__}")
