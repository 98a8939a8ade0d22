"""CPU time of the copy-move methods against one SIFT pass on the same picture, at several sizes.

    python benchmarks/copy_move_speed.py PHOTO [--megapixels 0.25 1 4 12] [--detector NAME]...
                                         [--preset thorough] [--plot OUT.png]

The photo is resized to each size. All methods run in one process, one thread each, after a warm-up on a
small picture, so that compiling does not count. The SIFT pass is OpenCV's, at full size with its
own settings: finding and describing the keypoints. The peak is the largest memory of the whole process so
far, the picture and the libraries included, but not the SIFT pass, which has a process of its own. --plot draws
time against size on logarithmic axes and needs matplotlib.
"""

from __future__ import annotations

import argparse
import io
import resource
import time
from multiprocessing import get_context
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
    """CPU seconds of each method."""
    spent = {}
    for name in methods:
        began = time.process_time()
        detectors.load(name).detect(evidence, preset=preset)
        spent[name] = time.process_time() - began
    return spent


def of_sift(picture: Image.Image) -> float:
    """CPU seconds of the SIFT pass."""
    grey = np.asarray(picture.convert("L"))
    began = time.process_time()
    cv2.SIFT_create().detectAndCompute(grey, None)
    return time.process_time() - began


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
    print(f"{'Mpx':>8s}{'SIFT pass':>12s}" + "".join(f"{name:>28s}" for name in names), end="")
    print(f"{'together':>10s}{'peak':>10s}")
    for size in sorted(args.megapixels):
        scale = (size * 1e6 / (photo.width * photo.height)) ** 0.5
        resized = photo.resize((round(photo.width * scale), round(photo.height * scale)))
        spent = seconds(evidence_of(resized), names, args.preset)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        # In a process of its own: it needs gigabytes, which must not count as the methods'.
        with get_context("fork").Pool(1) as pool:
            sift = pool.apply(of_sift, (resized,))
        measured.append({"SIFT pass": sift} | spent)
        cells = "".join(f"{spent[name]:18.2f} s{spent[name] / sift:7.2f}x" for name in names)
        print(f"{size:8.2f}{sift:10.2f} s{cells}{sum(spent.values()) / sift:9.2f}x{peak:7d} MB", flush=True)
    if args.plot:
        draw(sorted(args.megapixels), measured, args.plot)


def draw(sizes: list[float], measured: list[dict[str, float]], out: Path) -> None:
    """Time against size, with the paths' sum, on axes that show it from a tenth of a second up."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    curves = {name: [spent[name] for spent in measured] for name in measured[0]}
    sift = curves.pop("SIFT pass")
    figure, axes = plt.subplots(figsize=(6.4, 4.2))
    axes.loglog(sizes, sift, color="0.35", linestyle="--", linewidth=1.5, label="one SIFT pass (OpenCV)")
    together = [sum(times) for times in zip(*curves.values(), strict=True)]
    axes.loglog(sizes, together, color="black", linewidth=2.2, marker="o", markersize=4, label="all together")
    for name, times in curves.items():
        axes.loglog(sizes, times, linewidth=1.5, marker="o", markersize=4, label=name)
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("size of the picture, megapixels")
    axes.set_ylabel("CPU seconds")
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(out, dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
