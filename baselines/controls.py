"""Controls without a model: what a claim for a language model is a claim over.

They have the model's own batch and its rule that known solutions are drawn again, and nothing but that and a
few lines of arithmetic.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.baselines.new_solutions import draw_new
from llmopt.baselines.works_on import works_on
from llmopt.budget import Budget
from llmopt.objective import Proposals
from llmopt.solver import AskTellSolver, Task
from llmopt.space import Columns, Space, Vector, take
from llmopt.space.relaxation import Points, Relaxation

UNIT = 0.01
"""The unit of length of the controls as a share of a variable's range; see :class:`Relaxation`."""


class Control(AskTellSolver):
    """The best solutions so far as points of the relaxation, and new ones made from them.

    While no evaluation has a loss, proposals are uniform.

    Parameters
    ----------
    batch
        Proposals per step.
    """

    parents: int

    def check(self, space: Space[Any], budget: Budget) -> None:
        works_on(Vector, space, self)

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        assert isinstance(task.space, Vector)
        self.relaxation = Relaxation(task.space, UNIT)

    def ask(self, n: int) -> Proposals:
        history = self.task.history
        rows = history.best(self.parents)
        if not len(rows) or not self.relaxation.dimension:
            return Proposals(draw_new(history, n, self.rng))
        best = self.relaxation.points(take(history.columns, rows))
        return Proposals(self.propose(n, best, history.losses[rows]))

    @abstractmethod
    def propose(self, n: int, best: Points, losses: NDArray[np.float64]) -> Columns:
        """Return at most ``n`` candidates, given the best points, best first, shape (at most parents, d)."""


class Gaussian(Control):
    """Normal draws around the incumbent, with three times the covariance of the best 8 solutions.

    Noise of half a step is added to a variable that has steps; while there are fewer than 8 solutions, the
    missing ones count as one unit (a hundredth of each range) away. Every redraw reaches a tenth further.
    """

    parents = 8
    inflation = 3.0
    growth = 1.1

    def propose(self, n: int, best: Points, losses: NDArray[np.float64]) -> Columns:
        deviations = best - best.mean(axis=0)
        floor = np.hypot(self.relaxation.step / 2, np.sqrt(1 - len(best) / self.parents))

        def draw(count: int, attempt: int) -> Columns:
            # Normal combinations of the deviations have their covariance.
            weights = self.rng.standard_normal((count, len(best))) * np.sqrt(self.inflation / self.parents)
            moves = weights @ deviations + floor * self.rng.standard_normal((count, len(floor)))
            return self.relaxation.columns(best[0] + self.growth**attempt * moves)

        return draw_new(self.task.history, n, self.rng, draw)


class Recombination(Control):
    """Crosses of two of the best 20 solutions, plus noise.

    Half of the coordinates come from each parent; then normal noise with a standard deviation of 0, 1 or 3
    units (hundredths of each range), drawn for each child.
    """

    parents = 20
    deviations = (0.0, 1.0, 3.0)

    def propose(self, n: int, best: Points, losses: NDArray[np.float64]) -> Columns:
        dimension = self.relaxation.dimension

        def draw(count: int, attempt: int) -> Columns:
            first, second = best[self.rng.integers(len(best), size=(2, count))]
            halves = self.rng.permuted(np.tile(np.arange(dimension) % 2 == 0, (count, 1)), axis=1)
            noise = self.rng.choice(self.deviations, (count, 1)) * self.rng.standard_normal((count, dimension))
            return self.relaxation.columns(np.where(halves, first, second) + noise)

        return draw_new(self.task.history, n, self.rng, draw)


class Differential(Control):
    """The incumbent plus a random share of the difference of two of the best 20 solutions.

    The share is uniform between a half and one, as the mutation of differential evolution with the strategy best/1
    (Storn and Price, 1997). Noise of half a step is added to a variable that has steps, of one unit (a hundredth of
    each range) while there is one solution, and of as many units as there were tries to every redraw.
    """

    parents = 20
    shares = (0.5, 1.0)

    def propose(self, n: int, best: Points, losses: NDArray[np.float64]) -> Columns:
        def draw(count: int, attempt: int) -> Columns:
            first = self.rng.integers(len(best), size=count)
            second = (first + self.rng.integers(1, max(len(best), 2), size=count)) % len(best)
            moves = self.rng.uniform(*self.shares, (count, 1)) * (best[first] - best[second])
            floor = np.hypot(self.relaxation.step / 2, attempt + (len(best) == 1))
            return self.relaxation.columns(best[0] + moves + floor * self.rng.standard_normal(moves.shape))

        return draw_new(self.task.history, n, self.rng, draw)
