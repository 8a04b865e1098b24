"""The travelling salesman: the shortest round trip through cities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmopt.errors import InvalidInput
from llmopt.problem import GapForm, Optimum, Problem
from llmopt.problems.checks import whole
from llmopt.problems.instances import generator, instance_number
from llmopt.problems.numbers_file import read_numbers
from llmopt.problems.tsplib import read_instance, read_tour
from llmopt.space import Columns, Permutation
from llmopt.space.permutation import COLUMN
from llmopt.tours import Distances
from llmopt.tours.shortest import checksum, shortest_tour

EXACT = 60
"""Up to so many cities the optimum is found when the problem is made."""
SHOWN = 20
"""Up to so many cities a matrix is shown to a model."""
SQUARE = 100.0
GRID = 10
EXAMPLES = (
    ("1,1", "2,1", "2,2", "3,3", "4,3", "5,4", "5,5", "4,6", "3,7", "2,7"),
    ("8,2", "8,3", "7,4", "7,5", "6,6", "5,8", "4,8"),
)
"""Paths on the grid that go from near to near: they say to a model that reads no instruction what is sought. The same
for every problem."""
TOLERANCE = 1e-9
"""As a share of the optimum: lengths are sums that are rounded."""


class TSP(Problem):
    """The shortest tour through n cities; the score is its length.

    A solution is an order of the cities 0 .. n-1. Where the distances are symmetric, orders that differ by rotation and
    direction are the same solution, else those that differ by rotation.

    Methods that look into the problem get its :class:`~llmopt.tours.Distances`; a model reads the coordinates, or the
    matrix where there are none and it is small.

    Parameters
    ----------
    matrix
        Distances, shape (n, n): finite, not negative, the diagonal counts for nothing. Euclidean by default.
    points
        Coordinates of the cities, shape (n, 2), for distances or only to be shown. Equal points are legal.
    symmetric
        Promise that the distances are the same in both directions.
    optimum
        ``"auto"``: the shortest tour, found exactly (and kept in the user's cache) for at most 60 cities, or kept from
        an earlier search. ``"exact"``: found exactly however long it takes. ``"none"``: not known. Or its length.

    Raises
    ------
    InvalidInput
        An argument is not legal, there are fewer than 3 cities, or distances are not symmetric as promised.

    Examples
    --------
    >>> from llmopt.problems.tsp import TSP
    >>> problem = TSP(points=[(0, 0), (0, 1), (1, 1), (1, 0)])
    >>> problem.evaluate([0, 1, 2, 3]), problem.optimum.score
    (4.0, 4.0)
    """

    space: Permutation
    structure: Distances
    gap: GapForm = "relative"
    random = False
    """Whether the cities are uniform in [-100, 100]**2, as the paper's are."""

    def __init__(
        self,
        matrix: ArrayLike | None = None,
        *,
        points: ArrayLike | None = None,
        symmetric: bool = False,
        optimum: str | float = "auto",
    ) -> None:
        self.points = None if points is None else _checked_points(points)
        if matrix is None:
            if self.points is None:
                raise InvalidInput("tsp: give points, shape (n, 2), or a matrix of distances, shape (n, n)")
            x, y = self.points.T
            matrix = np.hypot(x[:, None] - x, y[:, None] - y)
        self.structure = Distances(matrix)
        if self.points is not None and len(self.points) != self.structure.n:
            raise InvalidInput(f"tsp: {len(self.points)} points do not fit a matrix of {self.structure.n} cities")
        if symmetric and not self.structure.symmetric:
            ways = self.structure.matrix
            i, j = (int(k) for k in np.argwhere(ways != ways.T)[0])
            raise InvalidInput(
                f"tsp: symmetric distances are promised, but the way from {i} to {j} is {ways[i, j]:g} and back "
                f"{ways[j, i]:g}; correct the matrix, or leave symmetric out"
            )
        if self.points is not None:
            self.labels, self.examples = on_grid(self.points), EXAMPLES
        self.space = Permutation(self.structure.n, "dihedral" if self.structure.symmetric else "rotation")
        self.optimum = self._optimum(optimum)

    def evaluate(self, solution: Any) -> float:
        return float(self.structure.lengths([solution])[0])

    def evaluate_batch(self, columns: Columns) -> NDArray[np.float64]:
        return self.structure.lengths(columns[COLUMN])

    def describe(self) -> str:
        n = self.structure.n
        text = (
            f"Find the shortest round trip that visits each of {n} cities once and returns to the first. "
            "The score, which is to be minimised, is the length of the trip."
        )
        if self.points is not None:
            places = ", ".join(f"({i}): ({x:.4g}, {y:.4g})" for i, (x, y) in enumerate(self.points))
            return f"{text} The cities have these coordinates: {places}."
        if n > SHOWN:
            return text
        rows = "\n".join(
            f"({i}): " + " ".join(f"{way:.4g}" for way in row) for i, row in enumerate(self.structure.matrix)
        )
        return f"{text} The distances from each city to the cities 0 to {n - 1} are:\n{rows}\n"

    def identity(self) -> Mapping[str, Any]:
        return {"distances": checksum(self.structure)}

    def _optimum(self, given: str | float) -> Optimum | None:
        if given == "none":
            return None
        if given in ("auto", "exact"):
            tour = shortest_tour(self.structure, find=given == "exact" or self.structure.n <= EXACT)
            if tour is None:
                return None
            length = self.evaluate(tour)
            return Optimum(length, TOLERANCE * length, tour)
        try:
            length = float(given)
        except ValueError:
            length = math.nan
        if isinstance(given, bool) or not math.isfinite(length) or length < 0:
            raise InvalidInput(f"tsp: optimum={given!r} is not legal; give auto, exact, none, or the length of a tour")
        return Optimum(length, TOLERANCE * length)


def tsp(
    n: int | None = None,
    file: Path | None = None,
    points: Path | None = None,
    matrix: Path | None = None,
    symmetric: bool = False,
    optimum: str = "auto",
    instance: int = 0,
) -> TSP:
    """The travelling salesman: n random cities, or a user's with file=PATH (TSPLIB), points=PATH or matrix=PATH.

    ``n`` (10 by default) cities are uniform in [-100, 100]**2, drawn from the number of the instance. ``points``
    holds two coordinates a line, ``matrix`` n distances a line. Beside a TSPLIB file NAME.tsp, NAME.opt.tour is
    taken for an optimal tour, unless ``optimum`` says otherwise; see :class:`TSP`.

    Raises
    ------
    InvalidInput
        More than one of n, file, points and matrix is given; or as :class:`TSP` says.
    """
    given = {"n": n, "file": file, "points": points, "matrix": matrix}
    if len(names := [name for name, value in given.items() if value is not None]) > 1:
        raise InvalidInput(
            f"problem tsp: {' and '.join(names)} cannot be combined; give one of n, file, points, matrix"
        )
    number = instance_number(instance)
    if points is not None:
        return TSP(points=read_numbers(points), symmetric=symmetric, optimum=optimum)
    if matrix is not None:
        return TSP(read_numbers(matrix), symmetric=symmetric, optimum=optimum)
    if file is not None:
        found = read_instance(file)
        known: str | float = optimum
        if optimum == "auto" and (tour := file.with_suffix(".opt.tour")).exists():
            known = float(found.distances.lengths([read_tour(tour, found.distances.n)])[0])
        return TSP(found.distances.matrix, points=found.points, symmetric=symmetric, optimum=known)
    cities = whole("n", 10 if n is None else n, 3, 2_000)
    problem = TSP(points=generator("tsp", number).uniform(-SQUARE, SQUARE, (cities, 2)), optimum=optimum)
    problem.random = True
    return problem


def on_grid(points: NDArray[np.float64], grid: int = GRID) -> list[str]:
    """Return the cells of the cities in a square grid of 10 by 10, such as ``3,7``; several may share a cell.

    With one digit for each coordinate a small model tells near cities from far ones best (docs/results.md).
    """
    low = points.min(axis=0)
    side = float((points.max(axis=0) - low).max()) or 1.0
    cells = np.minimum((points - low) / side * grid, grid - 1).astype(int)
    return [f"{x},{y}" for x, y in cells.tolist()]


def _checked_points(points: ArrayLike) -> NDArray[np.float64]:
    try:
        found = np.array(points, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput("tsp: points must be a table of numbers with two columns, shape (n, 2)") from None
    if found.ndim != 2 or found.shape[1] != 2:
        raise InvalidInput(f"tsp: points must have two coordinates each, shape (n, 2), not {found.shape}")
    if not np.isfinite(found).all():
        i = int(np.argwhere(~np.isfinite(found))[0, 0])
        raise InvalidInput(f"tsp: point {i} is {tuple(found[i].tolist())}; coordinates must be finite")
    return found
