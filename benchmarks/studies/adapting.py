"""What of a step may depend on how the steps before it went."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.history import Evaluations
from llmopt.opro import OPRO
from llmopt.opro.query import Query
from llmopt.opro.solver import TOP_K
from llmopt.opro.stagnation import stagnation, warmed
from llmopt.solver import Task

MOST_SAMPLES = 16
PATIENCE = 5
"""Steps without a better solution before a restart."""


class Adapting(OPRO):
    """Knows how long nothing better has been found."""

    def stagnant(self) -> int:
        """Return how many of the latest steps found nothing better than was known."""
        steps = self.task.history.steps
        # The history may be older than this solver; a step of repetitions alone is not in it.
        return stagnation(self.task.history, max(self._step, *steps[-1:].tolist(), 0) + 1)


class Warming(Adapting):
    """Each step without a better solution raises the temperature."""

    def _queries(self, n: int) -> list[Query]:
        return [_warmer(query, self.stagnant()) for query in super()._queries(n)]


def _warmer(query: Query, steps: int) -> Query:
    sampling = query.request.sampling
    hotter = replace(sampling, temperature=warmed(sampling.temperature, steps))
    return replace(query, request=replace(query.request, sampling=hotter))


class Growing(Adapting):
    """Few samples a step while steps find better solutions; each one that does not doubles them."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._fewest = self.batch

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        self.batch = self._fewest

    def tell(self, evaluations: Evaluations) -> None:
        self.batch = min(MOST_SAMPLES, 2 * self.batch) if self.stagnant() else self._fewest


class Restarting(Adapting):
    """After some steps without a better solution, prompts show only what was evaluated behind the incumbent."""

    def candidates(self) -> NDArray[np.int64]:
        history = self.task.history
        incumbent = history.incumbent
        if incumbent is None or self.stagnant() < PATIENCE:
            return super().candidates()
        best = history.best(len(history))
        later = best[best > incumbent.index]
        return later[:TOP_K][::-1] if len(later) else super().candidates()
