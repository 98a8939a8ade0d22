"""Sphinx: pages from docstrings and from the registry of methods."""

import inspect
import re
from itertools import pairwise
from pathlib import Path

import forensix
from forensix import detectors

project = "forensix"
author = "The forensix developers"
version = release = forensix.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.autosummary"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "Classical image forensics with stated error rates"}

HERE = Path(__file__).parent


def methods_page() -> str:
    """One section a registered method: what it asks, where it applies, paper, functions."""
    lines = [
        "Methods",
        "=======",
        "",
        "Written from the registry; each method is also a set of library calls.",
        "",
    ]
    written = [page for page in HERE.glob("*.rst") if page.name != "methods.rst"]
    elsewhere = set(
        re.findall(r"autofunction:: (\S+)", " ".join(page.read_text("utf-8") for page in written))
    )
    for name in detectors.names():
        method, module = detectors.method(name), detectors.load(name)
        lines += [name, "-" * len(name), "", f"*{method.question}*", ""]
        lines += [f":Family: {method.family}", f":Feeds: {method.concludes}", f":Preset: {method.preset}"]
        lines += [f":Applies to: {method.applies_to}", f":Paper: {method.reference}", ""]
        lines += [inspect.getdoc(module) or "", ""]
        for attribute, value in vars(module).items():
            if (
                inspect.isfunction(value)
                and value.__module__ == module.__name__
                and not attribute.startswith("_")
                and f"{module.__name__}.{attribute}" not in elsewhere
            ):
                lines += [f".. autofunction:: {module.__name__}.{attribute}", ""]
    return "\n".join(lines)


(HERE / "methods.rst").write_text(methods_page(), "utf-8")


TERM = re.compile(r"^( *)(\w[\w, ]*) : (.+)$")


def _fields_as_definitions(lines: list[str]) -> list[str]:
    """Lines "name : what it is" after a docstring's summary, as definitions with a blank line around them.

    Under a heading of its own ("Parameters") napoleon reads them; short docstrings, of dataclasses
    above all, have none.
    """
    out: list[str] = []
    inside = underlined = False
    for line, after in pairwise([*lines, ""]):
        underlined = underlined or set(after.strip()) == {"-"}
        term = None if underlined else TERM.match(line)
        if term:
            out += ["", f"{term[1]}{term[2]}", f"{term[1]}    {term[3]}"]
            inside = True
            continue
        if inside and line.strip() and not line.startswith(" "):
            out.append("")
            inside = False
        out.append(line)
    return out


def _read_docstring(*event):
    """Fields as definitions, numbered references as a list: a page holds those of many objects."""
    lines = event[-1]
    plain = [
        re.sub(r"\[(\d+)\]_", r"[\1]", re.sub(r"^( *)\.\. (\[\d+\] )", r"\1* \2", line)) for line in lines
    ]
    lines[:] = _fields_as_definitions(plain)


def setup(app):
    # Before napoleon, which turns sections into fields.
    app.connect("autodoc-process-docstring", _read_docstring, priority=100)
