"""Feathered pastes found by their outline followed as a whole: an experiment, not yet a method.

    python benchmarks/seam_outlines.py --fit PHOTO... --judge PHOTO...

Pastes with ramps of sigma 0, 1, 2, 4 (PNG and JPEG 90) and their untouched twins are made from the photos. Boosted
trees learn from the first photos, pixel by pixel, what a seam looks like: gradients at seven scales,
fine detail on the seam against both sides of it, how concentrated the step is. In those of the second, the closed
path with the highest mean odds about any of many centres is followed by dynamic programming in polar
coordinates; its mean (or the odds that three quarters of it exceed) is compared between pastes and twins.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator

import cv2
import numpy as np

SIDE, STRIDE = 512, 2
SIGMAS = (0, 1, 2, 4)
SCALES = (0.7, 1.0, 1.5, 2.2, 3.2, 4.7, 7.0)
ANGLES = np.arange(96) * 2 * np.pi / 96
RADII = np.arange(8, 110, 1.5)
ODDS_SHIFT, MOST_ODDS = 0.8, 3.0


def crop(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The most detailed of twelve squares drawn at random."""
    drawn = []
    for _ in range(12):
        top, left = (int(rng.integers(0, side - SIDE + 1)) for side in photo.shape[:2])
        part = photo[top : top + SIDE, left : left + SIDE]
        grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
        cells = [grey[i : i + 64, j : j + 64] for i in range(0, SIDE, 128) for j in range(0, SIDE, 128)]
        drawn.append((float(np.median([cv2.Laplacian(c, cv2.CV_32F).std() for c in cells])), part))
    return max(drawn, key=lambda pair: pair[0])[1].copy()


def blob(rng: np.random.Generator) -> np.ndarray:
    """A smooth closed shape of 5 to 15 %; (512, 512) uint8, 0 and 1."""
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = np.ones(200)
    for k in range(2, 6):
        wave = rng.normal(0, 0.25 / k, 2)
        radius += wave[0] * np.cos(k * turn) + wave[1] * np.sin(k * turn)
    radius = np.clip(radius, 0.4, 1.8)
    radius *= np.sqrt(rng.uniform(0.05, 0.15) * SIDE**2 / np.pi / np.mean(radius**2))
    radius *= min(1.0, (SIDE / 2 - 12) / radius.max())
    down, across = rng.uniform(radius.max() + 8, SIDE - radius.max() - 8, 2)
    outline = np.stack([across + radius * np.cos(turn), down + radius * np.sin(turn)], 1)
    return cv2.fillPoly(np.zeros((SIDE, SIDE), np.uint8), [np.rint(outline).astype(np.int32)], 1)


def pictures(paths: list[str], seed: int) -> Iterator[tuple[int, int, np.ndarray, np.ndarray | None]]:
    """JPEG quality (0: none), sigma (-1: twin), pixels and shape."""
    rng = np.random.default_rng(seed)
    read = [
        photo
        for path in paths
        if (photo := cv2.imread(path)) is not None and min(photo.shape[:2]) > SIDE + 16
    ]
    for number, photo in enumerate(read):
        host, shape = crop(photo, rng), blob(rng)
        donor = crop(read[(number + 1 + int(rng.integers(0, len(read) - 1))) % len(read)], rng).astype(
            np.float32
        )
        if rng.random() < 0.5:  # tone matched
            donor += 0.8 * (host[shape > 0].mean(axis=0) - donor[shape > 0].mean(axis=0))
        donor = np.clip(donor, 0, 255)
        for quality in (0, 90):
            yield quality, -1, encoded(host, quality), None
            for sigma in SIGMAS:
                cover = shape.astype(np.float32)
                cover = (cv2.GaussianBlur(cover, (0, 0), sigma) if sigma else cover)[..., None]
                mixed = np.rint(cover * donor + (1 - cover) * host).astype(np.uint8)
                yield quality, sigma, encoded(mixed, quality), shape


