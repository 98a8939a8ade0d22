"""Light along outlines: do objects of one picture have the light from the same side?

On the outline of a smooth object the surface turns away at right angles to the view, so its
normal lies in the picture and is known. How bright a matt surface is along its outline then
gives the light's direction in the picture, by least squares with an ambient term [1]_.

What the model leaves out (gloss, a pattern on the surface, light from the neighbourhood)
counts as an error of the direction of its own, beside what noise of the points and of the
brightness makes of it.

References
----------
.. [1] M. Johnson and H. Farid, "Exposing digital forgeries by detecting inconsistencies in
   lighting", ACM Workshop on Multimedia and Security, 2005. DOI 10.1145/1073170.1073171
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from forensix.errors import PointsError
from forensix.geometry.agreement import NINE_IN_TEN, calibrated
from forensix.geometry.points import Contour, checked, checked_settings
from forensix.geometry.verdict import (
    ALARM,
    NOISE,
    RESOLUTION,
    RUNS,
    Label,
    Settings,
    Stroke,
    Verdict,
    listed,
    said_p,
)

REFERENCE = "Johnson, Farid 2005, 10.1145/1073170.1073171"
MODEL_ERROR = 5.0
RESAMPLED = 120
LEAST_SAMPLES = 20
LEAST_EXPLAINED = 0.3
DEPTH = 4.0
_ANGLES = np.radians(np.arange(360.0))


@dataclass(frozen=True, eq=False)
class ContourLight:
    """The light along one outline.

    bearing : degrees anticlockwise from the picture's right; 90 is from above
    spread : (R,) degrees, what resampling the outline and its brightness adds to it
    ambient, strength : of the least-squares fit, linear brightness 0 to 1
    explained : part of the brightness's variance that the fit explains
    samples : places along the outline that were used
    """

    bearing: float
    spread: np.ndarray
    ambient: float
    strength: float
    explained: float
    samples: int

    @property
    def cone(self) -> float:
        """Half the angle that holds 95 % of the resampled directions, in degrees."""
        return float(np.quantile(np.abs(self.spread), 0.95))


def linear_luma(rgb: np.ndarray) -> np.ndarray:
    """Linear brightness of an sRGB picture: (rows, cols, 3) uint8 to (rows, cols) float32, 0 to 1.

    NaN where a channel is saturated or black, so that its brightness is not known.
    """
    code = np.arange(256) / 255
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)
    luma: np.ndarray = linear[rgb] @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    luma[(rgb.max(2) >= 254) | (rgb.max(2) <= 1)] = np.nan
    return luma


def light_along(
    luma: np.ndarray, contour: Contour, *, noise: float = NOISE, resampled: int = RESAMPLED, seed: int = 0
) -> ContourLight | None:
    """Direction of the light along one outline; None where too little of it can be used.

    luma : (rows, cols) linear brightness, NaN where unknown
    noise : standard deviation of the outline's points, px
    The brightness is averaged over the first pixels inside the outline. Its points are
    moved by their noise, and blocks of neighbouring samples drawn anew, ``resampled`` times.
    """
    normals, values = _samples(luma, contour.points, contour.inside, noise)
    if len(values) < LEAST_SAMPLES:
        return None
    bearing, ambient, strength, explained = _fitted(normals, values)
    generator = np.random.default_rng(seed)
    spread = []
    for _ in range(resampled):
        moved = contour.points + noise * generator.standard_normal(contour.points.shape)
        n, v = _samples(luma, moved, contour.inside, noise)
        if len(v) < LEAST_SAMPLES:
            continue
        block = max(len(v) // 10, 1)
        first = generator.integers(0, len(v) - block + 1, size=-(-len(v) // block))
        drawn = (first[:, None] + np.arange(block)).ravel()
        spread.append(_apart(_fitted(n[drawn], v[drawn])[0], bearing))
    if len(spread) < resampled / 2:
        return None
    return ContourLight(bearing, np.array(spread), ambient, strength, explained, len(values))


def contour_light_consistency(
    luma: np.ndarray,
    contours: Sequence[Contour],
    *,
    noise: float = NOISE,
    runs: int = RUNS,
    alarm: float = ALARM,
    resolution: float = RESOLUTION,
    model_error: float = MODEL_ERROR,
    seed: int = 0,
) -> Verdict:
    """Test whether two or more outlines are lit from one direction in the picture.

    luma : (rows, cols) linear brightness (see :func:`linear_luma`), NaN where unknown
    model_error : standard deviation, in degrees, of what the model leaves out
    resolution : an outline whose 95 % cone is wider to either side is not used
    Other parameters and errors as in :func:`forensix.geometry.shadows.shadow_consistency`.

    References
    ----------
    .. [1] M. Johnson and H. Farid, ACM Workshop on Multimedia and Security, 2005.
       DOI 10.1145/1073170.1073171
    """
    items = checked(contours, (Contour,), "contours")
    luma = np.asarray(luma)
    if luma.ndim != 2:
        raise PointsError(f"brightness is (rows, cols), got shape {luma.shape}")
    checked_settings(noise, (luma.shape[0], luma.shape[1]), runs, alarm)
    if not (np.isfinite(model_error) and 0 <= model_error <= 90):
        raise PointsError(f"model_error is 0 to 90 degrees, got {model_error}")
    lights = {c.name: light_along(luma, c, noise=noise, seed=seed + k) for k, c in enumerate(items)}
    useless = {name: why for name, light in lights.items() if (why := _useless(light, resolution))}
    used = {name: light for name, light in lights.items() if light is not None and name not in useless}
    facts: dict[str, Any] = {
        "contours": {name: _facts(light) for name, light in lights.items()},
        "left_out": useless,
        "model_error_deg": model_error,
        "noise_px": noise,
    }
    tail = "".join(f"; {name} is left out ({why})" for name, why in useless.items())
    drawn = _strokes(items, lights)
    if len(used) < 2:
        text = f"It cannot be told: {len(used)} outline shows where its light comes from{tail}."
        return Verdict(
            "contour light", listed(list(lights)), Label.CANNOT_TELL, text,
            measurements=facts, reference=REFERENCE, strokes=drawn,
        )  # fmt: skip
    settings = Settings(None, noise, runs, alarm, resolution, seed)
    return _compared(used, facts, tail, drawn, settings=settings, model_error=model_error)


def _compared(
    used: dict[str, ContourLight],
    facts: dict[str, Any],
    tail: str,
    drawn: tuple[Stroke, ...],
    *,
    settings: Settings,
    model_error: float,
) -> Verdict:
    lights = list(used.values())
    errors = np.array(
        [np.hypot(max(float(np.sqrt(np.mean(light.spread**2))), 0.5), model_error) for light in lights]
    )
    bearings = np.array([light.bearing for light in lights])
    generator = np.random.default_rng(settings.seed)
    draws = []
    for _ in range(2):
        noise = np.stack([generator.choice(light.spread, settings.runs) for light in lights], axis=1)
        draws.append(_disagreement(noise + model_error * generator.standard_normal(noise.shape), errors))
    rates = calibrated(float(_disagreement(bearings[None], errors)[0]), draws[0], draws[1], settings.alarm)
    widest = max(abs(_apart(a, b)) for a in bearings for b in bearings)
    noticeable = float((np.sqrt(rates.critical) + NINE_IN_TEN) * np.hypot(*np.sort(errors)[-2:]))
    facts |= {
        "statistic": round(rates.statistic, 4),
        "critical": round(rates.critical, 4),
        "largest_difference_deg": round(widest, 2),
        "noticeable_turn_deg": round(noticeable, 1) if noticeable < 180 else None,
    }
    names, p = listed(list(used)), said_p(rates.p_value, settings.runs)
    if rates.disagrees:
        label, text = Label.INCONSISTENT, f"are lit from directions up to {widest:.0f} degrees apart ({p})"
    elif noticeable <= 90:
        label = Label.CONSISTENT
        text = (
            f"may be lit from one direction ({p}); {noticeable:.0f} degrees or more between them would have been "
            "noticed nine times in ten"
        )
    else:
        label, text = Label.CANNOT_TELL, f"may be lit from one direction ({p}), but it cannot be told"
    return Verdict(
        test="contour light",
        subject=names,
        label=label,
        explanation=f"{names} {text}{tail}.",
        p_value=rates.p_value,
        false_alarm={"asked": settings.alarm, "simulated": rates.alarm_rate, "runs": settings.runs},
        clash=tuple(used) if label is Label.INCONSISTENT and len(used) == 2 else (),
        measurements=facts,
        reference=REFERENCE,
        strokes=drawn,
    )


def _samples(
    luma: np.ndarray, points: np.ndarray, inside: np.ndarray, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Bearings of the outward normals, in radians, and brightness just inside, along an outline."""
    from scipy.interpolate import splev, splprep
    from scipy.ndimage import map_coordinates

    fresh = np.append(True, np.hypot(*np.diff(points, axis=0).T) > 1e-6)
    points = points[fresh]
    if len(points) < 5:
        return np.zeros(0), np.zeros(0)
    closed = bool(np.hypot(*(points[0] - points[-1])) < 1e-6)
    length = float(np.hypot(*np.diff(points, axis=0).T).sum())
    spline, _ = splprep(points.T, s=len(points) * noise**2, per=closed, k=3, quiet=2)
    where = np.linspace(0, 1, int(np.clip(length / 2, 40, 400)))
    row, col = splev(where, spline)
    along = np.array(splev(where, spline, der=1))
    size = np.hypot(*along)
    normal = np.array([-along[1], along[0]]) / np.maximum(size, 1e-12)
    outward = normal[0] * (row - inside[0]) + normal[1] * (col - inside[1])
    normal = normal * (1.0 if np.median(outward) > 0 else -1.0)
    depth = (1 + noise + np.arange(0, DEPTH))[:, None]
    at = np.array([row - depth * normal[0], col - depth * normal[1]])
    seen = map_coordinates(luma, at, order=1, mode="constant", cval=np.nan)
    known = np.isfinite(seen).all(0) & (size > 1e-9)
    return np.arctan2(-normal[0], normal[1])[known], seen.mean(0)[known]


