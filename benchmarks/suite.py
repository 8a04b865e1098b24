"""A suite: which solvers run on which problems, within which budgets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from llmopt.benchmarks.cells import Cell
from llmopt.benchmarks.results import label
from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.problem import Problem
from llmopt.registry import asks_model, create_problem, create_solver, needs_model
from llmopt.space import Vector

PER_VARIABLE = "evaluations_per_variable"
"""Of a budget: multiplied by the number of the problem's variables."""


@dataclass(frozen=True)
class Group:
    """Every one of its solvers runs on every one of its problems.

    Attributes
    ----------
    problem
        A registered name.
    settings
        Those of each problem, as text.
    repeats
        Repeat r has the instance ``instance + r`` and the seed ``seed + r``.
    solvers
        As they are typed: ``NAME:key=value``.
    budget
        Of each run, by the names of :class:`llmopt.budget.Budget`; ``evaluations_per_variable`` is multiplied by the
        number of the problem's variables.
    line
        Where it stands in its file.
    """

    problem: str
    settings: Sequence[Mapping[str, str]]
    repeats: int
    instance: int
    seed: int
    solvers: Sequence[str]
    budget: Mapping[str, Any]
    line: int = 1

    def cells(self) -> Iterator[Cell]:
        """Yield the runs: problem by problem and repeat by repeat, so that what is done is paired at any time."""
        for settings in self.settings:
            budget = self.budget_on(self.build(settings)) if PER_VARIABLE in self.budget else Budget(**self.budget)
            for repeat in range(self.repeats):
                for solver in self.solvers:
                    yield Cell(
                        self.problem, settings, solver, repeat, self.instance + repeat, self.seed + repeat, budget
                    )

    def build(self, settings: Mapping[str, str]) -> Problem:
        """Return the problem of its first repeat."""
        return create_problem(self.problem, settings, instance=self.instance)

    def budget_on(self, problem: Problem) -> Budget:
        """Return the budget of each run on a problem."""
        limits = dict(self.budget)
        if (each := limits.pop(PER_VARIABLE, None)) is not None:
            if not isinstance(problem.space, Vector):
                raise InvalidInput(f"{PER_VARIABLE} is for problems with variables; problem {self.problem} has none")
            limits["evaluations"] = each * len(problem.space.variables)
        return Budget(**limits)


@dataclass(frozen=True)
class Suite:
    """Groups of runs under a name.

    Attributes
    ----------
    name, description, source
        What it is, and where it is from.
    groups
        What is run.
    smoke
        Whether this is the small size.
    file
        How messages name the file that it was read from.
    """

    name: str
    description: str
    source: str
    groups: Sequence[Group]
    smoke: bool
    file: str

    def cells(self) -> Iterator[Cell]:
        """Yield the runs in their order; one that several groups have comes once, with the first one's budget."""
        # By their hashes, since there may be very many; two that differ share one of 2**61 with no chance to speak of.
        seen: set[int] = set()
        for group in self.groups:
            for cell in group.cells():
                key = hash((cell.name, cell.repeat))
                if key not in seen:
                    seen.add(key)
                    yield cell

    def changed(
        self,
        *,
        solvers: Sequence[str] | None = None,
        repeats: int | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> Suite:
        """Return the suite with other solvers, repeats or limits in every group; None: as they are.

        Limits are named as by :func:`llmopt.budget.limits`.

        Raises
        ------
        InvalidInput
            There would be no repeat.
        """
        if repeats is not None and repeats < 1:
            raise InvalidInput(f"the number of repeats must be at least 1, not {repeats}")
        given = limits or {}
        groups = []
        for group in self.groups:
            budget = {**group.budget, **given}
            if "evaluations" in given:
                budget.pop(PER_VARIABLE, None)
            groups.append(
                replace(
                    group,
                    solvers=group.solvers if solvers is None else solvers,
                    repeats=group.repeats if repeats is None else repeats,
                    budget=budget,
                )
            )
        return replace(self, groups=groups)

    def digest(self) -> str:
        """Return a checksum of what is run."""
        plain = [{**asdict(group), "line": 0} for group in self.groups]
        return hashlib.sha256(json.dumps([self.name, self.smoke, plain]).encode()).hexdigest()

    def needs_model(self) -> bool:
        """Return whether a solver of the suite asks a language model."""
        return any(needs_model(solver) for group in self.groups for solver in group.solvers)


def check(suite: Suite) -> None:
    """Build every problem and every solver that needs no model, and see that they fit.

    Raises
    ------
    InvalidInput, MissingExtra
        A setting is not legal, a solver cannot work on a problem, or a run of one group is that of another but for its
        instance or seed; the message names the line.
    """
    begun: dict[str, Group] = {}
    for group in suite.groups:
        try:
            _check_runs(group, begun)
            for settings in group.settings:
                if asks_model(group.problem):
                    # A model is opened later; what asks one is checked with it.
                    if PER_VARIABLE in group.budget:
                        raise InvalidInput(
                            f"{PER_VARIABLE} is for problems that ask no model, and {group.problem} asks one; give "
                            "evaluations"
                        )
                    continue
                problem = group.build(settings)
                budget = group.budget_on(problem)
                for text in group.solvers:
                    if not needs_model(text):
                        create_solver(text).check_problem(problem, budget)
        except InvalidInput as error:
            raise InvalidInput(f"suite {suite.file}, line {group.line}: {error}") from None


def _check_runs(group: Group, begun: dict[str, Group]) -> None:
    """Add a group to those that begin runs of a name; raise InvalidInput where another one has other instances or seeds
    of it, of which only one would be run."""
    for settings in group.settings:
        for solver in group.solvers:
            name = f"{label(group.problem, settings)}: {solver}"
            first = begun.setdefault(name, group)
            if (first.instance, first.seed) != (group.instance, group.seed):
                raise InvalidInput(
                    f"{name} is in the group of line {first.line} too, with instance {first.instance} and seed "
                    f"{first.seed}, here with {group.instance} and {group.seed}; give both the same, or one group more "
                    "repeats"
                )
