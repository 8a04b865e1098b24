"""Black-box methods for permutations: they see lengths, and no distances."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.baselines.new_solutions import draw_new
from llmopt.baselines.works_on import works_on
from llmopt.budget import Budget
from llmopt.objective import Proposals
from llmopt.opro.joins import random_joins
from llmopt.solver import AskTellSolver, Task
from llmopt.space import Columns, Permutation, Space
from llmopt.space.permutation import COLUMN

Orders = NDArray[np.int32]


class PermutationMethod(AskTellSolver):
    """A method that works on permutations only."""

    def check(self, space: Space[Any], budget: Budget) -> None:
        works_on(Permutation, space, self)


class TwoOptBlind(PermutationMethod):
    """A hill climber: a random part of the best order so far is reversed and the result evaluated.

    Orders that are known are drawn again, after four tries by two reversals, after eight by three, and so on.

    Parameters
    ----------
    batch
        Proposals per step; more than 1 spends evaluations on parents that may be outdated.
    """

    def __init__(self, batch: int = 1) -> None:
        super().__init__(batch)

    def check(self, space: Space[Any], budget: Budget) -> None:
        works_on(Permutation, space, self, "2-opt-blind")

    def ask(self, n: int) -> Proposals:
        history = self.task.history
        incumbent = history.incumbent
        if incumbent is None:
            return Proposals(draw_new(history, n, self.rng))
        best = np.asarray(incumbent.solution, dtype=np.int32)

        def draw(count: int, attempt: int) -> Columns:
            orders = np.tile(best, (count, 1))
            for _ in range(1 + attempt // 4):
                reverse_parts(orders, self.rng)
            return {COLUMN: orders}

        return Proposals(draw_new(history, n, self.rng, draw))


class RandomLegs(PermutationMethod):
    """The control of `opro` on paths: its proposals without a model.

    A random entry is put behind another one of a good order, which is completed in the same way, see
    :func:`llmopt.opro.joins.joins`. Known orders are not proposed.

    Parameters
    ----------
    batch
        Proposals per step.
    """

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        self._step = 0

    def ask(self, n: int) -> Proposals:
        self._step += 1
        orders = random_joins(self.task.history, n, self.rng, step=self._step, change="local")
        return Proposals({COLUMN: orders})


class Genetic(PermutationMethod):
    """A genetic algorithm: the best 8 orders are the population, two tournaments of two give the parents of a child.

    Nine of ten children are crosses (order crossover, Davis 1985), half of those and all others have a random part
    reversed. Orders that are known are drawn again. Until there are 8 evaluations, orders are uniform. The constants
    did best among 16 settings on random instances 100 to 109 of 10 and 20 cities, within 200 to 800 evaluations.

    Parameters
    ----------
    batch
        Children per step.
    """

    population = 8
    crossing, mutation = 0.9, 0.5

    def ask(self, n: int) -> Proposals:
        history = self.task.history
        rows = history.best(self.population)
        missing = self.population - len(history)
        if missing > 0 or len(rows) < 2:
            return Proposals(draw_new(history, min(n, missing) if missing > 0 else n, self.rng))
        parents = history.columns[COLUMN][rows]

        def draw(count: int, attempt: int) -> Columns:
            # The rows are sorted: the winner of a tournament is the smaller index.
            first, second = self.rng.integers(len(parents), size=(2, 2, count)).min(axis=1)
            crossed = self.rng.random(count) < self.crossing
            orders = parents[first].copy()
            for i in np.flatnonzero(crossed):
                orders[i] = order_crossover(parents[first[i]], parents[second[i]], self.rng)
            changed = np.flatnonzero(~crossed | (self.rng.random(count) < self.mutation))
            mutated = orders[changed]
            for _ in range(1 + attempt // 4):
                reverse_parts(mutated, self.rng)
            orders[changed] = mutated
            return {COLUMN: orders}

        return Proposals(draw_new(history, n, self.rng, draw))


def reverse_parts(orders: Orders, rng: np.random.Generator) -> None:
    """Reverse a random part of each order, in place; parts of one entry are left out where there are others."""
    n = orders.shape[1]
    if n < 2:
        return
    for order in orders:
        i, j = sorted(rng.choice(n + 1, 2, replace=False).tolist())
        if j - i == 1:
            i, j = (i, j + 1) if j < n else (i - 1, j)
        order[i:j] = order[i:j][::-1].copy()


def order_crossover(first: Orders, second: Orders, rng: np.random.Generator) -> Orders:
    """Return a random part of the first order, in its place, and the rest in the order of the second one."""
    n = len(first)
    i, j = sorted(rng.choice(n + 1, 2, replace=False).tolist())
    places = np.arange(j, j + n) % n
    kept = first[i:j]
    rest = second[places]
    child = np.empty_like(first)
    child[i:j] = kept
    child[places[: n - len(kept)]] = rest[~np.isin(rest, kept)]
    return child
