"""The JPEG grid: parts that were compressed on another 8 x 8 grid, or on none."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from forensix.detectors.jpeg._grid_votes import (
    CELL,
    GRIDS,
    GridRegion,
    cell_votes,
    grid_votes,
    grown_regions,
    main_grid,
    most_zeros,
    shares_lines,
)
from forensix.detectors.jpeg._grid_windows import (
    HIGHEST_USUAL,
    cells_where,
    hidden_grids,
    hints,
    hold_of,
    run_throughout,
    votes_around,
    whole_earlier_grid,
)
from forensix.detectors.jpeg._like_blocks import block_content, explained_by_content
from forensix.detectors.method import Method
from forensix.errors import NotApplicable
from forensix.evidence import Evidence
from forensix.evidence.jpeg_quality import ijg_table
from forensix.evidence.sniff import LOSSY
from forensix.finding import Finding, Heatmap, Region
from forensix.signal.block_dct import SIDE, block_dct, inverse_block_dct
from forensix.signal.rarity import in_words
from forensix.signal.regions import bounding_boxes, label_regions

METHOD = Method(
    name="jpeg-grid",
    family="jpeg",
    question="Was a part of the picture once JPEG-compressed on another grid than the rest, or on none?",
    applies_to="any picture of at least 64 x 64 pixels; it speaks where JPEG left zeros",
    reference=(
        "T. Nikoukhah, J. Anger, M. Colom, J.-M. Morel, R. Grompone von Gioi, ZERO: a Local JPEG Grid "
        "Origin Detector Based on the Number of DCT Zeros and its Applications in Image Forensics, "
        "Image Processing On Line 11, 2021, doi 10.5201/ipol.2021.390"
    ),
    kind="splicing",
    preset="standard",
)

LEAST_SIDE = 64
# Base-10 logarithm of the number of false alarms allowed: one in 1000 images would
# show such a region by chance.
LOG10_ALARMS = -3.0
# Regions up to here are still ranked: they make a score below 0.5.
RANKED = 6.0
LEAST_JUDGED = 0.02
MOST_HINTS = 3
# A grid that holds in this share of the windows that vote is the whole picture's.
WHOLE = 0.6
# A grid must hold so large a share of the votes in half of the windows before its absence
# elsewhere means anything: at qualities of 98 and more, rich content hides it.
STRONG = 0.6
# Where a picture as a whole has no grid, and regions have more than so many different ones, a JPEG was
# turned or scaled: its grid drifts from place to place.
MOST_FOREIGN = 4
# Votes in a neighbourhood of 3 x 3 cells, on average per cell, from which on its share counts.
LEAST_CAST = 8
# The paper saves again at 99; that leaves too few zeros in real photos.
RESAVED_QUALITY = 95
FILTERED = (
    "Traces of a JPEG grid are in some parts of the picture and not in others, but the same content has or "
    "lacks them elsewhere too, as when the whole picture was filtered after it had been a JPEG."
)
DRIFTING = (
    "Traces of a JPEG grid lie differently from place to place, as when the whole picture was turned or "
    "scaled after it had been a JPEG; no part can be told from others by them."
)


__all__ = ["METHOD", "Analysis", "analyse", "analysis_of", "detect", "grid_votes", "resaved"]


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the grids of a picture say.

    whole : the grid that the whole picture has, 8 * down + right; None without one
    earlier : a grid beneath it that most of the picture had before, or None
    kind : how the most evident region differs: "foreign" (another grid), "beneath"
        (another grid beneath the file's own) or "missing" (no grid)
    grid : that of the region; None where it is missing
    log10_alarms : base-10 logarithm of the number of false alarms of that region
    cells : (cell rows, cell cols) bool, all evident regions, in cells of 8 x 8 pixels
    votes : (cell rows, cell cols) float32, share of the cell's pixels that vote at all
    hints : grids on which an earlier compression is worth looking for, likeliest first
    filtered : regions were evident, but the same content differs likewise elsewhere
    drifting : regions have so many different grids that the picture was turned or scaled as a whole
    """

    whole: int | None
    earlier: int | None
    kind: str
    grid: int | None
    log10_alarms: float
    cells: np.ndarray
    votes: np.ndarray
    hints: tuple[int, ...]
    filtered: bool = False
    drifting: bool = False

    @property
    def unplaced(self) -> bool:
        """True where what differs says nothing about parts."""
        return self.filtered or self.drifting


