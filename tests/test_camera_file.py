"""A camera's own file is evidence of a camera; anything else says nothing."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

import forensix
from forensix.detectors.provenance import camera_file
from forensix.errors import NotApplicable
from tests import hostile
from tests.test_encoder import exif

OWN_TABLE = [3 + (7 * n) % 11 + n // 4 for n in range(64)]


@pytest.fixture(scope="module")
def scene():
    return np.ascontiguousarray(skimage.data.rocket()[:400, :600])


def saved(pixels, **options):
    return hostile.saved(pixels, "JPEG", **options)


def detect(data):
    return camera_file.detect(forensix.open(data))


def test_tables_of_its_own_and_fitting_metadata_are_evidence_of_a_camera(scene):
    small = io.BytesIO()
    Image.fromarray(scene).resize((160, 107)).save(small, "JPEG")
    block = exif(scene, thumbnail=small.getvalue())
    found = detect(saved(scene, qtables=[OWN_TABLE, OWN_TABLE], subsampling="4:2:2", exif=block))
    assert found.score is not None and found.score < 0.25
    assert "camera" in found.explanation and found.measurements["structure"] > 0


def test_a_program_s_file_says_nothing(scene):
    found = detect(saved(scene, quality=85))
    assert found.score is None and "says nothing" in found.explanation


def test_other_formats_are_not_applicable(scene):
    stream = io.BytesIO()
    Image.fromarray(scene).save(stream, "PNG")
    with pytest.raises(NotApplicable, match="PNG"):
        detect(stream.getvalue())
