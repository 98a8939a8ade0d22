"""The geometric tests on scenes with exact shadows, lines and mirrors, and on bad points."""

import numpy as np
import pytest

from forensix.errors import ParameterError, PointsError
from forensix.geometry import (
    AttachedShadow,
    CastShadow,
    Direction,
    Label,
    MirrorPair,
    halfway,
    horizon_consistency,
    mirror_foot_consistency,
    reflection_consistency,
    same_direction,
    shadow_consistency,
    vanishing_point,
)
from tests.reference import pinhole

SHAPE = (pinhole.ROWS, pinhole.COLS)
QUICK = {"shape": SHAPE, "runs": 199}


def cast(pairs, noise=0.0, seed=0, **questioned):
    generator = np.random.default_rng(seed)
    pairs = pairs + noise * generator.standard_normal(pairs.shape)
    return [
        CastShadow(f"post {k}", [top], [foot], questioned.get(f"post{k}", False))
        for k, (top, foot) in enumerate(pairs)
    ]


def wedges(pairs, half_width):
    """Shadows whose object point is only known to lie on a level stretch."""
    sides = np.array([[0, -half_width], [0, half_width]])
    return [CastShadow(f"hedge {k}", top + sides, [foot]) for k, (top, foot) in enumerate(pairs)]


def posts(azimuth=40, turned=(), count=6, seed=1):
    return pinhole.posts(count, pinhole.sun(azimuth, 35), np.random.default_rng(seed), turned)


@pytest.mark.parametrize(("azimuth", "side"), [(40, "in front of the camera"), (150, "behind the camera")])
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_exact_shadows_of_one_sun_are_consistent(azimuth, side, noise):
    verdict = shadow_consistency(cast(posts(azimuth), noise), **QUICK)
    assert verdict.label is Label.CONSISTENT
    assert verdict.p_value > 0.01
    assert verdict.clash == ()
    assert verdict.measurements["light"]["side"] == side
    wanted = pinhole.light_seen(pinhole.sun(azimuth, 35))
    spread = verdict.measurements["light"]["bearing_spread_deg"]
    bearing = np.degrees(np.arctan2(-(wanted[0] - 399.5 * wanted[2]), wanted[1] - 599.5 * wanted[2]))
    assert abs((verdict.measurements["light"]["bearing_deg"] - bearing + 180) % 360 - 180) < 2 * spread + 0.01
    assert verdict.false_alarm["asked"] == 0.01
    assert verdict.false_alarm["simulated"] < 0.06


def test_a_shadow_of_another_sun_is_inconsistent_and_named():
    verdict = shadow_consistency(cast(posts(turned=(25,)), 1.0), noise=1.0, **QUICK)
    assert verdict.label is Label.INCONSISTENT
    assert verdict.p_value <= 0.01
    assert "post 0" in verdict.clash
    assert len(verdict.clash) <= 3
    assert "post 0" in verdict.explanation
    assert verdict.measurements["least_error_px"] > 1


def test_a_questioned_shadow_is_tested_against_the_others():
    wrong = shadow_consistency(cast(posts(turned=(25,)), 1.0, post0=True), noise=1.0, **QUICK)
    assert wrong.label is Label.INCONSISTENT
    assert wrong.explanation.startswith("post 0 cannot share")
    right = shadow_consistency(cast(posts(), 1.0, post0=True), noise=1.0, **QUICK)
    assert right.label is Label.CONSISTENT
    others = shadow_consistency(cast(posts(turned=(25,)), 1.0, post3=True), noise=1.0, **QUICK)
    assert others.label is Label.INCONSISTENT
    assert others.explanation.startswith("Without the questioned")


def test_coarse_points_cannot_tell():
    verdict = shadow_consistency(cast(posts(), 40.0), noise=40.0, **QUICK)
    assert verdict.label is Label.CANNOT_TELL
    assert "cannot be told" in verdict.explanation


