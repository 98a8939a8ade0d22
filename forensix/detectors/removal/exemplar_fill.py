"""Holes filled with copies from the same picture: content-aware fill, clone stamp, patch filling.

A fill of that kind is a mosaic of small pieces of the rest of the picture, each copied from
a place of its own, perhaps from just beside the hole. Pieces that occur twice are found by
their noise (:mod:`._self_matches`) or, where hardly any is left, by being equal to the pixel
(:mod:`._exact_copies`), outlined (:mod:`._fragments`), and gathered to the holes that they
cover (:mod:`._targets`). Texture and repeated things look alike but do not share
their noise; what still matches by chance in a picture, in flat or heavily compressed areas,
is counted in the same picture, and a hole must surpass it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forensix.detectors.method import Method
from forensix.detectors.removal._chance import chance_besides, log10_alarms
from forensix.detectors.removal._exact_copies import (
    exact_matches,
    exact_pieces,
    is_pattern,
    joined,
    remarkable,
)
from forensix.detectors.removal._fragments import fragments, groups
from forensix.detectors.removal._ordinary import block_worth, even_share, is_block_content, is_lettering
from forensix.detectors.removal._outline import outlined
from forensix.detectors.removal._screens import off_screens, screen_share
from forensix.detectors.removal._self_matches import NONE, Matches, self_matches
from forensix.detectors.removal._targets import CopiedHole, copied_holes
from forensix.errors import NotApplicable, ParameterError
from forensix.evidence import Evidence
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.rarity import in_words
from forensix.signal.regions import bounding_boxes, label_regions

METHOD = Method(
    name="exemplar-fill",
    family="removal",
    question="Was a hole in the picture filled with pieces copied from the rest of the picture?",
    applies_to="pictures of at least 64 x 64 pixels; lossy compression afterwards hides small pieces",
    reference=(
        "I-C. Chang, J. C. Yu, C.-C. Chang, A forgery detection algorithm for exemplar-based inpainting images "
        "using multi-region relation, Image and Vision Computing 31(1), 2013, doi 10.1016/j.imavis.2012.09.002; "
        "Z. Liang, G. Yang, X. Ding, L. Li, An efficient forgery detection algorithm for object removal by "
        "exemplar-based image inpainting, Journal of Visual Communication and Image Representation 30, 2015, "
        "doi 10.1016/j.jvcir.2015.03.004"
    ),
    kind="removal",
    preset="standard",
    trace="copy_move",
)

LEAST_SIDE = 64
DECISION = -3.0  # log10 of the number of false alarms: chance gives one in a thousand pictures
MOST_HOLES = 8
MOST_LISTED = 16  # pieces of a hole, largest first
MOST_OUTLINED = 2  # holes whose outline is looked at pixel by pixel
# Share of tiles on a lattice: untouched photos 0.06 at most, prints nearly all.
LEAST_SCREEN, MOST_SCREEN = 0.1, 0.5
MOST_EVEN = 0.6  # of the pixels; beyond, it is hardly a photo


@dataclass(frozen=True, eq=False)
class CopiedHoles:
    """What was filled with copies.

    holes : those decided on, each with log10 of its number of false alarms, rarest first
    best : log10 of the number of false alarms of the rarest hole; None where nothing matches
    matches : pairs of places that match in the picture
    equal : pairs of patches that are equal
    screen : share of the picture that is a screen of dots; where it is more than half, nothing is looked for
    """

    holes: tuple[tuple[CopiedHole, float], ...]
    best: float | None
    matches: Matches
    equal: Matches
    screen: float

    @property
    def hints(self) -> Matches:
        """All pairs of places."""
        both = (self.equal, self.matches)
        return Matches(*(np.concatenate([getattr(m, end) for m in both]) for end in ("places", "others")))


def find_copied_holes(rgb: np.ndarray, luma: np.ndarray) -> CopiedHoles:
    """Find holes filled with pieces of the same picture.

    Parameters
    ----------
    rgb : (rows, cols, 3) uint8
    luma : (rows, cols) float32
        0-255.

    Raises
    ------
    ParameterError
        When the two are not of one size, or smaller than 64 x 64.
    """
    if rgb.ndim != 3 or rgb.shape[:2] != luma.shape or min(luma.shape) < LEAST_SIDE:
        raise ParameterError(f"rgb and luma must be of one size, 64 x 64 or more: {rgb.shape}, {luma.shape}")
    from forensix.native.exact_patches import error_table

    screen = screen_share(luma)
    if screen > MOST_SCREEN:
        return CopiedHoles((), None, NONE, NONE, screen)
    matches = self_matches(luma)
    if screen > LEAST_SCREEN:
        matches = off_screens(matches, luma)
    grouped = groups(matches)
    sizes = [len(group) for group in grouped]
    rgb = np.ascontiguousarray(rgb)
    table = error_table(rgb)
    equal = exact_matches(rgb, table)
    if screen > LEAST_SCREEN:
        equal = off_screens(equal, luma)
    exact = exact_pieces(rgb, equal, table)
    bits = [piece.bits for piece in exact]
    told = remarkable(
        [replace(piece, bits=block_worth(piece, luma) * piece.bits) for piece in exact],
        bits,
    )
    told = [piece for piece in told if not is_pattern(rgb, piece, table)]
    pieces = joined(fragments(rgb, matches, grouped), told)
    found = [
        piece
        for piece in pieces
        if not is_lettering(piece, luma) and (piece.bits > 0 or not is_block_content(piece, luma))
    ]
    chance = replace(chance_besides(found, sizes), bits=tuple(bits))
    weighed = [
        (hole, log10_alarms(hole, sizes=sizes, bits=bits, size=luma.size))
        for hole in copied_holes(found, rgb, luma, chance)
    ]
    weighed.sort(key=lambda pair: pair[1])
    return CopiedHoles(
        holes=tuple(pair for pair in weighed if pair[1] < DECISION)[:MOST_HOLES],
        best=weighed[0][1] if weighed else None,
        matches=matches,
        equal=equal,
        screen=screen,
    )


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for holes filled with copies from the same picture.

    Raises
    ------
    NotApplicable
        When the picture is smaller than 64 x 64 pixels.
    """
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(f"the picture is smaller than {LEAST_SIDE} x {LEAST_SIDE} pixels")
    even = even_share(evidence.luma)
    if even > MOST_EVEN:
        return METHOD.finding(
            score=None,
            explanation=(
                f"{even:.0%} of the picture is perfectly even, as in drawings and screens, where things are "
                "repeated to the pixel without any change."
            ),
            measurements={"even_share": round(even, 4)},
        )
    found = find_copied_holes(evidence.rgb, evidence.luma)
    if found.screen > MOST_SCREEN:
        return METHOD.finding(
            score=None,
            explanation=(
                f"{found.screen:.0%} of the picture is a screen of dots, as in print, which repeats itself everywhere: "
                "copies cannot be told from it."
            ),
            measurements={"screen_share": round(found.screen, 4)},
        )
    shape = (evidence.height, evidence.width)
    filled, sources = np.zeros(shape, bool), np.zeros(shape, bool)
    for turn, (hole, _) in enumerate(found.holes):
        close = hole.certain and turn < MOST_OUTLINED
        filled |= outlined(hole, evidence.rgb, found.hints) if close else hole.mask(*shape)
        sources |= hole.sources(*shape)
    score = _score(found.best)
    return METHOD.finding(
        score=score,
        explanation=_explain(found),
        measurements={
            "matches": len(found.matches.places),
            "log10_false_alarms": None if found.best is None else round(found.best, 2),
            "holes": [
                {
                    "fragments": len(hole.fragments),
                    "anchors": hole.anchors,
                    "bits": round(sum(piece.bits for piece in hole.fragments), 1),
                    "log10_false_alarms": round(alarms, 2),
                    "certain": hole.certain,
                    "pieces": hole.pieces()[:MOST_LISTED],
                }
                for hole, alarms in found.holes
            ],
        },
        parameters={"log10_false_alarms": DECISION},
        regions=(*_regions(filled, "tampered"), *_regions(sources & ~filled, "source")),
        heatmap=_heatmap(filled, score),
    )


