"""The registry, the files on disk and what every method says of itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from forensix import detectors
from forensix.detectors.method import CONCLUSIONS, PRESETS
from forensix.errors import ParameterError
from forensix.result import KINDS

FOLDER = Path(detectors.__file__).parent


def test_every_detector_file_is_registered():
    on_disk = {
        f"{path.parent.name}.{path.stem}"
        for path in FOLDER.glob("*/*.py")
        if not path.stem.startswith("_") and "def detect(" in path.read_text("utf-8")
    }
    assert on_disk == set(detectors.REGISTRY.values())


@pytest.mark.parametrize("name", detectors.names())
def test_a_method_describes_itself(name):
    method = detectors.method(name)
    assert method.name == name
    assert method.family == detectors.REGISTRY[name].split(".")[0]
    assert method.question.endswith("?")
    assert method.applies_to and method.reference and method.licence == "Apache-2.0"
    assert method.preset in PRESETS and method.concludes in CONCLUSIONS and method.kind in KINDS
    assert (method.kind is not None) == (method.concludes == "integrity")


def test_unknown_names_are_refused():
    with pytest.raises(ParameterError, match="no method is called 'ela'"):
        detectors.load("ela")
    with pytest.raises(ParameterError, match="preset"):
        detectors.in_preset("quick")


def test_presets_grow():
    fast, standard, thorough = (set(detectors.in_preset(preset)) for preset in PRESETS)
    assert fast <= standard <= thorough == set(detectors.names())


def test_describing_methods_loads_no_heavy_library():
    code = (
        "import sys; from forensix import detectors; [detectors.method(n) for n in detectors.names()];"
        "heavy = {'numba', 'cv2', 'scipy', 'skimage', 'sklearn', 'pywt'} & set(sys.modules); print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
