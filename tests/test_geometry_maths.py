"""Common points of noisy lines, wedges and their clashes, against brute force and exact scenes."""

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from forensix.errors import ParameterError
from forensix.geometry.agreement import noticeable_turns, one_point, same_point
from forensix.geometry.collinear import common_line
from forensix.geometry.concurrence import (
    ATTACHED,
    CAST,
    LINE,
    Constraints,
    costs_of,
    fulfilled,
    in_wedge,
    line_residuals,
    meeting_point,
    residuals,
    simulated,
    unit,
)
from forensix.geometry.wedges import (
    deepest_light,
    half_spaces,
    least_radius,
    off_by,
    possible_lights,
    region_corners,
    smallest_clash,
    solid_angle,
)
from tests.reference import pinhole

SIGMA = 2.0 / 700
LIGHTS = {
    "ahead": [-3.0, 1.0, 1.0],
    "in the picture": [-0.1, 0.2, 1.0],
    "at infinity": [-1.0, 0.4, 0.0],
    "behind": [-3.0, 1.0, -1.0],
}


def cast(pairs, sigma=SIGMA, kind=CAST):
    """Constraints of (K, 2, 2) objects and shadows."""
    number = np.arange(len(pairs))
    points = np.asarray(pairs, dtype=float)[:, ::-1].reshape(-1, 2)
    kinds, sides = np.full(len(pairs), kind), np.ones(len(pairs))
    return Constraints(points, 2 * number, 2 * number + 1, number, kinds, sides, sigma)


def scene(light, count, generator, length=0.3, noise=SIGMA):
    """Pairs (object, shadow) that a homogeneous light casts, with noise."""
    objects = generator.uniform(-0.8, 0.8, (count, 2))
    away = light[:2] - light[2] * objects
    shadows = objects - length * away / np.hypot(*away.T)[:, None]
    return np.stack([objects, shadows], axis=1) + noise * generator.standard_normal((count, 2, 2))


def turned(pairs, which, degrees):
    out = pairs.copy()
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    out[which, 0] = out[which, 1] + np.array([[c, -s], [s, c]]) @ (out[which, 0] - out[which, 1])
    return out


def test_the_cost_of_lines_is_what_moving_every_point_costs():
    generator = np.random.default_rng(1)
    for light in ([2.0, 1.0, 1.0], [0.3, -0.5, 1.0]):
        pairs = scene(unit(np.array(light)), 4, generator, noise=0.01)
        lines = cast(pairs, 0.01, LINE)
        v, cost = meeting_point(lines)
        place = v[:2] / v[2]
        assert cost == pytest.approx(pinhole.cost_of_lines(pairs, 0.01, place), rel=1e-6)
        for other in place + generator.normal(0, 0.3, (20, 2)):
            at = (residuals(unit(np.append(other, 1.0))[None], lines) ** 2).sum()
            assert at == pytest.approx(pinhole.cost_of_lines(pairs, 0.01, other), rel=1e-6)
            assert at > cost


@pytest.mark.parametrize("name", LIGHTS)
def test_the_light_is_found_wherever_it_is(name):
    light = unit(np.array(LIGHTS[name]))
    v, cost = meeting_point(cast(scene(light, 6, np.random.default_rng(2), noise=0)))
    assert cost < 1e-9
    np.testing.assert_allclose(v, light, atol=1e-6)


def test_a_sun_behind_the_camera_is_behind_it():
    generator = np.random.default_rng(3)
    for azimuth, sign in ((40, 1), (160, -1)):
        sun = pinhole.sun(azimuth, 35)
        pairs = (pinhole.posts(6, sun, generator) - [400, 600]) / 721
        v, cost = meeting_point(cast(pairs))
        light = pinhole.light_seen(sun)
        light = unit(
            np.array([(light[0] - 400 * light[2]) / 721, (light[1] - 600 * light[2]) / 721, light[2]])
        )
        assert cost < 1e-6
        assert np.sign(v[2]) == sign
        np.testing.assert_allclose(v, light, atol=1e-4)


def test_the_statistic_of_lines_is_chi_square():
    generator = np.random.default_rng(4)
    light = unit(np.array(LIGHTS["ahead"]))
    exact = cast(scene(light, 7, generator, noise=0), kind=LINE)
    points = exact.points + SIGMA * generator.standard_normal((800, 14, 2))
    _, costs = costs_of(exact, points, light)
    assert kstest(costs, chi2(5).cdf).pvalue > 0.01


def test_shadows_that_point_away_from_the_light_cost_their_whole_length():
    pairs = scene(unit(np.array(LIGHTS["ahead"])), 5, np.random.default_rng(5), noise=0)
    light = unit(np.array(LIGHTS["ahead"]))
    wrong = pairs[:, ::-1]
    lines = residuals(light[None], cast(pairs, kind=LINE))[0]
    np.testing.assert_allclose(lines, 0, atol=1e-9)
    np.testing.assert_allclose(residuals(light[None], cast(wrong))[0] ** 2, 0.3**2 / 2 / SIGMA**2)


