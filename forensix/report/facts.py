"""What a report says about a result besides its pictures: rows of (name, value)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from forensix.finding import Status
from forensix.report.words import size_in_words
from forensix.result import ScanResult

LONGEST = 1000
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
            rows.append((f"{prefix}{name}", _cut(value if isinstance(value, str) else json.dumps(value))))
    return rows


def _cut(text: str) -> str:
    """A value of a length that a table can take."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]} ... ({len(text)} characters; the document has all)"


def outline(known: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[int, str, str]]:
    """Nested facts as (depth, name, value) lines for a reader.

    A list of mappings is a line for each, numbered; a table of numbers is a line a row.
    """
    for name, value in known.items():
        if isinstance(value, Mapping) and value:
            yield depth, name, ""
            yield from outline(value, depth + 1)
        elif isinstance(value, list) and value and isinstance(value[0], (Mapping, list)):
            yield depth, name, ""
            for number, entry in enumerate(value, 1):
                yield from _listed(number, entry, depth + 1)
        else:
            yield depth, name, _plainly(value)


def _listed(number: int, entry: Any, depth: int) -> Iterator[tuple[int, str, str]]:
    if not isinstance(entry, Mapping):
        yield depth, "", _plainly(entry)
        return
    tables = {name: value for name, value in entry.items() if _is_table(value)}
    short = [f"{name} {_plainly(value)}" for name, value in entry.items() if name not in tables]
    yield depth, str(number), ", ".join(short)
    for table in tables.values():
        widest = max(len(str(cell)) for row in table for cell in row)
        for row in table:
            yield depth, "", " ".join(f"{cell!s:>{widest}}" for cell in row)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, list) and row for row in value)


def _plainly(value: Any) -> str:
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_plainly(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)


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
    return [(name, _cut(str(value))) for name, value in known if value is not None]


def making(result: ScanResult) -> list[tuple[str, str]]:
    tool = result.tool
    argv = " ".join(shlex.quote(word) for word in tool["argv"])
    return [
        ("tool", f"{tool['name']} {tool['version']}, Python {tool['python']}, on {tool['device']}"),
        ("started", f"{result.started}, took {result.seconds:.2f} s"),
        ("command", _cut(argv) or "(used as a library)"),
        *flat(tool["config"]),
        *[(f"model {name}", digest) for name, digest in tool["models"].items()],
        ("libraries", ", ".join(f"{name} {version}" for name, version in tool["libraries"].items())),
    ]
