"""What a log holds, for readers: at any time, also while a run writes, and as far as a damaged file can be read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.history import History
from llmopt.llm.ledger import Entry
from llmopt.runlog import logged_requests, rows, schema
from llmopt.runlog.damage import UNREADABLE, Damage, one_line
from llmopt.runlog.lock import is_held
from llmopt.runlog.logged_requests import LoggedRequest, Place
from llmopt.runlog.logged_run import ItemScore, LoggedRest, LoggedRun, State, read_run
from llmopt.runlog.requests import checksum_of
from llmopt.runlog.shared import Shared
from llmopt.runlog.texts import restored
from llmopt.space import Space

FILE = "run.sqlite"
LOCK = "run.lock"

_NAMED = 9
"""Folders that an error names."""


class LogReader:
    """Reads the log in a folder and changes nothing.

    Parameters
    ----------
    folder
        A folder with a log, such as ``--out`` made it.

    Raises
    ------
    InvalidInput
        There is no log, or it cannot be read at all.

    Attributes
    ----------
    damage
        One sentence for each part of the log that could not be read; grows while one reads.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE
        self._damage = Damage()
        self.damage = self._damage.sentences
        if not self.path.is_file():
            inside = [path.parent.name for path in sorted(self.folder.glob(f"*/{FILE}"))]
            more = ", ..." if len(inside) > _NAMED else ""
            where = f"; folders of runs in it: {', '.join(inside[:_NAMED])}{more}" if inside else ""
            raise InvalidInput(f"{folder} is not the folder of a run: it holds no {FILE}{where}")
        self._connection = self._open()
        # A damaged text is told by its checksum, or does no harm.
        self._connection.text_factory = lambda text: text.decode(errors="replace")
        self._bytes = self._open()
        self._bytes.text_factory = bytes

    def _open(self) -> sqlite3.Connection:
        uri = self.path.absolute().as_uri()
        last = ""
        # The second one is for a folder that cannot be written, where SQLite finds no room for its shared memory.
        for mode in ("mode=ro", "mode=ro&immutable=1"):
            connection = sqlite3.connect(f"{uri}?{mode}", uri=True, isolation_level=None, check_same_thread=False)
            try:
                if schema.version(connection, str(self.path)) == 0:
                    raise InvalidInput(f"{self.folder} holds an empty log: nothing was run, or its {FILE}-wal is gone")
                return connection
            except UNREADABLE as error:
                connection.close()
                last = one_line(error)
            except BaseException:
                connection.close()
                raise
        raise InvalidInput(f"{self.path} cannot be read: {last}; nothing was changed")

    def meta(self, name: str) -> Any:
        """Return what the whole log has under a name; None where it has nothing."""
        with self._damage.reading("the log's own settings"):
            row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
            try:
                return None if row is None else json.loads(row[0])
            except ValueError:
                self._damage.note(f"the log's own settings ({name}) are damaged")
        return None

    def last(self) -> int:
        """Return the number of the last run; 0 where there is none."""
        with self._damage.reading("the list of runs"):
            return int(self._connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()[0])
        return 0

    def runs(self) -> list[LoggedRun]:
        """Return the runs in the order in which they began."""
        return list(self.each_run())

    def each_run(self) -> Iterator[LoggedRun]:
        """Yield the runs in the order in which they began; what they have in common is in memory once."""
        alive = is_held(self.folder / LOCK)
        shared = Shared()
        with self._damage.reading("the list of runs"):
            for row in self._connection.execute("SELECT * FROM runs ORDER BY id"):
                run = self._read_run(row, alive)
                if run is not None:
                    # No two whole identities are equal.
                    identity = {name: shared(part) for name, part in run.identity.items()}
                    yield replace(run, identity=identity, machine=shared(run.machine))

    def latest(self, name: str, repeat: int) -> LoggedRun | None:
        """Return the latest run of a name and repeat; None where there is none. No other run is read."""
        with self._damage.reading("the list of runs"):
            row = self._connection.execute(
                "SELECT * FROM runs WHERE name = ? AND repeat = ? ORDER BY id DESC LIMIT 1", (name, repeat)
            ).fetchone()
            return None if row is None else self._read_run(row, is_held(self.folder / LOCK))
        return None

    def _read_run(self, row: tuple[Any, ...], alive: bool) -> LoggedRun | None:
        """Return the run of a row; None where it is damaged, which is noted."""
        try:
            return read_run(row, alive, self._connection, self._damage)
        except (ValueError, TypeError, AttributeError, KeyError):
            self._damage.note(f"run {row[0]} is damaged")
            return None

    def run(self, number: int) -> LoggedRun | None:
        """Return a run by its number; None where there is none."""
        with self._damage.reading(f"run {number}"):
            row = self._connection.execute("SELECT * FROM runs WHERE id = ?", (number,)).fetchone()
            return None if row is None else read_run(row, is_held(self.folder / LOCK), self._connection, self._damage)
        return None

    def begun(self) -> dict[tuple[str, int], tuple[int, State]]:
        """Return number and state of the latest run of each name and repeat; in little time, also of many.

        One without a record is not done: it was killed between the two.
        """
        with self._damage.reading("the list of runs"):
            state = "CASE WHEN state = 'done' AND record IS NULL THEN 'interrupted' ELSE state END"
            rows = self._connection.execute(f"SELECT name, repeat, id, {state} FROM runs ORDER BY id")
            return {(name, repeat): (number, state) for name, repeat, number, state in rows}
        return {}

    def outcome(self, run: LoggedRun, space: Space[Any] | None = None) -> rows.Outcome:
        """Return the evaluations of a run, as far as they can be read."""
        found, damaged = rows.read(self._rows(run.id), space or run.space, maximize=run.maximize)
        if damaged:
            self._damage.note(f"run {run.id}: {damaged} of its evaluations are damaged")
        return found

    def _rows(self, run: int) -> Iterator[list[rows.Row]]:
        with self._damage.reading(f"run {run}"):
            # Bytes: what is damaged may be no text.
            cursor = self._bytes.execute(rows.SELECT, (run,))
            while chunk := cursor.fetchmany(rows.CHUNK):
                yield chunk

    def stored(self, run: LoggedRun) -> list[rows.Row]:
        """Return the evaluations of a run as they are stored."""
        return [row for chunk in self._rows(run.id) for row in chunk]

    def history(self, run: LoggedRun, space: Space[Any] | None = None) -> History:
        """Return the evaluations of a run as a history.

        Parameters
        ----------
        run
            One of :meth:`runs`.
        space
            That of the run, where it is of a kind that only the user's code knows.
        """
        space = space or run.space
        return rows.history(space, self.outcome(run, space), maximize=run.maximize, noisy=run.noisy)

    def course(self, run: LoggedRun) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Return the losses of a run in their order, NaN where there is no score, and their steps; without the
        solutions, and so in little time and memory."""
        with self._damage.reading(f"run {run.id}"):
            found = self._connection.execute(
                "SELECT score, step FROM evaluations WHERE run = ? ORDER BY call", (run.id,)
            ).fetchall()
            scores = np.array([score for score, _ in found], dtype=np.float64)
            return (-scores if run.maximize else scores) + 0.0, np.array([step for _, step in found], dtype=np.int32)
        return np.empty(0), np.empty(0, np.int32)

    def requests(self, run: LoggedRun) -> dict[Place, list[LoggedRequest]]:
        """Return what models were asked in a run, and what they replied; in the order of the steps."""
        return logged_requests.read(self._connection, run.id, self._damage)

    def items(self, run: LoggedRun) -> list[ItemScore]:
        """Return the scores of items in a run: the solution's key, the item, its score and the answer."""
        found: list[ItemScore] = []
        with self._damage.reading(f"the scores of items of run {run.id}"):
            if schema.version(self._connection, str(self.path)) < schema.WITH_ITEMS:
                return found
            damaged = 0
            for *row, checksum in self._connection.execute(
                "SELECT solution, item, score, answer, checksum FROM items WHERE run = ? ORDER BY item, solution",
                (run.id,),
            ):
                if checksum_of(tuple(row)) == checksum:
                    found.append((row[0], row[1], row[2], restored(row[3])))
                else:
                    damaged += 1
            if damaged:
                self._damage.note(f"run {run.id}: {damaged} of its scores of items are damaged")
        return found

    def scorer_calls(self, run: LoggedRun, items: int) -> int:
        """Return how many scores of the first ``items`` items are there."""
        with self._damage.reading(f"the scores of items of run {run.id}"):
            if schema.version(self._connection, str(self.path)) >= schema.WITH_ITEMS:
                question = "SELECT count(*) FROM items WHERE run = ? AND item < ?"
                return int(self._connection.execute(question, (run.id, items)).fetchone()[0])
        return 0

    def limits(self, run: LoggedRun) -> list[int]:
        """Return the budgets of evaluations that a run spent, or had before it had a larger one."""
        with self._damage.reading(f"the events of run {run.id}"):
            found = self._connection.execute(
                "SELECT call FROM events WHERE run = ? "
                "AND (kind = 'limit' OR kind = 'ended' AND detail = 'evaluations')",
                (run.id,),
            )
            return [call for (call,) in found]
        return []

    def spent(self, run: LoggedRun) -> dict[str, Entry]:
        """Return what models cost in a run, by role."""
        entries: dict[str, Entry] = {}
        with self._damage.reading(f"what models cost in run {run.id}"):
            for role, *values in self._connection.execute(
                "SELECT role, calls, retries, prompt_tokens, cached_tokens, completion_tokens, unreported, "
                "unreported_tokens, seconds, dollars FROM charges WHERE run = ? ORDER BY id",
                (run.id,),
            ):
                *numbers, dollars = values
                if all(isinstance(n, int | float) for n in [*numbers, 0.0 if dollars is None else dollars]):
                    entries[role] = entries.get(role, Entry()).plus(Entry(*values))
                else:
                    self._damage.note(f"run {run.id}: a charge of its models is damaged")
        return entries

    def rest(self, run: LoggedRun) -> LoggedRest:
        """Return what the log holds of a run beside its evaluations."""
        return LoggedRest(self.requests(run), self.items(run), self.spent(run), self.limits(run))

    def check(self) -> None:
        """Read everything, and raise InvalidInput where a part cannot be read."""
        for name in ("order", "meta"):
            self.meta(name)
        for run in self.runs():
            self.outcome(run)
            self.requests(run)
            self.items(run)
            self.spent(run)
        self.refuse_damage()

    def refuse_damage(self) -> None:
        """Raise InvalidInput where a part that was read is damaged."""
        self._damage.refuse(self.path)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._connection.close()
        self._bytes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
