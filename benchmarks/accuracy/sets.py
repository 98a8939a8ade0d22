"""Make the standard sets of forgeries for the harness."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from forensix.cli.gather import files_below
from forensix.forgery import claim, plan_set, produce

# Photos that come inside scikit-image's package, with something to see in them.
BUNDLED = ("astronaut.png", "coffee.png", "motorcycle_left.png", "rocket.jpg", "chelsea.png")


def bundled_photos(folder: Path) -> list[str]:
    """The photos of scikit-image as camera-like JPEG files, enlarged so that the sets fit in."""
    import skimage
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in BUNDLED:
        path = folder / f"{Path(name).stem}.jpg"
        if not path.exists():
            with Image.open(Path(skimage.__file__).parent / "data" / name) as photo:
                rgb = photo.convert("RGB")
            factor = 640 / min(rgb.size)
            size = (round(rgb.size[0] * factor), round(rgb.size[1] * factor))
            rgb.resize(size, Image.Resampling.LANCZOS).save(path, quality=95, subsampling=1)
        paths.append(str(path))
    return paths


def photos_below(folder: Path) -> list[str]:
    """The image files below a folder."""
    return files_below([str(folder)])


def make_sets(
    names: Sequence[str], photos: Sequence[str], out: Path, *, scale: str, seed: int = 0, jobs: int = 1
) -> list[Path]:
    """Make standard sets, each in a folder of its name; returns their manifests.

    What is there already is kept. Forgeries that cannot be made are left out and said
    so on stderr.
    """
    manifests = []
    for name in names:
        folder = out / name
        claim(folder, {"kind": name, "photos": sorted(photos), "seed": seed, "scale": scale})
        for outcome in produce(plan_set(name, photos, scale=scale, seed=seed), folder, jobs=jobs):
            if outcome.error:
                sys.stderr.write(f"{name}: {outcome.name}: {outcome.error}\n")
        manifests.append(folder / "manifest.csv")
    return manifests