def encoded(pixels: np.ndarray, quality: int) -> np.ndarray:
    if not quality:
        return pixels
    return cv2.imdecode(
        cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR
    )


def features(bgr: np.ndarray) -> np.ndarray:
    """(256, 256, 54) float32, at every second pixel."""
    planes = cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb).astype(np.float32)
    every = np.s_[::STRIDE, ::STRIDE]
    sizes, across, down = {}, np.empty(0), np.empty(0)
    for scale in SCALES:
        smooth = cv2.GaussianBlur(planes, (0, 0), scale)
        gx, gy = cv2.Sobel(smooth, -1, 1, 0) / 8, cv2.Sobel(smooth, -1, 0, 1) / 8
        sizes[scale] = np.hypot(gx, gy)[every]
        if scale == 2.2:
            xx, yy, xy = (cv2.GaussianBlur(v.sum(2), (0, 0), 2) for v in (gx * gx, gy * gy, gx * gy))
            turn = 0.5 * np.arctan2(2 * xy, xx - yy)
            coherence = (np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-3))[every]
            across, down = np.cos(turn)[every], np.sin(turn)[every]
    row, col = np.mgrid[: bgr.shape[0] : STRIDE, : bgr.shape[1] : STRIDE].astype(np.float32)

    def at(values: np.ndarray, normal: float, along: float = 0.0) -> np.ndarray:
        cols, rows = col + normal * across - along * down, row + normal * down + along * across
        return cv2.remap(
            values,
            cols.astype(np.float32),
            rows.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )

    luma = [np.log(sizes[scale][..., 0] + 0.3) for scale in SCALES]
    colour = [np.log(np.hypot(sizes[s][..., 1], sizes[s][..., 2]) + 0.2) for s in (1.0, 2.2, 4.7)]
    told = [coherence, luma[3], *(a - b for a, b in itertools.pairwise(luma))]
    told += [colour[1], colour[0] - colour[1], colour[1] - colour[2]]
    grey = np.ascontiguousarray(planes[..., 0])
    fine, finer = cv2.GaussianBlur(grey, (0, 0), 2), cv2.GaussianBlur(grey, (0, 0), 1)
    chroma = planes[..., 1:] - cv2.GaussianBlur(planes[..., 1:], (0, 0), 1.5)
    for energy in ((grey - finer) ** 2, (finer - fine) ** 2, (chroma**2).sum(2)):
        for width, offsets in ((1.2, (2, 4)), (2.5, (6, 12))):
            logs = np.log(cv2.GaussianBlur(energy, (0, 0), width) + 0.02)
            beside = {t: sum(at(logs, t, u) for u in (-6, -3, 0, 3, 6)) / 5 for t in (-24, -12, *sorted(
                {0, *offsets, *(-o for o in offsets)} - {-12, 12}), 12, 24)}  # fmt: skip
            for o in offsets:
                told += [
                    beside[0] - np.minimum(beside[o], beside[-o]),
                    beside[0] - np.maximum(beside[o], beside[-o]),
                ]
            told.append(beside[0])
            if width == 2.5:
                told += [np.abs(beside[12] - beside[-12]), np.abs(beside[24] - beside[-24])]
    profile = [
        (at(grey, t, -2) + at(grey, t) + at(grey, t, 2)) / 3
        for t in (-8, -5, -3, -1.5, -0.5, 0.5, 1.5, 3, 5, 8)
    ]
    step = np.abs(profile[-1] - profile[0]) + 2
    told += [np.abs(profile[5 + k] - profile[4 - k]) / step for k in range(4)]
    told += [
        np.log(step),
        *(np.abs(at(planes[..., c].copy(), 6) - at(planes[..., c].copy(), -6)) for c in (1, 2)),
    ]
    return np.stack(told, -1).astype(np.float32)


def from_seam(shape: np.ndarray) -> np.ndarray:
    inner, outer = (cv2.distanceTransform(side, cv2.DIST_L2, 5) for side in (shape, 1 - shape))
    return (np.maximum(inner, outer) - 0.5)[::STRIDE, ::STRIDE].ravel()


