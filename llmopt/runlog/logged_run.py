"""What a log says of a run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from llmopt.llm.ledger import Entry
from llmopt.runlog.damage import Damage
from llmopt.runlog.logged_requests import LoggedRequest, Place
from llmopt.space import Space
from llmopt.space.plain import from_plain

State = Literal["running", "done", "interrupted", "failed"]

ItemScore = tuple[bytes, int, float, str]
"""The solution's key, the item, its score and the answer."""


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
    evaluations, steps, best_score
        How many are there, the last step with any, and the best score among them; None where none has a score.
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
    steps: int
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
class LoggedRest:
    """What a log holds of a run beside its evaluations.

    There may be a million of those: who reads the log makes columns of them, chunk by chunk, and who does not is sent
    their rows.

    Attributes
    ----------
    requests
        What models were asked, and their replies.
    items
        The scores of items.
    spent
        What models cost, by role.
    limits
        The budgets of evaluations that it spent, or had before it had a larger one.
    """

    requests: Mapping[Place, Sequence[LoggedRequest]] = field(default_factory=dict)
    items: Sequence[ItemScore] = ()
    spent: Mapping[str, Entry] = field(default_factory=dict)
    limits: Sequence[int] = ()


def read_run(row: tuple[Any, ...], alive: bool, connection: sqlite3.Connection, damage: Damage) -> LoggedRun:
    """Return the run of a row of ``runs``; ``alive``: whether a process writes the log."""
    number, parent, name, repeat, seed, identity, machine, began, ended, state, *rest = row
    stop_reason, message, seconds, cached, record = rest
    if state == "running" and not alive:
        state = "interrupted"
    known = json.loads(identity)
    extreme = "max" if known["problem"]["direction"] == "maximize" else "min"
    count, steps, best = 0, None, None
    with damage.reading(f"run {number}"):
        count, steps, best = connection.execute(
            f"SELECT count(*), max(step), {extreme}(score) FROM evaluations WHERE run = ?", (number,)
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
        steps or 0,
        best,
    )
