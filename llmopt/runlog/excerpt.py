"""What a log holds of one run, for a process that does the run and cannot write the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmopt.errors import InvalidInput
from llmopt.runlog import identity, rows
from llmopt.runlog.identity import Identity
from llmopt.runlog.journal import Journal, now
from llmopt.runlog.logged_run import LoggedRest, LoggedRun
from llmopt.runlog.rows import Row
from llmopt.runlog.writer import Statement
from llmopt.space import Space

Send = Callable[[Sequence[Statement]], None]
"""Brings statements to the process that writes the log."""


@dataclass(frozen=True)
class Excerpt:
    """What there is of a run; can be pickled.

    Attributes
    ----------
    folder
        Of the log, for messages.
    number
        The run's number in the log, also of one that has not begun.
    run
        What the log says of it; None: it has not begun.
    rows
        Its evaluations as they are stored: as columns they need its space, which only who does the run may know.
    rest
        What else there is of it.
    """

    folder: Path
    number: int
    run: LoggedRun | None = None
    rows: Sequence[Row] = ()
    rest: LoggedRest = field(default_factory=LoggedRest)


class RemoteLog:
    """Stands for the log in a process that has no more of it than an excerpt; of the same use to a :class:`Slot`.

    Parameters
    ----------
    excerpt
        What there is of the run.
    send
        Brings what is new to the log.
    """

    def __init__(self, excerpt: Excerpt, send: Send) -> None:
        self.folder = excerpt.folder
        self._excerpt = excerpt
        self._courier = Courier(send)

    def find(self, name: str, repeat: int) -> LoggedRun | None:
        """Return the run of the excerpt, which must be the one that is meant."""
        run = self._excerpt.run
        assert run is None or (run.name, run.repeat) == (name, repeat)
        return run

    def scorer_calls(self, run: LoggedRun, items: int) -> int:
        """Return how many scores of the first ``items`` items are there."""
        return sum(item < items for _, item, _, _ in self._excerpt.rest.items)

    def begin(self, name: str, repeat: int, new: Identity, space: Space[Any]) -> Journal:
        """Write down that the run begins."""
        number = self._excerpt.number
        self._courier.put(beginning(number, None, name, repeat, new))
        return Journal(self._courier, number, space, maximize=new["problem"]["direction"] == "maximize")

    def resume(self, run: LoggedRun, new: Identity, space: Space[Any]) -> Journal:
        """Go on with the run; ``new`` is its identity now."""
        past, damaged = rows.read([self._excerpt.rows], space, maximize=run.maximize)
        if damaged:
            raise InvalidInput(f"{self.folder}: {damaged} of the evaluations of run {run.id} are damaged")
        return Journal.going_on(self._courier, run, new, space, past, self._excerpt.rest)

    def fork(self, parent: LoggedRun, new: Identity, space: Space[Any]) -> Journal:
        raise InvalidInput("a run of a benchmark cannot be forked; give another folder")


class Courier:
    """Takes statements as :class:`llmopt.runlog.writer.Writer` does, and sends them on.

    There is nothing to wait for: the process that writes commits what has come within 20 ms.
    """

    def __init__(self, send: Send) -> None:
        self._send = send

    def put(self, *statements: Statement) -> None:
        self._send(statements)

    def flush(self) -> None:
        """Do nothing: what was put is on its way."""


def beginning(number: int, parent: int | None, name: str, repeat: int, new: Identity) -> Statement:
    """Return the statement that writes down that a run begins."""
    row = (number, parent, name, repeat, new["seed"], json.dumps(new), json.dumps(identity.machine()), now())
    return (
        "INSERT INTO runs (id, parent, name, repeat, seed, identity, machine, began, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'running')",
        [row],
    )
