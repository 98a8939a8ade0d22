"""Draw the pictures of forgery.rst: ``python docs/forgery_examples.py``.

One forgery of each kind from the photos that come with scikit-image: the untouched twin,
the forgery, and the mask (white: changed; grey: where a copy was taken from).
"""

import io
import tempfile
from pathlib import Path

import numpy as np
import skimage
from PIL import Image

from forensix.forgery import Recipe, make
from forensix.forgery.photo import PhotoShelf

HERE = Path(__file__).parent
PHOTOS = {"coffee": "coffee.png", "cat": "chelsea.png", "rocket": "rocket.jpg", "motorcycle": "motorcycle_left.png",
          "astronaut": "astronaut.png"}  # fmt: skip
EXAMPLES = {
    "copy-move": {"host": "coffee", "seed": 7, "parameters": {
        "area": 0.035, "rotation": 12, "scale": 1.1, "blend": "feather", "feather": 1.5}},
    "splicing": {"host": "motorcycle", "donor": "cat", "seed": 2, "donor_chain": "jpeg:70", "parameters": {
        "area": 0.08, "tone": 0.4, "blend": "feather", "feather": 2.0, "grid": "off"}},
    "removal": {"host": "motorcycle", "seed": 9, "parameters": {"method": "exemplar", "area": 0.02}},
    "trace": {"host": "astronaut", "seed": 5, "parameters": {"operation": "gaussian", "sigma": 2.0, "area": 0.1}},
    "generator": {"host": "astronaut", "seed": 1, "parameters": {"upsampling": "transposed", "stages": 2, "whole": True}},
}  # fmt: skip
SIZE, GAP = 300, 6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, file in PHOTOS.items():
            paths[name] = str(Path(folder) / f"{name}.jpg")
            with Image.open(Path(skimage.__file__).parent / "data" / file) as photo:
                photo.convert("RGB").save(paths[name], quality=95, subsampling=0)
        for kind, example in EXAMPLES.items():
            own = {
                **example,
                "host": paths[example["host"]],
                "donor": paths.get(example.get("donor", ""), ""),
            }
            recipe = Recipe(
                name=kind, kind=kind, index=0, chain="camera-jpeg, edit, jpeg:90", size=(400, 400), **own
            )
            made = make(recipe, PhotoShelf().read)
            tiles = [
                Image.open(io.BytesIO(made.files[role][1])).convert("RGB")
                for role in ("twin", "forged", "mask")
            ]
            sheet = Image.new("RGB", (3 * SIZE + 2 * GAP, SIZE), "white")
            for place, tile in enumerate(tiles):
                tile.thumbnail((SIZE, SIZE), Image.Resampling.LANCZOS)
                sheet.paste(tile, (place * (SIZE + GAP), 0))
            sheet = sheet.crop((0, 0, sheet.width, int(np.array([t.height for t in tiles]).max())))
            sheet.save(HERE / "images" / f"forgery-{kind}.jpg", quality=82)


if __name__ == "__main__":
    main()
