"""Problems with one mistake each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt import Int, Optimum, Problem, Vector
from llmopt.space import Columns


class Squares(Problem):
    """A sum of squares, without a mistake."""

    space: Vector = Vector(x=Int(-9, 9), y=Int(-9, 9))
    optimum: Optimum | None = Optimum(0.0, solution={"x": 0, "y": 0})

    def evaluate(self, solution: Any) -> Any:
        return float(solution["x"] ** 2 + solution["y"] ** 2)

    def evaluate_batch(self, columns: Columns) -> NDArray[np.float64] | None:
        return np.asarray(columns["x"] ** 2 + columns["y"] ** 2, dtype=np.float64)

    def describe(self) -> str:
        return "Find x and y with the smallest sum of squares."


class Beaten(Squares):
    """Somewhere the score is lower than the optimum that it declares."""

    optimum = Optimum(1.0, solution={"x": 0, "y": 1})


class Missed(Squares):
    """The solution that it declares has another score."""

    optimum = Optimum(0.0, solution={"x": 0, "y": 3})


class Unlike(Squares):
    """A batch leaves out a variable."""

    def evaluate_batch(self, columns: Columns) -> NDArray[np.float64] | None:
        return np.asarray(columns["x"] ** 2, dtype=np.float64) if len(columns["x"]) < 1_000 else None


class Nameless(Squares):
    """Nobody is told of y."""

    class Quiet(Vector):
        def describe(self) -> str:
            return "two numbers"

    space = Quiet(x=Int(-9, 9), y=Int(-9, 9))

    def describe(self) -> str:
        return "Find x with the smallest sum of squares."


class Telling(Squares):
    """Says where the optimum is."""

    def describe(self) -> str:
        return "Find x and y with the smallest sum of squares, which is that of x = 0 and y = 0."


class Counting(Squares):
    """Adds what it costs to call it often."""

    calls = 0
    optimum = None

    def evaluate(self, solution: Any) -> Any:
        self.calls += 1
        return super().evaluate(solution) + self.calls / 1000

    def evaluate_batch(self, columns: Columns) -> NDArray[np.float64] | None:
        return None


class Clipping(Squares):
    """Clips in the solution that it was given."""

    def evaluate(self, solution: Any) -> Any:
        solution["x"] = abs(solution["x"])
        return super().evaluate(solution)


class Worded(Squares):
    """Gives a number as text."""

    def evaluate(self, solution: Any) -> Any:
        return str(super().evaluate(solution))


class Astray(Squares):
    """Starts beyond the bounds."""

    def starts(self, rng: np.random.Generator) -> list[Any]:
        return [{"x": 0, "y": int(rng.integers(5, 99))}]
