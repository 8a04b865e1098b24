"""The control that fits a polynomial of degree two."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from llmopt.baselines.controls import Control
from llmopt.baselines.new_solutions import draw_new, fill, first_new
from llmopt.solver import Task
from llmopt.space import Columns, join, take
from llmopt.space.relaxation import Points


class Quadratic(Control):
    """The minimizer of a polynomial of degree two, fitted to the history by least squares.

    With d variables it has p = (d + 1)(d + 2) / 2 coefficients and is fitted to the best 2 p solutions, to
    more where those do not determine it, and while none do, as many solutions as are missing are drawn uniformly.
    Candidates are its minimizers in the box, normal draws of one unit (a hundredth of each range) around the
    lowest, and uniform ones; the new candidates that it puts lowest are proposed.
    """

    packages: ClassVar[tuple[str, ...]] = ("scipy",)
    candidates = 512
    descents = 4

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        dimension = self.relaxation.dimension
        self.coefficients = (dimension + 1) * (dimension + 2) // 2
        self.parents = 2 * self.coefficients

    def propose(self, n: int, best: Points, losses: NDArray[np.float64]) -> Columns:
        history, relaxation, rng = self.task.history, self.relaxation, self.rng
        model = _Polynomial(best, losses, relaxation.width)
        # The best may lie on one line, which does not determine a polynomial; then more of the history is fitted.
        while model.rank < self.coefficients and len(rows := history.best(2 * len(best))) > len(best):
            best = relaxation.points(take(history.columns, rows))
            model = _Polynomial(best, history.losses[rows], relaxation.width)
        if model.rank < self.coefficients:
            return draw_new(history, min(n, self.coefficients - model.rank), rng)
        cloud = relaxation.uniform(self.candidates, rng)
        starts = np.vstack([best[:1], cloud[np.argsort(model(cloud))[: self.descents]]])
        minimizers = np.array([model.descend(start) for start in starts])
        near = minimizers[np.argmin(model(minimizers))] + rng.standard_normal(cloud.shape)
        columns = join([relaxation.columns(points) for points in (minimizers, near, cloud)])
        order = np.argsort(model(relaxation.points(columns)), kind="stable")
        return fill(first_new(history, take(columns, order), n), n, self.task.space, rng)


class _Polynomial:
    """q(z) = g'z + z'Hz / 2 + c, fitted to losses at points, shape (m, d); z runs from -1 to 1 across the box."""

    def __init__(self, points: Points, losses: NDArray[np.float64], width: NDArray[np.float64]) -> None:
        self._width = width
        z, dimension = self._scaled(points), len(width)
        i, j = np.triu_indices(dimension)
        terms = np.hstack([np.ones((len(z), 1)), z, z[:, i] * z[:, j]])
        targets = losses / (np.abs(losses).max() or 1.0)
        weights, _, self.rank, _ = np.linalg.lstsq(terms, targets - targets.min(), rcond=None)
        self._gradient = weights[1 : dimension + 1]
        upper = np.zeros((dimension, dimension))
        upper[i, j] = weights[dimension + 1 :]
        self._hessian = upper + upper.T

    def __call__(self, points: Points) -> NDArray[np.float64]:
        """Return the values, shape (B,), up to c and a factor."""
        z = self._scaled(points)
        values: NDArray[np.float64] = z @ self._gradient + np.sum(z @ self._hessian * z, axis=1) / 2
        return values

    def descend(self, start: Points) -> Points:
        """Return a local minimizer in the box."""

        def value_and_slope(z: Points) -> tuple[float, Points]:
            return float(z @ self._gradient + z @ self._hessian @ z / 2), self._gradient + self._hessian @ z

        found = minimize(
            value_and_slope,
            self._scaled(start),
            jac=True,
            method="TNC",
            bounds=[(-1.0, 1.0)] * len(start),
            options={"ftol": 1e-15, "gtol": 1e-12},
        )
        points: Points = (found.x + 1) / 2 * self._width
        return points

    def _scaled(self, points: Points) -> Points:
        return 2 * points / self._width - 1
