"""A solver in front of another one, which sees what that one puts forward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from llmopt.budget import Budget
from llmopt.llm.base import LLM
from llmopt.objective import Objective, Proposals, Stopped
from llmopt.problem import Problem
from llmopt.solver import Solver, Task
from llmopt.space import Space


class Observed(Solver):
    """Runs a solver and keeps what it does wrong.

    Attributes
    ----------
    violations
        Proposals outside the space, and why they are.
    late_steps
        Steps that were proposed after the run had been stopped.
    """

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self.access, self.structure, self.packages = solver.access, solver.structure, solver.packages  # type: ignore[misc]
        self.violations: list[tuple[Any, str]] = []
        self.late_steps = 0

    @property
    def models(self) -> Mapping[str, LLM]:
        return self._solver.models

    def check_problem(self, problem: Problem, budget: Budget) -> None:
        self._solver.check_problem(problem, budget)

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        self._solver.run(cast(Objective, _Door(objective, self)), task, rng)

    def see(self, space: Space[Any], proposals: Proposals | Sequence[Any]) -> None:
        """Look at the proposals of a step."""
        if not isinstance(proposals, Proposals):
            found = ((solution, space.violation(solution)) for solution in proposals)
            self.violations += [(solution, reason) for solution, reason in found if reason]
            return
        for i in np.flatnonzero(~space.member_mask(proposals.columns)):
            # Not by the space's own means, which may know members only.
            row = {name: np.asarray(values[i]).tolist() for name, values in proposals.columns.items()}
            self.violations.append((row, "these columns are not those of a member"))


class _Door:
    """An objective as the observed solver sees it."""

    def __init__(self, objective: Objective, observed: Observed) -> None:
        self._objective = objective
        self._observed = observed
        self._stopped = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objective, name)

    def step(self, proposals: Proposals | Sequence[Any]) -> Any:
        if self._stopped:
            self._observed.late_steps += 1
        self._observed.see(self._objective.history.space, proposals)
        try:
            return self._objective.step(proposals)
        except Stopped:
            self._stopped = True
            raise

    def __call__(self, solution: Any) -> float:
        return float(self.step([solution]).losses[0])
