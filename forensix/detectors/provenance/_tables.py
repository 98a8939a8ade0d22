"""Whose quantization tables are these? By formula and by comparison with an open collection.

``models/jpeg_tables.json`` holds tables of the standard, of libraries and programs, and
of cameras, each row with its source. Tables are compared whole, both luma and chroma; no
marker and no name is looked at here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np

LIBRARY, SCALED, PHOTOSHOP, CAMERA, OWN = "libjpeg", "scaled standard", "photoshop", "camera", "own"
_QUALITIES = np.arange(1, 101)
_SCALES = np.arange(0.01, 2.6, 0.0025)
_PLATEAU = 49  # zig-zag places from which on Adobe's tables are constant
_COARSEST_END = 100
_COARSE_ENOUGH = 6  # largest step; a finer table does not tell how it was made


@dataclass(frozen=True)
class Row:
    """One row of the collection; luma and chroma in row order."""

    name: str
    family: str
    scaled: bool
    luma: np.ndarray
    chroma: np.ndarray
    source: str
    make: str | None
    model: str | None


@dataclass(frozen=True)
class Origin:
    """Which producers' tables a file's tables are.

    family : "libjpeg", "mozjpeg", "photoshop" (a program or library), "scaled standard"
        (the standard's tables, scaled otherwise than libjpeg does), "camera" (known of a
        camera only) or "own" (none of these)
    name : of the row or the formula, in words
    quality : of the libjpeg scale, where tables are scaled by it
    cameras : (make, model) of the cameras the collection has these very tables of
    """

    family: str
    name: str
    quality: int | None
    cameras: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def collection() -> tuple[Row, ...]:
    """The rows of ``models/jpeg_tables.json``."""
    text = resources.files("forensix.models").joinpath("jpeg_tables.json").read_text("utf-8")
    return tuple(
        Row(
            row["name"], row["family"], row["scaled"] == "ijg", np.array(row["luma"]), np.array(row["chroma"]),
            row["source"], row.get("make"), row.get("model"),
        )
        for row in json.loads(text)["rows"]
    )  # fmt: skip


def origin(tables: Sequence[np.ndarray]) -> Origin:
    """Compare the tables of a file with formulae and with the collection.

    Parameters
    ----------
    tables : sequence of (8, 8) int
        One per component, luma first; a grey picture has one.
    """
    luma = np.asarray(tables[0]).ravel()
    chroma = np.asarray(tables[1]).ravel() if len(tables) > 1 else None
    if len(tables) > 2 and not np.array_equal(tables[1], tables[2]):
        return Origin(OWN, "tables of its own for each colour", None, ())
    cameras = tuple(
        (row.make or "", row.model or "")
        for row in collection()
        if row.family == CAMERA and _same(row, luma, chroma)
    )
    for row in collection():
        if row.family != CAMERA and row.scaled:
            quality = scaled_quality(row, luma, chroma)
            if quality is not None:
                return Origin(row.family, f"{row.name}, quality {quality}", quality, cameras)
        elif row.family != CAMERA and _same(row, luma, chroma):
            return Origin(row.family, row.name, None, cameras)
    if chroma is not None and adobe_like(luma, chroma):
        return Origin(PHOTOSHOP, "built like Adobe's tables", None, cameras)
    if is_scaled_standard(luma, chroma):
        return Origin(SCALED, "the standard's tables, scaled otherwise than by libjpeg", None, cameras)
    if cameras:
        return Origin(CAMERA, "tables known of cameras", None, cameras)
    return Origin(OWN, "tables of no known program", None, cameras)


def _same(row: Row, luma: np.ndarray, chroma: np.ndarray | None) -> bool:
    """True for equal tables; those of a picture turned without loss are transposed."""
    for turned in (False, True):
        own = [table.reshape(8, 8).T.ravel() if turned else table for table in (row.luma, row.chroma)]
        if np.array_equal(own[0], luma) and (chroma is None or np.array_equal(own[1], chroma)):
            return True
    return False


def scaled_quality(row: Row, luma: np.ndarray, chroma: np.ndarray | None) -> int | None:
    """The one libjpeg quality at which a row's tables are those of the file; the highest of equals."""
    scale = np.where(_QUALITIES < 50, 5000 // _QUALITIES, 200 - 2 * _QUALITIES)[:, None]
    limit = 255 if max(luma.max(), 0 if chroma is None else chroma.max()) <= 255 else 32767
    for base, table in ((row.luma, luma), (row.luma.reshape(8, 8).T.ravel(), luma)):
        turned = base is not row.luma
        other = row.chroma.reshape(8, 8).T.ravel() if turned else row.chroma
        fits = np.all(np.clip((base * scale + 50) // 100, 1, limit) == table, axis=1)
        if chroma is not None:
            fits &= np.all(np.clip((other * scale + 50) // 100, 1, limit) == chroma, axis=1)
        if fits.any():
            return int(_QUALITIES[np.flatnonzero(fits)[-1]])
    return None


def adobe_like(luma: np.ndarray, chroma: np.ndarray) -> bool:
    """True for tables built as Adobe's: symmetric, and constant, alike in both, at high frequencies.

    What Photoshop's "save as", "save for web" and Lightroom write in all rows of the
    collection, and none of its camera rows does.
    """
    from forensix.evidence.jpeg_quality import ZIGZAG

    squares = luma.reshape(8, 8), chroma.reshape(8, 8)
    if any(not np.array_equal(square, square.T) for square in squares) or luma.max() == luma.min():
        return False
    ends = np.concatenate([luma[ZIGZAG[_PLATEAU:]], chroma[ZIGZAG[_PLATEAU:]]])
    return bool(ends.max() == ends.min() < _COARSEST_END and chroma.max() > 1)


def is_scaled_standard(luma: np.ndarray, chroma: np.ndarray | None) -> bool:
    """True for the standard's tables times any factor, one for each table, up to rounding."""
    standard = collection()[0]
    pairs = [(standard.luma, luma)] + ([(standard.chroma, chroma)] if chroma is not None else [])
    if luma.max() < _COARSE_ENOUGH:
        return False
    return all(_proportional(base, table) for base, table in pairs)


def _proportional(base: np.ndarray, table: np.ndarray) -> bool:
    for own in (base, base.reshape(8, 8).T.ravel()):
        off = np.abs(np.clip(own * _SCALES[:, None], 1, 255) - table).max(axis=1)
        if off.min() <= 1:
            return True
    return False
