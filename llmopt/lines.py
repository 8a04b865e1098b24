"""A user's file with one text a line."""

from __future__ import annotations

from pathlib import Path

from llmopt.errors import InvalidInput


def read_lines(path: Path, what: str) -> tuple[str, ...]:
    """Return the different lines of a UTF-8 file that are not blank, in their order.

    Parameters
    ----------
    path
        The file.
    what
        How messages name it, such as ``initial``.

    Raises
    ------
    InvalidInput
        It cannot be read, or holds no text.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InvalidInput(
            f"{what}={path}: cannot be read: {reason}; give a file with one instruction a line"
        ) from None
    found = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not found:
        raise InvalidInput(f"{what}={path}: the file is empty; give one instruction a line")
    return found