def analyse(luma: np.ndarray, *, own: int | None = None) -> Analysis:
    """Regions on another grid than the picture, or on none.

    Parameters
    ----------
    luma : (rows, cols) real, 0-255, at least 64 x 64
    own : the grid of the file's own compression, 0-63; None for a lossless file
    """
    from forensix.native.block_zeros import block_zeros

    counts = block_zeros(luma)
    votes = most_zeros(counts)
    tallies = cell_votes(votes)
    whole, earlier, beneath = own, None, tallies
    regions: list[tuple[str, GridRegion]] = []
    throughout: set[int] = set()
    worth: list[int | None] = []
    if own is None:
        main, alarms = main_grid(votes)
        windows, median = hold_of(tallies, main)
        whole = main if alarms < LOG10_ALARMS and windows >= WHOLE else None
        throughout = run_throughout(tallies)
        if whole is not None and median >= STRONG:
            regions += [("missing", region) for region in without_grid(luma, whole, tallies)]
    else:
        beneath = cell_votes(most_zeros(counts, beneath=own))
        main, alarms = whole_earlier_grid(beneath)
        windows, _ = hold_of(beneath, main, holds=HIGHEST_USUAL)
        earlier = main if alarms < LOG10_ALARMS and windows >= WHOLE else None
        throughout = run_throughout(beneath, grids=(SIDE - 1) ** 2)
        hidden = hidden_grids(beneath, own, limit=RANKED, evident=LOG10_ALARMS)
        hidden = [region for region in hidden if region.grid != earlier and region.grid not in throughout]
        regions += [("beneath", region) for region in hidden]
        worth = [earlier, *hints(beneath, own, most=MOST_HINTS)]
    # In smooth areas, blocks half a block along from strongly quantized ones have more
    # zeros than these: grids that share rows or columns with the whole one prove nothing.
    others = [grid for grid in range(GRIDS) if whole is None or not shares_lines(grid, whole)]
    others = [grid for grid in others if grid != earlier and grid not in throughout]
    for grid in others:
        found = grown_regions(tallies, grid, pixels=luma.size, limit=RANKED)
        regions += [("foreign", region) for region in found]
    evident = [entry for entry in regions if entry[1].log10_alarms < LOG10_ALARMS]
    foreign = {region.grid for what, region in evident if what == "foreign"}
    drifting = whole is None and len(foreign) > MOST_FOREIGN
    if not drifting:
        worth = [whole if own is None else None, *(region.grid for _, region in evident), *worth]
    local = [] if drifting else evident
    seen_in = {"foreign": tallies, "missing": tallies, "beneath": beneath}
    kept = beside_content(local, luma, tallies=seen_in, whole=whole)
    kind, best = min(kept or regions, key=lambda entry: entry[1].log10_alarms, default=("foreign", None))
    return Analysis(
        whole=whole,
        earlier=earlier,
        kind=kind,
        grid=best.grid if best is not None and kind != "missing" else None,
        log10_alarms=best.log10_alarms if best is not None else RANKED,
        cells=np.logical_or.reduce([np.zeros(tallies.shape[1:], bool), *(r.cells for _, r in kept)]),
        filtered=bool(local) and not kept,
        drifting=drifting,
        votes=1 - tallies[GRIDS].astype(np.float32) / CELL**2,
        hints=tuple(dict.fromkeys(g for g in worth if g is not None and g != own))[:MOST_HINTS],
    )


def analysis_of(evidence: Evidence) -> Analysis:
    """:func:`analyse` for a file, worked out once for all detectors that ask."""
    if evidence not in _analysed:
        own = 0 if evidence.format in LOSSY else None
        _analysed[evidence] = analyse(evidence.luma, own=own)
    return _analysed[evidence]


