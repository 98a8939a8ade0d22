"""How exactly the JPEG past of a lossless picture is read: its quality, and where its grid lay.

    python benchmarks/png_was_jpeg.py PHOTO... [--size 1024] [--seed 0]

Each photo is halved, which removes traces of its own compression (photos below 1.5 megapixels
are taken as they are and should be lossless), cropped, saved at each quality with each chroma
sampling, decoded, cropped off by up to seven rows and columns, and stored as PNG. Counted is how
often the quality named is within two of the true one, and the grid exact. A control is the same
picture without the JPEG.
"""

from __future__ import annotations

import argparse

import numpy as np
from jpeg_nonaligned import bases

import forensix
from forensix.detectors.jpeg import was_jpeg
from forensix.forgery.encode import encode, jpeg_round

QUALITIES = (50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 98)
REQUIRED = 95  # the best quality that the mean covers


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--size", type=int, default=1024, help="largest side of the crops, pixels")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    pictures = bases(args.photos, args.size)
    seen: dict[int, list[tuple[bool, bool]]] = {quality: [] for quality in QUALITIES}
    alarms = 0
    for picture in pictures:
        for nth, quality in enumerate(QUALITIES):
            down, right = divmod(int(rng.integers(64)), 8)
            jpeg = jpeg_round(picture, quality=quality, sampling=("420", "422", "444")[nth % 3])
            finding = was_jpeg.detect(forensix.open(encode(jpeg[down:, right:], file_format="png")))
            named = finding.measurements["previous_quality"]
            grid = finding.measurements["grid"] == [-down % 8, -right % 8]
            seen[quality].append((named is not None and abs(named - quality) <= 2, grid))
        finding = was_jpeg.detect(forensix.open(encode(picture, file_format="png")))
        alarms += finding.decided
    print("| quality | within 2 | grid exact | both | of |")
    print("|---|---|---|---|---|")
    for quality, found in seen.items():
        row(str(quality), found)
    row(f"50 to {REQUIRED}", [one for quality in QUALITIES if quality <= REQUIRED for one in seen[quality]])
    print(f"\nNever a JPEG: {alarms} of {len(pictures)} called one.")


def row(name: str, found: list[tuple[bool, bool]]) -> None:
    quality, grid = np.array(found).T
    both = float((quality & grid).mean())
    print(f"| {name} | {quality.mean():.2f} | {grid.mean():.2f} | {both:.3f} | {len(found)} |")


if __name__ == "__main__":
    main()
