"""The shipped examples are what the script in the repository makes."""

import csv
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    runpy.run_path(str(EXAMPLES / "make_examples.py"))["make"](folder)
    return folder


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def test_the_script_makes_the_shipped_files(made):
    shipped = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png", ".csv")}
    assert shipped == {path.name for path in made.iterdir()}
    assert (made / "manifest.csv").read_text() == (EXAMPLES / "manifest.csv").read_text()
    for path in made.glob("*.jpg"):
        # Builds of libjpeg differ by a grey level or two in a pixel, not in a picture.
        assert np.abs(pixels(path) - pixels(EXAMPLES / path.name)).mean() < 0.5, path.name


def test_forgery_and_twin_differ_where_the_mask_says():
    with open(EXAMPLES / "manifest.csv", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["label"] == "tampered"]
    assert len(rows) == 2
    for row in rows:
        forged = pixels(EXAMPLES / row["image"])
        twin = pixels(EXAMPLES / row["image"].replace(".jpg", "-untouched.jpg"))
        mask = pixels(EXAMPLES / row["mask"]) > 127
        different = np.abs(forged - twin).mean(axis=2)
        assert different[mask].mean() > 10 * different[~mask].mean()
