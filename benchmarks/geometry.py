"""How often the geometric tests are right, on scenes with exact shadows, lines and mirrors.

    python benchmarks/geometry.py PART... [--scenes 100] [--rows rows.json] [--seed 1]

Parts: shadows-1, -2, -3 (px of noise), few, many, azimuth, questioned, misjudged, lines, horizon, mirror, foot,
contours. Every scene is drawn at random, its points are marked with Gaussian noise, and the
public function judges it with its default settings (but 199 simulations). Prints a table of
verdicts with Wilson 95 % intervals of "inconsistent"; ``--rows FILE`` keeps the rows, so
that several runs make one table.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from forensix.geometry import (
    CastShadow,
    Contour,
    Direction,
    MirrorPair,
    contour_light_consistency,
    horizon_consistency,
    mirror_foot_consistency,
    reflection_consistency,
    same_direction,
    shadow_consistency,
)

ROWS, COLS, FOCAL, HEIGHT = 800, 1200, 1000.0, 1.6
SETTINGS = {"shape": (ROWS, COLS), "runs": 199}
TURNS = (0, 5, 10, 20)


def seen(points):
    """(..., 3) right, up, ahead in metres to (..., 2) row, col; the ground is up = 0."""
    points = np.asarray(points, dtype=float)
    row = ROWS / 2 - FOCAL * (points[..., 1] - HEIGHT) / points[..., 2]
    return np.stack([row, COLS / 2 + FOCAL * points[..., 0] / points[..., 2]], axis=-1)


def turned(pair, degrees):
    """The first of two points turned about the second, in the picture."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([pair[1] + np.array([[c, -s], [s, c]]) @ (pair[0] - pair[1]), pair[1]])


def posts(count, generator, azimuth_error=0.0):
    """(count, 2, 2) tops and shadow tips under a random sun; the first one's sun is wrong."""
    azimuth, elevation = generator.uniform(0, 360), generator.uniform(20, 60)
    pairs = []
    while len(pairs) < count:
        a = np.radians(azimuth + (azimuth_error if not pairs else 0.0))
        top = np.array([generator.uniform(-4, 4), generator.uniform(0.4, 2.2), generator.uniform(4, 14)])
        reach = top[1] / np.tan(np.radians(elevation))
        tip = np.array([top[0] - reach * np.sin(a), 0.0, top[2] - reach * np.cos(a)])
        if tip[2] < 2:
            continue
        pair = seen([top, tip])
        inside = ((pair > 0) & (pair < [ROWS, COLS])).all()
        if inside and np.hypot(*(pair[0] - pair[1])) > 60:
            pairs.append(pair)
    return np.array(pairs)


def marked(points, noise, generator):
    return points + noise * generator.standard_normal(np.shape(points))


def shadow_scene(generator, *, turn, noise, count=6, azimuth=0.0, stated=None, questioned=False):
    pairs = posts(count, generator, azimuth)
    pairs[0] = turned(pairs[0], turn * generator.choice([-1, 1]))
    pairs = marked(pairs, noise, generator)
    shadows = [CastShadow(f"{k}", [top], [tip], questioned and k == 0) for k, (top, tip) in enumerate(pairs)]
    return shadow_consistency(shadows, noise=stated or noise, **SETTINGS)


def edges(direction, count, generator, noise, turn=0.0):
    """(count, 2, 2) ends of edges of one direction, each at least 60 px long."""
    lines = []
    while len(lines) < count:
        near = np.array([generator.uniform(-3, 3), generator.uniform(0, 3), generator.uniform(4, 10)])
        line = seen([near, near + generator.uniform(1, 3) * np.asarray(direction)])
        if np.hypot(*(line[0] - line[1])) > 60:
            lines.append(marked(turned(line, turn), noise, generator))
    return np.array(lines)


def level(azimuth, climb=0.0):
    return np.array([np.sin(np.radians(azimuth)), climb, np.cos(np.radians(azimuth))])


