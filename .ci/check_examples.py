"""Check the documents and maps of the example scans against schema, labels and masks."""

import json
import sys
from pathlib import Path

import jsonschema
import numpy as np
from PIL import Image

from forensix.result import json_schema

folder = Path(sys.argv[1])
examples = Path(__file__).parent.parent / "examples"
expected = {
    "cat-in-the-cup": "inconsistent",
    "second-rocket": "inconsistent",
    "cat-in-the-cup-untouched": None,
    "second-rocket-untouched": None,
}
for name, label in expected.items():
    document = json.loads((folder / f"{name}.json").read_text())
    jsonschema.validate(document, json_schema(), cls=jsonschema.Draft202012Validator)
    integrity = document["conclusions"]["integrity"]
    failed = [f["detector"] for f in document["findings"] if f["status"] == "failed"]
    if failed:
        sys.exit(f"{name}: these methods broke: {failed}")
    mask = np.asarray(Image.open(folder / "maps" / document["maps"]["mask"])) > 127
    if label is None:
        if integrity["label"] == "inconsistent" or mask.any():
            sys.exit(f"{name}: an untouched photo was called {integrity['label']}")
        continue
    truth = np.asarray(Image.open(examples / f"{name}-mask.png")) > 127
    f1 = 2 * np.count_nonzero(mask & truth) / (mask.sum() + truth.sum())
    print(f"{name}: {integrity['label']} ({integrity['kind']}), pixel F1 {f1:.2f}")
    if integrity["label"] != label or f1 < 0.5:
        sys.exit(f"{name}: expected {label} and a mask that fits, got {integrity['label']}, F1 {f1:.2f}")
