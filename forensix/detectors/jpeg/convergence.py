"""Convergence: parts of a JPEG that were saved once, where the rest was saved twice alike.

Two saves of the same quality leave no comb in the histograms. They do leave coefficients
that change little at yet another save, and a part that was put in before the last one
changes more.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from forensix.detectors.jpeg import _history_regions as regions
from forensix.detectors.jpeg import _resaves as resaves
from forensix.detectors.jpeg.double_quantization import luma_history
from forensix.detectors.method import Method
from forensix.errors import EvidenceMissing, NotApplicable
from forensix.evidence import Evidence
from forensix.evidence.jpeg_data import JpegData
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.rarity import in_words

METHOD = Method(
    name="jpeg-convergence",
    family="jpeg",
    question="Was the picture saved twice with much the same tables, and some part of it only once?",
    applies_to="JPEG files in grey or YCbCr 4:4:4, 4:2:2 or 4:2:0, of at least 128 x 128 pixels",
    reference=(
        "S. Lai, R. Boehme, Block convergence in repeated transform coding: JPEG-100 forensics, carbon "
        "dating, and tamper detection, IEEE ICASSP 2013, doi 10.1109/ICASSP.2013.6638213; F. Huang, "
        "J. Huang, Y. Q. Shi, Detecting Double JPEG Compression With the Same Quantization Matrix, IEEE "
        "Transactions on Information Forensics and Security 5(4), 2010, doi 10.1109/TIFS.2010.2072921"
    ),
    kind="splicing",
    preset="standard",
)

LEAST_SIDE = 128
MOST_CLIPPED = 0.02  # of a cell's pixels
FEWEST_CELLS = 32
TILE, SAMPLED = 256, 16  # pixels; tiles looked at first, to see whether the whole is worth it
LEAST_EVIDENCE = 8.0  # nats that the picture as a whole must give for two saves
TOO_LARGE = 0.25  # of the picture: where only larger regions would stand out, silence says nothing


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for parts that change more at another save than a picture saved twice does.

    Raises
    ------
    NotApplicable
        When the file is not a JPEG that can be written again with its own tables.
    """
    try:
        jpeg = evidence.jpeg
    except EvidenceMissing as missing:
        raise NotApplicable(f"it needs a JPEG's coefficients: {missing}") from missing
    encoding = resaves.Encoding.of(jpeg)
    if encoding is None:
        raise NotApplicable("this JPEG's tables, colours or sampling cannot be written again in the same way")
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(f"the picture is smaller than {LEAST_SIDE} x {LEAST_SIDE} pixels")
    rgb, coefficients = evidence.rgb, jpeg.coefficients
    if evidence.height * evidence.width > 2 * SAMPLED * TILE**2:
        sample = stability(*_tiles(rgb, coefficients), encoding)
        if not saved_twice(sample):
            return _silent(sample)
    whole = stability(rgb, coefficients, encoding)
    if not saved_twice(whole):
        return _silent(whole, heatmap=_heatmap(whole))
    nats = regions.doubted(whole.evidence)
    deviating = regions.deviating(nats, whole.region)
    if deviating.false_alarms and saved_before_everywhere(evidence, jpeg):
        return _belied(whole)
    return _finding(whole, nats, deviating, evidence)


def stability(
    rgb: np.ndarray, coefficients: tuple[np.ndarray, ...], encoding: resaves.Encoding
) -> resaves.Stability:
    """How the cells of a picture change at the next save, against what is expected.

    rgb : (rows, cols, 3) uint8, decoded; coefficients : per component (block rows, block cols, 8, 8)
    """
    counted = resaves.changes_on_saving(rgb, coefficients, encoding)
    return resaves.Stability(counted, resaves.clipped_cells(rgb) <= MOST_CLIPPED)


def saved_twice(found: resaves.Stability) -> bool:
    """Whether the picture as a whole was saved before, with tables that the last did not wipe out."""
    return bool(np.count_nonzero(found.usable) >= FEWEST_CELLS and -found.evidence.sum() > LEAST_EVIDENCE)


def saved_before_everywhere(evidence: Evidence, jpeg: JpegData) -> bool:
    """Whether all of the picture shows the gaps and peaks of an earlier save with other tables.

    Then no part of it was put in after that save, and what changes follows the few
    coefficients that it left, in drawings and letters more than elsewhere.
    """
    history = luma_history(evidence, jpeg)
    return history.majority == "twice" and not history.false_alarms


