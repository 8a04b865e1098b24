"""What of a log cannot be read is noted, and the rest is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmopt.errors import InvalidInput

# The message of an SQLite error may itself hold what is damaged.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)


class Damage:
    """Collects what of a log could not be read.

    Attributes
    ----------
    sentences
        One for each part; grows while one reads.
    """

    def __init__(self) -> None:
        self.sentences: list[str] = []

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Note where what is read within this cannot be read whole; what was read so far stands."""
        try:
            yield
        except UNREADABLE as error:
            self.note(f"{what} cannot be read whole: {one_line(error)}")

    def note(self, sentence: str) -> None:
        """Add a sentence, once."""
        if sentence not in self.sentences:
            self.sentences.append(sentence)

    def refuse(self, path: Path) -> None:
        """Raise InvalidInput where something of the log at ``path`` is damaged."""
        if self.sentences:
            raise InvalidInput(
                f"the log {path} is damaged: {'; '.join(self.sentences)}. Nothing was changed; 'llmopt export' saves "
                "what can be read, and a new folder starts anew"
            )


def one_line(error: Exception) -> str:
    """Return the message of an error, which may hold a piece of a damaged file, as a line."""
    text = " ".join(str(error).split())
    return "".join(c for c in text if c.isprintable())[:200]
