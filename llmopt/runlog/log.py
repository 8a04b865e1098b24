"""The log of a folder's runs, for the process that writes it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from llmopt.budget import Budget, Limit, exceeded
from llmopt.errors import InvalidInput
from llmopt.problem import Problem
from llmopt.racing import Race
from llmopt.runlog import filesystem, identity, rows, schema
from llmopt.runlog.damage import one_line
from llmopt.runlog.excerpt import Excerpt, RemoteLog, beginning
from llmopt.runlog.identity import Identity
from llmopt.runlog.journal import Journal
from llmopt.runlog.lock import WriterLock
from llmopt.runlog.logged_run import ItemScore, LoggedRest, LoggedRun
from llmopt.runlog.reader import FILE, LOCK, LogReader
from llmopt.runlog.rows import Outcome
from llmopt.runlog.writer import Statement, Writer
from llmopt.space import Space

if TYPE_CHECKING:
    from llmopt.solver import Solver

_BUSY_SECONDS = 30.0


class RunLog:
    """Writes the log in a folder; one object at a time does, readers may come and go.

    Parameters
    ----------
    folder
        Is made where it is not there. A log that is there is gone on with.

    Raises
    ------
    InvalidInput
        Another process writes there, the log is that of another program or damaged, or nothing can be written.

    Attributes
    ----------
    remark
        What the user should know of how it is written; empty on an ordinary disk.

    Examples
    --------
    >>> import tempfile
    >>> from llmopt import Int, Vector, minimize
    >>> from llmopt.runlog import LogReader
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = minimize(lambda s: s["x"] ** 2, Vector(x=Int(-5, 5)), solver="exhaustive", log=folder)
    ...     with LogReader(folder) as log:
    ...         [run] = log.runs()
    >>> run.state, run.evaluations
    ('done', 11)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE
        self.remark = ""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(f"{folder} cannot be made: {error.strerror}") from None
        self._lock = WriterLock(self.folder / LOCK)
        try:
            connection = self._open()
            try:
                self._reader = LogReader(self.folder)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            self._lock.close()
            raise
        self._writer = Writer(connection, str(self.path))
        self._last = self._reader.last()
        self._looked_through = False

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            # Before the write-ahead log: without it, the file still says what it is.
            schema.migrate(connection, str(self.path))
            kind = filesystem.network(self.folder)
            mode = "WAL" if kind is None else "DELETE"
            [used] = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
            if kind is not None:
                self.remark = (
                    f"{self.folder} is on a network file system ({kind}): journal mode {used}, which is slower"
                )
            connection.execute("PRAGMA synchronous = FULL")
            return connection
        except (sqlite3.Error, UnicodeDecodeError) as error:
            connection.close()
            raise InvalidInput(f"the log {self.path} cannot be used: {one_line(error)}; nothing was changed") from None
        except BaseException:
            connection.close()
            raise

    @property
    def reader(self) -> LogReader:
        """Reads what is written; see :meth:`flush`."""
        return self._reader

    def set_meta(self, name: str, value: Any) -> None:
        """Keep something for the whole log, as JSON."""
        self._writer.put(("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(name, json.dumps(value))]))
        self._writer.flush()

    def find(self, name: str, repeat: int) -> LoggedRun | None:
        """Return the latest run of a name and repeat; forks come after what they were forked from."""
        self._writer.flush()
        if not self._looked_through:
            # A run that cannot be read must not be begun anew beside what is left of it. Nobody else writes, so to
            # look through all runs once is enough; with many runs, to do it for each of them would take minutes.
            self._reader.runs()
            self._looked_through = True
        found = self._reader.latest(name, repeat)
        self._reader.refuse_damage()
        return found

    def set_record(self, name: str, repeat: int, record: Mapping[str, Any]) -> None:
        """Keep what tables show of the latest run of a name and repeat."""
        latest = "(SELECT max(id) FROM runs WHERE name = ? AND repeat = ?)"
        self._writer.put((f"UPDATE runs SET record = ? WHERE id = {latest}", [(json.dumps(record), name, repeat)]))
        self._writer.flush()

    def begin(self, name: str, repeat: int, new: Identity, space: Space[Any]) -> Journal:
        """Write down that a run begins."""
        return self._begin(name, repeat, new, space)

    def fork(self, parent: LoggedRun, new: Identity, space: Space[Any]) -> Journal:
        """Begin a run that is told the evaluations of another one, as its start points."""
        past = self._readable(parent, space)
        items = self._reader.items(parent)
        self._reader.refuse_damage()
        count = len(past)
        told = Outcome(
            np.arange(count), np.zeros(count, np.int32), past.columns, past.losses, past.status, past.reasons
        )
        return self._begin(parent.name, parent.repeat, new, space, parent.id, told, items)

    def _begin(
        self,
        name: str,
        repeat: int,
        new: Identity,
        space: Space[Any],
        parent: int | None = None,
        told: Outcome | None = None,
        items: Sequence[ItemScore] = (),
    ) -> Journal:
        number = self.reserve()
        maximize = new["problem"]["direction"] == "maximize"
        statements: list[Statement] = [beginning(number, parent, name, repeat, new)]
        if told is not None:
            statements.append((rows.INSERT, rows.rows(number, space, told, maximize=maximize)))
            copied = "SELECT ?, solution, item, score, answer, checksum FROM items WHERE run = ?"
            statements.append((f"INSERT INTO items {copied}", [(number, parent)]))
        self._writer.put(*statements)
        self._writer.flush()
        rest = LoggedRest(items=items)
        return Journal(self._writer, number, space, maximize=maximize, past=told, rest=rest, forked=told is not None)

    def resume(self, run: LoggedRun, new: Identity, space: Space[Any]) -> Journal:
        """Go on with a run; ``new`` is its identity now."""
        past = self._readable(run, space)
        rest = self._reader.rest(run)
        self._reader.refuse_damage()
        return Journal.going_on(self._writer, run, new, space, past, rest)

    def reserve(self) -> int:
        """Return the number of a run that is to begin."""
        self._last += 1
        return self._last

    def excerpt(self, run: LoggedRun) -> Excerpt:
        """Return what the log holds of a run, for another process."""
        self._writer.flush()
        reader = self._reader
        found = Excerpt(self.folder, run.id, run, reader.stored(run), reader.rest(run))
        reader.refuse_damage()
        return found

    def put(self, statements: Sequence[Statement]) -> None:
        """Write what another process has sent."""
        self._writer.put(*statements)

    def keep_record(self, number: int, record: Mapping[str, Any]) -> None:
        """Keep what tables show of a run."""
        self._writer.put(("UPDATE runs SET record = ? WHERE id = ?", [(json.dumps(record), number)]))

    def fail(self, number: int, name: str, repeat: int, nothing: Identity, message: str) -> None:
        """Write down that a run has failed; ``nothing`` is the identity of one that did not even begin."""
        self._writer.flush()
        if self._reader.run(number) is None:
            self._writer.put(beginning(number, None, name, repeat, nothing))
        failed = "UPDATE runs SET state = 'failed', stop_reason = 'error', message = ? WHERE id = ?"
        self._writer.put((failed, [(message, number)]))

    def forget(self, number: int) -> None:
        """Remove a run that did not come about, so that it can begin."""
        self._writer.put(("DELETE FROM runs WHERE id = ?", [(number,)]))

    def flush(self) -> None:
        """Return when everything is on the disk."""
        self._writer.flush()

    def scorer_calls(self, run: LoggedRun, items: int) -> int:
        """Return how many scores of the first ``items`` items are there."""
        return self._reader.scorer_calls(run, items)

    def _readable(self, run: LoggedRun, space: Space[Any]) -> Outcome:
        self._writer.flush()
        past = self._reader.outcome(run, space)
        self._reader.refuse_damage()
        return past

    def close(self) -> None:
        """Write what is left and let others write; may be called twice."""
        self._reader.close()
        self._writer.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Slot:
    """Where a run goes in a log, and on what terms it may go on there.

    Parameters
    ----------
    log
        The log, or what stands for it in another process.
    name, repeat
        What the run is called; the latest run with these is gone on with, where there is one.
    asked
        What the user typed: the names and settings from which problem and solver were built.
    fork
        Begin a new run that is told the evaluations of the latest one.
    force
        Go on although a version, or the code of the user's function, is another one.
    """

    log: RunLog | RemoteLog
    name: str = "run"
    repeat: int = 0
    asked: Mapping[str, Any] = field(default_factory=dict)
    fork: bool = False
    force: bool = False

    def open(
        self,
        problem: Problem,
        solver: Solver,
        budget: Budget,
        seed: int,
        *,
        starts: Sequence[Any] | None,
        target: float | None,
        race: Race | None = None,
        earlier: Sequence[tuple[Any, float]] = (),
    ) -> Journal:
        """Return the journal of a run with these arguments of :func:`llmopt.run.run`.

        Raises
        ------
        InvalidInput
            The log's run is another one; the message shows the difference. Or the log is damaged.
        """
        new, run = self._check(problem, solver, budget, seed, starts, target, race, earlier)
        if run is None:
            return self.log.begin(self.name, self.repeat, new, problem.space)
        return (self.log.fork if self.fork else self.log.resume)(run, new, problem.space)

    def check(self, problem: Problem, solver: Solver, budget: Budget, seed: int, race: Race | None = None) -> None:
        """Raise InvalidInput where :meth:`open` would, but for damage."""
        self._check(problem, solver, budget, seed, None, None, race, ())

    def _check(
        self,
        problem: Problem,
        solver: Solver,
        budget: Budget,
        seed: int,
        starts: Sequence[Any] | None,
        target: float | None,
        race: Race | None,
        earlier: Sequence[tuple[Any, float]],
    ) -> tuple[Identity, LoggedRun | None]:
        # Imported late: problems with items know logs.
        from llmopt.items import ItemProblem

        new = identity.identify(
            problem, solver, budget, seed, starts=starts, target=target, asked=self.asked, race=race,
            earlier=earlier,
        )  # fmt: skip
        run = self.log.find(self.name, self.repeat)
        if run is not None:
            other, doubtful = identity.differences(run.identity, new)
            if self.fork:
                # What was evaluated must still hold; how it came about need not.
                other = [text for text in other if text.startswith("problem.")]
                doubtful = [text for text in doubtful if text.startswith("problem.")]
            self._refuse(other, doubtful)
            # What a fork is told is its step 0.
            spent: dict[Limit, int] = {"evaluations": run.evaluations, "steps": 0 if self.fork else run.steps}
            if isinstance(problem, ItemProblem):
                spent["scorer_calls"] = self.log.scorer_calls(run, problem.items)
            if (beyond := exceeded(budget, spent)) is not None:
                raise InvalidInput(
                    f"{self.log.folder}: run {run.id} has made {spent[beyond]:,} {beyond.replace('_', ' ')}, more than "
                    f"the budget of {getattr(budget, beyond):,}; give a larger one"
                )
        return new, run

    def _refuse(self, other: Sequence[str], doubtful: Sequence[str]) -> None:
        if other:
            raise InvalidInput(
                f"{self.log.folder} holds another run: {'; '.join([*other, *doubtful])}; give another folder"
                + ("" if self.fork or any(text.startswith("problem.") for text in other) else
                   ", or let a new run be told its evaluations (--fork, or fork=True)")
            )  # fmt: skip
        if doubtful and not self.force:
            raise InvalidInput(
                f"{self.log.folder} holds a run under other conditions: {'; '.join(doubtful)}; if you know that it "
                "makes no difference, force it (--force, or force=True): every proposal is compared with the log"
            )