def line_scene(generator, *, turn, noise, count=2):
    direction = level(generator.uniform(-60, 60))
    known = Direction("known", edges(direction, 5, generator, noise))
    sign = generator.choice([-1, 1])
    return same_direction(
        known,
        Direction("sign", edges(direction, count, generator, noise, sign * turn)),
        noise=noise,
        **SETTINGS,
    )


def horizon_scene(generator, *, turn, noise):
    azimuths = generator.uniform(-60, 60) + np.array([0.0, 35.0, 70.0])
    climbs = np.tan(np.radians([0.0, 0.0, turn]))
    directions = [
        Direction(f"{k}", edges(level(a, c), 5, generator, noise))
        for k, (a, c) in enumerate(zip(azimuths, climbs, strict=True))
    ]
    return horizon_consistency(directions, noise=noise, **SETTINGS)


def mirror_scene(generator, *, turn, noise, foot=False, farther=0.0):
    angle = generator.uniform(0.2, 0.8) * generator.choice([-1, 1])
    normal = np.array([np.sin(angle), 0, np.cos(angle)])
    points = np.stack([generator.uniform(a, b, 7) for a, b in ((-1.5, 1.5), (0, 2), (3, 6))], axis=1)
    points[:4, 1] = 0
    distance = 6.5 + np.abs(points @ normal).max() - 6.0
    images = points - 2 * (points @ normal - distance)[:, None] * normal
    pairs = np.stack([seen(images), seen(points)], axis=1)
    pairs[0] = turned(pairs[0], turn * generator.choice([-1, 1]))
    pairs[0, 0] += farther * (pairs[0, 0] - pairs[0, 1])
    pairs = marked(pairs, noise, generator)
    given = [MirrorPair(f"{k}", near, far, k < 4) for k, (far, near) in enumerate(pairs)]
    if foot:
        return mirror_foot_consistency(given, noise=noise, **SETTINGS)
    return reflection_consistency(given, noise=noise, **SETTINGS)


def contour_scene(generator, *, turn, noise):
    """Two matt ellipsoids with sensor noise, one lit from ``turn`` degrees elsewhere."""
    rows, cols = np.mgrid[:300, :560].astype(float)
    picture, contours = np.full(rows.shape, 0.4), []
    bearing = generator.uniform(0, 360)
    for k, centre in enumerate(((150.0, 140.0), (150.0, 410.0))):
        half = generator.uniform(70, 110, 2)
        down, across = (rows - centre[0]) / half[0], (cols - centre[1]) / half[1]
        ahead = np.sqrt(np.maximum(1 - down**2 - across**2, 0)) / half.min()
        normal = np.stack([down / half[0], across / half[1], ahead])
        normal /= np.sqrt((normal**2).sum(0)) + 1e-12
        angle = np.radians(bearing + k * turn)
        light = np.array([-np.sin(angle), np.cos(angle), generator.uniform(-0.3, 0.8)])
        shade = 0.15 + 0.5 * np.maximum((normal * (light / np.linalg.norm(light))[:, None, None]).sum(0), 0)
        picture = np.where(down**2 + across**2 < 1, shade, picture)
        t = np.linspace(0, 2 * np.pi, 25)[:-1]
        outline = np.array(centre) + half * np.stack([-np.sin(t), np.cos(t)], axis=1)
        outline = marked(outline, noise, generator)
        contours.append(Contour(f"{k}", np.concatenate([outline, outline[:1]]), centre))
    picture = np.clip(picture + 0.01 * generator.standard_normal(picture.shape), 0.001, 0.99)
    return contour_light_consistency(picture, contours, noise=noise, runs=199)


