"""A first, transparent fusion: add up what independent families of methods say.

Methods of one family look at the same trace and are not independent, so a family
speaks once: through the method that sums it up, where it has one, or else with its strongest
member (where none decided, with the one whose silence says most). So do methods of two families that rest on the same trace, as a copied part and a
hole filled by copying do. Traces are taken as independent and their
weights of evidence are added; for integrity under each kind of change apart, and the
likelihood ratios of the kinds, held equally likely, are averaged, so that methods that
are blind to a kind do not speak against it. The sum, as a probability at even prior odds,
is the conclusion's score. A label other than "inconclusive" needs a sum beyond a stated
bound and, for "inconsistent", a method that decided by itself and is not the only, weak, cue. The origin is called "camera"
only where a method found positive evidence of one, and none decided for a generator.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from forensix.detectors.method import CONCLUSIONS, Method
from forensix.finding import Finding
from forensix.fusion.calibration import LIMIT, load_calibration
from forensix.fusion.story import COPIES, Cover, cover_of
from forensix.result import LABELS, Conclusion

# Four times as likely if changed than if not, which the bounded weights of a method that
# decided reach where it rarely errs; four fifths as likely. Silence weighs little, since a
# change need not leave the trace that a method looks for.
INCONSISTENT_FROM = 0.6
CONSISTENT_TO = -0.1

# Of a method whose low scores are evidence in themselves: at least three to one for a camera.
SHOWN_TO = 0.25

# What the trace of a copy is told as, and where pieces adjoin.
COPY, REMOVAL = "copy-move", "removal"

WORDS = {
    "integrity": ("no trace of a change", "a change"),
    "origin": ("a camera", "a generator"),
    "history": ("a file straight from the camera", "a file that was saved again"),
}


def conclude(findings: Iterable[Finding], methods: Mapping[str, Method]) -> dict[str, Conclusion]:
    """The three conclusions from calibrated findings.

    Parameters
    ----------
    findings : with ``log10_lr`` set where they have a score
    methods : what the registry knows of each detector, by name
    """
    findings = tuple(findings)
    return {
        question: _answer(
            question, [f for f in findings if methods[f.detector].concludes == question], methods
        )
        for question in CONCLUSIONS
    }


def _answer(question: str, findings: list[Finding], methods: Mapping[str, Method]) -> Conclusion:
    speaking = [f for f in findings if f.log10_lr is not None]
    if not speaking:
        return Conclusion("inconclusive", explanation=_silence(question, findings))
    heard = _summed_up(speaking, methods)
    strongest = _strongest_by_trace(heard, methods)
    kinds = _sums_by_kind(strongest) if question == "integrity" else {}
    together = _over_kinds(kinds) if kinds else sum(_weight(f) for f in strongest)
    total = round(max(-LIMIT, min(LIMIT, together)), 4)
    score = round(1 / (1 + 10**-total), 6)
    for_it = [f for f in strongest if _weight(f) > 0]
    against = [f for f in strongest if _weight(f) <= 0]
    decided = [f for f in for_it if f.decided]
    low, middle, high = LABELS[question]
    # A generator's traces in a file that only a camera writes: one of the two is wrong.
    families = {f.family for f in decided}
    denied = [f for f in _shown_low(speaking, methods) if f.family not in families] if decided else []
    if question == "origin" and denied:
        label, because = middle, [*decided, *denied]
    elif decided and total >= INCONSISTENT_FROM and _may_decide(decided, heard, methods):
        label, because = high, decided
    elif question == "origin" and not decided and total <= 0:
        because = _shown_low(speaking, methods)
        label = low if because else middle
    elif question != "origin" and not decided and total <= CONSISTENT_TO:
        label, because = low, against
    else:
        label, because = middle, decided or for_it
    same = _found_too(heard, decided, methods)
    kind, story = None, ""
    if label == "inconsistent":
        copied = [f for f in (*decided, *same) if methods[f.detector].rests_on == COPIES]
        cover = cover_of(speaking) if copied else None
        sums = _sums_by_kind([*strongest, *same])
        kind = _kind(sums, [_told_as(f, copied, cover, methods) for f in (*decided, *same)])
        story = _story(copied, cover)
    return Conclusion(
        label=label,
        score=score,
        log10_lr=total,
        kind=kind,
        because=tuple(f.detector for f in because),
        explanation=_explain(question, label, total, because, story + _once(same))
        + _heard(len(speaking), len(findings)),
    )


def _may_decide(decided: list[Finding], heard: list[Finding], methods: Mapping[str, Method]) -> bool:
    """Whether more than one weak cue speaks: cues on two traces, or a method that is none."""
    return len(decided) > 1 or any(f.decided and not methods[f.detector].weak for f in heard)


def _shown_low(speaking: list[Finding], methods: Mapping[str, Method]) -> list[Finding]:
    """Findings with evidence of a camera, strongest first.

    That no generator was recognised is none: every new generator begins unrecognised.
    """
    shown = [
        f for f in speaking if methods[f.detector].shows_low and f.score is not None and f.score <= SHOWN_TO
    ]
    return sorted(shown, key=lambda f: (f.score or 0.0, f.detector))


def _weight(finding: Finding) -> float:
    return finding.log10_lr or 0.0


def _over_kinds(sums: Mapping[str, float]) -> float:
    """log10 of the likelihood ratio of a change of any kind, the kinds held equally likely."""
    largest = max(sums.values())
    return largest + math.log10(sum(10 ** (each - largest) for each in sums.values()) / len(sums))


def _sums_by_kind(findings: list[Finding]) -> dict[str, float]:
    """Sum of the weights for each kind of change that the calibration tells apart."""
    known = load_calibration()
    kinds = sorted({kind for f in findings if f.detector in known for kind in known[f.detector].kinds})

    def weight(finding: Finding, kind: str) -> float:
        if finding.detector not in known or finding.score is None:
            return _weight(finding)
        return known[finding.detector].log10_lr_of(kind, finding.score)

    return {kind: sum(weight(f, kind) for f in findings) for kind in kinds}


def _kind(sums: Mapping[str, float], named: list[str | None]) -> str | None:
    """The kind of change: of those that the methods name, the one that all findings fit best."""
    return max(named, key=lambda kind: (sums.get(kind or "", -LIMIT), -named.index(kind)))


def _summed_up(findings: list[Finding], methods: Mapping[str, Method]) -> list[Finding]:
    """The findings without those that another one sums up."""
    families = {f.family for f in findings if methods[f.detector].sums_up}
    return [f for f in findings if f.family not in families or methods[f.detector].sums_up]


def _strongest_by_trace(findings: list[Finding], methods: Mapping[str, Method]) -> list[Finding]:
    """One finding a trace, strongest first: the one that speaks most for the change.

    Where no method decided for one, it is the method whose silence says most: that another
    of its family hardly ever speaks does not take from it. Next to a decision, silence may be
    blindness to this change, and the least of it counts.
    """
    quiet = not any(f.decided for f in findings)
    best: dict[str, Finding] = {}
    for finding in findings:
        trace = methods[finding.detector].rests_on
        held = best.get(trace)
        if held is None:
            best[trace] = finding
            continue
        both_silent = quiet and max(_weight(finding), _weight(held)) <= 0
        if (_weight(finding) < _weight(held)) if both_silent else (_weight(finding) > _weight(held)):
            best[trace] = finding
    return sorted(best.values(), key=lambda f: (-abs(_weight(f)), f.detector))


def _found_too(
    findings: list[Finding], decided: list[Finding], methods: Mapping[str, Method]
) -> list[Finding]:
    """Findings of other families that decided as well, on a trace that one of `decided` rests on."""
    traces = {methods[f.detector].rests_on: f.family for f in decided}
    return [
        f for f in findings if f.decided and traces.get(methods[f.detector].rests_on, f.family) != f.family
    ]


def _told_as(
    finding: Finding, copied: list[Finding], cover: Cover | None, methods: Mapping[str, Method]
) -> str | None:
    """The kind of change that a finding names; those on the trace of a copy tell one story together."""
    if finding not in copied:
        return methods[finding.detector].kind
    return REMOVAL if cover is not None else COPY


def _story(copied: list[Finding], cover: Cover | None) -> str:
    """What a copy was for, as far as it shows."""
    if cover is not None:
        return (
            f"The {cover.pieces} pieces adjoin, each moved there from a place of its own: they cover "
            f"what lay there (removal by cloning). "
        )
    if copied:
        return "Whether the copy adds a thing or covers one, it does not tell. "
    return ""


def _explain(question: str, label: str, total: float, because: list[Finding], more: str) -> str:
    calm, alarm = WORDS[question]
    times = 10 ** abs(total)
    ratio = f"{times:.2g}" if times < 100 else f"{times:.0f}"
    towards = alarm if total > 0 else calm
    compared = "as likely" if ratio == "1" else f"{ratio} times as likely"
    weight = f"Together the findings are {compared} with {towards} as without"
    if label in (LABELS[question][2], LABELS["origin"][0]):
        return f"{because[0].explanation} {more}{weight}"
    if label == LABELS[question][0]:
        return f"No method found {alarm}; {weight[0].lower()}{weight[1:]}"
    if question == "origin" and any(_weight(f) <= 0 for f in because):
        both = " ".join(f.explanation for f in (because[0], because[-1]))
        return f"{both} The evidence speaks both ways, so nothing is concluded. {weight}"
    lead = f"{because[0].explanation} That is not enough to decide. " if because else ""
    return f"{lead}{weight}"


def _once(same: list[Finding]) -> str:
    """Why findings on a trace that has spoken do not count again."""
    if not same:
        return ""
    names = " and ".join(f.detector for f in same)
    return f"{names} found the trace too; it rests on the same likeness and is not counted again. "


def _heard(spoke: int, asked: int) -> str:
    return f"; {spoke} of {asked} methods for this question could tell something."


def _silence(question: str, findings: list[Finding]) -> str:
    if not findings:
        return "No method that answers this question was run."
    return f"None of the {len(findings)} methods for this question could tell."
