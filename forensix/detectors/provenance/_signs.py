"""What speaks for a camera's own file, what for one that a program wrote, and how much.

Each sign has a weight: the decimal logarithm of how much likelier it is in a file that
was saved again than in a camera's own. The weights are round numbers, set beforehand from
what is published on camera headers (Kee, Johnson & Farid 2011: quantization tables,
Huffman codes, thumbnails and EXIF of 773 cameras) and on programs (the sources of libjpeg,
mozjpeg and Pillow), not fitted to any collection of files; the calibration turns their
sum into a weight of evidence. Metadata can be copied into any file: intact, they speak for
the camera only as far as the file is also built as cameras build theirs. And what a file
says of itself in words counts only as far as it is built as programs build theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from forensix.detectors.provenance._claims import Claims
from forensix.detectors.provenance._heif import HeifItems
from forensix.detectors.provenance._layout import Layout
from forensix.detectors.provenance._tables import CAMERA, LIBRARY, OWN, PHOTOSHOP, SCALED, Origin
from forensix.detectors.provenance._thumbnail import Likeness

LATE = 120.0  # seconds: a camera writes the file within that of taking the picture
ALIKE, UNLIKE = 0.75, 0.55  # correlation of a thumbnail with its picture, and with others
LITTLE, SMALL = 300_000, 1_000_000  # pixels; cameras have had two million and more since about 2002
MOST_CLAIMED, DOUBTED_CLAIM = 1.0, 0.3
# Intact metadata count this much whatever the structure, and so much more per unit that speaks for a camera.
COPIED, BACKED = 0.5, 2.0


@dataclass(frozen=True)
class Sign:
    """One observation: what it is called, its weight, and the words for it."""

    name: str
    weight: float
    words: str


@dataclass
class Signs:
    """Signs measured on the file, and claims the file makes."""

    measured: list[Sign] = field(default_factory=list)
    claimed: list[Sign] = field(default_factory=list)

    def add(self, name: str, weight: float, words: str) -> None:
        self.measured.append(Sign(name, weight, words))

    def claim(self, name: str, weight: float, words: str) -> None:
        self.claimed.append(Sign(name, weight, words))

    @property
    def structure(self) -> float:
        """What is told by how the file is built."""
        return sum(sign.weight for sign in self.measured if sign.name in STRUCTURE)

    @property
    def believed(self) -> float:
        """What the claims add: little in a file built as cameras build them."""
        claimed = min(sum(sign.weight for sign in self.claimed), MOST_CLAIMED)
        return claimed if self.structure > 0 else min(claimed, DOUBTED_CLAIM)

    @property
    def total(self) -> float:
        others = [sign.weight for sign in self.measured if sign.name not in STRUCTURE]
        intact = -sum(weight for weight in others if weight < 0)
        intact = min(intact, COPIED + BACKED * max(-self.structure, 0.0))
        return self.structure - intact + sum(weight for weight in others if weight > 0) + self.believed


# Signs of how the file is built, as against what is written in it.
STRUCTURE = ("tables", "quality", "coding", "sampling", "components", "layout", "items", "jfif")


def structure_signs(origin: Origin, found: Layout, *, adobe_thumbnail: bool) -> Signs:
    """What tables, codes and layout of a JPEG tell."""
    signs = Signs()
    _tables(signs, origin)
    coding = {
        "progressive": (1.5, "the file is progressive, as cameras do not write"),
        "arithmetic": (2.0, "the file is arithmetically coded, as cameras do not write"),
        "optimized": (0.6, "its Huffman codes are made for this picture, as few cameras do"),
        "complete": (0.1, "its Huffman codes are neither the standard's nor made for this picture"),
        "standard": (-0.2, "its Huffman codes are the standard's, as with most cameras"),
    }
    signs.add("coding", *coding[found.coding])
    if found.sampling == "4:4:4":
        signs.add("sampling", 0.4, "its colours are not subsampled, as with few cameras")
    elif found.sampling in ("4:2:2", "4:4:0"):
        signs.add("sampling", -0.4, "its colours are subsampled in one direction, as many cameras do")
    if found.ids[:3] not in ((1, 2, 3), (1,)):
        signs.add(
            "components",
            0.8,
            "its components are numbered as some programs do, and the EXIF standard forbids",
        )
    if found.tables == "apart" and found.libjpeg_order:
        signs.add("layout", 0.2, "its tables lie as libjpeg writes them")
    elif origin.family != PHOTOSHOP:
        signs.add("layout", -0.4, "its tables lie otherwise than libjpeg writes them")
    if found.jfif is None:
        signs.add("jfif", -0.3, "it has no JFIF segment, as the EXIF standard has it")
    elif found.exif is None or found.jfif < found.exif:
        signs.add("jfif", 0.2, "a JFIF segment comes first, as libjpeg writes it")
    else:
        signs.add("jfif", -0.2, "its EXIF segment was put before the JFIF segment, as in cameras")
    if adobe_thumbnail:
        signs.add("thumbnail tables", 0.8, "its thumbnail was written with Adobe's tables")
    if found.adobe:
        signs.claim("adobe", 0.3, "an Adobe segment")
    return signs


def _tables(signs: Signs, origin: Origin) -> None:
    words = {
        PHOTOSHOP: (2.5, f"its quantization tables are Adobe's ({origin.name})"),
        "mozjpeg": (2.0, f"its quantization tables are mozjpeg's ({origin.name})"),
        LIBRARY: (0.3, f"its quantization tables are libjpeg's for quality {origin.quality}"),
        SCALED: (-0.3, "its quantization tables are the standard's, scaled otherwise than by libjpeg"),
        CAMERA: (-0.8, "its quantization tables are a camera's"),
        OWN: (-0.8, "its quantization tables are of no known program"),
    }
    signs.add("tables", *words[origin.family])
    if origin.quality is not None and origin.family == LIBRARY and origin.quality <= 80:
        signs.add("quality", 0.3, "that is coarser than cameras compress")


def container_signs(items: HeifItems) -> Signs:
    """What the items of a HEIF file tell."""
    signs = Signs()
    if items.tiled:
        signs.add("items", -0.7, "the picture is coded in tiles, as camera hardware does")
    else:
        signs.add("items", 0.7, "the picture is coded in one piece, as programs do")
    if items.thumbnail:
        signs.add("thumbnail", -0.2, "it carries a thumbnail")
    return signs


def claim_signs(signs: Signs, claims: Claims, size: tuple[int, int], *, turnable: bool) -> None:
    """What EXIF and XMP say, and whether it fits the picture.

    size : (width, height) of the picture
    turnable : True where the container turns pictures, so that EXIF may give the sides
        the other way round
    """
    if claims.camera is None:
        signs.add("camera", 0.4, "no camera is named in it")
    elif claims.exposure:
        signs.add("camera", -0.5, "camera and exposure are given")
    else:
        signs.add("camera", 0.2, "a camera is named, but no exposure")
    if claims.camera is not None:
        _camera_metadata(signs, claims, size, turnable)
    pixels = size[0] * size[1]
    if pixels < SMALL:
        signs.add("size", 0.6 if pixels < LITTLE else 0.3, "it has fewer pixels than cameras take")
    if claims.editors:
        signs.claim("software", 0.7, f"the name of a program that saves pictures ({claims.editors[0]})")
    if claims.saves:
        signs.claim("history", 0.7, f"{claims.saves} acts of saving or converting in its XMP history")


def _camera_metadata(signs: Signs, claims: Claims, size: tuple[int, int], turnable: bool) -> None:
    if claims.maker_note:
        signs.add("maker note", -0.5, "the manufacturer's notes are there")
    else:
        signs.add("maker note", 0.2, "the manufacturer's notes are missing")
    if claims.size is None:
        signs.add("exif size", 0.5, "EXIF does not give the size, as it must")
    elif claims.size == size or (turnable and claims.size == size[::-1]):
        signs.add("exif size", -0.3, "EXIF gives the size the picture has")
    elif claims.size != size[::-1]:
        width, height = claims.size
        signs.add("exif size", 1.2, f"EXIF gives another size ({width} x {height})")
    if claims.changed_after is not None and claims.changed_after > LATE:
        signs.add("dates", 0.6, f"it was changed {_span(claims.changed_after)} after it was taken")
    elif claims.changed_after is not None:
        signs.add("dates", -0.3, "its dates of taking and of writing agree")


def thumbnail_signs(signs: Signs, alike: Likeness | None) -> None:
    """What the thumbnail tells; None where there is none that can be compared."""
    if alike is None:
        signs.add("thumbnail", 0.2, "it has no thumbnail that can be compared")
    elif alike.correlation is not None and alike.correlation < UNLIKE:
        signs.add("thumbnail", 0.8, "its thumbnail shows another picture")
    elif not alike.same_shape:
        signs.add("thumbnail", 0.2, "its thumbnail has another shape")
    elif alike.correlation is not None and alike.correlation >= ALIKE:
        signs.add("thumbnail", -0.2, "its thumbnail shows the picture")


def _span(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 60:.0f} minutes"
