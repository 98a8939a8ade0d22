"""Spectra as curves over the band of real photos: in Python, in the document and in the reports."""

import json

import numpy as np
import pytest

import forensix
from forensix.detectors.synthetic import curves
from forensix.detectors.synthetic._origin_model import shipped
from forensix.errors import ParameterError
from forensix.finding import Finding
from forensix.report import curves as drawn
from forensix.report import html, pdf
from forensix.report.pictures import Pictures
from forensix.result import ScanResult
from tests.hostile import saved


def photo():
    from skimage import data

    return np.ascontiguousarray(data.astronaut())


@pytest.mark.parametrize("encoding", ["lossless", "jpeg"])
def test_each_curve_has_its_band(encoding):
    found = curves.spectral_curves(photo(), encoding=encoding)
    assert [curve.name for curve in found] == list(curves.CURVES)
    for curve in found:
        assert curve.frequencies.shape == curve.values.shape == curve.low.shape == curve.high.shape
        assert (np.diff(curve.frequencies) > 0).all() and np.isfinite(curve.values).all()
        assert (curve.low < curve.middle).all() and (curve.middle < curve.high).all()
    luma = found[0]
    # A photo keeps to the band of photos nearly everywhere.
    assert np.mean((luma.values >= luma.low) & (luma.values <= luma.high)) > 0.8


def test_bands_of_compressed_photos_lie_lower_where_compression_takes_detail():
    names = list(shipped().names)
    at = names.index("luma-profile-0.49")
    lossless, jpeg = shipped("lossless").bands, shipped("jpeg").bands
    assert jpeg[1, at] < lossless[1, at]


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_the_law_is_the_one_a_picture_was_made_by(exponent):
    frequencies = np.linspace(0.04, 0.68, 27)
    found, law = curves.decay(frequencies, 3.0 - exponent * np.log(frequencies))
    assert found == pytest.approx(exponent) and law[-1] == pytest.approx(3.0 - exponent * np.log(0.68))


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ParameterError, match="texture"):
        curves.spectral_curves(np.full((300, 300, 3), 90, np.uint8))
    with pytest.raises(ParameterError, match="uint8"):
        curves.spectral_curves(np.zeros((300, 300)))
    with pytest.raises(ParameterError, match="fit"):
        curves.spectral_curves(np.zeros((90, 300, 3), np.uint8))
    with pytest.raises(ParameterError, match="encoding"):
        curves.spectral_curves(photo(), encoding="webp")


@pytest.fixture(scope="module")
def result():
    return forensix.scan(saved(photo(), "JPEG", quality=90), detectors=["spectral-fingerprint"])


def test_reports_draw_the_curves_from_the_document(result):
    again = ScanResult.from_dict(json.loads(json.dumps(result.to_dict())))
    page = html.render([(again, Pictures())])
    assert page.count('class="plot"') == len(curves.CURVES) and page.count('class="this"') == len(
        curves.CURVES
    )
    assert "0.555" not in page  # no table of the raw numbers
    pytest.importorskip("reportlab")
    assert pdf.render([(again, Pictures())]).startswith(b"%PDF")


def test_points_lie_within_their_place(result):
    for plot in drawn.plots(result.findings[0]):
        for points in (plot.band, *plot.lines.values()):
            x, y = np.array(points).T
            assert x.min() >= 0 and x.max() <= drawn.WIDTH and y.min() >= 0 and y.max() <= drawn.HEIGHT
        assert plot.bottom < plot.top and plot.left < plot.right


@pytest.mark.parametrize(
    "told",
    [
        None,
        3,
        "x",
        [3],
        [{}],
        [{"frequencies": [1, 2], "values": ["a", "b"]}],
        [{"frequencies": [1], "values": [1]}],
    ],
)
def test_curves_of_another_form_are_left_out(told):
    finding = Finding("a", "b", score=0.2, measurements={"curves": told, "kept": 1})
    assert drawn.plots(finding) == []
    assert drawn.without_curves(finding.measurements) == {"kept": 1}