_analysed: WeakKeyDictionary[Evidence, Analysis] = WeakKeyDictionary()


def beside_content(
    evident: list[tuple[str, GridRegion]],
    luma: np.ndarray,
    *,
    tallies: dict[str, np.ndarray],
    whole: int | None,
) -> list[tuple[str, GridRegion]]:
    """Those regions, each with how it differs, that do not merely follow the picture's content.

    tallies : the votes per cell in which each kind of difference shows
    """
    if not evident:
        return []
    cells = evident[0][1].cells
    content = block_content(luma, shape=(cells.shape[0], cells.shape[1]))
    groups: dict[tuple[str, int], list[GridRegion]] = {}
    for what, region in evident:
        groups.setdefault((what, region.grid), []).append(region)
    kept: list[tuple[str, GridRegion]] = []
    for (what, grid), regions in groups.items():
        part = filled(np.logical_or.reduce([region.cells for region in regions]))
        shown = whole if what == "missing" and whole is not None else grid
        shares, judged = nearby_shares(tallies[what], shown)
        if not follows_content(-shares if what == "missing" else shares, part, judged, content):
            kept += [(what, region) for region in regions]
    return kept


def nearby_shares(tallies: np.ndarray, grid: int) -> tuple[np.ndarray, np.ndarray]:
    """A grid's share of the votes in and around each cell, and bool: where enough are cast to say."""
    mine, cast = votes_around(tallies, grid)
    judged = cast > LEAST_CAST
    return np.where(judged, mine / np.maximum(cast, 1), 0), judged


def follows_content(shares: np.ndarray, part: np.ndarray, judged: np.ndarray, content: np.ndarray) -> bool:
    """True where cells elsewhere that hold what the part holds have its shares too, rather than the rest's."""
    inside, rest = judged & part, judged & ~part
    if not inside.any() or not rest.any():
        return False
    middle = (float(shares[inside].mean()) + float(shares[rest].mean())) / 2
    return explained_by_content(shares - middle, part, judged, content)


