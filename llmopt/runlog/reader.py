"""What a log holds, for readers: at any time, also while a run writes, and as far as a damaged file can be read."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.history import History
from llmopt.llm.base import Reply, Usage
from llmopt.llm.ledger import Entry
from llmopt.runlog import rows, schema
from llmopt.runlog.lock import is_held
from llmopt.runlog.requests import checksum_of
from llmopt.runlog.shared import Shared
from llmopt.space import Space
from llmopt.space.plain import from_plain

FILE = "run.sqlite"
LOCK = "run.lock"

State = Literal["running", "done", "interrupted", "failed"]
_TEXTS = ("prompt", "grammar", "schema")

# The message of an SQLite error may itself hold what is damaged.
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)

Place = tuple[str, int, int]
"""Of a call of models: the role, the step, and the number of the role's call within the step."""


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """What a log says of one run.

    Attributes
    ----------
    id, parent
        The run's number in its log, and that of the run it was forked from.
    name, repeat, seed
        The solver as it was asked for, and which of its repeats this is.
    identity
        Problem, solver, models, settings, budget and versions, see :mod:`llmopt.runlog.identity`.
    machine
        Where it began.
    began, ended
        Times in UTC; ``ended`` is None where the process died, or is still running.
    state
        ``"running"``, ``"done"``, ``"interrupted"`` (also where the process died) or ``"failed"``.
    stop_reason, message
        Why it ended.
    seconds
        Time that the run took, over all its sessions; without what was replayed.
    cached_replies
        Replies of models that came from the cache.
    record
        What tables show of the run, once it has ended.
    evaluations, best_score
        How many are there, and the best score among them; None where none has a score.
    """

    id: int
    parent: int | None
    name: str
    repeat: int
    seed: int
    identity: Mapping[str, Any]
    machine: Mapping[str, Any]
    began: str
    ended: str | None
    state: State
    stop_reason: str | None
    message: str | None
    seconds: float
    cached_replies: int
    record: Mapping[str, Any] | None
    evaluations: int
    best_score: float | None

    @property
    def solver(self) -> str:
        """The solver as the user named it; that of an object is its class."""
        return str(self.identity["asked"].get("solver") or self.identity["solver"]["class"])

    @property
    def problem(self) -> str:
        """The problem as the user named it; that of a function or an object is its class."""
        return str(self.identity["asked"].get("problem") or self.identity["problem"]["class"])

    @property
    def space(self) -> Space[Any]:
        """The space of the solutions; raises InvalidInput for one of another package."""
        return from_plain(self.identity["problem"]["space"])

    @property
    def maximize(self) -> bool:
        """Whether the best score is the largest."""
        return bool(self.identity["problem"]["direction"] == "maximize")

    @property
    def noisy(self) -> bool:
        """Whether every call of the problem is an evaluation."""
        return bool(self.identity["problem"]["noisy"])