def fitted(paths: list[str]):
    """Boosted trees for seam against other places, other steps among them."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(0)
    told, seams = [], []
    for _, _, pixels, shape in pictures(paths, seed=1):
        here = features(pixels)
        here = here.reshape(-1, here.shape[-1])
        places = [rng.choice(len(here), 500, replace=False)]
        if shape is not None:
            away = from_seam(shape)
            seam, far = np.flatnonzero(away < 1), np.flatnonzero(away > 14)
            steep = far[np.argsort(-here[far, 1])[: len(far) // 10]]
            places = [
                rng.choice(v, min(n, len(v)), replace=False)
                for v, n in ((seam, 250), (far, 150), (steep, 100))
            ]
        told.append(here[np.concatenate(places)])
        seams.append(np.repeat([shape is not None] + [False] * (len(places) - 1), [len(v) for v in places]))
    trees = HistGradientBoostingClassifier(max_iter=120, max_leaf_nodes=16, l2_regularization=1.0)
    return trees.fit(np.concatenate(told), np.concatenate(seams))


def best_outline(odds: np.ndarray) -> tuple[float, float]:
    """The highest mean along a closed path, and the highest quarter quantile of the best path about a centre."""
    grid = [(r, c) for r in range(24, odds.shape[0] - 16, 24) for c in range(24, odds.shape[1] - 16, 24)]
    x, y = RADII * np.cos(ANGLES)[:, None], RADII * np.sin(ANGLES)[:, None]
    polar = np.stack([
        cv2.remap(odds, (c + x).astype(np.float32), (r + y).astype(np.float32), cv2.INTER_LINEAR,
                  borderMode=cv2.BORDER_CONSTANT, borderValue=-1.5)
        for r, c in grid
    ])  # fmt: skip
    number, turns, radii = polar.shape
    total, back = np.zeros((number, radii)), np.zeros((2 * turns, number, radii), np.int64)
    for step in range(2 * turns):  # twice around, so that the second half of the path is closed or nearly so
        padded = np.pad(total, ((0, 0), (2, 2)), constant_values=-1e9)
        moves = np.stack([padded[:, k : k + radii] - 0.15 * abs(k - 2) for k in range(5)])
        back[step] = moves.argmax(axis=0)
        total = moves.max(axis=0) + polar[:, step % turns]
    at, path = total.argmax(axis=1), np.zeros((number, 2 * turns), np.int64)
    for step in range(2 * turns - 1, -1, -1):
        path[:, step] = at
        at = np.clip(at + back[step, np.arange(number), at] - 2, 0, radii - 1)
    once = np.roll(path[:, turns // 2 : turns // 2 + turns], turns // 2, axis=1)
    along = np.take_along_axis(polar, once[:, :, None], axis=2)[:, :, 0]
    return float(along.mean(axis=1).max()), float(np.quantile(along, 0.25, axis=1).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", nargs="+", required=True)
    parser.add_argument("--judge", nargs="+", required=True)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    trees, judged = fitted(chosen.fit), []
    for quality, sigma, pixels, _ in pictures(chosen.judge, seed=2):
        here = features(pixels)
        odds = trees.decision_function(here.reshape(-1, here.shape[-1])).reshape(here.shape[:2])
        odds = np.clip(odds - ODDS_SHIFT, -MOST_ODDS, MOST_ODDS).astype(np.float32)
        judged.append((quality, sigma, *best_outline(odds)))
    print("| encoding | sigma | AUC by mean | AUC by quarter quantile |\n|---|---|---|---|")
    table = np.array(judged)
    for quality in (0, 90):
        for sigma in SIGMAS:
            cells = []
            for column in (2, 3):
                forged, twins = (
                    table[(table[:, 0] == quality) & (table[:, 1] == s), column] for s in (sigma, -1)
                )
                wins = (forged[:, None] > twins).mean() + 0.5 * (forged[:, None] == twins).mean()
                cells.append(f"{wins:.2f}")
            print(f"| {'JPEG 90' if quality else 'PNG'} | {sigma} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
