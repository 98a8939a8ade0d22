"""Shapes to cut out: objects of the picture, smooth random outlines, rectangles."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import cv2
import numpy as np

from forensix.errors import ForgeryError, ParameterError
from forensix.forgery.edit import check_picture, luma

SHAPES = ("object", "smooth", "rectangle")

# A region whose grey levels deviate less than this is sky, wall or saturation: what is
# done to it can be neither seen nor measured.
FLAT = 3.0
SMALLEST_REGION = 36
ATTEMPTS = 24
WORKING_SIDE = 256
RIM = 4


@dataclass(frozen=True, eq=False)
class Region:
    """A shape somewhere in a picture.

    mask : (rows, cols) bool, cut to the shape's own box
    top, left : int, where the box lies in the picture
    """

    mask: np.ndarray
    top: int
    left: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        return (self.top, self.left, *self.mask.shape)

    @property
    def window(self) -> tuple[slice, slice]:
        """Index of the box in the picture's arrays."""
        return (
            slice(self.top, self.top + self.mask.shape[0]),
            slice(self.left, self.left + self.mask.shape[1]),
        )

    def full(self, rows: int, cols: int) -> np.ndarray:
        """The shape as a (rows, cols) bool mask of the whole picture."""
        canvas = np.zeros((rows, cols), bool)
        canvas[self.window] = self.mask
        return canvas


def draw_region(
    image: np.ndarray, *, rng: np.random.Generator, shape: str = "object", area: float = 0.03
) -> Region:
    """Draw a region with some texture in it.

    Parameters
    ----------
    image : (rows, cols, 3) uint8
    rng : numpy.random.Generator
    shape : {"object", "smooth", "rectangle"}
        "object" follows the picture's own outlines (superpixels, grown by colour),
        "smooth" is a random closed curve, "rectangle" has a random aspect ratio.
    area : float
        Share of the picture, 0.0005 to 0.3; an object may come out somewhat larger or
        smaller, as its outline demands.

    Returns
    -------
    Region, at least 2 pixels away from every edge of the picture

    Raises
    ------
    ParameterError
        On an unknown shape or an area out of range.
    ForgeryError
        If the picture is too small for the shape, or flat wherever one was tried.
    """
    if shape not in SHAPES:
        raise ParameterError(f"shape must be one of {', '.join(SHAPES)}, got {shape!r}")
    if not 0.0005 <= area <= 0.3:
        raise ParameterError(f"area is a share of the picture from 0.0005 to 0.3, got {area}")
    check_picture(image)
    rows, cols = image.shape[:2]
    pixels = area * rows * cols
    if pixels < SMALLEST_REGION:
        raise ForgeryError(f"the picture is too small for the shape: {pixels:.0f} pixels of {rows} x {cols}")
    grey = luma(image)
    if grey.std() < FLAT:
        raise ForgeryError("the picture is flat: nothing done to it could be seen")
    cells = _Superpixels(image) if shape == "object" else None
    for _ in range(ATTEMPTS):
        if cells is not None:
            region = cells.grow(pixels, rng)
        else:
            outline = smooth_outline(pixels, rng) if shape == "smooth" else _rectangle(pixels, rng)
            region = _somewhere(outline, rows, cols, rng)
        if region is not None and grey[region.window][region.mask].std() >= FLAT:
            return region
    raise ForgeryError(f"no place for a shape of {pixels:.0f} pixels with any texture in {rows} x {cols}")


def smooth_outline(pixels: float, rng: np.random.Generator, *, roughness: float = 0.35) -> np.ndarray:
    """A random closed curve, filled: (rows, cols) bool, cut to its box.

    The radius is a Fourier series in the angle with random phases and amplitudes that
    fall with the square of the frequency, so that the curve is smooth and star-shaped.

    Parameters
    ----------
    pixels : float
        Area wanted.
    roughness : float
        0 is an ellipse.
    """
    angle = np.arange(512) * (2 * np.pi / 512)
    radius = np.ones_like(angle)
    for frequency in range(2, 8):
        amplitude = roughness * rng.uniform(0.3, 1.0) * 4 / (frequency * frequency)
        radius += amplitude * np.cos(frequency * angle + rng.uniform(0, 2 * np.pi)) / 2
    radius = np.maximum(radius, 0.25)
    stretch, turn = rng.uniform(0.65, 1.0), rng.uniform(0, np.pi)
    across, down = radius * np.cos(angle), radius * np.sin(angle) * stretch
    points = np.stack(
        [across * np.cos(turn) - down * np.sin(turn), across * np.sin(turn) + down * np.cos(turn)], axis=1
    )
    own = 0.5 * abs(
        np.sum(points[:, 0] * np.roll(points[:, 1], -1) - points[:, 1] * np.roll(points[:, 0], -1))
    )
    points *= np.sqrt(pixels / own)
    points -= points.min(axis=0) - 1
    canvas = np.zeros(np.ceil(points.max(axis=0)).astype(int)[::-1] + 2, np.uint8)
    cv2.fillPoly(canvas, [np.round(points).astype(np.int32)], 1)
    return cut_to_box(canvas > 0)[0]


def cut_to_box(mask: np.ndarray) -> tuple[np.ndarray, int, int]:
    """A mask cut to the box of what is set in it, with the box's top and left."""
    down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if down.size == 0:
        raise ParameterError("the mask is empty")
    return mask[down[0] : down[-1] + 1, across[0] : across[-1] + 1], int(down[0]), int(across[0])


