"""A pinhole camera and scenes with exact shadows, lines and mirror images; and brute-force
answers to what the geometric tests compute. Imports nothing from forensix."""

import numpy as np
from scipy.optimize import minimize_scalar

ROWS, COLS, FOCAL, HEIGHT = 800, 1200, 1000.0, 1.6


def seen(points):
    """(..., 3) right, up, ahead (metres; the ground is up = 0) to (..., 2) row, col."""
    points = np.asarray(points, dtype=float)
    row = ROWS / 2 - FOCAL * (points[..., 1] - HEIGHT) / points[..., 2]
    return np.stack([row, COLS / 2 + FOCAL * points[..., 0] / points[..., 2]], axis=-1)


def sun(azimuth, elevation):
    """Direction towards the sun; azimuth 0 is straight ahead, 180 behind the camera."""
    a, e = np.radians([azimuth, elevation])
    return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])


def light_seen(direction):
    """Homogeneous (row, col, w) of a direction, signed."""
    right, up, ahead = direction
    return np.array([ROWS / 2 * ahead - FOCAL * up, COLS / 2 * ahead + FOCAL * right, ahead])


def shadow_of(points, direction):
    """Where points of the scene cast their shadow on the ground."""
    points = np.asarray(points, dtype=float)
    return points - direction * (points[..., 1:2] / direction[1])


def posts(count, direction, generator, turned=()):
    """(count, 2, 2) tops and shadows, in the picture, of posts on the ground.

    turned : degrees by which the sun's azimuth is wrong, for the first posts
    Posts whose shadow is short in the picture, or behind the camera, are drawn again.
    """
    pairs = []
    while len(pairs) < count:
        turn = np.radians(turned[len(pairs)] if len(pairs) < len(turned) else 0.0)
        top = np.array([generator.uniform(-3, 3), generator.uniform(0.5, 2), generator.uniform(5, 12)])
        c, s = np.cos(turn), np.sin(turn)
        own = np.array(
            [c * direction[0] + s * direction[2], direction[1], c * direction[2] - s * direction[0]]
        )
        foot = shadow_of(top, own)
        if foot[2] < 2:
            continue
        pair = seen([top, foot])
        if np.hypot(*(pair[0] - pair[1])) > 60 and np.abs(pair[1] - 500).max() < 1200:
            pairs.append(pair)
    return np.array(pairs)


def mirrored(points, normal, distance):
    """Points behind the mirror ``normal . x = distance``."""
    points = np.asarray(points, dtype=float)
    return points - 2 * (points @ normal - distance)[..., None] * normal


def cost_of_lines(pairs, sigma, place):
    """Least sum of squared moves / sigma^2 that puts the line of each pair through ``place``."""
    total = 0.0
    for a, b in np.asarray(pairs, dtype=float):

        def moves(angle, a=a, b=b):
            normal = np.array([np.cos(angle), np.sin(angle)])
            return ((a - place) @ normal) ** 2 + ((b - place) @ normal) ** 2

        angles = np.linspace(0, np.pi, 181)
        near = min(angles, key=moves)
        total += minimize_scalar(moves, bounds=(near - 0.02, near + 0.02), options={"xatol": 1e-9}).fun
    return total / sigma**2


def least_disc(p, s, place):
    """Least radius about p and s that lets a ray from the one disc through the other reach ``place``.

    By trying lines through ``place``; for places beyond the object.
    """
    angles = np.linspace(0, np.pi, 20001)
    normal = np.stack([np.cos(angles), np.sin(angles)])
    return float(np.min(np.maximum(np.abs((p - place) @ normal), np.abs((s - place) @ normal))))
