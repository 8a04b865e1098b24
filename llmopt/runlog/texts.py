"""Texts as a log keeps them: a model may end its reply in the middle of a character, which SQLite takes as bytes."""

from __future__ import annotations

import hashlib


def storable(text: str) -> str | bytes:
    """Return a text as SQLite takes it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def restored(stored: str | bytes) -> str:
    """Return the text of what :func:`storable` returned."""
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogatepass")


def text_digest(text: str) -> bytes:
    """Return the SHA-256 of a text, of one with half characters too."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