PARTS = {
    **{f"shadows-{n}": [("6 shadows, one turned in the picture", shadow_scene, {"turn": t, "noise": n})
                        for t in TURNS] for n in (1, 2, 3)},
    "few": [("4 shadows, one turned in the picture", shadow_scene, {"turn": t, "noise": 2, "count": 4})
            for t in TURNS],
    "many": [("10 shadows, one turned in the picture", shadow_scene, {"turn": t, "noise": 2, "count": 10})
             for t in TURNS],
    "azimuth": [("6 shadows, one of a sun at another azimuth", shadow_scene, {"turn": 0, "noise": 2, "azimuth": t})
                for t in TURNS[1:]],
    "questioned": [("6 shadows, the turned one questioned", shadow_scene, {"turn": t, "noise": 2, "questioned": True})
                   for t in TURNS],
    "misjudged": [("6 shadows, noise stated as 2 px", shadow_scene, {"turn": 0, "noise": n, "stated": 2.0})
                  for n in (1, 3, 4)],
    "lines": [(f"5 lines and {c} of a sign, turned in the picture", line_scene, {"turn": t, "noise": 2, "count": c})
              for c in (1, 3) for t in TURNS],
    "horizon": [("3 directions, one climbing", horizon_scene, {"turn": t, "noise": 1}) for t in TURNS],
    "mirror": [("7 mirror pairs, one turned in the picture", mirror_scene, {"turn": t, "noise": 2}) for t in TURNS],
    "foot": [("7 mirror pairs, one image farther by the part given", mirror_scene,
              {"turn": 0, "noise": 2, "foot": True, "farther": f}) for f in (0.0, 0.1, 0.3)],
    "contours": [("2 outlines, one lit from elsewhere", contour_scene, {"turn": t, "noise": 1})
                 for t in (0, 10, 20, 45)],
}  # fmt: skip


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a rate."""
    middle = (hits + z * z / 2) / (total + z * z)
    half = z * np.sqrt(hits * (total - hits) / total + z * z / 4) / (total + z * z)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def measured(name, scene, options, scenes, seed):
    wrong = options.get("azimuth") or options.get("farther") or options["turn"]
    count, named, began = {"consistent": 0, "inconsistent": 0, "cannot tell": 0}, 0, time.process_time()
    # Of honest scenes twice as many: their rate of false alarms is small.
    total = scenes if wrong else 2 * scenes
    for k in range(total):
        verdict = scene(np.random.default_rng([seed, k, len(name)]), **options)
        count[str(verdict.label)] += 1
        named += "0" in verdict.clash
    low, high = wilson(count["inconsistent"], total)
    return {
        "scene": name, "noise": options["noise"], "wrong": wrong, "scenes": total, **count, "low": low, "high": high,
        "named": named, "seconds": (time.process_time() - began) / total,
    }  # fmt: skip


def table(rows) -> str:
    head = (
        "scene",
        "noise px",
        "wrong by",
        "scenes",
        "consistent",
        "cannot tell",
        "inconsistent",
        "95 %",
        "named",
    )
    body = [
        (
            row["scene"], f"{row['noise']:g}", f"{row['wrong']:g}", str(row["scenes"]),
            f"{row['consistent'] / row['scenes']:.3f}", f"{row['cannot tell'] / row['scenes']:.3f}",
            f"{row['inconsistent'] / row['scenes']:.3f}", f"{row['low']:.3f}-{row['high']:.3f}",
            f"{row['named'] / row['inconsistent']:.2f}" if row["named"] else "--",
        )
        for row in rows
    ]  # fmt: skip
    widths = [max(len(line[k]) for line in [head, *body]) for k in range(len(head))]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
        for line in [head, *body]
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--rows", type=Path, help="keep rows in this file, and print all it holds")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    rows = json.loads(wanted.rows.read_text()) if wanted.rows and wanted.rows.exists() else []
    for part in wanted.parts:
        for name, scene, options in PARTS[part]:
            rows.append(measured(name, scene, options, wanted.scenes, wanted.seed))
            if wanted.rows:
                wanted.rows.write_text(json.dumps(rows, indent=1))
    print(table(rows))


if __name__ == "__main__":
    main()
