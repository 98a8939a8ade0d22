"""The scan document: everything a report may say, and nothing else.

``ScanResult`` is what a scan returns and what ``--format json`` writes. Its JSON form
follows the schema in ``forensix/schema/scan-1.json``; reading it back gives an equal
object, so a report can be drawn years later without running anything again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from forensix.errors import DocumentError, ParameterError
from forensix.finding import Finding, Heatmap, plain

SCHEMA = "forensix.scan/1"

LABELS = {
    "integrity": ("consistent", "inconclusive", "inconsistent"),
    "origin": ("camera", "inconclusive", "synthetic"),
    "history": ("original", "inconclusive", "resaved"),
}
KINDS = ("copy-move", "splicing", "removal", None)


@dataclass(frozen=True)
class Conclusion:
    """The answer to one of the three questions.

    label : see LABELS; the middle one means that it cannot be told
    score : 0 to 1; None when no method could speak to the question
    log10_lr : -4 to 4, or None with the score
    kind : for integrity only: what was done, where a method tells
    because : the detectors the label rests on, strongest first
    """

    label: str
    score: float | None = None
    log10_lr: float | None = None
    kind: str | None = None
    because: tuple[str, ...] = ()
    explanation: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "score": self.score,
            "log10_lr": self.log10_lr,
            "kind": self.kind,
            "because": list(self.because),
            "explanation": self.explanation,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Conclusion:
        return cls(**{**document, "because": tuple(document["because"])})


@dataclass(frozen=True)
class ScanResult:
    """One file, scanned: the findings, the three conclusions, and how they were made.

    evidence, tool : the parts of the document of that name, as plain dictionaries
    maps : file names of the maps written for this result, by detector, "fused", "mask"
    heatmaps : the maps in memory, of a scan just made; not part of the document
    """

    tool: Mapping[str, Any]
    evidence: Mapping[str, Any]
    conclusions: Mapping[str, Conclusion]
    findings: tuple[Finding, ...] = ()
    error: Mapping[str, str] | None = None
    maps: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    started: str = ""
    heatmaps: Mapping[str, Heatmap] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tool", plain(self.tool))
        object.__setattr__(self, "evidence", plain(self.evidence))
        object.__setattr__(self, "findings", tuple(self.findings))
        if set(self.conclusions) != set(LABELS):
            raise ParameterError(f"a result has the conclusions {', '.join(LABELS)}")
        for question, conclusion in self.conclusions.items():
            if conclusion.label not in LABELS[question]:
                raise ParameterError(f"{question} is one of {LABELS[question]}, got {conclusion.label!r}")

    @property
    def status(self) -> str:
        return "ok" if self.error is None else "error"

    @property
    def path(self) -> str | None:
        path: str | None = self.evidence.get("path")
        return path

    @property
    def stem(self) -> str:
        """Start of the names of this result's map files; unique to the file's content."""
        name = Path(os.path.basename(self.path or "")).stem or "image"
        safe = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in name)
        # File systems allow 255 bytes in a name; a map adds hash, detector and suffix.
        safe = safe.encode("utf-8", "replace")[:120].decode("utf-8", "ignore")
        return f"{safe}.{self.evidence['sha256'][:8]}"

    def with_(self, **changes: Any) -> ScanResult:
        """A copy with some fields replaced."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "tool": dict(self.tool),
            "evidence": dict(self.evidence),
            "status": self.status,
            "error": dict(self.error) if self.error else None,
            "conclusions": {name: self.conclusions[name].to_dict() for name in LABELS},
            "findings": [finding.to_dict() for finding in self.findings],
            "maps": dict(self.maps),
            "seconds": self.seconds,
            "started": self.started,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> ScanResult:
        """Read a document; DocumentError when it is not one of this schema."""
        if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
            found = document.get("schema") if isinstance(document, Mapping) else type(document).__name__
            raise DocumentError(f"not a {SCHEMA} document (schema: {found!r})")
        try:
            return cls(
                tool=document["tool"],
                evidence=document["evidence"],
                conclusions={k: Conclusion.from_dict(v) for k, v in document["conclusions"].items()},
                findings=tuple(Finding.from_dict(finding) for finding in document["findings"]),
                error=document["error"],
                maps=document["maps"],
                seconds=document["seconds"],
                started=document["started"],
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DocumentError(f"not a complete scan document: {error!r}") from error

    def to_json(self, *, indent: int | None = 2) -> str:
        """ASCII JSON; a file name that is not UTF-8 survives as surrogate escapes."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> ScanResult:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DocumentError(f"not JSON: {error}") from error
        return cls.from_dict(document)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the document as JSON, whole or not at all."""
        target = Path(path)
        partial = target.with_name(target.name + ".partial")
        partial.write_text(self.to_json() + "\n", encoding="ascii")
        partial.replace(target)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ScanResult:
        """Read a saved document; DocumentError when there is none to read."""
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            raise DocumentError(f"cannot read {os.fspath(path)!r}: {error.strerror}") from error
        return cls.from_json(text)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the scan document."""
    text = resources.files("forensix.schema").joinpath("scan-1.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
