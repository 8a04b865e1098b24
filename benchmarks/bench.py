"""A suite is run: what is there is kept, what is missing is done, and all of it is in one log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmopt.benchmarks.cells import Cell
from llmopt.benchmarks.crew import Crew, Task
from llmopt.benchmarks.record import Record
from llmopt.benchmarks.results import SUITE
from llmopt.benchmarks.suite import Suite
from llmopt.errors import InvalidInput
from llmopt.llm.terms import Terms
from llmopt.runlog import LoggedRun, RunLog, identity
from llmopt.runlog.excerpt import Excerpt
from llmopt.runlog.writer import Statement


@dataclass(frozen=True)
class Bench:
    """A suite with its log.

    Parameters
    ----------
    suite
        What is run.
    log
        Where everything is kept.
    llm
        The SPEC of the model of solvers that ask one.
    terms
        Prices and the reply cache of models.

    Attributes
    ----------
    count
        How many runs it has. They are never all in memory.

    Raises
    ------
    InvalidInput
        The log holds another suite.
    """

    suite: Suite
    log: RunLog
    llm: str = "local"
    terms: Terms = field(default_factory=Terms)
    count: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", sum(1 for _ in self.suite.cells()))
        stored, new = self.log.reader.meta(SUITE), self._description()
        if stored is None and self.log.reader.last():
            raise InvalidInput(f"{self.log.folder} holds runs of no suite; give another folder")
        if stored is not None and stored != new:
            what = "the same suite with other options" if stored["name"] == new["name"] else f"suite {stored['name']}"
            raise InvalidInput(f"{self.log.folder} holds {what}; give another folder, or what made it")
        self.log.set_meta(SUITE, new)

    def _description(self) -> dict[str, Any]:
        suite = self.suite
        return {
            "name": suite.name,
            "description": suite.description,
            "source": suite.source,
            "smoke": suite.smoke,
            "cells": self.count,
            "digest": suite.digest(),
            "llm": self.llm if suite.needs_model() else None,
        }

    def work(self, crew: Crew, watch: Callable[[Cell, Record], None]) -> int:
        """Do the runs that are not done, and tell of each as it ends; return how many were done already.

        A run that failed, or was interrupted, is gone on with.

        Raises
        ------
        KeyboardInterrupt
            Also where Ctrl-C came within a run.
        """
        known = self.log.reader.begun()
        # What cannot be read must not be run anew beside it.
        self.log.reader.refuse_damage()
        already = 0

        def tasks() -> Iterator[Task]:
            nonlocal already
            for cell in self.suite.cells():
                number, state = known.get((cell.name, cell.repeat), (None, "new"))
                if state == "done":
                    already += 1
                else:
                    yield self._task(cell, self.log.reserve()) if number is None else self._going_on(cell, number)

        def take(task: Task, statements: Sequence[Statement], record: Record | None) -> None:
            self.log.put(statements)
            if record is not None:
                self._end(task, record)
                watch(task.cell, record)
                if record.stop_reason == "interrupted":
                    # The run has kept what it did; whoever ended it meant all of them, whoever does them.
                    raise KeyboardInterrupt

        crew.work(tasks(), take, lambda task: self._going_on(task.cell, task.excerpt.number))
        self.log.flush()
        return already

    def _task(self, cell: Cell, number: int, run: LoggedRun | None = None) -> Task:
        excerpt = Excerpt(self.log.folder, number) if run is None else self.log.excerpt(run)
        return Task(cell, excerpt, self.llm, self.terms)

    def _going_on(self, cell: Cell, number: int) -> Task:
        self.log.flush()
        run = self.log.reader.run(number)
        if run is not None and identity.is_absent(run.identity):
            self.log.forget(number)
            run = None
        return self._task(cell, number, run)

    def _end(self, task: Task, record: Record) -> None:
        number, cell = task.excerpt.number, task.cell
        if record.stop_reason == "error":
            nothing = identity.absent(cell.asked(self.llm), cell.seed, cell.budget)
            self.log.fail(number, cell.name, cell.repeat, nothing, record.message)
        self.log.keep_record(number, record.as_json())
