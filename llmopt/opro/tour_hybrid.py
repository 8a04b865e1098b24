"""A language model and a local search together: it sees the distances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from llmopt.budget import Budget
from llmopt.llm.base import LLM, Request
from llmopt.objective import Proposals
from llmopt.opro.solver import OPRO, SerializerName
from llmopt.problem import Problem
from llmopt.settings import check_whole
from llmopt.solver import Access, AskTellSolver, Task
from llmopt.space.permutation import COLUMN
from llmopt.tours import Distances
from llmopt.tours.local_search import descend


class TourHybrid(AskTellSolver):
    """The model proposes tours as `opro` does, 2-opt and Or-opt finish them; only what they find is evaluated.

    The first tour is the best start point, finished. Then, where cities have labels, the model puts one city behind
    another of a good tour, and a part of random length goes with it, which 2-opt cannot undo in one move; elsewhere it
    writes whole tours. The control without a model is `iterated-2-opt`.

    Parameters
    ----------
    llm
        The model.
    serializer, samples, temperature, hint
        See :class:`llmopt.opro.OPRO`.
    """

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances

    def __init__(
        self,
        llm: LLM,
        *,
        serializer: SerializerName = "auto",
        samples: int = 2,
        temperature: float | None = None,
        hint: str = "",
    ) -> None:
        check_whole("hybrid: samples", samples, 1)
        super().__init__(samples)
        self.serializer, self.samples, self.temperature, self.hint = serializer, samples, temperature, hint
        self._opro = OPRO(llm, serializer=serializer, samples=samples, temperature=temperature, hint=hint, change="far")

    @property
    def models(self) -> Mapping[str, LLM]:
        return self._opro.models

    def check_problem(self, problem: Problem, budget: Budget) -> None:
        super().check_problem(problem, budget)
        self._opro.check_problem(problem, budget)

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        self._opro.start(replace(task, structure=None), rng)
        self._begun = False

    def requests(self) -> list[Request]:
        """Return the requests of the first step that asks the model, as :meth:`OPRO.requests` does."""
        return self._opro.requests()

    def ask(self, n: int) -> Proposals:
        history = self.task.history
        if not self._begun and history.incumbent is not None:
            proposals = Proposals({COLUMN: history.columns[COLUMN][history.best(1)]})
        else:
            proposals = self._opro.ask(n)
        self._begun = True
        tours, moves = descend(self.task.structure, proposals.columns[COLUMN])
        return replace(proposals, columns={COLUMN: tours}, move_evaluations=moves)
