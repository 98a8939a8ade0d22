"""The pictures of a report: the photo made small, the maps as coloured layers.

They come from a scan just made (nothing touches the disk), or from a saved document and
the files it names: then the photo is shown only if it still is, byte for byte, the file
that was examined.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np

from forensix.errors import EvidenceError, ForensixError
from forensix.evidence import Evidence, open_evidence
from forensix.fusion.maps import QUIET
from forensix.mapfiles import grey_maps
from forensix.report.pictures import Pictures
from forensix.result import ScanResult

SIDE = 1600
JPEG_QUALITY = 85


def side_for(files: int) -> int:
    """Longest side of a picture, in pixels, on a page of that many files."""
    if files <= 8:
        return SIDE
    return SIDE // 2 if files <= 40 else SIDE // 4


def pictures_of_scan(evidence: Evidence, result: ScanResult, *, side: int = SIDE) -> Pictures:
    """The pictures of a scan just made, from what is in memory."""
    return _pictures(evidence.rgb, grey_maps(result), side, ())


def pictures_of_document(
    result: ScanResult, directories: Iterable[str | os.PathLike[str]], *, side: int = SIDE
) -> Pictures:
    """The pictures of a saved document, from the files that it names.

    directories : where the maps may lie, first match wins
    """
    if result.error is not None:
        return Pictures()
    missing: list[str] = []
    rgb = None
    try:
        rgb = _examined(result).rgb
    except (ForensixError, OSError) as error:
        missing.append(f"The picture cannot be shown: {error}.")
    places = [Path(directory) for directory in directories]
    return _pictures(rgb, _saved_maps(result, places, missing), side, missing)


def _examined(result: ScanResult) -> Evidence:
    """The file that was examined; ForensixError where it cannot be had."""
    if result.path is None:
        raise EvidenceError("it was not examined as a file")
    if not os.path.exists(result.path):
        raise EvidenceError(f"{result.path} is not there")
    limits = {k: v for k, v in result.tool["config"].items() if k == "max_pixels"}
    evidence = open_evidence(result.path, **limits)
    if evidence.sha256 != result.evidence["sha256"]:
        raise EvidenceError(f"{result.path} is not the file that was examined (its SHA-256 differs)")
    return evidence


def _saved_maps(
    result: ScanResult, places: list[Path], missing: list[str]
) -> Iterator[tuple[str, np.ndarray]]:
    from PIL import Image

    size = (result.evidence["width"], result.evidence["height"])
    for name, filename in result.maps.items():
        # A document may come from anywhere: names that lead out of the folder are not followed.
        bare = filename == os.path.basename(filename)
        path = next((p / filename for p in places if bare and (p / filename).is_file()), None)
        if path is None:
            missing.append(f"The map {name} cannot be shown: {filename} is not there.")
            continue
        try:
            with Image.open(path) as picture:
                if picture.size != size:
                    missing.append(f"The map {name} cannot be shown: {filename} has another size.")
                    continue
                yield name, np.asarray(picture.convert("L"))
        except OSError as error:
            missing.append(f"The map {name} cannot be shown: {error}.")


def _pictures(
    rgb: np.ndarray | None, maps: Iterable[tuple[str, np.ndarray]], side: int, missing: Iterable[str]
) -> Pictures:
    from PIL import Image

    layers = {name: layer_png(largest_within(grey, side)) for name, grey in maps}
    photo, width, height = None, 0, 0
    if rgb is not None:
        small = Image.fromarray(rgb)
        small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
        out = BytesIO()
        small.save(out, "JPEG", quality=JPEG_QUALITY)
        photo, (width, height) = out.getvalue(), small.size
    return Pictures(photo, layers, width, height, tuple(missing))


def largest_within(grey: np.ndarray, side: int) -> np.ndarray:
    """A map made smaller: the largest value of each tile, so that nothing found gets lost.

    grey : (rows, cols) uint8; the result has at most ``side`` rows and columns
    """
    longest = max(grey.shape)
    if longest <= side:
        return grey
    rows, cols = (max(n * side // longest, 1) for n in grey.shape)
    row = np.arange(rows) * grey.shape[0] // rows
    col = np.arange(cols) * grey.shape[1] // cols
    small: np.ndarray = np.maximum.reduceat(np.maximum.reduceat(grey, row, axis=0), col, axis=1)
    return small


def layer_png(grey: np.ndarray) -> bytes:
    """A map as a PNG to lay over the photo: colour and opacity from the absolute scale.

    What reads as nothing found is a faint blue at most; what was found runs from yellow
    to red. The scale is the same for every picture.
    """
    from PIL import Image

    palette, opacity = _scale()
    picture = Image.fromarray(grey)
    picture = Image.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette(palette.tobytes())
    out = BytesIO()
    picture.save(out, "PNG", optimize=True, transparency=opacity.tobytes())
    return out.getvalue()


def _scale() -> tuple[np.ndarray, np.ndarray]:
    """(256, 3) uint8 colours and (256,) uint8 opacities of the values of a map."""
    found = np.clip((np.arange(256) - QUIET - 1) / (254 - QUIET), 0, 1)[:, None]
    colours = (1 - found) * (255, 214, 0) + found * (213, 0, 0)
    opacity = 130 + 30 * found[:, 0]
    quiet = np.arange(256) <= QUIET
    colours[quiet] = (30, 90, 200)
    opacity[quiet] = 60 * np.arange(256)[quiet] / QUIET
    return np.rint(colours).astype(np.uint8), np.rint(opacity).astype(np.uint8)
