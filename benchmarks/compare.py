"""Several solvers on the same repeats of one problem, within the same budget."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from llmopt.benchmarks import record
from llmopt.benchmarks.execution import Run, execute
from llmopt.benchmarks.record import Identity, Record
from llmopt.budget import Budget, Limit, exceeded, larger
from llmopt.errors import InvalidInput, LogError
from llmopt.items import ItemProblem
from llmopt.llm.base import LLM
from llmopt.llm.terms import Terms
from llmopt.objective import Objective
from llmopt.problem import Problem
from llmopt.racing import Race
from llmopt.registry import create_problem, create_solver, needs_model
from llmopt.run import DEFAULT_RACE, race_on
from llmopt.runlog import RunLog, Slot
from llmopt.runlog.logged_run import LoggedRun
from llmopt.solver import Solver


class Watcher:
    """Is told how a comparison goes on; the methods do nothing here."""

    def begin(self, name: str, solver: Solver, repeat: int) -> None:
        """A run begins."""

    def step(self, objective: Objective) -> None:
        """A step of the run is done."""


@dataclass(frozen=True)
class Comparison:
    """A comparison that is ready to run: every part is built and checked, nothing is evaluated yet.

    Parameters
    ----------
    name, settings
        The problem, for the records.
    problems
        One for each repeat; repeat r is the instance ``instance + r``.
    solvers
        By name, in the order in which they run.
    budget
        What each run may spend.
    instance, seed
        Those of repeat 0.
    terms
        Prices and the reply cache of language models.
    workers
        Evaluations of a step at the same time, in threads.
    log
        Where every evaluation and every reply is kept. Runs that are there and done are taken from it, others go on
        where they ended.
    asked
        What the user typed besides, for the log.
    fork, force
        See :class:`llmopt.runlog.Slot`; for the runs that are not done.
    race
        See :func:`llmopt.run.run`.
    """

    name: str
    settings: Mapping[str, str]
    problems: Sequence[Problem]
    solvers: Mapping[str, Solver]
    budget: Budget
    instance: int = 0
    seed: int = 0
    terms: Terms = field(default_factory=Terms)
    workers: int = 1
    log: RunLog | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    fork: bool = False
    force: bool = False
    race: Race | None = DEFAULT_RACE

    def __post_init__(self) -> None:
        if not self.problems:
            raise InvalidInput("the number of repeats must be at least 1")
        if self.workers < 1:
            raise InvalidInput(f"the number of workers must be at least 1, not {self.workers}")
        if not self.solvers:
            raise InvalidInput("name at least one solver")
        for solver in self.solvers.values():
            for problem in self.problems:
                solver.check_problem(problem, self.budget)
        asked = [solver.models for solver in self.solvers.values()] + [problem.models for problem in self.problems]
        for models in asked:
            for llm in models.values():
                self.terms.check(llm, self.budget.cost)
        for name, solver in self.solvers.items():
            for repeat, problem in enumerate(self.problems):
                if (slot := self._slot(name, repeat)) is not None and self._logged(name, repeat) is None:
                    slot.check(problem, solver, self.budget, self.seed + repeat, race_on(problem, self.race))

    @property
    def repeats(self) -> int:
        return len(self.problems)

    def missing(self, name: str) -> int:
        """Return how many repeats of a solver are not done."""
        return sum(self._logged(name, repeat) is None for repeat in range(self.repeats))

    def going_on(self, name: str) -> list[tuple[LoggedRun, Problem]]:
        """Return the runs of a solver that are in the log and not done, each with its problem."""
        if self.log is None or self.fork:
            return []
        found = [
            (self.log.find(name, repeat), problem)
            for repeat, problem in enumerate(self.problems)
            if self._logged(name, repeat) is None
        ]
        return [(run, problem) for run, problem in found if run is not None]

    def scorer_calls(self, name: str) -> int:
        """Return how many scorer calls of the runs of a solver that are not done need not be made again."""
        calls = 0
        for run, problem in self.going_on(name):
            if self.log is not None and isinstance(problem, ItemProblem):
                # A search that goes on after it was assessed may have something else assessed.
                assessed = run.record is not None and run.record.get("test_accuracy") is not None
                calls += self.log.scorer_calls(run, problem.items if assessed else sys.maxsize)
        return calls

    def runs(self, watcher: Watcher | None = None) -> Iterator[Run]:
        """Run solver by solver, repeat by repeat, and yield each run as it ends.

        A run that fails is yielded with the stop reason ``"error"`` and the next one begins. A run that is
        interrupted is yielded and is the last.
        """
        watcher = watcher or Watcher()
        for name, solver in self.solvers.items():
            for repeat, problem in enumerate(self.problems):
                identity = Identity(name, self.name, self.instance + repeat, repeat, self.seed + repeat)
                watcher.begin(name, solver, repeat)
                done = self._logged(name, repeat) or self._run(identity, problem, solver, watcher.step)
                yield done
                if done.record.stop_reason == "interrupted":
                    return

    def _slot(self, name: str, repeat: int) -> Slot | None:
        if self.log is None:
            return None
        asked = {"problem": self.name, "settings": dict(self.settings), "solver": name, **self.asked}
        asked |= {"instance": self.instance + repeat}
        return Slot(self.log, name, repeat, asked, self.fork, self.force)

    def _logged(self, name: str, repeat: int) -> Run | None:
        """Return a run that needs not go on."""
        run = None if self.log is None else self.log.find(name, repeat)
        if run is None or run.state != "done" or run.record is None:
            return None
        # The record of another version has other fields; a replay makes it anew.
        if set(run.record) != set(record.FIELDS):
            return None
        # More budget is of use only to a run that has spent it: more of what has ended it.
        reason, limit = run.stop_reason, self.budget.evaluations
        before = run.identity["budget"]
        if reason in get_args(Limit) and before.get(reason) != asdict(self.budget)[str(reason)]:
            return None
        # How many proposals let a run stall depends on its budget of evaluations.
        if reason == "stalled" and larger(limit, than=before["evaluations"]):
            return None
        # One that has made more is none within this budget, which its slot tells.
        if exceeded(self.budget, {"evaluations": run.evaluations, "steps": run.steps}):
            return None
        # It went on after this record was made, and was killed before the next one.
        if run.record["stop_reason"] != reason or not (run.noisy or run.record["unique_pairs"] == run.evaluations):
            return None
        assert self.log is not None
        return Run(Record(**run.record), self.log.reader.history(run, self.problems[repeat].space))

    def _run(self, identity: Identity, problem: Problem, solver: Solver, on_step: Callable[[Objective], None]) -> Run:
        done = execute(
            identity,
            problem,
            solver,
            self.budget,
            terms=self.terms,
            log=self._slot(identity.solver, identity.repeat),
            workers=self.workers,
            race=self.race,
            on_step=on_step,
        )
        if self.log is not None and done.record.stop_reason not in ("error", "interrupted"):
            with suppress(LogError):
                # Without it, a resumed comparison replays the run.
                self.log.set_record(identity.solver, identity.repeat, done.record.as_json())
        return done


def create_problems(
    name: str, settings: Mapping[str, str], repeats: int, open_model: Callable[[str], LLM] | None = None
) -> tuple[list[Problem], int]:
    """Build one problem for each repeat; ``instance`` among the settings is that of repeat 0, and ``open_model``
    returns the models that problems ask.

    Returns
    -------
    problems, instance
        The problems, and the instance of repeat 0.

    Raises
    ------
    InvalidInput
        The name, a setting or the number of repeats is not legal.
    """
    if repeats < 1:
        raise InvalidInput(f"the number of repeats must be at least 1, not {repeats}")
    rest = {key: value for key, value in settings.items() if key != "instance"}
    text = settings.get("instance", "0")
    try:
        first = int(text)
    except ValueError:
        raise InvalidInput(f"problem {name}: instance={text} is not legal; give a whole number") from None
    if first < 0:
        raise InvalidInput(f"problem {name}: instance={text} is not legal; give a whole number of at least 0")
    return [
        create_problem(name, rest, instance=first + repeat, open_model=open_model) for repeat in range(repeats)
    ], first


def create_solvers(texts: Sequence[str], llm: LLM | None, hint: str = "") -> dict[str, Solver]:
    """Build solvers from ``NAME:key=value``; those that need a model share ``llm``."""
    if len(set(texts)) < len(texts):
        twice = next(text for i, text in enumerate(texts) if text in texts[:i])
        raise InvalidInput(f"the solver {twice} is given twice")
    return {text: create_solver(text, **({"llm": llm, "hint": hint} if needs_model(text) else {})) for text in texts}


def compare(
    problem: str,
    settings: Mapping[str, str] | None = None,
    *,
    solvers: Sequence[str],
    llm: str | LLM = "local",
    repeats: int = 5,
    seed: int = 0,
    budget: Budget,
    hint: str = "",
    terms: Terms | None = None,
    watcher: Watcher | None = None,
) -> list[Record]:
    """Compare solvers on a problem.

    Parameters
    ----------
    problem, settings
        As for :func:`llmopt.registry.create_problem`; ``instance`` among the settings is that of repeat 0.
    solvers
        As for :func:`llmopt.registry.create_solver`.
    llm
        The model, or its SPEC, of the solvers that use one.
    repeats, seed
        Repeat r has the instance and the seed r above the first ones, for every solver.
    budget
        What each run may spend.
    hint
        What the user knows, in words; it goes into the prompt.
    terms
        Prices and the reply cache of language models.
    watcher
        Is told how it goes on.

    Returns
    -------
    list of Record
        In the order in which they ran; Ctrl-C ends the list with what was done.

    Raises
    ------
    InvalidInput, MissingExtra
        A part is not legal, or is not installed; nothing was evaluated.

    Examples
    --------
    >>> from llmopt import Budget
    >>> from llmopt.benchmarks.compare import compare
    >>> records = compare("regression", {"w_true": "15", "b_true": "14"}, solvers=["random", "quadratic"],
    ...                   repeats=2, budget=Budget(evaluations=40))
    >>> [(record.solver, record.instance, record.success) for record in records]
    [('random', 0, False), ('random', 1, False), ('quadratic', 0, True), ('quadratic', 1, True)]
    """
    settings = dict(settings or {})
    problems, instance = create_problems(problem, settings, repeats)
    with ExitStack() as stack:
        if isinstance(llm, str) and any(needs_model(text) for text in solvers):
            from llmopt.llm import connect

            llm = stack.enter_context(connect(llm))
        built = create_solvers(solvers, llm if isinstance(llm, LLM) else None, hint)
        comparison = Comparison(problem, settings, problems, built, budget, instance, seed, terms or Terms())
        records: list[Record] = []
        with suppress(KeyboardInterrupt):
            for done in comparison.runs(watcher):
                records.append(done.record)  # noqa: PERF401 - each is there when the next one is interrupted
        return records
