"""What a study keeps, and what it has kept of its earlier calls."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Sequence
from pathlib import Path

from llmopt.errors import InvalidInput, LlmoptError
from llmopt.result import OptimizeResult


class Kept:
    """The rows that a study keeps in a CSV file, each as soon as it is there.

    The first line says what the others are of: rows of another model must not be taken for those of this one.

    Parameters
    ----------
    path
        The file; it comes into being with the first row.
    study
        The name of the study.
    of
        Whatever changes a row and is not said in it.

    Attributes
    ----------
    rows
        What earlier calls have kept.

    Raises
    ------
    InvalidInput
        The file is of something else, or does not say of what, or cannot be there.
    """

    def __init__(self, path: Path, study: str, **of: object) -> None:
        self._path = path
        self._head = [f"{key}={value}" for key, value in {"study": study, **of}.items()]
        head, *self.rows = _rows(path) or [self._head]
        if not head[:1] or not head[0].startswith("study="):
            line = _line(self._head)
            raise InvalidInput(
                f"{path} does not say what it is of; where it is of {line}, let that be its first line: "
                f"sed -i {shlex.quote(f'1i {line}')} {shlex.quote(str(path))}"
            )
        if head != self._head:
            raise InvalidInput(f"{path} is of {_line(head)}, not of {_line(self._head)}; name another file")

    def add(self, *fields: object) -> None:
        """Keep a row."""
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([fields] if file.tell() else [self._head, fields])


def _rows(path: Path) -> list[list[str]]:
    if not path.parent.is_dir():
        raise InvalidInput(f"there is no folder {path.parent}; make it, or name a file in another one")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, csv.Error) as error:
        raise InvalidInput(f"{path} cannot be read as CSV: {error}") from None


def _line(head: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(head)
    return text.getvalue()


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
