"""A forgery and its twin differ in nothing but the picture."""

import csv

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy.fairness import main, read, separability
from forensix.forgery import claim, plan, produce
from tests.forgery_photos import save_photos

COUNT = 60


@pytest.fixture(scope="module")
def forgeries(tmp_path_factory):
    photos = save_photos(tmp_path_factory.mktemp("photos"), size=288)
    out = tmp_path_factory.mktemp("set")
    claim(out, {})
    recipes = plan("mixed", photos, count=COUNT, seed=2, size=(224, 224))
    assert not [o for o in produce(recipes, out) if o.error]
    return out


def test_file_level_features_do_not_tell_them_apart(forgeries):
    areas = separability(*read([forgeries / "manifest.csv"]))
    assert all(0.45 <= area <= 0.55 for area in areas.values()), areas


def test_neither_is_larger_as_a_rule(forgeries):
    with open(forgeries / "manifest.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    sizes = np.array([(forgeries / row["image"]).stat().st_size for row in rows], float)
    ratio = np.log(sizes[::2] / sizes[1::2])
    assert abs(np.median(ratio)) < 0.02
    assert abs(ratio.mean()) < 0.1


def test_the_classifiers_would_notice_an_unfair_set(forgeries, tmp_path, capsys):
    """The same pictures, the twins saved once more at another quality."""
    rows = ["image,label,group"]
    with open(forgeries / "manifest.csv", newline="") as handle:
        for number, row in enumerate(csv.DictReader(handle)):
            quality = 90 if row["label"] == "authentic" else 92
            with Image.open(forgeries / row["image"]) as image:
                image.convert("RGB").save(tmp_path / f"{number}.jpg", quality=quality)
            rows.append(f"{number}.jpg,{row['label']},{row['group']}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    assert main([str(tmp_path / "manifest.csv")]) == 0
    printed = capsys.readouterr().out
    assert f"{COUNT} forged, {COUNT} untouched, 5 scenes" in printed
    assert printed.count("1.000") >= 2
