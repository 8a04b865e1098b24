"""Local search on tours: 2-opt with Or-opt, iterated or from random tours, and simulated annealing. They see the
distances."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.objective import Objective, Proposals
from llmopt.opro.joins import random_joins
from llmopt.solver import Access, AskTellSolver, Solver, Task
from llmopt.space.permutation import COLUMN
from llmopt.tours import Distances
from llmopt.tours.local_search import descend

MOVES, FEWEST_MOVES = 100, 20_000
COOLING = 1e-3


class TwoOpt(Solver):
    """Steepest descent by 2-opt and Or-opt moves from the start points, the best first, then from random tours.

    Every local optimum is one evaluation and one step; see :func:`llmopt.tours.local_search.local_search`.
    """

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        history = task.history
        firsts = history.columns[COLUMN][history.best(len(history))].copy()
        for first in firsts:
            objective.step(_finished(task.structure, first[None]))
        while True:
            objective.step(_finished(task.structure, history.space.sample(1, rng)[COLUMN]))


class IteratedTwoOpt(AskTellSolver):
    """2-opt and Or-opt from changed good tours (iterated local search; Lourenco, Martin and Stuetzle 2003).

    The control of `hybrid`, whose proposals it makes without a model: first the best start point, then good tours in
    which a random city is put behind another one, and a part of random length goes with it.

    Parameters
    ----------
    batch
        Local optima per step.
    """

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances

    def __init__(self, batch: int = 1) -> None:
        super().__init__(batch)

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        self._step = 0

    def ask(self, n: int) -> Proposals:
        self._step += 1
        history = self.task.history
        if self._step == 1 and history.incumbent is not None:
            return _finished(self.task.structure, history.columns[COLUMN][history.best(1)])
        return _finished(self.task.structure, random_joins(history, n, self.rng, step=self._step, change="far"))


class SimulatedAnnealing(Solver):
    """Metropolis steps under a falling temperature (Kirkpatrick, Gelatt and Vecchi 1983).

    A move reverses a random part of the tour, or, where distances are not symmetric, exchanges two neighbouring
    parts. The temperature falls geometrically from the spread of 100 moves' changes to a thousandth of it, over
    100 n**2 moves and at least 20,000. The first of the repetitions begins at the best start point, the others at
    random tours; the best tour of each is one evaluation and one step.

    Parameters
    ----------
    repetitions
        How often it is done, at least 1.
    """

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances

    def __init__(self, repetitions: int = 10) -> None:
        if isinstance(repetitions, bool) or not isinstance(repetitions, int) or repetitions < 1:
            raise InvalidInput(f"repetitions must be a whole number of at least 1, not {repetitions!r}")
        self.repetitions = repetitions

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        history = task.history
        for repetition in range(self.repetitions):
            incumbent = history.incumbent
            known = repetition == 0 and incumbent is not None
            first = incumbent.solution if known and incumbent else history.space.sample(1, rng)[COLUMN][0]
            tour, moves = anneal(task.structure, first, rng)
            objective.step(Proposals({COLUMN: tour[None]}, move_evaluations=moves))


def _finished(distances: Distances, tours: NDArray[np.integer]) -> Proposals:
    found, moves = descend(distances, tours)
    return Proposals({COLUMN: found}, move_evaluations=moves)


def anneal(distances: Distances, tour: NDArray[np.integer], rng: np.random.Generator) -> tuple[NDArray[np.int32], int]:
    """Return the shortest tour that simulated annealing passes, shape (n,), and how many moves were evaluated."""
    n, ways = distances.n, distances.matrix.tolist()
    here: list[int] = [int(city) for city in tour]
    change, apply = (_reversal, _reverse) if distances.symmetric else (_exchange_change, _exchange)
    trials = [change(ways, here, *places) for places in _places(n, 100, rng)]
    temperature = float(np.std(trials)) or 1.0
    count = max(FEWEST_MOVES, MOVES * n * n)
    factor = COOLING ** (1 / count)
    length, shortest, best = 0.0, 0.0, list(here)
    chances = rng.exponential(size=count).tolist()
    for places, chance in zip(_places(n, count, rng), chances, strict=True):
        longer = change(ways, here, *places)
        # Accepted with probability exp(-longer / temperature).
        if longer <= 0 or longer < chance * temperature:
            apply(here, *places)
            length += longer
            if length < shortest - 1e-9 * abs(shortest):
                shortest, best = length, list(here)
        temperature *= factor
    return np.array(best, dtype=np.int32), len(trials) + count


def _places(n: int, count: int, rng: np.random.Generator) -> list[list[int]]:
    """Return three different cuts between places, in order, shape (count, 3): 0 <= i < j < k <= n."""
    i, j, k = (rng.integers(n + 1 - less, size=count) for less in range(3))
    j += j >= i
    low, high = np.minimum(i, j), np.maximum(i, j)
    k += k >= low
    k += k >= high
    found: list[list[int]] = np.sort(np.stack([i, j, k], axis=1), axis=1).tolist()
    return found


def _reversal(ways: list[list[float]], tour: list[int], i: int, j: int, k: int) -> float:
    before, first, last, behind = tour[i - 1], tour[i], tour[j - 1], tour[j % len(tour)]
    if j - i == len(tour):
        return 0.0
    return ways[before][last] + ways[first][behind] - ways[before][first] - ways[last][behind]


def _reverse(tour: list[int], i: int, j: int, k: int) -> None:
    tour[i:j] = tour[i:j][::-1]


def _exchange_change(ways: list[list[float]], tour: list[int], i: int, j: int, k: int) -> float:
    n = len(tour)
    if k - i == n:
        return 0.0
    a, b, c, d, e, f = tour[i - 1], tour[i], tour[j - 1], tour[j], tour[k - 1], tour[k % n]
    return ways[a][d] + ways[e][b] + ways[c][f] - ways[a][b] - ways[c][d] - ways[e][f]


def _exchange(tour: list[int], i: int, j: int, k: int) -> None:
    tour[i:k] = tour[j:k] + tour[i:j]
