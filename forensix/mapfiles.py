"""The maps of a scan as PNG files: 8-bit grey, the full size of the image."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from forensix.fusion.maps import decision_mask, fuse_heatmaps, grey_map
from forensix.result import ScanResult

# Maps are mostly flat: the quickest level is within a few per cent of the best one.
COMPRESSION = 1


def grey_maps(result: ScanResult) -> Iterator[tuple[str, np.ndarray]]:
    """The maps of a scan just made, by name: "fused", "mask", then each detector's.

    Yields
    ------
    (name, grey)
        grey is (rows, cols) uint8 on the absolute scale: 127 and less reads as nothing
        found. The mask is 0 or 255. One map is in memory at a time.
    """
    rows, cols = result.evidence["height"], result.evidence["width"]
    fused = fuse_heatmaps(result.findings, result.conclusions["integrity"], rows, cols)
    yield "fused", fused
    yield "mask", decision_mask(fused)
    del fused
    for name, heatmap in result.heatmaps.items():
        yield name, grey_map(heatmap, rows, cols)


def write_maps(result: ScanResult, directory: str | os.PathLike[str]) -> ScanResult:
    """Write the maps of a scan just made; the result with their bare names as ``maps``.

    ``STEM.fused.png`` and ``STEM.mask.png`` are written for every result, and
    ``STEM.<detector>.png`` for every method that drew a map. A result that is an error
    has no maps and comes back as it is.

    Raises OSError where the directory cannot be made or written.
    """
    if result.error is not None:
        return result
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    names = {}
    for name, grey in grey_maps(result):
        names[name] = f"{result.stem}.{name}.png"
        write_whole(target / names[name], grey_png(grey))
    return result.with_(maps=names)


def grey_png(grey: np.ndarray) -> bytes:
    """(rows, cols) uint8 as the bytes of a PNG file."""
    from io import BytesIO

    from PIL import Image

    out = BytesIO()
    Image.fromarray(grey).save(out, "PNG", compress_level=COMPRESSION)
    return out.getvalue()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    The temporary name is its writer's own, because two workers that hold copies of one
    image write maps of the same name and content.
    """
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
