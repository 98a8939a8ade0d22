"""Photos for the tests of forgeries: those that ship in scikit-image's wheel, and made ones."""

from pathlib import Path

import numpy as np
import skimage
from PIL import Image

NAMES = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png")


def picture(name: str, size: int = 256) -> np.ndarray:
    """A (size, size, 3) uint8 piece of a shipped photo with something in it."""
    with Image.open(Path(skimage.__file__).parent / "data" / name) as photo:
        image = np.array(photo.convert("RGB"))
    top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
    return np.ascontiguousarray(image[top : top + size, left : left + size])


def save_photos(folder: Path, size: int = 256, names=NAMES) -> list[str]:
    """Some of them as JPEG files, as a camera leaves them."""
    paths = []
    for number, name in enumerate(names):
        path = folder / f"photo {number}.jpg"
        Image.fromarray(picture(name, size)).save(path, quality=92 + number % 4, subsampling=number % 3)
        paths.append(str(path))
    return paths
