"""Make the shipped examples: two forgeries with known history, and their untouched twins.

    python examples/make_examples.py [FOLDER]

The photos come with scikit-image: the rocket (SpaceX, public domain), the cup of coffee
(Rachel Michetti, CC0) and the cat Chelsea (Stefan van der Walt, CC0). A twin went through
the same encodings as its forgery and differs from it in nothing but the forgery.
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

COLUMNS = ("image", "mask", "label", "kind", "mask_marks", "group", "notes")


def saved(photo: Image.Image, quality: int) -> Image.Image:
    """The photo after one trip through a JPEG file (4:2:0)."""
    out = io.BytesIO()
    photo.save(out, "JPEG", quality=quality, subsampling="4:2:0")
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def second_rocket() -> tuple[Image.Image, Image.Image, Image.Image]:
    """Copy-move: the rocket, copied to the right of itself. Twin, forgery, mask of both."""
    twin = Image.fromarray(data.rocket())
    top, left, rows, cols, shift = 122, 298, 276, 52, 66
    piece = twin.crop((left, top, left + cols, top + rows))
    blend = Image.new("L", piece.size, 0)
    ImageDraw.Draw(blend).rectangle((4, 4, cols - 5, rows - 1), fill=255)
    blend = blend.filter(ImageFilter.GaussianBlur(2))
    forged = twin.copy()
    forged.paste(piece, (left + shift, top), blend)
    mask = Image.new("L", twin.size, 0)
    for offset in (0, shift):
        ImageDraw.Draw(mask).rectangle(
            (left + offset + 4, top + 4, left + offset + cols - 5, top + rows - 1), fill=255
        )
    return twin, forged, mask


def cat_in_the_cup() -> tuple[Image.Image, Image.Image, Image.Image]:
    """Splicing: a photo that was once saved at quality 70, with a piece that never was."""
    twin = saved(Image.fromarray(data.coffee()), 70)
    cat = (
        Image.fromarray(data.chelsea()).crop((70, 20, 390, 260)).resize((176, 132), Image.Resampling.LANCZOS)
    )
    oval = Image.new("L", cat.size, 0)
    ImageDraw.Draw(oval).ellipse((6, 6, cat.width - 7, cat.height - 7), fill=255)
    blend = oval.filter(ImageFilter.GaussianBlur(1.5))
    place = (206, 48)
    forged = twin.copy()
    forged.paste(cat, place, blend)
    mask = Image.new("L", twin.size, 0)
    mask.paste(oval, place)
    return twin, forged, mask


RECIPES = {
    "second-rocket": (
        second_rocket,
        90,
        "copy-move",
        "both",
        "rocket copied 66 pixels to the right; saved at 90",
    ),
    "cat-in-the-cup": (
        cat_in_the_cup,
        92,
        "splicing",
        "tampered",
        "host saved at 70, piece never; all saved at 92",
    ),
}


def make(folder: Path) -> None:
    """Write every example, its twin, its mask and the manifest into a folder."""
    rows = []
    for name, (build, quality, kind, marks, notes) in RECIPES.items():
        twin, forged, mask = build()
        for picture, stem in ((forged, name), (twin, f"{name}-untouched")):
            picture.save(folder / f"{stem}.jpg", "JPEG", quality=quality, subsampling="4:2:0")
        Image.fromarray(np.where(np.asarray(mask) > 127, 255, 0).astype(np.uint8)).save(
            folder / f"{name}-mask.png"
        )
        rows.append((f"{name}.jpg", f"{name}-mask.png", "tampered", kind, marks, name, notes))
        rows.append((f"{name}-untouched.jpg", "", "authentic", "", "", name, "the untouched twin"))
    with open(folder / "manifest.csv", "w", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows([COLUMNS, *rows])


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
