"""CPU seconds per megapixel of the methods that read a JPEG's history, beside pyIFD in the same run.

    python benchmarks/jpeg_speed.py PHOTO [--megapixels 0.5 1 2 4 12] [--repeat 3] [--peer]

The photo is brought to each size, saved at quality 75, changed in a part, and saved at 92, so that
there is a history to be found; and, as "single", saved once at 92. Each method runs `--repeat` times
on a fresh reading of the file after a warm-up (compiling does not count); the median counts. What they share,
reading coefficients and pixels, is a line of its own, and part of "all". Memory is the growth
of the largest resident size of a process in which all of them run, over that of one that has only imported
them. --peer adds pyIFD's ADQ2, NADQ, GHOST and BLK where they can be imported (they want jpegio); those
that need longer than a minute per megapixel are left out above one megapixel.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from importlib import import_module
from pathlib import Path

import cv2
from PIL import Image

import forensix
from forensix import detectors
from forensix.errors import NotApplicable

PEERS = {"ADQ2": "getJmap", "NADQ": "NADQ", "GHOST": "GHOST", "BLK": "GetBlockGrid"}
SLOW = {"GHOST", "NADQ"}


def jpeg_methods() -> list[str]:
    """The methods of an ordinary scan that read a JPEG's history, and that of its tables."""
    found = [n for n in detectors.in_preset("standard") if detectors.REGISTRY[n].startswith("jpeg.")]
    return [*found, "encoder-tables"]


def sized(photo: Image.Image, megapixels: float) -> Image.Image:
    factor = (megapixels * 1e6 / (photo.width * photo.height)) ** 0.5
    return photo.resize((round(photo.width * factor), round(photo.height * factor)), Image.Resampling.LANCZOS)


def saved_twice(picture: Image.Image, path: Path) -> None:
    """Saved at 75, an eighth of the picture as it was before, saved at 92."""
    picture.save(path, "JPEG", quality=75)
    with Image.open(path) as once:
        changed = once.convert("RGB")
    box = (picture.width // 4, picture.height // 4, picture.width // 2, picture.height * 3 // 4)
    changed.paste(picture.crop(box), box)
    changed.save(path, "JPEG", quality=92)


def one(name: str, evidence: forensix.Evidence) -> None:
    try:
        detectors.load(name).detect(evidence, preset="standard")
    except NotApplicable:
        return


def read(path: Path) -> forensix.Evidence:
    """What several methods share: the pixels, the luma, the coefficients."""
    evidence = forensix.open(path)
    _ = evidence.rgb, evidence.luma, evidence.jpeg
    return evidence


def ours(path: Path, repeat: int) -> dict[str, float]:
    """CPU seconds of reading, of each method and of all."""
    names = jpeg_methods()
    rounds: dict[str, list[float]] = {name: [] for name in ("reading", *names)}
    for _ in range(repeat):
        began = time.process_time()
        evidence = read(path)
        rounds["reading"].append(time.process_time() - began)
        for name in names:
            began = time.process_time()
            one(name, evidence)
            rounds[name].append(time.process_time() - began)
    spent = {name: statistics.median(values) for name, values in rounds.items()}
    return {**spent, "all": sum(spent.values())}


def peers(path: Path, megapixels: float) -> dict[str, float]:
    """CPU seconds of pyIFD's functions on the same file, one run each."""
    spent = {}
    for module, function in PEERS.items():
        if module in SLOW and megapixels > 1:
            continue
        try:
            judge = getattr(import_module(f"pyIFD.{module}"), function)
            began = time.process_time()
            judge(str(path))
            spent[f"pyIFD {module}"] = time.process_time() - began
        except (ImportError, AttributeError, ValueError, IndexError, TypeError) as error:
            print(f"pyIFD {module}: {type(error).__name__}: {error}")
    return spent


def _high_water() -> int:
    """Largest resident size of this process in bytes.

    On Linux not by getrusage, whose figure a new process inherits from the one that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return next(
            1024 * int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _largest(path: Path | None, connection: multiprocessing.connection.Connection) -> None:
    names = jpeg_methods()
    if path is not None:
        evidence = read(path)
        for name in names:
            one(name, evidence)
    connection.send(_high_water())


def grown(path: Path, small: Path) -> int:
    """Bytes by which the largest resident size exceeds that after a small picture."""
    sizes = []
    for which in (small, path):
        here, there = multiprocessing.get_context("spawn").Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_largest, args=(which, there))
        process.start()
        sizes.append(here.recv())
        process.join()
    return sizes[1] - sizes[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.5, 1, 2, 4, 12])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peer", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with Image.open(options.photo) as opened:
        photo = opened.convert("RGB")
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "small.jpg")
        saved_twice(sized(photo, 0.3), small)
        ours(small, 1)
        for megapixels in options.megapixels:
            report(photo, megapixels, small, options)


def report(photo: Image.Image, megapixels: float, small: Path, options: argparse.Namespace) -> None:
    """The lines of one size."""
    picture = sized(photo, megapixels)
    twice, single = small.with_name("twice.jpg"), small.with_name("single.jpg")
    saved_twice(picture, twice)
    picture.save(single, "JPEG", quality=92)
    pixels = picture.width * picture.height
    print(f"\n{pixels / 1e6:.2f} Mpx: CPU s per Mpx, saved twice / once", flush=True)
    both = [ours(path, options.repeat) for path in (twice, single)]
    for name in both[0]:
        print(f"  {name:32} {both[0][name] / pixels * 1e6:.3f}  {both[1][name] / pixels * 1e6:.3f}")
    print(f"  bytes per pixel: {grown(twice, small) / pixels:.0f}", flush=True)
    if options.peer:
        for name, seconds in peers(twice, megapixels).items():
            print(f"  {name:32} {seconds / pixels * 1e6:.3f}", flush=True)


if __name__ == "__main__":
    main()
