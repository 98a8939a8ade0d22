"""How often edits of a whole picture, such as photo programs make, are taken for a local change.

    python benchmarks/global_edits.py PHOTO... [--side 1024] [--jobs 2] [--each 0]

From the middle of each photo (at most SIDE x SIDE pixels; where the photo is a JPEG, on its own grid) each edit
is made once and saved as PNG, JPEG 80 or JPEG 92 by turns. Nothing is changed locally, so every
"inconsistent" is a false alarm. Printed are, per edit, pictures, false alarms, pictures in which a method of
integrity decided, and those methods. ``--each N`` takes only N edits of each photo, by turns.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageFilter

import forensix
from forensix import detectors
from forensix.batch import scan_many
from forensix.errors import ForensixError

SAVED = ("png", "jpeg 80", "jpeg 92")


def _curve(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    table = np.clip(255 * function(np.arange(256) / 255), 0, 255).round().astype(np.uint8)
    return lambda rgb: table[rgb]


def _sharpened(radius: float, percent: int, threshold: int) -> Callable[[np.ndarray], np.ndarray]:
    mask = ImageFilter.UnsharpMask(radius, percent, threshold)
    return lambda rgb: np.asarray(Image.fromarray(rgb).filter(mask))


def _radius(rgb: np.ndarray) -> np.ndarray:
    down, across = (np.linspace(-1, 1, side) for side in rgb.shape[:2])
    distance: np.ndarray = np.hypot(down[:, None], across)[..., None]
    return distance


def _light(rgb: np.ndarray) -> np.ndarray:
    light: np.ndarray = rgb.mean(axis=2, keepdims=True)
    return light


def _clahe(rgb: np.ndarray) -> np.ndarray:
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


def _local_contrast(rgb: np.ndarray) -> np.ndarray:
    ground = cv2.GaussianBlur(_light(rgb).astype(np.float32), (0, 0), 40)[..., None]
    return np.clip(rgb * (0.7 + 60 / (ground + 80)), 0, 255).astype(np.uint8)


def _straightened(rgb: np.ndarray) -> np.ndarray:
    rows, cols = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((cols / 2, rows / 2), 0.8, 1.0)
    turned = cv2.warpAffine(rgb, turn, (cols, rows), flags=cv2.INTER_CUBIC)
    margin = int(0.02 * max(rows, cols))
    return np.ascontiguousarray(turned[margin:-margin, margin:-margin])


def _sepia(rgb: np.ndarray) -> np.ndarray:
    return np.clip(0.4 * rgb + 0.6 * _light(rgb) * (1.08, 0.96, 0.78), 0, 255).astype(np.uint8)


EDITS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "levels": _curve(lambda x: (x - 0.04) / 0.9),
    "gamma": _curve(lambda x: x**0.85),
    "contrast curve": _curve(lambda x: x + 0.05 * np.sin(2 * np.pi * (x - 0.5))),
    "shadows": lambda rgb: np.clip(rgb + 25 * np.exp(-_light(rgb) / 40), 0, 255).astype(np.uint8),
    "sharpening": _sharpened(1.0, 80, 0),
    "sharpening above a threshold": _sharpened(2.0, 110, 4),
    "bilateral filter": lambda rgb: cv2.bilateralFilter(rgb, 5, 12, 2),
    "non-local means": lambda rgb: cv2.fastNlMeansDenoisingColored(rgb, None, 3, 3, 5, 11),
    "vignette": lambda rgb: (rgb * (1 - 0.3 * np.clip(_radius(rgb), 0, 1.5) ** 2)).astype(np.uint8),
    "sepia": _sepia,
    "CLAHE": _clahe,
    "local contrast": _local_contrast,
    "straightened": _straightened,
    "made smaller": lambda rgb: cv2.resize(rgb, None, fx=0.62, fy=0.62, interpolation=cv2.INTER_AREA),
    "frame": lambda rgb: cv2.copyMakeBorder(rgb, 24, 24, 24, 24, cv2.BORDER_CONSTANT, value=(245, 245, 240)),
}


def middle(path: str, side: int) -> np.ndarray:
    """The middle of a photo, from a multiple of 16 pixels on."""
    rgb = forensix.open(path).rgb
    top, left = (max(0, (length - side) // 32 * 16) for length in rgb.shape[:2])
    return np.ascontiguousarray(rgb[top : top + side, left : left + side])


def save(rgb: np.ndarray, how: str, folder: str, name: str) -> str:
    kind, _, quality = how.partition(" ")
    path = str(Path(folder) / f"{name}.{kind}")
    Image.fromarray(rgb).save(path, kind.upper(), **({"quality": int(quality)} if quality else {}))
    return path


def edited(photos: list[str], *, side: int, each: int, folder: str) -> dict[str, str]:
    """Path of every edited picture, and its edit; `each` edits of a photo, or all where 0."""
    made = {}
    turns, names = itertools.cycle(SAVED), itertools.cycle(EDITS)
    for number, photo in enumerate(photos):
        try:
            rgb = middle(photo, side)
        except ForensixError as error:
            print(photo, error)
            continue
        for name in itertools.islice(names, each or len(EDITS)):
            label = f"{number:04d}-{name.replace(' ', '-')}"
            made[save(EDITS[name](rgb), next(turns), folder, label)] = name
        if not each:
            next(turns)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--each", type=int, default=0)
    arguments = parser.parse_args()
    kinds = {name: detectors.method(name).kind for name in detectors.names()}
    count, alarms, decided = Counter[str](), Counter[str](), Counter[str]()
    methods: dict[str, Counter[str]] = {name: Counter() for name in EDITS}
    with tempfile.TemporaryDirectory() as folder:
        made = edited(arguments.photos, side=arguments.side, each=arguments.each, folder=folder)
        for result in scan_many(list(made), jobs=arguments.jobs):
            edit = made[str(result.evidence["path"])]
            count[edit] += 1
            alarms[edit] += result.conclusions["integrity"].label == "inconsistent"
            found = [f.detector for f in result.findings if f.decided and kinds[f.detector]]
            decided[edit] += bool(found)
            methods[edit].update(found)
    print(
        "| edit of the whole picture | pictures | inconsistent | a method decided | which |\n|---|---|---|---|---|"
    )
    for edit in (*EDITS, "together"):
        if edit == "together":
            figures = (count.total(), alarms.total(), decided.total(), "")
        else:
            which = ", ".join(f"{name} {n}" for name, n in methods[edit].most_common())
            figures = (count[edit], alarms[edit], decided[edit], which)
        print("| " + " | ".join(map(str, (edit, *figures))) + " |")


if __name__ == "__main__":
    main()