def _rectangle(pixels: float, rng: np.random.Generator) -> np.ndarray:
    aspect = float(np.exp(rng.uniform(-0.6, 0.6)))
    return np.ones((max(4, round(np.sqrt(pixels * aspect))), max(4, round(np.sqrt(pixels / aspect)))), bool)


def _somewhere(mask: np.ndarray, rows: int, cols: int, rng: np.random.Generator) -> Region | None:
    down, across = rows - mask.shape[0] - 4, cols - mask.shape[1] - 4
    if down < 0 or across < 0:
        return None
    return Region(mask, 2 + int(rng.integers(down + 1)), 2 + int(rng.integers(across + 1)))


class _Superpixels:
    """SLIC cells of a small copy of the picture, and regions grown over them.

    References
    ----------
    Achanta, Shaji, Smith, Lucchi, Fua, Suesstrunk, "SLIC superpixels compared to
    state-of-the-art superpixel methods", IEEE TPAMI 34(11), 2012.
    https://doi.org/10.1109/TPAMI.2012.120
    """

    def __init__(self, image: np.ndarray) -> None:
        self.rows, self.cols = image.shape[:2]
        scale = min(1.0, WORKING_SIDE / max(self.rows, self.cols))
        size = (max(16, round(self.cols * scale)), max(16, round(self.rows * scale)))
        self.scales = (size[1] / self.rows, size[0] / self.cols)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        self.grey = luma(small)
        lab = cv2.cvtColor(small, cv2.COLOR_RGB2Lab)
        slic = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLICO, 12, 10.0)
        slic.iterate(5)
        slic.enforceLabelConnectivity(20)
        self.labels = slic.getLabels()
        self.count = int(self.labels.max()) + 1
        flat = self.labels.ravel()
        self.sizes = np.bincount(flat, minlength=self.count)
        sums = [np.bincount(flat, weights=lab[..., k].ravel(), minlength=self.count) for k in range(3)]
        self.colours = np.stack(sums, axis=1) / np.maximum(self.sizes, 1)[:, None]
        self.neighbours = self._neighbours()
        border = np.concatenate([self.labels[0], self.labels[-1], self.labels[:, 0], self.labels[:, -1]])
        self.at_border = np.zeros(self.count, bool)
        self.at_border[border] = True

    def _neighbours(self) -> list[list[int]]:
        down = np.stack([self.labels[:-1].ravel(), self.labels[1:].ravel()], axis=1)
        across = np.stack([self.labels[:, :-1].ravel(), self.labels[:, 1:].ravel()], axis=1)
        pairs = np.concatenate([down, across])
        pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
        found: list[list[int]] = [[] for _ in range(self.count)]
        for a, b in pairs.tolist():
            found[a].append(b)
            found[b].append(a)
        return found

    def grow(self, pixels: float, rng: np.random.Generator) -> Region | None:
        """Grow from a random cell over the most similar neighbours until the area is reached."""
        inner = np.flatnonzero(~self.at_border & (self.sizes > 0))
        if inner.size == 0:
            return None
        goal = pixels * self.labels.size / (self.rows * self.cols)
        first = int(rng.choice(inner))
        colour = self.colours[first].copy()
        chosen, waiting, area = set(), [(0.0, first)], 0
        while waiting and area < goal:
            _, cell = heapq.heappop(waiting)
            if cell in chosen:
                continue
            chosen.add(cell)
            area += int(self.sizes[cell])
            colour += (self.colours[cell] - colour) * self.sizes[cell] / area
            for other in self.neighbours[cell]:
                if other not in chosen and not self.at_border[other]:
                    # Cells already half surrounded come first: it keeps the outline compact.
                    inside = sum(n in chosen for n in self.neighbours[other]) / len(self.neighbours[other])
                    apart = float(np.linalg.norm(self.colours[other] - colour))
                    heapq.heappush(waiting, ((apart + 6.0) * (1.2 - inside), other))
        if area < 0.6 * goal:
            return None
        return self._outline(np.isin(self.labels, np.fromiter(sorted(chosen), int)))

    def _outline(self, small: np.ndarray) -> Region | None:
        """The cells as one region of the full picture, holes filled and edges smoothed."""
        from scipy import ndimage

        if self.grey[small].std() < FLAT / 2:
            return None
        small = ndimage.binary_fill_holes(small)
        _, top, left = cut_to_box(small)
        # The full picture of the cells' box and a rim, so that smoothing has room.
        top, left = max(0, top - RIM), max(0, left - RIM)
        part = small[top:, left:]
        bottom, right = (int(np.flatnonzero(part.any(axis=axis))[-1]) + 1 + RIM for axis in (1, 0))
        part = part[:bottom, :right]
        first = [round(v / s) for v, s in zip((top, left), self.scales, strict=True)]
        last = [
            min(n, round((v + c) / s))
            for v, c, s, n in zip((top, left), part.shape, self.scales, (self.rows, self.cols), strict=True)
        ]
        size = (last[1] - first[1], last[0] - first[0])
        soft = cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        soft = cv2.GaussianBlur(soft, (0, 0), max(0.8, 1.2 / min(self.scales)))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(
            (soft > 0.5).astype(np.uint8), connectivity=4
        )
        if count < 2:
            return None
        mask = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        inside = np.zeros_like(mask)
        inside[
            max(0, 2 - first[0]) : self.rows - 2 - first[0], max(0, 2 - first[1]) : self.cols - 2 - first[1]
        ] = True
        mask &= inside
        if np.count_nonzero(mask) < SMALLEST_REGION:
            return None
        mask, above, before = cut_to_box(mask)
        return Region(mask, first[0] + above, first[1] + before)
