"""CPU time of the copy-move methods against one SIFT pass on the same picture, at several sizes.

    python benchmarks/copy_move_speed.py PHOTO [--megapixels 0.25 1 4 12] [--detector NAME]...
                                         [--preset thorough] [--plot OUT.png]

The photo is resized to each size. All methods run in one process, one thread each, after a warm-up on a
small picture, so that compiling does not count. The SIFT pass is OpenCV's, at full size with its
own settings: finding and describing the keypoints. --plot draws time against size on
logarithmic axes and needs matplotlib.
"""

from __future__ import annotations

import argparse
import io
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import forensix
from forensix import detectors


def paths_of(preset: str) -> list[str]:
    """The copy-move methods that look at the picture themselves, in their own order."""
    known = [(name, detectors.method(name)) for name in detectors.in_preset(preset)]
    return [name for name, method in known if method.kind == "copy-move" and "findings" not in method.takes]


def evidence_of(picture: Image.Image) -> forensix.Evidence:
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=1)
    evidence = forensix.open(stream.getvalue())
    _ = evidence.luma
    return evidence


def seconds(evidence: forensix.Evidence, methods: list[str], preset: str) -> dict[str, float]:
    """CPU seconds of the SIFT pass and of each method."""
    grey = np.clip(np.rint(evidence.luma), 0, 255).astype(np.uint8)
    began = time.process_time()
    cv2.SIFT_create().detectAndCompute(grey, None)
    spent = {"sift pass": time.process_time() - began}
    for name in methods:
        began = time.process_time()
        detectors.load(name).detect(evidence, preset=preset)
        spent[name] = time.process_time() - began
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.1, 0.25, 1, 4, 12])
    parser.add_argument("--detector", action="append", default=[])
    parser.add_argument("--preset", choices=("standard", "thorough"), default="standard")
    parser.add_argument("--plot", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    with Image.open(args.photo) as opened:
        photo = opened.convert("RGB")
    names = args.detector or paths_of(args.preset)
    seconds(evidence_of(photo.resize((200, 150))), names, args.preset)
    measured = []
    print(f"{'Mpx':>8s}{'sift pass':>12s}" + "".join(f"{name:>28s}" for name in names) + f"{'together':>10s}")
    for size in args.megapixels:
        scale = (size * 1e6 / (photo.width * photo.height)) ** 0.5
        resized = photo.resize((round(photo.width * scale), round(photo.height * scale)))
        spent = seconds(evidence_of(resized), names, args.preset)
        measured.append(spent)
        sift = spent["sift pass"]
        cells = "".join(f"{spent[name]:18.2f} s{spent[name] / sift:7.2f}x" for name in names)
        together = sum(spent[name] for name in names) / sift
        print(f"{size:8.2f}{sift:10.2f} s{cells}{together:9.2f}x", flush=True)
    if args.plot:
        draw(args.megapixels, measured, args.plot)


def draw(sizes: list[float], measured: list[dict[str, float]], out: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4))
    for name in measured[0]:
        axes.loglog(sizes, [spent[name] for spent in measured], marker="o", label=name)
    axes.set_xlabel("megapixels")
    axes.set_ylabel("CPU seconds")
    axes.legend()
    figure.savefig(out, dpi=120, bbox_inches="tight")


if __name__ == "__main__":
    main()