def test_wide_wedges_cannot_tell():
    verdict = shadow_consistency(wedges(posts(), 80), **QUICK)
    assert verdict.label is Label.CANNOT_TELL
    light = verdict.measurements["light"]
    assert verdict.measurements["region_of_sphere"] > 0.001
    assert light["side"] == "undecided" or light["bearing_spread_deg"] > 5


def test_wedges_that_clash_are_inconsistent():
    pairs = posts(turned=(120,))
    verdict = shadow_consistency(wedges(pairs, 15), **QUICK)
    assert verdict.label is Label.INCONSISTENT
    assert "hedge 0" in verdict.clash


def test_an_attached_shadow_on_the_wrong_side_clashes():
    shadows = cast(posts(40))  # the sun is up, ahead and to the right
    edge = [[300.0, 500.0], [400.0, 500.0]]
    right = shadow_consistency([*shadows, AttachedShadow("face", edge, [350.0, 560.0])], **QUICK)
    assert right.label is Label.CONSISTENT
    wrong = shadow_consistency([*shadows, AttachedShadow("face", edge, [350.0, 440.0])], **QUICK)
    assert wrong.label is Label.INCONSISTENT
    assert "face" in wrong.clash


def test_opposite_shadows_need_no_third():
    two = [CastShadow("left", [[400, 300]], [[400, 200]]), CastShadow("right", [[100, 300]], [[100, 400]])]
    verdict = shadow_consistency(two, **QUICK)
    assert verdict.label is Label.INCONSISTENT
    assert set(verdict.clash) == {"left", "right"}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_shadows_cannot_tell(count):
    verdict = shadow_consistency(cast(posts())[:count], **QUICK)
    assert verdict.label is Label.CANNOT_TELL


def test_points_too_close_are_left_out_and_named():
    shadows = [*cast(posts()), CastShadow("pebble", [[300, 300]], [[300, 300]])]
    verdict = shadow_consistency(shadows, **QUICK)
    assert verdict.label is Label.CONSISTENT
    assert "pebble is left out" in verdict.explanation
    assert list(verdict.measurements["ignored"]) == ["pebble"]


def test_parallel_shadows_meet_at_infinity():
    pairs = np.array([[[100.0 * k, 300.0], [100.0 * k + 90, 200.0]] for k in range(1, 7)])
    verdict = shadow_consistency(cast(pairs), **QUICK)
    assert verdict.label is Label.CONSISTENT
    assert verdict.measurements["light"]["side"] == "undecided"


def test_the_same_shadow_marked_often_is_no_light():
    pairs = np.repeat(posts()[:1], 5, axis=0)
    verdict = shadow_consistency(cast(pairs), **QUICK)
    assert verdict.label is not Label.INCONSISTENT


def test_points_far_outside_the_picture_are_welcome():
    shadows = [*cast(posts()), *(CastShadow(f"far {k}", [[-5e6, 3e6]], [[5e6, 2e6 + k]]) for k in range(1))]
    verdict = shadow_consistency(shadows, **QUICK)
    assert verdict.p_value is not None


@pytest.mark.parametrize(
    "bad",
    [[[np.nan, 1]], [[np.inf, 1]], [[1e9, 1]], [[1, 2, 3]], [], [[1, 2]] * 3, "text", [["a", "b"]], None],
)
def test_bad_points_are_refused_by_name(bad):
    with pytest.raises(PointsError, match=r"^lamp: object"):
        CastShadow("lamp", bad, [[1, 2]])


