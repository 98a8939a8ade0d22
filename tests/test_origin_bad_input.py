"""Icons, drawings, screens, noise and flat pictures: the origin is inconclusive, and each method says why."""

import numpy as np
import pytest

import forensix
from forensix import detectors
from tests.hostile import saved
from tests.special_pictures import PICTURES

METHODS = [name for name in detectors.names() if detectors.method(name).family == "synthetic"]


def icon():
    pixels = np.full((64, 64, 3), 255, np.uint8)
    pixels[10:50, 10:50] = (200, 30, 40)
    return pixels


def enlarged(pixels, times):
    return np.kron(pixels, np.ones((times, times, 1), np.uint8))


def noise(*, spread=None, channels=3):
    rng = np.random.default_rng(0)
    size = (400, 500, channels)
    drawn = rng.integers(0, 256, size) if spread is None else np.clip(rng.normal(128, spread, size), 0, 255)
    return np.broadcast_to(drawn, (400, 500, 3)).astype(np.uint8)


BAD = {
    "icon": icon,
    "large icon": lambda: enlarged(icon(), 8),
    "flat": lambda: np.full((400, 500, 3), (120, 130, 140), np.uint8),
    "grey": lambda: np.full((400, 500, 3), 120, np.uint8),
    "noise": noise,
    "grey noise": lambda: noise(channels=1),
    "soft noise": lambda: noise(spread=10),
    "screenshot": PICTURES["text screenshot"],
    "screenshot at twice its size": lambda: enlarged(PICTURES["text screenshot"](), 2),
    "drawing": PICTURES["drawing"],
}


@pytest.mark.parametrize("quality", [None, 85])
@pytest.mark.parametrize("name", list(BAD))
def test_nothing_is_concluded(name, quality):
    pixels = np.ascontiguousarray(BAD[name]())
    content = saved(pixels, "JPEG", quality=quality) if quality else saved(pixels, "PNG")
    result = forensix.scan(content, detectors=METHODS)
    assert result.conclusions["origin"].label == "inconclusive"
    assert result.conclusions["integrity"].label != "inconsistent"
    for finding in result.findings:
        assert not finding.decided and (finding.reason or finding.explanation)
        if finding.detector != "grid-peaks":  # which compares steps, and every picture has some
            assert finding.score is None
