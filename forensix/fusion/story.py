"""One story for one area: did copied pieces add a thing, or cover one?

A part copied as a whole may add a thing or hide one; the copy itself does not tell. A fill with
pieces of the same picture (clone stamp, healing brush, patch filling) leaves another trace: pieces
that adjoin, each moved there from a place of its own. Such pieces are told as removal by
cloning, whichever methods found them, and what they cover as the change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from forensix.finding import Finding, Region
from forensix.signal.regions import Box, box_intersection

# The family whose methods mark both sides of a copy alike.
COPIES = "copy_move"
# Pixels by which two movements differ at least, and change of size that a plain movement has at most.
MOVED_APART, RESIZED = 4.0, 0.03
# Of the side of the smaller of two boxes, how far apart they adjoin.
GAP = 0.25
# Share of the smaller of two boxes from which they are one place.
SAME = 0.5


@dataclass(frozen=True)
class Piece:
    """A part of the picture that occurs twice.

    one, other : (top, left, rows, cols) of its occurrences, image pixels
    copy : which of the two was pasted, 0 or 1; None where that cannot be told
    """

    one: Box
    other: Box
    copy: int | None = None

    @property
    def boxes(self) -> tuple[Box, Box]:
        return self.one, self.other

    def movement(self, side: int) -> tuple[float, float]:
        """From an occurrence to the other, rows and columns."""
        here, there = self.boxes[side], self.boxes[1 - side]
        return (
            there[0] - here[0] + (there[2] - here[2]) / 2,
            there[1] - here[1] + (there[3] - here[3]) / 2,
        )


@dataclass(frozen=True)
class Cover:
    """A hole covered with pieces of the same picture.

    pieces : how many were told apart
    covered, sources : boxes of what they cover and of where they were taken from, as far as
        that can be told
    """

    pieces: int
    covered: tuple[Box, ...]
    sources: tuple[Box, ...]


def pieces_of(findings: Iterable[Finding]) -> list[Piece]:
    """The pieces that methods decided on, each once; resized and mirrored ones left aside."""
    found: list[Piece] = []
    for finding in findings:
        for piece in (*_of_pairs(finding), *_of_holes(finding)) if finding.decided else ():
            if not any(_same(piece, known) for known in found):
                found.append(piece)
    return found


def _of_pairs(finding: Finding) -> Iterator[Piece]:
    limit = math.log10(finding.parameters.get("alarms_per_image", 1.0))
    for pair in finding.measurements.get("pairs", ()):
        if pair["log10_expected_false_alarms"] >= limit or pair["mirrored"]:
            continue
        if abs(pair["scale"] - 1) <= RESIZED and "boxes" in pair:
            one, other = (tuple(box) for box in pair["boxes"])
            yield Piece(one, other)


def _of_holes(finding: Finding) -> Iterator[Piece]:
    for hole in finding.measurements.get("holes", ()):
        for piece in hole.get("pieces", ()):
            yield Piece(tuple(piece["copy"]), tuple(piece["source"]), 0 if hole["certain"] else None)


def _same(one: Piece, other: Piece) -> bool:
    """Whether two methods mean the same piece."""
    return any(
        _shared(one.one, other.boxes[side]) >= SAME and not _apart(one.movement(0), other.movement(side))
        for side in (0, 1)
    )


def cover_of(findings: Iterable[Finding]) -> Cover | None:
    """The hole that copied pieces cover; None where they do not adjoin."""
    pieces = pieces_of(findings)
    beside: dict[int, list[int]] = {}
    for i, piece in enumerate(pieces):
        for j, other in enumerate(pieces[:i]):
            for side, its in _adjoining(piece, other):
                beside.setdefault(i, [0, 0])[side] += 1
                beside.setdefault(j, [0, 0])[its] += 1
    if not beside:
        return None
    covered, sources = [], []
    for i, votes in sorted(beside.items()):
        pasted = pieces[i].copy
        if pasted is None and votes[0] != votes[1]:
            pasted = int(votes[1] > votes[0])
        if pasted is not None:
            covered.append(pieces[i].boxes[pasted])
            sources.append(pieces[i].boxes[1 - pasted])
    return Cover(len(beside), tuple(covered), tuple(sources))


def told_sides(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, with regions of a covered hole named as what was covered and what it was covered with.

    Only where the pieces tell; a region that a method named itself stays as it was.
    """
    findings = tuple(findings)
    cover = cover_of(findings)
    if cover is None or not cover.covered:
        return findings
    return tuple(
        finding.with_(regions=tuple(_named(region, cover) for region in finding.regions))
        if finding.decided and finding.family == COPIES
        else finding
        for finding in findings
    )


def _named(region: Region, cover: Cover) -> Region:
    if region.role != "tampered":
        return region
    target, source = (
        max(_shared(region.box, box) for box in boxes) for boxes in (cover.covered, cover.sources)
    )
    if max(target, source) < SAME or target == source:
        return region
    return Region(region.box, "target" if target > source else "source", region.area)


def _adjoining(one: Piece, other: Piece) -> Iterator[tuple[int, int]]:
    """Sides of two pieces that lie beside each other while moved there from different places.

    Of a thing that was copied twice no pair of occurrences counts: it is one content, not two.
    """
    if any(_shared(its, their) >= SAME for its in one.boxes for their in other.boxes):
        return
    for side in (0, 1):
        for its in (0, 1):
            apart = _apart(one.movement(side), other.movement(its))
            if apart and _beside(one.boxes[side], other.boxes[its]):
                yield side, its


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return math.dist(one, other) > MOVED_APART


def _beside(one: Box, other: Box) -> bool:
    gap = max(
        max(one[axis], other[axis]) - min(one[axis] + one[axis + 2], other[axis] + other[axis + 2])
        for axis in (0, 1)
    )
    side = math.sqrt(min(one[2] * one[3], other[2] * other[3]))
    return gap <= GAP * side


def _shared(one: Box, other: Box) -> float:
    """Share of the smaller of two boxes that lies in the other."""
    smaller = min(one[2] * one[3], other[2] * other[3])
    return box_intersection(one, other) / smaller if smaller else 0.0