def _fitted(normals: np.ndarray, values: np.ndarray) -> tuple[float, float, float, float]:
    """Bearing (degrees), ambient, strength and explained part of the least-squares light.

    Brightness is ambient + strength * max(0, cosine): Lambert's law with an ambient term,
    solved at every degree and refined by a parabola.
    """
    shape = np.maximum(np.cos(_ANGLES[:, None] - normals), 0)
    centred = shape - shape.mean(1, keepdims=True)
    power = (centred**2).mean(1)
    bright = values - values.mean()
    variance = float((bright**2).mean())
    slope = (centred * bright).mean(1) / np.maximum(power, 1e-9)
    gain = np.where(slope > 0, slope**2 * power, 0)
    best = int(np.argmax(gain))
    before, top, after = gain[best - 1], gain[best], gain[(best + 1) % 360]
    bend = before - 2 * top + after
    part = float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
    ambient = float(values.mean() - slope[best] * shape[best].mean())
    explained = float(top / variance) if variance > 1e-12 else 0.0
    return (best + part) % 360, ambient, float(slope[best]), explained


def _apart(one: float, other: float) -> float:
    """Signed difference of two bearings, -180 to 180 degrees."""
    return (one - other + 180) % 360 - 180


def _disagreement(bearings: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Least weighted sum of squares of (B, K) bearings about one common bearing."""
    common = np.arange(0, 360.0, 1.0)
    off = (bearings[:, None, :] - common[:, None] + 180) % 360 - 180
    weights = errors**-2.0
    best = np.argmin((off**2 * weights).sum(-1), axis=1)
    near = off[np.arange(len(off)), best]
    near = near - ((near * weights).sum(1) / weights.sum())[:, None]
    return np.asarray((near**2 * weights).sum(1))


def _useless(light: ContourLight | None, resolution: float) -> str:
    if light is None:
        return "too little of it can be used"
    if light.explained < LEAST_EXPLAINED:
        return f"one light explains {light.explained:.0%} of its brightness"
    return f"its light is known to {light.cone:.0f} degrees only" if light.cone > resolution else ""


def _facts(light: ContourLight | None) -> dict[str, Any] | None:
    if light is None:
        return None
    return {
        "bearing_deg": round(light.bearing, 2),
        "cone_deg": round(light.cone, 2),
        "ambient": round(light.ambient, 4),
        "strength": round(light.strength, 4),
        "explained": round(light.explained, 4),
        "samples": light.samples,
    }


def _strokes(items: list[Contour], lights: dict[str, ContourLight | None]) -> tuple[Stroke, ...]:
    strokes = []
    for contour in items:
        outline = tuple((float(r), float(c)) for r, c in contour.points)
        strokes += [Stroke("line", pair, "given") for pair in pairwise(outline)]
        strokes.append(Stroke("text", outline[:1], "given", contour.name))
        light = lights[contour.name]
        if light is None:
            continue
        middle, size = contour.points.mean(0), float(np.ptp(contour.points, axis=0).max())
        for turn, role in ((0.0, "fit"), (-light.cone, "region"), (light.cone, "region")):
            angle = np.radians(light.bearing + turn)
            end = middle + size * np.array([-np.sin(angle), np.cos(angle)])
            strokes.append(Stroke("line", (tuple(middle.tolist()), tuple(end.tolist())), role))
    return tuple(strokes)
