"""Both twins of the match search against one plain reference."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.native.patch_match import improve_matches
from tests.reference.patch_match import improve_matches as reference

NEVER = 2**31 - 1
IMAGES = {
    "noise": lambda shape: np.random.default_rng(1).integers(0, 256, (*shape, 12)),
    "alike": lambda shape: np.random.default_rng(2).integers(0, 3, (*shape, 12)),
    "flat": lambda shape: np.full((*shape, 12), 255),
    "ramp": lambda shape: np.repeat((np.indices(shape)[1] * 7 % 256)[..., None], 12, axis=2),
}

IN_THE_SIMULATOR = """
import numpy as np
from forensix.native import device
from tests.test_native_patch_match import IMAGES, improve_matches, reference, resized, start

for name, image in IMAGES.items():
    for stride in (1, 2):
        features, matches, differences = start(image, (12, 15), stride)
        options = dict(steps=(3, 1), stride=stride, nearest=3.0, seed=5)
        wanted = reference(features, matches, differences, **options)
        with device.using("cuda"):
            improve_matches(features, matches, differences, **options)
        np.testing.assert_array_equal(matches, wanted[0], err_msg=name)
        np.testing.assert_array_equal(differences, wanted[1], err_msg=name)
features, _, differences = start(IMAGES["alike"], (12, 15), 1)
targets, matches = resized(IMAGES["alike"], (12, 15), 0.7)
options = dict(steps=(3, 1), stride=1, nearest=3.0, seed=5, targets=targets, zoom=0.7)
wanted = reference(features, matches, differences, **options)
with device.using("cuda"):
    improve_matches(features, matches, differences, **options)
np.testing.assert_array_equal(matches, wanted[0], err_msg="resized")
active = np.random.default_rng(6).random(differences.shape) < 0.3
with device.using("cuda"):
    improve_matches(features, matches, differences, active=active, **options)
np.testing.assert_array_equal(matches, reference(features, *wanted, active=active, **options)[0], err_msg="active")
print("agreed on", len(IMAGES))
"""


def start(image, shape, stride):
    features = image(shape).astype(np.uint8)
    field = (-(-shape[0] // stride), -(-shape[1] // stride))
    rng = np.random.default_rng(7)
    matches = np.stack([rng.integers(0, n, field) for n in shape], axis=-1).astype(np.int32)
    return features, matches, np.full(field, NEVER, np.int32)


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize(("shape", "stride"), [((40, 33), 1), ((41, 50), 3), ((1, 60), 1), ((9, 2), 2)])
def test_cpu_twin_agrees_with_the_reference(image, shape, stride):
    features, matches, differences = start(IMAGES[image], shape, stride)
    options = {"steps": (9, 3, 1, 1), "stride": stride, "nearest": 4.5, "seed": 3}
    wanted = reference(features, matches, differences, **options)
    improve_matches(features, matches, differences, **options)
    np.testing.assert_array_equal(matches, wanted[0])
    np.testing.assert_array_equal(differences, wanted[1])


def test_only_active_places_are_improved():
    features, matches, differences = start(IMAGES["alike"], (40, 33), 1)
    active = np.random.default_rng(6).random((40, 33)) < 0.3
    options = {"steps": (3, 1), "nearest": 4.5, "seed": 3, "active": active}
    before = matches.copy()
    wanted = reference(features, matches, differences, stride=1, **options)
    improve_matches(features, matches, differences, **options)
    np.testing.assert_array_equal(matches, wanted[0])
    np.testing.assert_array_equal(differences, wanted[1])
    np.testing.assert_array_equal(matches[~active], before[~active])
    assert (differences[active] < NEVER).mean() > 0.9


def resized(image, shape, zoom):
    """Features of a resized version, and matches that lie in it."""
    small = tuple(max(1, round(zoom * side)) for side in shape)
    matches = np.stack([np.random.default_rng(8).integers(0, n, shape) for n in small], axis=-1)
    return image(small).astype(np.uint8), matches.astype(np.int32)


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("zoom", [0.73, 1.3])
def test_matches_in_a_resized_version_agree_with_the_reference(image, zoom):
    shape = (30, 41)
    features, _, differences = start(IMAGES[image], shape, 1)
    targets, matches = resized(IMAGES[image], shape, zoom)
    options = {"steps": (3, 1), "stride": 1, "nearest": 4.0, "seed": 2, "targets": targets, "zoom": zoom}
    wanted = reference(features, matches, differences, **options)
    improve_matches(features, matches, differences, **options)
    np.testing.assert_array_equal(matches, wanted[0])
    np.testing.assert_array_equal(differences, wanted[1])


def test_cuda_twin_agrees_with_the_reference_in_the_simulator():
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_SIMULATOR],
        env={
            **os.environ,
            "NUMBA_ENABLE_CUDASIM": "1",
            "NUMBA_DISABLE_JIT": "1",
            "PYTHONPATH": str(root),
        },
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "agreed on 4" in done.stdout


def test_a_shifted_copy_is_found_from_one_seed():
    rng = np.random.default_rng(0)
    features = rng.integers(0, 256, (60, 80, 12)).astype(np.uint8)
    features[30:50, 50:70] = features[5:25, 10:30]
    matches = np.zeros((60, 80, 2), np.int32)
    differences = np.full((60, 80), NEVER, np.int32)
    matches[15, 20] = (40, 60)
    differences[15, 20] = 0
    improve_matches(features, matches, differences, steps=(9, 3, 1, 9, 3, 1), nearest=10.0)
    assert (differences[5:25, 10:30] == 0).all()
    rows, cols = np.mgrid[5:25, 10:30]
    np.testing.assert_array_equal(matches[5:25, 10:30], np.stack([rows + 25, cols + 40], axis=-1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.zeros((8, 8, 3), np.uint8)}, "features"),
        ({"features": np.zeros((8, 8, 12))}, "features"),
        ({"matches": np.zeros((8, 9, 2), np.int32)}, "matches"),
        ({"differences": np.zeros((8, 8))}, "differences"),
        ({"differences": np.zeros((8, 8), np.int32, order="F")}, "contiguous"),
        ({"steps": (2,)}, "odd"),
        ({"stride": 0}, "stride"),
        ({"targets": np.zeros((8, 8, 12))}, "targets"),
        ({"targets": np.zeros((8, 8, 24), np.uint8)[..., ::2]}, "targets"),
        ({"zoom": 0.0}, "zoom"),
        ({"active": np.ones((8, 9), bool)}, "active"),
        ({"active": np.ones((8, 8))}, "active"),
        ({"zoom": float("nan")}, "zoom"),
    ],
)
def test_what_cannot_be_searched_is_refused(change, message):
    given = {
        "features": np.zeros((8, 8, 12), np.uint8),
        "matches": np.zeros((8, 8, 2), np.int32),
        "differences": np.zeros((8, 8), np.int32),
        "steps": (1,),
        "stride": 1,
    } | change
    arrays = [given.pop(name) for name in ("features", "matches", "differences")]
    with pytest.raises(ParameterError, match=message):
        improve_matches(*arrays, nearest=2.0, **given)
