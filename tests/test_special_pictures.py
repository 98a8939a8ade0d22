"""What the methods for splices answer to pictures that are no ordinary photos, as docs/splicing.rst says."""

import functools
import io

import numpy as np
import pytest
from PIL import Image

import forensix
from forensix import detectors
from forensix.errors import NotApplicable
from tests.special_pictures import PICTURES

SILENT = "does not apply"
METHODS = (
    "cut-rectangles", "filtering", "edge-blur", "resampling", "resized", "contrast", "noise-level", "illuminants",
)  # fmt: skip


@functools.cache
def opened(name, quality):
    buffer = io.BytesIO()
    options = {"format": "JPEG", "quality": quality} if quality else {"format": "PNG"}
    Image.fromarray(PICTURES[name]()).save(buffer, **options)
    return forensix.open(buffer.getvalue())


def answer(method, name, quality):
    try:
        finding = detectors.load(method).detect(opened(name, quality))
    except NotApplicable:
        return SILENT
    assert finding.score is not None or not finding.regions
    assert finding.heatmap is None or finding.score is None or finding.score > 0.5 or not np.any(
        finding.heatmap.values > 0.5
    )  # fmt: skip
    return finding.score


@pytest.mark.parametrize("quality", [0, 88])
@pytest.mark.parametrize("name", list(PICTURES))
@pytest.mark.parametrize("method", METHODS)
def test_none_takes_it_for_a_splice(method, name, quality):
    score = answer(method, name, quality)
    assert score in (SILENT, None) or score <= 0.5


def test_contrast_is_silent_where_there_are_few_colours_or_jpeg():
    assert answer("contrast", "text screenshot", 0) == SILENT
    assert all(answer("contrast", name, 88) == SILENT for name in PICTURES)


def test_known_alarms_stay_known():
    """Documented shortcomings: when one of these is mended, the table in the docs is to be mended too."""
    assert answer("demosaicing", "panorama", 0) > 0.5
    assert answer("residual-cooccurrence", "text screenshot", 0) > 0.5
