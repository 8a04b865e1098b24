"""The shortest tour by integer programming with subtour cuts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from llmopt.errors import LlmoptError
from llmopt.tours.distances import Distances
from llmopt.tours.local_search import local_search

DESCENTS = 20
UNITS = 10**6
"""Flows are whole numbers of this share."""
VIOLATION = 1e-4
TOLERANCE = 1e-6
LONGEST = 2.0**13


def subtour_cuts(distances: Distances) -> NDArray[np.int32]:
    """Return a shortest tour, shape (n,), from city 0; symmetric or not; proven by HiGHS without a gap.

    Dantzig, Fulkerson and Johnson (1954): every city is entered and left once, and no set S of cities holds more than
    |S| - 1 ways. The cuts that matter are found one after another: first for the relaxation in reals, by minimal cuts;
    then for whole numbers, where each separate circle is one. Ways whose reduced cost exceeds the gap to a tour from
    local search cannot be in a shorter one and are left out in between.

    Examples
    --------
    >>> from llmopt.tours import Distances
    >>> from llmopt.tours.subtours import subtour_cuts
    >>> distances = Distances([[0, 2, 9, 4], [2, 0, 6, 3], [9, 6, 0, 1], [4, 3, 1, 0]])
    >>> distances.lengths([subtour_cuts(distances)]).tolist()
    [13.0]
    """
    known = _known_tour(distances)
    scale = _scale(distances)
    known_length = scale * float(distances.lengths([known])[0])
    program = _Program.of(distances, scale)
    while True:
        relaxed = program.relax()
        if not program.cut(_small_cuts(program.support(relaxed.x))):
            break
    lower = relaxed.fun
    slack = known_length - lower + TOLERANCE * known_length
    program = program.without(relaxed.lower.marginals > slack)
    while True:
        chosen = program.solve()
        if chosen is None:
            return known
        circles = program.circles(chosen)
        if len(circles) == 1:
            found = circles[0]
            return found if scale * distances.lengths([found])[0] < known_length else known
        program.cut(circles)


def _known_tour(distances: Distances) -> NDArray[np.int32]:
    rng = np.random.default_rng(0)
    tours = [local_search(distances, rng.permutation(distances.n).astype(np.int32)).tour for _ in range(DESCENTS)]
    best = tours[int(np.argmin(distances.lengths(tours)))]
    return np.roll(best, -int(np.argmin(best)))


def _scale(distances: Distances) -> float:
    """Return the power of two that brings the longest way near 2**13, since tolerances of HiGHS are absolute."""
    longest = float(distances.matrix.max())
    return 2.0 ** np.floor(np.log2(LONGEST / longest)) if longest > 0 else 1.0


@dataclass(frozen=True)
class _Program:
    """Ways that may be chosen, and the sets that are cut off so far."""

    n: int
    symmetric: bool
    tails: NDArray[np.intp]
    heads: NDArray[np.intp]
    costs: NDArray[np.float64]
    sets: list[NDArray[np.bool_]] = field(default_factory=list)

    @classmethod
    def of(cls, distances: Distances, scale: float) -> _Program:
        n = distances.n
        tails, heads = np.triu_indices(n, 1) if distances.symmetric else np.nonzero(~np.eye(n, dtype=np.bool_))
        return cls(n, distances.symmetric, tails, heads, scale * distances.matrix[tails, heads])

    def without(self, drop: NDArray[np.bool_]) -> _Program:
        keep = ~drop
        return _Program(self.n, self.symmetric, self.tails[keep], self.heads[keep], self.costs[keep], self.sets)

    def cut(self, sets: list[NDArray[np.int32]]) -> bool:
        """Add cuts and return whether there were any."""
        for cities in sets:
            inside = np.zeros(self.n, dtype=np.bool_)
            inside[cities] = True
            # A set and its complement say the same; the smaller one has fewer entries.
            self.sets.append(inside if 2 * np.count_nonzero(inside) <= self.n else ~inside)
        return bool(sets)

    def degrees(self) -> tuple[csr_array, NDArray[np.float64]]:
        count = len(self.costs)
        both = np.concatenate([self.tails, self.heads + (0 if self.symmetric else self.n)])
        rows = self.n if self.symmetric else 2 * self.n
        matrix = csr_array((np.ones(2 * count), (both, np.tile(np.arange(count), 2))), shape=(rows, count))
        return matrix, np.full(rows, 2.0 if self.symmetric else 1.0)

    def cuts(self) -> tuple[csr_array, NDArray[np.float64]] | None:
        if not self.sets:
            return None
        sets = np.array(self.sets)
        return csr_array((sets[:, self.tails] & sets[:, self.heads]).astype(np.float64)), sets.sum(axis=1) - 1.0

    def relax(self) -> OptimizeResult[Any]:
        degrees, ones = self.degrees()
        left, right = self.cuts() or (None, None)
        # SciPy's stubs do not know that it takes sparse matrices.
        result: OptimizeResult[Any] = linprog(  # type: ignore[call-overload]
            self.costs, left, right, degrees, ones, bounds=(0, 1), method="highs"
        )
        if result.status != 0:
            raise LlmoptError(f"HiGHS could not solve a relaxation of the tour: {result.message}")
        return result

    def solve(self) -> NDArray[np.bool_] | None:
        """Return the chosen ways, None where no choice is left."""
        degrees, ones = self.degrees()
        constraints = [LinearConstraint(degrees, ones, ones)]
        if (cuts := self.cuts()) is not None:
            constraints.append(LinearConstraint(cuts[0], -np.inf, cuts[1]))
        result = milp(
            self.costs,
            integrality=np.ones(len(self.costs), dtype=np.int64),
            bounds=Bounds(0, 1),
            constraints=constraints,
            options={"mip_rel_gap": 0.0},
        )
        if result.status == 2:
            return None
        if result.status != 0:
            raise LlmoptError(f"HiGHS could not find the shortest tour: {result.message}")
        return np.asarray(result.x > 0.5)

    def support(self, values: NDArray[np.float64]) -> csr_array:
        """Return how much is chosen between each two cities, both directions together, shape (n, n)."""
        weights = csr_array((values, (self.tails, self.heads)), shape=(self.n, self.n))
        return csr_array(weights + weights.T)

    def circles(self, chosen: NDArray[np.bool_]) -> list[NDArray[np.int32]]:
        """Return the cities of each circle, in its order."""
        neighbours: list[list[int]] = [[] for _ in range(self.n)]
        for i, j in zip(self.tails[chosen].tolist(), self.heads[chosen].tolist(), strict=True):
            neighbours[i].append(j)
            if self.symmetric:
                neighbours[j].append(i)
        circles, seen = [], set[int]()
        for start in range(self.n):
            if start in seen:
                continue
            circle, here = [], start
            while here not in seen:
                seen.add(here)
                circle.append(here)
                here = next((k for k in neighbours[here] if k not in seen), start)
            circles.append(np.array(circle, dtype=np.int32))
        return circles


def _small_cuts(support: csr_array) -> list[NDArray[np.int32]]:
    """Return sets of cities that less than 2 leads out of."""
    count, parts = connected_components(support, directed=False)
    if count > 1:
        return [np.flatnonzero(parts == k).astype(np.int32) for k in range(count)]
    capacities = csr_array((support * UNITS).rint().astype(np.int32))
    capacities.eliminate_zeros()
    found: dict[bytes, NDArray[np.int32]] = {}
    for city in range(1, support.shape[0]):
        flow = maximum_flow(capacities, 0, city)
        if flow.flow_value < (2 - VIOLATION) * UNITS:
            # What the source still reaches is one side of a minimal cut.
            rest = csr_array(capacities - flow.flow)
            rest.eliminate_zeros()
            side = _reachable(rest)
            found.setdefault(side.tobytes(), np.flatnonzero(side).astype(np.int32))
    return list(found.values())


def _reachable(graph: csr_array) -> NDArray[np.bool_]:
    reached = np.zeros(graph.shape[0], dtype=np.bool_)
    reached[breadth_first_order(graph, 0, return_predecessors=False)] = True
    return reached
