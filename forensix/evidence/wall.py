"""The wall between forensix and the decoders of others.

Image and EXIF libraries answer broken files with whatever exception the accident
brings: OSError, SyntaxError, struct.error, KeyError, IndexError, ZeroDivisionError,
AttributeError and more, and with warnings of their own. Here, and only here in this
package, all of them become an EvidenceError of one line. That is why the catch below is
broad; nothing of forensix' own is to run inside it.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from forensix.errors import EvidenceError, ForensixError, LimitExceeded

# Python's warning filters belong to the whole process; only one thread may change them.
_filters = threading.RLock()


@contextmanager
def third_party(what: str) -> Iterator[list[str]]:
    """Run code of another library on data that may be broken.

    Yields a list that afterwards holds the warnings it gave, as single lines. Anything
    it raises becomes an EvidenceError that begins with `what`; running out of memory
    becomes LimitExceeded.
    """
    said: list[str] = []
    with _filters, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield said
        except ForensixError:
            raise
        except MemoryError as error:
            raise LimitExceeded(f"{what}: not enough memory") from error
        except Exception as error:
            raise EvidenceError(f"{what}: {one_line(error) or type(error).__name__}") from error
        finally:
            said.extend(dict.fromkeys(one_line(warning.message) for warning in caught[:100]))


def one_line(text: object, limit: int = 200) -> str:
    """Text on one line without control characters, at most `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
