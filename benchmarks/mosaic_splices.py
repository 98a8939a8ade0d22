"""Splices between photos as a filter array would have measured them, never compressed, with twins.

    python benchmarks/mosaic_splices.py OUT PHOTO... [--count 36] [--seed 7] [--quality 98]

Photos are averaged to a quarter of their size, made linear, measured behind a filter array in
one of its four places with shot and read-out noise, demosaicked in one of four ways, and stored
with 8 bits. Two thirds of the donors went through an array of their own, the rest through none. OUT
gets PNG files (JPEG, 4:4:4, with --quality), masks, and a manifest that ``benchmarks/camera_traces.py
measure`` reads.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import forensix
from forensix.errors import ForensixError

WAYS = ("bilinear", "edge-directed", "malvar", "vng")
# OpenCV names an array by its second row, from the second pixel on.
ARRAYS = {"RGGB": ((0, 0), "BG"), "GRBG": ((0, 1), "GB"), "GBRG": ((1, 0), "GR"), "BGGR": ((1, 1), "RG")}
AREAS = (0.04, 0.07, 0.11, 0.16)
GAMMA = 2.2
LEAST_SIDE = 280


def measured(linear: np.ndarray, array: str) -> np.ndarray:
    """(rows, cols): the one colour that each pixel sees."""
    (row, col), _ = ARRAYS[array]
    mosaic = linear[..., 1].copy()
    mosaic[row::2, col::2] = linear[row::2, col::2, 0]
    mosaic[1 - row :: 2, 1 - col :: 2] = linear[1 - row :: 2, 1 - col :: 2, 2]
    return mosaic


def malvar(mosaic: np.ndarray, array: str) -> np.ndarray:
    """H. S. Malvar, L. He, R. Cutler, ICASSP 2004, doi 10.1109/ICASSP.2004.1326587."""
    (row, col), _ = ARRAYS[array]
    green = [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]
    along = [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]
    across = [[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]]
    kernels = [np.array(k, np.float32) / 8 for k in (green, along, np.transpose(along), across)]
    at_other, beside, above, diagonal = (
        cv2.filter2D(mosaic, cv2.CV_32F, k, borderType=cv2.BORDER_REFLECT_101) for k in kernels
    )
    rgb = np.repeat(mosaic[..., None], 3, axis=2)
    for channel, (r, c) in ((0, (row, col)), (2, (1 - row, 1 - col))):
        rgb[r::2, c::2, 1] = at_other[r::2, c::2]
        rgb[r::2, 1 - c :: 2, channel] = beside[r::2, 1 - c :: 2]
        rgb[1 - r :: 2, c::2, channel] = above[1 - r :: 2, c::2]
        rgb[1 - r :: 2, 1 - c :: 2, channel] = diagonal[1 - r :: 2, 1 - c :: 2]
    return rgb


def developed(
    rgb: np.ndarray, array: str, way: str, noise: float, generator: np.random.Generator
) -> np.ndarray:
    """(rows, cols, 3) uint8: the photo as a camera with this array would have made it.

    noise : standard deviation in white, of 255
    """
    linear = (rgb.astype(np.float32) / 255) ** GAMMA
    mosaic = measured(linear, array)
    mosaic += generator.standard_normal(mosaic.shape, np.float32) * noise / 255 * np.sqrt(0.1 + mosaic)
    mosaic = np.clip(mosaic, 0, 1)
    name = f"COLOR_Bayer{ARRAYS[array][1]}2RGB"
    if way == "malvar":
        full = malvar(mosaic, array)
    elif way == "vng":  # for 8 bits only, and so after gamma
        return cv2.cvtColor(
            np.rint(255 * mosaic ** (1 / GAMMA)).astype(np.uint8), getattr(cv2, f"{name}_VNG")
        )
    else:
        code = getattr(cv2, name + ("_EA" if way == "edge-directed" else ""))
        full = cv2.cvtColor(np.rint(65535 * mosaic).astype(np.uint16), code).astype(np.float32) / 65535
    return np.rint(255 * np.clip(full, 0, 1) ** (1 / GAMMA)).astype(np.uint8)


def blob(shape: tuple[int, int], area: float, generator: np.random.Generator) -> np.ndarray:
    """A connected, uneven part of the picture, of this share."""
    waves = cv2.GaussianBlur(generator.standard_normal(shape).astype(np.float32), (0, 0), min(shape) / 8)
    middle = generator.uniform(0.3, 0.7, 2) * shape
    row, col = np.indices(shape)
    away = np.hypot(row - middle[0], col - middle[1]) / np.sqrt(area * shape[0] * shape[1] / np.pi)
    height = 0.35 * waves / waves.std() - away
    part: np.ndarray = height > np.quantile(height, 1 - area)
    return part


def quartered(path: str) -> np.ndarray | None:
    """A quarter of the photo's size; None for what is too small or cannot be read."""
    try:
        rgb = forensix.open(path).rgb
    except ForensixError as error:
        print(path, error)
        return None
    size = (rgb.shape[1] // 4, rgb.shape[0] // 4)
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if min(size) >= LEAST_SIDE else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--count", type=int, default=36)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quality", type=int, help="JPEG in place of PNG")
    asked = parser.parse_args()
    generator = np.random.default_rng(asked.seed)
    photos = [small for path in asked.photos if (small := quartered(path)) is not None]
    if len(photos) < 2:
        parser.error(f"at least two photos of {4 * LEAST_SIDE} pixels a side are needed")
    asked.out.mkdir(parents=True, exist_ok=True)
    suffix, options = (
        (".png", {}) if asked.quality is None else (".jpg", {"quality": asked.quality, "subsampling": 0})
    )
    with (asked.out / "manifest.csv").open("w", newline="") as handle:
        table = csv.writer(handle)
        table.writerow(("image", "mask", "label", "notes"))
        for number in range(asked.count):
            host, donor, mask, notes = spliced(photos, number, generator)
            Image.fromarray(mask).save(asked.out / f"{number:03d}-mask.png")
            forged = np.where(mask[..., None], donor, host)
            for label, pixels in (("tampered", forged), ("authentic", host)):
                name = f"{number:03d}-{label}{suffix}"
                Image.fromarray(pixels).save(asked.out / name, **options)
                table.writerow((name, f"{number:03d}-mask.png" if label == "tampered" else "", label, notes))


def spliced(
    photos: list[np.ndarray], number: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Host, donor, mask and what was done, for the splice of this number."""
    first = number % len(photos)
    second = (7 * number + 3) % len(photos)
    second = second if second != first else (second + 1) % len(photos)
    rows, cols = np.minimum(photos[first].shape[:2], photos[second].shape[:2])
    arrays = generator.choice(list(ARRAYS), 2)
    noise = generator.uniform(1, 8, 2)
    ways = WAYS[number % 4], str(generator.choice(WAYS)) if number % 3 else "none"
    host = developed(photos[first][:rows, :cols], arrays[0], ways[0], noise[0], generator)
    plain = photos[second][:rows, :cols]
    if ways[1] == "none":
        grain = generator.standard_normal(plain.shape) * noise[1] / 2
        donor = np.clip(np.rint(plain + grain), 0, 255).astype(np.uint8)
    else:
        donor = developed(plain, arrays[1], ways[1], noise[1], generator)
    notes = "; ".join(f"{a} {w} {n:.1f}" for a, w, n in zip(arrays, ways, noise, strict=True))
    return host, donor, blob((int(rows), int(cols)), AREAS[number % 4], generator), notes


if __name__ == "__main__":
    main()
