"""Lin-Kernighan-Helsgaun (LKH 3), through the package elkai. It sees the distances."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from llmopt.budget import Budget
from llmopt.errors import InvalidInput, MissingExtra
from llmopt.objective import Objective, Proposals
from llmopt.solver import Access, Solver, Task
from llmopt.space import Space
from llmopt.space.permutation import COLUMN
from llmopt.tours import Distances

LARGEST = 1_000_000
"""LKH computes with whole numbers: the longest way gets this length."""


class LKH(Solver):
    """Lin-Kernighan moves of up to five ways (Helsgaun 2000), the strongest heuristic; one proposal.

    It needs ``pip install 'llmopt[lkh]'``. LKH may be used for academic and other non-commercial purposes; for others
    its author licenses it (http://webhotel4.ruc.dk/~keld/research/LKH-3/).

    Parameters
    ----------
    runs
        Independent runs, of which the best tour counts; at least 1.
    """

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances
    packages: ClassVar[tuple[str, ...]] = ("elkai",)

    def __init__(self, runs: int = 10) -> None:
        if isinstance(runs, bool) or not isinstance(runs, int) or runs < 1:
            raise InvalidInput(f"lkh: runs must be a whole number of at least 1, not {runs!r}")
        self.runs = runs

    def check(self, space: Space[Any], budget: Budget) -> None:
        if find_spec("elkai") is None:
            raise MissingExtra("lkh, which is for non-commercial use, needs elkai: pip install 'llmopt[lkh]'")

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        import elkai

        matrix = task.structure.matrix
        whole = np.rint(matrix * (LARGEST / (matrix.max() or 1.0))).astype(int)
        tour = elkai.DistanceMatrix(whole.tolist()).solve_tsp(runs=self.runs)[:-1]
        objective.step(Proposals({COLUMN: np.array([tour], dtype=np.int32)}))