def test_fulfilled_points_fulfil_and_are_near():
    generator = np.random.default_rng(6)
    for values in LIGHTS.values():
        light = unit(np.array(values))
        c = cast(scene(light, 5, generator))
        moved = c.with_points(fulfilled(c, light))
        assert np.abs(residuals(light[None], moved)).max() < 1e-5
        paid = ((moved.points - c.points) ** 2).sum() / SIGMA**2
        assert paid == pytest.approx((residuals(light[None], c) ** 2).sum(), rel=1e-6)


def test_a_wedge_holds_every_light_that_points_within_its_radius_allow():
    generator = np.random.default_rng(7)
    radius = 0.03
    for _ in range(200):
        pair = generator.uniform(-0.5, 0.5, (2, 2))
        if np.hypot(*(pair[0] - pair[1])) < 0.1:
            continue
        spread = unit(generator.standard_normal((2, 2))) * radius * np.sqrt(generator.uniform(0, 1, (2, 1)))
        near, far = np.append(pair[0] + spread[0], 1), np.append(pair[1] + spread[1], 1)
        a, b = generator.exponential(1, 2)
        light = unit(a * near - b * far)
        (rows,) = half_spaces(cast(pair[None]), radius)[0]
        assert (rows @ light >= -1e-9).all()


def test_a_wedge_is_no_wider_than_its_radius_makes_it():
    generator = np.random.default_rng(8)
    for _ in range(30):
        pair = np.array([[0.0, 0.0], [0.3, 0.0]]) + generator.uniform(-0.1, 0.1, (2, 2))
        place = pair[0] + np.array([-1.0, 0.0]) + generator.uniform(-0.3, 0.3, 2)
        light = unit(np.append(place, 1.0))
        c = cast(pair[None])
        radius = off_by(light, c, c.points[None])[0, 0]
        assert radius == pytest.approx(pinhole.least_disc(pair[0], pair[1], place), abs=2e-4)
        assert (half_spaces(c, 1.001 * radius)[0][0] @ light >= 0).all()
        assert (half_spaces(c, 0.999 * radius)[0][0] @ light < 0).any()


def test_the_lit_side_of_an_edge_holds_what_any_of_its_lines_lights():
    generator = np.random.default_rng(9)
    edge = np.array([[0.0, -0.2], [0.0, 0.2]])
    for side in (1.0, -1.0):
        c = Constraints(
            edge, np.array([0]), np.array([1]), np.array([0]), np.array([ATTACHED]), np.array([side]), 1.0
        )
        for _ in range(100):
            moved = edge + unit(generator.standard_normal((2, 2))) * 0.05 * generator.uniform(0, 1)
            light = unit(generator.standard_normal(3))
            lit = side * light @ np.cross(np.append(moved[0], 1), np.append(moved[1], 1)) > 0
            allowed = any((rows @ light >= 0).all() for rows in half_spaces(c, 0.05)[0])
            assert allowed or not lit
    middle = unit(np.array([-1.0, 0.0, 1.0]))
    lit = [(r @ middle >= 0).all() for r in half_spaces(c, 0.01)[0]]
    assert all(lit) == (side * middle @ np.cross([0, -0.2, 1], [0, 0.2, 1]) > 0)


@pytest.mark.parametrize("name", LIGHTS)
def test_the_common_region_holds_the_light_and_little_else(name):
    light = unit(np.array(LIGHTS[name]))
    c = cast(scene(light, 6, np.random.default_rng(10)))
    ((rows, deepest),) = possible_lights(c, 3 * SIGMA)
    assert (rows @ light >= 0).all()
    assert (rows @ deepest > 0).all()
    corners = region_corners(rows)
    assert (rows @ corners.T >= -1e-6).all()
    assert 0 < solid_angle(corners) < 0.02


def test_the_area_of_an_octant_is_an_eighth():
    assert solid_angle(np.eye(3)) == pytest.approx(1 / 8)
    assert solid_angle(np.eye(3)[:2]) == 0.0


def test_the_smallest_clash_names_the_turned_shadow():
    generator = np.random.default_rng(11)
    light = unit(np.array(LIGHTS["ahead"]))
    pairs = scene(light, 6, generator)
    assert smallest_clash(cast(pairs), 4 * SIGMA) == ()
    wrong = cast(turned(pairs, 2, 25))
    clash = smallest_clash(wrong, 3 * SIGMA)
    assert 2 in clash
    assert len(clash) <= 3
    rest = wrong.subset(np.array([g for g in range(6) if g != 2]))
    assert possible_lights(rest, 3 * SIGMA)
    part = wrong.subset(np.array(clash))
    assert not possible_lights(part, 3 * SIGMA)
    for g in range(len(clash)):
        assert possible_lights(part.subset(np.delete(np.arange(len(clash)), g)), 3 * SIGMA)


def test_opposite_shadows_side_by_side_clash_alone():
    pairs = np.array([[[0.0, 0.0], [0.3, 0.0]], [[0.3, 0.5], [0.0, 0.5]]])
    assert possible_lights(cast(pairs[:1]), SIGMA)
    assert smallest_clash(cast(pairs), SIGMA) == (0, 1)


