"""CPU seconds and memory of the camera methods of an ordinary scan, at 1, 4 and 12 megapixels, beside peers.

    python benchmarks/camera_speed.py PHOTO [--sizes 1 4 12] [--repeat 3] [--peer] [--limit 300]

Of the photo (repeated where it is smaller), crops of each size are laid behind a colour filter array and
demosaicked again, so that every method has all its work to do; `demosaicing` needs a tenth where there is no
pattern. Each method and size runs in a process of its own, after one run on a small picture that loads and
compiles everything; decoding is left out. CPU is the median, of all threads; memory is what the
method adds to the peak of the process, in bytes a pixel.

--peer adds, in the same run and on the same pictures (as PNG files, which they read themselves): our sensor
noise beside prnu-python's extract_single, and pyIFD's noise and demosaicing methods, where they can be imported.
Each runs once, with one thread, and is stopped after --limit seconds of clock: "> limit" then. What its memory
shows is the peak of the process above what it held when everything was imported.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np

METHODS = ("residual-cooccurrence", "noise-level", "demosaicing", "chromatic-aberration")
PYIFD = {
    "NOI1": "GetNoiseMap",
    "NOI2": "GetNoiseMaps",
    "NOI4": "MedFiltForensics",
    "NOI5": "PCANoise",
    "CFA1": "CFA1",
    "CFA2": "CFA2",
}
BESIDE = ("sensor noise", "prnu-python extract_single", *(f"pyIFD {name}" for name in PYIFD))


def picture(photo: str, megapixels: float) -> np.ndarray:
    """A crop of that size (3 : 4), mosaicked and demosaicked."""
    import cv2

    import forensix

    rgb = forensix.open(photo).rgb
    rows = int(np.sqrt(megapixels * 1e6 * 3 / 4)) // 2 * 2
    cols = rows * 4 // 3 // 2 * 2
    times = (-(-rows // rgb.shape[0]), -(-cols // rgb.shape[1]), 1)
    rgb = np.tile(rgb, times)[:rows, :cols]
    raw = rgb[..., 1].copy()
    raw[::2, ::2], raw[1::2, 1::2] = rgb[::2, ::2, 0], rgb[1::2, 1::2, 2]
    made: np.ndarray = cv2.cvtColor(raw, cv2.COLOR_BayerBG2RGB)
    return made


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(photo: str, name: str, megapixels: float, repeat: int) -> tuple[float, float]:
    """Median CPU seconds, and bytes a pixel above what the picture itself needs."""
    import forensix
    from forensix import detectors

    module = detectors.load(name)
    made = picture(photo, megapixels)
    module.detect(forensix.open(np.ascontiguousarray(made[:640, :640])))
    costs, before, added = [], 0, 0.0
    for _ in range(repeat):
        evidence = forensix.open(made)
        evidence.rgb, evidence.luma, evidence.colourless  # noqa: B018
        before = before or peak()
        begun = time.process_time()
        module.detect(evidence)
        costs.append(time.process_time() - begun)
        added = added or (peak() - before) / (made.shape[0] * made.shape[1])
    return statistics.median(costs), added


def run_beside(name: str, path: str) -> Callable[[], object]:
    """What is timed of a peer, or of our sensor noise; ImportError where the peer is missing."""
    import forensix

    if name == "sensor noise":
        from forensix.signal.sensor_noise import sensor_noise

        luma = forensix.open(path).luma
        sensor_noise(luma[:640, :640])
        return lambda: sensor_noise(luma)
    if name.startswith("prnu-python"):
        rgb = forensix.open(path).rgb
        extract = getattr(import_module("prnu"), "extract_single", None)
        if extract is None:
            raise ImportError("another package of the name prnu")
        return lambda: extract(rgb)
    name = name.removeprefix("pyIFD ")
    function = getattr(import_module(f"pyIFD.{name}"), PYIFD[name])
    return lambda: function(path)


def measure_beside(photo: str, name: str, megapixels: float) -> tuple[float, float]:
    """CPU seconds of one run, and bytes a pixel above what was held before it."""
    import cv2

    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "picture.png")
        made = picture(photo, megapixels)
        cv2.imwrite(path, made[..., ::-1])
        call = run_beside(name, path)
        before, begun = peak(), time.process_time()
        call()
        seconds = time.process_time() - begun
    return seconds, (peak() - before) / (made.shape[0] * made.shape[1])


def figures(command: list[str], limit: float) -> tuple[float, float] | str:
    """Seconds and bytes a pixel of a run in a process of its own, or a word for why there are none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return f"> {limit:g}"
    if done.returncode:
        return "not installed" if "ImportError" in done.stderr or "ModuleNotFound" in done.stderr else "fails"
    seconds, added = json.loads(done.stdout.splitlines()[-1])
    return seconds, added


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("--sizes", type=float, nargs="+", default=[1, 4, 12])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--limit", type=float, default=300.0)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only in BESIDE:
        print(json.dumps(measure_beside(arguments.photo, arguments.only, arguments.sizes[0])))
        return
    if arguments.only:
        print(json.dumps(measure(arguments.photo, arguments.only, arguments.sizes[0], arguments.repeat)))
        return
    print("| method | " + " | ".join(f"{s:g} Mpx, s | bytes/px" for s in arguments.sizes) + " |")
    print("|---" * (1 + 2 * len(arguments.sizes)) + "|")
    totals = dict.fromkeys(arguments.sizes, 0.0)
    for name in METHODS + (BESIDE if arguments.peer else ()):
        line = f"| {name} |"
        for size in arguments.sizes:
            command = [sys.executable, __file__, arguments.photo, "--only", name, "--sizes", str(size)]
            found = figures([*command, "--repeat", str(arguments.repeat)], arguments.limit)
            line += f" {found} | |" if isinstance(found, str) else f" {found[0]:.2f} | {found[1]:.0f} |"
            if name in METHODS:
                totals[size] += float("nan") if isinstance(found, str) else found[0]
        print(line, flush=True)
        if name == METHODS[-1]:
            print("| together |" + "".join(f" {totals[size]:.2f} | |" for size in arguments.sizes))
            print("| a megapixel |" + "".join(f" {totals[size] / size:.2f} | |" for size in arguments.sizes))


if __name__ == "__main__":
    main()
