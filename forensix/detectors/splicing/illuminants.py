"""Does the light on one face have another colour than that on the other faces of the picture?

A person pasted into a group brings the light of another place along. What a face looks like is the
light times the skin, so estimates of the light from single faces are wrong by what skins
differ by; and one scene may well hold two lights. The method therefore measures and does not
decide: its score stays at 0.5 and below, whatever the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensix.detectors.method import Method
from forensix.detectors.splicing._face_light import FaceLight, angle, face_light
from forensix.detectors.splicing._faces import find_faces
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap
from forensix.signal.regions import Box

METHOD = Method(
    name="illuminants",
    family="splicing",
    question="Is the light on one face of another colour than the light on the other faces?",
    applies_to="Colour photographs with two faces or more, upright, seen from the front, at least 40 pixels wide",
    reference=(
        "T. Carvalho, C. Riess, E. Angelopoulou, H. Pedrini, A. Rocha, Exposing Digital Image Forgeries by "
        "Illumination Color Classification, IEEE Transactions on Information Forensics and Security 8(7), 2013, "
        "doi 10.1109/TIFS.2013.2265677; J. van de Weijer, T. Gevers, A. Gijsenij, Edge-Based Color Constancy, IEEE "
        "Transactions on Image Processing 16(9), 2007, doi 10.1109/TIP.2007.901808"
        " (their estimators; compared by angle, without a learned classifier)"
    ),
    kind="splicing",
    weak=True,
    preset="standard",
)

WAYS = ("grey_edge", "shades_of_grey", "inverse_intensity")
LEAST_FACE = 40  # pixels
MOST_FACES = 12
# Degrees. Of 43 pairs of faces in three untouched photos none was farther apart than 9.6; 58 % of the
# pairs from different photos were (benchmarks/results/2026-11-22-light.md).
ORDINARY = 10.0
SLOPE = 4.0
CEILING = 0.5  # three photos cannot show how rare a false alarm would be
CELL = 16  # pixels
SURE = 1.96  # standard errors: 95 %
# Quarter turns against the clock that set a picture upright, by EXIF orientation; that it may then be
# mirrored matters neither to faces nor to light.
TURNS = {3: 2, 4: 2, 5: 3, 6: 3, 7: 1, 8: 1}


@dataclass(frozen=True, eq=False)
class Illuminants:
    """The light on the faces of a picture.

    faces : largest first
    apart : (faces, faces) float64, degrees between the lights of two faces, the mean of the three estimates
    error : (faces, faces) float64, the standard error of that
    """

    faces: tuple[FaceLight, ...]
    apart: np.ndarray
    error: np.ndarray

    @property
    def from_others(self) -> np.ndarray:
        """Of each face the median of its distances from the others, degrees; at least two faces."""
        others = self.apart[~np.eye(len(self.faces), dtype=bool)].reshape(len(self.faces), -1)
        return np.asarray(np.median(others, axis=1))

    @property
    def strangest(self) -> tuple[int, int]:
        """The face farthest from the others, and that of the others which lies at that distance or next to it."""
        odd = int(np.argmax(self.from_others))
        others = [face for face in np.argsort(self.apart[odd], kind="stable") if face != odd]
        return odd, int(others[(len(others) - 1) // 2])


def illuminants(rgb: np.ndarray, boxes: Sequence[Box]) -> Illuminants:
    """Compare the colour of the light in faces.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
        Upright, encoded as sRGB.
    boxes : of (top, left, rows, cols)
        Faces; those that are clipped, dark, grey or no single surface are left out.

    Raises
    ------
    ParameterError
        When `rgb` is no colour picture of 8 bits, or a box does not lie in it.

    References
    ----------
    T. Carvalho et al. 2013, doi 10.1109/TIFS.2013.2265677
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ParameterError(f"rgb must be (rows, cols, 3) uint8, got {rgb.dtype} of shape {rgb.shape}")
    for top, left, rows, cols in boxes:
        ends = top + rows <= rgb.shape[0] and left + cols <= rgb.shape[1]
        if min(top, left) < 0 or min(rows, cols) < 1 or not ends:
            raise ParameterError(f"the box {(top, left, rows, cols)} does not lie in the picture")
    faces = tuple(face for box in boxes if (face := face_light(rgb, box)) is not None)
    number = len(faces)
    apart, error = np.zeros((number, number)), np.zeros((number, number))
    for one in range(number):
        for other in range(one):
            degrees, uncertain = _apart(faces[one], faces[other])
            apart[one, other] = apart[other, one] = degrees
            error[one, other] = error[other, one] = uncertain
    return Illuminants(faces, apart, error)


