"""What a study has kept of its earlier calls."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path


def kept(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a CSV file; none where there is no file yet."""
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.reader(file)