def without_grid(luma: np.ndarray, whole: int, tallies: np.ndarray) -> list[GridRegion]:
    """Regions of a lossless picture that were not compressed on the grid of the rest.

    The picture is compressed lightly on another grid. Where it had one that still has the
    most zeros; where it had none, the new one has, and shows that a grid could be seen
    there. A region counts when the new grid appears in it and the old one was not there.

    tallies : votes per cell in the picture as it is
    """
    down, right = (whole // SIDE + SIDE // 2) % SIDE, (whole % SIDE + SIDE // 2) % SIDE
    new = down * SIDE + right
    again = cell_votes(grid_votes(resaved(luma, offset=(down, right))))
    again[new][cells_where(tallies, whole)] = 0
    return grown_regions(again, new, pixels=luma.size, limit=RANKED)


def resaved(
    luma: np.ndarray, *, offset: tuple[int, int] = (0, 0), quality: int = RESAVED_QUALITY
) -> np.ndarray:
    """The picture compressed once more on the grid at `offset`, as whole grey levels.

    Quantized as JPEG does at that quality; pixels outside whole blocks stay as they are.

    luma : (rows, cols) real, 0-255; returns (rows, cols) float32
    """
    table = ijg_table(quality).astype(np.float32)
    coefficients = block_dct(luma, offset=offset)
    blocks = inverse_block_dct(np.rint(coefficients / table) * table)
    again = np.array(luma, np.float32)
    down, right = offset
    again[down : down + blocks.shape[0], right : right + blocks.shape[1]] = blocks
    return np.clip(np.rint(again), 0, 255)


def detect(evidence: Evidence, *, preset: str = "standard") -> Finding:
    """Look for regions whose JPEG grid is not that of the picture."""
    if min(evidence.height, evidence.width) < LEAST_SIDE:
        raise NotApplicable(f"the picture is smaller than {LEAST_SIDE} x {LEAST_SIDE} pixels")
    analysis = analysis_of(evidence)
    found = bool(analysis.cells.any())
    labels, count = label_regions(filled(analysis.cells))
    boxes = bounding_boxes(labels, count, cell=CELL, rows=evidence.height, cols=evidence.width)
    judged = float(analysis.votes.mean())
    measurements = {
        "main_grid": divmod(analysis.whole, SIDE) if analysis.whole is not None else None,
        "earlier_grid": divmod(analysis.earlier, SIDE) if analysis.earlier is not None else None,
        "region_grid": divmod(analysis.grid, SIDE) if found and analysis.grid is not None else None,
        "difference": analysis.kind if found else None,
        "log10_false_alarms": round(analysis.log10_alarms, 2),
        "voting_share": round(judged, 4),
        "tampered_share": round(float((labels > 0).mean()), 4),
        "filtered_throughout": analysis.filtered,
        "drifting_grid": analysis.drifting,
    }
    told = judged >= LEAST_JUDGED
    return METHOD.finding(
        score=_score(analysis.log10_alarms, found=found) if told and not analysis.unplaced else None,
        explanation=_explain(analysis, told=told),
        measurements=measurements,
        parameters={"resaved_quality": RESAVED_QUALITY, "cell": CELL},
        regions=tuple(Region(box, "tampered", area) for box, area in boxes),
        heatmap=_heatmap(analysis, labels > 0) if told else None,
    )


def filled(cells: np.ndarray) -> np.ndarray:
    """The cells with the gaps of up to two cells between them closed, and holes filled."""
    from scipy import ndimage

    wide = np.pad(cells, 2)
    closed = ndimage.binary_closing(wide, structure=np.ones((3, 3), bool), iterations=1)
    inside: np.ndarray = ndimage.binary_fill_holes(closed)[2:-2, 2:-2]
    return inside


def _score(log10_alarms: float, *, found: bool) -> float:
    """0.5 at the number of false alarms allowed, towards 1 below and towards 0.2 above it."""
    excess = LOG10_ALARMS - log10_alarms if found else min(LOG10_ALARMS - log10_alarms, 0.0)
    return 0.5 + (0.5 if excess > 0 else 0.3) * excess / (abs(excess) + 20)


def _grid_name(grid: int) -> str:
    return f"row {grid // SIDE}, column {grid % SIDE}"


def _explain(analysis: Analysis, *, told: bool) -> str:
    if not told:
        return "Almost no pixel can be assigned to a JPEG grid, so nothing can be said about grids."
    if analysis.filtered:
        return FILTERED
    if analysis.drifting:
        return DRIFTING
    if analysis.cells.any():
        chance = in_words(analysis.log10_alarms)
        share = f"{analysis.cells.mean():.1%} of the picture"
        if analysis.kind == "missing":
            return (
                f"{share} shows no trace of the JPEG grid at {_grid_name(analysis.whole or 0)} that the "
                f"rest has: {chance}."
            )
        rest = "no JPEG grid" if analysis.whole is None else f"the grid at {_grid_name(analysis.whole)}"
        return (
            f"{share} was JPEG-compressed on a grid at {_grid_name(analysis.grid or 0)}, the rest has "
            f"{rest}: {chance}."
        )
    if analysis.earlier is not None:
        return (
            f"The whole picture was JPEG-compressed on a grid at {_grid_name(analysis.earlier)} before, as "
            "when a picture is cropped and saved again; no part of it stands out."
        )
    if analysis.whole is None:
        return "The picture shows no JPEG grid, and no part of it does."
    return f"The whole picture has the JPEG grid at {_grid_name(analysis.whole)}; no part stands out."


def _heatmap(analysis: Analysis, part: np.ndarray) -> Heatmap:
    """Above 0.5 in the regions found only; NaN where no pixel nearby votes."""
    from scipy import ndimage

    nearby = ndimage.uniform_filter(analysis.votes, 3)
    values = np.where(part, 0.5 + 0.5 * (_score(analysis.log10_alarms, found=True)), 0.25)
    values[(nearby == 0) & ~part] = np.nan
    return Heatmap(values, cell=CELL)
