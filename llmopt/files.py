"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file under another name first, and give it its own when it is on the disk; line ends as they are.

    Raises
    ------
    OSError
        It cannot be written; what was there before is there still.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        flushed(unfinished, text)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def flushed(path: Path, text: str) -> None:
    """Write a file, and return when it is on the disk."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
