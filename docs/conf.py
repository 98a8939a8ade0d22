"""Sphinx: pages from docstrings and from the registry of methods."""

import inspect
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
            ):
                lines += [f".. autofunction:: {module.__name__}.{attribute}", ""]
    return "\n".join(lines)


(HERE / "methods.rst").write_text(methods_page(), "utf-8")
