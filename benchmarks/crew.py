"""Who does the runs of a benchmark: this process, several processes of this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from llmopt.benchmarks.cells import Cell, run_cell
from llmopt.benchmarks.record import Record, of_nothing
from llmopt.llm.base import LLM
from llmopt.llm.connect import connect
from llmopt.llm.terms import Terms
from llmopt.runlog import Slot
from llmopt.runlog.excerpt import Excerpt, RemoteLog, Send
from llmopt.runlog.writer import Statement


@dataclass(frozen=True)
class Task:
    """A run that somebody is to do, with all that they need; can be pickled.

    Attributes
    ----------
    cell
        What is run.
    excerpt
        What the log holds of it.
    llm, terms
        The SPEC of the solver's model, and prices and the reply cache.
    """

    cell: Cell
    excerpt: Excerpt
    llm: str
    terms: Terms


Take = Callable[[Task, Sequence[Statement], Record | None], None]
"""Takes what a run wants to be written and, when it has ended, its record."""


class Crew(Protocol):
    """Does runs in any order; what they write is taken as it comes, and of each run in its order."""

    def work(self, tasks: Iterable[Task], take: Take, again: Callable[[Task], Task]) -> None:
        """Do runs.

        Parameters
        ----------
        tasks
            Are asked for as there is room for them.
        take
            Is called in this thread.
        again
            Returns the task of a run whose process has died, with what the log holds of it now.
        """


@dataclass
class Models:
    """The models of a process: those that are shared, and others that it opens once for all its runs."""

    shared: Mapping[str, LLM] = field(default_factory=dict)
    opened: dict[str, LLM] = field(default_factory=dict)

    def open(self, spec: str) -> LLM:
        """Return the model of a SPEC."""
        if spec in self.shared:
            return self.shared[spec]
        if spec not in self.opened:
            self.opened[spec] = connect(spec)
        return self.opened[spec]

    def close(self) -> None:
        """Close those that this process has opened."""
        for llm in self.opened.values():
            llm.close()


def perform(task: Task, send: Send, models: Models) -> Record:
    """Do a run; whatever goes wrong is in its record."""
    cell = task.cell
    slot = Slot(RemoteLog(task.excerpt, send), cell.name, cell.repeat, cell.asked(task.llm))
    try:
        return run_cell(cell, slot, task.terms, models.open, task.llm)
    except Exception as error:
        return of_nothing(cell.identity, f"{type(error).__name__}: {error}")


class Here:
    """This process does the runs, one after another."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def work(self, tasks: Iterable[Task], take: Take, again: Callable[[Task], Task]) -> None:
        for task in tasks:

            def send(statements: Sequence[Statement], task: Task = task) -> None:
                take(task, statements, None)

            take(task, (), perform(task, send, self._models))
