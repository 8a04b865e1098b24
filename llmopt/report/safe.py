"""Text from outside, made harmless for where it is shown."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Any

# Programs that open a CSV file read a text cell with one of these in front as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Characters that reorder or hide the text around them without being control characters.
_INVISIBLE = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def one_line(text: str) -> str:
    """Return a text on one line, with whatever a terminal would obey written out."""
    return "".join(c if c.isprintable() and c not in _INVISIBLE else _escaped(c) for c in text)


def lines(text: str) -> str:
    """Return a text with its line breaks and tabs, and whatever else a terminal would obey written out."""
    return "".join(c if c in "\n\t" or (c.isprintable() and c not in _INVISIBLE) else _escaped(c) for c in text)


def cell(value: Any) -> Any:
    """Return a value for a CSV cell: numbers as they are, texts so that no spreadsheet takes them as formulas."""
    if value is None or value != value:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def portable(word: str) -> str:
    """Return a word of a command line without the folders of this machine, and without addresses."""
    word, at, address = word.partition("@")
    if at and "://" not in address:
        word += at + address
    prefix, equals, value = word.rpartition("=")
    scheme, colon, rest = value.partition(":")
    if colon and (os.sep in rest or "/" in rest):
        return f"{prefix}{equals}{scheme}:{PurePath(rest).name}"
    if value.startswith(("/", "~", "./", "../")) or PurePath(value).is_absolute():
        return f"{prefix}{equals}{PurePath(value).name}"
    return word


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
