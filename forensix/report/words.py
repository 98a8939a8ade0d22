"""Numbers in words."""

from __future__ import annotations

# Decades of the likelihood ratio in words, after the ENFSI guideline for evaluative
# reporting in forensic science (2015), table 1.
SUPPORT = (
    (4.0, "very strong"),
    (3.0, "strong"),
    (2.0, "moderately strong"),
    (1.0, "moderate"),
    (0.301, "weak"),
)

# What weighs down, and up, on the scale of each conclusion, and of a single finding.
TOWARDS = {
    "finding": ("the absence of the trace", "the trace this method looks for"),
    "integrity": ("an untouched picture", "a changed picture"),
    "origin": ("a camera", "a generator"),
    "history": ("a camera original", "a file saved again"),
}


def times(log10_lr: float) -> str:
    """The ratio itself, to two digits: "200 times"."""
    ratio = 10 ** abs(log10_lr)
    shown = f"{ratio:.1f}" if ratio < 9.95 else f"{float(f'{ratio:.2g}'):,.0f}"
    return f"{shown} times"


def support(log10_lr: float | None, question: str = "integrity") -> str:
    """A weight of evidence in words: "moderate support for a changed picture"."""
    if log10_lr is None:
        return "cannot tell"
    for least, word in SUPPORT:
        if abs(log10_lr) >= least:
            return f"{word} support for {TOWARDS[question][log10_lr > 0]}"
    return "no support either way"


def size_in_words(size: int | None) -> str:
    """Bytes for a reader: "4.1 MB" (decimal)."""
    if size is None:
        return "unknown size"
    if size < 1000:
        return f"{size} bytes"
    power = min((len(str(size)) - 1) // 3, 3)
    return f"{size / 1000**power:.1f} {('kB', 'MB', 'GB')[power - 1]}"
