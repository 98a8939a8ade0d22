"""Make the example of geometry.rst: ``python docs/geometry_example.py``.

A street with posts whose shadows are exact, one of them of another sun; the points, marked
with noise; and what ``forensix geometry`` draws.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from forensix.geometry import draw_png, examine_points, read_points

HERE = Path(__file__).parent
ROWS, COLS, FOCAL, HEIGHT = 540, 810, 700.0, 1.7
HORIZON = 180
SUN, PASTED = (145.0, 32.0), (165.0, 32.0)  # azimuth (0 is ahead) and elevation, degrees
POSTS = [
    (-2.3, 1.5, 6.0),
    (-1.1, 1.2, 8.5),
    (0.4, 1.6, 6.6),
    (1.5, 1.1, 9.5),
    (1.9, 1.4, 6.2),
    (-0.5, 1.3, 12.0),
]


def seen(point):
    """Row and column of a point (right, up, ahead) in metres; the ground is up = 0."""
    right, up, ahead = point
    return np.array([HORIZON - FOCAL * (up - HEIGHT) / ahead, COLS / 2 + FOCAL * right / ahead])


def shadow(top, sun):
    """Where the top of a post casts its shadow on the ground."""
    azimuth, elevation = np.radians(sun)
    reach = top[1] / np.tan(elevation)
    return np.array([top[0] - reach * np.sin(azimuth), 0.0, top[2] - reach * np.cos(azimuth)])


def render():
    """The picture as an array, and tops and shadow tips of the posts, (6, 2, 2)."""
    sheet = Image.new("RGB", (COLS, ROWS), (150, 182, 214))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((0, HORIZON, COLS, ROWS), fill=(172, 164, 150))
    pairs = []
    for k, top in enumerate(POSTS):
        foot = (top[0], 0.0, top[2])
        tip = shadow(top, PASTED if k == 0 else SUN)
        pairs.append((seen(top), seen(tip)))
        pen.line([tuple(seen(foot)[::-1]), tuple(seen(tip)[::-1])], fill=(96, 92, 88), width=5)
    for top in sorted(POSTS, key=lambda post: -post[2]):
        pen.line(
            [tuple(seen((top[0], 0.0, top[2]))[::-1]), tuple(seen(top)[::-1])], fill=(70, 52, 40), width=7
        )
    return np.array(sheet), np.array(pairs)


def main() -> None:
    picture, pairs = render()
    marked = pairs + np.random.default_rng(4).normal(0, 1.0, pairs.shape)
    document = {
        "schema": "forensix.points/1",
        "noise": 1.0,
        "shadows": [
            {"name": f"post {k}", "object": [top.round(1).tolist()], "shadow": [tip.round(1).tolist()]}
            for k, (top, tip) in enumerate(marked, 1)
        ],
    }
    text = json.dumps(document, indent=2)
    points = read_points(text)
    verdicts = examine_points(points)
    print(text)
    for verdict in verdicts:
        print(verdict.label, verdict.explanation)
    (HERE / "images" / "geometry-shadows.png").write_bytes(draw_png(verdicts, rgb=picture))


if __name__ == "__main__":
    main()