def _score(best: float | None) -> float:
    """0.5 at the number of false alarms decided on, towards 1 below it and 0.1 above."""
    if best is None:
        return 0.1
    excess = DECISION - best
    return float(0.5 + (0.5 if excess > 0 else 0.4) * excess / (abs(excess) + 4))


def _regions(mask: np.ndarray, role: str) -> tuple[Region, ...]:
    if not mask.any():
        return ()
    labels, count = label_regions(mask)
    return tuple(Region(box, role, area) for box, area in bounding_boxes(labels, count))


def _explain(found: CopiedHoles) -> str:
    if not found.holes:
        return "No area is covered with pieces that occur elsewhere in the picture with the same noise."
    hole, alarms = found.holes[0]
    pieces = "one piece" if len(hole.fragments) == 1 else f"{len(hole.fragments)} pieces"
    where = hole.fragments[0].window(hole.others[0])
    if not hole.certain:
        other = hole.fragments[0].window(not hole.others[0])
        return (
            f"The picture has the same piece, down to the noise, near row {where[0].start}, column "
            f"{where[1].start} and near row {other[0].start}, column {other[1].start}; which is the copy cannot "
            f"be told, and {in_words(alarms)}."
        )
    more = "" if len(found.holes) == 1 else f" {len(found.holes) - 1} more such areas are marked."
    return (
        f"An area near row {where[0].start}, column {where[1].start} is covered with {pieces} copied from other "
        f"places of the picture, down to the noise; {in_words(alarms)}.{more}"
    )


def _heatmap(filled: np.ndarray, score: float) -> Heatmap:
    """The score inside the holes, 0.1 elsewhere; one cell a pixel only if there are any."""
    if not filled.any():
        return Heatmap(np.full(tuple(-(-side // 8) for side in filled.shape), 0.1, np.float32), 8)
    return Heatmap(np.where(filled, np.float32(max(score, 0.51)), np.float32(0.1)))
