"""Light along outlines of shaded ellipsoids, rendered here."""

import numpy as np
import pytest

from forensix.errors import PointsError
from forensix.geometry import Contour, Label, contour_light_consistency, light_along, linear_luma

ROWS, COLS = 300, 560
BODIES = {"left": (150, 140, 100, 75), "right": (150, 400, 80, 110)}  # row, col, half rows, half cols
QUICK = {"noise": 1.0, "runs": 199}


def shaded(left, right, noise=0.01):
    """Linear brightness of two matt ellipsoids, lit from two bearings (degrees anticlockwise from right)."""
    generator = np.random.default_rng(0)
    rows, cols = np.mgrid[:ROWS, :COLS].astype(float)
    picture = np.full((ROWS, COLS), 0.4)
    for (row, col, a, b), bearing in zip(BODIES.values(), (left, right), strict=True):
        down, across = (rows - row) / a, (cols - col) / b
        inside = down**2 + across**2 < 1
        ahead = np.sqrt(np.maximum(1 - down**2 - across**2, 0)) / min(a, b)
        normal = np.stack([down / a, across / b, ahead])
        normal /= np.sqrt((normal**2).sum(0)) + 1e-12
        light = np.array([-np.sin(np.radians(bearing)), np.cos(np.radians(bearing)), 0.5])
        light /= np.linalg.norm(light)
        lambert = 0.15 + 0.6 * np.maximum((normal * light[:, None, None]).sum(0), 0)
        picture = np.where(inside, lambert, picture)
    return np.clip(picture + noise * generator.standard_normal(picture.shape), 0.001, 0.99)


def outline(name, arc=(0, 360), count=24):
    row, col, a, b = BODIES[name]
    t = np.radians(np.linspace(*arc, count))
    return Contour(name, np.stack([row - a * np.sin(t), col + b * np.cos(t)], axis=1), (row, col))


@pytest.mark.parametrize("bearing", [0, 60, 135, 250])
def test_the_light_of_a_body_is_found(bearing):
    light = light_along(shaded(bearing, 0), outline("left"), noise=1.0, resampled=60)
    off = (light.bearing - bearing + 180) % 360 - 180
    assert abs(off) < 5
    assert abs(off) <= light.cone + 1
    assert light.explained > 0.9
    assert light.strength > 0.3


def test_an_open_outline_on_the_lit_side_is_enough():
    light = light_along(shaded(80, 0), outline("left", (20, 160)), noise=1.0, resampled=60)
    assert abs(light.bearing - 80) < 12


def test_two_bodies_in_one_light_agree_and_in_two_do_not():
    pair = [outline("left"), outline("right")]
    same = contour_light_consistency(shaded(60, 60), pair, **QUICK)
    assert same.label is Label.CONSISTENT
    assert same.p_value > 0.05
    other = contour_light_consistency(shaded(60, 120), pair, **QUICK)
    assert other.label is Label.INCONSISTENT
    assert other.clash == ("left", "right")
    assert other.measurements["largest_difference_deg"] == pytest.approx(60, abs=8)


def test_what_shows_no_light_is_left_out():
    flat = contour_light_consistency(np.full((ROWS, COLS), 0.4), [outline("left"), outline("right")], **QUICK)
    assert flat.label is Label.CANNOT_TELL
    assert "left out" in flat.explanation
    dark = np.full((ROWS, COLS), np.nan)
    assert contour_light_consistency(dark, [outline("left")], **QUICK).label is Label.CANNOT_TELL
    one = contour_light_consistency(shaded(60, 60), [outline("left")], **QUICK)
    assert one.label is Label.CANNOT_TELL
    noise = np.random.default_rng(1).uniform(0.1, 0.9, (ROWS, COLS))
    assert (
        contour_light_consistency(noise, [outline("left"), outline("right")], **QUICK).label
        is Label.CANNOT_TELL
    )


def test_degenerate_outlines():
    picture = shaded(60, 60)
    point = Contour("point", np.full((6, 2), 50.0), (60, 60))
    away = Contour("away", outline("left").points + 1e6, (1e6, 1e6))
    line = Contour("line", np.stack([np.full(6, 100.0), np.arange(6) * 20.0], axis=1), (100, 50))
    verdict = contour_light_consistency(picture, [point, away, line], **QUICK)
    assert verdict.label is Label.CANNOT_TELL
    assert (
        contour_light_consistency(np.full((1, 1), 0.5), [outline("left")], **QUICK).label is Label.CANNOT_TELL
    )
    with pytest.raises(PointsError, match="5 to 500"):
        Contour("short", [[0, 0]] * 4, (0, 0))
    with pytest.raises(PointsError, match="brightness"):
        contour_light_consistency(np.zeros((4, 4, 3)), [outline("left")], **QUICK)
    with pytest.raises(PointsError, match="model_error"):
        contour_light_consistency(picture, [outline("left")], model_error=np.nan, **QUICK)


def test_linear_luma_is_linear_light_and_does_not_know_clipped_pixels():
    rgb = np.array([[[128] * 3, [255, 10, 10], [0, 0, 0], [60, 120, 200]]], dtype=np.uint8)
    luma = linear_luma(rgb)
    assert luma[0, 0] == pytest.approx(0.21586, abs=1e-4)
    assert np.isnan(luma[0, 1:3]).all()
    red, green, blue = (((c / 255 + 0.055) / 1.055) ** 2.4 for c in (60, 120, 200))
    assert luma[0, 3] == pytest.approx(0.2126 * red + 0.7152 * green + 0.0722 * blue, rel=1e-4)
