"""Upright faces seen from the front, by a cascade of local binary patterns that ships with scikit-image."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from forensix.errors import ParameterError
from forensix.signal.regions import Box

SEARCHED = 500_000  # pixels a picture is reduced to
SMALLEST = 24  # pixels after reduction; the cascade's own window
ZOOMED = 56  # side of a candidate when it is looked at again
AROUND = 0.5  # of its side, on each side, of a candidate when it is looked at again
LEAST_HITS = 4  # windows that must agree, in the candidate and in its mirror image each
LEAST_TOGETHER = 16  # of both; other things than faces seldom pass as often
SAME_SIDE = 1.4  # factor by which these may differ in size from the candidate
NEAR = 0.3  # of the side: how far they may lie from it
MOST_LOOKED_AT = 60


def find_faces(luma: np.ndarray) -> list[Box]:
    """Boxes of upright faces, largest first.

    The cascade takes other things for faces now and then: letters, leaves, windows. Mostly by
    chance, in one window; a candidate is therefore kept only when several windows about it, in the
    picture and in its mirror image, pass the whole cascade too.

    Parameters
    ----------
    luma : (rows, cols) float32
        0-255.

    Returns
    -------
    list of (top, left, rows, cols)
        Within the picture, from the brows to the chin.

    Raises
    ------
    ParameterError
        For arrays of another number of dimensions.

    References
    ----------
    S. Liao, X. Zhu, Z. Lei, L. Zhang, S. Z. Li, "Learning multi-scale block local binary patterns
    for face recognition", ICB 2007. https://doi.org/10.1007/978-3-540-74549-5_87
    P. Viola, M. Jones, "Robust real-time face detection", IJCV 57(2), 2004.
    https://doi.org/10.1023/B:VISI.0000013087.49260.fb
    """
    if luma.ndim != 2:
        raise ParameterError(f"luma must be (rows, cols), got shape {luma.shape}")
    scale = min(1.0, float(SEARCHED / max(1, luma.size)) ** 0.5)
    rows, cols = (round(side * scale) for side in luma.shape)
    if min(rows, cols) < SMALLEST:
        return []
    found, _ = _cascade().detectMultiScale2(
        _resized(luma, rows, cols), scaleFactor=1.2, minNeighbors=1, minSize=(SMALLEST, SMALLEST)
    )
    candidates = sorted((tuple(int(v) for v in box) for box in found), key=lambda box: (-box[2], box))
    boxes: list[Box] = []
    for left, top, side, _ in candidates[:MOST_LOOKED_AT]:
        box = _confirmed(luma, top / scale, left / scale, side / scale)
        if box is not None and not any(_overlap(box, other) for other in boxes):
            boxes.append(box)
    return sorted(boxes, key=lambda box: (-box[2] * box[3], box))


@cache
def _cascade() -> Any:
    """The cascade. A misspelt tag in scikit-image's copy keeps OpenCV from reading the file itself."""
    import cv2
    from skimage import data

    with open(data.lbp_frontal_face_cascade_filename(), encoding="utf-8") as file:
        text = file.read().replace("featuhreParams", "featureParams")
    storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    cascade = cv2.CascadeClassifier()
    cascade.read(storage.getFirstTopLevelNode())
    return cascade


def _resized(luma: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """(rows, cols) uint8"""
    import cv2

    how = cv2.INTER_AREA if rows < luma.shape[0] else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(luma, np.float32), (cols, rows), interpolation=how)
    return np.rint(np.clip(resized, 0, 255)).astype(np.uint8)


def _confirmed(luma: np.ndarray, top: float, left: float, side: float) -> Box | None:
    """The mean of the windows that take the candidate for a face; None where too few do."""
    margin = AROUND * side
    first, last = max(0, round(top - margin)), round(top + side + margin)
    start, end = max(0, round(left - margin)), round(left + side + margin)
    part, zoom = luma[first:last, start:end], ZOOMED / side
    part = _resized(part, *(max(1, round(size * zoom)) for size in part.shape))
    expected = np.array([(left - start) * zoom, (top - first) * zoom])
    kept: list[np.ndarray] = []
    for mirrored in (False, True):
        windows = _windows(np.ascontiguousarray(part[:, ::-1]) if mirrored else part)
        if mirrored:
            windows[:, 0] = part.shape[1] - windows[:, 0] - windows[:, 2]
        near = windows[np.abs(windows[:, :2] - expected).max(axis=1) < NEAR * ZOOMED]
        if len(near) < LEAST_HITS:
            return None
        kept.extend(near)
    if len(kept) < LEAST_TOGETHER:
        return None
    across, down, wide = np.mean(kept, axis=0) / zoom
    row, col = max(0, round(first + down)), max(0, round(start + across))
    return row, col, min(round(wide), luma.shape[0] - row), min(round(wide), luma.shape[1] - col)


def _windows(part: np.ndarray) -> np.ndarray:
    """All windows (left, top, side) that pass the cascade; (number, 3) float64."""
    least, most = round(ZOOMED / SAME_SIDE), round(ZOOMED * SAME_SIDE)
    found = _cascade().detectMultiScale(
        part, scaleFactor=1.1, minNeighbors=0, minSize=(least, least), maxSize=(most, most)
    )
    return np.array(found, np.float64).reshape(-1, 4)[:, :3].copy()


def _overlap(one: Box, other: Box) -> bool:
    """Whether the middle of either box lies in the other."""
    for (top, left, rows, cols), (row, col, high, wide) in ((one, other), (other, one)):
        if 0 <= row + high / 2 - top < rows and 0 <= col + wide / 2 - left < cols:
            return True
    return False