def test_least_radius_is_where_the_programme_turns_feasible():
    light = unit(np.array(LIGHTS["behind"]))
    c = cast(turned(scene(light, 5, np.random.default_rng(12)), 0, 10))
    v, _ = meeting_point(c)
    radius = least_radius(c, v)
    assert possible_lights(c, 1.01 * radius)
    assert not possible_lights(c, 0.97 * radius)
    assert least_radius(cast(scene(light, 5, np.random.default_rng(12), noise=0)), light) < 1e-6


def test_an_ambiguous_object_point_allows_its_whole_wedge():
    start, end = np.array([2, 2]), np.array([0, 1])
    points = np.array([[0.0, -0.1], [0.0, 0.1], [0.3, 0.0]])
    lights = unit(np.array([[-1.0, 0.0, 1], [-1.0, 0.4, 1], [-1.0, 0.5, 1], [0.2, 0.0, 1], [-1.0, 0.0, -1]]))
    inside = in_wedge(lights, points[None], start, end)
    np.testing.assert_array_equal(inside, [True, True, False, False, True])
    c = Constraints(points, start, end, np.array([0, 0]), np.array([CAST]), np.ones(2), SIGMA)
    e = residuals(lights, c)[:, 0]
    assert (e[inside] == 0).all()
    assert (np.abs(e[~inside]) > 3).all()
    np.testing.assert_array_equal(
        [all((rows @ light >= -1e-9).all() for rows in half_spaces(c, 1e-6)[0]) for light in lights], inside
    )


def test_no_half_space_from_points_that_may_coincide():
    pair = np.array([[[0.0, 0.0], [0.1, 0.0]]])
    assert half_spaces(cast(pair), 0.06)[0][0].shape == (0, 3)
    light, margin = deepest_light(np.zeros((0, 3)))
    assert light is not None and margin == 1.0
    with pytest.raises(ParameterError, match="direction"):
        half_spaces(cast(pair, kind=LINE), 0.01)


def test_p_values_are_uniform_and_a_shadow_turned_enough_is_noticed():
    generator = np.random.default_rng(13)
    light = unit(np.array(LIGHTS["ahead"]))
    exact = scene(light, 5, generator, noise=0)
    found = one_point(cast(exact), runs=499, alarm=0.05, seed=0)
    assert 0.01 < found.alarm_rate < 0.12
    turn = noticeable_turns(cast(exact), found)[0]
    noticed = []
    for sign in (1, -1):
        points = cast(turned(exact, 0, sign * turn)).points + SIGMA * generator.standard_normal((300, 10, 2))
        _, cost = costs_of(cast(exact), points, light)
        noticed.append(np.mean(cost > found.critical))
    assert 0.8 < min(noticed) < 0.99


def test_a_questioned_set_is_judged_against_the_others():
    generator = np.random.default_rng(14)
    light, other = (unit(np.array(LIGHTS[name])) for name in ("ahead", "at infinity"))
    pairs = np.concatenate([scene(light, 5, generator), scene(other, 3, generator)])
    asked = np.arange(8) >= 5
    assert same_point(cast(pairs), asked, runs=199, alarm=0.01, seed=0).disagrees
    calm = np.concatenate([scene(light, 5, generator), scene(light, 3, generator)])
    assert not same_point(cast(calm), asked, runs=199, alarm=0.01, seed=0).disagrees


def test_runs_are_repeatable():
    c = cast(scene(unit(np.array(LIGHTS["behind"])), 5, np.random.default_rng(15)))
    one, two = (one_point(c, runs=99, alarm=0.05, seed=7) for _ in range(2))
    np.testing.assert_array_equal(one.cloud, two.cloud)
    assert (one.p_value, one.critical) == (two.p_value, two.critical)
    points = c.points.copy()
    simulated(c, one.v, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(points, c.points)


def test_residuals_stay_finite_on_degenerate_lines():
    e, cap = line_residuals(np.array([0.0, 0.0, 1.0]), np.zeros(2), np.zeros(2), 1.0)
    assert e == 0 and cap == 0
    same = np.tile(np.array([[[0.0, 0.0], [0.3, 0.0]]]), (4, 1, 1))
    v, cost = meeting_point(cast(same))
    assert np.isfinite(v).all() and cost < 1e-9


def test_a_line_through_uncertain_points():
    generator = np.random.default_rng(16)
    line = unit(np.array([1.0, 0.3, -0.2]))
    places = []
    for col in (-1.0, 0.0, 0.7, 2.0):
        places.append(unit(np.array([-(line[1] * col + line[2]) / line[0], col, 1.0])))
    spread = np.tile(1e-6 * np.eye(3), (4, 1, 1))
    noisy = unit(np.array(places) + 1e-3 * generator.standard_normal((4, 3)))
    found, cost = common_line(noisy[None], spread[None])
    assert abs(found[0] @ line) > 0.9999
    assert cost[0] < chi2(2).ppf(0.999)
