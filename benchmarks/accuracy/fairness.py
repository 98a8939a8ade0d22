"""Do file-level features alone tell forged pictures from untouched ones?

``python -m benchmarks.accuracy.fairness MANIFEST.csv [...]``

On a fair set they do not: size, dimensions, format, tables, sampling and metadata are the
same for a forgery and its twin, so that what a method finds must be in the picture. Prints
the area under the ROC curve of three classifiers, cross-validated with all pictures of one
scene on one side; 0.5 is fair.
"""

from __future__ import annotations

import argparse
import csv
import sys
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

FOLDS = 5


def features(path: Path) -> list[float]:
    """What can be known of an image file without looking at the picture."""
    size = path.stat().st_size
    with Image.open(path) as image:
        tables = getattr(image, "quantization", None) or {}
        layers = getattr(image, "layer", None) or []
        pixels = image.size[0] * image.size[1]
        return [
            np.log(size),
            8 * size / pixels,
            *image.size,
            zlib.crc32((image.format or "").encode()) % 97,
            len(image.getbands()),
            len(tables),
            *(sum(tables.get(number, [0])) for number in (0, 1)),
            *(layers[0][1:3] if layers else (0, 0)),
            len(image.info),
            len(image.getexif()),
        ]


def read(manifests: Iterable[Path]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Features (images, features), whether forged, and the group of every image."""
    rows, forged, groups = [], [], []
    for manifest in manifests:
        with open(manifest, newline="") as handle:
            for row in csv.DictReader(handle):
                rows.append(features(manifest.parent / row["image"]))
                forged.append(row["label"] != "authentic")
                groups.append(row["group"])
    return np.array(rows, float), np.array(forged), groups


def separability(values: np.ndarray, forged: np.ndarray, groups: Sequence[str]) -> dict[str, float]:
    """Cross-validated area under the ROC curve, by classifier."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    classifiers = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
        "tree": DecisionTreeClassifier(min_samples_leaf=5, random_state=0),
        "forest": RandomForestClassifier(100, min_samples_leaf=3, random_state=0),
    }
    folds = GroupKFold(min(FOLDS, len(set(groups))))
    found = {}
    for name, classifier in classifiers.items():
        guessed = cross_val_predict(
            classifier, values, forged, groups=groups, cv=folds, method="predict_proba"
        )
        found[name] = float(roc_auc_score(forged, guessed[:, 1]))
    return found


def main(args: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifests", nargs="+", type=Path)
    values, forged, groups = read(parser.parse_args(args).manifests)
    sys.stdout.write(f"{forged.sum()} forged, {(~forged).sum()} untouched, {len(set(groups))} scenes\n")
    for name, area in separability(values, forged, groups).items():
        sys.stdout.write(f"{area:.3f}  {name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
