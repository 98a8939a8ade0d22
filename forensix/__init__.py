"""Classical image forensics with stated error rates.

>>> import forensix
>>> result = forensix.scan("image.jpg")           # doctest: +SKIP
>>> result.conclusions["integrity"].label         # doctest: +SKIP
'inconsistent'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from forensix._version import __version__

if TYPE_CHECKING:
    from forensix import detectors
    from forensix.evidence import Evidence
    from forensix.evidence import open_evidence as open
    from forensix.finding import Finding
    from forensix.result import ScanResult
    from forensix.scanner import scan

__all__ = ["Evidence", "Finding", "ScanResult", "__version__", "detectors", "open", "scan"]

_HOMES = {
    "Evidence": ("forensix.evidence", "Evidence"),
    "Finding": ("forensix.finding", "Finding"),
    "ScanResult": ("forensix.result", "ScanResult"),
    "open": ("forensix.evidence", "open_evidence"),
    "scan": ("forensix.scanner", "scan"),
}


def __getattr__(name: str) -> Any:
    """Public names load on first use, so that ``import forensix`` stays quick."""
    if name == "detectors":
        return import_module("forensix.detectors")
    if name in _HOMES:
        module, attribute = _HOMES[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'forensix' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