def _tiles(
    rgb: np.ndarray, coefficients: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Tiles spread over the picture, side by side, and the coefficients that belong to them."""
    rows, cols = rgb.shape[0] // TILE, rgb.shape[1] // TILE
    places = np.unique(np.linspace(0, rows * cols - 1, SAMPLED).astype(int))
    tiles = [divmod(int(place), cols) for place in places]
    pixels = [rgb[r * TILE : (r + 1) * TILE, c * TILE : (c + 1) * TILE] for r, c in tiles]
    planes = []
    for plane in coefficients:
        # Planes may be filled up beyond the picture: the ratio is that of whole samples.
        down = TILE // 8 // max(1, round(rgb.shape[0] / 8 / plane.shape[0]))
        across = TILE // 8 // max(1, round(rgb.shape[1] / 8 / plane.shape[1]))
        parts = [plane[r * down : (r + 1) * down, c * across : (c + 1) * across] for r, c in tiles]
        planes.append(np.concatenate(parts, axis=1))
    return np.ascontiguousarray(np.concatenate(pixels, axis=1)), tuple(planes)


def _heatmap(found: resaves.Stability) -> Heatmap | None:
    """What the cells say, pooled widely, where nothing is decided; None where they say nothing."""
    if not found.evidence.any():
        return None
    nats = regions.doubted(found.evidence)
    shade, shown = regions.shading(nats, nats, found.usable, smallest=np.inf)
    return Heatmap(regions.map_values(shade, np.zeros(nats.shape, bool), shown), resaves.CELL)


def _silent(found: resaves.Stability, *, heatmap: Heatmap | None = None) -> Finding:
    cells = np.count_nonzero(found.usable)
    if cells < FEWEST_CELLS:
        explanation = (
            f"Only {cells} cells of 16 x 16 pixels are free of black and white; {FEWEST_CELLS} are needed."
        )
    else:
        explanation = (
            "Nothing shows that the picture was saved before with tables like these: another save would change "
            f"{_rate(found, 0)} coefficients in 1000 blocks; after one save {_rate(found, 1)} are expected, "
            f"after two {_rate(found, 2)}."
        )
    return METHOD.finding(
        explanation=explanation,
        measurements=_measurements(found),
        parameters=_parameters(),
        heatmap=heatmap,
    )


def _belied(found: resaves.Stability) -> Finding:
    return METHOD.finding(
        explanation=(
            "Parts of the picture would change more than the rest if it were saved again, but all of it was saved "
            "before with other tables, which explains this as well."
        ),
        measurements=_measurements(found),
        parameters=_parameters(),
        heatmap=_heatmap(found),
    )


def _rate(found: resaves.Stability, which: int) -> str:
    blocks = 4 * max(int(np.count_nonzero(found.usable)), 1)
    return f"{1000 * float(found.totals[which].sum()) / blocks:.3g}"


def _finding(
    found: resaves.Stability, nats: np.ndarray, deviating: regions.Regions, evidence: Evidence
) -> Finding:
    from forensix.native.two_label_field import two_label_field
    from forensix.signal.regions import bounding_boxes

    power = -float(np.mean(nats[found.usable]))
    smallest = regions.smallest_region(power, nats.size)
    belief = two_label_field(nats, coupling=regions.CONNECTIVE)
    shade, shown = regions.shading(nats, belief, found.usable, smallest=smallest)
    inside, count = deviating.numbers > 0, len(deviating.false_alarms)
    size = {"rows": evidence.height, "cols": evidence.width}
    boxes = bounding_boxes(deviating.numbers, count, cell=resaves.CELL, **size) if count else []
    values = regions.map_values(shade, inside, shown | inside)
    measurements = {
        **_measurements(found),
        "tampered_fraction": float(np.mean(inside)),
        "log10_false_alarms": deviating.candidate,
        "smallest_region_found": None if np.isinf(smallest) else min(smallest / nats.size, 1.0),
    }
    return METHOD.finding(
        score=None if not count and smallest > TOO_LARGE * nats.size else regions.score(deviating),
        explanation=_explanation(found, deviating, smallest / nats.size),
        measurements=measurements,
        regions=[Region(box, "tampered", area) for box, area in boxes],
        parameters=_parameters(),
        heatmap=Heatmap(values, resaves.CELL),
    )


def _parameters() -> dict[str, Any]:
    return {"cell": resaves.CELL, "moved": resaves.MOVED, "false_alarms": regions.FALSE_ALARMS}


def _measurements(found: resaves.Stability) -> dict[str, Any]:
    names = ("changes_seen", "changes_after_one_save", "changes_after_two")
    return {
        **{
            name: [round(float(n), 2) for n in total] for name, total in zip(names, found.totals, strict=True)
        },
        "weights": [round(float(weight), 3) for weight in found.weights],
        "nats_for_two_saves": round(-float(found.evidence.sum()), 2),
        "judged_fraction": float(np.mean(found.usable)),
    }


def _explanation(found: resaves.Stability, deviating: regions.Regions, smallest: float) -> str:
    rates = (
        f"another save would change {_rate(found, 0)} coefficients in 1000 blocks, where {_rate(found, 1)} are "
        f"expected after one save and {_rate(found, 2)} after two with the same tables"
    )
    if deviating.false_alarms:
        part = float(np.mean(deviating.numbers > 0))
        return (
            f"Most of the picture was saved twice with much the same tables, but {part:.1%} of it was saved only "
            f"once; {in_words(deviating.false_alarms[0])}. In the whole, {rates}."
        )
    # Some cameras' files change little, too: as a statement on the whole picture it stays open.
    if smallest > TOO_LARGE:
        return f"What changes is too little to tell parts of the picture from others: {rates}."
    return f"No part of the picture differs in how it changes when saved again: {rates}."
