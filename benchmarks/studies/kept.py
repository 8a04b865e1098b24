"""What a study keeps, and what it has kept of its earlier calls."""

from __future__ import annotations

import csv
import io
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from llmopt.errors import InvalidInput, LlmoptError
from llmopt.result import OptimizeResult


class Kept:
    """The rows that a study keeps in a CSV file, each as soon as it is there.

    The first line says what the others are of: rows of another model must not be taken for those of this one. A last
    line without its end was cut short, such as by a full disk: it counts as not written.

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
        whole, rows = _read(path)
        head, *self.rows = rows or [self._head]
        # Bytes that are whole; None: all.
        self._whole = whole
        if not head[:1] or not head[0].startswith("study="):
            line = _line(self._head)
            raise InvalidInput(
                f"{path} does not say what it is of; where it is of {line}, let that be its first line: "
                f"sed -i {shlex.quote(f'1i {line}')} {shlex.quote(str(path))}"
            )
        if head != self._head:
            raise InvalidInput(f"{path} is of {_line(head)}, not of {_line(self._head)}; name another file")
        for number, row in enumerate(self.rows, 2):
            if len(row) != len(self.rows[0]):
                raise InvalidInput(
                    f"{path} line {number}: {len(row)} fields, and there are {len(self.rows[0])} in line 2; correct "
                    "it, or take it out and it is measured again"
                )

    def add(self, *fields: object) -> None:
        """Keep a row."""
        if self._whole is not None:
            os.truncate(self._path, self._whole)
            self._whole = None
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([fields] if file.tell() else [self._head, fields])


def _read(path: Path) -> tuple[int | None, list[list[str]]]:
    """Return the rows of whole lines, and where they end if something follows."""
    if not path.parent.is_dir():
        raise InvalidInput(f"there is no folder {path.parent}; make it, or name a file in another one")
    try:
        read = path.read_bytes()
        lines = read[: read.rfind(b"\n") + 1]
        return None if lines == read else len(lines), list(csv.reader(io.StringIO(lines.decode(), newline="")))
    except FileNotFoundError:
        return None, []
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
