"""What a study keeps, and what it has kept of its earlier calls."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from llmopt.errors import LlmoptError
from llmopt.result import OptimizeResult


def kept(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a CSV file; none where there is no file yet."""
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.reader(file)


def ended(result: OptimizeResult) -> OptimizeResult:
    """Return a run that may be kept.

    Raises
    ------
    LlmoptError
        An error has cut the run short; what it spent says nothing about the solver.
    KeyboardInterrupt
        Somebody has.
    """
    if result.stop_reason == "interrupted":
        raise KeyboardInterrupt
    if result.stop_reason == "error":
        raise LlmoptError(result.message)
    return result
