"""Foreign text, made safe to show on a terminal."""

from __future__ import annotations

# What a terminal or a page shows as it is, although ``str.isprintable`` says no.
_SPACES = "\u00a0\u202f\u3000"


def printable(text: object) -> str:
    """Text that cannot steer a terminal: on one line, all else escaped.

    File names, EXIF strings and error messages come from whoever made the file. Control
    characters, escape sequences, direction overrides and bytes that are not text
    (surrogates) come out as ``\\x1b``, ``\\u202e``, ``\\udcff``.
    """
    return "".join(c if c.isprintable() or c in _SPACES else _escaped(c) for c in str(text))


def _escaped(character: str) -> str:
    code = ord(character)
    if character in "\t\n\r":
        return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
