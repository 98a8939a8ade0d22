"""Results as one self-contained HTML page: nothing is fetched, nothing is sent."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from forensix.finding import Finding, Region
from forensix.report import curves
from forensix.report.escape import printable
from forensix.report.facts import SILENCE, facts, flat, making
from forensix.report.pictures import Pictures
from forensix.report.words import support, times
from forensix.result import LABELS, ScanResult

if TYPE_CHECKING:
    from jinja2 import Environment

# A page stays usable: of more regions than this only the largest are drawn and listed.
REGIONS = 100
TONES = ("calm", "open", "alarm")


def render(documents: Iterable[tuple[ScanResult, Pictures]]) -> str:
    """One page about one or more results.

    documents : each result with its pictures; ``Pictures()`` shows none

    The page holds its pictures, styles and script; its content policy forbids it to load
    anything else. Everything that comes from a file is escaped.
    """
    entries = [_entry(number, *document) for number, document in enumerate(documents, 1)]
    style, script = _template("page.css"), _template("page.js")
    return _environment().get_template("page.html").render(
        entries=entries,
        style=style,
        script=script,
        style_hash=_policy_hash(style),
        script_hash=_policy_hash(script),
        titles=LABELS,
        points=curves.as_text,
        plot_size=(curves.WIDTH, curves.HEIGHT),
    )  # fmt: skip


def _entry(number: int, result: ScanResult, pictures: Pictures) -> dict[str, Any]:
    """What the template needs of one result, in the order of the page."""
    path = result.path if result.path is not None else "(not a file)"
    return {
        "id": f"file-{number}",
        "result": result,
        "evidence": result.evidence,
        "path": path,
        "name": path.replace("\\", "/").rsplit("/", 1)[-1] or path,
        "conclusions": [_conclusion(result, question) for question in LABELS],
        "spoke": [_finding(finding) for finding in result.findings if finding.speaks],
        "silent": [_finding(finding) for finding in result.findings if not finding.speaks],
        "pictures": pictures,
        "photo": _data_uri("jpeg", pictures.photo) if pictures.photo else None,
        "layers": {name: _data_uri("png", png) for name, png in pictures.layers.items()},
        "regions": _regions(result),
        "facts": facts(result),
        "making": making(result),
    }


def _conclusion(result: ScanResult, question: str) -> dict[str, Any]:
    conclusion = result.conclusions[question]
    ratio = None
    if conclusion.log10_lr is not None:
        ratio = f"{times(conclusion.log10_lr)}, log10 LR {conclusion.log10_lr:+.2f}"
    return {
        "question": question,
        "label": conclusion.label,
        "tone": TONES[LABELS[question].index(conclusion.label)],
        "kind": conclusion.kind,
        "explanation": conclusion.explanation,
        "because": conclusion.because,
        "support": support(conclusion.log10_lr, question),
        "ratio": ratio,
        "score": conclusion.score,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    weight = None
    if finding.log10_lr is not None:
        weight = f"{support(finding.log10_lr, 'finding')} ({times(finding.log10_lr)} as likely)"
    return {
        "finding": finding,
        "silence": SILENCE[finding.status],
        "said": finding.reason or finding.explanation,
        "weight": weight,
        "measurements": flat(curves.without_curves(finding.measurements)),
        "plots": curves.plots(finding),
        "parameters": flat(finding.parameters),
        "regions": sorted(finding.regions, key=lambda region: -region.area)[:REGIONS],
    }


def _regions(result: ScanResult) -> list[tuple[Region, str]]:
    """The regions to draw, each with its detector; the largest first."""
    drawn = [(region, finding.detector) for finding in result.findings for region in finding.regions]
    return sorted(drawn, key=lambda pair: -pair[0].area)[:REGIONS]


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _policy_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _template(name: str) -> str:
    return resources.files("forensix.report").joinpath("templates", name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    # Autoescaping guards the markup; finalize guards the reader against direction overrides
    # and bytes that are no text, and lets every value be written as UTF-8.
    return Environment(
        loader=FunctionLoader(_template), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_shown,
    )  # fmt: skip


def _shown(value: Any) -> Any:
    return printable(value) if type(value) is str else value
