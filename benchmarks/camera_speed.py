"""CPU seconds and memory of the camera methods of an ordinary scan, at 1, 4 and 12 megapixels.

    python benchmarks/camera_speed.py PHOTO [--sizes 1 4 12] [--repeat 3]

Of the photo (repeated where it is smaller), crops of each size are laid behind a colour filter array and
demosaicked again, so that every method has all its work to do; `demosaicing` needs a tenth where there is no
pattern. Each method and size runs in a process of its own, after one run on a small picture that loads and
compiles everything; decoding is left out. CPU is the median, of all threads; memory is what the
method adds to the peak of the process, in bytes a pixel.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

METHODS = ("residual-cooccurrence", "noise-level", "demosaicing", "chromatic-aberration")


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("--sizes", type=float, nargs="+", default=[1, 4, 12])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.photo, arguments.only, arguments.sizes[0], arguments.repeat)))
        return
    print("| method | " + " | ".join(f"{s:g} Mpx, s | bytes/px" for s in arguments.sizes) + " |")
    print("|---" * (1 + 2 * len(arguments.sizes)) + "|")
    totals = dict.fromkeys(arguments.sizes, 0.0)
    for name in METHODS:
        line = f"| {name} |"
        for size in arguments.sizes:
            command = [sys.executable, __file__, arguments.photo, "--only", name, "--sizes", str(size)]
            done = subprocess.run(
                [*command, "--repeat", str(arguments.repeat)], capture_output=True, text=True, check=True
            )
            seconds, added = json.loads(done.stdout)
            totals[size] += seconds
            line += f" {seconds:.2f} | {added:.0f} |"
        print(line, flush=True)
    print("| together |" + "".join(f" {totals[size]:.2f} | |" for size in arguments.sizes))
    print("| a megapixel |" + "".join(f" {totals[size] / size:.2f} | |" for size in arguments.sizes))


if __name__ == "__main__":
    main()
