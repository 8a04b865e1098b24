"""The results in a folder: every run with its record and the course of its losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.benchmarks import record
from llmopt.benchmarks.record import Record
from llmopt.errors import InvalidInput
from llmopt.runlog import LoggedRun, LogReader
from llmopt.space import Space

SUITE = "suite"
"""The name under which a log says what was planned: ``name``, ``description``, ``smoke`` and ``cells`` (a number)."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A run that has ended.

    Attributes
    ----------
    run
        What the log says of it.
    record
        Its record.
    losses
        Of its evaluations in their order, shape (n,): minimized, NaN where there is no score.
    steps
        The step of each evaluation, shape (n,).
    """

    run: LoggedRun
    record: Record
    losses: NDArray[np.float64]
    steps: NDArray[np.int32]

    @property
    def problem(self) -> str:
        """The problem with its settings, without the instance: runs that share it and the instance are paired."""
        return label(self.run.problem, self.run.identity["asked"].get("settings", {}))

    @property
    def repeat(self) -> tuple[str, int, int, int]:
        """The problem, its instance, the repeat and the seed: what every solver of a comparison is given alike."""
        return self.problem, self.record.instance, self.record.repeat, self.record.seed

    @property
    def space(self) -> Space[Any] | None:
        """The space of its solutions; None for one of another package, and where the run did not come about."""
        try:
            return self.run.space if len(self.losses) else None
        except InvalidInput:
            return None

    @property
    def optimum(self) -> float | None:
        """The smallest possible loss, where it is known."""
        optimum = self.record.optimum
        return None if optimum is None else -optimum if self.run.maximize else optimum

    @property
    def target(self) -> float | None:
        """The loss that counts as success."""
        known = self.run.identity["problem"]["optimum"]
        given = self.run.identity["target"]
        if given is not None:
            return -float(given) if self.run.maximize else float(given)
        return None if known is None or self.optimum is None else self.optimum + float(known[1])


@dataclass(frozen=True)
class Results:
    """The runs of a folder, such as ``compare``, ``solve`` or ``bench`` has written it.

    Attributes
    ----------
    folder
        Where they are.
    name, description
        Of the suite; of a comparison the problem as it was asked for.
    smoke
        Whether this is the small size of a suite.
    planned
        How many runs there are to be.
    meta
        Command, versions and machine, see ``meta.json``.
    traces
        Runs that have ended, in the order of the plan.
    """

    folder: Path
    name: str
    description: str
    smoke: bool
    planned: int
    meta: Mapping[str, Any]
    traces: Sequence[Trace]

    @classmethod
    def read(cls, folder: str | Path) -> Results:
        """Read a folder.

        Raises
        ------
        InvalidInput
            It holds no log, one that is damaged, or one without a run that has ended.
        """
        with LogReader(folder) as reader:
            suite, meta = reader.meta(SUITE), reader.meta("meta") or {}
            order = reader.meta("order")
            planned = set()
            found: dict[tuple[str, int], Trace] = {}
            for run in reader.each_run():
                key = run.name, run.repeat
                planned.add(key)
                # Of a run that was forked, the fork counts.
                if run.record is None or not _tells_of_the_end(run, run.record):
                    found.pop(key, None)
                else:
                    # What is in the record need not be in memory twice.
                    found[key] = Trace(replace(run, record=None), record.known(run.record), *reader.course(run))
            traces = list(found.values())
            reader.refuse_damage()
        if not traces:
            raise InvalidInput(
                f"{folder} holds no run that has ended; go on with it (the same command, or llmopt resume {folder})"
            )
        if suite is None:
            name = traces[0].problem
            cells = len(planned) if order is None else order["repeats"] * len(order["solvers"])
            suite = {"name": name, "description": "", "smoke": False, "cells": cells}
        return cls(
            Path(folder),
            suite["name"],
            suite["description"],
            suite["smoke"],
            max(suite["cells"], len(traces)),
            meta,
            traces,
        )

    @property
    def solvers(self) -> list[str]:
        """The solvers in the order of the plan."""
        return list(dict.fromkeys(trace.record.solver for trace in self.traces))

    @property
    def problems(self) -> list[str]:
        """The problems with their settings in the order of the plan."""
        return list(by_problem(self.traces))


def _tells_of_the_end(run: LoggedRun, stored: Mapping[str, Any]) -> bool:
    """Return whether a record is of the run as it is: one that went on has that of an earlier end until it is done."""
    over = run.state in ("done", "failed") or run.ended is not None
    return over and stored.get("stop_reason") == run.stop_reason


def by_problem(traces: Iterable[Trace]) -> dict[str, list[Trace]]:
    """Return runs by their problem, in the order in which they come."""
    found: dict[str, list[Trace]] = {}
    for trace in traces:
        found.setdefault(trace.problem, []).append(trace)
    return found


def check_budgets(first: Trace, second: Trace) -> None:
    """Raise InvalidInput where two runs that are compared were not within the same budget."""
    # A log of another version may not have the names of limits that are not given.
    one, other = (
        {name: limit for name, limit in trace.run.identity["budget"].items() if limit is not None}
        for trace in (first, second)
    )
    if one != other:
        limits = "; ".join(", ".join(f"{limit} {name}" for name, limit in budget.items()) for budget in (one, other))
        raise InvalidInput(
            f"runs on {second.problem} have different budgets ({limits}), and cannot be compared; name folders of the "
            "same budget"
        )


def label(problem: str, settings: Mapping[str, Any]) -> str:
    """Return a problem with its settings as they are typed.

    Examples
    --------
    >>> label("function", {"name": "sphere", "dim": "2"})
    'function name=sphere dim=2'
    """
    return " ".join([problem, *(f"{key}={value}" for key, value in settings.items() if key != "instance")])
