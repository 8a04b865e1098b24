"""Exhaustive search."""

from __future__ import annotations

from typing import Any

import numpy as np

from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.objective import Objective, Proposals
from llmopt.solver import Solver, Task
from llmopt.space import Space, join

LARGEST_UNBUDGETED = 2**24


class Exhaustive(Solver):
    """Every solution of a finite space, in the order of the space, as one step: none depends on another.

    A space that the budget of evaluations does not cover is refused before anything is evaluated. Without such
    a budget, spaces of up to 2**24 solutions are legal.

    Examples
    --------
    >>> from llmopt import Int, Vector, minimize
    >>> space = Vector(w=Int(-5, 5), b=Int(-5, 5))
    >>> minimize(lambda s: abs(s["w"] * s["b"] - 14), space, solver="exhaustive", max_evaluations=121).fun
    1.0
    """

    def check(self, space: Space[Any], budget: Budget) -> None:
        if space.size is None:
            raise InvalidInput(
                "exhaustive: the space is not finite; use whole numbers, steps or choices, or another solver"
            )
        if budget.evaluations is None:
            if space.size > LARGEST_UNBUDGETED:
                raise InvalidInput(
                    f"exhaustive: the space has {space.size:,} solutions and the budget of evaluations is open; give "
                    "--max-evaluations (max_evaluations) or shrink the space"
                )
        elif space.size > budget.evaluations:
            raise InvalidInput(
                f"exhaustive: the space has {space.size:,} solutions, the budget is {budget.evaluations:,} "
                "evaluations; raise --max-evaluations (max_evaluations) or shrink the space"
            )

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        objective.step(Proposals(join(list(task.space.enumerate()))))
