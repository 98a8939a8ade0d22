"""Results as a PDF file, for the record: needs the extra ``forensix[pdf]``."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from forensix.errors import MissingExtra
from forensix.finding import Finding
from forensix.report import curves
from forensix.report.escape import printable
from forensix.report.facts import SILENCE, facts, flat, making
from forensix.report.pictures import Pictures
from forensix.report.words import support, times
from forensix.result import LABELS, ScanResult

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

TONES = ("#0b6b3a", "#7a5200", "#b3181b")
OUTLINES = {"source": "#00a844", "target": "#d50000", "tampered": "#d50000"}
# Points: A4 less the margins and the padding of its frame.
WIDTH, LARGEST_PICTURE, ABREAST = 468.0, 300.0, 3


def require() -> None:
    """Raise MissingExtra now rather than after a long scan."""
    try:
        import reportlab  # noqa: F401
    except ImportError as error:
        raise MissingExtra("PDF needs reportlab: pip install 'forensix[pdf]'") from error


def render(documents: Iterable[tuple[ScanResult, Pictures]]) -> bytes:
    """One PDF about one or more results, each from a new page on.

    Raises MissingExtra without reportlab. The built-in fonts know Latin-1 only: other
    characters are written as escapes.
    """
    require()
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import PageBreak, SimpleDocTemplate

    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=57, rightMargin=57, topMargin=50, bottomMargin=50, invariant=1,
        title="forensix report", author="forensix",
    )  # fmt: skip
    story: list[Flowable] = []
    for result, pictures in documents:
        story += [PageBreak()] if story else []
        story += _entry(result, pictures)
    document.build(story, onFirstPage=_foot, onLaterPages=_foot)
    return out.getvalue()


def _foot(canvas: Any, document: Any) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.drawRightString(57 + WIDTH, 28, f"forensix report, page {document.page}")


def _entry(result: ScanResult, pictures: Pictures) -> list[Flowable]:
    path = result.path if result.path is not None else "(not a file)"
    parts = [_text(path.replace("\\", "/").rsplit("/", 1)[-1], "Heading1")]
    if result.error is not None:
        message = f"This file could not be examined. {result.error['message']} ({result.error['type']})"
        parts.append(_text(message, colour=TONES[2]))
    else:
        parts += [_conclusion(result, question) for question in LABELS]
        parts += [_text(f"Warning: {warning}") for warning in result.evidence["warnings"]]
        parts += [_text(sentence) for sentence in pictures.missing]
        parts += _figures(result, pictures)
        parts += _findings(result)
    for title, rows in (("The file", facts(result)), ("How this was made", making(result))):
        parts += [_text(title, "Heading2"), _table(rows)]
    return parts


def _conclusion(result: ScanResult, question: str) -> Flowable:
    conclusion = result.conclusions[question]
    tone = TONES[LABELS[question].index(conclusion.label)]
    kind = f" ({conclusion.kind})" if conclusion.kind else ""
    weight = "No method could speak to this."
    if conclusion.log10_lr is not None:
        in_words = support(conclusion.log10_lr, question).capitalize()
        weight = f"{in_words} ({times(conclusion.log10_lr)}, log10 LR {conclusion.log10_lr:+.2f})."
    return _markup(
        f'<b>{question}: <font color="{tone}">{_safe(conclusion.label)}{_safe(kind)}</font></b><br/>'
        f'{_safe(conclusion.explanation)} <font color="#444444">{_safe(weight)}</font>'
    )


def _figures(result: ScanResult, pictures: Pictures) -> list[Flowable]:
    """The picture with the regions outlined, then the maps, a few abreast."""
    from reportlab.platypus import Table

    if pictures.photo is None and not pictures.layers:
        return []
    size = (result.evidence["width"], result.evidence["height"])
    parts: list[Flowable] = []
    if pictures.photo is not None:
        parts += [_figure(size, (WIDTH, LARGEST_PICTURE), photo=pictures.photo, findings=result.findings)]
        caption = "The picture as stored (an EXIF rotation is not applied), found regions outlined."
        parts += [_text(caption, colour="#444444")]
    small = WIDTH / ABREAST
    cells: list[Any] = [
        [_figure(size, (small - 6, small), photo=pictures.photo, layer=layer), _text(name, colour="#444444")]
        for name, layer in pictures.layers.items()
    ]
    cells += [""] * (-len(cells) % ABREAST)
    rows = [cells[start : start + ABREAST] for start in range(0, len(cells), ABREAST)]
    if rows:
        style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]
        parts.append(Table(rows, colWidths=[small] * ABREAST, hAlign="LEFT", style=style))
        parts.append(
            _text(
                "The maps over the picture. Blue: nothing found. Yellow to red: found. One scale for every picture."
            )
        )
    return parts


def _figure(
    size: tuple[int, int], within: tuple[float, float], *, photo: bytes | None, layer: bytes | None = None,
    findings: Iterable[Finding] = (),
) -> Flowable:  # fmt: skip
    """A photo with a layer and outlines over it, ``within`` so many points of width and height."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.utils import ImageReader
    from reportlab.platypus import Flowable as Base

    scale = min(within[0] / size[0], within[1] / size[1])

    class Figure(Base):
        def wrap(self, *_: float) -> tuple[float, float]:
            return size[0] * scale, size[1] * scale

        def draw(self) -> None:
            box = (0, 0, size[0] * scale, size[1] * scale)
            self.canv.setFillColor(HexColor("#808080"))
            self.canv.rect(*box, stroke=0, fill=1)
            for content in (photo, layer):
                if content is not None:
                    self.canv.drawImage(ImageReader(io.BytesIO(content)), *box, mask="auto")
            for finding in findings:
                for region in finding.regions:
                    top, left, rows, cols = region.box
                    self.canv.setStrokeColor(HexColor(OUTLINES[region.role]))
                    self.canv.rect(
                        left * scale, (size[1] - top - rows) * scale, cols * scale, rows * scale, fill=0
                    )

    return Figure()


