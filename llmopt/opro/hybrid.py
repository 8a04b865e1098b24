"""The solver `hybrid`: a language model and a classical method together, of which the space decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM, Request
from llmopt.objective import Objective
from llmopt.opro.numeric_hybrid import NumericHybrid
from llmopt.opro.solver import SerializerName
from llmopt.opro.tour_hybrid import TourHybrid
from llmopt.problem import Problem
from llmopt.solver import Access, Solver, Task
from llmopt.space import Permutation, Space, Vector
from llmopt.tours import Distances


class Hybrid(Solver):
    """A language model and a classical method: CMA-ES on vectors, a local search that sees the distances on tours.

    See :class:`llmopt.opro.numeric_hybrid.NumericHybrid` and :class:`llmopt.opro.tour_hybrid.TourHybrid`.

    Parameters
    ----------
    llm
        The model.
    serializer, temperature, hint
        See :class:`llmopt.opro.OPRO`.
    samples
        Proposals in a step; by default 8 on vectors and 2 on tours.
    share
        On vectors: how many proposals of a step are the model's, from 0 (no model is asked) to ``samples``; by default
        it adapts to who improves.
    """

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances
    packages: ClassVar[tuple[str, ...]] = NumericHybrid.packages

    def __init__(
        self,
        llm: LLM,
        *,
        serializer: SerializerName = "auto",
        samples: int | None = None,
        temperature: float | None = None,
        hint: str = "",
        share: int | None = None,
    ) -> None:
        self.serializer, self.samples, self.temperature, self.hint = serializer, samples, temperature, hint
        self.share = share
        settings: dict[str, Any] = {"serializer": serializer, "temperature": temperature, "hint": hint}
        if samples is not None:
            settings["samples"] = samples
        self._on_tours = TourHybrid(llm, **settings)
        self._on_vectors = NumericHybrid(llm, **settings, share=share)
        self._started: NumericHybrid | TourHybrid = self._on_vectors

    @property
    def models(self) -> Mapping[str, LLM]:
        return self._on_vectors.models

    def sees(self, problem: Problem) -> Access:
        return self._on(problem.space).access

    def check_problem(self, problem: Problem, budget: Budget) -> None:
        if self.share is not None and isinstance(problem.space, Permutation):
            raise InvalidInput("hybrid: share is a setting for vectors; leave it out on tours")
        self._on(problem.space).check_problem(problem, budget)

    def start(self, task: Task, rng: np.random.Generator) -> None:
        """Begin a run up to its first step."""
        self._started = self._on(task.space)
        self._started.start(task, rng)

    def requests(self) -> list[Request]:
        """Return the requests of the first step that asks the model."""
        return self._started.requests()

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        self._on(task.space).run(objective, task, rng)

    def _on(self, space: Space[Any]) -> NumericHybrid | TourHybrid:
        if isinstance(space, Vector):
            return self._on_vectors
        if isinstance(space, Permutation):
            return self._on_tours
        raise InvalidInput(
            f"hybrid works on vectors of numbers and choices, and on tours, not on {type(space).__name__.lower()}s; "
            "opro works on every space"
        )
