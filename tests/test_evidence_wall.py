"""The wall between forensix and the libraries of others."""

import struct
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from forensix.errors import EvidenceError, LimitExceeded, NotApplicable
from forensix.evidence import open_evidence
from forensix.evidence.wall import one_line, third_party
from tests.hostile import hostile_files


@pytest.mark.parametrize(
    "error", [OSError("broken"), SyntaxError("not a PNG"), struct.error("short"), KeyError(7), IndexError(), ZeroDivisionError(),
              AttributeError("x"), RecursionError(), AssertionError(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")]
)  # fmt: skip
def test_any_exception_becomes_one(error):
    with pytest.raises(EvidenceError, match=r"^reading: \S") as caught, third_party("reading"):
        raise error
    assert caught.value.__cause__ is error
    assert str(caught.value).isprintable()


def test_what_passes_unchanged():
    with pytest.raises(NotApplicable, match="mine"), third_party("reading"):
        raise NotApplicable("mine")
    with pytest.raises(KeyboardInterrupt), third_party("reading"):
        raise KeyboardInterrupt
    with pytest.raises(LimitExceeded, match="not enough memory"), third_party("reading"):
        raise MemoryError


def test_warnings_are_collected_and_filters_put_back():
    before = list(warnings.filters)
    with third_party("reading") as said:
        warnings.warn("Truncated\nFile Read", stacklevel=1)
        warnings.warn("Truncated\nFile Read", stacklevel=1)
    assert said == ["Truncated File Read"]
    assert warnings.filters == before


def test_one_line():
    assert one_line("a\nb\t c\x00d\ud800") == "a b c d"
    assert len(one_line("x" * 1000)) == 200
    assert one_line(ValueError("bad")) == "bad"


def test_threads_do_not_disturb_each_other():
    names = [name for name, (_, expected) in hostile_files().items() if expected != "error"][::4]
    files = [hostile_files()[name][0] for name in names]
    alone = [open_evidence(data).facts() for data in files]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda data: open_evidence(data).facts(), files * 3)) == alone * 3
