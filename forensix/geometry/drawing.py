"""The marked points, the wedges and what follows from them, drawn over the picture."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from forensix.geometry.verdict import Stroke, Verdict

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST = 1600
COLOURS = {
    "given": (0, 114, 178),
    "clash": (213, 0, 0),
    "region": (0, 158, 115),
    "fit": (230, 159, 0),
    "muted": (150, 150, 150),
}


@dataclass(frozen=True)
class Canvas:
    """The part of the plane that is drawn: top, left, bottom, right in picture pixels."""

    top: float
    left: float
    bottom: float
    right: float
    scale: float

    @classmethod
    def around(cls, strokes: Sequence[Stroke], shape: tuple[int, int] | None) -> Canvas:
        """The picture, or the marked points, and half its size more where estimates lie there."""
        marked = np.array([p for s in strokes if s.role in ("given", "clash") for p in s.points[:1]])
        marked = marked.reshape(-1, 2)
        if shape is not None:
            low, high = np.zeros(2), np.array(shape, dtype=float)
        elif len(marked):
            low, high = marked.min(0), marked.max(0)
            pad = 0.1 * max(float((high - low).max()), 10.0)
            low, high = low - pad, high + pad
        else:
            low, high = np.zeros(2), np.full(2, 100.0)
        size = high - low
        fits = [p for s in strokes if s.role == "fit" and s.kind == "point" for p in s.points]
        for p in [*fits, *marked]:
            if (p > low - size / 2).all() and (p < high + size / 2).all():
                low, high = np.minimum(low, np.array(p) - 10), np.maximum(high, np.array(p) + 10)
        scale = min(1.0, LONGEST / float((high - low).max()))
        return cls(float(low[0]), float(low[1]), float(high[0]), float(high[1]), scale)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the drawing."""
        rows, cols = (self.bottom - self.top) * self.scale, (self.right - self.left) * self.scale
        return max(round(rows), 1), max(round(cols), 1)

    def place(self, point: Sequence[float]) -> tuple[float, float]:
        """(x, y) in the drawing."""
        return round((point[1] - self.left) * self.scale, 1), round((point[0] - self.top) * self.scale, 1)

    def clipped(self, start: Sequence[float], end: Sequence[float]) -> list[tuple[float, float]]:
        """The part of a line on the canvas (Liang and Barsky): two points, or none."""
        t0, t1 = 0.0, 1.0
        for k, low, high in ((0, self.top, self.bottom), (1, self.left, self.right)):
            step = end[k] - start[k]
            for push, room in ((-step, start[k] - low), (step, high - start[k])):
                if push == 0:
                    if room < 0:
                        return []
                elif push < 0:
                    t0 = max(t0, room / push)
                else:
                    t1 = min(t1, room / push)
        if t0 > t1:
            return []
        return [self.place([start[k] + t * (end[k] - start[k]) for k in (0, 1)]) for t in (t0, t1)]

    def cut(self, corners: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
        """The part of a polygon on the canvas (Sutherland and Hodgman)."""
        ring = [tuple(corner) for corner in corners]
        for k, bound, sign in (
            (0, self.top, 1),
            (0, self.bottom, -1),
            (1, self.left, 1),
            (1, self.right, -1),
        ):
            kept = []
            for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
                one, other = sign * (a[k] - bound), sign * (b[k] - bound)
                if one >= 0:
                    kept.append(a)
                if one * other < 0:
                    t = one / (one - other)
                    kept.append(tuple(p + t * (q - p) for p, q in zip(a, b, strict=True)))
            ring = kept
        return [self.place(point) for point in ring]


def strokes_of(verdicts: Sequence[Verdict]) -> list[Stroke]:
    """What to draw, areas first, so that nothing marked is hidden."""
    strokes = [stroke for verdict in verdicts for stroke in verdict.strokes]
    return sorted(strokes, key=lambda s: ("polygon", "ray", "line", "point", "text").index(s.kind))


def draw_png(
    verdicts: Sequence[Verdict], *, rgb: np.ndarray | None, shape: tuple[int, int] | None = None
) -> bytes:
    """A PNG of the verdicts' points, wedges and regions.

    rgb : (rows, cols, 3) uint8 to draw over; white, of ``shape`` or the points' extent, if None
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    strokes = strokes_of(verdicts)
    canvas = Canvas.around(strokes, rgb.shape[:2] if rgb is not None else shape)
    rows, cols = canvas.size
    sheet = Pillow.new("RGB", (cols, rows), "white")
    if rgb is not None:
        left, top = canvas.place((0, 0))
        sheet.paste(_scaled(rgb, canvas.scale), (round(left), round(top)))
    pen = ImageDraw.Draw(sheet, "RGBA")
    for stroke in strokes:
        colour = COLOURS[stroke.role]
        for kind, points in _shapes(stroke, canvas):
            if kind == "polygon":
                pen.polygon(points, fill=(*colour, 70), outline=(*colour, 255))
            elif kind == "line":
                thin = stroke.kind == "ray" or stroke.role == "muted"
                pen.line(points, fill=(*colour, 130 if thin else 255), width=1 if thin else 3)
            elif kind == "point":
                (x, y), r = points[0], 7 if stroke.role == "fit" else 4
                pen.ellipse((x - r, y - r, x + r, y + r), fill=(*colour, 255), outline="white")
            if stroke.text and kind in ("text", "point"):
                at = (points[0][0] + 8, points[0][1] - 6)
                text = stroke.text.encode("latin-1", "replace").decode("latin-1")
                pen.text(at, text, fill=(*colour, 255), stroke_width=2, stroke_fill="white")
    out = BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def draw_svg(
    verdicts: Sequence[Verdict], *, rgb: np.ndarray | None, shape: tuple[int, int] | None = None
) -> bytes:
    """The same as an SVG, the picture inside it as a JPEG."""
    strokes = strokes_of(verdicts)
    canvas = Canvas.around(strokes, rgb.shape[:2] if rgb is not None else shape)
    rows, cols = canvas.size
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{cols}" height="{rows}" viewBox="0 0 {cols} {rows}">',
        f'<rect width="{cols}" height="{rows}" fill="white"/>',
    ]
    if rgb is not None:
        small = _scaled(rgb, canvas.scale)
        out = BytesIO()
        small.save(out, "JPEG", quality=85)
        (x, y), data = canvas.place((0, 0)), b64encode(out.getvalue()).decode("ascii")
        size = f'width="{small.width}" height="{small.height}"'
        parts.append(f'<image x="{x}" y="{y}" {size} href="data:image/jpeg;base64,{data}"/>')
    for stroke in strokes:
        colour = "#{:02x}{:02x}{:02x}".format(*COLOURS[stroke.role])
        for kind, points in _shapes(stroke, canvas):
            ring = " ".join(f"{x},{y}" for x, y in points)
            if kind == "polygon":
                parts.append(
                    f'<polygon points="{ring}" fill="{colour}" fill-opacity="0.3" stroke="{colour}"/>'
                )
            elif kind == "line":
                thin = stroke.kind == "ray" or stroke.role == "muted"
                look = 'stroke-opacity="0.5" stroke-width="1"' if thin else 'stroke-width="3"'
                parts.append(f'<polyline points="{ring}" fill="none" stroke="{colour}" {look}/>')
            elif kind == "point":
                x, y = points[0]
                r = 7 if stroke.role == "fit" else 4
                parts.append(f'<circle cx="{x}" cy="{y}" r="{r}" fill="{colour}" stroke="white"/>')
            if stroke.text and kind in ("text", "point"):
                x, y = points[0]
                look = f'fill="{colour}" stroke="white" stroke-width="3" paint-order="stroke" font-family="sans-serif"'
                parts.append(
                    f'<text x="{x + 8}" y="{y - 6}" font-size="14" {look}>{_clean(stroke.text)}</text>'
                )
    return ("\n".join([*parts, "</svg>"]) + "\n").encode("utf-8", "replace")


def _clean(text: str) -> str:
    return escape("".join(c if c.isprintable() else "?" for c in text))


def _scaled(rgb: np.ndarray, scale: float) -> Image:
    from PIL import Image as Pillow

    picture = Pillow.fromarray(np.ascontiguousarray(rgb))
    if scale == 1.0:
        return picture
    size = max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)
    return picture.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=2.0)


def _shapes(stroke: Stroke, canvas: Canvas) -> list[tuple[str, list[tuple[float, float]]]]:
    """What of a stroke is on the canvas, in its coordinates."""
    points = stroke.points
    if stroke.kind == "polygon":
        ring = canvas.cut(points)
        return [("polygon", ring)] if len(ring) > 2 else []
    if stroke.kind in ("line", "ray"):
        start, end = points[0], points[1]
        if stroke.kind == "ray":
            step = [end[k] - start[k] for k in (0, 1)]
            far = (
                4
                * (canvas.bottom - canvas.top + canvas.right - canvas.left)
                / max(float(np.hypot(step[0], step[1])), 1e-9)
            )
            end = (start[0] + far * step[0], start[1] + far * step[1])
        line = canvas.clipped(start, end)
        return [("line", line)] if line else []
    inside = canvas.top <= points[0][0] <= canvas.bottom and canvas.left <= points[0][1] <= canvas.right
    return [(stroke.kind, [canvas.place(points[0])])] if inside else []
