"""Was a photo taken by a camera whose fingerprint is known?

The photo's noise, weighted with its light, is correlated with the fingerprint: where the
two lie over each other if nothing was done to the photo but a centred crop, and at every
other position and plausible scale. Searching costs certainty, so a place that was searched
for counts only if chance would hardly give such a peak among all that were looked at.

References
----------
M. Goljan, J. Fridrich, "Camera identification from cropped and scaled images", SPIE
Electronic Imaging 6819, 2008, doi 10.1117/12.766732. M. Goljan, J. Fridrich, T. Filler,
"Large scale test of sensor fingerprint camera identification", SPIE 7254, 2009,
doi 10.1117/12.805701 (a peak-to-correlation energy of 60: 2.4e-5 false alarms).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from forensix.detectors.camera._weights import weight_of_evidence
from forensix.detectors.camera.fingerprint import CameraFingerprint, source_of, usable_light
from forensix.errors import ParameterError
from forensix.evidence import Evidence, open_evidence
from forensix.signal.peak_energy import LEAST_SIDE, Peak, Surface, cross_correlation, excess_energy
from forensix.signal.sensor_noise import evened, sensor_noise, without_periods

DECISION = 60.0  # peak-to-correlation energy
PERIODIC = 0.5  # of the highest peak: a second one as high as this is no single camera's mark
RIVAL = 3.0  # times another camera's peak that a match must reach
FOUND = -2.0  # log10 of how often chance gives a searched-for peak
SCALES = (0.2, 2.0)  # least and most, photo pixels per sensor pixel
LOWERED = 0.3  # log10 likelihood ratio at most, of a mark that several cameras share


@dataclass(frozen=True)
class Match:
    """A photo against one camera.

    camera : its name
    pce : signed peak-to-correlation energy
    log10_lr : weight of evidence for this camera against another, within what the
        reference data can support
    label : "match", "no-match" or "inconclusive"
    offset : (row, col) of the photo's first pixel in the camera's picture, in pixels of the
        photo; None where no place stands out
    scale : photo pixels per sensor pixel
    turned : quarter turns to the left that the photo was given first
    notes : sentences on what lowers the claim
    """

    camera: str
    pce: float
    log10_lr: float
    label: str
    offset: tuple[int, int] | None
    scale: float
    turned: int = 0
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "camera": self.camera,
            "pce": round(self.pce, 3),
            "log10_lr": self.log10_lr,
            "label": self.label,
            "offset": None if self.offset is None else list(self.offset),
            "scale": round(self.scale, 6),
        }


class Query:
    """A photo prepared to be compared with any number of fingerprints.

    Raises CameraError when made of a photo that is too small, black or blown out.
    """

    def __init__(self, photo: Any) -> None:
        self.photo: Evidence = open_evidence(photo)
        self.light = usable_light(self.photo)

    @cached_property
    def usable(self) -> float:
        """How many fully lit pixels the photo is worth."""
        return float(np.mean(np.minimum(self.light / 64, 1)) * self.light.size)

    @cached_property
    def pattern(self) -> np.ndarray:
        """(rows, cols) float32: evened noise times light, periods removed."""
        return without_periods(evened(sensor_noise(self.photo.luma)) * self.light)

    @cached_property
    def pipeline(self) -> str:
        return source_of(self.photo).pipeline


@dataclass(frozen=True)
class _Place:
    """Where a peak was found: log10 of how often chance gives it, and the claim's weakness."""

    peak: Peak
    chance: float
    scale: float
    turned: int
    second: float
    excess: float


def match(photo: Any, camera: CameraFingerprint, *, scales: Iterable[float] | None = None) -> Match:
    """Compare a photo with one camera.

    Parameters
    ----------
    photo : path, bytes, array, Evidence or Query
    camera : CameraFingerprint
    scales : photo pixels per sensor pixel to try; by default 1 and those that fit the
        photo's width or height to the camera's

    Returns
    -------
    Match

    Raises
    ------
    EvidenceError
        The photo cannot be read.
    CameraError
        It is too small, black or blown out, or the camera has not learned.
    """
    query = photo if isinstance(photo, Query) else Query(photo)
    places = _places(query, camera.pattern, scales)
    if not places:
        return Match(
            camera.name, 0.0, 0.0, "inconclusive", None, 1.0,
            notes=(f"at none of the scales tried the photo fits into the picture of {camera.name}",),
        )  # fmt: skip
    best = min(places, key=lambda place: place.chance)
    searched = best.chance < FOUND
    best = best if searched else places[0]
    return _judged(best, query, camera, located=searched)


def match_all(photo: Any, cameras: Iterable[CameraFingerprint], **options: Any) -> tuple[Match, ...]:
    """Compare a photo with several cameras; a mark that more than one has lowers the claim.

    Returns the matches, best first. Cameras of one serial number count as one.
    """
    query = photo if isinstance(photo, Query) else Query(photo)
    found = [(match(query, camera, **options), camera.serial) for camera in cameras]
    judged = []
    for one, serial in found:
        rivals = [
            other for other, theirs in found
            if other is not one and other.pce >= DECISION and (serial is None or serial != theirs)
        ]  # fmt: skip
        strongest = max(rivals, key=lambda other: other.pce, default=None)
        judged.append(one if strongest is None else _lowered_by(one, strongest))
    return tuple(sorted(judged, key=lambda one: -one.pce))


def resemblance(one: CameraFingerprint, other: CameraFingerprint) -> float | None:
    """Peak-to-correlation energy of two fingerprints of one size; None for two sizes.

    From 60 on, they share marks that are not those of one sensor, or are of one camera.
    """
    if one.shape != other.shape:
        return None
    return Surface(cross_correlation(one.pattern, other.pattern)).at(0, 0).pce


