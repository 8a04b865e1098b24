"""The folder of a comparison: every run is in it as soon as it has ended."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.record import FIELDS, Record, finite
from llmopt.errors import InvalidInput, LlmoptError
from llmopt.files import flushed, write_whole
from llmopt.history import History
from llmopt.report.safe import cell, portable
from llmopt.runlog import RunLog
from llmopt.runlog.lock import holder, is_held
from llmopt.runlog.reader import FILE, LOCK

RUNS = "runs.csv"
EVALUATIONS = "evaluations"
INSTRUCTIONS = "instructions"
TRANSFER = "transfer.json"
META = "meta.json"
SUMMARY = "summary.md"
PICTURES = ("search.png", "search-near.png", "tours.png", "progress.png")
REPORT = "report.html"
_OURS = (RUNS, META, TRANSFER, SUMMARY, REPORT, *PICTURES)
_LOG = (FILE, f"{FILE}-wal", f"{FILE}-shm", LOCK)


class NotWritten(LlmoptError, OSError):
    """The folder cannot be written any more; the message says what and why. Exit code 1."""


class Folder:
    """Writes a comparison to a folder.

    ``runs.csv`` has one record per line, ``evaluations/`` one file per run, ``meta.json`` what was asked for and
    which versions answered. Making the object tries whether all that can be written, and writes nothing yet.

    Parameters
    ----------
    path
        The folder; it is made if it is not there.
    overwrite
        Replace the files of an earlier comparison. Files that llmopt does not write are never touched.
    log
        The log in the folder, where the comparison goes on; its tables are written anew.

    Raises
    ------
    InvalidInput
        It cannot be made or written, it holds a comparison already, or a process writes there.
    """

    def __init__(self, path: Path, *, overwrite: bool = False, log: RunLog | None = None) -> None:
        self.path = path
        self._saved = 0
        self._named: set[str] = set()
        try:
            path.mkdir(parents=True, exist_ok=True)
            if log is None and self._earlier() and not overwrite:
                raise InvalidInput(
                    f"--out {path} holds a comparison already; go on with it (llmopt resume {path}), give another "
                    "folder, or --overwrite"
                )
            if log is None and is_held(path / LOCK):
                raise InvalidInput(f"--out {path} is being written by {holder(path / LOCK)}; give another folder")
            # Only writing shows whether one can write: permissions do not tell of a full disk.
            probe = path / ".llmopt.part"
            try:
                flushed(probe, "x" * 4096)
            finally:
                probe.unlink(missing_ok=True)
        except OSError as error:
            raise InvalidInput(f"--out {path} cannot be written: {error.strerror}") from None

    def _earlier(self) -> list[Path]:
        files = [self.path / name for name in (*_OURS, FILE)] + sorted((self.path / EVALUATIONS).glob("*.csv"))
        files += sorted((self.path / INSTRUCTIONS).glob("*.txt")) + sorted((self.path / INSTRUCTIONS).glob("*.json"))
        return [file for file in files if file.exists()]

    def begin(self, meta: Mapping[str, Any]) -> None:
        """Remove the tables of an earlier comparison, and write ``meta.json`` and the first line of ``runs.csv``."""
        with self._writing(""):
            for file in self._earlier():
                if file.name != FILE:
                    file.unlink()
            (self.path / EVALUATIONS).mkdir(exist_ok=True)
        with self._writing(META):
            write_whole(self.path / META, json.dumps(meta, indent=2, allow_nan=False) + "\n")
        with self._writing(RUNS):
            write_whole(self.path / RUNS, _csv([FIELDS]))

    def remove_log(self) -> None:
        """Remove the log of an earlier comparison."""
        with self._writing(""):
            for name in _LOG:
                (self.path / name).unlink(missing_ok=True)

    def add(self, run: Run) -> None:
        """Write a run: its evaluations, then its line in ``runs.csv``.

        Raises
        ------
        NotWritten
            The disk is full, or the folder is gone.
        """
        record = run.record
        name = f"{EVALUATIONS}/{self._saved + 1:03d}-{_slug(record)}-repeat-{record.repeat}.csv"
        with self._writing(name):
            write_whole(self.path / name, _csv(_evaluations(run.history)))
        with self._writing(RUNS), (self.path / RUNS).open("a", encoding="utf-8", newline="") as file:
            # Counted first: a line that Ctrl-C leaves unconfirmed must not come twice.
            self._saved += 1
            fields = {**record.as_json(), "llm": None if record.llm is None else portable(record.llm)}
            file.write(_csv([[cell(value) for value in fields.values()]]))
            file.flush()
            os.fsync(file.fileno())

    def add_instruction(self, record: Record, text: str, exported: str) -> None:
        """Write an instruction that a run has found, as plain text and as JSON for its use."""
        name = f"{INSTRUCTIONS}/{self._own_name(f'{_slug(record)}-repeat-{record.repeat}')}"
        with self._writing(name):
            (self.path / INSTRUCTIONS).mkdir(exist_ok=True)
            write_whole(self.path / f"{name}.txt", text + "\n")
            write_whole(self.path / f"{name}.json", exported + "\n")

    def add_transfer(self, text: str) -> None:
        """Write how what was found does elsewhere."""
        with self._writing(TRANSFER):
            write_whole(self.path / TRANSFER, text + "\n")

    def _own_name(self, name: str) -> str:
        """Return a name with a number where another solver has the same one, for some file systems but for case."""
        names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        found = next(each for each in names if each.casefold() not in self._named)
        self._named.add(found.casefold())
        return found

    def complete(self, runs: Sequence[Run]) -> None:
        """Write the runs that :meth:`add` was kept from writing."""
        for run in runs[self._saved :]:
            self.add(run)

    def summarize(self, text: str) -> None:
        """Write ``summary.md``."""
        with self._writing(SUMMARY):
            write_whole(self.path / SUMMARY, text)

    @contextmanager
    def picture(self, name: str) -> Iterator[Path]:
        """Give the path at which a picture is to be drawn; it gets its name when it is whole."""
        unfinished = self.path / f".{name}.part"
        with self._writing(name):
            try:
                yield unfinished
                unfinished.replace(self.path / name)
            finally:
                unfinished.unlink(missing_ok=True)

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NotWritten(f"--out {self.path / name} cannot be written: {error.strerror or error}") from None


def _slug(record: Record) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", record.solver)[:80]


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _evaluations(history: History) -> Iterator[list[Any]]:
    table = history.table()
    reasons = [history.reasons.get(row, "") for row in range(len(history))] if history.reasons else None
    yield ["evaluation", *table, *(["reason"] if reasons else [])]
    columns = [_plain(values) for values in table.values()]
    for row, values in enumerate(zip(*columns, strict=True)):
        yield [row + 1, *map(cell, values), *([cell(reasons[row])] if reasons else [])]


def _plain(values: np.ndarray[Any, Any]) -> list[Any]:
    """Return plain Python values; a solution that is a list becomes JSON."""
    return [
        json.dumps(np.asarray(value).tolist()) if isinstance(value, list | tuple | np.ndarray) else finite(value)
        for value in values.tolist()
    ]
