"""A small registry of made-up methods, for tests of what runs around methods.

Which answer a picture gets is painted into it: the red of its first pixel. ``install``
puts the methods in place of the real ones, in this process; ``environment`` does it for
every Python process that is started with it, and for their children.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from forensix import detectors
from forensix.detectors.method import Method
from forensix.errors import NotApplicable
from forensix.finding import Heatmap, Region

CALM, FORGED, DEADLY, SLOW, KILLED = 10, 200, 66, 77, 99


def picture(path: Path, red: int = CALM, *, rows: int = 48, cols: int = 64, seed: int = 0) -> Path:
    """A PNG or JPEG (by its name) with a grey texture, and ``red`` in its first block."""
    pixels = np.random.RandomState(seed).randint(90, 160, (rows, cols, 1), np.uint8).repeat(3, axis=2)
    pixels[:8, :8] = (red, 0, 0)
    Image.fromarray(pixels).save(path, "PNG")
    return path


def patch(evidence, preset):
    """Decides on a corner where the picture says FORGED."""
    red = int(evidence.rgb[0, 0, 0])
    if red == DEADLY:
        os.kill(os.getpid(), signal.SIGSEGV)
    if red == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    if red == SLOW:
        time.sleep(30)
    rows, cols = evidence.rgb.shape[:2]
    cells = np.full((rows // 8, cols // 8), 0.2)
    cells[0, 0] = np.nan
    if red != FORGED:
        return METHODS["patch"].finding(
            score=0.1, heatmap=Heatmap(cells, 8), explanation="Nothing stands out."
        )
    cells[2:4, 3:6] = 0.9
    return METHODS["patch"].finding(
        score=0.97,
        heatmap=Heatmap(cells, 8),
        explanation="A patch of 24 x 16 px stands out (4.5 sigma) <script>alert(1)</script>.",
        measurements={"sigma": 4.5, "blocks": [6, 48], "settings": {"seen": True, "name": None}},
        regions=(Region((16, 24, 16, 24), "tampered", 384),),
        parameters={"cell": 8},
    )


def unsuited(evidence, preset):
    raise NotApplicable("needs a JPEG file, and this one is [bold]PNG[/bold]")


def broken(evidence, preset):
    raise ZeroDivisionError("an accident\nwith \x1b[31mcolours")


def silent(evidence, preset):
    return METHODS["silent"].finding(explanation="The picture is too flat to tell.")


METHODS = {
    "patch": Method("patch", "splicing", "Was a patch pasted?", "every picture", "Author, Patches, 2001. "
                    "doi:10.1000/182", kind="splicing"),
    "silent": Method("silent", "camera", "Which camera?", "large pictures", "Author, Silence, 2002"),
    "unsuited": Method("unsuited", "jpeg", "Was it saved twice?", "JPEG", "Author, Twice, 2003",
                       concludes="history"),
    "broken": Method("broken", "jpeg", "Does it break?", "nothing", "Author, Breaks, 2004", preset="thorough"),
}  # fmt: skip
RUN = {"patch": patch, "silent": silent, "unsuited": unsuited, "broken": broken}


def install(setitem=None, setattr_=setattr) -> None:
    """Put the methods in place; with monkeypatch's functions, until the test is over."""
    setitem = setitem or dict.__setitem__
    setattr_(detectors, "REGISTRY", {name: f"fake_{name}" for name in METHODS})
    for name, method in METHODS.items():
        module = ModuleType(f"forensix.detectors.fake_{name}")
        module.METHOD = method
        module.detect = lambda evidence, *, preset, run=RUN[name]: run(evidence, preset)
        setitem(sys.modules, module.__name__, module)


def environment(folder: Path) -> dict[str, str]:
    """Environment variables under which Python starts with these methods installed."""
    here = Path(__file__).resolve().parent.parent
    (folder / "sitecustomize.py").write_text(
        f"import sys; sys.path.insert(0, {str(here)!r})\n"
        "from tests.fake_methods import install\ninstall()\nsys.path.pop(0)\n"
    )
    return {**os.environ, "PYTHONPATH": str(folder)}
