import pytest

from forensix.detectors.method import Method
from forensix.finding import Finding, Region
from forensix.fusion import conclude
from forensix.fusion.story import cover_of, pieces_of, told_sides

HOLE_LEFT, HOLE_RIGHT = (100, 100, 40, 40), (100, 138, 40, 40)
FAR, FARTHER, FARTHEST = (300, 20, 40, 40), (20, 300, 40, 40), (300, 300, 40, 40)


def pair(one, other, *, alarms=-4.0, scale=1.0, mirrored=False):
    return {
        "log10_expected_false_alarms": alarms,
        "scale": scale,
        "mirrored": mirrored,
        "boxes": [list(one), list(other)],
    }


def found(*pairs, name="copy-move-dense", family="copy_move", score=0.99):
    return Finding(
        name,
        family,
        score=score,
        log10_lr=1.5,
        explanation=f"{name} says so.",
        measurements={"pairs": list(pairs)},
        parameters={"alarms_per_image": 0.01},
    )


def filled(*pieces, certain=True):
    hole = {"certain": certain, "pieces": [{"copy": list(c), "source": list(s)} for c, s in pieces]}
    return Finding(
        "exemplar-fill",
        "removal",
        score=0.9,
        log10_lr=1.2,
        explanation="exemplar-fill says so.",
        measurements={"holes": [hole]},
    )


def test_pieces_that_adjoin_and_come_from_different_places_cover_a_hole():
    cover = cover_of([found(pair(FAR, HOLE_LEFT), pair(HOLE_RIGHT, FARTHER))])
    assert cover is not None and cover.pieces == 2
    assert set(cover.covered) == {HOLE_LEFT, HOLE_RIGHT} and set(cover.sources) == {FAR, FARTHER}


@pytest.mark.parametrize(
    "pairs",
    [
        [pair(FAR, HOLE_LEFT)],
        # Two parts of one copy, and one thing copied twice to places beside each other.
        [pair(FAR, HOLE_LEFT), pair((300, 58, 40, 40), HOLE_RIGHT)],
        [pair(FAR, HOLE_LEFT), pair(FAR, HOLE_RIGHT)],
        [pair(FAR, HOLE_LEFT), pair(FAR, FARTHEST), pair(HOLE_LEFT, FARTHEST)],
        # Two copies that have nothing to do with each other.
        [pair(FAR, HOLE_LEFT), pair(FARTHER, FARTHEST)],
        # Nothing that was decided on, or that moved as it is.
        [pair(FAR, HOLE_LEFT), pair(FARTHER, HOLE_RIGHT, alarms=-1.0)],
        [pair(FAR, HOLE_LEFT), pair(FARTHER, HOLE_RIGHT, scale=1.2)],
        [pair(FAR, HOLE_LEFT), pair(FARTHER, HOLE_RIGHT, mirrored=True)],
    ],
)
def test_other_copies_cover_nothing(pairs):
    assert cover_of([found(*pairs)]) is None


def test_a_method_that_did_not_decide_names_no_pieces():
    assert cover_of([found(pair(FAR, HOLE_LEFT), pair(FARTHER, HOLE_RIGHT), score=0.5)]) is None


def test_what_several_methods_found_is_one_piece():
    one, same = found(pair(FAR, HOLE_LEFT)), found(pair((101, 100, 38, 41), (301, 20, 38, 41)), name="other")
    assert len(pieces_of([one, same])) == 1
    assert len(pieces_of([one, same, filled((HOLE_RIGHT, FARTHER))])) == 2


def test_a_fill_that_knows_its_copies_says_which_side_was_covered():
    beside = (300, 62, 40, 40)  # the sources adjoin, too
    both = ((HOLE_LEFT, FAR), (HOLE_RIGHT, beside))
    told, untold = cover_of([filled(*both)]), cover_of([filled(*both, certain=False)])
    assert told is None and untold is None  # 2 pixels apart in movement: one piece
    moved = (306, 66, 40, 40)
    both = ((HOLE_LEFT, FAR), (HOLE_RIGHT, moved))
    told, untold = cover_of([filled(*both)]), cover_of([filled(*both, certain=False)])
    assert told.covered == (HOLE_LEFT, HOLE_RIGHT)
    assert untold.pieces == 2 and untold.covered == ()


METHODS = {
    "copy-move-dense": Method("copy-move-dense", "copy_move", "Is it?", "all", "Paper", kind="copy-move"),
    "exemplar-fill": Method(
        "exemplar-fill", "removal", "Is it?", "all", "Paper", kind="removal", trace="copy_move"
    ),
}


def test_adjoining_pieces_are_told_as_removal_whoever_found_them():
    conclusion = conclude([found(pair(FAR, HOLE_LEFT), pair(FARTHER, HOLE_RIGHT))], METHODS)["integrity"]
    assert conclusion.kind == "removal" and "removal by cloning" in conclusion.explanation


def test_one_copied_piece_is_told_as_a_copy_whoever_found_it():
    for findings in ([found(pair(FAR, HOLE_LEFT))], [filled((HOLE_LEFT, FAR))]):
        conclusion = conclude(findings, METHODS)["integrity"]
        assert conclusion.kind == "copy-move"
        assert "Whether the copy adds a thing or covers one" in conclusion.explanation


def test_regions_of_a_covered_hole_are_named():
    hole, source, elsewhere = (
        Region(box, "tampered", 1000) for box in ((98, 98, 44, 84), FAR, (500, 500, 30, 30))
    )
    copies = found(pair(FAR, HOLE_LEFT), pair(HOLE_RIGHT, FARTHER)).with_(regions=(hole, source, elsewhere))
    (told,) = told_sides([copies])
    assert [region.role for region in told.regions] == ["target", "source", "tampered"]
    single = found(pair(FAR, HOLE_LEFT)).with_(regions=(hole, source))
    assert told_sides([single]) == (single,)
