"""Exact methods for tours: one proposal, which is optimal. They see the distances."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.objective import Objective
from llmopt.solver import Access, Solver, Task
from llmopt.space import Permutation, Space
from llmopt.tours import Distances
from llmopt.tours.held_karp import LARGEST, held_karp


class HeldKarp(Solver):
    """Dynamic programming over subsets, for at most 20 cities; see :func:`llmopt.tours.held_karp.held_karp`."""

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances

    def check(self, space: Space[Any], budget: Budget) -> None:
        if isinstance(space, Permutation) and space.n > LARGEST:
            raise InvalidInput(f"held-karp is for at most {LARGEST} cities, not {space.n}; use milp")

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        objective.step([held_karp(task.structure)])


class Milp(Solver):
    """Integer programming with subtour cuts on HiGHS; see :func:`llmopt.tours.subtours.subtour_cuts`."""

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances
    packages: ClassVar[tuple[str, ...]] = ("scipy",)

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        from llmopt.tours.subtours import subtour_cuts

        objective.step([subtour_cuts(task.structure)])
