"""Letters on a sign in a photo: printed alike, and no copy of each other."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

import forensix
from forensix.detectors.copy_move import blocks, dense, keypoints


def photographed_sign(lines, *, seed, thickness, noise, quality):
    rng = np.random.default_rng(seed)
    sign = np.full((500, 760, 3), (225, 228, 235), np.uint8)
    for row, words in enumerate(lines):
        place = (40, 200 + 170 * row)
        cv2.putText(sign, words, place, cv2.FONT_HERSHEY_SIMPLEX, 4.0, (30, 32, 38), thickness, cv2.LINE_AA)
    corners = np.float32([[0, 0], [760, 0], [760, 500], [0, 500]])
    seen = (corners + np.float32([200, 180]) + rng.uniform(-25, 25, (4, 2))).astype(np.float32)
    view = cv2.getPerspectiveTransform(corners, seen)
    there = cv2.warpPerspective(np.full(sign.shape[:2], 255, np.uint8), view, (1200, 900)) > 128
    ground = cv2.resize(data.coffee(), (1200, 900))
    shade = 1 - 0.25 * np.linspace(0, 1, 1200)[None, :, None]
    photo = np.where(there[..., None], cv2.warpPerspective(sign, view, (1200, 900)) * shade, ground)
    photo = cv2.GaussianBlur(
        cv2.resize(photo, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), (0, 0), 0.6
    )
    photo = np.clip(photo + rng.normal(0, noise, photo.shape), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "JPEG", quality=quality)
    return forensix.open(stream.getvalue())


@pytest.mark.parametrize("method", [keypoints, dense, blocks])
@pytest.mark.parametrize(
    "lines, seed, thickness, noise, quality",
    [
        (("NO PETS", "ALLOWED"), 1, 16, 0.0, 93),
        (("BALLOON", "SELLER"), 2, 24, 0.6, 90),
        (("SCHOOL", "ROOM 22"), 3, 16, 0.3, 93),
    ],
)
def test_the_same_letter_twice_is_no_copy(method, lines, seed, thickness, noise, quality):
    evidence = photographed_sign(lines, seed=seed, thickness=thickness, noise=noise, quality=quality)
    finding = method.detect(evidence)
    assert finding.score is None or finding.score <= 0.5