@dataclass(frozen=True)
class LoggedRequest:
    """A request to a model, and what came of it.

    Attributes
    ----------
    sha256
        What tells it from other requests; the number of replies does not.
    n
        Replies that were wanted.
    texts
        ``prompt``, and ``grammar`` and ``schema`` where there are.
    settings
        The rest of the request.
    replies
        Those that are there, by sample.
    usage
        What they cost together, each with the first reply of its call.
    """

    sha256: bytes
    n: int
    texts: Mapping[str, str]
    settings: Mapping[str, Any]
    replies: dict[int, Reply] = field(default_factory=dict)
    usage: list[Usage] = field(default_factory=list)


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
        self.damage: list[str] = []
        if not self.path.is_file():
            raise InvalidInput(f"{folder} is not the folder of a run: it holds no {FILE}")
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
            except _UNREADABLE as error:
                connection.close()
                last = one_line(error)
            except BaseException:
                connection.close()
                raise
        raise InvalidInput(f"{self.path} cannot be read: {last}; nothing was changed")

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except _UNREADABLE as error:
            self._note(f"{what} cannot be read whole: {one_line(error)}")

    def _note(self, sentence: str) -> None:
        if sentence not in self.damage:
            self.damage.append(sentence)

    def meta(self, name: str) -> Any:
        """Return what the whole log has under a name; None where it has nothing."""
        with self._reading("the log's own settings"):
            row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
            try:
                return None if row is None else json.loads(row[0])
            except ValueError:
                self._note(f"the log's own settings ({name}) are damaged")
        return None

    def last(self) -> int:
        """Return the number of the last run; 0 where there is none."""
        with self._reading("the list of runs"):
            return int(self._connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()[0])
        return 0

    def runs(self) -> list[LoggedRun]:
        """Return the runs in the order in which they began."""
        return list(self.each_run())

    def each_run(self) -> Iterator[LoggedRun]:
        """Yield the runs in the order in which they began; what they have in common is in memory once."""
        alive = is_held(self.folder / LOCK)
        shared = Shared()
        with self._reading("the list of runs"):
            for row in self._connection.execute("SELECT * FROM runs ORDER BY id"):
                try:
                    run = self._run(row, alive)
                except (ValueError, TypeError, AttributeError, KeyError):
                    self._note(f"run {row[0]} is damaged")
                else:
                    # No two whole identities are equal.
                    identity = {name: shared(part) for name, part in run.identity.items()}
                    yield replace(run, identity=identity, machine=shared(run.machine))

    def run(self, number: int) -> LoggedRun | None:
        """Return a run by its number; None where there is none."""
        with self._reading(f"run {number}"):
            row = self._connection.execute("SELECT * FROM runs WHERE id = ?", (number,)).fetchone()
            return None if row is None else self._run(row, is_held(self.folder / LOCK))
        return None

    def begun(self) -> dict[tuple[str, int], tuple[int, State]]:
        """Return number and state of the latest run of each name and repeat; in little time, also of many."""
        with self._reading("the list of runs"):
            rows = self._connection.execute("SELECT name, repeat, id, state FROM runs ORDER BY id")
            return {(name, repeat): (number, state) for name, repeat, number, state in rows}
        return {}

    def _run(self, row: tuple[Any, ...], alive: bool) -> LoggedRun:
        number, parent, name, repeat, seed, identity, machine, began, ended, state, *rest = row
        stop_reason, message, seconds, cached, record = rest
        if state == "running" and not alive:
            state = "interrupted"
        known = json.loads(identity)
        extreme = "max" if known["problem"]["direction"] == "maximize" else "min"
        count, best = 0, None
        with self._reading(f"run {number}"):
            count, best = self._connection.execute(
                f"SELECT count(*), {extreme}(score) FROM evaluations WHERE run = ?", (number,)
            ).fetchone()
        return LoggedRun(
            int(number),
            parent,
            str(name),
            int(repeat),
            int(seed),
            known,
            json.loads(machine),
            str(began),
            ended,
            state,
            stop_reason,
            message,
            float(seconds),
            int(cached),
            None if record is None else json.loads(record),
            count,
            best,
        )

    def outcome(self, run: LoggedRun, space: Space[Any] | None = None) -> rows.Outcome:
        """Return the evaluations of a run, as far as they can be read."""
        found, damaged = rows.read(self._rows(run.id), space or run.space, maximize=run.maximize)
        if damaged:
            self._note(f"run {run.id}: {damaged} of its evaluations are damaged")
        return found

    def _rows(self, run: int) -> Iterator[list[rows.Row]]:
        with self._reading(f"run {run}"):
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
        with self._reading(f"run {run.id}"):
            found = self._connection.execute(
                "SELECT score, step FROM evaluations WHERE run = ? ORDER BY call", (run.id,)
            ).fetchall()
            scores = np.array([score for score, _ in found], dtype=np.float64)
            return (-scores if run.maximize else scores) + 0.0, np.array([step for _, step in found], dtype=np.int32)
        return np.empty(0), np.empty(0, np.int32)

    def requests(self, run: LoggedRun) -> dict[Place, list[LoggedRequest]]:
        """Return what models were asked in a run, and what they replied; in the order of the steps."""
        found: dict[Place, list[LoggedRequest]] = {}
        texts: dict[bytes, str] = {}
        with self._reading(f"what models were asked in run {run.id}"):
            for role, step, attempt, number, sha256, n, *hashes, settings in self._connection.execute(
                "SELECT role, step, attempt, request, sha256, n, prompt, grammar, schema, settings FROM requests "
                "WHERE run = ? ORDER BY step, role, attempt, request",
                (run.id,),
            ):
                listed = found.setdefault((role, step, attempt), [])
                if number != len(listed):
                    self._note(f"run {run.id}: a request of step {step} is missing")
                    continue
                try:
                    rest = json.loads(settings)
                except ValueError:
                    rest = {}
                    self._note(f"run {run.id}: a request of step {step} is damaged")
                names = {name: key for name, key in zip(_TEXTS, hashes, strict=True) if key is not None}
                named = {name: self._text(key, texts) for name, key in names.items()}
                listed.append(LoggedRequest(sha256, n, named, rest))
        self._add_replies(run.id, found)
        return found

    def _text(self, key: bytes, known: dict[bytes, str]) -> str:
        if key not in known:
            row = self._connection.execute("SELECT text FROM texts WHERE sha256 = ?", (key,)).fetchone()
            text = "" if row is None else _decoded(row[0])
            if hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() != key:
                self._note("a text that models were given is damaged")
            known[key] = text
        return known[key]

    def _add_replies(self, run: int, requests: Mapping[Place, list[LoggedRequest]]) -> None:
        with self._reading(f"the replies of run {run}"):
            for *row, checksum in self._connection.execute(
                "SELECT role, step, attempt, request, sample, finish, text, calls, prompt_tokens, cached_tokens, "
                "completion_tokens, checksum FROM replies WHERE run = ? "
                "ORDER BY step, role, attempt, request, sample",
                (run,),
            ):
                role, step, attempt, number, sample, finish, text, *usage = row
                listed = requests.get((role, step, attempt), [])
                whole = checksum_of(tuple(row)) == checksum and finish in ("stop", "length")
                if not whole or not 0 <= number < len(listed):
                    self._note(f"run {run}: a reply of step {step} is damaged")
                    continue
                listed[number].replies[sample] = Reply(_decoded(text), finish)
                listed[number].usage.append(Usage(*usage))

    def items(self, run: LoggedRun) -> list[tuple[bytes, int, float, str]]:
        """Return the scores of items in a run: the solution's key, the item, its score and the answer."""
        found: list[tuple[bytes, int, float, str]] = []
        with self._reading(f"the scores of items of run {run.id}"):
            if schema.version(self._connection, str(self.path)) < schema.WITH_ITEMS:
                return found
            damaged = 0
            for *row, checksum in self._connection.execute(
                "SELECT solution, item, score, answer, checksum FROM items WHERE run = ? ORDER BY item, solution",
                (run.id,),
            ):
                if checksum_of(tuple(row)) == checksum:
                    found.append((row[0], row[1], row[2], _decoded(row[3])))
                else:
                    damaged += 1
            if damaged:
                self._note(f"run {run.id}: {damaged} of its scores of items are damaged")
        return found

    def scorer_calls(self, run: LoggedRun, items: int) -> int:
        """Return how many scores of the first ``items`` items are there."""
        with self._reading(f"the scores of items of run {run.id}"):
            if schema.version(self._connection, str(self.path)) >= schema.WITH_ITEMS:
                question = "SELECT count(*) FROM items WHERE run = ? AND item < ?"
                return int(self._connection.execute(question, (run.id, items)).fetchone()[0])
        return 0

    def limits(self, run: LoggedRun) -> list[int]:
        """Return the numbers of evaluations at which budgets of evaluations ended a run."""
        with self._reading(f"the events of run {run.id}"):
            found = self._connection.execute(
                "SELECT call FROM events WHERE run = ? AND kind = 'ended' AND detail = 'evaluations'", (run.id,)
            )
            return [call for (call,) in found]
        return []

    def spent(self, run: LoggedRun) -> dict[str, Entry]:
        """Return what models cost in a run, by role."""
        entries: dict[str, Entry] = {}
        with self._reading(f"what models cost in run {run.id}"):
            for role, *values in self._connection.execute(
                "SELECT role, calls, retries, prompt_tokens, cached_tokens, completion_tokens, unreported, "
                "unreported_tokens, seconds, dollars FROM charges WHERE run = ? ORDER BY id",
                (run.id,),
            ):
                *numbers, dollars = values
                if all(isinstance(n, int | float) for n in [*numbers, 0.0 if dollars is None else dollars]):
                    entries[role] = entries.get(role, Entry()).plus(Entry(*values))
                else:
                    self._note(f"run {run.id}: a charge of its models is damaged")
        return entries

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
        if self.damage:
            raise InvalidInput(
                f"the log {self.path} is damaged: {'; '.join(self.damage)}. Nothing was changed; 'llmopt export' saves "
                "what can be read, and a new folder starts anew"
            )

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


def one_line(error: Exception) -> str:
    """Return the message of an error, which may hold a piece of a damaged file, as a line."""
    text = " ".join(str(error).split())
    return "".join(c for c in text if c.isprintable())[:200]


def _decoded(stored: str | bytes) -> str:
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogatepass")
