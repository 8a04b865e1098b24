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


def restored(stored: object) -> str:
    """Return the text of what :func:`storable` returned; an empty one of what is no text, as damage may leave it."""
    if isinstance(stored, bytes):
        return stored.decode("utf-8", "surrogatepass")
    return stored if isinstance(stored, str) else ""


def text_digest(text: str) -> bytes:
    """Return the SHA-256 of a text, of one with half characters too."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