def plausible_scales(rows: int, cols: int, shape: tuple[int, int]) -> tuple[float, ...]:
    """1, and the scales at which a photo has the camera's width or height."""
    fitting = (1.0, cols / shape[1], rows / shape[0])
    scales: list[float] = []
    for scale in fitting:
        within = SCALES[0] <= scale <= SCALES[1]
        if within and all(abs(scale / other - 1) > 2e-3 for other in scales):
            scales.append(scale)
    return tuple(scales)


def _places(query: Query, fingerprint: np.ndarray, scales: Iterable[float] | None) -> list[_Place]:
    """The peak at each scale and turn that is plausible; the most natural one first."""
    shape = (fingerprint.shape[0], fingerprint.shape[1])
    upright = (query.photo.height > query.photo.width) == (shape[0] > shape[1])
    asked = None if scales is None else tuple(scales)
    if asked is not None and not all(SCALES[0] <= scale <= SCALES[1] for scale in asked):
        raise ParameterError(f"scales lie within {SCALES[0]} and {SCALES[1]}, got {asked}")
    jobs = []
    for turned in (0, 2) if upright else (1, 3, 0):
        rows, cols = query.pattern.shape if turned % 2 == 0 else query.pattern.shape[::-1]
        tried = plausible_scales(rows, cols, shape) if asked is None else asked
        jobs += [(turned, scale, rows, cols) for scale in tried]
    places: list[_Place] = []
    shifts = 0
    for turned, scale, rows, cols in jobs:
        scaled = at_scale(fingerprint, scale, rows, cols)
        if scaled.shape[0] < rows or scaled.shape[1] < cols or min(scaled.shape) < LEAST_SIDE:
            continue
        found, here = _search(np.rot90(query.pattern, turned), scaled, tried=(len(places), shifts))
        shifts += here
        places.append(replace(found, scale=scale, turned=turned))
        if found.peak.pce >= DECISION and found.chance < FOUND:
            break
    return places


def _search(pattern: np.ndarray, fingerprint: np.ndarray, *, tried: tuple[int, int]) -> tuple[_Place, int]:
    """The best place of a pattern, and at how many it was looked for.

    tried : centred places, and all places, that were looked at before at other scales
    """
    surface = Surface(cross_correlation(pattern, fingerprint))
    free = [whole - part + 1 for whole, part in zip(surface.values.shape, pattern.shape, strict=True)]
    shifts = free[0] * free[1]
    # The centre is where a photo lies if nothing was cut off, or the same on all sides.
    centred = surface.at((free[0] - 1) // 2, (free[1] - 1) // 2)
    highest = surface.highest(free[0], free[1])
    peak, excess = centred, excess_energy(pattern, fingerprint, centred)
    chance = surface.chance(centred, tried[0] + 1, excess=excess)
    there = excess_energy(pattern, fingerprint, highest)
    anywhere = surface.chance(highest, tried[1] + shifts, excess=there)
    if anywhere < min(chance, FOUND):
        peak, excess, chance = highest, there, anywhere
    second = surface.highest(*surface.values.shape, besides=peak).pce
    return _Place(peak, chance, 1.0, 0, second, excess), shifts


def at_scale(fingerprint: np.ndarray, scale: float, rows: int, cols: int) -> np.ndarray:
    """A fingerprint as it shows in photos of another scale.

    rows, cols : of the photo; a size that differs by rounding only becomes the photo's.
    """
    if scale == 1:
        return fingerprint
    import cv2

    size = [max(1, round(side * scale)) for side in fingerprint.shape]
    size = [own if abs(own - side) <= 1 else side for own, side in zip((rows, cols), size, strict=True)]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled: np.ndarray = cv2.resize(np.asarray(fingerprint), (size[1], size[0]), interpolation=how)
    return scaled


def _judged(place: _Place, query: Query, camera: CameraFingerprint, *, located: bool) -> Match:
    pce = place.peak.pce
    weight = weight_of_evidence(pce, query.usable)
    label = "match" if pce >= DECISION * max(place.excess, 1.0) and located else "inconclusive"
    if label == "inconclusive" and weight <= -1:
        label = "no-match"
    notes = []
    if label == "match" and place.second > PERIODIC * pce:
        label, weight = "inconclusive", min(weight, LOWERED)
        notes.append(
            f"the peak of {camera.name} is one of several, as marks that repeat over the picture give"
        )
    if label == "match" and place.turned:
        notes.append(f"matches {camera.name} after {place.turned} quarter turns to the left")
    whole = (query.photo.height, query.photo.width) == camera.shape
    if label != "match" and whole and query.pipeline not in camera.pipelines:
        notes.append(f"not of a kind of file enrolled for {camera.name}: its mark may be weaker")
    resembling = [other for other, energy in camera.shared.items() if energy >= DECISION]
    if label == "match" and resembling and pce < RIVAL * DECISION:
        label, weight = "inconclusive", min(weight, LOWERED)
        notes.append(
            f"{camera.name} shares marks with {resembling[0]}, too strong for this peak to tell them apart"
        )
    offset = (place.peak.row, place.peak.col) if located else None
    return Match(camera.name, pce, weight, label, offset, place.scale, place.turned, tuple(notes))


def _lowered_by(one: Match, rival: Match) -> Match:
    if one.label != "match" or one.pce >= RIVAL * rival.pce:
        return one
    note = f"{one.camera} and {rival.camera} both match: they share marks, or are one camera"
    return replace(one, label="inconclusive", log10_lr=min(one.log10_lr, LOWERED), notes=(*one.notes, note))


def unjudged(camera: str) -> Match:
    """The answer for a photo that cannot be compared."""
    return Match(camera, 0.0, 0.0, "inconclusive", None, 1.0)
