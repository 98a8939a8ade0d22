"""Dependencies point one way; an import against the arrows fails here."""

import ast
from pathlib import Path

import pytest

import forensix

ROOT = Path(forensix.__file__).parent

BASE = {"errors"}
FOUND = BASE | {"finding"}
SIGNAL = BASE | {"native"}
SEEN = SIGNAL | {"signal"}
DETECTS = SEEN | FOUND | {"evidence"}
JUDGES = FOUND | {"result", "detectors", "models"}
SCANS = DETECTS | JUDGES | {"fusion", "_version"}
BATCHES = SCANS | {"scanner"}

MAY_IMPORT = {
    "errors": set(),
    "_version": set(),
    "schema": set(),
    "models": set(),
    "native": BASE,
    "signal": SIGNAL,
    "evidence": SEEN,
    "finding": BASE,
    "result": FOUND | {"schema"},
    "report": FOUND | {"result"},
    "detectors": DETECTS | {"models"},
    "fusion": JUDGES | {"signal"},
    "geometry": SEEN | FOUND | {"schema"},
    "forgery": SEEN | {"evidence", "workers"},
    "scanner": SCANS,
    "workers": BASE,
    "mapfiles": BATCHES,
    "pictures": BATCHES | {"report", "mapfiles"},
    "batch": BATCHES | {"report", "mapfiles", "pictures", "workers"},
    "case": BATCHES,
    "cli": None,
    "__main__": None,
    "__init__": None,
}


def part_of(path: Path, root: Path) -> str:
    first = path.relative_to(root).parts[0]
    return first.removesuffix(".py")


def imported(path: Path, root: Path):
    """Parts of forensix that a module imports, anywhere in it, relatively or not."""
    package = ["forensix", *path.relative_to(root).parent.parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, node.module] if node.module else base)
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "forensix" and len(parts) > 1:
                yield parts[1]


def violations(root: Path) -> list[str]:
    found = []
    for path in sorted(root.rglob("*.py")):
        part = part_of(path, root)
        if part not in MAY_IMPORT:
            found.append(f"{path.relative_to(root)} belongs to no known part")
            continue
        allowed = MAY_IMPORT[part]
        if allowed is None:
            continue
        for target in imported(path, root):
            if target != part and target not in allowed:
                found.append(f"{path.relative_to(root)} imports {target}")
    return found


def test_imports_point_downwards():
    assert violations(ROOT) == []


@pytest.mark.parametrize(
    "statement",
    [
        "from forensix.evidence import Evidence",
        "import forensix.scanner",
        "from ..cli import main",
        "def later():\n    from .. import fusion",
        "from forensix import result",
    ],
)
def test_an_arrow_that_points_upwards_is_seen(tmp_path, statement):
    module = tmp_path / "native" / "kernel.py"
    module.parent.mkdir()
    module.write_text(statement + "\n")
    assert len(violations(tmp_path)) == 1


def test_only_native_imports_numba():
    offenders = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if part_of(path, ROOT) != "native"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Import) and any(a.name.split(".")[0] == "numba" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "numba")
    ]
    assert offenders == []
