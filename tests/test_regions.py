import numpy as np
import pytest

from forensix.errors import ParameterError
from forensix.signal.regions import bounding_boxes, box_intersection, label_regions


def by_flooding(mask):
    """Regions as sets of pixels, largest first, by position when as large."""
    left, found = {tuple(at) for at in np.argwhere(mask).tolist()}, []
    for row, col in sorted(left):
        if (row, col) not in left:
            continue
        region, rim = set(), {(row, col)}
        while rim:
            region |= rim
            left -= rim
            rim = {(r + i, c + j) for r, c in rim for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
        found.append(region)
    return sorted(found, key=lambda region: -len(region))


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
@pytest.mark.parametrize("cell, rows, cols", [(1, 24, 31), (8, 187, 241)])
def test_regions_and_boxes_are_those_of_flooding(share, cell, rows, cols):
    mask = np.random.default_rng(int(100 * share)).random((24, 31)) < share
    mask[:5] = mask[:, 27:] = False
    labels, count = label_regions(mask)
    expected = by_flooding(mask)
    assert count == len(expected)
    boxes = bounding_boxes(labels, count, cell=cell, rows=rows, cols=cols)
    for number, (region, (box, area)) in enumerate(zip(expected, boxes, strict=True), start=1):
        assert {tuple(at) for at in np.argwhere(labels == number).tolist()} == region
        pixels = np.zeros((rows, cols), bool)
        for row, col in region:
            pixels[row * cell : (row + 1) * cell, col * cell : (col + 1) * cell] = True
        down, across = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        assert box == (down[0], across[0], down[-1] + 1 - down[0], across[-1] + 1 - across[0])
        assert area == pixels.sum()


def test_small_regions_are_dropped():
    mask = np.zeros((9, 9), bool)
    mask[1, 1] = mask[5:7, 5:8] = True
    assert label_regions(mask, minimum_cells=2)[1] == 1
    assert label_regions(mask, minimum_cells=7) == (pytest.approx(np.zeros((9, 9))), 0)


def test_nothing_has_no_regions():
    labels, count = label_regions(np.zeros((4, 0), bool))
    assert (labels.shape, count, bounding_boxes(labels, count)) == ((4, 0), 0, [])
    with pytest.raises(ParameterError, match="2-D"):
        label_regions(np.zeros(3, bool))


@pytest.mark.parametrize(
    "other, expected",
    [((2, 3, 4, 5), 20), ((4, 5, 9, 9), 6), ((6, 3, 4, 5), 0), ((2, 8, 4, 5), 0), ((3, 4, 1, 1), 1)],
)
def test_boxes_share_the_pixels_that_both_cover(other, expected):
    one, covered = (2, 3, 4, 5), [np.zeros((20, 20), bool) for _ in range(2)]
    for mask, (top, left, rows, cols) in zip(covered, (one, other), strict=True):
        mask[top : top + rows, left : left + cols] = True
    assert box_intersection(one, other) == box_intersection(other, one) == expected
    assert np.count_nonzero(covered[0] & covered[1]) == expected
