"""Draw docs/images/cat-in-the-cup.png: the example forgery beside the map of its scan.

python docs/make_result_picture.py
"""

from pathlib import Path

import numpy as np
from PIL import Image

import forensix
from forensix.fusion import fuse_heatmaps

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples" / "cat-in-the-cup.jpg"
GAP = 12


def main() -> None:
    evidence = forensix.open(EXAMPLE)
    result = forensix.scan(evidence)
    fused = fuse_heatmaps(result.findings, result.conclusions["integrity"], evidence.height, evidence.width)
    sheet = np.full((evidence.height, 2 * evidence.width + GAP, 3), 255, np.uint8)
    sheet[:, : evidence.width] = evidence.rgb
    sheet[:, evidence.width + GAP :] = fused[:, :, None]
    Image.fromarray(sheet).quantize(256).save(HERE / "images" / "cat-in-the-cup.png", optimize=True)


if __name__ == "__main__":
    main()