def _findings(result: ScanResult) -> list[Flowable]:
    parts = [_text("What the methods found", "Heading2")]
    for finding in result.findings:
        if finding.score is None:
            continue
        weight = f", {support(finding.log10_lr, 'finding')}" if finding.log10_lr is not None else ""
        heading = f"<b>{_safe(finding.detector)}</b>: score {finding.score:.2f}{_safe(weight)}"
        parts.append(
            _markup(f"{heading}<br/>{_safe(finding.explanation)}<br/><i>{_safe(finding.reference)}</i>")
        )
        parts += _plots(finding)
        parts.append(_table(flat(curves.without_curves(finding.measurements)) + flat(finding.parameters)))
    silent = [f for f in result.findings if f.score is None]
    if silent:
        rows = [(f.detector, f"{SILENCE[f.status]}: {f.reason or f.explanation}") for f in silent]
        parts += [_text("What was silent, and why", "Heading2"), _table(rows)]
    return parts


def _plots(finding: Finding) -> list[Flowable]:
    """The finding's curves over the bands of reference pictures, a few abreast."""
    from reportlab.platypus import Table

    drawn = curves.plots(finding)
    if not drawn:
        return []
    small = WIDTH / ABREAST
    cells: list[Any] = [[_drawing(plot, small - 8), _text(f"{plot.title} ({plot.unit})")] for plot in drawn]
    cells += [""] * (-len(cells) % ABREAST)
    rows = [cells[start : start + ABREAST] for start in range(0, len(cells), ABREAST)]
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]
    told = (
        f"Red: this picture. Grey: 90 of 100 real photos, dashed their middle; dotted: a fitted law. Across: "
        f"{drawn[0].left:.2f} to {drawn[0].right:.2f} cycles per pixel."
    )
    return [
        Table(rows, colWidths=[small] * ABREAST, hAlign="LEFT", style=style),
        _text(told, colour="#444444"),
    ]


def _drawing(plot: curves.Plot, width: float) -> Flowable:
    from reportlab.graphics.shapes import Drawing, Line, Polygon, PolyLine
    from reportlab.lib.colors import HexColor

    scale = width / curves.WIDTH
    height = curves.HEIGHT * scale
    looks: dict[str, dict[str, Any]] = {
        "this picture": {"strokeColor": HexColor(TONES[2]), "strokeWidth": 1.2},
        "middle of photos": {
            "strokeColor": HexColor("#444444"),
            "strokeDashArray": [3, 2],
            "strokeWidth": 0.6,
        },
        "fitted law": {"strokeColor": HexColor("#444444"), "strokeDashArray": [1, 2], "strokeWidth": 0.8},
    }

    def flat_points(points: tuple[curves.Point, ...]) -> list[float]:
        return [v for x, y in points for v in (x * scale, height - y * scale)]

    out = Drawing(width, height)
    out.add(Polygon(flat_points(plot.band), fillColor=HexColor("#d5d8dc"), strokeColor=None))
    for name, points in plot.lines.items():
        out.add(PolyLine(flat_points(points), **looks[name]))
    out.add(Line(0, 0, width, 0, strokeWidth=0.5))
    out.add(Line(0, 0, 0, height, strokeWidth=0.5))
    return out


def _table(rows: list[tuple[str, str]]) -> Flowable:
    from reportlab.platypus import Spacer, Table

    if not rows:
        return Spacer(1, 4)
    # A row cannot be broken between pages; escapes make the longest of values longer still.
    cells = [[_text(name[:200], colour="#444444"), _text(printable(value)[:2500])] for name, value in rows]
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 0),
             ("BOTTOMPADDING", (0, 0), (-1, -1), 0), ("LEFTPADDING", (0, 0), (0, -1), 0)]  # fmt: skip
    return Table(cells, colWidths=[130, WIDTH - 130], hAlign="LEFT", style=style)


def _text(text: str, style: str = "BodyText", colour: str = "#000000") -> Flowable:
    return _markup(f'<font color="{colour}">{_safe(text)}</font>', style)


def _markup(markup: str, style: str = "BodyText") -> Flowable:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph

    chosen = getSampleStyleSheet()[style]
    chosen.splitLongWords = 1
    if style == "BodyText":
        chosen.fontSize, chosen.leading, chosen.spaceBefore = 9.5, 12.0, 4
    return Paragraph(markup, chosen)


def _safe(text: object) -> str:
    """Text for a paragraph: no markup, one line, only what the built-in fonts can draw."""
    return escape(printable(text).encode("cp1252", "backslashreplace").decode("cp1252"))
