"""API keys: where they come from, and that they are shown nowhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

from llmopt.errors import InvalidInput

_SHOWN = "***"
# Servers quote a part of a wrong key in their answer.
_LOOKS_LIKE_KEY = re.compile(r"\bsk-[\w*.\-]+")
_LONGEST_LINE = 300


class Key:
    """A key, which only :meth:`reveal` shows.

    Parameters
    ----------
    text
        The key.
    source
        The environment variable that holds it, or the name of its file; empty where it was given in the code.
    """

    def __init__(self, text: str, source: str = "") -> None:
        if not text.isascii() or not text.isprintable() or not text or " " in text:
            raise InvalidInput(f"the key from {source or 'api_key'} is not legal: it is empty, or not one plain word")
        self._text = text
        self.source = source

    def reveal(self) -> str:
        """Return the key."""
        return self._text

    def scrub(self, text: str) -> str:
        """Return a text of others as one short line without the key."""
        line = _LOOKS_LIKE_KEY.sub(_SHOWN, text.replace(self._text, _SHOWN))
        line = " ".join("".join(c if c.isprintable() else " " for c in line).split())
        return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 3] + "..."

    def __repr__(self) -> str:
        return f"Key(from {self.source or 'the code'})"

    def __reduce__(self) -> tuple[type[Key], tuple[str, str]]:
        raise InvalidInput("a key is never pickled; a copy of the model reads it from the environment again")


def find(name: str, given: str | None, *, needed: bool) -> Key:
    """Return the key of a provider.

    Parameters
    ----------
    name
        The environment variable that holds the key; the same name with ``_FILE`` holds the path of a file with it.
    given
        The key itself, which goes before both.
    needed
        Whether calls without a key make no sense; otherwise a missing key is ``"none"``.

    Raises
    ------
    InvalidInput
        There is none, or its file cannot be read, or it cannot be a key.
    """
    if given is not None:
        return Key(given)
    if os.environ.get(name):
        return Key(os.environ[name].strip(), name)
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Key(Path(path).read_text(encoding="utf-8").strip(), f"{name}_FILE")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise InvalidInput(f"the key file {path} (from {name}_FILE) cannot be read: {reason}") from None
    if needed:
        raise InvalidInput(f"no key for this model: set {name} to your key, or {name}_FILE to a file that holds it")
    return Key("none", name)
