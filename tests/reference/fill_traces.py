"""NumPy oracle for native.fill_traces, whole planes at a time. Imports nothing from forensix."""

import numpy as np


def fill_traces(rgb, darkest=3, brightest=252):
    rows, cols = (n // 4 * 4 for n in rgb.shape[:2])
    wide = np.pad(rgb.astype(np.float64), ((3, 3), (3, 3), (0, 0)), mode="edge")

    def at(plane, down, right, margin):
        """The plane moved, `margin` pixels narrower on every side."""
        return plane[
            margin + down : plane.shape[0] - margin + down, margin + right : plane.shape[1] - margin + right
        ]

    second = {-1: 1, 0: -2, 1: 1}
    mixed = sum(v * h * at(wide, i, j, 1) for i, v in second.items() for j, h in second.items())
    laplacian = sum(at(wide, i, j, 1) for i, j in ((-1, 0), (1, 0), (0, -1), (0, 1))) - 4 * at(wide, 0, 0, 1)
    x = (at(wide, 0, 1, 3) - at(wide, 0, -1, 3)) / 2
    y = (at(wide, 1, 0, 3) - at(wide, -1, 0, 3)) / 2
    lx = (at(laplacian, 0, 1, 2) - at(laplacian, 0, -1, 2)) / 2
    ly = (at(laplacian, 1, 0, 2) - at(laplacian, -1, 0, 2)) / 2
    slope = np.sqrt(x**2 + y**2) + 1e-3
    m, lap, here = at(mixed, 0, 0, 2), at(laplacian, 0, 0, 2), at(wide, 0, 0, 3)
    one = np.ones(3) / 3
    planes = [
        np.abs(m), np.abs(lap), m == 0, np.abs(m) <= 2, lap == 0,
        np.abs(-lx * y + ly * x) / slope, np.abs(lx * x + ly * y) / slope,
        np.abs(m[..., 0] - m[..., 1])[..., None] * one, np.abs(m[..., 1] - m[..., 2])[..., None] * one,
        np.abs(m.sum(axis=2))[..., None] * one,
        np.abs(at(wide, 0, -2, 3) - 2 * here + at(wide, 0, 2, 3))
        + np.abs(at(wide, -2, 0, 3) - 2 * here + at(wide, 2, 0, 3)),
        slope, np.abs(m + at(mixed, 0, -1, 2)) + np.abs(m + at(mixed, -1, 0, 2)),
        here, (here < darkest) | (here > brightest),
    ]  # fmt: skip
    cells = [p.astype(float)[:rows, :cols].reshape(rows // 4, 4, cols // 4, 4, 3) for p in planes]
    return np.stack([c.mean(axis=(1, 3, 4)) for c in cells], axis=-1)
