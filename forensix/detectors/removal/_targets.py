"""Which occurrence of a fragment is the copy, and the holes that the copies fill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensix.detectors.removal._chance import RADII, Chance, log10_share
from forensix.detectors.removal._fragments import Fragment
from forensix.detectors.removal._self_matches import residual_at

RIM = 4  # pixels around a fragment
TRIED = 60  # fragments whose places are tried as centres, those of most anchors
BOTH = 0.3  # decades taken off a fragment that has both occurrences within the disc
# Decades that speak for one occurrence as the copy, at most, and where half of them are
# reached: its rim differs more from it, and its detail is out of step with the picture's.
SEAM, SEAM_AT = 0.6, 0.15
LATTICE, LATTICE_AT = 1.5, 12.0
MOST_HOLES = 8
TELLING = 0.5  # decades of rim and lattice that tell a single copy from its source
NEAR = 0.5  # times the side of its parts, up to which the gaps of a hole are closed
GAP = 9  # pixels between the fragments of a hole, at least


@dataclass(frozen=True, eq=False)
class CopiedHole:
    """An area covered with copied fragments.

    fragments : those of the hole
    others : for each, whether the copy is its other occurrence
    radius : pixels, of the disc that holds their centres
    certain : False where the copy cannot be told from its source; then both are marked
    """

    fragments: tuple[Fragment, ...]
    others: tuple[bool, ...]
    radius: float
    certain: bool = True

    @property
    def anchors(self) -> int:
        """How many anchors agree on the fragments."""
        return sum(f.anchors for f in self.fragments)

    def mask(self, rows: int, cols: int) -> np.ndarray:
        """The hole: its fragments and the gaps between them, (rows, cols) bool."""
        covered = np.zeros((rows, cols), bool)
        for fragment, other in zip(self.fragments, self.others, strict=True):
            covered[fragment.window(other)] |= fragment.mask
        if not self.certain:
            taken = self._others(rows, cols)
            return closed(covered, gap=GAP) | closed(taken, gap=GAP)
        return closed(covered, gap=max(GAP, min(int(self.radius), int(NEAR * part_side(covered)))))

    def sources(self, rows: int, cols: int) -> np.ndarray:
        """Where the fragments were taken from, (rows, cols) bool; nowhere if that is not certain."""
        return self._others(rows, cols) if self.certain else np.zeros((rows, cols), bool)

    def pieces(self) -> list[dict[str, list[int]]]:
        """Boxes (top, left, rows, cols) of each fragment's copy and of its source, largest first.

        Where the copy is not certain, either may be the source of the other.
        """
        order = sorted(zip(self.fragments, self.others, strict=True), key=lambda pair: -pair[0].area)
        return [{"copy": piece.box(other), "source": piece.box(not other)} for piece, other in order]

    def _others(self, rows: int, cols: int) -> np.ndarray:
        taken = np.zeros((rows, cols), bool)
        for fragment, other in zip(self.fragments, self.others, strict=True):
            taken[fragment.window(not other)] |= fragment.mask
        return taken


def rim_jump(fragment: Fragment, rgb: np.ndarray, *, other: bool) -> float:
    """How differently strong the residual is along a fragment's outline and inside it (0: alike).

    Copied pieces are cut hard or blended: both leave their mark along the outline, where
    the source goes on as it did.
    """
    from scipy import ndimage

    rows, cols = fragment.window(other)
    top, left = max(0, rows.start - RIM), max(0, cols.start - RIM)
    around = (slice(top, min(rgb.shape[0], rows.stop + RIM)), slice(left, min(rgb.shape[1], cols.stop + RIM)))
    values = np.abs(residual_at(rgb, around)).mean(axis=2)
    inside = np.zeros(values.shape, bool)
    inside[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left] = fragment.mask
    rim = ndimage.binary_dilation(inside, iterations=RIM) & ~inside
    if not rim.any():
        return 0.0
    return float(abs(np.log((values[rim].mean() + 0.2) / (values[inside].mean() + 0.2))))


@dataclass(frozen=True, eq=False)
class Lattice:
    """How strong fine detail is at each place of an 8 x 8 lattice, which JPEG and the mosaic leave.

    detail : (rows, cols) float32, the mixed second difference over its mean nearby
    usual : (8, 8) float64, its mean at each place of the lattice, less the mean of all
    variance : of the detail
    """

    detail: np.ndarray
    usual: np.ndarray
    variance: float

    @classmethod
    def of(cls, luma: np.ndarray) -> Lattice:
        """Of a picture: (rows, cols) float32."""
        import cv2

        second = np.array([[1, -2, 1]], np.float32)
        size = np.abs(cv2.sepFilter2D(luma, cv2.CV_32F, second, second))
        detail = np.minimum(size / (cv2.blur(size, (15, 15)) + np.float32(0.3)), 4)
        usual = np.array([[detail[i::8, j::8].mean() for j in range(8)] for i in range(8)], np.float64)
        return cls(detail, usual - usual.mean(), float(detail.var()) + 1e-6)

    def moved(self, fragment: Fragment) -> float:
        """How much better a fragment keeps to the lattice here than at its other occurrence, nats.

        Positive where the other occurrence is the copy, put down without regard to the lattice.
        """
        fit = []
        for other in (False, True):
            rows, cols = fragment.window(other)
            usual = self.usual[np.arange(rows.start, rows.stop) % 8][:, np.arange(cols.start, cols.stop) % 8]
            fit.append(float((self.detail[rows, cols] * usual)[fragment.mask].sum()))
        return (fit[0] - fit[1]) / self.variance


def copied_holes(
    found: list[Fragment], rgb: np.ndarray, luma: np.ndarray, chance: Chance
) -> list[CopiedHole]:
    """Holes that fragments fill, those with most anchors first.

    Copies lie next to one another, since they fill a hole; sources lie anywhere. So the
    fragments are explained by few discs, each with one occurrence of many of them, of
    which chance would bring so many into one disc of that size least often.

    rgb : (rows, cols, 3) uint8
    luma : (rows, cols) float32, 0-255
    chance : of the picture's other groups of matches
    """
    rest = [found[i] for i in np.argsort(chance.log10_pieces(found), kind="stable")]
    lattice = Lattice.of(luma)
    jumps = [
        SEAM * np.tanh((rim_jump(f, rgb, other=True) - rim_jump(f, rgb, other=False)) / SEAM_AT)
        + LATTICE * np.tanh(lattice.moved(f) / LATTICE_AT)
        for f in rest[:TRIED]
    ]
    jumps += [0.0] * (len(rest) - len(jumps))
    holes: list[CopiedHole] = []
    while rest and len(holes) < MOST_HOLES:
        inside, other, radius = _best_disc(rest, np.array(jumps), chance, luma.size)
        chosen = np.flatnonzero(inside)
        # One offset alone has no side by side; what tells the copy is its rim and the lattice.
        lone = len({rest[i].offset for i in chosen}) == 1
        certain = not lone or bool(np.abs(np.array(jumps)[chosen]).max() > TELLING)
        sides = tuple(bool(other[i]) for i in chosen)
        holes.append(CopiedHole(tuple(rest[i] for i in chosen), sides, radius, certain))
        kept = np.flatnonzero(~inside)
        rest, jumps = [rest[i] for i in kept], [jumps[i] for i in kept]
    return sorted(holes, key=lambda hole: -hole.anchors)


def _best_disc(
    rest: list[Fragment], jumps: np.ndarray, chance: Chance, size: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Which fragments the best disc holds, whether with their other occurrence, and its radius."""
    areas = np.array([f.area for f in rest], float)
    reach = np.sqrt(areas / np.pi)
    rarity = -chance.log10_pieces(rest)
    first = np.array([(f.top + f.mask.shape[0] / 2, f.left + f.mask.shape[1] / 2) for f in rest])
    ends = np.stack([first, first + np.array([f.offset for f in rest])])  # (2, count, 2)
    sides = np.stack([-jumps, jumps])
    points = ends[:, :TRIED].reshape(-1, 2)
    some = points[: min(len(points), 16)]
    middles = (some[:, None] + some[None]).reshape(-1, 2) / 2
    best: tuple[float, np.ndarray, np.ndarray, float] | None = None
    nearby = -np.array([log10_share(radius, size) for radius in RADII])
    worth = np.maximum(0, rarity + nearby[:, None])
    for centre in np.concatenate([points, middles]):
        apart = np.hypot(*np.moveaxis(ends - centre, -1, 0)) + 0.6 * reach
        within = apart <= RADII[:, None, None]  # (radii, 2, count)
        both, any_side = within.all(axis=1), within.any(axis=1)
        other = np.where(both, sides.argmax(axis=0), within.argmax(axis=1))
        side = np.where(other == 1, sides[1], sides[0])
        scores = np.where(any_side, worth + side - BOTH * both, 0).sum(axis=1) - nearby
        scores[~any_side.any(axis=1)] = -np.inf  # the first may lie anywhere
        at = int(scores.argmax())
        if scores[at] > -np.inf and (best is None or scores[at] > best[0]):
            best = float(scores[at]), any_side[at], other[at] == 1, float(RADII[at])
    if best is None:  # larger than every disc: by itself
        alone = np.arange(len(rest)) == int(areas.argmax())
        return alone, np.full(len(rest), jumps[int(areas.argmax())] > 0), float(reach.max())
    return best[1], best[2], best[3]


def part_side(mask: np.ndarray) -> float:
    """Square root of the area of the connected parts, as the mean over their pixels; 0 without any.

    Separate copies lie farther apart than they are large, parts of one hole do not; specks beside a large
    part hardly count.
    """
    from scipy import ndimage

    sizes = np.bincount(ndimage.label(mask)[0].ravel())[1:].astype(np.float64)
    return float(np.sqrt((sizes**2).sum() / sizes.sum())) if sizes.size else 0.0


def closed(mask: np.ndarray, *, gap: int) -> np.ndarray:
    """The mask with gaps of up to `gap` pixels closed and holes filled."""
    import cv2
    from scipy import ndimage

    if not mask.any():
        return mask
    down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    window = np.s_[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    # By distances: a structuring element costs its area for every pixel.
    apart = np.pad(~mask[window], gap + 1, constant_values=True).astype(np.uint8)
    wide = cv2.distanceTransform(apart, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= gap / 2
    shut = cv2.distanceTransform(wide.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > gap / 2
    shut = shut[gap + 1 : -gap - 1, gap + 1 : -gap - 1]
    filled = np.zeros_like(mask)
    filled[window] = ndimage.binary_fill_holes(shut)
    return filled