def test_bad_settings_are_refused():
    shadows = cast(posts())
    for bad in ({"noise": 0.0}, {"noise": np.nan}, {"runs": 10}, {"alarm": 0.9}, {"shape": (0, 5)}):
        with pytest.raises(PointsError):
            shadow_consistency(shadows, **{**QUICK, **bad})
    with pytest.raises(PointsError, match="two have the name"):
        shadow_consistency([shadows[0], shadows[0]], **QUICK)
    with pytest.raises(PointsError, match="got Direction"):
        shadow_consistency([Direction("d", [[[0, 0], [9, 9]]])], **QUICK)
    with pytest.raises(PointsError, match="at most 60"):
        shadow_consistency(cast(np.zeros((61, 2, 2))), **QUICK)
    assert issubclass(PointsError, ValueError) and not issubclass(PointsError, ParameterError)


def edges(along, count, generator, noise=2.0, turn=0.0, length=2.5):
    lines = []
    for _ in range(count):
        near = np.array([generator.uniform(-2, 2), generator.uniform(0, 1.2), generator.uniform(4, 8)])
        line = pinhole.seen([near, near + length * np.asarray(along)])
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        line[1] = line[0] + np.array([[c, -s], [s, c]]) @ (line[1] - line[0])
        lines.append(line + noise * generator.standard_normal((2, 2)))
    return lines


def level(azimuth, climb=0.0):
    return [np.sin(np.radians(azimuth)), climb, np.cos(np.radians(azimuth))]


def test_parallel_edges_have_their_vanishing_point():
    generator = np.random.default_rng(5)
    verdict = vanishing_point(Direction("kerb", edges(level(20), 6, generator)), **QUICK)
    assert verdict.label is Label.CONSISTENT
    wanted = pinhole.seen(1e9 * np.array(level(20)))
    region = np.array(verdict.measurements["region_95"])
    np.testing.assert_allclose(verdict.measurements["meeting_point"], wanted, atol=25)
    assert (region.min(0) < wanted).all() and (wanted < region.max(0)).all()


def test_edges_that_do_not_meet_are_inconsistent():
    generator = np.random.default_rng(6)
    lines = [*edges(level(20), 5, generator), *edges(level(20), 1, generator, turn=15)]
    assert vanishing_point(Direction("kerb", lines), **QUICK).label is Label.INCONSISTENT


@pytest.mark.parametrize("count", [1, 3])
def test_a_pasted_sign_does_not_share_the_vanishing_point(count):
    generator = np.random.default_rng(7)
    kerb = Direction("kerb", edges(level(20), 5, generator))
    right = Direction("sign", edges(level(20), count, generator))
    wrong = Direction("sign", edges(level(20), count, generator, turn=12))
    assert same_direction(kerb, right, **QUICK).label is Label.CONSISTENT
    verdict = same_direction(kerb, wrong, **QUICK)
    assert verdict.label is Label.INCONSISTENT
    assert "Sign 1" in verdict.explanation


def test_few_or_short_lines_cannot_tell():
    generator = np.random.default_rng(8)
    two = Direction("two", edges(level(20), 2, generator))
    assert vanishing_point(two, **QUICK).label is Label.CANNOT_TELL
    short = Direction("short", [[[5, 5], [6, 6]]] * 4)
    assert vanishing_point(short, **QUICK).label is Label.CANNOT_TELL
    assert same_direction(two, short, **QUICK).label is Label.CANNOT_TELL
    assert same_direction(short, two, **QUICK).label is Label.CANNOT_TELL
    tiny = Direction("tiny", [[[k, 0], [k, 12]] for k in range(4)])
    assert vanishing_point(tiny, **QUICK).label is Label.CANNOT_TELL


def test_directions_of_flat_ground_share_a_horizon():
    generator = np.random.default_rng(9)
    flat = [Direction(f"street {a}", edges(level(a), 5, generator, noise=0.7)) for a in (-30, 15, 50)]
    verdict = horizon_consistency(flat, noise=0.7, **QUICK)
    assert verdict.label is Label.CONSISTENT
    assert verdict.measurements["horizon_row"] == pytest.approx(400, abs=25)
    assert abs(verdict.measurements["horizon_tilt_deg"]) < 4
    climbing = Direction("ramp", edges(level(50, 0.4), 5, generator, noise=0.7))
    assert horizon_consistency([*flat[:2], climbing], noise=0.7, **QUICK).label is Label.INCONSISTENT
    assert horizon_consistency(flat[:2], **QUICK).label is Label.CANNOT_TELL
    single = Direction("single", flat[2].lines[:1])
    assert horizon_consistency([*flat[:2], single], **QUICK).label is Label.CANNOT_TELL


