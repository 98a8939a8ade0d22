"""Assisted geometry: tests of shadows, lines, mirror images and light on points that an analyst marks.

They ask of the scene what no recompression or screenshot takes away: one light casts all
shadows, parallel edges meet in one vanishing point, a flat mirror shows every point at the
same distance behind it, and outlines are lit from one side. Every test gives a
:class:`~forensix.geometry.verdict.Verdict`: consistent, inconsistent, or cannot tell, with
a p-value under the stated noise of the points and a simulated false-alarm rate.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensix.geometry.contour_light import contour_light_consistency, light_along, linear_luma
    from forensix.geometry.document import MarkedPoints, geometry_schema, points_schema, read_points
    from forensix.geometry.drawing import draw_png, draw_svg
    from forensix.geometry.examination import examine_points, overall
    from forensix.geometry.horizon import horizon_consistency
    from forensix.geometry.points import AttachedShadow, CastShadow, Contour, Direction, MirrorPair
    from forensix.geometry.reflections import halfway, mirror_foot_consistency, reflection_consistency
    from forensix.geometry.shadows import shadow_consistency
    from forensix.geometry.vanishing import same_direction, vanishing_point
    from forensix.geometry.verdict import Label, Stroke, Verdict

_HOMES = {
    "AttachedShadow": "points",
    "CastShadow": "points",
    "Contour": "points",
    "Direction": "points",
    "Label": "verdict",
    "MarkedPoints": "document",
    "MirrorPair": "points",
    "Stroke": "verdict",
    "Verdict": "verdict",
    "contour_light_consistency": "contour_light",
    "draw_png": "drawing",
    "draw_svg": "drawing",
    "examine_points": "examination",
    "geometry_schema": "document",
    "halfway": "reflections",
    "horizon_consistency": "horizon",
    "light_along": "contour_light",
    "linear_luma": "contour_light",
    "mirror_foot_consistency": "reflections",
    "overall": "examination",
    "points_schema": "document",
    "read_points": "document",
    "reflection_consistency": "reflections",
    "same_direction": "vanishing",
    "shadow_consistency": "shadows",
    "vanishing_point": "vanishing",
}

__all__ = [
    "AttachedShadow",
    "CastShadow",
    "Contour",
    "Direction",
    "Label",
    "MarkedPoints",
    "MirrorPair",
    "Stroke",
    "Verdict",
    "contour_light_consistency",
    "draw_png",
    "draw_svg",
    "examine_points",
    "geometry_schema",
    "halfway",
    "horizon_consistency",
    "light_along",
    "linear_luma",
    "mirror_foot_consistency",
    "overall",
    "points_schema",
    "read_points",
    "reflection_consistency",
    "same_direction",
    "shadow_consistency",
    "vanishing_point",
]


def __getattr__(name: str) -> Any:
    """Public names load on first use, as those of the package do."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
