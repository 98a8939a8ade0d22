"""Copies of which a large part is black, as in night photos."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

import forensix
from forensix import detectors


def night(*, copied):
    """Lit shapes on a ground of black with a little noise."""
    rng = np.random.default_rng(1)
    shape = (480, 480)
    wide, fine = (cv2.GaussianBlur(rng.normal(size=shape), (0, 0), sigma) for sigma in (14, 1.2))
    wide, fine = 22 * wide / wide.std(), 5 * fine / fine.std()
    lit = cv2.GaussianBlur((wide > 2).astype(float), (0, 0), 2)
    picture = 1.5 + rng.normal(0, 0.9, shape) + lit * (2 * np.abs(wide) + fine + 6)
    picture = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    if copied:
        picture[300:440, 280:440] = picture[40:180, 40:200]
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return forensix.open(stream.getvalue())


@pytest.mark.parametrize("name", ["copy-move-blocks", "copy-move-keypoints", "copy-move-dense"])
def test_a_copy_that_is_mostly_black_is_found_by_its_noise(name):
    finding = detectors.load(name).detect(night(copied=True))
    assert finding.measurements["pairs"][0]["clipped_share"] > 0.5
    assert finding.score > 0.9
    untouched = detectors.load(name).detect(night(copied=False))
    assert untouched.score is None or untouched.score < 0.5