def _apart(one: FaceLight, other: FaceLight) -> tuple[float, float]:
    """Degrees between two lights, and the standard error by leaving out parts of either face (jackknife)."""
    variance = 0.0
    for left_out, whole in ((one, other), (other, one)):
        again = angle(left_out.without, whole.estimates).mean(axis=1)
        variance += (len(again) - 1) * float(again.var())
    return float(angle(one.estimates, other.estimates).mean()), variance**0.5


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Compare the light on the faces that are found.

    Raises
    ------
    NotApplicable
        For grey pictures, and where fewer than two faces are found that light can be told from.
    """
    if evidence.colourless:
        raise NotApplicable("it compares colours, and this picture has none")
    turns = TURNS.get(evidence.orientation, 0)
    seen = find_faces(np.rot90(evidence.luma, turns))
    found = [box for box in seen if min(box[2:]) >= LEAST_FACE][:MOST_FACES]
    if len(found) < 2:
        raise NotApplicable(f"it compares faces, and {_number(len(found))} found (upright, from the front)")
    light = illuminants(np.rot90(evidence.rgb, turns), found)
    if len(light.faces) < 2:
        raise NotApplicable(
            f"of {len(found)} faces found, {_number(len(light.faces))} left to compare: the others are clipped, dark, "
            "grey, or no single surface"
        )
    shape = evidence.height, evidence.width
    boxes = [_turned_back(face.box, shape, turns) for face in light.faces]
    scores = _scores(light.from_others)
    return METHOD.finding(
        score=float(scores.max()),
        explanation=_explanation(light, boxes),
        measurements=_measured(light, boxes),
        parameters={"ordinary_degrees": ORDINARY, "least_face": LEAST_FACE, "ceiling": CEILING},
        heatmap=_map(boxes, scores, shape),
    )


def _number(count: int) -> str:
    return {0: "none was", 1: "only one was"}.get(count, f"{count} were")


def _scores(degrees: np.ndarray) -> np.ndarray:
    """Rising with the angle, never above the ceiling."""
    return np.asarray(CEILING / (1 + np.exp((ORDINARY - degrees) / SLOPE)))


def _turned_back(box: Box, shape: tuple[int, int], turns: int) -> Box:
    """Where a box of the picture turned by quarters against the clock lies in the picture as stored."""
    top, left, rows, cols = box
    high, wide = shape
    return {
        0: box,
        1: (left, wide - top - rows, cols, rows),
        2: (high - top - rows, wide - left - cols, rows, cols),
        3: (high - left - cols, top, cols, rows),
    }[turns]


def _map(boxes: Sequence[Box], scores: np.ndarray, shape: tuple[int, int]) -> Heatmap:
    """Each face's score in its box; elsewhere nothing can be told."""
    values = np.full((-(-shape[0] // CELL), -(-shape[1] // CELL)), np.nan, np.float32)
    for (top, left, rows, cols), score in zip(boxes, scores, strict=True):
        values[top // CELL : -(-(top + rows) // CELL), left // CELL : -(-(left + cols) // CELL)] = score
    return Heatmap(values, CELL)


def _interval(light: Illuminants, one: int, other: int) -> list[float]:
    half = SURE * light.error[one, other]
    degrees = light.apart[one, other]
    return [round(max(0.0, degrees - half), 2), round(min(180.0, degrees + half), 2)]


def _measured(light: Illuminants, boxes: Sequence[Box]) -> dict[str, object]:
    odd, other = light.strangest
    return {
        "faces": [
            {
                "box": list(box),
                "degrees_from_others": round(float(degrees), 2),
                "light": {
                    way: [round(float(share), 4) for share in colour / colour.sum()]
                    for way, colour in zip(WAYS, face.estimates, strict=True)
                },
            }
            for face, box, degrees in zip(light.faces, boxes, light.from_others, strict=True)
        ],
        "strangest_face": odd,
        "compared_with": other,
        "degrees": round(float(light.apart[odd, other]), 2),
        "degrees_interval": _interval(light, odd, other),
        "degrees_by_way": {
            way: round(float(degrees), 2)
            for way, degrees in zip(
                WAYS, angle(light.faces[odd].estimates, light.faces[other].estimates), strict=True
            )
        },
        "degrees_between": np.round(light.apart, 2),
    }


def _explanation(light: Illuminants, boxes: Sequence[Box]) -> str:
    odd, other = light.strangest
    low, high = _interval(light, odd, other)
    among = "the two faces" if len(boxes) == 2 else f"the {len(boxes)} faces"
    told = (
        f"Of {among} compared, the one at row {boxes[odd][0]}, column {boxes[odd][1]} differs most in the colour of "
        f"its light: by {light.apart[odd, other]:.1f} degrees (95 % interval {low:.1f} to {high:.1f}) from the "
        f"one at row {boxes[other][0]}, column {boxes[other][1]}"
    )
    if low > ORDINARY:
        return (
            f"{told}; that is more than skins usually account for ({ORDINARY:g} degrees), but two lights in one scene can "
            "do it too, so it is a reason to look closer and no more."
        )
    if light.apart[odd, other] > ORDINARY:
        return f"{told}; skins usually account for {ORDINARY:g} degrees, and the interval reaches down to that: nothing can be told."
    return f"{told}, as much as different skins under one light can ({ORDINARY:g} degrees)."
