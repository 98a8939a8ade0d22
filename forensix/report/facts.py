"""What a report says about a result besides its pictures: rows of (name, value)."""

from __future__ import annotations

import json
import shlex
from typing import Any

from forensix.finding import Status
from forensix.report.words import size_in_words
from forensix.result import ScanResult

SILENCE = {
    Status.NOT_APPLICABLE: "does not apply",
    Status.FAILED: "failed",
    Status.RAN: "cannot tell",
}


def flat(values: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested measurements as (name, value) rows: {"a": {"b": 1}} is [("a.b", "1")]."""
    rows = []
    for name, value in values.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)))
    return rows


def facts(result: ScanResult) -> list[tuple[str, str]]:
    evidence = result.evidence
    known = [
        ("path", result.path),
        (
            "size",
            f"{size_in_words(evidence['size'])} ({evidence['size']} bytes)" if evidence["size"] else None,
        ),
        ("format", evidence["format"]),
        ("format by its name", evidence["claimed_format"]),
        ("picture", f"{evidence['width']} x {evidence['height']} px" if evidence["width"] else None),
        ("channels", evidence["channels"]),
        ("bits a channel", evidence["bit_depth"]),
        ("SHA-256", evidence["sha256"]),
        ("MD5", evidence["md5"]),
        ("SHA-256 of the pixels", evidence["pixel_sha256"]),
    ]
    return [(name, str(value)) for name, value in known if value is not None]


def making(result: ScanResult) -> list[tuple[str, str]]:
    tool = result.tool
    argv = " ".join(shlex.quote(word) for word in tool["argv"])
    return [
        ("tool", f"{tool['name']} {tool['version']}, Python {tool['python']}, on {tool['device']}"),
        ("started", f"{result.started}, took {result.seconds:.2f} s"),
        ("command", argv or "(used as a library)"),
        *flat(tool["config"]),
        *[(f"model {name}", digest) for name, digest in tool["models"].items()],
        ("libraries", ", ".join(f"{name} {version}" for name, version in tool["libraries"].items())),
    ]
