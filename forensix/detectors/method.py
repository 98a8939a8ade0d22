"""What the registry, the command line, the reports and the docs know of a method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from forensix.finding import Finding

PRESETS = ("fast", "standard", "thorough")
CONCLUSIONS = ("integrity", "origin", "history")


@dataclass(frozen=True)
class Method:
    """One method from the literature, described for a reader.

    name : as in ``--detector NAME``, for example "jpeg-ghosts"
    family : the folder below forensix/detectors
    question : what it answers, one sentence ending in a question mark
    applies_to : on which images it can speak
    reference : authors, title, venue, year, DOI
    kind : what a positive finding means: "copy-move", "splicing" or "removal";
        None for methods that do not feed integrity
    concludes : the conclusion it feeds: "integrity", "origin" or "history"
    preset : the quickest preset that runs it
    shows_low : a low score is itself evidence, for a camera or an untouched picture, and
        not only the silence of a method that found nothing. The origin is called "camera"
        only on the word of such a method.
    takes : what else than the picture its ``detect`` is given, by name: "camera" for the
        fingerprint of one, "findings" for what the other methods of its family found. A
        method that takes findings sums its family up, and speaks for it.
    weak : what it looks for has ordinary causes, too (depth of field, a camera's own smoothing, two lamps):
        alone it never makes integrity "inconsistent", whatever its weight
    trace : the family whose trace it rests on too, and of which it is not independent, where
        that is another than its own
    licence : of the code; always our own, from the paper
    """

    name: str
    family: str
    question: str
    applies_to: str
    reference: str
    kind: str | None = None
    concludes: str = "integrity"
    preset: str = "fast"
    shows_low: bool = False
    takes: tuple[str, ...] = ()
    weak: bool = False
    trace: str | None = None
    licence: str = "Apache-2.0"

    @property
    def rests_on(self) -> str:
        """The name of its trace: methods that share it speak once."""
        return self.trace or self.family

    @property
    def sums_up(self) -> bool:
        """Whether it speaks for its whole family."""
        return "findings" in self.takes

    def finding(self, **fields: Any) -> Finding:
        """A Finding that carries this method's name, family and reference."""
        return Finding(detector=self.name, family=self.family, reference=self.reference, **fields)
