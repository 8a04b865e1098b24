"""Heuristics that build a tour city by city. They see the distances."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.objective import Objective
from llmopt.solver import Access, Solver, Task
from llmopt.space import Permutation, Space
from llmopt.tours import Distances


class NearestNeighbour(Solver):
    """From a city always to the nearest one that is left.

    Parameters
    ----------
    start
        The first city; by default every city is the first of one tour, and all tours are one step.
    """

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances

    def __init__(self, start: int | None = None) -> None:
        self.start = start

    def check(self, space: Space[Any], budget: Budget) -> None:
        if isinstance(space, Permutation) and self.start is not None and not 0 <= self.start < space.n:
            raise InvalidInput(f"nearest-neighbour: start={self.start} is not a city; give one of 0 to {space.n - 1}")

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        distances: Distances = task.structure
        firsts = np.arange(distances.n) if self.start is None else np.array([self.start])
        objective.step(list(nearest_neighbour(distances, firsts)))


class FarthestInsertion(Solver):
    """From the two cities that are farthest apart on; the city whose cheapest insertion costs most is inserted there.

    OPRO, arXiv 2309.03409, section 3.2, describes the baseline so.
    """

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        objective.step([farthest_insertion(task.structure)])


class GreedyEdge(Solver):
    """The shortest way first, wherever it closes no circle and leaves no city with more than its two ways."""

    access: ClassVar[Access] = "structure"
    structure: ClassVar[type[Distances]] = Distances

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        objective.step([greedy_edge(task.structure)])


def nearest_neighbour(distances: Distances, firsts: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return a tour for each of B first cities, shape (B, n)."""
    rows = np.arange(len(firsts))
    tours = np.empty((len(firsts), distances.n), dtype=np.int32)
    tours[:, 0] = firsts
    left = np.ones(tours.shape, dtype=np.bool_)
    for place in range(1, distances.n):
        left[rows, tours[:, place - 1]] = False
        ways = np.where(left, distances.matrix[tours[:, place - 1]], np.inf)
        tours[:, place] = ways.argmin(axis=1)
    return tours


def farthest_insertion(distances: Distances) -> NDArray[np.int32]:
    """Return the tour, shape (n,)."""
    matrix, n = distances.matrix, distances.n
    tour = [int(city) for city in np.unravel_index(int(matrix.argmax()), matrix.shape)]
    if tour[0] == tour[1]:
        # All cities are in one place.
        tour = [0, 1]
    left = np.setdiff1d(np.arange(n), tour)
    while len(left):
        here, there = np.array(tour), np.roll(tour, -1)
        costs = matrix[here][:, left] + matrix[left][:, there].T - matrix[here, there][:, None]
        chosen = int(costs.min(axis=0).argmax())
        tour.insert(int(costs[:, chosen].argmin()) + 1, int(left[chosen]))
        left = np.delete(left, chosen)
    return np.array(tour, dtype=np.int32)


def greedy_edge(distances: Distances) -> NDArray[np.int32]:
    """Return the tour, shape (n,)."""
    matrix, n = distances.matrix, distances.n
    tails, heads = np.triu_indices(n, 1) if distances.symmetric else np.nonzero(~np.eye(n, dtype=np.bool_))
    order = np.argsort(matrix[tails, heads], kind="stable")
    # The other end of the path that ends in a city; for directed ways a path has a first and a last city.
    end = list(range(n))
    after: list[list[int]] = [[] for _ in range(n)]
    before: list[list[int]] = after if distances.symmetric else [[] for _ in range(n)]
    most = 2 if distances.symmetric else 1
    missing = n - 1
    for i, j in zip(tails[order].tolist(), heads[order].tolist(), strict=True):
        busy = len(after[i]) == most or len(before[j]) == most
        if busy or end[i] == j:
            continue
        after[i].append(j)
        before[j].append(i)
        first, last = end[i], end[j]
        end[first], end[last] = last, first
        missing -= 1
        if missing == 0:
            break
    first = next(city for city in range(n) if len(before[city]) < most)
    tour, seen = [first], {first}
    while len(tour) < n:
        tour.append(next(city for city in after[tour[-1]] if city not in seen))
        seen.add(tour[-1])
    return np.array(tour, dtype=np.int32)
