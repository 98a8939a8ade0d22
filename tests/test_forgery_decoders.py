"""Made decoders: pictures that look like the photo, drawn through doubling layers."""

import numpy as np
import pytest

from forensix.detectors.synthetic import grid_peaks
from forensix.errors import ForgeryError, ParameterError
from forensix.evidence import Evidence
from forensix.forgery.decoders import Decoder
from forensix.forgery.generators import generate


def photo():
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:256, 100:356])


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_the_picture_is_the_photo_but_for_its_fine_detail(stages):
    image = photo()
    edit = generate(image, rng=np.random.default_rng(0), upsampling="decoder", stages=stages, model=1)
    apart = edit.image.astype(float) - image
    assert edit.whole and edit.image.shape == image.shape
    assert 1 < np.sqrt(np.mean(apart**2)) < 20
    again = generate(image, rng=np.random.default_rng(0), upsampling="decoder", stages=stages, model=1)
    other = generate(image, rng=np.random.default_rng(0), upsampling="decoder", stages=stages, model=2)
    np.testing.assert_array_equal(again.image, edit.image)
    assert (other.image != edit.image).any()


def test_one_doubling_leaves_steps_that_alternate():
    image = photo()
    made = generate(image, rng=np.random.default_rng(0), upsampling="decoder", stages=1, model=0).image
    before, after = (grid_peaks.detect(Evidence.of_array(p)).measurements["height"] for p in (image, made))
    assert after > grid_peaks.DECISION > before


def test_a_part_alone_is_redrawn():
    image = photo()
    edit = generate(
        image,
        rng=np.random.default_rng(1),
        upsampling="decoder",
        stages=1,
        whole=False,
        shape="smooth",
        area=0.2,
    )
    np.testing.assert_array_equal(edit.image[~edit.mask], image[~edit.mask])
    assert (edit.image[edit.mask] != image[edit.mask]).any()


def test_flat_pictures_stay_flat():
    picture = np.full((64, 64, 3), 90, np.float32)
    drawn = Decoder(stages=2).run(picture, np.random.default_rng(0), 2.0)
    assert drawn.shape == picture.shape and np.isfinite(drawn).all()
    np.testing.assert_allclose(drawn, 90, atol=2)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ParameterError, match="stages"):
        Decoder(stages=4)
    with pytest.raises(ForgeryError, match="too small"):
        generate(
            np.zeros((40, 40, 3), np.uint8), rng=np.random.default_rng(0), upsampling="decoder", stages=3
        )
