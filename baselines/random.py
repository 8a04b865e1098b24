"""Random search."""

from __future__ import annotations

import numpy as np

from llmopt.baselines.new_solutions import draw_new
from llmopt.objective import Proposals
from llmopt.solver import AskTellSolver, Task
from llmopt.space import Columns, join, length, take

LARGEST_LISTED = 2**24


class RandomSearch(AskTellSolver):
    """Uniform random search, without replacement where the space is finite.

    Known solutions are drawn again; once half of a finite space is known, the rest is listed, shuffled and
    gone through to the end. With a noisy problem no solution counts as known, and a small space is gone
    through again and again.

    Parameters
    ----------
    batch
        Proposals per step.

    Examples
    --------
    >>> from llmopt import Int, Vector, minimize
    >>> result = minimize(lambda s: s["x"], Vector(x=Int(1, 30)), solver="random", max_evaluations=100)
    >>> result.fun, result.nfev, result.duplicates
    (1.0, 30, 0)
    """

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        self._listed: Columns | None = None

    def ask(self, n: int) -> Proposals:
        history, size = self.task.history, self.task.space.size
        if size is None:
            return Proposals(self.task.space.sample(n, self.rng))
        if size <= LARGEST_LISTED and (self._listed is not None or 2 * (len(history) + n) >= size):
            return Proposals(self._next_listed(n))
        return Proposals(draw_new(history, n, self.rng))

    def _next_listed(self, n: int) -> Columns:
        if self._listed is None or not length(self._listed):
            everything = join(list(self.task.space.enumerate()))
            _, fresh = self.task.history.match(self.task.space.keys(everything))
            self._listed = take(everything, self.rng.permutation(np.flatnonzero(fresh)))
        columns, self._listed = take(self._listed, slice(n)), take(self._listed, slice(n, None))
        return columns
