"""Coefficients in a box that fit data by least squares: what the regressions have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmopt.problem import Optimum, Problem
from llmopt.problems.least_squares import Floats, SumOfSquares
from llmopt.space import Columns, Float, Int, Vector

SAME_LOSS = 1e-12
"""Relative difference up to which the losses of two integer solutions count as a tie."""

CLOSE_TO_BEST = 0.01
CLOSE_TO_ALL = 1e-6
"""How much worse than the best real coefficients still reaches the target: this share of the smallest loss
plus this share of the response's own sum of squares, which is what is left where the fit is all but perfect."""


class Fit(Problem):
    """Least squares over named coefficients that share their bounds.

    Parameters
    ----------
    names
        Of the k coefficients.
    design, response
        Shapes (rows, k), of full column rank, and (rows,).
    low, high
        Bounds of every coefficient.
    integer
        Whether coefficients are whole numbers.
    total
        The sum of squares of the response that a fit can explain.
    """

    space: Vector

    def __init__(
        self,
        names: Sequence[str],
        design: Floats,
        response: Floats,
        low: float,
        high: float,
        integer: bool,
        total: float,
    ) -> None:
        variable = Int(int(low), int(high)) if integer else Float(low, high)
        self.space = Vector(dict.fromkeys(names, variable))
        self._loss = SumOfSquares(design, response, integer=integer)
        best: Sequence[float] | None
        best = self._loss.best_integers(int(low), int(high)) if integer else self._loss.best_reals(low, high).tolist()
        if best is not None:
            solution = dict(zip(names, best, strict=True))
            # Scored as every solution is, so that it reaches the target to the last bit.
            score = self.evaluate(solution)
            tolerance = SAME_LOSS * score if integer else CLOSE_TO_BEST * score + CLOSE_TO_ALL * total
            self.optimum = Optimum(score, tolerance, solution)

    def evaluate(self, solution: Any) -> float:
        return float(self.evaluate_batch(self.space.pack([solution]))[0])

    def evaluate_batch(self, columns: Columns) -> Floats:
        return self._loss([columns[name] for name in self.space.variables])