def mirror(noise=1.0, seed=2, farther=0.0, turn=0.0):
    """Pairs before a wall mirror, the first four standing on the floor; the first is changed."""
    generator = np.random.default_rng(seed)
    points = np.stack([generator.uniform(a, b, 8) for a, b in ((-1, 1), (0.2, 2), (3, 6))], axis=1)
    points[:4, 1] = 0
    normal = np.array([np.cos(0.5), 0, np.sin(0.5)])
    near, far = pinhole.seen(points), pinhole.seen(pinhole.mirrored(points, normal, 4.5))
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    far[0] = near[0] + (1 + farther) * np.array([[c, -s], [s, c]]) @ (far[0] - near[0])
    near, far = (p + noise * generator.standard_normal(p.shape) for p in (near, far))
    middle = pinhole.seen((points + pinhole.mirrored(points, normal, 4.5)) / 2)
    vanishing = pinhole.seen(1e9 * normal)
    return [MirrorPair(f"p{k}", near[k], far[k], k < 4) for k in range(8)], middle, vanishing


def test_mirror_images_meet_in_the_mirrors_vanishing_point():
    pairs, middle, vanishing = mirror(noise=0.0)
    verdict = reflection_consistency(pairs, **QUICK)
    assert verdict.label is Label.CONSISTENT
    np.testing.assert_allclose(verdict.measurements["meeting_point"], vanishing, atol=0.5)
    near, far = (np.array([getattr(p, side) for p in pairs]) for side in ("object", "image"))
    np.testing.assert_allclose(halfway(near, far, np.append(vanishing, 1.0)), middle, atol=1e-4)


def test_a_wrong_mirror_image_is_inconsistent():
    assert reflection_consistency(mirror()[0], noise=1.0, **QUICK).label is Label.CONSISTENT
    verdict = reflection_consistency(mirror(turn=8)[0], noise=1.0, **QUICK)
    assert verdict.label is Label.INCONSISTENT
    questioned = [
        MirrorPair(p.name, p.object, p.image, p.foot, k == 0) for k, p in enumerate(mirror(turn=8)[0])
    ]
    verdict = reflection_consistency(questioned, noise=1.0, **QUICK)
    assert verdict.explanation.startswith("P0 does not")


def test_an_image_at_the_wrong_distance_shows_at_the_foot_only():
    right, wrong = mirror()[0], mirror(farther=0.4)[0]
    assert mirror_foot_consistency(right, noise=1.0, **QUICK).label is Label.CONSISTENT
    assert reflection_consistency(wrong, noise=1.0, **QUICK).label is Label.CONSISTENT
    assert mirror_foot_consistency(wrong, noise=1.0, **QUICK).label is Label.INCONSISTENT


def test_degenerate_mirrors_cannot_tell():
    pairs = mirror()[0]
    assert mirror_foot_consistency(pairs[2:], **QUICK).label is Label.CANNOT_TELL
    assert reflection_consistency(pairs[:2], **QUICK).label is Label.CANNOT_TELL
    assert reflection_consistency([], runs=199).label is Label.CANNOT_TELL
    assert mirror_foot_consistency([], **QUICK).label is Label.CANNOT_TELL
    star = [MirrorPair(f"s{k}", [400 + 100 * np.sin(k), 600 + 100 * np.cos(k)],
                       [400 - 100 * np.sin(k), 600 - 100 * np.cos(k)], True) for k in range(4)]  # fmt: skip
    assert mirror_foot_consistency(star, **QUICK).label is Label.CANNOT_TELL
