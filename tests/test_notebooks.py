"""Every notebook runs from its first to its last cell, and is stored without its output."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def cells(path):
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, monkeypatch, tmp_path):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)  # what a notebook writes, it writes where it is run
    import matplotlib

    matplotlib.use("Agg", force=True)
    from matplotlib import pyplot

    namespace = {"__name__": "__main__"}
    try:
        for number, cell in enumerate(cells(path), start=1):
            code = compile("".join(cell["source"]), f"{path.name}, code cell {number}", "exec")
            exec(code, namespace)
    finally:
        pyplot.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_output(path):
    for cell in cells(path):
        assert cell["outputs"] == [] and cell["execution_count"] is None
